//! Which events may match a rule at all, before DuckDB is asked: one reading of a scope, for all of its rules.
//!
//! Of each rule is taken what must hold of an event that it matches ([`need`]): literals in columns of text. The scope's
//! events are read once ([`reading`]), each value of a column is searched once for all the literals of all the rules
//! ([`search`]). A rule none of whose events can match is answered; the few events that may match any of the others are
//! copied to memory, and there DuckDB is asked each rule about its own ([`asking`]). A rule that may match many is left
//! to a scan.
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
//! Memory: a chunk of events, 8 MiB of remembered values a column, the literals, and the copies ([`LIMIT`]).

mod asking;
mod need;
mod reading;
mod regex;
mod search;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;

use std::collections::BTreeMap;

use super::error::EvalError;
use super::summaries::{Job, Matched};
use super::{Cancel, Summary};
use crate::bridge::{ColumnType, Plan};
use crate::ocsf::OcsfPath;
use crate::store::Store;

/// Events that a rule may match; more are left to a scan.
const LIMIT: usize = 16 * 1024;

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
    let mut answers: Vec<Option<Matched>> = vec![None; alike.len()];
    // Whatever fails, the answers that there are stand.
    let _ = store.narrowed(&columns, |store| -> Result<(), EvalError> {
        let read = reading::read(store, &scope, &plans, cancel)?;
        let mut asked = Vec::new();
        for (at, candidates) in read.candidates.into_iter().enumerate() {
            match candidates {
                reading::Candidates::Places(places) if places.is_empty() => {
                    if let Some(answer) = answers.get_mut(at) {
                        *answer = Some(Matched { summary: Summary::default(), events: Some(Vec::new()) });
                    }
                }
                reading::Candidates::Places(places) => asked.push((at, places)),
                reading::Candidates::Many => {}
            }
        }
        asking::ask(store, &scope, &alike, &read.rows, asked, cancel, &mut |at, matched| {
            if let Some(answer) = answers.get_mut(at) {
                *answer = Some(matched);
            }
        })
    });
    for (job, answer) in alike.into_iter().zip(answers) {
        match answer {
            Some(matched) => on_result(job.index, Ok(matched)),
            None => open.push(job),
        }
    }
    open
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
