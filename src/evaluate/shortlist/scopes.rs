//! Scopes without events: one reading of what routes tells for all of them.

use std::collections::{BTreeMap, BTreeSet};

use super::super::summaries::Job;
use super::super::{Cancel, EvalError};
use crate::store::Store;
use crate::store::sql_text::identifier;

/// Scopes up to which each is read by itself.
const FEW: usize = 3;

/// The scopes that hold no event; none where they cannot be asked about together.
pub(in super::super) fn empty<'a>(
    store: &mut Store,
    by_scope: &BTreeMap<&'a str, Vec<Job<'a>>>,
    cancel: &Cancel,
) -> BTreeSet<&'a str> {
    let scopes: Vec<(&'a str, &Job<'a>)> = by_scope
        .iter()
        .filter_map(|(scope, jobs)| Some((*scope, jobs.first()?)))
        .filter(|(scope, _)| !scope.trim().is_empty())
        .collect();
    if scopes.len() < FEW {
        return BTreeSet::new();
    }
    let mut columns = BTreeMap::new();
    for (_, job) in &scopes {
        for filter in &job.plan.scope.filters {
            if let Some(column_type) = job.plan.columns.get(&filter.path) {
                columns.insert(filter.path.clone(), *column_type);
            }
        }
    }
    let counts: Vec<String> =
        scopes.iter().map(|(scope, _)| format!("count(CASE WHEN {scope}\n THEN 1 END)")).collect();
    // Events are many, but what routes tell them by is nearly always the same.
    let mut told: Vec<String> = columns.keys().map(|path| identifier(path.as_str())).collect();
    if !columns.keys().any(|path| path.as_str().eq_ignore_ascii_case("class_uid")) {
        told.push(identifier("class_uid"));
    }
    let sql =
        format!("SELECT {} FROM (SELECT DISTINCT {} FROM ocsf_events)", counts.join(",\n"), told.join(", "));
    let counted = store.narrowed(&columns, |store| -> Result<_, EvalError> {
        let row = |row: &duckdb::Row<'_>| (0..scopes.len()).map(|at| row.get::<_, u64>(at)).collect();
        Ok(store.select(&sql, cancel, row)?)
    });
    let counts: Vec<u64> = counted.unwrap_or_default().into_iter().next().unwrap_or_default();
    let empty = scopes.iter().zip(counts).filter(|(_, count)| *count == 0);
    empty.map(|((scope, _), _)| *scope).collect()
}
