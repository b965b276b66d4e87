//! The windows in which one correlation fires.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use duckdb::Row;
use duckdb::types::Value;

use super::error::{EvalError, check_types};
use super::histogram::Histogram;
use super::slice::{Order, Slice, SortKey};
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
    store.narrowed(columns, |store| Ok(store.select(statement, cancel, |row| window(row, keys))?))
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

/// Windows as a table: a row is a window at the time of its last event, with its group and how many events it
/// holds, named by the ids of these.
#[must_use]
pub fn window_table(plan: &CorrelationPlan, windows: &[Window], slice: Slice) -> MatchTable {
    let keys = plan.steps.last().map_or(&[][..], |step| &step.keys);
    let named = keys.iter().map(|key| OcsfPath(key.name.0.clone()));
    let slice = slice.within(windows.len() as u64);
    MatchTable {
        summary: correlation_summary(windows),
        in_scope: None,
        columns: named.chain([OcsfPath("events".to_owned())]).collect(),
        first: slice.first,
        rows: window_rows(windows, slice),
        absent: Vec::new(),
        histogram: Histogram::of_times(windows.iter().map(|window| window.last_seen)),
    }
}

/// A slice of windows as rows of that table.
#[must_use]
pub fn window_rows(windows: &[Window], slice: Slice) -> Vec<MatchRow> {
    in_order(windows, slice.order).into_iter().skip(slice.first).take(slice.limit).map(row).collect()
}

/// Windows as rows are sorted.
pub(super) fn in_order(windows: &[Window], order: Order) -> Vec<&Window> {
    let mut sorted: Vec<&Window> = windows.iter().collect();
    sorted.sort_by(|a, b| by_key(order, a, b));
    sorted
}

/// As rows of events are sorted: what is missing comes last either way.
fn by_key(order: Order, a: &Window, b: &Window) -> Ordering {
    let directed = |found: Ordering| if order.descending { found.reverse() } else { found };
    let found = match order.key {
        SortKey::Time => directed(a.last_seen.cmp(&b.last_seen)),
        SortKey::Host => Ordering::Equal,
        SortKey::EventId => directed(a.event_ids.cmp(&b.event_ids)),
        SortKey::Column(at) => match (a.group.get(at), b.group.get(at)) {
            (Some(Some(a)), Some(Some(b))) => directed(a.cmp(b)),
            (Some(a), Some(b)) => a.is_none().cmp(&b.is_none()),
            _ => directed(a.event_ids.len().cmp(&b.event_ids.len())),
        },
    };
    found.then_with(|| a.cmp(b))
}

fn row(window: &Window) -> MatchRow {
    MatchRow {
        event_id: window_name(window),
        time: Some(window.last_seen),
        host: None,
        values: window.group.iter().cloned().chain([Some(window.event_ids.len().to_string())]).collect(),
    }
}

/// What a row of [`window_table`] calls a window: the ids of its events.
#[must_use]
pub fn window_name(window: &Window) -> String {
    window.event_ids.join(", ")
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
