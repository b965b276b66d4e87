//! Deciding the cause from the numbers.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Broad, Cause, EmptyField, Finding, Place, Stop};
use super::numbers::Numbers;
use super::outline::{Node, Outline};
use super::words::{describe, describe_filter, source_text};
use super::{BROAD_EVENTS, BROAD_SHARE};
use crate::bridge::ir::{FieldExpr, Predicate, Test};
use crate::bridge::{Compilation, Plan};
use crate::evaluate::EvalError;
use crate::figures;
use crate::ocsf::{Catalog, ClassUid, OcsfPath};
use crate::store::Schema;

/// What a part of a condition comes to where some predicates are settled for every event.
enum Settled {
    /// Events decide.
    Open,
    /// It holds of every event, because of these predicates.
    True(BTreeSet<usize>),
    /// It holds of no event, because of these.
    False(BTreeSet<usize>),
}

impl Settled {
    fn not(self) -> Self {
        match self {
            Self::Open => Self::Open,
            Self::True(because) => Self::False(because),
            Self::False(because) => Self::True(because),
        }
    }
}

/// What a node comes to, given what each predicate is settled as.
fn settle(outline: &Outline<'_>, at: usize, predicate: &dyn Fn(usize) -> Option<bool>) -> Settled {
    match outline.nodes.get(at) {
        Some(Node::All(parts)) => settle_all(parts.iter().map(|part| settle(outline, *part, predicate))),
        // By De Morgan, so that one function tells both.
        Some(Node::Any(parts)) => {
            settle_all(parts.iter().map(|part| settle(outline, *part, predicate).not())).not()
        }
        Some(Node::Not(part)) => settle(outline, *part, predicate).not(),
        Some(Node::Selection { body, .. }) => settle(outline, *body, predicate),
        Some(Node::Predicate(_)) | None => match predicate(at) {
            Some(true) => Settled::True([at].into()),
            Some(false) => Settled::False([at].into()),
            None => Settled::Open,
        },
    }
}

/// False where any part is, because of all parts that are; true where all are.
fn settle_all(parts: impl Iterator<Item = Settled>) -> Settled {
    let (mut held, mut failed) = (BTreeSet::new(), BTreeSet::new());
    let mut open = false;
    for part in parts {
        match part {
            Settled::Open => open = true,
            Settled::True(because) => held.extend(because),
            Settled::False(because) => failed.extend(because),
        }
    }
    match (failed.is_empty(), open) {
        (false, _) => Settled::False(failed),
        (true, true) => Settled::Open,
        (true, false) => Settled::True(held),
    }
}

/// The predicates because of which no event can satisfy the condition; none where one could.
fn impossible(outline: &Outline<'_>, predicate: &dyn Fn(usize) -> Option<bool>) -> BTreeSet<usize> {
    match settle(outline, Outline::ROOT, predicate) {
        Settled::False(because) => because,
        Settled::Open | Settled::True(_) => BTreeSet::new(),
    }
}

/// What a predicate comes to where its field is empty in every event.
fn without_value(predicate: &Predicate) -> bool {
    predicate.test == Test::Missing
}

fn reads_raw(source: &FieldExpr) -> bool {
    let mut raw = false;
    source.visit_columns(&mut |column| raw |= column.path.is_raw());
    raw
}

fn is_raw(predicate: &Predicate) -> bool {
    let other = match &predicate.test {
        Test::OtherText { other, .. } | Test::OtherNumber(other) => reads_raw(other),
        _ => false,
    };
    reads_raw(&predicate.source) || other
}

/// The cause of an executable event rule.
pub(super) fn decide(plan: &Plan, outline: &Outline<'_>, numbers: &Numbers, schema: &Schema) -> Finding {
    let in_scope = numbers.scope.in_scope();
    let is_empty = |at: &usize| in_scope > 0 && numbers.filled.get(at) == Some(&0);
    let settled = |at: usize| outline.predicate(at).filter(|_| is_empty(&at)).map(without_value);
    let needed = impossible(outline, &settled);
    // Without fallback there would be no plan; here, whether there could be a match.
    let raw = |at: usize| outline.predicate(at).filter(|predicate| is_raw(predicate)).map(without_value);
    let only_raw = if plan.fallback_used { impossible(outline, &raw) } else { BTreeSet::new() };
    let fields = empty_fields(outline, schema, &is_empty, &needed);
    let mut finding = Finding {
        cause: Cause::RuleLogic,
        explanation: String::new(),
        reason_code: None,
        class_uids: plan.scope.class_uids.clone(),
        class_events: numbers.scope.class,
        scope_events: in_scope,
        matches: numbers.matches(),
        empty_fields: fields,
        fallback_fields: fallback_fields(outline),
        stopped_at: stop(plan, outline, numbers),
        broad: broad(outline, numbers),
    };
    finding.cause = match (finding.matches > 0, in_scope) {
        (true, _) if only_raw.is_empty() => Cause::Matched,
        (true, _) => Cause::MatchedByFallback,
        (false, 0) => Cause::MissingTelemetry,
        (false, _) if finding.empty_fields.iter().any(|field| field.needed && !field.fallback) => {
            Cause::NormalizationGap
        }
        (false, _) if !only_raw.is_empty() || finding.empty_fields.iter().any(|field| field.needed) => {
            Cause::BridgeGap
        }
        (false, _) => Cause::RuleLogic,
    };
    finding.explanation = explain(plan, &finding, numbers);
    finding
}

fn empty_fields(
    outline: &Outline<'_>,
    schema: &Schema,
    is_empty: &dyn Fn(&usize) -> bool,
    needed: &BTreeSet<usize>,
) -> Vec<EmptyField> {
    let mut fields: BTreeMap<(String, String), EmptyField> = BTreeMap::new();
    for (at, predicate) in outline.predicates().filter(|(at, _)| is_empty(at)) {
        let source = source_text(&predicate.source);
        let field = fields.entry((predicate.field.0.clone(), source.clone())).or_insert_with(|| EmptyField {
            field: predicate.field.0.clone(),
            source,
            absent_columns: absent(predicate, schema),
            needed: false,
            fallback: is_raw(predicate),
        });
        field.needed |= needed.contains(&at);
    }
    fields.into_values().collect()
}

fn absent(predicate: &Predicate, schema: &Schema) -> Vec<OcsfPath> {
    let mut absent = BTreeSet::new();
    predicate.source.visit_columns(&mut |column| {
        if schema.column(&column.path).is_none() {
            absent.insert(column.path.clone());
        }
    });
    absent.into_iter().collect()
}

fn fallback_fields(outline: &Outline<'_>) -> Vec<String> {
    let raw = outline.predicates().filter(|(_, predicate)| is_raw(predicate));
    let fields: BTreeSet<String> = raw.map(|(_, predicate)| predicate.field.0.clone()).collect();
    fields.into_iter().collect()
}

/// The first step that leaves no event.
fn stop(plan: &Plan, outline: &Outline<'_>, numbers: &Numbers) -> Option<Stop> {
    let mut before = numbers.scope.class;
    for (filter, events) in plan.scope.filters.iter().zip(&numbers.scope.filters) {
        if *events == 0 && before > 0 {
            return Some(Stop { label: describe_filter(filter), before, place: None });
        }
        before = *events;
    }
    for (at, events) in outline.conjuncts.iter().zip(&numbers.cumulative) {
        if *events == 0 && before > 0 {
            return Some(Stop { label: outline.label(*at), before, place: outline.place(*at) });
        }
        before = *events;
    }
    None
}

fn broad(outline: &Outline<'_>, numbers: &Numbers) -> Option<Broad> {
    let in_scope = numbers.scope.in_scope();
    if in_scope < BROAD_EVENTS || numbers.matches() == 0 {
        return None;
    }
    let share = numbers.matches() as f64 / in_scope as f64;
    if share <= BROAD_SHARE {
        return None;
    }
    let of = |at: usize| numbers.alone.get(at).copied().unwrap_or_default();
    // The first of those that let in the most.
    let asked = outline.asked_for().into_iter().rev().max_by_key(|at| of(*at))?;
    let predicate = outline.predicate(asked)?;
    Some(Broad { share, lets_in: describe(predicate), place: Place::of(predicate.span), events: of(asked) })
}

fn explain(plan: &Plan, finding: &Finding, numbers: &Numbers) -> String {
    let classes = class_text(&plan.scope.class_uids);
    let scope = events(finding.scope_events);
    match finding.cause {
        Cause::Matched => format!("{} of {scope} in scope match", figures::count(finding.matches)),
        Cause::MatchedByFallback => format!(
            "{} of {scope} in scope match, but not without raw.*: {}",
            figures::count(finding.matches),
            finding.fallback_fields.join(", ")
        ),
        Cause::MissingTelemetry if numbers.scope.class == 0 => {
            format!("the dataset has no event of {classes}")
        }
        Cause::MissingTelemetry => {
            let class = format!("of {} of {classes}", events(numbers.scope.class));
            match &finding.stopped_at {
                // Of all events of the class, some may pass this filter.
                Some(stop) if stop.before < numbers.scope.class => format!(
                    "{class} {} pass the filters before, and none of these passes {}",
                    figures::count(stop.before),
                    stop.label
                ),
                Some(stop) => format!("{class} none passes {}", stop.label),
                None => format!("{class} none is in scope"),
            }
        }
        Cause::NormalizationGap => {
            format!(
                "in {scope} in scope there is no value in {}, and the rule needs one",
                needed(finding, false)
            )
        }
        Cause::BridgeGap if finding.empty_fields.iter().any(|field| field.needed) => format!(
            "the rule needs {}, which has no home in OCSF and no value in {scope} in scope",
            needed(finding, true)
        ),
        Cause::BridgeGap => format!(
            "the rule cannot do without raw.* ({}), and none of {scope} in scope satisfies it",
            finding.fallback_fields.join(", ")
        ),
        Cause::RuleLogic => match &finding.stopped_at {
            Some(stop) => format!(
                "the fields that the rule needs are filled; of {} none satisfies {}",
                events(stop.before),
                stop.label
            ),
            None => format!("the fields that the rule needs are filled, and none of {scope} satisfies it"),
        },
    }
}

fn needed(finding: &Finding, fallback: bool) -> String {
    let needed = finding.empty_fields.iter().filter(|field| field.needed && field.fallback == fallback);
    let texts: Vec<String> = needed
        .map(|field| {
            let absent = if field.absent_columns.is_empty() { "NULL" } else { "absent" };
            let name = if field.field.is_empty() { "any text column" } else { &field.field };
            format!("{name} ({}, {absent})", field.source)
        })
        .collect();
    texts.join(", ")
}

pub(super) fn events(count: u64) -> String {
    let noun = if count == 1 { "event" } else { "events" };
    format!("{} {noun}", figures::count(count))
}

pub(super) fn class_text(classes: &[ClassUid]) -> String {
    let catalog = Catalog::pinned();
    let named: Vec<String> = classes
        .iter()
        .map(|class| match catalog.class_name(*class) {
            Some(name) => format!("{class} ({name})"),
            None => class.to_string(),
        })
        .collect();
    let noun = if classes.len() == 1 { "class" } else { "classes" };
    format!("{noun} {}", named.join(", "))
}

/// The finding of a rule that is not executable.
pub(super) fn refused(compilation: &Compilation) -> Finding {
    let refusal = compilation.refusal();
    Finding {
        cause: Cause::BridgeGap,
        explanation: refusal
            .map_or_else(|| "the rule has no plan of its own".to_owned(), |refusal| refusal.message.clone()),
        reason_code: compilation.reason(),
        class_uids: compilation.routing.scope.as_ref().map_or(Vec::new(), |scope| scope.class_uids.clone()),
        ..Finding::empty()
    }
}

/// The finding of a rule that the dataset cannot answer; the error itself where it says nothing about rule or data.
pub(super) fn failed(plan: &Plan, error: EvalError) -> Result<Finding, EvalError> {
    let EvalError::ColumnType { path, .. } = &error else { return Err(error) };
    let column = EmptyField {
        field: String::new(),
        source: path.0.clone(),
        absent_columns: Vec::new(),
        needed: true,
        fallback: path.is_raw(),
    };
    Ok(Finding {
        cause: Cause::NormalizationGap,
        explanation: error.to_string(),
        reason_code: Some(crate::bridge::ReasonCode::BackendEvalError),
        class_uids: plan.scope.class_uids.clone(),
        empty_fields: vec![column],
        ..Finding::empty()
    })
}

impl Finding {
    pub(super) fn empty() -> Self {
        Self {
            cause: Cause::RuleLogic,
            explanation: String::new(),
            reason_code: None,
            class_uids: Vec::new(),
            class_events: 0,
            scope_events: 0,
            matches: 0,
            empty_fields: Vec::new(),
            fallback_fields: Vec::new(),
            stopped_at: None,
            broad: None,
        }
    }
}
