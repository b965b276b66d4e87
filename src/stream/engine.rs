//! Events in, detections out.

use std::collections::BTreeMap;

use super::checkpoint::{CorrelationState, EngineState};
use super::correlate::{Fired, Held, TooMuchHeld};
use super::counting::Sink;
use super::event::{self, Clash, Rejected};
use super::rules::RuleSet;
use crate::backend::interpreter::Field;
use crate::bridge::ColumnType;
use crate::evaluate::MatchedWindow;
use crate::ocsf::OcsfPath;

/// What an engine has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Events that rules were asked of.
    pub events: u64,
    /// Lines that were none.
    pub rejected: u64,
    /// Events of another version of OCSF, of which no rule was asked.
    pub other_version: u64,
    /// Events that came after the windows of their time were closed: their rules matched, their correlations did not see them.
    pub late: u64,
    /// How often a rule was not asked of an event, by what stood in the way.
    pub unasked: BTreeMap<Clash, u64>,
    /// Detections.
    pub detections: u64,
}

/// Rules, and what they remember of the events that they have seen.
#[derive(Debug)]
pub struct Engine {
    pub(super) rules: RuleSet,
    /// For each correlation; none for one that held too much.
    pub(super) held: Vec<Result<Held, TooMuchHeld>>,
    /// How much later than an event another may come that is older, milliseconds; `None` where windows close only
    /// when they are told to.
    lateness: Option<i64>,
    /// The latest time of any event.
    pub(super) latest: Option<i64>,
    /// Windows that end here or before are closed.
    pub(super) closed: Option<i64>,
    figures: Figures,
    /// The rules that the event at hand matches.
    matched: Vec<usize>,
}

impl Engine {
    /// An engine that has seen nothing. An event may come `lateness` milliseconds of event time after a later one and
    /// still be part of windows.
    #[must_use]
    pub fn new(rules: RuleSet, lateness: u32) -> Self {
        Self::with_lateness(rules, Some(lateness.into()))
    }

    pub(super) fn with_lateness(rules: RuleSet, lateness: Option<i64>) -> Self {
        let held = rules.correlations.iter().map(|correlation| Ok(Held::new(&correlation.plan))).collect();
        Self {
            rules,
            held,
            lateness,
            latest: None,
            closed: None,
            figures: Figures::default(),
            matched: Vec::new(),
        }
    }

    /// Goes on with other rules. Correlations whose plan is the same keep what they hold; the others begin anew.
    pub fn change_rules(&mut self, rules: RuleSet) {
        let state = self.state();
        self.held = rules.correlations.iter().map(|correlation| Ok(Held::new(&correlation.plan))).collect();
        self.rules = rules;
        self.restore(state);
    }

    /// What it has seen.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// The rules.
    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// The correlations that held too much and are given up, by title.
    pub fn given_up(&self) -> impl Iterator<Item = (&str, TooMuchHeld)> {
        let pairs = self.rules.correlations.iter().zip(&self.held);
        pairs.filter_map(|(correlation, held)| {
            Some((correlation.title.as_str(), held.as_ref().err().copied()?))
        })
    }

    /// Takes a line of JSON, the input's line of that number, and emits what its event gives, each as a line
    /// without its end.
    ///
    /// # Errors
    /// The line is no OCSF event. It is counted, and nothing else has changed.
    pub fn line(&mut self, line: &[u8], number: u64, emit: &mut dyn FnMut(&[u8])) -> Result<(), Rejected> {
        self.read(line)?;
        self.event(number, &mut Sink::Lines(emit));
        Ok(())
    }

    /// Reads the event of a line.
    pub(super) fn read(&mut self, line: &[u8]) -> Result<(), Rejected> {
        self.rules.asker.read(line).inspect_err(|rejected| match rejected {
            Rejected::Version(_) => self.figures.other_version += 1,
            _ => self.figures.rejected += 1,
        })
    }

    /// Counts a line that could not even be read.
    pub fn reject(&mut self) {
        self.figures.rejected += 1;
    }

    /// Asks the rules of the event at hand, the input's line of that number.
    pub(super) fn event(&mut self, number: u64, sink: &mut Sink<'_>) {
        self.figures.events += 1;
        let time = self.rules.asker.time();
        let is_late = time.is_some_and(|time| self.closed.is_some_and(|closed| time <= closed));
        self.figures.late += u64::from(is_late);
        self.ask(sink);
        for at in &self.matched {
            let Some(judge) = self.rules.judges.get(*at) else { continue };
            if let Some(rule) = judge.rule {
                self.figures.detections += 1;
                let asker = &self.rules.asker;
                sink.event(&self.rules.lines, rule, time, || (asker.id(number), asker.host()));
            }
            if let Some((correlation, rule)) = judge.feeds {
                let Some(of) = self.rules.correlations.get(correlation) else { continue };
                let Some(held) = self.held.get_mut(correlation) else { continue };
                if is_late {
                    sink.undecided(of.rule);
                } else {
                    sink.touched(of.rule);
                    let taken =
                        held.as_mut().map(|held| held.take(&of.plan, rule, &self.rules.asker.live(number)));
                    if let Ok(Err(too_much)) = taken {
                        *held = Err(too_much);
                        sink.undecided(of.rule);
                    }
                }
            }
        }
        if time > self.latest {
            self.latest = time;
            if let (Some(latest), Some(lateness)) = (time, self.lateness) {
                self.close(latest.saturating_sub(lateness).saturating_sub(1), sink);
            }
        }
    }

    /// Finds which rules the event at hand matches. A rule that counts on another type of field is not asked.
    fn ask(&mut self, sink: &mut Sink<'_>) {
        let RuleSet { asker, judges, correlations, .. } = &mut self.rules;
        let clashes = asker.clashes();
        let unasked = &mut self.figures.unasked;
        type Columns = BTreeMap<OcsfPath, ColumnType>;
        let stands_in = |columns: &Columns, (clash, field): &(Clash, Field)| {
            columns.get(&clash.path).is_some_and(|expected| !event::fits(field, *expected))
        };
        if let Sink::Tallies(_) = sink {
            // Of a column that is of another type in any event, a batch asks no rule.
            for clash in clashes.iter().filter(|(clash, _)| !unasked.contains_key(clash)) {
                let judges = judges.iter().map(|judge| (&judge.columns, judge.counted(correlations)));
                let correlations = correlations.iter().map(|of| (&of.plan.columns, Some(of.rule)));
                let all = judges.chain(correlations).filter(|(columns, _)| stands_in(columns, clash));
                all.filter_map(|(_, rule)| rule).for_each(|rule| sink.undecided(rule));
            }
            for (clash, _) in &clashes {
                unasked.entry(clash.clone()).or_default();
            }
        }
        let mut suits = |at: usize| {
            let Some(judge) = judges.get(at) else { return false };
            let mut suits = true;
            for (clash, _) in clashes.iter().filter(|clash| stands_in(&judge.columns, clash)) {
                *unasked.entry(clash.clone()).or_default() += 1;
                suits = false;
            }
            suits
        };
        asker.matched(!clashes.is_empty(), &mut suits, &mut self.matched);
    }

    /// Time passed without an event: windows are closed as if one had come `milliseconds` of event time after the
    /// latest.
    pub fn idle(&mut self, milliseconds: u32, emit: &mut dyn FnMut(&[u8])) {
        let (Some(latest), Some(lateness)) = (self.latest, self.lateness) else { return };
        let passed = i64::from(milliseconds).saturating_sub(lateness);
        self.close(latest.saturating_add(passed).saturating_sub(1), &mut Sink::Lines(emit));
    }

    /// No event will come any more: closes all windows.
    pub fn finish(&mut self, emit: &mut dyn FnMut(&[u8])) {
        self.close(i64::MAX, &mut Sink::Lines(emit));
    }

    /// Closes the windows that end at `until` or before.
    pub(super) fn close(&mut self, until: i64, sink: &mut Sink<'_>) {
        if self.closed.is_some_and(|closed| until <= closed) {
            return;
        }
        let mut fired: Vec<(usize, Fired)> = Vec::new();
        for (at, (correlation, held)) in self.rules.correlations.iter().zip(&mut self.held).enumerate() {
            let Ok(holds) = held else { continue };
            match holds.close(&correlation.plan, self.closed, until) {
                Ok(windows) => fired.extend(windows.into_iter().map(|window| (at, window))),
                Err(too_much) => {
                    *held = Err(too_much);
                    sink.undecided(correlation.rule);
                }
            }
        }
        self.closed = Some(until);
        // Whatever closes together comes as if it had closed one by one; correlations are in the order of their names.
        fired.sort_by(|(one, left), (other, right)| {
            let end = |fired: &Fired| fired.window.last_seen;
            end(left).cmp(&end(right)).then(one.cmp(other)).then_with(|| left.window.cmp(&right.window))
        });
        for (at, Fired { window, host }) in fired {
            if let Some(correlation) = self.rules.correlations.get(at) {
                self.figures.detections += 1;
                sink.window(&self.rules.lines, correlation.rule, MatchedWindow { window, host });
            }
        }
    }

    /// What a checkpoint keeps.
    #[must_use]
    pub fn state(&self) -> EngineState {
        let pairs = self.rules.correlations.iter().zip(&self.held);
        let state = |(correlation, held): (&super::rules::Correlation, &Result<Held, TooMuchHeld>)| {
            let plan_sha256 = self.rules.plan_sha256(correlation).to_owned();
            (correlation.name.clone(), CorrelationState { plan_sha256, held: held.clone().ok() })
        };
        EngineState { latest: self.latest, closed: self.closed, correlations: pairs.map(state).collect() }
    }

    /// Goes on where `state` stood. The titles of correlations that are not as they were, and begin anew.
    pub fn restore(&mut self, mut state: EngineState) -> Vec<String> {
        let mut anew = Vec::new();
        self.latest = state.latest;
        self.closed = state.closed;
        for (correlation, held) in self.rules.correlations.iter().zip(&mut self.held) {
            let kept = state.correlations.remove(&correlation.name);
            let same = kept.filter(|kept| kept.plan_sha256 == self.rules.plan_sha256(correlation));
            match same.map(|kept| kept.held) {
                Some(Some(kept)) if kept.is_of(&correlation.plan) => *held = Ok(kept),
                Some(None) => *held = Err(TooMuchHeld),
                _ => anew.push(correlation.title.clone()),
            }
        }
        anew
    }
}
