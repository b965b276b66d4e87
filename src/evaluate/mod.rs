//! Plans over a store: counts for many rules, rows for one.
//!
//! Knows plans, their SQL and the store; neither rules nor packs, and no screen.

pub(crate) mod answers;
mod arrived;
mod error;
mod event_tree;
mod events;
mod export;
mod finding;
mod histogram;
mod interpreted;
mod located;
mod matches;
mod parts;
mod recorded;
mod runnable;
pub(crate) mod shortlist;
mod slice;
mod summaries;
mod version;
mod whole;
mod window_events;
mod windows;
mod windows_file;

use crate::ocsf::OcsfPath;

pub use crate::backend::Window;
pub use crate::store::Cancel;
pub(crate) use arrived::{matches_within, row_of, windows_within};
pub use error::EvalError;
pub(crate) use error::check_types;
pub use event_tree::whole_event;
pub use export::{Export, ExportError, ExportFormat};
pub use finding::codes;
pub use histogram::Histogram;
pub use interpreted::{
    interpreted_event_ids, interpreted_events, interpreted_matched_windows, interpreted_summaries,
    interpreted_windows,
};
pub use matches::{event_ids, match_rows, matches};
pub(crate) use matches::{host, shorten};
pub use parts::{MatchedParts, matched_parts, satisfied_places};
pub use recorded::{MatchedEvent, MatchedWindow, known_events, recorded_events, recorded_windows};
pub use runnable::Runnable;
pub use slice::{Order, Slice, SortKey};
pub use summaries::{Matched, matched, summaries, summaries_with};
pub(crate) use version::DATASET_OCSF_VERSION;
pub use version::version_mismatch;
pub use whole::{WholeEvent, all_event_ids, whole_events};
pub use window_events::{WindowEvent, window_events};
pub use windows::{correlation_summary, window_name, window_rows, window_table, windows};

/// What a rule matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Events that match.
    pub matches: u64,
    /// The earliest `time` among them, milliseconds since 1970, UTC.
    pub first_seen: Option<i64>,
    /// The latest.
    pub last_seen: Option<i64>,
}

impl Summary {
    /// What is matched of two sets of events that have none in common.
    #[must_use]
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            matches: self.matches.saturating_add(other.matches),
            first_seen: self.first_seen.into_iter().chain(other.first_seen).min(),
            last_seen: self.last_seen.max(other.last_seen),
        }
    }
}

/// Matches of one rule, as a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MatchTable {
    /// How many there are in all, and when.
    pub summary: Summary,
    /// Events in the rule's routed scope; `None` for a correlation, which has a scope for each of its rules.
    pub in_scope: Option<u64>,
    /// The columns after time and event id: those that the rule uses; the group keys of a correlation.
    pub columns: Vec<OcsfPath>,
    /// How many rows come before `rows`.
    pub first: usize,
    /// The slice that was asked for, in the order that was asked for.
    pub rows: Vec<MatchRow>,
    /// Columns of the plan that the dataset does not have.
    pub absent: Vec<OcsfPath>,
    /// When the matches are.
    pub histogram: Histogram,
}

/// One matching event. Its texts come from the data as they are, control characters included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchRow {
    /// Its id.
    pub event_id: String,
    /// Its `time`, milliseconds since 1970, UTC.
    pub time: Option<i64>,
    /// Its host: `device.hostname`, else `device.name`.
    pub host: Option<String>,
    /// The values of the columns, as text; `None` for NULL. Past 4 KiB they end in `…`.
    pub values: Vec<Option<String>>,
}

/// What came of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It matched at least one event.
    Matched,
    /// It ran, and matched none.
    NoMatch,
    /// There is no plan, or DuckDB refused it.
    NonExecutable,
    /// There is a plan, and no dataset to run it on.
    NotRun,
}

impl Verdict {
    /// As reports write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::NoMatch => "no_match",
            Self::NonExecutable => "non_executable",
            Self::NotRun => "not_run",
        }
    }
}

impl From<&Summary> for Verdict {
    fn from(summary: &Summary) -> Self {
        if summary.matches > 0 { Self::Matched } else { Self::NoMatch }
    }
}

#[cfg(test)]
mod windows_tests;
