//! When a save is over. A save is several events: a file is emptied, written, closed, or moved into place.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use notify::Event;
use notify::event::{AccessKind, AccessMode, CreateKind, EventKind, ModifyKind};

use super::Message;

/// How long nothing has to happen where every file that was written has been closed.
const CLOSED: Duration = Duration::from_millis(4);

/// Where one is still open, or the system does not tell.
const OPEN: Duration = Duration::from_millis(80);

/// Whoever writes without end is looked at this often.
const LONGEST: Duration = Duration::from_millis(400);

/// Events that belong together, and why the gathering ended early, if it did.
pub(super) struct Batch {
    pub(super) events: Vec<Event>,
    pub(super) errors: Vec<notify::Error>,
    pub(super) stopped: bool,
}

/// The first event, and those that follow it until the files rest. Events that do not `concern` anybody are left
/// out: whatever else goes on in a folder, a save is not waited for any longer.
pub(super) fn gather(
    first: notify::Result<Event>,
    inbox: &Receiver<Message>,
    concern: impl Fn(&Event) -> bool,
) -> Batch {
    let mut batch = Batch { events: Vec::new(), errors: Vec::new(), stopped: false };
    let mut open = BTreeSet::new();
    let begun = Instant::now();
    let mut last = begun;
    let matters = |result: &notify::Result<Event>| result.as_ref().map_or(true, &concern);
    if !matters(&first) {
        return batch;
    }
    batch.take(first, &mut open);
    loop {
        let patience = if open.is_empty() { CLOSED } else { OPEN };
        // Asked for with no time left, a message that waits would still be taken: there may always be one.
        let Some(left) = LONGEST.checked_sub(begun.elapsed()) else { return batch };
        let Some(rest) = patience.checked_sub(last.elapsed()) else { return batch };
        match inbox.recv_timeout(rest.min(left)) {
            Ok(Message::Event(result)) if matters(&result) => {
                batch.take(result, &mut open);
                last = Instant::now();
            }
            Ok(Message::Event(_) | Message::Follow) => {}
            Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => {
                batch.stopped = true;
                return batch;
            }
            Err(RecvTimeoutError::Timeout) => return batch,
        }
    }
}

impl Batch {
    fn take(&mut self, result: notify::Result<Event>, open: &mut BTreeSet<PathBuf>) {
        match result {
            Ok(event) => {
                note(&event, open);
                self.events.push(event);
            }
            Err(error) => self.errors.push(error),
        }
    }
}

/// Keeps count of the files that are being written.
fn note(event: &Event, open: &mut BTreeSet<PathBuf>) {
    match event.kind {
        // The system moves a file whole.
        EventKind::Access(AccessKind::Close(AccessMode::Write))
        | EventKind::Modify(ModifyKind::Name(_))
        | EventKind::Remove(_) => open.retain(|path| !event.paths.contains(path)),
        EventKind::Access(_)
        | EventKind::Create(CreateKind::Folder)
        | EventKind::Modify(ModifyKind::Metadata(_)) => {}
        EventKind::Create(_) | EventKind::Modify(_) | EventKind::Any | EventKind::Other => {
            open.extend(event.paths.iter().cloned());
        }
    }
}
