//! A change to one text file that can be made and taken back: the file is written whole or not at all, and only as
//! long as it is what the change was made for.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A change to one file, not yet made or made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEdit {
    /// The file.
    pub path: PathBuf,
    /// Its text before; `None` where there was no such file.
    pub before: Option<String>,
    /// Its text after.
    pub after: String,
    /// The line of the change in `after`, from 1.
    pub line: u32,
}

/// Why a file is not changed.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It could not be read or written.
    #[error("{path}: {error}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It has another text than the change was made for.
    #[error("{0} has changed since; look at it first")]
    Changed(PathBuf),
}

impl FileEdit {
    /// Makes the change.
    ///
    /// # Errors
    /// The file is no longer as it was before, or cannot be written.
    pub fn apply(&self) -> Result<(), FileError> {
        self.require(self.before.as_deref())?;
        match self.before {
            Some(_) => write(&self.path, &self.after),
            None => create(&self.path, &self.after),
        }
        .map_err(|error| self.error(error))
    }

    /// Puts the file back as it was before [`FileEdit::apply`].
    ///
    /// # Errors
    /// The file has changed since, or cannot be written.
    pub fn undo(&self) -> Result<(), FileError> {
        self.require(Some(&self.after))?;
        match &self.before {
            Some(before) => write(&self.path, before),
            None => fs::remove_file(&self.path),
        }
        .map_err(|error| self.error(error))
    }

    fn require(&self, text: Option<&str>) -> Result<(), FileError> {
        let found = match fs::read(&self.path) {
            Ok(found) => Some(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(self.error(error)),
        };
        match found.as_deref() == text.map(str::as_bytes) {
            true => Ok(()),
            false => Err(FileError::Changed(self.path.clone())),
        }
    }

    fn error(&self, error: io::Error) -> FileError {
        FileError::Io { path: self.path.clone(), error }
    }
}

/// A file beside it takes the text first, so that a reader sees the one or the other. A link stays one, and the file
/// keeps its permissions.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let beside = beside(path, text)?;
    if let Ok(there) = fs::metadata(path) {
        fs::set_permissions(&beside, there.permissions())?;
    }
    beside.persist(path).map_err(|error| error.error)
}

/// The same for a file that must not be there yet.
fn create(path: &Path, text: &str) -> io::Result<()> {
    beside(path, text)?.persist_noclobber(path).map_err(|error| error.error)
}

/// The text in a hidden file beside `path`, which is gone unless it takes that name.
fn beside(path: &Path, text: &str) -> io::Result<tempfile::TempPath> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let beside = folder.join(format!(".{name}.new"));
    let mut file = fs::File::create(&beside)?;
    let beside = tempfile::TempPath::try_from_path(beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(beside)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn edit(folder: &Path, before: Option<&str>) -> FileEdit {
        let before = before.map(str::to_owned);
        FileEdit { path: folder.join("a.yml"), before, after: "b\r\n".to_owned(), line: 1 }
    }

    #[test]
    fn a_change_is_made_taken_back_and_made_again() {
        let folder = tempfile::tempdir().unwrap();
        for before in [None, Some("a: 'x' # c\r\n")] {
            let edit = edit(folder.path(), before);
            before.iter().for_each(|text| fs::write(&edit.path, text).unwrap());
            for _ in 0..2 {
                edit.apply().unwrap();
                assert_eq!(fs::read(&edit.path).unwrap(), b"b\r\n");
                edit.undo().unwrap();
                assert_eq!(fs::read(&edit.path).ok(), before.map(|text| text.as_bytes().to_vec()));
            }
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), usize::from(before.is_some()));
        }
    }

    #[test]
    fn what_has_changed_since_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (new, change) = (edit(folder.path(), None), edit(folder.path(), Some("a")));
        fs::write(&new.path, b"\xff").unwrap();
        for edit in [new, change] {
            assert!(matches!(edit.apply(), Err(FileError::Changed(_))));
            assert!(matches!(edit.undo(), Err(FileError::Changed(_))));
        }
        assert_eq!(fs::read(folder.path().join("a.yml")).unwrap(), b"\xff");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_one_and_permissions_are_kept() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real.yml");
        fs::write(&real, "a").unwrap();
        fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
        let edit = edit(folder.path(), Some("a"));
        std::os::unix::fs::symlink(&real, &edit.path).unwrap();
        edit.apply().unwrap();
        assert!(fs::symlink_metadata(&edit.path).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "b\r\n");
        assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
