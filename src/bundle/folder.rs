//! A folder that appears whole or not at all, whatever the process is killed by.
//!
//! A bundle grows in a hidden folder beside its place, `.<name>.partial-<process>`, and is put there by one rename. The
//! hidden folder is locked as long as its process lives, so that those of killed runs are known and cleared away.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{BRIDGE, BUNDLE, BundleError, DETECTIONS_FOLDER};

/// A bundle in the making. Dropped before it is published, it leaves nothing behind.
#[derive(Debug)]
pub struct Staging {
    target: PathBuf,
    folder: PathBuf,
    existing: Existing,
    /// Holds the lock.
    _lock: File,
}

/// What is at the place of the bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Existing {
    Nothing,
    EmptyFolder,
    Bundle,
}

impl Staging {
    /// Begins a bundle that is to be at `target`, and clears away what killed runs have left beside it.
    ///
    /// # Errors
    /// There is a bundle and not `replace`, or something that is no bundle; the file system refuses.
    pub fn begin(target: &Path, replace: bool) -> Result<Self, BundleError> {
        let no_name = || BundleError::NoName { path: target.to_path_buf() };
        let name = target.file_name().ok_or_else(no_name)?.to_string_lossy().into_owned();
        let parent = match target.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(parent).map_err(BundleError::io(parent))?;
        let prefix = format!(".{name}.partial-");
        recover(target, &aside(parent, &name))?;
        clear(parent, &prefix)?;
        let existing = existing(target)?;
        if existing == Existing::Bundle && !replace {
            return Err(BundleError::Exists { path: target.to_path_buf() });
        }
        let folder = parent.join(format!("{prefix}{}", std::process::id()));
        fs::create_dir(&folder).map_err(BundleError::io(&folder))?;
        let lock = File::open(&folder).map_err(BundleError::io(&folder))?;
        system::lock(&lock).map_err(BundleError::io(&folder))?;
        Ok(Self { target: target.to_path_buf(), folder, existing, _lock: lock })
    }

    /// Where the bundle's files go for now.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts the bundle in its place, and takes away the one that it replaces.
    ///
    /// # Errors
    /// The file system refuses; or somebody has put something there meanwhile. The place is then as it was.
    pub fn publish(self) -> Result<(), BundleError> {
        system::flush(&self.folder).map_err(BundleError::io(&self.folder))?;
        let moved = match self.existing {
            Existing::Nothing => system::rename_new(&self.folder, &self.target),
            Existing::EmptyFolder => fs::rename(&self.folder, &self.target),
            Existing::Bundle => self.exchange(),
        };
        moved.map_err(BundleError::io(&self.target))?;
        if let Some(parent) = self.folder.parent() {
            // What is in place is whole; whether its name outlives a power cut is the system's matter.
            let _ = File::open(parent).and_then(|parent| parent.sync_all());
        }
        Ok(())
    }

    /// The old bundle is at the hidden place afterwards, from where it is dropped.
    fn exchange(&self) -> io::Result<()> {
        match system::exchange(&self.folder, &self.target) {
            Ok(()) => Ok(()),
            Err(error) if system::cannot_exchange(&error) => self.replace_in_steps(),
            Err(error) => Err(error),
        }
    }

    /// Where the file system cannot exchange two folders: killed between the steps, the old bundle is found again by
    /// [`recover`].
    fn replace_in_steps(&self) -> io::Result<()> {
        let parent = self.folder.parent().unwrap_or(Path::new("."));
        let name = self.target.file_name().unwrap_or_default().to_string_lossy();
        let aside = aside(parent, &name);
        fs::rename(&self.target, &aside)?;
        if let Err(error) = fs::rename(&self.folder, &self.target) {
            fs::rename(&aside, &self.target)?;
            return Err(error);
        }
        fs::remove_dir_all(&aside)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // There is nothing after a publication; what cannot be removed is cleared away by the next run.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn aside(parent: &Path, name: &str) -> PathBuf {
    parent.join(format!(".{name}.replaced"))
}

/// Brings back a bundle that was put aside by a run that was killed before it put its own in place.
fn recover(target: &Path, aside: &Path) -> Result<(), BundleError> {
    if !aside.exists() {
        return Ok(());
    }
    let mended = if target.exists() { fs::remove_dir_all(aside) } else { fs::rename(aside, target) };
    mended.map_err(BundleError::io(aside))
}

/// Removes the hidden folders of this bundle whose process lives no more.
fn clear(parent: &Path, prefix: &str) -> Result<(), BundleError> {
    for entry in fs::read_dir(parent).map_err(BundleError::io(parent))? {
        let entry = entry.map_err(BundleError::io(parent))?;
        let path = entry.path();
        let ours = entry.file_name().to_string_lossy().strip_prefix(prefix).is_some_and(is_number);
        if !ours || !path.is_dir() || path.is_symlink() {
            continue;
        }
        let Ok(folder) = File::open(&path) else { continue };
        if system::lock(&folder).is_ok() {
            fs::remove_dir_all(&path).map_err(BundleError::io(&path))?;
        }
    }
    Ok(())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// What is at `target`. Anything that is neither nothing, nor an empty folder, nor a bundle is an error.
fn existing(target: &Path) -> Result<Existing, BundleError> {
    let foreign = |entry: &str| BundleError::Foreign { path: target.to_path_buf(), entry: entry.to_owned() };
    match fs::symlink_metadata(target) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Existing::Nothing),
        Err(error) => return Err(BundleError::io(target)(error)),
        Ok(metadata) if !metadata.is_dir() => return Err(foreign("")),
        Ok(_) => {}
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(target).map_err(BundleError::io(target))? {
        entries.push(entry.map_err(BundleError::io(target))?.file_name().to_string_lossy().into_owned());
    }
    entries.sort_unstable();
    let odd = entries.iter().find(|name| ![BUNDLE, BRIDGE, DETECTIONS_FOLDER].contains(&name.as_str()));
    match odd {
        Some(entry) => Err(foreign(entry)),
        None if entries.is_empty() => Ok(Existing::EmptyFolder),
        None if entries.iter().any(|name| name == BUNDLE) => Ok(Existing::Bundle),
        None => Err(foreign(&entries.concat())),
    }
}

mod system {
    use std::fs::{self, File};
    use std::io;
    use std::path::Path;

    use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};
    use rustix::io::Errno;

    /// An error where another process holds the lock.
    pub(super) fn lock(folder: &File) -> io::Result<()> {
        Ok(flock(folder, FlockOperation::NonBlockingLockExclusive)?)
    }

    pub(super) fn exchange(one: &Path, other: &Path) -> io::Result<()> {
        Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
    }

    /// Whether the file system knows no exchange.
    pub(super) fn cannot_exchange(error: &io::Error) -> bool {
        let known = [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP];
        known.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
    }

    /// Renames where there is nothing yet.
    pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE).map_err(io::Error::from) {
            Err(error) if cannot_exchange(&error) => fs::rename(from, to),
            other => other,
        }
    }

    /// Brings all that was written below `folder` to the disk.
    #[cfg(target_os = "linux")]
    pub(super) fn flush(folder: &Path) -> io::Result<()> {
        Ok(rustix::fs::syncfs(File::open(folder)?)?)
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn flush(folder: &Path) -> io::Result<()> {
        walkdir::WalkDir::new(folder).into_iter().try_for_each(|entry| File::open(entry?.path())?.sync_all())
    }
}
