//! The file of a new rule: beside the others, and never over one.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use super::super::file_edit::{FileEdit, FileError};
use super::{Draft, NO_ID};
use crate::sigma;

/// A new rule file, not yet written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// The folder that its name is relative to.
    pub folder: PathBuf,
    /// Its name, as typed.
    pub name: String,
    /// The text, as drafted.
    pub text: String,
}

/// Why a new rule is not written.
#[derive(Debug, thiserror::Error)]
pub enum NewFileError {
    /// It would be no rule file.
    #[error("let the name end in .yml, and not begin with a dot")]
    Name,
    /// It has a character that no name should have.
    #[error("the name has a control character")]
    Control,
    /// It would lie elsewhere.
    #[error("{0} is not below a rule folder that is open")]
    Elsewhere(PathBuf),
    /// There is a file already.
    #[error("{0} is there already; choose another name")]
    Taken(PathBuf),
    /// It could not be written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl NewFile {
    /// Writes it, below one of the rule folders, with an id that comes from its path and text.
    ///
    /// # Errors
    /// The name is none for a rule, leads elsewhere or is taken, or the file cannot be written.
    pub fn write(&self, rules: &[PathBuf]) -> Result<FileEdit, NewFileError> {
        let path = self.path(rules)?;
        if fs::symlink_metadata(&path).is_ok() {
            return Err(NewFileError::Taken(path));
        }
        let after = self.text.replacen(NO_ID, &id(&path, &self.text), 1);
        let edit = FileEdit { path, before: None, after, line: 1 };
        edit.apply()?;
        Ok(edit)
    }

    /// Where it goes, as the rule folder names its files; links followed, so that none leads out of it.
    fn path(&self, rules: &[PathBuf]) -> Result<PathBuf, NewFileError> {
        let name = self.name.trim();
        if name.contains(char::is_control) {
            return Err(NewFileError::Control);
        }
        let path = self.folder.join(name);
        let file = match path.components().next_back() {
            Some(Component::Normal(file)) if is_rule_name(file) => file,
            _ => return Err(NewFileError::Name),
        };
        let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
        let real = fs::canonicalize(folder)
            .map_err(|error: io::Error| FileError::Io { path: folder.to_path_buf(), error })?;
        let below = rules.iter().find_map(|named| {
            let root = sigma::folder_of(named);
            let rest = real.strip_prefix(fs::canonicalize(root).ok()?).ok()?.to_path_buf();
            // The walk names files from what the user named, `.` only where that was said.
            let root = if named.is_dir() { named.as_path() } else { named.parent()? };
            Some(root.join(rest))
        });
        Ok(below.ok_or_else(|| NewFileError::Elsewhere(path.clone()))?.join(file))
    }
}

fn is_rule_name(name: &OsStr) -> bool {
    !name.as_encoded_bytes().starts_with(b".") && sigma::is_rule_file(Path::new(name))
}

/// A UUID of version 8 (RFC 9562): what it is made from is not random, so that the same gives the same.
fn id(path: &Path, text: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(path.as_os_str().as_encoded_bytes());
    hash.update([0]);
    hash.update(text.as_bytes());
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(hash.finalize()).for_each(|(byte, of_hash)| *byte = of_hash);
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| hex.get(part).unwrap_or_default());
    parts.join("-")
}

impl Draft {
    /// A name for its file that is free in a folder.
    #[must_use]
    pub fn file_name(&self, folder: &Path) -> String {
        let numbered = (2..1000).map(|number| format!("{}_{number}.yml", self.stem));
        let mut names = std::iter::once(format!("{}.yml", self.stem)).chain(numbered);
        names.find(|name| fs::symlink_metadata(folder.join(name)).is_err()).unwrap_or_default()
    }
}
