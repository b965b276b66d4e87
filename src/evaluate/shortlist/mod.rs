//! Which events may match a rule at all, before DuckDB is asked: one reading of a scope, for all of its rules.
//!
//! Scopes without events are found together ([`scopes`]). Of each rule is taken what must hold of an event that it
//! matches ([`need`]): literals in columns of text. The scope's events are read once ([`reading`]), each value of a column
//! is searched once for all the literals of all the rules ([`search`]). A rule none of whose events can match is answered,
//! once DuckDB has taken its statement ([`binding`]); the few events that may match any of the others are copied to
//! memory, and there DuckDB is asked each rule about its own ([`asking`]). A rule that may match many is left to a scan.
//!
//! All of this spares work and decides nothing that DuckDB would decide otherwise:
//! - A need is necessary: it is built of tests that hold, joined by AND and OR. Under NOT, and of tests that it knows
//!   nothing of, it asks for nothing. Tests are two-valued and false of NULL, so that a value that is not there holds no
//!   literal; of a LIST, and of several columns, any value counts.
//! - Literals and values are folded alike, a character at a time, into what is coarser than case to DuckDB's `lower` and
//!   to its regular expressions. So whatever stands in a value, at its start or at its end, stands there folded, too.
//! - Any event that may match is among the copies, which are made by the view that a scan reads, and DuckDB asks them the
//!   same predicate.
//! - Whatever fails here has spared nothing: the rules are scanned, and that says what is wrong with which.
//!
//! A stream, whose events DuckDB never sees, finds its rules by the same needs (`stream/asker`).
//!
//! Memory: a chunk of events, 8 MiB of remembered values a column, the literals, four bytes for each candidate of each
//! rule, and 64 MiB of copies.

mod asking;
pub(super) mod binding;
pub(crate) mod formula;
pub(crate) mod need;
mod reading;
mod regex;
pub(super) mod scopes;
pub(crate) mod search;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::Cancel;
use super::error::EvalError;
use super::summaries::{Job, Matched};
use crate::bridge::{ColumnType, Plan};
use crate::ocsf::OcsfPath;
use crate::store::Store;
use asking::Asked;
use reading::Candidates;

/// Events that a rule may match; more are left to a scan.
const LIMIT: usize = 128 * 1024;

/// Answers those of the rules of a scope that few events, or none, may match, each once; and gives the others.
pub(super) fn answer<'a>(
    store: &mut Store,
    jobs: Vec<Job<'a>>,
    cancel: &Cancel,
    on_result: &mut dyn FnMut(usize, Result<Matched, EvalError>),
) -> Vec<Job<'a>> {
    let Some(scope) = jobs.first().map(|job| job.sql.scope.clone()) else { return jobs };
    let (alike, mut open) = alike(jobs);
    if !store.has_rows() || scope.trim().is_empty() {
        open.extend(alike);
        return open;
    }
    let mut columns = BTreeMap::new();
    alike.iter().for_each(|job| columns.extend(job.plan.columns.clone()));
    let plans: Vec<&Plan> = alike.iter().map(|job| job.plan).collect();
    // What fails has spared nothing, and whoever has cancelled waits for no answer.
    let mut shortlisted = store
        .narrowed(&columns, |store| shortlisted(store, &scope, &alike, &plans, cancel))
        .unwrap_or_default();
    let mut unasked = Vec::new();
    for (at, job) in alike.into_iter().enumerate() {
        match shortlisted.answers.remove(&at) {
            Some(matched) => on_result(job.index, Ok(matched)),
            None if shortlisted.ruled_out.contains(&at) => unasked.push(job),
            None => open.push(job),
        }
    }
    let (taken, refused) = binding::taken(store, unasked, cancel);
    taken.iter().for_each(|job| on_result(job.index, Ok(Matched::nothing())));
    open.extend(refused);
    open
}

/// What a reading, and what follows from it, says of rules; by place among the jobs.
#[derive(Default)]
struct Shortlisted {
    answers: BTreeMap<usize, Matched>,
    /// Those that no event may match.
    ruled_out: BTreeSet<usize>,
}

fn shortlisted(
    store: &Store,
    scope: &str,
    jobs: &[Job<'_>],
    plans: &[&Plan],
    cancel: &Cancel,
) -> Result<Shortlisted, EvalError> {
    let read = reading::read(store, scope, plans, cancel)?;
    let mut ruled_out = BTreeSet::new();
    let mut asked = Vec::new();
    for (job, candidates) in read.candidates.into_iter().enumerate() {
        match candidates {
            Candidates::Places(places) if places.is_empty() => drop(ruled_out.insert(job)),
            Candidates::Places(places) => asked.push(Asked { job, places }),
            Candidates::Many => {}
        }
    }
    // Those of which nothing is left have their answer, whatever comes of the others.
    let answers = asking::ask(store, scope, jobs, &read.rows, &asked, cancel).unwrap_or_default();
    Ok(Shortlisted { answers, ruled_out })
}

/// Those that agree on the types of their columns, and the rest.
fn alike(jobs: Vec<Job<'_>>) -> (Vec<Job<'_>>, Vec<Job<'_>>) {
    let mut types: BTreeMap<OcsfPath, ColumnType> = BTreeMap::new();
    jobs.into_iter().partition(|job| {
        let columns = &job.plan.columns;
        let agrees = columns.iter().all(|(path, t)| types.get(path).is_none_or(|other| other == t));
        if agrees {
            types.extend(columns.iter().map(|(path, t)| (path.clone(), *t)));
        }
        agrees
    })
}
