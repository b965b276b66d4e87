//! Rules that are answered without their events are shown to DuckDB all the same.
//!
//! DuckDB refuses some statements that the bridge writes: a regular expression can be too large for it. Such a rule is not
//! executable, whatever the events are, and "no match" would be a wrong answer. DuckDB compiles the constants of a
//! statement when it binds it, so that it need not run.

use super::super::summaries::{BATCH_BYTES, Job, batches};
use super::super::{Cancel, EvalError};
use crate::store::Store;

/// Those that DuckDB takes, and those of which it is not known: they are to be asked alone.
pub(in super::super) fn taken<'a>(
    store: &mut Store,
    jobs: Vec<Job<'a>>,
    cancel: &Cancel,
) -> (Vec<Job<'a>>, Vec<Job<'a>>) {
    let (doubtful, mut taken): (Vec<_>, Vec<_>) = jobs.into_iter().partition(in_doubt);
    let mut open = Vec::new();
    for batch in batches(doubtful) {
        let bound = store.narrowed(&batch.columns, |store| bind(store, &batch.jobs, cancel));
        if bound.is_ok() { &mut taken } else { &mut open }.extend(batch.jobs);
    }
    (taken, open)
}

/// Whether DuckDB compiles something of a predicate that may be large compiled, which takes a counted repetition, or
/// the predicate itself is large enough for any limit to be near.
fn in_doubt(job: &Job<'_>) -> bool {
    let predicate = &job.sql.predicate;
    predicate.len() >= BATCH_BYTES || (predicate.contains("regexp_") && predicate.contains('{'))
}

/// An error where DuckDB refuses one of them.
fn bind(store: &Store, jobs: &[Job<'_>], cancel: &Cancel) -> Result<(), EvalError> {
    // The line break ends a comment that the predicate may end in.
    let predicates: Vec<String> = jobs.iter().map(|job| format!("({}\n)", job.sql.predicate)).collect();
    let sql = format!("SELECT {} FROM ocsf_events WHERE false", predicates.join(",\n"));
    Ok(store.bind(&sql, cancel)?)
}
