//! What decides how a dataset's files answer a statement: which files they are, and how they are read. For answers that
//! are kept.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::view::{Files, absolute, string_list};
use super::{DUCKDB_VERSION, Dataset, Format, Store};
use crate::bridge::ColumnType;
use crate::ocsf::OcsfPath;

/// Columns that statements read whether a plan names them or not.
const ALWAYS: [&str; 4] = ["class_uid", "time", "metadata.event_id", "metadata.uid"];

/// A file with what is in it, as far as its metadata tell: path, device, inode, length, and when its content and its
/// metadata were last changed. Nobody sets the last of these, so that another content is another file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileId(pub(crate) [u8; 32]);

/// A file as it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identified {
    pub(crate) id: FileId,
    /// How long it had been left alone by then. Times are coarse: what changes a file soon after it was changed may
    /// leave no trace in them.
    pub(crate) age: Duration,
}

impl Identified {
    /// The file at a path as it is now. `None` where that cannot be told: it is not there, or the platform keeps no such
    /// times.
    #[cfg(unix)]
    pub(crate) fn at(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        use std::time::SystemTime;

        let metadata = path.metadata().ok()?;
        let name = absolute(path).ok()?;
        let mut hash = Sha256::new();
        part(&mut hash, name.as_bytes());
        for number in [metadata.dev(), metadata.ino(), metadata.len()] {
            hash.update(number.to_le_bytes());
        }
        for number in [metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()] {
            hash.update(number.to_le_bytes());
        }
        let seconds = u64::try_from(metadata.ctime()).ok()?;
        let changed = Duration::new(seconds, u32::try_from(metadata.ctime_nsec()).ok()?);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Some(Self { id: FileId(hash.finalize().into()), age: now.saturating_sub(changed) })
    }

    /// No platform but Unix tells when a file's metadata were changed.
    #[cfg(not(unix))]
    pub(crate) fn at(_: &Path) -> Option<Self> {
        None
    }

    /// All files of a dataset; `None` where one of them cannot be told, or they are not Parquet: lines are read once, and
    /// whatever is written later is not seen.
    pub(super) fn all(dataset: &Dataset) -> Option<Vec<Self>> {
        match dataset.format {
            Format::Parquet => dataset.files.iter().map(|path| Self::at(path)).collect(),
            Format::JsonLines => None,
        }
    }
}

/// How a dataset's files are read, whichever they are.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// What decides it for all columns alike.
    all: Sha256,
    /// By path in lower case: what decides it for one.
    columns: HashMap<String, String>,
}

impl Reading {
    /// A hash of all that decides how statements over these columns read an event, to which a statement is to be added.
    pub(crate) fn of(&self, columns: &BTreeMap<OcsfPath, ColumnType>) -> Sha256 {
        let mut hash = self.all.clone();
        for path in ALWAYS {
            self.add(&mut hash, path);
        }
        for (path, column_type) in columns {
            self.add(&mut hash, path.as_str());
            part(&mut hash, column_type.field_type.as_str().as_bytes());
            hash.update([u8::from(column_type.list)]);
        }
        hash
    }

    fn add(&self, hash: &mut Sha256, path: &str) {
        part(hash, path.as_bytes());
        match self.columns.get(&path.to_ascii_lowercase()) {
            Some(column) => part(hash, column.as_bytes()),
            None => hash.update([0]),
        }
    }
}

/// Adds bytes so that no others end where these do.
pub(crate) fn part(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64 + 1).to_le_bytes());
    hash.update(bytes);
}

impl Store {
    /// The dataset's files as they were when it was opened; `None` where they are others by now, or cannot be told.
    pub(crate) fn identified(&self) -> Option<&[Identified]> {
        let opened = self.identified.as_deref()?;
        let mut files = self.dataset().files.iter().zip(opened);
        let same = files.all(|(path, file)| Identified::at(path).is_some_and(|now| now.id == file.id));
        same.then_some(opened)
    }

    /// How the dataset's files are read. Says nothing of which they are.
    pub(crate) fn reading(&self) -> Option<Arc<Reading>> {
        self.reading.get_or_init(|| self.find_reading().map(Arc::new)).clone()
    }

    fn find_reading(&self) -> Option<Reading> {
        let view = self.view.create_narrow(&BTreeMap::new(), None);
        let files = string_list(&Files::new(self.dataset()).ok()?.patterns);
        let (before, after) = view.split_once(&files)?;
        let mut all = Sha256::new();
        for text in [env!("CARGO_PKG_VERSION"), DUCKDB_VERSION, before, after] {
            part(&mut all, text.as_bytes());
        }
        let columns = self.view.leaves.iter().map(|leaf| {
            let column = &leaf.column;
            let kind = column.field_type.map_or("-", |t| t.as_str());
            let list = if column.list { "[]" } else { "" };
            (leaf.path.to_ascii_lowercase(), format!("{kind}{list} {} {}", column.stored_as, leaf.expression))
        });
        Some(Reading { all, columns: columns.collect() })
    }
}
