//! Why a dataset cannot be used.

use std::path::PathBuf;

/// A dataset that cannot be discovered, opened or described.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing is there.
    #[error("no dataset at '{}': there is no such file or folder", path.display())]
    Missing {
        /// What the user named.
        path: PathBuf,
    },
    /// There is something, but no events.
    #[error(
        "no events at '{}': found {found}; expected a folder with Parquet files, or 'ocsf_events.jsonl'",
        path.display()
    )]
    NoEvents {
        /// What the user named.
        path: PathBuf,
        /// What is there instead.
        found: String,
    },
    /// A pattern that is none.
    #[error("'{}' cannot be used as a pattern: {why}", path.display())]
    Pattern {
        /// What the user named.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file without a byte in it, as left by a writer that was cut off.
    #[error("'{}' is empty (0 bytes): finish writing it, or take it out of the dataset", path.display())]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },
    /// No file that is complete yet.
    #[error("'{}' is not complete ({why}); it is read once it is", path.display())]
    Unfinished {
        /// The first of them.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A file name that DuckDB cannot be told exactly.
    #[error("the file name '{}' cannot be used: {why}; rename it", path.display())]
    FileName {
        /// The file.
        path: PathBuf,
        /// What stands in the way.
        why: &'static str,
    },
    /// The file system refused.
    #[error("'{}' cannot be read: {source}", path.display())]
    Io {
        /// What was being read.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another DuckDB than the one that the plans are made for.
    #[error("DuckDB {running} is loaded, but the plans are made for {supported}: install {supported}")]
    Version {
        /// The library's.
        running: String,
        /// [`super::DUCKDB_VERSION`].
        supported: &'static str,
    },
    /// A dataset without a column that every OCSF event has.
    #[error("the events of '{}' have no usable '{column}': {found}", path.display())]
    RequiredColumn {
        /// What the user named.
        path: PathBuf,
        /// `class_uid` or `time`.
        column: &'static str,
        /// What was found instead.
        found: String,
    },
    /// DuckDB refused.
    #[error("DuckDB: {message}")]
    DuckDb {
        /// What it said.
        message: String,
    },
}

impl From<duckdb::Error> for StoreError {
    fn from(error: duckdb::Error) -> Self {
        Self::DuckDb { message: duckdb_message(error) }
    }
}

/// What DuckDB said, without the binding's own words around it.
pub(super) fn duckdb_message(error: duckdb::Error) -> String {
    match error {
        duckdb::Error::DuckDBFailure(_, Some(message)) => message,
        other => other.to_string(),
    }
}
