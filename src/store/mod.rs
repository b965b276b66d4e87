//! A dataset: discovery of its files, the dotted view over any layout, the DuckDB session, schema facts.
//!
//! Knows no rule. Everything that talks to DuckDB goes through [`Store`].

mod cancel;
mod dataset;
mod drift;
mod duck_type;
mod error;
mod growing;
mod identity;
mod kept;
#[cfg(test)]
mod lake_tests;
mod partition;
mod pattern;
mod range;
mod rewrite;
mod rows;
mod schema;
mod session;
pub(crate) mod sql_text;
mod view;

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::ocsf::{FieldType, OcsfPath};

pub use cancel::{Cancel, Interrupter};
pub use drift::{Drift, drift_told};
pub use error::StoreError;
pub use growing::Unfinished;
pub(crate) use growing::{Later, Stamp};
pub(crate) use identity::{FileId, Identified, Reading, part};
pub(crate) use pattern::watched;
pub use range::{EmptyRange, TimeRange};
pub(crate) use rewrite::parquet_of_json_lines;
pub(crate) use rows::{Held, PLACE, RowId};
pub(crate) use session::QueryError;
pub use session::{Store, verify_duckdb_version};

/// The DuckDB version that the plans are made for (SUPPORTED_VERSIONS.md).
pub const DUCKDB_VERSION: &str = "v1.5.6";

/// The files of a dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dataset {
    /// What the user named; of a pattern, the folder above its first wildcard.
    pub root: PathBuf,
    /// The event files, in byte order of their paths.
    pub files: Vec<PathBuf>,
    /// How they are written.
    pub format: Format,
    /// Which of their events are read.
    pub range: TimeRange,
}

/// How event files are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Parquet.
    Parquet,
    /// JSON Lines.
    JsonLines,
}

/// What the session is told (specification, "Batch backend").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    /// Threads; 1 unless asked for.
    pub threads: u32,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self { threads: 1 }
    }
}

/// Which column names an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventIdSource {
    /// `metadata.event_id`
    EventId,
    /// `metadata.uid`
    Uid,
    /// File and row number: the dataset has neither.
    RowLocator,
}

impl EventIdSource {
    /// As shown beside the matches.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EventId => "metadata.event_id",
            Self::Uid => "metadata.uid",
            Self::RowLocator => "file and row number",
        }
    }
}

/// What the dataset holds, by dotted path.
#[derive(Clone, Debug)]
pub struct Schema {
    /// Every leaf column of the view that the dataset fills.
    pub columns: BTreeMap<OcsfPath, DatasetColumn>,
    /// Where event ids come from.
    pub event_id: EventIdSource,
    /// The columns that are not stored alike in all files.
    pub drift: Vec<Drift>,
    /// Events in all files, within the dataset's range of time.
    pub events: u64,
}

/// A leaf column of the dataset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetColumn {
    /// Its type, where comparisons know one.
    pub field_type: Option<FieldType>,
    /// Whether it is a LIST.
    pub list: bool,
    /// DuckDB's name of its type, as stored.
    pub stored_as: String,
}
