//! Questions about a field: what it could be, and what a proposal would do. Answered on the session's thread.

use std::sync::Arc;

use super::Report;
use crate::authoring::{self, EditError, Evidence, FileEdit, Gap, Survey, Trial};
use crate::backend::{CompiledRule, Sql};
use crate::bridge::{Plan, Settings};
use crate::evaluate::{self, Cancel, EvalError};
use crate::ocsf::OcsfPath;
use crate::pack::{AliasScope, Pack, PackPlace, PackSource, alias_yaml};
use crate::sigma::SigmaField;
use crate::store::Store;
use crate::tui::model::{Bench, Proposed};
use crate::tui::text::count;

/// Proposals that are worked out.
const PROPOSALS: usize = 12;

/// A question about a field of a rule.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    /// The pack in use.
    pub pack: Arc<Pack>,
    /// All rules, as they are compiled with it.
    pub compiled: Vec<Arc<CompiledRule>>,
    /// The rule.
    pub rule: Arc<CompiledRule>,
    /// The field.
    pub field: SigmaField,
    /// What is asked.
    pub ask: Ask,
}

/// What is asked about a field.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    /// What it could be.
    Proposals,
    /// What this target would do to all rules.
    TryOut(String),
}

/// An alias to be written.
#[derive(Clone, Debug)]
pub(crate) struct NewAlias {
    /// The pack in use.
    pub pack: Arc<Pack>,
    /// Where it stands.
    pub scope: AliasScope,
    /// The field.
    pub field: SigmaField,
    /// What it is, as YAML.
    pub target: String,
    /// Where the alias stands that it takes the place of.
    pub place: Option<PackPlace>,
}

/// Writes an alias into the pack's files.
pub(super) fn write(source: &PackSource, alias: &NewAlias) -> Result<FileEdit, String> {
    let NewAlias { pack, scope, field, target, place } = alias;
    let planned = match place {
        Some(place) => authoring::plan_change(source, pack, place, scope, field, target),
        None => authoring::plan_edit(source, pack, scope, field, target),
    };
    let written = planned.and_then(|edit| Ok::<_, EditError>(edit.apply().map(|()| edit)?));
    written.map_err(|error| error.to_string())
}

impl Question {
    /// The answer; `None` where nobody waits for it any more.
    pub(super) fn answer(
        self,
        generation: u64,
        store: Option<&mut Store>,
        settings: &Settings,
        cancel: &Cancel,
    ) -> Option<Report> {
        let gap = authoring::gap_of(&self.compiled, &self.rule, &self.field);
        let gap =
            gap.ok_or_else(|| "the rule is not routed; without its events nothing can be said".to_owned());
        match &self.ask {
            Ask::Proposals => {
                let bench = gap.map(|gap| self.bench(&gap, store, settings, cancel));
                let bench = match bench {
                    Ok(Err(EvalError::Cancelled)) => return None,
                    Ok(bench) => bench.map_err(|error| error.to_string()),
                    Err(unrouted) => Err(unrouted),
                };
                Some(Report::Proposed { generation, bench })
            }
            Ask::TryOut(target) => {
                let outcome = gap.map(|gap| self.trial(&gap, target, store, settings, cancel));
                let outcome = match outcome {
                    Ok(Err(Untried::Cancelled)) => return None,
                    Ok(Err(Untried::Because(why))) | Err(why) => Err(why),
                    Ok(Ok(said)) => Ok(said),
                };
                Some(Report::Tried { generation, outcome })
            }
        }
    }

    fn bench(
        &self,
        gap: &Gap,
        mut store: Option<&mut Store>,
        settings: &Settings,
        cancel: &Cancel,
    ) -> Result<Bench, EvalError> {
        let mut survey: Option<Survey> = match store.as_deref_mut() {
            Some(store) => Some(authoring::survey(store, &gap.routed, &gap.literals, cancel)?),
            None => None,
        };
        let mut proposals = authoring::proposals(gap, &self.pack, &[], survey.as_ref());
        let in_use = self.in_use(gap);
        // What the pack has now is always among them.
        if let Some(at) = proposals.iter().position(|proposal| Some(&proposal.target) == in_use.as_ref())
            && at >= PROPOSALS
        {
            proposals.swap(at, PROPOSALS - 1);
        }
        proposals.truncate(PROPOSALS);
        let mut rows = Vec::new();
        for mut proposal in proposals {
            if let (Some(survey), Some(store)) = (&mut survey, store.as_deref_mut()) {
                let path = OcsfPath(proposal.shown.clone());
                survey.sample(store, &gap.routed, &path, cancel)?;
                proposal.evidence = survey.columns.get(&path).cloned();
                if proposal.evidence.is_none() && in_use.as_ref() == Some(&proposal.target) {
                    proposal.evidence = self.evidence_in_use(gap, store, cancel)?;
                }
            }
            let in_use = in_use.as_ref() == Some(&proposal.target);
            let mut row = Proposed { proposal, in_use, effect: None, matching: None };
            if !row.in_use && row.proposal.rejected.is_none() {
                self.weigh(&mut row, gap, store.as_deref_mut(), settings, cancel)?;
            }
            rows.push(row);
        }
        Ok(Bench {
            scope: gap.scope.to_string(),
            rules: gap.rules.len(),
            unlocks: gap.unlocks.len(),
            in_scope: survey.as_ref().map(|survey| survey.in_scope),
            literals: survey.as_ref().map_or(gap.literals.len(), |survey| survey.literals),
            proposals: rows,
        })
    }

    /// The alias that the rule's field has now, as YAML.
    fn in_use(&self, gap: &Gap) -> Option<String> {
        let fields = &self.rule.compilation.fields;
        let place = fields.iter().find(|field| field.field == gap.field)?.place.as_ref()?;
        let aliases = self.pack.aliases.values().filter_map(|fields| fields.get(&gap.field)).flatten();
        aliases.into_iter().find(|alias| alias.place.is_on_line_of(place)).map(alias_yaml)
    }

    /// What the dataset says about that alias, where it is no single column.
    fn evidence_in_use(
        &self,
        gap: &Gap,
        store: &mut Store,
        cancel: &Cancel,
    ) -> Result<Option<Evidence>, EvalError> {
        let fields = &self.rule.compilation.fields;
        let field = fields.iter().find(|field| field.field == gap.field);
        let Some((source, kind)) = field.and_then(|field| Some((field.source.as_ref()?, field.field_type?)))
        else {
            return Ok(None);
        };
        authoring::alias_evidence(store, &gap.routed, source, kind, &gap.literals, cancel)
    }

    /// What a proposal would do to the rules that name the field.
    fn weigh(
        &self,
        row: &mut Proposed,
        gap: &Gap,
        store: Option<&mut Store>,
        settings: &Settings,
        cancel: &Cancel,
    ) -> Result<(), EvalError> {
        let target = &row.proposal.target;
        // A finding about the alias shows when it is tried or written.
        let Ok(trial) = authoring::try_on_gap(&self.compiled, &self.pack, settings, gap, target) else {
            return Ok(());
        };
        if let Some(store) = store {
            row.matching = Some(matching(store, &trial, &trial.effect.unlocked, cancel)?);
        }
        row.effect = Some(trial.effect);
        Ok(())
    }

    fn trial(
        &self,
        gap: &Gap,
        target: &str,
        store: Option<&mut Store>,
        settings: &Settings,
        cancel: &Cancel,
    ) -> Result<String, Untried> {
        let trial = authoring::try_on_all(&self.compiled, &self.pack, settings, gap, target)
            .map_err(|error| Untried::Because(error.to_string()))?;
        let effect = &trial.effect;
        let touched = [effect.unlocked.as_slice(), &effect.changed].concat();
        let found = match store {
            Some(store) => {
                let (rules, events) = matching(store, &trial, &touched, cancel)?;
                format!("; {} of them match, {} events", count(rules as u64), count(events))
            }
            None => String::new(),
        };
        Ok(format!("of all rules: {effect}{found}"))
    }
}

/// Why a trial has no outcome.
enum Untried {
    Cancelled,
    Because(String),
}

impl From<EvalError> for Untried {
    fn from(error: EvalError) -> Self {
        match error {
            EvalError::Cancelled => Self::Cancelled,
            error => Self::Because(error.to_string()),
        }
    }
}

/// How many of `rules` match, and how many events in all.
fn matching(
    store: &mut Store,
    trial: &Trial,
    rules: &[usize],
    cancel: &Cancel,
) -> Result<(usize, u64), EvalError> {
    let plans: Vec<(&Plan, &Sql)> = rules
        .iter()
        .filter_map(|index| trial.compiled.get(index))
        .filter_map(|rule| Some((rule.compilation.plan.as_ref()?, rule.sql.as_ref()?)))
        .collect();
    let mut found = (0, 0);
    for summary in evaluate::summaries(store, &plans, cancel) {
        match summary {
            Err(EvalError::Cancelled) => return Err(EvalError::Cancelled),
            // A rule that fails shows so once the alias is there.
            Err(_) => {}
            Ok(summary) => {
                found.0 += usize::from(summary.matches > 0);
                found.1 += summary.matches;
            }
        }
    }
    Ok(found)
}
