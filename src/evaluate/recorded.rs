//! Statements as plans record them, with the columns they count on: what a bundle runs, and what an auditor runs anew.

use std::collections::BTreeMap;

use super::error::{EvalError, check_types};
use super::{Cancel, Window, windows};
use crate::bridge::ColumnType;
use crate::ocsf::OcsfPath;
use crate::store::Store;

/// An event that a rule matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchedEvent {
    /// Its id.
    pub event_id: String,
    /// Its `time`, milliseconds since 1970, UTC.
    pub time: Option<i64>,
}

/// Every event that the statement of an event rule yields, by time (those without one last) and then id.
///
/// # Errors
/// The dataset has a column as another type; DuckDB refuses or fails; nobody waits any more.
pub fn recorded_events(
    store: &mut Store,
    columns: &BTreeMap<OcsfPath, ColumnType>,
    statement: &str,
    cancel: &Cancel,
) -> Result<Vec<MatchedEvent>, EvalError> {
    check_types(store, columns)?;
    store.ensure_columns(columns)?;
    let mut events = store
        .select(statement, cancel, |row| Ok(MatchedEvent { event_id: row.get(0)?, time: row.get(1)? }))?;
    events.sort_unstable_by(|one, other| {
        let key = |event: &MatchedEvent| (event.time.is_none(), event.time);
        key(one).cmp(&key(other)).then_with(|| one.event_id.cmp(&other.event_id))
    });
    Ok(events)
}

/// Every window that the statement of a correlation yields, grouped by `keys` values; by the time of its first event,
/// then of its last, then its ids.
///
/// # Errors
/// As for [`recorded_events`].
pub fn recorded_windows(
    store: &mut Store,
    columns: &BTreeMap<OcsfPath, ColumnType>,
    keys: usize,
    statement: &str,
    cancel: &Cancel,
) -> Result<Vec<Window>, EvalError> {
    let mut found = windows::of_statement(store, columns, keys, statement, cancel)?;
    found.sort_unstable_by(|one, other| {
        let key = |window: &Window| (window.first_seen, window.last_seen);
        key(one)
            .cmp(&key(other))
            .then_with(|| one.event_ids.cmp(&other.event_ids))
            .then_with(|| one.group.cmp(&other.group))
    });
    Ok(found)
}
