//! A step with all that it refers to, laid out flat.

use std::collections::{BTreeMap, BTreeSet};

use super::CORRELATION_VALUE_TYPE;
use super::plan::{CorrelatedRule, CorrelationInput, CorrelationPlan, CorrelationStep, InputValue, Source};
use super::step::Draft;
use crate::bridge::compile::Context;
use crate::bridge::diagnostic::Diagnostic;
use crate::bridge::language;
use crate::bridge::plan::{ColumnType, Compilation};
use crate::ocsf::OcsfPath;
use crate::pack::Column;
use crate::sigma::{Correlation, Problem, ProblemKind, Rule};

/// Rules and correlations that one correlation may depend on.
const MAX_SOURCES: usize = 256;

/// The plan of the correlation at `index`, whose step and those it depends on are drafted.
pub(super) fn assemble(
    index: usize,
    correlation: &Correlation,
    compilations: &[Compilation],
    drafts: &BTreeMap<usize, Draft>,
    context: &Context<'_>,
) -> Result<CorrelationPlan, Diagnostic> {
    let (rule_places, step_places) = sources(index, drafts);
    let rule = compilations.get(index).map(|c| &*c.rule);
    if let Some(rule) = rule.filter(|_| rule_places.len() + step_places.len() > MAX_SOURCES) {
        return Err(too_many(rule));
    }
    let place = |source: Source| match source {
        Source::Rule(index) => Source::Rule(position(&rule_places, index)),
        Source::Step(index) => Source::Step(position(&step_places, index)),
    };
    let drafted: Vec<&Draft> = step_places.iter().filter_map(|index| drafts.get(index)).collect();
    let correlated = rule_places.iter().filter_map(|index| compilations.get(*index));
    let rules: Vec<CorrelatedRule> = correlated
        .filter_map(|c| Some(CorrelatedRule { title: c.rule.title(), plan: c.plan.clone()? }))
        .collect();
    let steps: Vec<CorrelationStep> = drafted.iter().map(|draft| placed(&draft.step, &place)).collect();
    let columns = columns(&rules, &steps).map_err(|path| conflicting(rule, &path, correlation))?;
    let fallback_used =
        rules.iter().any(|rule| rule.plan.fallback_used) || drafted.iter().any(|draft| draft.fallback_used);
    let capabilities = context.enabled.clone();
    Ok(CorrelationPlan { rules, steps, generate: correlation.generate, columns, fallback_used, capabilities })
}

/// The rules and the steps that a step depends on, each behind those that it needs itself; the step is last.
/// Rules stand in the order of their first use. There are few more than the limit.
fn sources(index: usize, drafts: &BTreeMap<usize, Draft>) -> (Vec<usize>, Vec<usize>) {
    let inputs = |index| drafts.get(&index).into_iter().flat_map(|draft: &Draft| &draft.step.inputs);
    let mut steps: BTreeSet<usize> = BTreeSet::new();
    let mut open = vec![index];
    while let Some(index) = open.pop() {
        if steps.len() > MAX_SOURCES || !steps.insert(index) {
            continue;
        }
        open.extend(inputs(index).filter_map(|input| match input.source {
            Source::Step(step) => Some(step),
            Source::Rule(_) => None,
        }));
    }
    let mut steps: Vec<usize> = steps.into_iter().collect();
    steps.sort_by_key(|index| drafts.get(index).map(|draft| draft.rank));
    let mut rules: Vec<usize> = Vec::new();
    for source in steps.iter().flat_map(|index| inputs(*index)).map(|input| input.source) {
        match source {
            Source::Rule(rule) if rules.len() <= MAX_SOURCES && !rules.contains(&rule) => rules.push(rule),
            Source::Rule(_) | Source::Step(_) => {}
        }
    }
    (rules, steps)
}

fn position(places: &[usize], index: usize) -> usize {
    places.iter().position(|place| *place == index).unwrap_or_default()
}

fn placed(step: &CorrelationStep, place: &impl Fn(Source) -> Source) -> CorrelationStep {
    let inputs = step.inputs.iter();
    let inputs =
        inputs.map(|input| CorrelationInput { source: place(input.source), ..input.clone() }).collect();
    CorrelationStep { inputs, ..step.clone() }
}

/// Every column with its type, or one that two parts count on as different types.
fn columns(
    rules: &[CorrelatedRule],
    steps: &[CorrelationStep],
) -> Result<BTreeMap<OcsfPath, ColumnType>, OcsfPath> {
    let mut all: BTreeMap<OcsfPath, ColumnType> = BTreeMap::new();
    let mut wrong: Option<OcsfPath> = None;
    let mut add = |path: &OcsfPath, column_type: ColumnType| {
        let known = *all.entry(path.clone()).or_insert(column_type);
        if known != column_type {
            wrong = Some(path.clone());
        }
    };
    for (path, column_type) in rules.iter().flat_map(|rule| &rule.plan.columns) {
        add(path, *column_type);
    }
    for value in
        steps.iter().flat_map(|step| &step.inputs).flat_map(|input| input.keys.iter().chain(&input.values))
    {
        if let InputValue::Field(field) = value {
            field.visit_columns(&mut |column: &Column| {
                add(&column.path, ColumnType { field_type: column.field_type, list: column.list });
            });
        }
    }
    match wrong {
        Some(path) => Err(path),
        None => Ok(all),
    }
}

fn too_many(rule: &Rule) -> Diagnostic {
    let message = format!("the correlation depends on more than {MAX_SOURCES} rules");
    let problem = Problem::new(ProblemKind::Limit, rule.span, message);
    language::diagnostic(&problem.with_help("split the correlation"), &rule.path)
}

fn conflicting(rule: Option<&Rule>, path: &OcsfPath, correlation: &Correlation) -> Diagnostic {
    Diagnostic {
        code: &CORRELATION_VALUE_TYPE,
        message: format!("its rules count on `{path}` as different types"),
        path: rule.map(|rule| rule.path.to_path_buf()).unwrap_or_default(),
        span: correlation.node.span,
        help: Some("map the path to one type".to_owned()),
    }
}
