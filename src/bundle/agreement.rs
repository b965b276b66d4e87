//! Whether a job found what DuckDB finds, rule by rule.

use std::collections::BTreeMap;

use super::detection::Found;
use super::write::{Ran, counted, of_job};
use super::{JobResult, RunInputs};
use crate::backend::CompiledRule;
use crate::bridge::ReasonCode;
use crate::evaluate::{self, Cancel, EvalError};
use crate::store::Store;

/// What the job says of a rule beside what DuckDB says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// So many detections, the same in number, ids, order, times and hosts.
    Same(u64),
    /// Others.
    Other {
        /// How many the job gave.
        job: u64,
        /// How many DuckDB gives.
        duckdb: u64,
    },
    /// The job's backend refuses the rule, and DuckDB runs it.
    Refused(ReasonCode),
    /// One of the two failed, with this message.
    Failed(String),
}

/// What of each rule that DuckDB runs and reports, by its place. `job` is what the job was made from, `compiled` the same
/// rules for DuckDB.
///
/// # Errors
/// Nobody waits any more.
pub fn agreements(
    job: &RunInputs<'_>,
    result: &JobResult,
    compiled: &[CompiledRule],
    store: &mut Store,
    cancel: &Cancel,
) -> Result<BTreeMap<usize, Agreement>, EvalError> {
    let mut by_job = of_job(result, store, job);
    let mut agreements = BTreeMap::new();
    for (index, outcome) in counted(store, compiled, cancel) {
        let Some(rule) = compiled.get(index) else { continue };
        let by_duckdb = match outcome {
            Ok(Ran::Found(found)) => Ok(found),
            Ok(Ran::Unread) => found(store, rule, cancel),
            Err(error) => Err(error),
        };
        if cancel.is_cancelled() {
            return Err(EvalError::Cancelled);
        }
        let refused = job.compiled.get(index).and_then(|rule| rule.compilation.reason());
        let agreement = match (by_job.remove(&index), by_duckdb, refused) {
            (_, _, Some(reason)) => Agreement::Refused(reason),
            (Some(Err(error)), _, None) | (_, Err(error), None) => Agreement::Failed(error.to_string()),
            (Some(Ok(Ran::Found(job))), Ok(duckdb), None) if job == duckdb => Agreement::Same(count(&job)),
            (job, Ok(duckdb), None) => Agreement::Other {
                job: job.map_or(0, |job| if let Ok(Ran::Found(job)) = job { count(&job) } else { 0 }),
                duckdb: count(&duckdb),
            },
        };
        agreements.insert(index, agreement);
    }
    Ok(agreements)
}

/// What a rule's own statement finds.
fn found(store: &mut Store, rule: &CompiledRule, cancel: &Cancel) -> Result<Found, EvalError> {
    let Some(sql) = &rule.sql else { return Ok(Found::NOTHING) };
    match (&rule.compilation.plan, &rule.compilation.correlation) {
        (Some(plan), _) => {
            evaluate::recorded_events(store, &plan.columns, &sql.text, cancel).map(Found::Events)
        }
        (None, Some(plan)) => {
            let keys = plan.steps.last().map_or(0, |step| step.keys.len());
            evaluate::recorded_windows(store, &plan.columns, keys, &sql.text, cancel).map(Found::Windows)
        }
        (None, None) => Ok(Found::NOTHING),
    }
}

fn count(found: &Found) -> u64 {
    match found {
        Found::Events(events) => events.len() as u64,
        Found::Windows(windows) => windows.len() as u64,
    }
}
