//! Correlations: by the causes of their rules, and by what their windows measure.

use super::cause::{events, failed};
use super::model::{Cause, CorrelationFinding, Finding, Place};
use super::numbers::{self, Job};
use super::outline::Outline;
use super::{cause, words};
use crate::backend::Sql;
use crate::backend::duckdb_sql::pieces;
use crate::bridge::{CorrelationPlan, CorrelationStep, InputValue, Measure, WindowTest};
use crate::evaluate::{self, Cancel, EvalError, check_types};
use crate::figures;
use crate::sigma::{BoundOperator, BoundValue};
use crate::store::Store;

/// Events that have all keys of the last step, and the least and the most that a window measures.
type Extremes = (u64, Option<f64>, Option<f64>);

/// The cause of an executable correlation, and its parts.
pub(super) fn attribute(
    store: &mut Store,
    plan: &CorrelationPlan,
    sql: &Sql,
    cancel: &Cancel,
) -> Result<(Finding, CorrelationFinding), EvalError> {
    check_types(store, &plan.columns)?;
    let windows = evaluate::windows(store, plan, sql, cancel)?;
    let mut rules = Vec::new();
    for rule in &plan.rules {
        let outline = Outline::new(&rule.plan.predicate);
        let job = Job { plan: &rule.plan, outline: &outline };
        let finding = match numbers::of_one(store, job, cancel) {
            Ok(numbers) => cause::decide(&rule.plan, &outline, &numbers, store.schema()),
            Err(error) => failed(&rule.plan, error)?,
        };
        rules.push((rule.title.clone(), finding));
    }
    let statement = pieces::correlation_extremes(plan);
    let found = store.narrowed(&plan.columns, |store| -> Result<Vec<Extremes>, EvalError> {
        Ok(store.select(&statement, cancel, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
    })?;
    let (grouped_events, least, most) = found.into_iter().next().unwrap_or((0, None, None));
    let parts = match plan.steps.last() {
        Some(step) => parts(step, rules, grouped_events, least, most),
        None => return Ok((Finding::empty(), CorrelationFinding::empty(rules))),
    };
    let finding = decide(plan, &parts, windows.len() as u64);
    Ok((finding, parts))
}

fn parts(
    step: &CorrelationStep,
    rules: Vec<(String, Finding)>,
    grouped_events: u64,
    least: Option<f64>,
    most: Option<f64>,
) -> CorrelationFinding {
    let (measure, asked, span) = match &step.test {
        WindowTest::Bounds(measure, bounds) => {
            let asked: Vec<String> = bounds.iter().map(|bound| bound_text(bound.value)).collect();
            let span = bounds.first().map_or(step.timespan.span, |bound| bound.span);
            (measure_text(*measure, step), asked.join(" and "), span)
        }
        WindowTest::Seen(seen) => {
            ("rules seen".to_owned(), "what the condition says of them".to_owned(), seen.span)
        }
    };
    CorrelationFinding {
        rules,
        grouped_events,
        measure,
        asked,
        place: Place::of(span),
        least,
        most,
        timespan: step.timespan.value.milliseconds(),
        group_by: step.keys.iter().map(|key| key.name.0.clone()).collect(),
    }
}

impl CorrelationFinding {
    fn empty(rules: Vec<(String, Finding)>) -> Self {
        Self {
            rules,
            grouped_events: 0,
            measure: String::new(),
            asked: String::new(),
            place: None,
            least: None,
            most: None,
            timespan: 0,
            group_by: Vec::new(),
        }
    }
}

/// A rule without which there can be no window, else the keys, else the measure.
fn decide(plan: &CorrelationPlan, parts: &CorrelationFinding, windows: u64) -> Finding {
    let matched: u64 = parts.rules.iter().map(|(_, finding)| finding.matches).sum();
    let silent = parts.rules.iter().filter(|(_, finding)| finding.matches == 0);
    let all_needed = plan.steps.last().is_some_and(needs_all_inputs) && plan.steps.len() == 1;
    let blamed = silent.min_by_key(|(_, finding)| finding.cause);
    let fire = if windows == 1 { "window fires" } else { "windows fire" };
    let (cause, explanation) = match blamed {
        _ if windows > 0 && plan.fallback_used => {
            (Cause::MatchedByFallback, format!("{} {fire}; the rules read raw.*", figures::count(windows)))
        }
        _ if windows > 0 => (Cause::Matched, format!("{} {fire}", figures::count(windows))),
        Some((title, finding)) if matched == 0 || all_needed => {
            (finding.cause, format!("'{title}' matches nothing: {}", finding.explanation))
        }
        _ if parts.grouped_events == 0 => (
            Cause::NormalizationGap,
            format!("of {} none has a value in all of {}", events(matched), parts.group_by.join(", ")),
        ),
        _ => (Cause::RuleLogic, measured_text(parts)),
    };
    Finding {
        cause,
        explanation,
        matches: windows,
        scope_events: matched,
        fallback_fields: fallback_fields(plan, parts),
        ..Finding::empty()
    }
}

fn fallback_fields(plan: &CorrelationPlan, parts: &CorrelationFinding) -> Vec<String> {
    let of_rules = parts.rules.iter().flat_map(|(_, finding)| finding.fallback_fields.clone());
    let inputs = plan.steps.iter().flat_map(|step| &step.inputs);
    let read = inputs.flat_map(|input| input.keys.iter().chain(&input.values));
    let of_keys = read.filter_map(|value| match value {
        InputValue::Field(field) => {
            let text = words::source_text(field);
            text.starts_with("raw.").then_some(text)
        }
        InputValue::Key(_) => None,
    });
    let all: std::collections::BTreeSet<String> = of_rules.chain(of_keys).collect();
    all.into_iter().collect()
}

fn needs_all_inputs(step: &CorrelationStep) -> bool {
    match &step.test {
        WindowTest::Bounds(Measure::DistinctInputs, bounds) => bounds.iter().any(|bound| {
            bound.value.operator == BoundOperator::Gte
                && bound.value.value == BoundValue::Integer(step.inputs.len() as i64)
        }),
        WindowTest::Bounds(..) | WindowTest::Seen(_) => step.is_ordered(),
    }
}

fn measured_text(parts: &CorrelationFinding) -> String {
    let number = |value: Option<f64>| value.map_or_else(|| "nothing".to_owned(), |value| value.to_string());
    let group = match parts.group_by.as_slice() {
        [] => String::new(),
        keys => format!(" for one {}", keys.join(", ")),
    };
    format!(
        "windows of {} s{group} have {} to {} {}; asked is {}",
        parts.timespan / 1000,
        number(parts.least),
        number(parts.most),
        parts.measure,
        parts.asked
    )
}

fn measure_text(measure: Measure, step: &CorrelationStep) -> String {
    match measure {
        Measure::Events => "events".to_owned(),
        Measure::DistinctValues => "distinct values".to_owned(),
        Measure::DistinctInputs if step.is_ordered() => "rules in their order".to_owned(),
        Measure::DistinctInputs => "rules".to_owned(),
        Measure::Sum => "as sum".to_owned(),
        Measure::Average => "as mean".to_owned(),
        Measure::Quantile(fraction) => format!("at the {} % quantile", fraction * 100.0),
    }
}

fn bound_text(bound: crate::sigma::Bound) -> String {
    let sign = match bound.operator {
        BoundOperator::Neq => "!=",
        operator => operator.sign(),
    };
    match bound.value {
        BoundValue::Integer(value) => format!("{sign} {value}"),
        BoundValue::Float(value) => format!("{sign} {value}"),
    }
}
