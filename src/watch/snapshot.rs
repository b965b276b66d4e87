//! Looking at the files, where the system does not watch.
//!
//! Not notify's own poll watcher: it compares whole seconds of ascending times, and so misses a second save
//! within one, and an older file that is moved into place.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use notify::event::{CreateKind, EventKind, ModifyKind, RemoveKind};
use walkdir::WalkDir;

/// What there is under some roots, and as of when.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Snapshot(BTreeMap<PathBuf, Stamp>);

#[derive(Debug, PartialEq, Eq)]
enum Stamp {
    Folder,
    File { modified: Option<SystemTime>, length: u64 },
}

impl Snapshot {
    /// Looks. What cannot be read is not there.
    pub(super) fn take<'a>(roots: impl Iterator<Item = &'a Path>) -> Self {
        let entries = roots.flat_map(|root| WalkDir::new(root).follow_links(true)).filter_map(Result::ok);
        let stamped = entries.filter_map(|entry| {
            let metadata = entry.metadata().ok()?;
            let stamp = if metadata.is_dir() {
                Stamp::Folder
            } else {
                Stamp::File { modified: metadata.modified().ok(), length: metadata.len() }
            };
            Some((entry.into_path(), stamp))
        });
        Self(stamped.collect())
    }

    /// What happened between this one and a later one.
    pub(super) fn events_until(&self, later: &Self) -> Vec<(PathBuf, EventKind)> {
        let gone = self.0.iter().filter(|(path, _)| !later.0.contains_key(*path)).map(|(path, stamp)| {
            let kind = if *stamp == Stamp::Folder { RemoveKind::Folder } else { RemoveKind::File };
            (path.clone(), EventKind::Remove(kind))
        });
        let come = later.0.iter().filter_map(|(path, stamp)| match self.0.get(path) {
            None => Some((path.clone(), EventKind::Create(CreateKind::Any))),
            Some(earlier) if earlier != stamp => Some((path.clone(), EventKind::Modify(ModifyKind::Any))),
            Some(_) => None,
        });
        gone.chain(come).collect()
    }
}
