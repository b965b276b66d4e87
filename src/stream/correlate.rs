//! One correlation while its events pass by: what its windows still hold, and which of them can change no more.
//!
//! A window is known by its last event. It is closed, and fires or not, once no event of its time or before can come any
//! more; what no window to come can hold is forgotten.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::event::LiveEvent;
use crate::backend::Window;
use crate::backend::correlation_oracle::{EventReader, Occurrence, span_ending, window_of};
use crate::backend::interpreter::Value;
use crate::bridge::{CorrelationPlan, Source};

/// What one correlation holds at most, events of all its steps together. Beyond it the correlation is given up, aloud:
/// half a window would be another rule.
pub(super) const MAX_HELD: usize = 1_000_000;

/// A correlation holds more than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its windows hold more than {MAX_HELD} events; shorten its timespan or narrow its rules")]
pub struct TooMuchHeld;

/// What a correlation holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Held {
    /// For each step.
    steps: Vec<StepHeld>,
    /// Of the events that windows may name.
    hosts: Hosts,
}

/// Time and host of events, by id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, (i64, Option<String>)>", into = "BTreeMap<String, (i64, Option<String>)>")]
struct Hosts {
    of_event: BTreeMap<String, (i64, Option<String>)>,
    by_time: BTreeSet<(i64, String)>,
}

impl From<BTreeMap<String, (i64, Option<String>)>> for Hosts {
    fn from(of_event: BTreeMap<String, (i64, Option<String>)>) -> Self {
        let by_time = of_event.iter().map(|(id, (time, _))| (*time, id.clone())).collect();
        Self { of_event, by_time }
    }
}

impl From<Hosts> for BTreeMap<String, (i64, Option<String>)> {
    fn from(hosts: Hosts) -> Self {
        hosts.of_event
    }
}

impl Hosts {
    fn add(&mut self, time: i64, event: &LiveEvent) {
        if !self.of_event.contains_key(&event.id) {
            self.of_event.insert(event.id.clone(), (time, event.host.clone()));
            self.by_time.insert((time, event.id.clone()));
        }
    }

    fn forget_before(&mut self, time: i64) {
        while self.by_time.first().is_some_and(|(first, _)| *first < time) {
            if let Some((_, id)) = self.by_time.pop_first() {
                self.of_event.remove(&id);
            }
        }
    }

    fn of_first(&self, window: &Window) -> Option<String> {
        let seen = window.event_ids.iter().filter_map(|id| Some((self.of_event.get(id)?, id)));
        let first = seen.min_by_key(|((time, _), id)| (*time, *id));
        first.and_then(|((_, host), _)| host.clone())
    }
}

/// The events of a step, by group and time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, from = "Vec<Occurrence>", into = "Vec<Occurrence>")]
struct StepHeld {
    groups: BTreeMap<Vec<String>, BTreeMap<i64, Vec<Occurrence>>>,
    /// Which group has something at which time.
    times: BTreeSet<(i64, Vec<String>)>,
    count: usize,
}

impl From<Vec<Occurrence>> for StepHeld {
    fn from(occurrences: Vec<Occurrence>) -> Self {
        let mut held = Self::default();
        occurrences.into_iter().for_each(|occurrence| held.add(occurrence));
        held
    }
}

impl From<StepHeld> for Vec<Occurrence> {
    fn from(held: StepHeld) -> Self {
        held.groups.into_values().flat_map(BTreeMap::into_values).flatten().collect()
    }
}

impl StepHeld {
    fn add(&mut self, occurrence: Occurrence) {
        self.times.insert((occurrence.time, occurrence.key.clone()));
        let group = self.groups.entry(occurrence.key.clone()).or_default();
        group.entry(occurrence.time).or_default().push(occurrence);
        self.count += 1;
    }

    /// What was last seen before `time`, in any group, is no part of any window to come.
    fn forget_before(&mut self, time: i64) {
        while self.times.first().is_some_and(|(first, _)| *first < time) {
            let Some((first, key)) = self.times.pop_first() else { break };
            let Some(group) = self.groups.get_mut(&key) else { continue };
            self.count -= group.remove(&first).map_or(0, |gone| gone.len());
            if group.is_empty() {
                self.groups.remove(&key);
            }
        }
    }
}

/// A window that fired, and the host of its first event, by time and then id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fired {
    pub(super) window: Window,
    pub(super) host: Option<String>,
}

impl Held {
    pub(super) fn new(plan: &CorrelationPlan) -> Self {
        Self { steps: plan.steps.iter().map(|_| StepHeld::default()).collect(), hosts: Hosts::default() }
    }

    /// Whether this can be what `plan` holds.
    pub(super) fn is_of(&self, plan: &CorrelationPlan) -> bool {
        self.steps.len() == plan.steps.len()
    }

    /// Takes an event that the plan's rule of that number matches.
    pub(super) fn take(
        &mut self,
        plan: &CorrelationPlan,
        rule: usize,
        event: &LiveEvent,
    ) -> Result<(), TooMuchHeld> {
        let reader = EventReader {
            id: &|event: &LiveEvent| event.id.clone(),
            time: &|event| event.time,
            value: &|event, source| event.event.first_value(source).and_then(Value::datum),
        };
        let mut taken = None;
        for (step, held) in plan.steps.iter().zip(&mut self.steps) {
            for (input, described) in step.inputs.iter().enumerate() {
                if described.source == Source::Rule(rule)
                    && let Some(occurrence) = Occurrence::of_event(input, described, event, &reader)
                {
                    taken = Some(occurrence.time);
                    held.add(occurrence);
                }
            }
        }
        if let Some(time) = taken {
            self.hosts.add(time, event);
        }
        self.check()
    }

    /// How many events and windows it holds, those of each step by itself.
    pub(super) fn len(&self) -> usize {
        self.steps.iter().map(|step| step.count).sum()
    }

    /// The windows that end after `closed`, as if no event came any more.
    pub(super) fn open_windows(
        &self,
        plan: &CorrelationPlan,
        closed: Option<i64>,
    ) -> Result<Vec<Window>, TooMuchHeld> {
        if plan.steps.len() == 1 {
            return Ok(self.close_step(plan, 0, closed, i64::MAX));
        }
        // What the windows of one step are to the next is worked out on a copy.
        let fired = self.clone().close(plan, closed, i64::MAX)?;
        Ok(fired.into_iter().map(|fired| fired.window).collect())
    }

    /// Closes all windows that end after `closed` and not after `until`, in the order of their ends, and forgets what
    /// later ones cannot hold.
    pub(super) fn close(
        &mut self,
        plan: &CorrelationPlan,
        closed: Option<i64>,
        until: i64,
    ) -> Result<Vec<Fired>, TooMuchHeld> {
        let mut fired = Vec::new();
        for at in 0..plan.steps.len() {
            fired = self.close_step(plan, at, closed, until);
            for (later, held) in plan.steps.iter().zip(&mut self.steps).skip(at + 1) {
                for (input, described) in later.inputs.iter().enumerate() {
                    if described.source == Source::Step(at) {
                        let windows = fired.iter();
                        windows
                            .filter_map(|window| Occurrence::of_window(input, described, window))
                            .for_each(|occurrence| held.add(occurrence));
                    }
                }
            }
        }
        self.check()?;
        let with_host = |window: Window| Fired { host: self.hosts.of_first(&window), window };
        let fired = fired.into_iter().map(with_host).collect();
        self.forget(plan, until);
        Ok(fired)
    }

    fn close_step(&self, plan: &CorrelationPlan, at: usize, closed: Option<i64>, until: i64) -> Vec<Window> {
        let (Some(step), Some(held)) = (plan.steps.get(at), self.steps.get(at)) else { return Vec::new() };
        let after = closed.map_or(i64::MIN, |closed| closed.saturating_add(1));
        let due = held.times.range((after, Vec::new())..).take_while(|(end, _)| *end <= until);
        let window = |(end, key): &(i64, Vec<String>)| {
            let group = held.groups.get(key)?;
            let members: Vec<&Occurrence> =
                group.range(span_ending(step, *end)).flat_map(|(_, at)| at).collect();
            window_of(step, key, *end, &members)
        };
        due.filter_map(window).collect()
    }

    fn forget(&mut self, plan: &CorrelationPlan, until: i64) {
        let mut reach = 0_i64;
        for (step, held) in plan.steps.iter().zip(&mut self.steps) {
            let timespan = step.timespan.value.milliseconds();
            reach = reach.saturating_add(timespan);
            held.forget_before(until.saturating_add(1).saturating_sub(timespan));
        }
        // A window of windows of windows reaches as far back as all of them together.
        self.hosts.forget_before(until.saturating_sub(reach));
    }

    fn check(&self) -> Result<(), TooMuchHeld> {
        if self.len() > MAX_HELD { Err(TooMuchHeld) } else { Ok(()) }
    }
}
