//! Which events may match a rule at all, before DuckDB is asked: one reading of a scope, for all of its rules.
//!
//! Scopes without events are found together, and of the others those that are read at once ([`scopes`]). Of each rule is taken what must hold of an event that it
//! matches ([`need`]): literals in columns of text, or their absence. The events are read once ([`reading`]), each
//! value of a column is searched once for all the literals of all the rules ([`search`], [`literals`]). A rule none of whose events can
//! match is answered, once DuckDB has taken its statement ([`binding`]). Of the others, events that agree in all columns
//! that a rule reads are one group ([`groups`]); one of each is held in memory, and there DuckDB is asked each rule about
//! its own ([`asking`]). A rule that may match too many groups is left to a scan.
//!
//! All of this spares work and decides nothing that DuckDB would decide otherwise:
//! - A need is necessary: it is built of tests that hold, joined by AND and OR. Of tests that it knows nothing of, it asks
//!   for nothing. Tests are two-valued and false of NULL, so that a value that is not there holds no literal; of a LIST,
//!   and of several columns, any value counts.
//! - Literals and values are folded alike, a character at a time, into what is coarser than case to DuckDB's `lower` and
//!   to its regular expressions. So whatever stands in a value, at its start or at its end, stands there folded, too.
//! - Under NOT, a literal rules an event out only where finding it is what DuckDB's test says: of ASCII text without case.
//! - A predicate is a function of the columns that it reads, and of the class. Values are compared byte by byte, numbers
//!   by value; what is neither text, whole number nor boolean is never taken for equal.
//! - What is held is what the view gave, under its types and names, and DuckDB asks it the same predicate. A column that
//!   is not held is not there, so that no predicate can read another in its stead.
//! - Whatever fails here has spared nothing: the rules are scanned, and that says what is wrong with which.
//!
//! A stream, whose events DuckDB never sees, finds its rules by the same needs (`stream/asker`).
//!
//! Memory: a chunk of events, 8 MiB of remembered values a column, the literals, up to 96 MiB of groups, and up to 128 MiB of
//! events, while DuckDB takes them over twice.

mod asking;
pub(super) mod binding;
mod cells;
pub(crate) mod formula;
mod groups;
mod literals;
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
use super::summaries::{Found, Job};
use crate::backend::Sql;
use crate::bridge::ir::Test;
use crate::bridge::{ColumnType, Plan};
use crate::ocsf::OcsfPath;
use crate::store::{RowId, Store};
use groups::Room;
use reading::Candidates;

/// Groups of events that a rule may match; more are left to a scan.
const LIMIT: usize = 64 * 1024;

/// Searches of text from which on a rule that is asked alone is worth a reading.
const WIDE: usize = 64;

/// Groups of a shape. One rule that many may match leaves room for the others.
const SHAPE_LIMIT: usize = 4 * LIMIT;

/// Answers those of the rules that few events of their scopes, or none, may match, each once; and gives the others.
pub(super) fn answer<'a>(
    store: &mut Store,
    jobs: Vec<Job<'a>>,
    cancel: &Cancel,
    on_result: &mut dyn FnMut(usize, Result<Found, EvalError>),
) -> Vec<Job<'a>> {
    if !store.has_rows() || jobs.iter().any(|job| job.sql.scope.trim().is_empty()) {
        return jobs;
    }
    let (alike, mut open) = alike(jobs);
    let mut columns = BTreeMap::new();
    alike.iter().for_each(|job| columns.extend(job.plan.columns.clone()));
    // What fails has spared nothing, and whoever has cancelled waits for no answer.
    let mut shortlisted =
        store.narrowed(&columns, |store| shortlisted(store, &alike, cancel)).unwrap_or_default();
    let mut unasked = Vec::new();
    for (at, job) in alike.into_iter().enumerate() {
        match shortlisted.answers.remove(&at) {
            Some(found) => on_result(job.index, Ok(found)),
            None if shortlisted.ruled_out.contains(&at) => unasked.push(job),
            None => open.push(job),
        }
    }
    let (taken, refused) = binding::taken(store, unasked, cancel);
    taken.iter().for_each(|job| on_result(job.index, Ok(Found::nothing())));
    open.extend(refused);
    open
}

/// What one rule matched, and how many events are in its scope.
pub(super) struct Alone {
    pub(super) in_scope: u64,
    pub(super) rows: Vec<RowId>,
}

/// Whether a rule searches texts so often that a reading answers it sooner than a scan, which searches a text anew for each
/// literal.
pub(super) fn is_wide(plan: &Plan) -> bool {
    let mut searches = 0;
    plan.predicate.visit_predicates(&mut |predicate| {
        searches +=
            usize::from(matches!(predicate.test, Test::Text { .. } | Test::Pattern { .. } | Test::Regex(_)));
    });
    searches >= WIDE
}

/// Answers one rule; `None` where it is left to a scan. Within [`Store::narrowed`], as the last that is done there.
pub(super) fn alone(store: &Store, (plan, sql): (&Plan, &Sql), cancel: &Cancel) -> Option<Alone> {
    if !store.has_rows() || sql.scope.trim().is_empty() {
        return None;
    }
    let jobs = [Job { index: 0, plan, sql }];
    let read = reading::read(store, &[(&sql.scope, plan)], Room::default(), cancel).ok()?;
    // Of a rule that no event of the dataset may match, none was looked at.
    let in_scope = Some(read.passed).filter(|passed| *passed > 0)?;
    let (_, candidates) = read.rules.first()?;
    let rows = match *candidates == Candidates::Groups(Vec::new()) {
        true => binding::bind(store, &jobs, cancel).ok().map(|()| Vec::new())?,
        false => asking::ask(store, &jobs, read, cancel).ok()?.remove(&0)?.rows?,
    };
    Some(Alone { in_scope, rows })
}

/// What a reading, and what follows from it, says of rules; by place among the jobs.
#[derive(Default)]
struct Shortlisted {
    answers: BTreeMap<usize, Found>,
    /// Those that no event may match.
    ruled_out: BTreeSet<usize>,
}

fn shortlisted(store: &Store, jobs: &[Job<'_>], cancel: &Cancel) -> Result<Shortlisted, EvalError> {
    let rules: Vec<(&str, &Plan)> = jobs.iter().map(|job| (job.sql.scope.as_str(), job.plan)).collect();
    let read = reading::read(store, &rules, Room::default(), cancel)?;
    let is_ruled_out = |(_, candidates): &(usize, Candidates)| *candidates == Candidates::Groups(Vec::new());
    let ruled_out =
        (0..).zip(&read.rules).filter(|(_, rule)| is_ruled_out(rule)).map(|(job, _)| job).collect();
    // Those of which nothing is left have their answer, whatever comes of the others.
    let answers = asking::ask(store, jobs, read, cancel).unwrap_or_default();
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
