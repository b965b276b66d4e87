//! File changes to a set of changed inputs.
//!
//! Directories are watched, not inodes, so that saving by rename, saving by truncation, and folders that are
//! deleted and made again are all seen. Whether content changed is the receiver's to tell. Knows no rule, no
//! pack, no dataset: only where they are.

mod inputs;
mod settle;
mod snapshot;
mod system;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use notify::{Event, EventKind};

use inputs::WatchedInputs;
use snapshot::Snapshot;
use system::SystemWatcher;

/// How often files are looked at, where the system does not watch them.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// What to watch. Nothing of it need exist yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inputs {
    /// Rule files, and folders of them.
    pub rules: Vec<PathBuf>,
    /// The pack's folder, and those of the packs that it extends.
    pub pack: Vec<PathBuf>,
    /// The dataset, as the user named it.
    pub dataset: Option<PathBuf>,
    /// Anything else, such as the user's configuration.
    pub extra: Vec<PathBuf>,
}

/// What may have changed since the last time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Rule files, spelled as [`Inputs::rules`] spells their folder; some may be gone.
    pub rules: BTreeSet<PathBuf>,
    /// A folder of rules came, went or was renamed, or events were lost: look at all rules again.
    pub rescan: bool,
    /// The pack.
    pub pack: bool,
    /// The dataset.
    pub dataset: bool,
    /// Something of [`Inputs::extra`].
    pub extra: bool,
    /// Watching has got worse since it started.
    pub notice: Option<WatchNotice>,
}

impl Changes {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn everything() -> Self {
        Self { rescan: true, pack: true, dataset: true, extra: true, ..Self::default() }
    }
}

/// Watching works, but not as well as it could.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WatchNotice {
    /// The system's limit is reached; files are looked at every second.
    #[error("looking for changes every second: too many folders to watch; raise fs.inotify.max_user_watches")]
    TooManyWatches,
    /// The system does not watch; files are looked at every second.
    #[error("looking for changes every second: the system's file watching failed ({cause})")]
    Unavailable {
        /// What it said.
        cause: String,
    },
}

/// Changes cannot be seen at all: there is no thread to do it on.
#[derive(Debug, thiserror::Error)]
#[error("cannot watch for changes: {0}")]
pub struct WatchError(#[from] std::io::Error);

/// Watches until it is dropped.
pub struct Watcher {
    messages: Sender<Message>,
    thread: Option<JoinHandle<()>>,
}

enum Message {
    Event(notify::Result<Event>),
    Stop,
}

impl Watcher {
    /// Starts watching. `on_change` is called on the watcher's own thread and must not drop the watcher.
    /// The notice tells that the files are looked at every second, as the system does not watch them.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn start(
        inputs: Inputs,
        on_change: impl Fn(Changes) + Send + 'static,
    ) -> Result<(Self, Option<WatchNotice>), WatchError> {
        let (messages, inbox) = channel();
        let inputs = WatchedInputs::new(inputs);
        let (backend, notice) = match SystemWatcher::start(messages.clone(), &inputs.wanted()) {
            Ok(system) => (Backend::System(system), None),
            Err(error) => (Backend::Looking(inputs.snapshot()), Some(notice(&error))),
        };
        let mut session = Session { inputs, backend, on_change: Box::new(on_change) };
        let body = move || session.run(&inbox);
        let thread = std::thread::Builder::new().name("watch".to_owned()).spawn(body)?;
        Ok((Self { messages, thread: Some(thread) }, notice))
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // Neither can fail in a way that matters here: a thread that has ended has stopped.
        let _ = self.messages.send(Message::Stop);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn notice(error: &notify::Error) -> WatchNotice {
    match error.kind {
        notify::ErrorKind::MaxFilesWatch => WatchNotice::TooManyWatches,
        _ => WatchNotice::Unavailable { cause: error.to_string() },
    }
}

/// How changes are seen.
enum Backend {
    System(SystemWatcher),
    /// By comparing with what was there the last time.
    Looking(Snapshot),
}

/// What lives on the watcher's thread.
struct Session {
    inputs: WatchedInputs,
    backend: Backend,
    on_change: Box<dyn Fn(Changes) + Send>,
}

impl Session {
    fn run(&mut self, inbox: &Receiver<Message>) {
        loop {
            let changes = match self.next_message(inbox) {
                Ok(Message::Event(first)) => {
                    let batch = settle::gather(first, inbox);
                    if batch.stopped {
                        return;
                    }
                    if batch.errors.is_empty() {
                        self.after_events(&batch.events)
                    } else {
                        self.after_errors(&batch.errors)
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.look(),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            };
            if !changes.is_empty() {
                (self.on_change)(changes);
            }
        }
    }

    fn next_message(&self, inbox: &Receiver<Message>) -> Result<Message, RecvTimeoutError> {
        match self.backend {
            Backend::System(_) => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Backend::Looking(_) => inbox.recv_timeout(POLL_INTERVAL),
        }
    }

    fn after_events(&mut self, events: &[Event]) -> Changes {
        let lost = events.iter().any(|event| event.need_rescan());
        let mut changes = if lost { Changes::everything() } else { Changes::default() };
        let paths =
            events.iter().flat_map(|event| event.paths.iter().map(|path| (path.as_path(), event.kind)));
        let moved = self.note_all(paths, &mut changes);
        if moved || lost {
            self.watch_again(&mut changes);
        }
        changes
    }

    fn note_all<'a>(
        &self,
        events: impl Iterator<Item = (&'a Path, EventKind)>,
        changes: &mut Changes,
    ) -> bool {
        events.fold(false, |moved, (path, kind)| self.inputs.note(path, kind, changes) || moved)
    }

    fn look(&mut self) -> Changes {
        let mut changes = Changes::default();
        let now = self.inputs.snapshot();
        if let Backend::Looking(before) = &self.backend {
            let events = before.events_until(&now);
            self.note_all(events.iter().map(|(path, kind)| (path.as_path(), *kind)), &mut changes);
            self.backend = Backend::Looking(now);
        }
        changes
    }

    fn after_errors(&mut self, errors: &[notify::Error]) -> Changes {
        let mut changes = Changes::everything();
        match errors.iter().find(|error| matches!(error.kind, notify::ErrorKind::MaxFilesWatch)) {
            Some(error) => self.degrade(error, &mut changes),
            None => self.watch_again(&mut changes),
        }
        changes
    }

    /// A folder that has come back is another inode: it must be watched anew.
    fn watch_again(&mut self, changes: &mut Changes) {
        if let Backend::System(system) = &mut self.backend
            && let Err(error) = system.watch(&self.inputs.wanted())
        {
            self.degrade(&error, changes);
        }
    }

    fn degrade(&mut self, error: &notify::Error, changes: &mut Changes) {
        if let Backend::System(_) = self.backend {
            self.backend = Backend::Looking(self.inputs.snapshot());
            // What has happened since the system told of something is in the snapshot already.
            let rules = std::mem::take(&mut changes.rules);
            *changes = Changes { rules, notice: Some(notice(error)), ..Changes::everything() };
        }
    }
}

/// Reading a file is no change of it; without this, reloading would start the next reload.
fn is_reading(kind: EventKind) -> bool {
    use notify::event::{AccessKind, AccessMode};
    let written = EventKind::Access(AccessKind::Close(AccessMode::Write));
    kind.is_access() && kind != written
}

#[cfg(test)]
mod tests;
