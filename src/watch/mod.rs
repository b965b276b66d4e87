//! File changes to a set of changed inputs.
//!
//! Directories are watched, not inodes, so that saving by rename, saving by truncation, and folders that are
//! deleted and made again are all seen. Whether content changed is the receiver's to tell. Knows no rule, no
//! pack, no dataset: only where they are.
//!
//! To watch thousands of files takes its time, and the system then tells of each that is opened. So inputs are looked
//! at first, read, watched, and looked at again: what changed between the looks is told like any other change.

mod inputs;
mod settle;
mod snapshot;
mod system;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
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
    /// Watching is not, or no longer, as good as it could be.
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

/// Looks, and then watches until it is dropped.
pub struct Watcher {
    messages: Sender<Message>,
    /// Ends once the inputs have been looked at.
    looking: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

enum Message {
    Event(notify::Result<Event>),
    /// The inputs have been read.
    Follow,
    Stop,
}

impl Watcher {
    /// Begins to look at the inputs. `on_change` is called on the watcher's own thread and must not drop the watcher.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn start(inputs: Inputs, on_change: impl Fn(Changes) + Send + 'static) -> Result<Self, WatchError> {
        let (messages, inbox) = channel();
        let (looked, looking) = sync_channel(0);
        let events = messages.clone();
        let body = move || {
            let inputs = WatchedInputs::new(inputs);
            let backend = Backend::Looking(inputs.snapshot());
            let session = Session { inputs, backend, on_change: Box::new(on_change) };
            session.start(looked, events, &inbox);
        };
        let thread = std::thread::Builder::new().name("watch".to_owned()).spawn(body)?;
        Ok(Self { messages, looking, thread: Some(thread) })
    }

    /// Waits until the inputs have been looked at. What changes later is told, once they are followed.
    pub fn looked(&self) {
        // Nothing is ever sent: that nobody can any more is the news.
        let _ = self.looking.recv();
    }

    /// Tells what has changed since the inputs were looked at, and from then on what changes. Whoever reads them
    /// in the meantime disturbs nobody.
    pub fn follow(&self) {
        // A thread that has ended says so where it is joined.
        let _ = self.messages.send(Message::Follow);
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
    /// The inputs have been looked at.
    fn start(mut self, looked: SyncSender<()>, events: Sender<Message>, inbox: &Receiver<Message>) {
        drop(looked);
        if let Ok(Message::Follow) = inbox.recv() {
            let changes = self.follow(events);
            self.tell(changes);
            self.run(inbox);
        }
    }

    /// Watches, and looks again: from then on nothing is lost, and what has changed since the last look is known.
    fn follow(&mut self, events: Sender<Message>) -> Changes {
        let system = SystemWatcher::start(events, &self.inputs.wanted());
        let (mut changes, moved) = self.look();
        match system {
            Ok(system) => self.backend = Backend::System(system),
            Err(error) => changes.notice = Some(notice(&error)),
        }
        if moved {
            // A folder may have come after it was found out what to watch, and before that was done.
            self.watch_again(&mut changes);
        }
        changes
    }

    fn tell(&self, changes: Changes) {
        if !changes.is_empty() {
            (self.on_change)(changes);
        }
    }

    fn run(&mut self, inbox: &Receiver<Message>) {
        loop {
            let changes = match self.next_message(inbox) {
                Ok(Message::Event(first)) => {
                    let batch = settle::gather(first, inbox, |event| self.inputs.concern(event));
                    if batch.stopped {
                        return;
                    }
                    if batch.errors.is_empty() {
                        self.after_events(&batch.events)
                    } else {
                        self.after_errors(&batch.errors)
                    }
                }
                Err(RecvTimeoutError::Timeout) => self.look().0,
                Ok(Message::Follow) => continue,
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            };
            self.tell(changes);
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

    /// What has changed since the last look, and whether the folders to watch may be others now.
    fn look(&mut self) -> (Changes, bool) {
        let (mut changes, mut moved) = (Changes::default(), false);
        let now = self.inputs.snapshot();
        if let Backend::Looking(before) = &self.backend {
            let events = before.events_until(&now);
            moved = self.note_all(events.iter().map(|(path, kind)| (path.as_path(), *kind)), &mut changes);
            self.backend = Backend::Looking(now);
        }
        (changes, moved)
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
