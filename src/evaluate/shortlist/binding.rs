//! Rules that are answered without their events are shown to DuckDB all the same.
//!
//! DuckDB refuses some statements that the bridge writes: a regular expression can be too large for it. Such a rule is not
//! executable, whatever the events are, and "no match" would be a wrong answer. DuckDB compiles the constants of a
//! statement when it binds it, so that it need not run; and only those that could be too large need be there.

use std::collections::BTreeSet;

use super::super::summaries::{Job, batches};
use super::super::{Cancel, EvalError};
use crate::backend::duckdb_sql::pieces::large_expressions;
use crate::store::Store;

/// Bytes of a predicate from which on it is shown as it is. Its depth is bounded by that of YAML and conditions; of a
/// limit to its width nothing is known.
const WIDE: usize = 512 * 1024;

/// Tests in one statement.
const BATCH: usize = 64;

/// Those that DuckDB takes, and those of which it is not known: they are to be asked alone.
pub(in super::super) fn taken<'a>(
    store: &mut Store,
    jobs: Vec<Job<'a>>,
    cancel: &Cancel,
) -> (Vec<Job<'a>>, Vec<Job<'a>>) {
    let (wide, others): (Vec<_>, Vec<_>) = jobs.into_iter().partition(|job| job.sql.predicate.len() >= WIDE);
    let large: Vec<BTreeSet<String>> =
        others.iter().map(|job| large_expressions(&job.plan.predicate)).collect();
    let distinct: BTreeSet<&String> = large.iter().flatten().collect();
    let distinct: Vec<&str> = distinct.into_iter().map(String::as_str).collect();
    let refused: BTreeSet<&str> =
        distinct.chunks(BATCH).filter(|tests| !takes(store, tests, cancel)).flatten().copied().collect();
    let mut taken = Vec::new();
    let mut open = Vec::new();
    for (job, large) in others.into_iter().zip(&large) {
        let is_refused = large.iter().any(|test| refused.contains(test.as_str()));
        if is_refused { &mut open } else { &mut taken }.push(job);
    }
    for batch in batches(wide) {
        let bound = store.narrowed(&batch.columns, |store| bind(store, &batch.jobs, cancel));
        if bound.is_ok() { &mut taken } else { &mut open }.extend(batch.jobs);
    }
    (taken, open)
}

/// Whether DuckDB takes all of these tests of a text.
fn takes(store: &Store, tests: &[&str], cancel: &Cancel) -> bool {
    let sql = format!("SELECT {} FROM (SELECT '' AS x)", tests.join(",\n"));
    store.bind(&sql, cancel).is_ok()
}

/// An error where DuckDB refuses one of them.
pub(super) fn bind(store: &Store, jobs: &[Job<'_>], cancel: &Cancel) -> Result<(), EvalError> {
    // The line break ends a comment that the predicate may end in.
    let predicates: Vec<String> = jobs.iter().map(|job| format!("({}\n)", job.sql.predicate)).collect();
    let sql = format!("SELECT {} FROM ocsf_events WHERE false", predicates.join(",\n"));
    Ok(store.bind(&sql, cancel)?)
}
