//! The rules as a stream asks them: by class, each ready, with the correlations that they feed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::event::Wanted;
use crate::backend::interpreter::{Event, Interpreter, RegexRefused};
use crate::backend::{BackendId, CompiledRule};
use crate::bridge::{CorrelationPlan, Plan};
use crate::bundle::{self, DetectionLines, RuleRoots, RunInputs, RunSettings};
use crate::ocsf::ClassUid;
use crate::pack::{Pack, RouteFilter};

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
    /// By class, those of one scope together.
    scopes: BTreeMap<ClassUid, Vec<Scope>>,
    /// How many judges report by themselves.
    reporting: usize,
    pub(super) correlations: Vec<Correlation>,
    pub(super) wanted: Wanted,
    unusable: Vec<Unusable>,
}

/// Plans that look at the same events: whether one is among them is asked once.
#[derive(Debug)]
struct Scope {
    class_uids: Vec<ClassUid>,
    filters: Vec<RouteFilter>,
    judges: Vec<Arc<Judge>>,
}

/// A plan, and who wants to know what it matches.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) interpreter: Interpreter<Arc<Plan>>,
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
        let mut set = Self {
            scopes: BTreeMap::new(),
            reporting: 0,
            correlations: Vec::new(),
            wanted: Wanted::default(),
            unusable: Vec::new(),
        };
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
        Ok(set)
    }

    /// The rules that were left out.
    #[must_use]
    pub fn unusable(&self) -> &[Unusable] {
        &self.unusable
    }

    /// How many rules and correlations are asked and report by themselves.
    #[must_use]
    pub fn len(&self) -> usize {
        self.correlations.len() + self.reporting
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Those in whose scope the event is.
    pub(super) fn concerned<'s>(&'s self, event: &'s Event) -> impl Iterator<Item = &'s Judge> {
        let scopes = event.class_uid().and_then(|class| self.scopes.get(&class)).into_iter().flatten();
        let concerned = scopes
            .filter(|scope| scope.judges.first().is_some_and(|judge| judge.interpreter.in_scope(event)));
        concerned.flat_map(|scope| scope.judges.iter().map(|judge| &**judge))
    }

    fn add_rule(&mut self, title: String, plan: &Plan, lines: DetectionLines) {
        match Interpreter::new(Arc::new(plan.clone())) {
            Ok(interpreter) => self.add(Judge { interpreter, lines: Some(lines), feeds: None }),
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
        let place = self.correlations.len();
        let judge = |(rule, correlated): (usize, &crate::bridge::CorrelatedRule)| {
            let interpreter = Interpreter::new(Arc::new(correlated.plan.clone()))?;
            Ok(Judge { interpreter, lines: None, feeds: Some((place, rule)) })
        };
        match plan.rules.iter().enumerate().map(judge).collect::<Result<Vec<_>, _>>() {
            Ok(judges) => {
                judges.into_iter().for_each(|judge| self.add(judge));
                self.wanted.add(&plan.columns);
                self.correlations.push(Correlation { name, title, plan: plan.clone(), lines });
            }
            Err(cause) => self.unusable.push(Unusable { title, cause }),
        }
    }

    fn add(&mut self, judge: Judge) {
        let plan = judge.interpreter.plan();
        self.wanted.add(&plan.columns);
        self.reporting += usize::from(judge.lines.is_some());
        let (class_uids, filters) = (plan.scope.class_uids.clone(), plan.scope.filters.clone());
        let judge = Arc::new(judge);
        for class in class_uids.iter().copied().collect::<BTreeSet<_>>() {
            let scopes = self.scopes.entry(class).or_default();
            let same = |scope: &&mut Scope| scope.class_uids == class_uids && scope.filters == filters;
            match scopes.iter_mut().find(same) {
                Some(scope) => scope.judges.push(Arc::clone(&judge)),
                None => scopes.push(Scope {
                    class_uids: class_uids.clone(),
                    filters: filters.clone(),
                    judges: vec![Arc::clone(&judge)],
                }),
            }
        }
    }
}
