//! Plans by the interpreter: the store hands out events, and every plan of a scope is asked of each.

use std::collections::BTreeMap;

use super::error::{EvalError, check_columns, check_types};
use super::events::{StoredEvent, for_each_event};
use super::{Cancel, Summary, Window};
use crate::backend::correlation_oracle::{self, EventReader};
use crate::backend::interpreter::{Interpreter, Value};
use crate::bridge::{CorrelationPlan, Plan};
use crate::ocsf::ClassUid;
use crate::store::Store;

/// What [`super::summaries`] gives, by the interpreter: what each plan matched, in the order given. Plans of the
/// same classes share one reading of the events.
pub fn interpreted_summaries(
    store: &Store,
    plans: &[&Plan],
    cancel: &Cancel,
) -> Vec<Result<Summary, EvalError>> {
    let mut results = vec![Err(EvalError::Cancelled); plans.len()];
    let mut by_classes: BTreeMap<&[ClassUid], Vec<Job<'_>>> = BTreeMap::new();
    for (plan, result) in plans.iter().zip(&mut results) {
        match interpreter(store, plan) {
            Ok(interpreter) => {
                let jobs = by_classes.entry(&plan.scope.class_uids).or_default();
                jobs.push(Job { plan, interpreter, result });
            }
            Err(error) => *result = Err(error),
        }
    }
    for jobs in by_classes.values_mut() {
        summarize(store, jobs, cancel);
    }
    results
}

/// What [`super::event_ids`] gives, by the interpreter: the ids of all events that a plan matches, in byte order.
///
/// # Errors
/// The dataset has a column as another type; the plan cannot be interpreted; the events cannot be read; nobody
/// waits any more.
pub fn interpreted_event_ids(store: &Store, plan: &Plan, cancel: &Cancel) -> Result<Vec<String>, EvalError> {
    let interpreter = interpreter(store, plan)?;
    let mut ids = Vec::new();
    for_each_event(store, &[plan], cancel, |stored| {
        if interpreter.matches(&stored.event) {
            ids.push(stored.event_id);
        }
    })?;
    ids.sort_unstable();
    Ok(ids)
}

/// What [`super::windows()`] gives, by the interpreter: every window in which a correlation fires.
///
/// # Errors
/// As for [`interpreted_event_ids`].
pub fn interpreted_windows(
    store: &Store,
    plan: &CorrelationPlan,
    cancel: &Cancel,
) -> Result<Vec<Window>, EvalError> {
    check_types(store, &plan.columns)?;
    let mut matched: Vec<Vec<StoredEvent>> = Vec::new();
    for rule in &plan.rules {
        // Its events are read with the columns that the correlation looks at.
        let mut wider = rule.plan.clone();
        wider.columns.extend(plan.columns.iter().map(|(path, column)| (path.clone(), *column)));
        let interpreter = interpreter(store, &rule.plan)?;
        let mut events = Vec::new();
        for_each_event(store, &[&wider], cancel, |stored| {
            if interpreter.matches(&stored.event) {
                events.push(stored);
            }
        })?;
        matched.push(events);
    }
    let reader = EventReader {
        id: &|stored: &StoredEvent| stored.event_id.clone(),
        time: &|stored| stored.time,
        value: &|stored, source| stored.event.first_value(source).and_then(Value::datum),
    };
    let mut windows = correlation_oracle::windows(plan, &matched, &reader);
    windows.sort_unstable();
    Ok(windows)
}

struct Job<'a> {
    plan: &'a Plan,
    interpreter: Interpreter<&'a Plan>,
    result: &'a mut Result<Summary, EvalError>,
}

fn interpreter<'p>(store: &Store, plan: &'p Plan) -> Result<Interpreter<&'p Plan>, EvalError> {
    check_columns(store, plan)?;
    Ok(Interpreter::new(plan)?)
}

fn summarize(store: &Store, jobs: &mut [Job<'_>], cancel: &Cancel) {
    let plans: Vec<&Plan> = jobs.iter().map(|job| job.plan).collect();
    let mut summaries = vec![Summary::default(); jobs.len()];
    let outcome = for_each_event(store, &plans, cancel, |stored| {
        for (job, summary) in jobs.iter().zip(&mut summaries) {
            if job.interpreter.matches(&stored.event) {
                count(summary, stored.time);
            }
        }
    });
    for (job, summary) in jobs.iter_mut().zip(summaries) {
        *job.result = outcome.clone().map(|()| summary);
    }
}

fn count(summary: &mut Summary, time: Option<i64>) {
    summary.matches += 1;
    let earliest = [summary.first_seen, time].into_iter().flatten().min();
    let latest = [summary.last_seen, time].into_iter().flatten().max();
    (summary.first_seen, summary.last_seen) = (earliest, latest);
}
