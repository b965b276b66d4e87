//! Detections that are counted and not written: what a batch says of the same events, while they come.
//!
//! Windows that no event has closed yet are counted as they stand. What an engine and a batch may tell differently (a
//! field of another type, an event that comes late) makes a rule *undecided*: its count is for a batch to say.

use std::collections::BTreeMap;

use super::correlate::{Held, TooMuchHeld};
use super::engine::Engine;
use super::event::Rejected;
use super::rules::{Correlation, RuleSet};
use crate::backend::Window;
use crate::bundle::DetectionLines;
use crate::evaluate::{MatchedEvent, MatchedWindow, Summary};
use crate::store::TimeRange;

/// Where detections go.
pub(super) enum Sink<'a> {
    /// Out, as lines without their ends.
    Lines(&'a mut dyn FnMut(&[u8])),
    /// Into counts, by the places of rules.
    Tallies(&'a mut [Tally]),
}

/// What a rule has matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// The matches; of a correlation, the windows that are closed.
    pub(super) summary: Summary,
    /// Whether a batch may say otherwise.
    pub(super) undecided: bool,
    /// Whether that has changed since it was told last.
    pub(super) touched: bool,
}

impl Tally {
    fn add(&mut self, first: Option<i64>, last: Option<i64>) {
        self.summary = self.summary.and(Summary { matches: 1, first_seen: first, last_seen: last });
        self.touched = true;
    }
}

impl Sink<'_> {
    /// An event that a rule matches, with its id and host where they are wanted.
    pub(super) fn event(
        &mut self,
        lines: &BTreeMap<usize, DetectionLines>,
        rule: usize,
        time: Option<i64>,
        named: impl FnOnce() -> (String, Option<String>),
    ) {
        match self {
            Self::Lines(emit) => {
                let Some(lines) = lines.get(&rule) else { return };
                let (event_id, host) = named();
                emit(&lines.event(MatchedEvent { event_id, time, host }));
            }
            Self::Tallies(tallies) => {
                if let Some(tally) = tallies.get_mut(rule) {
                    tally.add(time, time);
                }
            }
        }
    }

    /// A window in which a correlation fires.
    pub(super) fn window(
        &mut self,
        lines: &BTreeMap<usize, DetectionLines>,
        rule: usize,
        found: MatchedWindow,
    ) {
        match self {
            Self::Lines(emit) => {
                if let Some(lines) = lines.get(&rule) {
                    emit(&lines.window(found));
                }
            }
            Self::Tallies(tallies) => {
                if let Some(tally) = tallies.get_mut(rule) {
                    tally.add(Some(found.window.first_seen), Some(found.window.last_seen));
                }
            }
        }
    }

    /// A rule of which a batch may say otherwise.
    pub(super) fn undecided(&mut self, rule: usize) {
        self.mark(rule, |tally| {
            tally.touched |= !tally.undecided;
            tally.undecided = true;
        });
    }

    /// A correlation whose windows may be others now.
    pub(super) fn touched(&mut self, rule: usize) {
        self.mark(rule, |tally| tally.touched = true);
    }

    fn mark(&mut self, rule: usize, mark: impl FnOnce(&mut Tally)) {
        if let Self::Tallies(tallies) = self
            && let Some(tally) = tallies.get_mut(rule)
        {
            mark(tally);
        }
    }
}

/// Events that windows may hold before those that are over are closed: fewer stay open in any order, at little cost.
pub(super) const HELD_OPEN: usize = 4_096;

/// How much later than an event another may come that is older, once windows are closed; milliseconds, as `stream` has it.
const LATENESS: i64 = 10_000;

impl Engine {
    /// An engine that counts, and closes windows by [`Self::relieve`] alone.
    pub(super) fn counting(rules: RuleSet) -> Self {
        Self::with_lateness(rules, None)
    }

    /// Takes the event of a line, where it is within a range of time.
    ///
    /// # Errors
    /// The line is no OCSF event.
    pub(super) fn count(
        &mut self,
        line: &[u8],
        number: u64,
        range: &TimeRange,
        tallies: &mut [Tally],
    ) -> Result<bool, Rejected> {
        self.read(line)?;
        let is_within = range.holds(self.rules.asker.time());
        if is_within {
            self.event(number, &mut Sink::Tallies(tallies));
        }
        Ok(is_within)
    }

    /// Closes the windows that are over, where too much is held.
    pub(super) fn relieve(&mut self, tallies: &mut [Tally]) {
        let held: usize = self.held.iter().flatten().map(Held::len).sum();
        if let Some(latest) = self.latest.filter(|_| held > HELD_OPEN) {
            self.close(latest.saturating_sub(LATENESS).saturating_sub(1), &mut Sink::Tallies(tallies));
        }
    }

    /// The open windows of a correlation, as they stand; of any other rule, none.
    ///
    /// # Errors
    /// There would be too many.
    pub(super) fn open_windows(&self, rule: usize) -> Result<Vec<Window>, TooMuchHeld> {
        let held = self.rules.correlations.iter().zip(&self.held).find(|(of, _)| of.rule == rule);
        match held {
            Some((Correlation { plan, .. }, Ok(held))) => held.open_windows(plan, self.closed),
            Some((_, Err(too_much))) => Err(*too_much),
            None => Ok(Vec::new()),
        }
    }

    /// An engine for rules that were in two others, which have seen the same events and closed the same windows: of each
    /// rule, which of the two, and its place there.
    pub(super) fn joined(rules: RuleSet, others: [&Self; 2], from: &[(usize, usize)]) -> Self {
        let mut joined = Self::counting(rules);
        joined.latest = others.iter().filter_map(|engine| engine.latest).max();
        joined.closed = others.iter().filter_map(|engine| engine.closed).max();
        for (correlation, held) in joined.rules.correlations.iter().zip(&mut joined.held) {
            let Some((engine, place)) = from.get(correlation.rule) else { continue };
            let Some(other) = others.get(*engine) else { continue };
            let mut pairs = other.rules.correlations.iter().zip(&other.held);
            if let Some((_, kept)) = pairs.find(|(of, _)| of.rule == *place) {
                held.clone_from(kept);
            }
        }
        joined
    }
}
