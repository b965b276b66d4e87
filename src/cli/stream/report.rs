//! What a stream says on standard error while it runs: detections alone go to its output.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};

use super::super::text::one_line;
use super::reload::Rules;
use crate::evaluate::DATASET_OCSF_VERSION;
use crate::figures::count;
use crate::stream::{Clash, Figures, Position, Rejected, TooMuchHeld};

/// Lines that are told one by one; the rest is counted.
const TOLD: u64 = 20;

/// Tells of everything once.
pub(super) struct Report {
    rejected: u64,
    clashes: BTreeSet<Clash>,
    given_up: BTreeSet<String>,
}

impl Report {
    pub(super) fn new() -> Self {
        Self { rejected: 0, clashes: BTreeSet::new(), given_up: BTreeSet::new() }
    }

    pub(super) fn rules(&self, rules: &Rules) {
        let in_force = rules.rules - rules.refused;
        say(format_args!(
            "{} of {} rules in force · {} refused{}",
            count(in_force as u64),
            count(rules.rules as u64),
            count(rules.refused as u64),
            if rules.refused > 0 { "; `check` says why" } else { "" }
        ));
        for unusable in rules.set.unusable() {
            say(format_args!("left out: {unusable}"));
        }
    }

    pub(super) fn resumed(&self, position: &Position, anew: &[String]) {
        say(format_args!("going on behind line {}", count(position.lines)));
        for title in anew {
            say(format_args!("'{title}' is new or changed: its windows begin here"));
        }
    }

    pub(super) fn reloaded(&self, rules: &Rules) {
        say("rules or pack changed");
        self.rules(rules);
    }

    pub(super) fn kept_old(&self, why: &dyn fmt::Display) {
        say(format_args!("rules or pack changed, and the rules in force stay as they were: {why}"));
    }

    pub(super) fn replaced(&self) {
        say("the input has a new beginning: rotated or cut");
    }

    pub(super) fn rejected(&mut self, number: u64, why: &Rejected) {
        self.rejected += 1;
        if self.rejected <= TOLD {
            say(format_args!("line {number}: {why}; left out"));
        }
        if self.rejected == TOLD {
            say("further lines that are left out are counted only");
        }
    }

    /// What is new in the figures.
    pub(super) fn figures<'t>(
        &mut self,
        figures: &Figures,
        given_up: impl Iterator<Item = (&'t str, TooMuchHeld)>,
    ) {
        for clash in figures.unasked.keys() {
            if !self.clashes.contains(clash) {
                say(format_args!("{clash}; those rules are not asked of such events"));
                self.clashes.insert(clash.clone());
            }
        }
        for (title, why) in given_up {
            if self.given_up.insert(title.to_owned()) {
                say(format_args!("'{title}' is given up: {why}"));
            }
        }
    }

    pub(super) fn finished(&self, figures: &Figures) {
        say(format_args!(
            "{} events · {} lines left out · {} late · {} detections",
            count(figures.events),
            count(figures.rejected + figures.other_version),
            count(figures.late),
            count(figures.detections)
        ));
    }

    /// Why the stream saw less than it should have; `None` where it saw all.
    pub(super) fn failure(&self, figures: &Figures) -> Option<String> {
        let unasked: u64 = figures.unasked.values().sum();
        let mut reasons = Vec::new();
        if figures.rejected > 0 {
            reasons.push(format!("{} lines are no OCSF events", count(figures.rejected)));
        }
        if figures.other_version > 0 {
            reasons.push(format!(
                "{} events are of another OCSF version ({})",
                count(figures.other_version),
                DATASET_OCSF_VERSION.name
            ));
        }
        if unasked > 0 {
            reasons.push(format!("rules were not asked {} times for fields of another type", count(unasked)));
        }
        if !self.given_up.is_empty() {
            reasons.push(format!("{} correlations were given up", self.given_up.len()));
        }
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

/// With no standard error left there is nobody to tell.
fn say(what: impl fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "stream: {}", one_line(&what.to_string()));
}
