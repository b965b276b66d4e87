//! What rules answered, kept between the program's runs: a file for each dataset in `<state>/answers`, named by the
//! SHA-256 of what was opened.
//!
//! A file that cannot be read, is not this user's own, or was not written by this very build of the program is passed
//! over, and written anew: nothing depends on it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::places::Places;
use crate::bundle::canonical;
use crate::evaluate::answers::Answers;

/// Bytes that a file may have: more than the most answers, over the most files, take.
const LONGEST: u64 = 8 << 20;

/// Datasets that are remembered; the one that was left the longest ago is dropped for another.
const DATASETS: usize = 16;

/// How the files' names end.
const EXTENSION: &str = "answers";

/// Where the answers of one dataset are kept.
#[derive(Clone, Debug)]
pub(super) struct Place {
    folder: PathBuf,
    file: PathBuf,
}

impl Place {
    /// That of a dataset; `None` where the user has no place for such things.
    pub(super) fn of(places: &Places, dataset: &Path) -> Option<Self> {
        let folder = places.state.as_ref()?.join("answers");
        let root = dataset.canonicalize().or_else(|_| std::path::absolute(dataset)).ok()?;
        let name = canonical::sha256(root.as_os_str().as_encoded_bytes());
        let file = folder.join(name).with_extension(EXTENSION);
        Some(Self { folder, file })
    }

    /// What is kept there; nothing where that cannot be used.
    pub(super) fn read(&self) -> Answers {
        let bytes = own(&self.file).unwrap_or_default();
        Answers::read(&bytes).unwrap_or_default()
    }

    /// Keeps answers, whole or not at all.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn write(&self, answers: &Answers) -> io::Result<()> {
        let Some(bytes) = answers.written().filter(|bytes| bytes.len() as u64 <= LONGEST) else {
            return Ok(());
        };
        fs::create_dir_all(&self.folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(&bytes)?;
        file.persist(&self.file)?;
        self.drop_oldest()
    }

    /// Drops what is kept.
    pub(super) fn clear(&self) {
        // What cannot be removed is not read, either: this build writes it anew, and others pass it over.
        let _ = fs::remove_file(&self.file);
    }

    fn drop_oldest(&self) -> io::Result<()> {
        let mut kept: Vec<(SystemTime, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let path = entry.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION) {
                kept.push((entry.metadata()?.modified()?, path));
            }
        }
        kept.sort_unstable();
        let many = kept.len().saturating_sub(DATASETS);
        kept.iter().take(many).try_for_each(|(_, path)| fs::remove_file(path))
    }
}

/// The bytes of a file that is the user's own, and no link.
fn own(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = path.symlink_metadata()?;
    if !metadata.is_file() || !is_own(&metadata) || metadata.len() > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(unix)]
fn is_own(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    metadata.uid() == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn is_own(_: &fs::Metadata) -> bool {
    true
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn place(state: &Path, dataset: &str) -> Place {
        let places = Places { config: None, state: Some(state.to_path_buf()) };
        Place::of(&places, &state.join(dataset)).unwrap()
    }

    #[test]
    fn what_cannot_be_used_is_nothing() {
        let state = tempfile::tempdir().unwrap();
        let place = place(state.path(), "run");
        assert!(place.read().is_empty());
        fs::create_dir_all(&place.folder).unwrap();
        for bytes in [&b"sigma-ocsf-tui answers 1 x y\n{}"[..], b"\xff\0", b""] {
            fs::write(&place.file, bytes).unwrap();
            assert!(place.read().is_empty());
        }
        place.clear();
        assert!(!place.file.exists());
    }

    #[cfg(unix)]
    #[test]
    fn no_link_is_followed_and_nobody_else_may_read() {
        use std::os::unix::fs::{PermissionsExt, symlink};

        let state = tempfile::tempdir().unwrap();
        let place = place(state.path(), "run");
        place.write(&Answers::default()).unwrap();
        assert_eq!(fs::metadata(&place.file).unwrap().permissions().mode() & 0o777, 0o600);
        let elsewhere = state.path().join("elsewhere");
        fs::rename(&place.file, &elsewhere).unwrap();
        assert!(own(&elsewhere).is_ok());
        symlink(&elsewhere, &place.file).unwrap();
        assert!(own(&place.file).is_err());
        place.write(&Answers::default()).unwrap();
        assert!(!place.file.is_symlink(), "the link is replaced, not written through");
    }

    #[test]
    fn the_datasets_are_bounded() {
        let state = tempfile::tempdir().unwrap();
        for n in 0..DATASETS + 3 {
            place(state.path(), &format!("run-{n}")).write(&Answers::default()).unwrap();
        }
        let last = place(state.path(), &format!("run-{}", DATASETS + 2));
        assert_eq!(fs::read_dir(&last.folder).unwrap().count(), DATASETS);
    }
}
