//! Plans by the interpreter: the store hands out events, and every plan of a scope is asked of each.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{EvalError, check_columns, check_types};
use super::events::{StoredEvent, for_each_event};
use super::recorded::{in_order, located_events, located_windows, places};
use super::{Cancel, MatchedEvent, MatchedWindow, Summary, Window};
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
    let mut summaries = vec![Summary::default(); plans.len()];
    let outcomes = for_each_match(store, plans, cancel, &mut |index, stored| {
        if let Some(summary) = summaries.get_mut(index) {
            count(summary, stored.time);
        }
    });
    outcomes.into_iter().zip(summaries).map(|(outcome, summary)| outcome.map(|()| summary)).collect()
}

/// What [`super::recorded_events`] gives, by the interpreter: what each plan matched, in the order given.
pub fn interpreted_events(
    store: &Store,
    plans: &[&Plan],
    cancel: &Cancel,
) -> Vec<Result<Vec<MatchedEvent>, EvalError>> {
    let mut matched: Vec<Vec<(String, Option<i64>)>> = vec![Vec::new(); plans.len()];
    let outcomes = for_each_match(store, plans, cancel, &mut |index, stored| {
        if let Some(events) = matched.get_mut(index) {
            events.push((stored.event_id.clone(), stored.time));
        }
    });
    let ids: BTreeSet<&str> = matched.iter().flatten().map(|(id, _)| id.as_str()).collect();
    match places(store, &ids, cancel) {
        Ok(hosts) => outcomes
            .into_iter()
            .zip(&matched)
            .map(|(outcome, events)| outcome.map(|()| located_events(events.clone(), &hosts)))
            .collect(),
        Err(error) => vec![Err(error); plans.len()],
    }
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

/// What [`super::recorded_windows`] gives, by the interpreter.
///
/// # Errors
/// As for [`interpreted_event_ids`].
pub fn interpreted_matched_windows(
    store: &Store,
    plan: &CorrelationPlan,
    cancel: &Cancel,
) -> Result<Vec<MatchedWindow>, EvalError> {
    let windows = in_order(interpreted_windows(store, plan, cancel)?);
    let ids: BTreeSet<&str> =
        windows.iter().flat_map(|window| &window.event_ids).map(String::as_str).collect();
    let hosts = places(store, &ids, cancel)?;
    Ok(located_windows(windows, &hosts))
}

fn interpreter<'p>(store: &Store, plan: &'p Plan) -> Result<Interpreter<&'p Plan>, EvalError> {
    check_columns(store, plan)?;
    Ok(Interpreter::new(plan)?)
}

/// Calls `visit` with each event that a plan matches and the plan's place in `plans`. Whether each plan ran to its end;
/// of one that did not, what it was said to match counts for nothing.
fn for_each_match(
    store: &Store,
    plans: &[&Plan],
    cancel: &Cancel,
    visit: &mut dyn FnMut(usize, &StoredEvent),
) -> Vec<Result<(), EvalError>> {
    let mut outcomes = vec![Ok(()); plans.len()];
    let mut by_classes: BTreeMap<&[ClassUid], Vec<(usize, Interpreter<&Plan>)>> = BTreeMap::new();
    for (index, (plan, outcome)) in plans.iter().zip(&mut outcomes).enumerate() {
        match interpreter(store, plan) {
            Ok(interpreter) => {
                by_classes.entry(&plan.scope.class_uids).or_default().push((index, interpreter));
            }
            Err(error) => *outcome = Err(error),
        }
    }
    for jobs in by_classes.values() {
        let asked: Vec<&Plan> = jobs.iter().map(|(_, interpreter)| interpreter.plan()).collect();
        let read = for_each_event(store, &asked, cancel, |stored| {
            for (index, interpreter) in jobs {
                if interpreter.matches(&stored.event) {
                    visit(*index, &stored);
                }
            }
        });
        for (index, ..) in jobs {
            if let (Err(error), Some(outcome)) = (&read, outcomes.get_mut(*index)) {
                *outcome = Err(error.clone());
            }
        }
    }
    outcomes
}

fn count(summary: &mut Summary, time: Option<i64>) {
    summary.matches += 1;
    let earliest = [summary.first_seen, time].into_iter().flatten().min();
    let latest = [summary.last_seen, time].into_iter().flatten().max();
    (summary.first_seen, summary.last_seen) = (earliest, latest);
}
