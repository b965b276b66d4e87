//! Looking at the files: before they are watched, and where the system does not watch.
//!
//! Not notify's own poll watcher: it compares whole seconds of ascending times, and so misses a second save
//! within one, and an older file that is moved into place.

use std::collections::HashMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use notify::event::{CreateKind, EventKind, ModifyKind, RemoveKind};
use walkdir::WalkDir;

/// What there is under some roots, and as of when.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Snapshot(HashMap<PathBuf, Stamp>);

#[derive(Debug, PartialEq, Eq)]
enum Stamp {
    Folder { which: Which },
    File { which: Which, changed: Changed, modified: Option<SystemTime>, length: u64 },
}

/// Device, inode and when it was made, as numbers of inodes are used again: a folder that was deleted and made again is
/// another one, and what watched it watches nothing.
type Which = (u64, u64, Option<SystemTime>);

/// When a file's metadata were changed, in seconds and nanoseconds. Nobody sets that.
type Changed = (i64, i64);

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        let (which, changed) = identity(metadata);
        match metadata.is_dir() {
            true => Self::Folder { which },
            false => {
                Self::File { which, changed, modified: metadata.modified().ok(), length: metadata.len() }
            }
        }
    }

    fn is_folder(&self) -> bool {
        matches!(self, Self::Folder { .. })
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> (Which, Changed) {
    use std::os::unix::fs::MetadataExt;

    let which = (metadata.dev(), metadata.ino(), metadata.created().ok());
    (which, (metadata.ctime(), metadata.ctime_nsec()))
}

/// Other platforms do not tell.
#[cfg(not(unix))]
fn identity(_: &Metadata) -> (Which, Changed) {
    Default::default()
}

impl Snapshot {
    /// Looks. What cannot be read is not there.
    pub(super) fn take<'a>(roots: impl Iterator<Item = &'a Path>) -> Self {
        let entries = roots.flat_map(|root| WalkDir::new(root).follow_links(true)).filter_map(Result::ok);
        let stamped = entries.filter_map(|entry| {
            let stamp = Stamp::of(&entry.metadata().ok()?);
            Some((entry.into_path(), stamp))
        });
        Self(stamped.collect())
    }

    /// What happened between this one and a later one, in any order.
    pub(super) fn events_until(&self, later: &Self) -> Vec<(PathBuf, EventKind)> {
        let gone = self.0.iter().filter(|(path, _)| !later.0.contains_key(*path)).map(|(path, stamp)| {
            let kind = if stamp.is_folder() { RemoveKind::Folder } else { RemoveKind::File };
            (path.clone(), EventKind::Remove(kind))
        });
        let come = later.0.iter().filter_map(|(path, stamp)| match self.0.get(path) {
            None => Some((path.clone(), EventKind::Create(CreateKind::Any))),
            Some(earlier) if earlier == stamp => None,
            Some(_) if stamp.is_folder() => Some((path.clone(), EventKind::Create(CreateKind::Folder))),
            Some(_) => Some((path.clone(), EventKind::Modify(ModifyKind::Any))),
        });
        gone.chain(come).collect()
    }
}
