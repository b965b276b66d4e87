//! The rules as a stream asks them: ready, with the correlations that they feed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::asker::{Asker, Plans};
use crate::backend::interpreter::RegexRefused;
use crate::backend::{BackendId, CompiledRule};
use crate::bridge::{ColumnType, CorrelatedRule, CorrelationPlan, Plan};
use crate::bundle::{self, DetectionLines, RuleRoots, RunInputs, RunSettings};
use crate::ocsf::OcsfPath;
use crate::pack::Pack;

/// What a rule set is made from.
#[derive(Clone, Copy, Debug)]
pub struct RuleSetInputs<'a> {
    /// What detections call the run.
    pub run_id: &'a str,
    /// What the user named as rules.
    pub roots: &'a RuleRoots,
    /// The pack, as loaded.
    pub pack: &'a Pack,
    /// The settings in force.
    pub settings: &'a RunSettings,
    /// The rules.
    pub compiled: &'a [CompiledRule],
}

/// A rule that compiled, and that the interpreter cannot ask.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{title}': {cause}")]
pub struct Unusable {
    /// Its title.
    pub title: String,
    /// Its place among the rules.
    pub(super) rule: usize,
    /// Why.
    pub cause: RegexRefused,
}

/// Rules, ready to be asked of events.
#[derive(Debug)]
pub struct RuleSet {
    pub(super) asker: Asker,
    /// By the asker's number.
    pub(super) judges: Vec<Judge>,
    pub(super) correlations: Vec<Correlation>,
    /// How detections are written, by the place of their rule; none where they are only counted.
    pub(super) lines: BTreeMap<usize, DetectionLines>,
    pub(super) unusable: Vec<Unusable>,
}

/// A plan, and who wants to know what it matches.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) columns: BTreeMap<OcsfPath, ColumnType>,
    /// The place of the rule whose detections its matches are, where they are any.
    pub(super) rule: Option<usize>,
    /// The correlation that it feeds, and its number among that one's rules.
    pub(super) feeds: Option<(usize, usize)>,
}

impl Judge {
    /// The place of the rule that is counted by what it matches.
    pub(super) fn counted(&self, correlations: &[Correlation]) -> Option<usize> {
        let fed = || self.feeds.and_then(|(place, _)| correlations.get(place));
        self.rule.or_else(|| fed().map(|correlation| correlation.rule))
    }
}

/// A correlation.
#[derive(Debug)]
pub(super) struct Correlation {
    /// Its place among the rules.
    pub(super) rule: usize,
    /// The name of its plan.
    pub(super) name: String,
    pub(super) title: String,
    pub(super) plan: CorrelationPlan,
}

impl RuleSet {
    /// Makes every executable rule ready. Those that the interpreter cannot ask are left out, and told.
    ///
    /// # Errors
    /// A plan cannot be written as JSON.
    pub fn new(inputs: RuleSetInputs<'_>) -> Result<Self, serde_json::Error> {
        let run = RunInputs {
            run_id: inputs.run_id,
            run_time: None,
            roots: inputs.roots,
            pack: inputs.pack,
            settings: inputs.settings.clone(),
            backend: BackendId::Interpreter,
            compiled: inputs.compiled,
        };
        let mut set = Building::default();
        for (name, place, lines) in bundle::detection_lines(&run)? {
            if let Some(rule) = inputs.compiled.get(place) {
                set.add(place, name, rule);
                set.lines.insert(place, lines);
            }
        }
        Ok(set.ready())
    }

    /// Makes every rule ready whose matches are to be counted, called by their places.
    pub(super) fn counted(rules: &[Arc<CompiledRule>]) -> Self {
        let mut set = Building::default();
        rules.iter().enumerate().for_each(|(place, rule)| set.add(place, String::new(), rule));
        set.ready()
    }

    /// The rules that were left out.
    #[must_use]
    pub fn unusable(&self) -> &[Unusable] {
        &self.unusable
    }

    /// How many rules and correlations are asked and report by themselves.
    #[must_use]
    pub fn len(&self) -> usize {
        self.correlations.len() + self.judges.iter().filter(|judge| judge.rule.is_some()).count()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// By what the plan of a correlation is known; nothing where its detections are only counted.
    pub(super) fn plan_sha256(&self, correlation: &Correlation) -> &str {
        self.lines.get(&correlation.rule).map_or("", |lines| &lines.plan_sha256)
    }
}

/// A rule set before it is ready.
#[derive(Debug, Default)]
struct Building {
    plans: Plans,
    judges: Vec<Judge>,
    correlations: Vec<Correlation>,
    lines: BTreeMap<usize, DetectionLines>,
    unusable: Vec<Unusable>,
}

impl Building {
    fn add(&mut self, place: usize, name: String, rule: &CompiledRule) {
        let compilation = &rule.compilation;
        let added = match (&compilation.plan, &compilation.correlation) {
            (Some(plan), _) => self.add_rule(place, plan),
            (None, Some(plan)) => self.add_correlation(place, name, compilation.rule.title(), plan),
            (None, None) => Ok(()),
        };
        if let Err(cause) = added {
            self.unusable.push(Unusable { title: compilation.rule.title(), rule: place, cause });
        }
    }

    fn add_rule(&mut self, place: usize, plan: &Plan) -> Result<(), RegexRefused> {
        self.plans.add([plan])?;
        self.judges.push(Judge { columns: plan.columns.clone(), rule: Some(place), feeds: None });
        Ok(())
    }

    /// A correlation is asked whole or not at all.
    fn add_correlation(
        &mut self,
        rule: usize,
        name: String,
        title: String,
        plan: &CorrelationPlan,
    ) -> Result<(), RegexRefused> {
        self.plans.add(plan.rules.iter().map(|rule| &rule.plan))?;
        let place = self.correlations.len();
        let judge = |(rule, correlated): (usize, &CorrelatedRule)| Judge {
            columns: correlated.plan.columns.clone(),
            rule: None,
            feeds: Some((place, rule)),
        };
        self.judges.extend(plan.rules.iter().enumerate().map(judge));
        self.plans.expect(&plan.columns);
        self.correlations.push(Correlation { rule, name, title, plan: plan.clone() });
        Ok(())
    }

    fn ready(self) -> RuleSet {
        RuleSet {
            asker: Asker::new(self.plans),
            judges: self.judges,
            correlations: self.correlations,
            lines: self.lines,
            unusable: self.unusable,
        }
    }
}
