//! Looking at the files, where the system does not watch, or did not yet.
//!
//! Not notify's own poll watcher: it compares whole seconds of ascending times, and so misses a second save
//! within one, and an older file that is moved into place.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use notify::event::{CreateKind, EventKind, ModifyKind, RemoveKind};
use walkdir::{DirEntry, WalkDir};

/// What there is under some roots, and as of when.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Snapshot(BTreeMap<PathBuf, Stamp>);

#[derive(Debug, PartialEq, Eq)]
enum Stamp {
    Folder,
    File { modified: Option<SystemTime>, length: u64 },
}

/// How coarse a file's times may be.
const COARSE: Duration = Duration::from_secs(2);

/// What may have changed under some roots since a moment, by its times: rather too much than too little.
pub(super) fn changed_since<'a>(
    roots: impl Iterator<Item = &'a Path>,
    moment: SystemTime,
) -> Vec<(PathBuf, EventKind)> {
    let entries = roots.flat_map(|root| WalkDir::new(root).follow_links(true)).filter_map(Result::ok);
    let is_young = |entry: &DirEntry| {
        let changed = entry.metadata().ok().and_then(|metadata| changed(&metadata));
        changed.is_none_or(|changed| changed + COARSE >= moment)
    };
    let young = entries.filter(is_young);
    young.map(|entry| (entry.into_path(), EventKind::Modify(ModifyKind::Any))).collect()
}

/// When something was last changed, which nobody can set where the system keeps it.
#[cfg(unix)]
fn changed(metadata: &Metadata) -> Option<SystemTime> {
    use std::os::unix::fs::MetadataExt;

    let since = Duration::new(metadata.ctime().try_into().ok()?, metadata.ctime_nsec().try_into().ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since)
}

#[cfg(not(unix))]
fn changed(metadata: &Metadata) -> Option<SystemTime> {
    metadata.modified().ok()
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
