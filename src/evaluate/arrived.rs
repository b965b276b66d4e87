//! Which matches of a rule came while the dataset was open, and where one row stands.

use std::collections::BTreeSet;

use super::error::{check_columns, check_types};
use super::matches::order_by;
use super::{Cancel, EvalError, Slice, windows};
use crate::backend::Sql;
use crate::bridge::{CorrelationPlan, Plan};
use crate::store::sql_text::string;
use crate::store::{Later, Store};

/// The ids of `later` events that a plan matches; `limit` of them at most, the latest first.
///
/// # Errors
/// The dataset has a column as another type; DuckDB refuses or fails; nobody waits any more.
pub(crate) fn matches_within(
    store: &mut Store,
    (plan, sql): (&Plan, &Sql),
    later: &Later,
    limit: usize,
    cancel: &Cancel,
) -> Result<BTreeSet<String>, EvalError> {
    check_columns(store, plan)?;
    let text = format!(
        "SELECT \"metadata.event_id\"\nFROM ocsf_events\nWHERE {}\nORDER BY \"time\" DESC NULLS LAST\nLIMIT {limit}",
        sql.predicate
    );
    store.narrowed_to(later, &plan.columns, |store| ids(store, &text, cancel))
}

/// The windows that hold a `later` event, by what [`super::window_table`] calls them.
///
/// # Errors
/// As for [`matches_within`].
pub(crate) fn windows_within(
    store: &mut Store,
    (plan, sql): (&CorrelationPlan, &Sql),
    later: &Later,
    limit: usize,
    cancel: &Cancel,
) -> Result<BTreeSet<String>, EvalError> {
    check_types(store, &plan.columns)?;
    let text = "SELECT \"metadata.event_id\" FROM ocsf_events";
    let arrived = store.narrowed_to(later, &plan.columns, |store| ids(store, text, cancel))?;
    let windows = windows(store, plan, sql, cancel)?;
    let holding =
        windows.iter().rev().filter(|window| window.event_ids.iter().any(|id| arrived.contains(id)));
    Ok(holding.map(super::window_name).take(limit).collect())
}

fn ids(store: &Store, text: &str, cancel: &Cancel) -> Result<BTreeSet<String>, EvalError> {
    Ok(store.select(text, cancel, |row| row.get(0))?.into_iter().collect())
}

/// How many matches of a plan come before the event of an id, in an order; `None` where it is not among them.
///
/// # Errors
/// As for [`matches_within`].
pub(crate) fn row_of(
    store: &mut Store,
    (plan, sql): (&Plan, &Sql),
    slice: Slice,
    id: &str,
    cancel: &Cancel,
) -> Result<Option<usize>, EvalError> {
    check_columns(store, plan)?;
    let found = store.of_scope(&sql.scope, &plan.columns, cancel, |store| -> Result<Vec<usize>, EvalError> {
        let text = format!(
            "SELECT place - 1 FROM (SELECT \"metadata.event_id\" AS id, row_number() OVER (ORDER BY {}) AS place\n\
             FROM ocsf_events\nWHERE {}\n) WHERE id = {} LIMIT 1",
            order_by(store, plan, slice),
            sql.predicate,
            string(id)
        );
        Ok(store.select(&text, cancel, |row| row.get(0))?)
    })?;
    Ok(found.first().copied())
}
