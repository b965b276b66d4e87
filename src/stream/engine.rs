//! Events in, detections out.

use std::collections::BTreeMap;

use super::checkpoint::{CorrelationState, EngineState};
use super::correlate::{Fired, Held, TooMuchHeld};
use super::event::{self, Clash, LiveEvent, Rejected};
use super::rules::RuleSet;
use crate::evaluate::{MatchedEvent, MatchedWindow};

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
    rules: RuleSet,
    /// For each correlation; none for one that held too much.
    held: Vec<Result<Held, TooMuchHeld>>,
    /// How much later than an event another may come that is older, milliseconds.
    lateness: i64,
    /// The latest time of any event.
    latest: Option<i64>,
    /// Windows that end here or before are closed.
    closed: Option<i64>,
    figures: Figures,
    /// The rules that the event at hand matches.
    matched: Vec<usize>,
}

impl Engine {
    /// An engine that has seen nothing. An event may come `lateness` milliseconds of event time after a later one and
    /// still be part of windows.
    #[must_use]
    pub fn new(rules: RuleSet, lateness: u32) -> Self {
        let held = rules.correlations.iter().map(|correlation| Ok(Held::new(&correlation.plan))).collect();
        Self {
            rules,
            held,
            lateness: lateness.into(),
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
        if let Err(rejected) = self.rules.asker.read(line) {
            match rejected {
                Rejected::Version(_) => self.figures.other_version += 1,
                _ => self.figures.rejected += 1,
            }
            return Err(rejected);
        }
        self.event(number, emit);
        Ok(())
    }

    /// Counts a line that could not even be read.
    pub fn reject(&mut self) {
        self.figures.rejected += 1;
    }

    /// Asks the rules of the event at hand, the input's line of that number.
    fn event(&mut self, number: u64, emit: &mut dyn FnMut(&[u8])) {
        self.figures.events += 1;
        let time = self.rules.asker.time();
        let is_late = time.is_some_and(|time| self.closed.is_some_and(|closed| time <= closed));
        self.figures.late += u64::from(is_late);
        self.ask();
        for at in &self.matched {
            let Some(judge) = self.rules.judges.get(*at) else { continue };
            if let Some(lines) = &judge.lines {
                self.figures.detections += 1;
                let (event_id, host) = (self.rules.asker.id(number), self.rules.asker.host());
                emit(&lines.event(MatchedEvent { event_id, time, host }));
            }
            if let Some((correlation, rule)) = judge.feeds.filter(|_| !is_late) {
                take(&self.rules, &mut self.held, correlation, rule, &self.rules.asker.live(number));
            }
        }
        if time > self.latest {
            self.latest = time;
            self.close(time.map(|latest| latest.saturating_sub(self.lateness).saturating_sub(1)), emit);
        }
    }

    /// Finds which rules the event at hand matches. A rule that counts on another type of field is not asked.
    fn ask(&mut self) {
        let RuleSet { asker, judges, .. } = &mut self.rules;
        let clashes = asker.clashes();
        let unasked = &mut self.figures.unasked;
        let mut suits = |at: usize| {
            let Some(judge) = judges.get(at) else { return false };
            let in_the_way = clashes.iter().filter(|(clash, field)| {
                judge.columns.get(&clash.path).is_some_and(|expected| !event::fits(field, *expected))
            });
            let mut suits = true;
            for (clash, _) in in_the_way {
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
        let passed = i64::from(milliseconds).saturating_sub(self.lateness);
        self.close(self.latest.map(|latest| latest.saturating_add(passed).saturating_sub(1)), emit);
    }

    /// No event will come any more: closes all windows.
    pub fn finish(&mut self, emit: &mut dyn FnMut(&[u8])) {
        self.close(Some(i64::MAX), emit);
    }

    fn close(&mut self, until: Option<i64>, emit: &mut dyn FnMut(&[u8])) {
        let Some(until) = until.filter(|until| self.closed.is_none_or(|closed| closed < *until)) else {
            return;
        };
        let mut fired: Vec<(usize, Fired)> = Vec::new();
        for (at, (correlation, held)) in self.rules.correlations.iter().zip(&mut self.held).enumerate() {
            let Ok(holds) = held else { continue };
            match holds.close(&correlation.plan, self.closed, until) {
                Ok(windows) => fired.extend(windows.into_iter().map(|window| (at, window))),
                Err(too_much) => *held = Err(too_much),
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
                emit(&correlation.lines.window(MatchedWindow { window, host }));
            }
        }
    }

    /// What a checkpoint keeps.
    #[must_use]
    pub fn state(&self) -> EngineState {
        let pairs = self.rules.correlations.iter().zip(&self.held);
        let state = |(correlation, held): (&super::rules::Correlation, &Result<Held, TooMuchHeld>)| {
            let plan_sha256 = correlation.lines.plan_sha256.clone();
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
            let same = kept.filter(|kept| kept.plan_sha256 == correlation.lines.plan_sha256);
            match same.map(|kept| kept.held) {
                Some(Some(kept)) if kept.is_of(&correlation.plan) => *held = Ok(kept),
                Some(None) => *held = Err(TooMuchHeld),
                _ => anew.push(correlation.title.clone()),
            }
        }
        anew
    }
}

fn take(
    rules: &RuleSet,
    held: &mut [Result<Held, TooMuchHeld>],
    correlation: usize,
    rule: usize,
    event: &LiveEvent,
) {
    let (Some(of), Some(holds)) = (rules.correlations.get(correlation), held.get_mut(correlation)) else {
        return;
    };
    let taken = holds.as_mut().map(|holds| holds.take(&of.plan, rule, event));
    if let Ok(Err(too_much)) = taken {
        *holds = Err(too_much);
    }
}
