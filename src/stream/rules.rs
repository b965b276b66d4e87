//! The rules as a stream asks them: ready, with the correlations that they feed.

use std::collections::BTreeMap;

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
    unusable: Vec<Unusable>,
}

/// A plan, and who wants to know what it matches.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) columns: BTreeMap<OcsfPath, ColumnType>,
    /// How its own detections are written, where it has any.
    pub(super) lines: Option<DetectionLines>,
    /// The correlation that it feeds, and its number among that one's rules.
    pub(super) feeds: Option<(usize, usize)>,
}

/// A correlation.
#[derive(Debug)]
pub(super) struct Correlation {
    /// The name of its plan.
    pub(super) name: String,
    pub(super) title: String,
    pub(super) plan: CorrelationPlan,
    pub(super) lines: DetectionLines,
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
        for (name, index, lines) in bundle::detection_lines(&run)? {
            let Some(compilation) = inputs.compiled.get(index).map(|rule| &rule.compilation) else {
                continue;
            };
            let title = compilation.rule.title();
            match (&compilation.plan, &compilation.correlation) {
                (Some(plan), _) => set.add_rule(title, plan, lines),
                (None, Some(plan)) => set.add_correlation(name, title, plan, lines),
                (None, None) => {}
            }
        }
        Ok(Self {
            asker: Asker::new(set.plans),
            judges: set.judges,
            correlations: set.correlations,
            unusable: set.unusable,
        })
    }

    /// The rules that were left out.
    #[must_use]
    pub fn unusable(&self) -> &[Unusable] {
        &self.unusable
    }

    /// How many rules and correlations are asked and report by themselves.
    #[must_use]
    pub fn len(&self) -> usize {
        self.correlations.len() + self.judges.iter().filter(|judge| judge.lines.is_some()).count()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A rule set before it is ready.
#[derive(Debug, Default)]
struct Building {
    plans: Plans,
    judges: Vec<Judge>,
    correlations: Vec<Correlation>,
    unusable: Vec<Unusable>,
}

impl Building {
    fn add_rule(&mut self, title: String, plan: &Plan, lines: DetectionLines) {
        match self.plans.add([plan]) {
            Ok(_) => {
                let columns = plan.columns.clone();
                self.judges.push(Judge { columns, lines: Some(lines), feeds: None });
            }
            Err(cause) => self.unusable.push(Unusable { title, cause }),
        }
    }

    /// A correlation is asked whole or not at all.
    fn add_correlation(
        &mut self,
        name: String,
        title: String,
        plan: &CorrelationPlan,
        lines: DetectionLines,
    ) {
        match self.plans.add(plan.rules.iter().map(|rule| &rule.plan)) {
            Ok(_) => {
                let place = self.correlations.len();
                let judge = |(rule, correlated): (usize, &CorrelatedRule)| Judge {
                    columns: correlated.plan.columns.clone(),
                    lines: None,
                    feeds: Some((place, rule)),
                };
                self.judges.extend(plan.rules.iter().enumerate().map(judge));
                self.plans.expect(&plan.columns);
                self.correlations.push(Correlation { name, title, plan: plan.clone(), lines });
            }
            Err(cause) => self.unusable.push(Unusable { title, cause }),
        }
    }
}
