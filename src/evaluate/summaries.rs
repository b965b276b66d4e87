//! Counts and times of many rules in few scans.

use std::collections::BTreeMap;

use duckdb::Row;

use super::error::{EvalError, check_columns};
use super::shortlist::scopes::Grouped;
use super::{Cancel, Summary, shortlist};
use crate::backend::Sql;
use crate::backend::duckdb_sql::lowered::Lowered;
use crate::bridge::{ColumnType, Plan};
use crate::ocsf::OcsfPath;
use crate::store::{RowId, Store};

/// Rules in one statement. More would save nothing, and DuckDB takes no interrupt while it plans a statement.
const BATCH: usize = 16;

/// Bytes of SQL from which on a statement takes no further rule: what DuckDB looks for in common within a statement
/// costs it more than the square of its size.
pub(super) const BATCH_BYTES: usize = 24 * 1024;

/// Rules of a scope, and bytes of their SQL, from which on a reading for all of them spares more than it costs.
const SHARED: usize = 3;
const SHARED_BYTES: usize = 2 * 1024;

/// What each rule matched, in the order given.
pub fn summaries(
    store: &mut Store,
    rules: &[(&Plan, &Sql)],
    cancel: &Cancel,
) -> Vec<Result<Summary, EvalError>> {
    let results = found(store, rules, cancel);
    results.into_iter().map(|result| result.map(|found| found.summary)).collect()
}

/// As [`summaries`], each answer told as it comes, with its rule's index in `rules`; each exactly once.
pub fn summaries_with(
    store: &mut Store,
    rules: &[(&Plan, &Sql)],
    cancel: &Cancel,
    on_result: &mut dyn FnMut(usize, Result<Summary, EvalError>),
) {
    found_with(store, rules, cancel, &mut |index, result| {
        on_result(index, result.map(|found| found.summary));
    });
}

/// What a rule matched, and which events, where that has been learnt on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matched {
    /// How many, and when.
    pub summary: Summary,
    /// Id and time of each event, in no order; `None` where asking for them takes another statement.
    pub events: Option<Vec<(String, Option<i64>)>>,
}

/// What a rule matched, and where the events lie, where that has been learnt on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) summary: Summary,
    pub(super) rows: Option<Vec<RowId>>,
}

impl Found {
    /// That no event matched.
    pub(super) fn nothing() -> Self {
        Self { summary: Summary::default(), rows: Some(Vec::new()) }
    }
}

/// What each rule matched, in the order given.
pub fn matched(
    store: &mut Store,
    rules: &[(&Plan, &Sql)],
    cancel: &Cancel,
) -> Vec<Result<Matched, EvalError>> {
    let found = found(store, rules, cancel);
    let rows: Vec<RowId> =
        found.iter().flatten().flat_map(|found| found.rows.iter().flatten().copied()).collect();
    // Without names, each rule's own statement gives its events.
    let named: Option<Vec<_>> = match rows.is_empty() {
        true => Some(Vec::new()),
        false => named(store, &rows, cancel).ok(),
    };
    let mut names = named.map(Vec::into_iter);
    let mut events = |rows: Option<Vec<RowId>>| {
        let rows = rows?;
        names.as_mut().map(|names| names.by_ref().take(rows.len()).collect())
    };
    let mut with_events = |Found { summary, rows }: Found| Matched { summary, events: events(rows) };
    found.into_iter().map(|found| found.map(&mut with_events)).collect()
}

/// One reading for the names of all events.
fn named(
    store: &mut Store,
    rows: &[RowId],
    cancel: &Cancel,
) -> Result<Vec<(String, Option<i64>)>, EvalError> {
    store.narrowed(&BTreeMap::new(), |store| Ok(store.named(rows, cancel)?))
}

fn found(store: &mut Store, rules: &[(&Plan, &Sql)], cancel: &Cancel) -> Vec<Result<Found, EvalError>> {
    let mut results = vec![Err(EvalError::Cancelled); rules.len()];
    found_with(store, rules, cancel, &mut |index, result| {
        if let Some(slot) = results.get_mut(index) {
            *slot = result;
        }
    });
    results
}

/// What each rule matched, told as it comes, with its rule's index in `rules`; each exactly once.
///
/// The events of a scope, or of several, are read once for all their rules, to find those that may match at all
/// ([`shortlist`]); the rules that it leaves share scans. Where a shared scan fails, its rules run one by one, so that only those at fault have an
/// error.
fn found_with(
    store: &mut Store,
    rules: &[(&Plan, &Sql)],
    cancel: &Cancel,
    on_result: &mut dyn FnMut(usize, Result<Found, EvalError>),
) {
    let mut by_scope: BTreeMap<&str, Vec<Job<'_>>> = BTreeMap::new();
    for (index, (plan, sql)) in rules.iter().enumerate() {
        match check_columns(store, plan) {
            Ok(()) => by_scope.entry(&sql.scope).or_default().push(Job { index, plan, sql }),
            Err(error) => on_result(index, Err(error)),
        }
    }
    let Grouped { without_events, together } = shortlist::scopes::grouped(store, by_scope, cancel);
    let (taken, open) = shortlist::binding::taken(store, without_events, cancel);
    taken.iter().for_each(|job| on_result(job.index, Ok(Found::nothing())));
    run(store, open, cancel, on_result);
    for jobs in together {
        let is_shared = jobs.len() >= SHARED || is_worth_reading(store, &jobs);
        let open = if is_shared { shortlist::answer(store, jobs, cancel, on_result) } else { jobs };
        run(store, open, cancel, on_result);
    }
}

/// Whether events are read to spare what few rules would cost; not where they are in memory.
fn is_worth_reading(store: &Store, jobs: &[Job<'_>]) -> bool {
    let size: usize = jobs.iter().map(|job| job.sql.predicate.len()).sum();
    size >= SHARED_BYTES && !jobs.iter().all(|job| store.keeps(&job.sql.scope, &job.plan.columns))
}

/// A rule to run.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub(super) index: usize,
    pub(super) plan: &'a Plan,
    pub(super) sql: &'a Sql,
}

/// Rules of one scope that agree on the types of their columns.
#[derive(Default)]
pub(super) struct Batch<'a> {
    pub(super) jobs: Vec<Job<'a>>,
    pub(super) columns: BTreeMap<OcsfPath, ColumnType>,
}

impl Batch<'_> {
    fn takes(&self, job: &Job<'_>) -> bool {
        let agrees = |(path, t)| self.columns.get(path).is_none_or(|other| other == t);
        let size: usize = self.jobs.iter().map(|job| job.sql.predicate.len()).sum();
        self.jobs.iter().all(|other| other.sql.scope == job.sql.scope)
            && self.jobs.len() < BATCH
            && size < BATCH_BYTES
            && job.plan.columns.iter().all(agrees)
    }
}

/// In the order given.
pub(super) fn batches(jobs: Vec<Job<'_>>) -> Vec<Batch<'_>> {
    let mut batches: Vec<Batch<'_>> = Vec::new();
    for job in jobs {
        if !batches.last().is_some_and(|batch| batch.takes(&job)) {
            batches.push(Batch::default());
        }
        if let Some(batch) = batches.last_mut() {
            batch.columns.extend(job.plan.columns.iter().map(|(path, t)| (path.clone(), *t)));
            batch.jobs.push(job);
        }
    }
    batches
}

/// Rules in shared scans.
fn run(
    store: &mut Store,
    jobs: Vec<Job<'_>>,
    cancel: &Cancel,
    on_result: &mut dyn FnMut(usize, Result<Found, EvalError>),
) {
    for batch in batches(jobs) {
        run_batch(store, &batch, cancel, &mut |index, result| {
            on_result(index, result.map(|summary| Found { summary, rows: None }));
        });
    }
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
    if cancel.is_cancelled() {
        return Err(EvalError::Cancelled);
    }
    let predicates: Vec<&str> = jobs.iter().map(|job| job.sql.predicate.as_str()).collect();
    let sql = counting(&predicates, &[], &first.sql.scope);
    let rows = store.of_kept(&first.sql.scope, columns, |store| -> Result<_, EvalError> {
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
    let lowered = Lowered::of(predicates);
    // The line break ends a comment that the predicate may end in.
    let columns =
        lowered.predicates.iter().zip(0..).map(|(predicate, at)| format!("({predicate}\n) AS p{at}"));
    format!(
        "SELECT\n  {}\nFROM (SELECT \"time\",\n{}\nFROM {})",
        aggregates.chain(further.iter().cloned()).collect::<Vec<_>>().join(",\n  "),
        columns.collect::<Vec<_>>().join(",\n"),
        lowered.source(scope_or_all(scope))
    )
}

pub(super) fn scope_or_all(scope: &str) -> &str {
    if scope.trim().is_empty() { "true" } else { scope }
}

/// Reads what [`counting`] asks for, of the predicate whose figures begin at a column.
pub(super) fn summary_at(row: &Row<'_>, at: usize) -> duckdb::Result<Summary> {
    Ok(Summary { matches: row.get(at)?, first_seen: row.get(at + 1)?, last_seen: row.get(at + 2)? })
}
