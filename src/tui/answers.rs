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
