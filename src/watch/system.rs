//! The system's watching, where it works.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::Sender;

use notify::{Config, ErrorKind, Event, RecommendedWatcher, RecursiveMode, Watcher};

use super::{Message, is_reading};

/// Folders to watch, and whether with all below.
pub(super) type Wanted = BTreeMap<PathBuf, RecursiveMode>;

/// What watches, and what it watches at the moment.
pub(super) struct SystemWatcher {
    watcher: RecommendedWatcher,
    watched: Wanted,
}

impl SystemWatcher {
    pub(super) fn start(messages: Sender<Message>, wanted: &Wanted) -> notify::Result<Self> {
        let forward = move |result: notify::Result<Event>| {
            if result.as_ref().is_ok_and(|event| is_reading(event.kind)) {
                return;
            }
            // Nobody listens only while the watcher is being dropped.
            let _ = messages.send(Message::Event(result));
        };
        let watcher = RecommendedWatcher::new(forward, Config::default())?;
        let mut watcher = Self { watcher, watched: Wanted::new() };
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
                let _ = self.watcher.unwatch(path);
            }
        }
        self.watched.clone_from(wanted);
        for (path, mode) in wanted {
            match self.watcher.watch(path, *mode) {
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
