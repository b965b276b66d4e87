//! The system's watching, where it works.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::time::Duration;

use notify::{Config, ErrorKind, RecommendedWatcher, RecursiveMode};
use notify_debouncer_full::{DebounceEventResult, Debouncer, NoCache, new_debouncer_opt};

use super::Message;

/// Long enough for the several events of one save, too short to be felt.
const DEBOUNCE: Duration = Duration::from_millis(80);

/// Folders to watch, and whether with all below.
pub(super) type Wanted = BTreeMap<PathBuf, RecursiveMode>;

/// What watches, and what it watches at the moment.
pub(super) struct SystemWatcher {
    debouncer: Debouncer<RecommendedWatcher, NoCache>,
    watched: Wanted,
}

impl SystemWatcher {
    pub(super) fn start(messages: Sender<Message>, wanted: &Wanted) -> notify::Result<Self> {
        let forward = move |result: DebounceEventResult| {
            // Nobody listens only while the watcher is being dropped.
            let _ = messages.send(Message::Events(result));
        };
        let debouncer = new_debouncer_opt(DEBOUNCE, None, forward, NoCache, Config::default())?;
        let mut watcher = Self { debouncer, watched: Wanted::new() };
        watcher.watch(wanted)?;
        Ok(watcher)
    }

    /// Watches these folders and no others. Those that are watched already are watched anew, as they may have
    /// been deleted and made again. One that has gone in the meantime is left to the next call, which the
    /// event of its going brings about.
    pub(super) fn watch(&mut self, wanted: &Wanted) -> notify::Result<()> {
        for (path, mode) in &self.watched {
            if wanted.get(path) != Some(mode) {
                // A folder that has gone is no longer watched; that is what was asked for.
                let _ = self.debouncer.unwatch(path);
            }
        }
        self.watched.clone_from(wanted);
        for (path, mode) in wanted {
            match self.debouncer.watch(path, *mode) {
                Err(error) if !has_gone(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

fn has_gone(error: &notify::Error) -> bool {
    match &error.kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(io) => io.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}
