//! The events that one rule matches.

use duckdb::Row;

use super::error::{EvalError, check_columns};
use super::histogram::Histogram;
use super::located::{self, Located};
use super::slice::{Slice, SortKey};
use super::summaries::{counting, summary_at};
use super::{Cancel, MatchRow, MatchTable, Summary, shortlist};
use crate::backend::Sql;
use crate::bridge::Plan;
use crate::ocsf::{FieldType, OcsfPath};
use crate::store::Store;
use crate::store::sql_text::identifier;

/// Longest value shown, in bytes.
const VALUE_LIMIT: usize = 4096;

/// What a plan matches: how many, when, and a slice of the rows with the columns that it shows.
///
/// # Errors
/// The dataset has a column as another type; DuckDB refuses or fails; nobody waits any more.
pub fn matches(
    store: &mut Store,
    plan: &Plan,
    sql: &Sql,
    slice: Slice,
    cancel: &Cancel,
) -> Result<MatchTable, EvalError> {
    check_columns(store, plan)?;
    let rule = (plan, sql);
    let (in_scope, summary, histogram, slice, rows) =
        located(store, rule, slice, cancel, |store, located| -> Result<_, EvalError> {
            let (in_scope, summary, histogram) = match &located {
                Some(located) => (located.in_scope, located.summary, located.histogram.clone()),
                None => totals(store, sql, cancel)?,
            };
            // As many as there are may have become fewer.
            let slice = slice.within(summary.matches);
            let rows = rows(store, rule, located, slice, cancel)?;
            Ok((in_scope, summary, histogram, slice, rows))
        })?;
    let lacks = |path: &&OcsfPath| store.schema().column(path).is_none();
    let absent = plan.columns.keys().filter(lacks).cloned().collect();
    Ok(MatchTable {
        summary,
        in_scope: Some(in_scope),
        columns: plan.shown.clone(),
        first: slice.first,
        rows,
        absent,
        histogram,
    })
}

/// Another slice of what [`matches()`] has counted.
///
/// # Errors
/// As for [`matches()`].
pub fn match_rows(
    store: &mut Store,
    plan: &Plan,
    sql: &Sql,
    slice: Slice,
    cancel: &Cancel,
) -> Result<Vec<MatchRow>, EvalError> {
    check_columns(store, plan)?;
    let rule = (plan, sql);
    located(store, rule, slice, cancel, |store, located| rows(store, rule, located, slice, cancel))
}

/// The ids of all events that a plan matches, in byte order.
///
/// # Errors
/// As for [`matches()`].
pub fn event_ids(
    store: &mut Store,
    plan: &Plan,
    sql: &Sql,
    cancel: &Cancel,
) -> Result<Vec<String>, EvalError> {
    check_columns(store, plan)?;
    let mut ids = store.narrowed(&plan.columns, |store| -> Result<_, EvalError> {
        Ok(store.select(&sql.text, cancel, |row| row.get::<_, String>(0))?)
    })?;
    ids.sort_unstable();
    Ok(ids)
}

/// Events in scope, and in the same scan what of them matches and when.
fn totals(store: &Store, sql: &Sql, cancel: &Cancel) -> Result<(u64, Summary, Histogram), EvalError> {
    let text = counting(&[&sql.predicate, "true"], &[Histogram::aggregate("p0")], &sql.scope);
    let found = store.select(&text, cancel, |row| {
        Ok((row.get(3)?, summary_at(row, 0)?, Histogram::of_aggregate(&row.get(6)?)))
    })?;
    Ok(found.into_iter().next().unwrap_or_default())
}

/// Does `work` with the matches by where they lie, or `None` where a slice is not read by that.
fn located<T>(
    store: &mut Store,
    (plan, sql): (&Plan, &Sql),
    slice: Slice,
    cancel: &Cancel,
    work: impl FnOnce(&Store, Option<Located>) -> Result<T, EvalError>,
) -> Result<T, EvalError> {
    let (scope, columns, by_place) = (&sql.scope, &plan.columns, located::is_for(store, slice));
    let shortlisted = match by_place && shortlist::is_wide(plan) {
        true => store.of_scope(scope, columns, cancel, |store| -> Result<_, EvalError> {
            Ok(shortlist::alone(store, (plan, sql), cancel))
        })?,
        false => None,
    };
    match shortlisted {
        Some(found) => store.of_kept(scope, columns, |store| {
            let located = Located::of(store, &found, slice, cancel)?;
            work(store, located)
        }),
        None => store.of_scope(scope, columns, cancel, |store| {
            let located = if by_place { located::locate(store, sql, slice, cancel)? } else { None };
            work(store, located)
        }),
    }
}

/// The rows of a slice from where they lie, where that is known, else as DuckDB sorts them.
fn rows(
    store: &Store,
    (plan, sql): (&Plan, &Sql),
    located: Option<Located>,
    slice: Slice,
    cancel: &Cancel,
) -> Result<Vec<MatchRow>, EvalError> {
    if slice.limit == 0 {
        return Ok(Vec::new());
    }
    let rows = located.map(|located| located.rows(store, plan, slice, cancel)).transpose()?.flatten();
    rows.map_or_else(|| sorted(store, plan, sql, slice, cancel), Ok)
}

fn sorted(
    store: &Store,
    plan: &Plan,
    sql: &Sql,
    slice: Slice,
    cancel: &Cancel,
) -> Result<Vec<MatchRow>, EvalError> {
    let text = format!(
        "SELECT {}\nFROM ocsf_events\nWHERE {}\nORDER BY {}\nLIMIT {} OFFSET {}",
        shown(store, plan).join(", "),
        sql.predicate,
        order_by(store, plan, slice),
        slice.limit,
        slice.first
    );
    Ok(store.select(&text, cancel, |row| match_row(row, plan.shown.len()))?)
}

/// The columns of a row, which [`match_row`] reads.
pub(super) fn shown(store: &Store, plan: &Plan) -> Vec<String> {
    let named = ["\"metadata.event_id\"".to_owned(), "\"time\"".to_owned(), host(store)];
    named.into_iter().chain(plan.shown.iter().map(|path| limited(&as_text(store, plan, path)))).collect()
}

/// What rows are sorted by: numbers by size, text by its bytes, NULL last either way. Equal ones, and all that is not
/// asked for, by time and then event id.
pub(super) fn order_by(store: &Store, plan: &Plan, slice: Slice) -> String {
    let direction = if slice.order.descending { "DESC" } else { "ASC" };
    let key = match slice.order.key {
        SortKey::Time => Some("\"time\"".to_owned()),
        SortKey::Host => Some(host(store)),
        SortKey::EventId => Some("\"metadata.event_id\"".to_owned()),
        SortKey::Column(at) => {
            plan.shown.get(at).filter(|path| is_column(store, plan, path)).map(|p| identifier(&p.0))
        }
    };
    let key = key.map(|key| format!("{key} {direction} NULLS LAST, ")).unwrap_or_default();
    format!("{key}\"time\" NULLS LAST, \"metadata.event_id\"")
}

/// Whether the view has the column, filled or as NULL.
fn is_column(store: &Store, plan: &Plan, path: &OcsfPath) -> bool {
    store.schema().column(path).is_some() || plan.columns.contains_key(path)
}

pub(super) fn match_row(row: &Row<'_>, shown: usize) -> duckdb::Result<MatchRow> {
    let values = (3..3 + shown).map(|at| Ok(row.get::<_, Option<String>>(at)?.map(shorten)));
    Ok(MatchRow {
        event_id: row.get(0)?,
        time: row.get(1)?,
        host: row.get::<_, Option<String>>(2)?.map(shorten),
        values: values.collect::<duckdb::Result<_>>()?,
    })
}

pub(crate) fn shorten(mut value: String) -> String {
    if value.len() > VALUE_LIMIT {
        let ellipsis = '…';
        let end = (0..=VALUE_LIMIT - ellipsis.len_utf8()).rev().find(|at| value.is_char_boundary(*at));
        value.truncate(end.unwrap_or(0));
        value.push(ellipsis);
    }
    value
}

/// The host of an event as SQL: `device.hostname`, else `device.name`; NULL where the dataset has neither.
pub(crate) fn host(store: &Store) -> String {
    let is_text = |path: &&&str| {
        let column = store.schema().column(&OcsfPath((**path).to_owned()));
        column.is_some_and(|c| c.field_type == Some(FieldType::String) && !c.list)
    };
    let named: Vec<_> =
        ["device.hostname", "device.name"].iter().filter(is_text).map(|path| identifier(path)).collect();
    let alternatives = if named.is_empty() { "NULL".to_owned() } else { named.join(", ") };
    limited(&format!("CAST(coalesce({alternatives}, NULL) AS VARCHAR)"))
}

/// A column as text, a list in brackets; NULL for one that the view does not have.
pub(super) fn as_text(store: &Store, plan: &Plan, path: &OcsfPath) -> String {
    let name = identifier(&path.0);
    let list = match (store.schema().column(path), plan.columns.get(path)) {
        (Some(column), _) => column.list,
        (None, Some(expected)) => expected.list,
        (None, None) => return "CAST(NULL AS VARCHAR)".to_owned(),
    };
    if list {
        let elements =
            format!("list_transform(CAST({name} AS VARCHAR[]), lambda value: coalesce(value, 'NULL'))");
        format!("'[' || array_to_string({elements}, ', ') || ']'")
    } else {
        format!("CAST({name} AS VARCHAR)")
    }
}

/// Spares the way from DuckDB what would be cut off.
fn limited(text: &str) -> String {
    format!("left({text}, {})", VALUE_LIMIT + 1)
}

#[cfg(test)]
#[path = "matches_tests.rs"]
mod tests;
