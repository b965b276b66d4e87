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

/// Bytes of SQL from which on a statement takes no further rule: what DuckDB looks for in common within a statement
/// costs it more than the square of its size.
const BATCH_BYTES: usize = 24 * 1024;

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
        match check_columns(store, plan) {
            Ok(()) => sound.push(Job { index, plan, sql }),
            Err(error) => on_result(index, Err(error)),
        }
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
        let size: usize = self.jobs.iter().map(|job| job.sql.predicate.len()).sum();
        self.jobs.len() < BATCH && size < BATCH_BYTES && plan.columns.iter().all(agrees)
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
    let predicates: Vec<&str> = jobs.iter().map(|job| job.sql.predicate.as_str()).collect();
    let sql = counting(&predicates, &[], &first.sql.scope);
    let rows = store.narrowed(columns, |store| -> Result<_, EvalError> {
        Ok(store.select(&sql, cancel, |row| (0..jobs.len()).map(|n| summary_at(row, n * 3)).collect())?)
    })?;
    Ok(rows.into_iter().next().unwrap_or_default())
}

/// For each predicate, count, first and last time of the events of a scope that satisfy it; then further aggregates,
/// over `"time"` and what the predicates say: `p0`, `p1`, ….
///
/// Each predicate stands in the statement once: DuckDB looks for what expressions have in common, and with a copy for
/// each of the three, planning a large predicate takes it longer than running it.
pub(super) fn counting(predicates: &[&str], further: &[String], scope: &str) -> String {
    let holds = |at: usize, value: &str| format!("CASE WHEN p{at} THEN {value} END");
    let aggregates = (0..predicates.len()).map(|at| {
        let (one, time) = (holds(at, "1"), holds(at, "\"time\""));
        format!("count({one}), min({time}), max({time})")
    });
    // The line break ends a comment that the predicate may end in.
    let columns = predicates.iter().enumerate().map(|(at, predicate)| format!("({predicate}\n) AS p{at}"));
    format!(
        "SELECT\n  {}\nFROM (SELECT \"time\",\n{}\nFROM ocsf_events\nWHERE {})",
        aggregates.chain(further.iter().cloned()).collect::<Vec<_>>().join(",\n  "),
        columns.collect::<Vec<_>>().join(",\n"),
        scope_or_all(scope)
    )
}

fn scope_or_all(scope: &str) -> &str {
    if scope.trim().is_empty() { "true" } else { scope }
}

/// Reads what [`counting`] asks for, of the predicate whose figures begin at a column.
pub(super) fn summary_at(row: &Row<'_>, at: usize) -> duckdb::Result<Summary> {
    Ok(Summary { matches: row.get(at)?, first_seen: row.get(at + 1)?, last_seen: row.get(at + 2)? })
}
