//! The events of one window: when and where each was, and which of the correlation's rules it matches.

use super::error::{EvalError, check_types};
use super::matches::{host, shorten};
use super::{Cancel, Window};
use crate::backend::duckdb_sql;
use crate::bridge::CorrelationPlan;
use crate::store::Store;
use crate::store::sql_text::string;

/// An event of a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowEvent {
    /// Its id.
    pub event_id: String,
    /// Its `time`, milliseconds since 1970, UTC.
    pub time: Option<i64>,
    /// Its host: `device.hostname`, else `device.name`.
    pub host: Option<String>,
    /// The rules of the correlation that it matches, by their places in [`CorrelationPlan::rules`].
    pub rules: Vec<usize>,
}

/// The first `limit` events of a window, by time and then id. One that the dataset no longer has is left out.
///
/// # Errors
/// The dataset has a column as another type; DuckDB refuses or fails; nobody waits any more.
pub fn window_events(
    store: &mut Store,
    plan: &CorrelationPlan,
    window: &Window,
    limit: usize,
    cancel: &Cancel,
) -> Result<Vec<WindowEvent>, EvalError> {
    check_types(store, &plan.columns)?;
    let asked = plan.rules.iter().map(|rule| {
        let predicate = duckdb_sql::emit(&rule.plan).predicate;
        format!(",\ncoalesce(({predicate}), false)")
    });
    let asked: String = asked.collect();
    let ids: Vec<String> = window.event_ids.iter().map(|id| string(id)).collect();
    store.narrowed(&plan.columns, |store| {
        // The times spare DuckDB the files and row groups of other times.
        let text = format!(
            "SELECT \"metadata.event_id\", \"time\", {}{asked}\nFROM ocsf_events\n\
             WHERE \"time\" BETWEEN {} AND {} AND \"metadata.event_id\" IN ({})\n\
             ORDER BY \"time\", \"metadata.event_id\"\nLIMIT {limit}",
            host(store),
            window.first_seen,
            window.last_seen,
            ids.join(", ")
        );
        let found = store.select(&text, cancel, |row| {
            let mut rules = Vec::new();
            for at in 0..plan.rules.len() {
                if row.get(3 + at)? {
                    rules.push(at);
                }
            }
            let host = row.get::<_, Option<String>>(2)?.map(shorten);
            Ok(WindowEvent { event_id: row.get(0)?, time: row.get(1)?, host, rules })
        })?;
        Ok(found)
    })
}
