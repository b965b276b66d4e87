//! What a report is made from: the bundle, techniques counted over its rules, findings in their order, causes.

use std::collections::BTreeMap;
use std::path::Path;

use super::ReportError;
use super::attribution::{self, Attribution};
use crate::bundle::{self, Contents, RuleResult, Sighting};

/// A bundle, read and counted. Each form of a report is made from it.
#[derive(Debug)]
pub struct Report {
    pub(super) contents: Contents,
    /// By technique id, as rules tag them.
    pub(super) techniques: BTreeMap<String, Technique>,
    pub(super) attribution: Option<Attribution>,
}

/// The rules of one ATT&CK technique.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Technique {
    /// Rules tagged with it.
    pub(super) tagged: u64,
    /// Of these, those that run here and report.
    pub(super) executable: u64,
    /// Of these, those with a detection.
    pub(super) fired: u64,
    pub(super) detections: u64,
}

/// What one rule found on one host, with the rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finding<'r> {
    pub(super) rule: &'r RuleResult,
    pub(super) sighting: &'r Sighting,
}

impl Report {
    /// Reads a bundle, and the causes that `coverage --attribute --format json` has written of the same run.
    ///
    /// # Errors
    /// One of them cannot be read, or they are not of the same run.
    pub fn read(bundle: &Path, causes: Option<&Path>) -> Result<Self, ReportError> {
        let contents = bundle::contents(bundle)?;
        let attribution = causes.map(|path| attribution::read(path, &contents)).transpose()?;
        let mut techniques = BTreeMap::<String, Technique>::new();
        for rule in contents.rules.values() {
            for id in &rule.technique_ids {
                techniques.entry(id.clone()).or_default().add(rule);
            }
        }
        Ok(Self { contents, techniques, attribution })
    }

    /// The `count` findings seen last (those without a time are the oldest), the most severe first, and of one severity
    /// the newest.
    pub(super) fn newest(&self, count: usize) -> Vec<Finding<'_>> {
        let rules = &self.contents.rules;
        let sightings = self.contents.sightings.iter();
        let mut findings: Vec<Finding<'_>> = sightings
            .filter_map(|sighting| Some(Finding { rule: rules.get(&sighting.plan)?, sighting }))
            .collect();
        // Stable: what ties keeps the order of plan and host.
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.sighting.last_seen));
        findings.truncate(count);
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.rule.level));
        findings
    }
}

impl Technique {
    fn add(&mut self, rule: &RuleResult) {
        self.tagged += 1;
        self.executable += u64::from(rule.reports);
        self.fired += u64::from(rule.detections > 0);
        self.detections += rule.detections;
    }

    /// Whether a rule of it fired.
    pub(super) fn is_hit(self) -> bool {
        self.fired > 0
    }

    /// Whether rules of it run here and none fired.
    pub(super) fn is_silent(self) -> bool {
        self.executable > 0 && self.fired == 0
    }
}
