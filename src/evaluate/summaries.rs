//! Counts and times of many rules in few scans.

use std::collections::BTreeMap;

use duckdb::Row;

use super::error::{EvalError, check_columns};
use super::{Cancel, Summary};
use crate::backend::Sql;
use crate::bridge::{ColumnType, Plan};
use crate::ocsf::OcsfPath;
use crate::store::Store;

/// Rules in one statement. More would save nothing, and DuckDB takes no interrupt while it plans a statement.
const BATCH: usize = 16;

/// What each rule matched, in the order given.
pub fn summaries(
    store: &mut Store,
    rules: &[(&Plan, &Sql)],
    cancel: &Cancel,
) -> Vec<Result<Summary, EvalError>> {
    let mut results = vec![Err(EvalError::Cancelled); rules.len()];
    summaries_with(store, rules, cancel, &mut |index, result| {
        if let Some(slot) = results.get_mut(index) {
            *slot = result;
        }
    });
    results
}

/// As [`summaries`], each answer told as it comes, with its rule's index in `rules`; each exactly once.
///
/// Rules of one scope share scans. Where a shared scan fails, its rules run one by one, so that only those
/// at fault have an error.
pub fn summaries_with(
    store: &mut Store,
    rules: &[(&Plan, &Sql)],
    cancel: &Cancel,
    on_result: &mut dyn FnMut(usize, Result<Summary, EvalError>),
) {
    let mut sound = Vec::new();
    for (index, (plan, sql)) in rules.iter().enumerate() {
        match check_columns(store, &plan.columns) {
            Ok(()) => sound.push(Job { index, plan, sql }),
            Err(error) => on_result(index, Err(error)),
        }
    }
    // All at once, as each new column makes the view anew.
    let all = sound.iter().flat_map(|job| job.plan.columns.iter().map(|(path, t)| (path.clone(), *t)));
    let all: BTreeMap<_, _> = all.collect();
    if let Err(error) = store.ensure_columns(&all) {
        let error = EvalError::from(error);
        sound.iter().for_each(|job| on_result(job.index, Err(error.clone())));
        return;
    }
    for batch in batches(sound) {
        run_batch(store, &batch, cancel, on_result);
    }
}

#[derive(Clone, Copy)]
struct Job<'a> {
    index: usize,
    plan: &'a Plan,
    sql: &'a Sql,
}

/// Rules of one scope that agree on the types of their columns.
#[derive(Default)]
struct Batch<'a> {
    jobs: Vec<Job<'a>>,
    columns: BTreeMap<OcsfPath, ColumnType>,
}

impl Batch<'_> {
    fn takes(&self, plan: &Plan) -> bool {
        let agrees = |(path, t)| self.columns.get(path).is_none_or(|other| other == t);
        self.jobs.len() < BATCH && plan.columns.iter().all(agrees)
    }
}

/// By scope in byte order, within a scope in the order given.
fn batches(jobs: Vec<Job<'_>>) -> Vec<Batch<'_>> {
    let mut by_scope: BTreeMap<&str, Vec<Batch<'_>>> = BTreeMap::new();
    for job in jobs {
        let open = by_scope.entry(&job.sql.scope).or_default();
        if !open.last().is_some_and(|batch| batch.takes(job.plan)) {
            open.push(Batch::default());
        }
        if let Some(batch) = open.last_mut() {
            batch.columns.extend(job.plan.columns.iter().map(|(path, t)| (path.clone(), *t)));
            batch.jobs.push(job);
        }
    }
    by_scope.into_values().flatten().collect()
}

fn run_batch(
    store: &mut Store,
    batch: &Batch<'_>,
    cancel: &Cancel,
    on_result: &mut dyn FnMut(usize, Result<Summary, EvalError>),
) {
    let outcome = scan(store, &batch.columns, &batch.jobs, cancel);
    match outcome {
        Ok(found) => {
            batch.jobs.iter().zip(found).for_each(|(job, summary)| on_result(job.index, Ok(summary)))
        }
        Err(error) if batch.jobs.len() == 1 || error == EvalError::Cancelled => {
            batch.jobs.iter().for_each(|job| on_result(job.index, Err(error.clone())));
        }
        Err(_) => {
            for job in &batch.jobs {
                let alone = scan(store, &batch.columns, std::slice::from_ref(job), cancel);
                on_result(job.index, alone.map(|found| found.into_iter().next().unwrap_or_default()));
            }
        }
    }
}

/// One statement over one scope: for each rule its count and its times.
fn scan(
    store: &mut Store,
    columns: &BTreeMap<OcsfPath, ColumnType>,
    jobs: &[Job<'_>],
    cancel: &Cancel,
) -> Result<Vec<Summary>, EvalError> {
    let Some(first) = jobs.first() else { return Ok(Vec::new()) };
    store.ensure_columns(columns)?;
    let aggregates: Vec<_> = jobs.iter().map(|job| aggregates(&job.sql.predicate)).collect();
    let sql = format!(
        "SELECT\n  {}\nFROM ocsf_events\nWHERE {}",
        aggregates.join(",\n  "),
        scope_or_all(&first.sql.scope)
    );
    let rows = store.select(&sql, cancel, |row| (0..jobs.len()).map(|n| summary_at(row, n * 3)).collect())?;
    Ok(rows.into_iter().next().unwrap_or_default())
}

/// Count, first and last time of the events that satisfy a predicate.
pub(super) fn aggregates(predicate: &str) -> String {
    // CASE and not FILTER: DuckDB computes what the three, and the other rules' predicates, have in common
    // once, but each FILTER anew, which takes two to three times as long. The line break ends a comment
    // that the predicate may end in.
    let of = |value: &str| format!("CASE WHEN {predicate}\n THEN {value} END");
    format!("count({}), min({}), max({})", of("1"), of("\"time\""), of("\"time\""))
}

pub(super) fn scope_or_all(scope: &str) -> &str {
    if scope.trim().is_empty() { "true" } else { scope }
}

/// Reads what [`aggregates`] asks for.
pub(super) fn summary_at(row: &Row<'_>, at: usize) -> duckdb::Result<Summary> {
    Ok(Summary { matches: row.get(at)?, first_seen: row.get(at + 1)?, last_seen: row.get(at + 2)? })
}
