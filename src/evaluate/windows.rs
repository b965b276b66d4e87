//! The windows in which one correlation fires.

use std::collections::BTreeMap;

use duckdb::Row;
use duckdb::types::Value;

use super::error::{EvalError, check_types};
use super::{Cancel, MatchRow, MatchTable, Summary, Window};
use crate::backend::Sql;
use crate::bridge::{ColumnType, CorrelationPlan};
use crate::ocsf::OcsfPath;
use crate::store::Store;

/// Every window in which a correlation fires, by the time of its last event and then by group.
///
/// # Errors
/// The dataset has a column as another type; DuckDB refuses or fails; nobody waits any more.
pub fn windows(
    store: &mut Store,
    plan: &CorrelationPlan,
    sql: &Sql,
    cancel: &Cancel,
) -> Result<Vec<Window>, EvalError> {
    let keys = plan.steps.last().map_or(0, |step| step.keys.len());
    let mut windows = of_statement(store, &plan.columns, keys, &sql.text, cancel)?;
    windows.sort_unstable();
    Ok(windows)
}

/// The windows that a statement yields, in no order, each with as many group values as there are `keys`.
pub(super) fn of_statement(
    store: &mut Store,
    columns: &BTreeMap<OcsfPath, ColumnType>,
    keys: usize,
    statement: &str,
    cancel: &Cancel,
) -> Result<Vec<Window>, EvalError> {
    check_types(store, columns)?;
    store.ensure_columns(columns)?;
    Ok(store.select(statement, cancel, |row| window(row, keys))?)
}

fn window(row: &Row<'_>, keys: usize) -> duckdb::Result<Window> {
    let group = (0..keys).map(|at| row.get(at)).collect::<duckdb::Result<_>>()?;
    let mut event_ids = texts(row.get(keys + 2)?);
    event_ids.sort_unstable();
    Ok(Window { group, first_seen: row.get(keys)?, last_seen: row.get(keys + 1)?, event_ids })
}

fn texts(value: Value) -> Vec<String> {
    let Value::List(items) = value else { return Vec::new() };
    items
        .into_iter()
        .filter_map(|item| if let Value::Text(text) = item { Some(text) } else { None })
        .collect()
}

/// The first `limit` windows as a table: a row is a window at the time of its last event, with its group and how
/// many events it holds, named by the ids of these.
#[must_use]
pub fn window_table(plan: &CorrelationPlan, windows: &[Window], limit: usize) -> MatchTable {
    let keys = plan.steps.last().map_or(&[][..], |step| &step.keys);
    let named = keys.iter().map(|key| OcsfPath(key.name.0.clone()));
    let row = |window: &Window| MatchRow {
        event_id: window.event_ids.join(", "),
        time: Some(window.last_seen),
        host: None,
        values: window.group.iter().cloned().chain([Some(window.event_ids.len().to_string())]).collect(),
    };
    MatchTable {
        summary: correlation_summary(windows),
        in_scope: None,
        columns: named.chain([OcsfPath("events".to_owned())]).collect(),
        rows: windows.iter().take(limit).map(row).collect(),
        absent: Vec::new(),
    }
}

/// What a correlation matched: a match is a window.
#[must_use]
pub fn correlation_summary(windows: &[Window]) -> Summary {
    Summary {
        matches: windows.len() as u64,
        first_seen: windows.iter().map(|window| window.first_seen).min(),
        last_seen: windows.iter().map(|window| window.last_seen).max(),
    }
}
