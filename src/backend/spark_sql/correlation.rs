//! A correlation as one statement of Spark's: the parts of `duckdb_sql`'s, under the same names.
//!
//! Each event carries `first`, by which windows find their earliest event and its host: Spark has no second statement that
//! could ask for it.

use super::{HOST, RELATION, comment, literal, rule_body, scalar, window};
use crate::backend::Sql;
use crate::backend::sql_parts::by_class;
use crate::backend::sql_windows::{Cte, StepNames, input_mark, is_nested, keys, tells_inputs, value, with};
use crate::bridge::ir::FieldExpr;
use crate::bridge::{CorrelationInput, CorrelationPlan, CorrelationStep, InputValue, Source};

const EVENT_ID: &str = "`metadata.event_id`";
pub(super) const TIME: &str = "`time`";

/// `plan` as one statement. A row is a window: its keys as text, `first_seen`, `last_seen`, `event_ids`, sorted by byte,
/// and `host`.
pub(super) fn emit(plan: &CorrelationPlan) -> Sql {
    let mut ctes: Vec<Cte> = (0..plan.rules.len()).filter_map(|place| rule(plan, place)).collect();
    for (place, step) in plan.steps.iter().enumerate() {
        let names = StepNames::new(plan, place);
        ctes.push(events(plan, step, &names));
        ctes.extend(window::ctes(step, &names));
    }
    let mut text = with(ctes);
    if let Some(step) = plan.steps.last() {
        let keys = keys(step, "");
        let shown = keys.iter().map(|key| format!("CAST({key} AS STRING) AS {key}"));
        let others = ["first_seen", "last_seen", "event_ids", "first.host AS host"].map(str::to_owned);
        let columns: Vec<String> = shown.chain(others).collect();
        let order: Vec<String> = ["last_seen".to_owned()].into_iter().chain(keys).collect();
        text.line(0, format!("SELECT {}", columns.join(", ")), None);
        text.line(0, "FROM windows", None);
        text.line(0, format!("ORDER BY {}", order.join(", ")), None);
    }
    let (text, lines) = text.finish();
    Sql { text, predicate: String::new(), scope: String::new(), lines }
}

/// The matches of a rule. Spark reads of them what the steps look at.
fn rule(plan: &CorrelationPlan, place: usize) -> Option<Cte> {
    let rule = plan.rules.get(place)?;
    let mut cte = Cte::new(format!("rule_{}", place + 1));
    cte.line(0, format!("-- {}", comment(&rule.title)), None);
    cte.line(0, format!("SELECT * FROM {RELATION}"), None);
    cte.line(0, format!("WHERE {TIME} IS NOT NULL"), None);
    cte.condition(&rule_body(&rule.plan));
    Some(cte)
}

/// The events of all inputs. Where it does not matter of which input an event is, one that several have is one.
fn events(plan: &CorrelationPlan, step: &CorrelationStep, names: &StepNames) -> Cte {
    let mut cte = Cte::new(names.of("events"));
    cte.line(0, format!("-- {}", comment(&step.title)), None);
    let is_joined = step.inputs.len() > 1 && !tells_inputs(step);
    let depth = usize::from(is_joined);
    let columns = columns(step);
    if is_joined {
        cte.line(0, format!("SELECT {}, min(first) AS first", columns.join(", ")), None);
        cte.line(0, "FROM (", None);
    }
    for (place, input) in step.inputs.iter().enumerate() {
        if place > 0 {
            cte.line(depth, "UNION ALL", None);
        }
        one_input(&mut cte, depth, plan, step, names, place, input);
    }
    if is_joined {
        cte.line(0, ")", None);
        cte.line(0, format!("GROUP BY {}", columns.join(", ")), None);
    }
    cte
}

/// The columns of a step's events but `first`.
fn columns(step: &CorrelationStep) -> Vec<String> {
    let mut columns = match is_nested(step) {
        true => vec!["event_ids".to_owned(), "first_seen".to_owned(), TIME.to_owned()],
        false => vec!["event_id".to_owned(), TIME.to_owned()],
    };
    if tells_inputs(step) {
        columns.push("input".to_owned());
    } else if is_nested(step) {
        columns.push("firing".to_owned());
    }
    columns.extend((1..=step.values()).map(|number| format!("value_{number}")));
    columns.extend(keys(step, ""));
    columns
}

fn one_input(
    cte: &mut Cte,
    depth: usize,
    plan: &CorrelationPlan,
    step: &CorrelationStep,
    names: &StepNames,
    place: usize,
    input: &CorrelationInput,
) {
    let origin = names.origin(input.span);
    let time = format!("CAST({TIME} AS BIGINT)");
    let (source, mut selected) = match input.source {
        Source::Rule(rule) => {
            let first = format!(
                "named_struct('time', {time}, 'id', {EVENT_ID}, 'none', {HOST} IS NULL, 'host', {HOST})"
            );
            let mut selected = vec![format!("{first} AS first"), format!("{time} AS {TIME}")];
            selected.extend(match is_nested(step) {
                true => vec![format!("array({EVENT_ID}) AS event_ids"), format!("{time} AS first_seen")],
                false => vec![format!("{EVENT_ID} AS event_id")],
            });
            (format!("rule_{}", rule + 1), selected)
        }
        Source::Step(inner) => {
            let selected = ["first", "last_seen AS `time`", "event_ids", "first_seen"].map(str::to_owned);
            (StepNames::new(plan, inner).of("windows"), selected.into())
        }
    };
    selected.extend(input_mark(step, place, &input.source));
    let values = input.values.iter().enumerate();
    selected.extend(values.map(|(at, value)| format!("{} AS value_{}", sql(value), at + 1)));
    let keys: Vec<String> = input.keys.iter().map(sql).collect();
    let comma = if keys.is_empty() { "" } else { "," };
    cte.line(depth, format!("SELECT {}{comma}", selected.join(", ")), origin);
    for (at, (key, declared)) in keys.iter().zip(&step.keys).enumerate() {
        let comma = if at + 1 < keys.len() { "," } else { "" };
        let line = format!("{key} AS key_{}{comma} -- {}", at + 1, comment(&declared.name.0));
        cte.line(depth + 1, line, names.origin(declared.span));
    }
    cte.line(depth, format!("FROM {source}"), None);
    // A window has all its keys.
    if matches!(input.source, Source::Rule(_)) && !keys.is_empty() {
        let present: Vec<String> = keys.iter().map(|key| format!("{key} IS NOT NULL")).collect();
        cte.line(depth, format!("WHERE {}", present.join(" AND ")), None);
    }
}

/// A value of an event; NULL where it has none.
fn sql(input: &InputValue) -> String {
    value(input, field_sql)
}

fn field_sql(field: &FieldExpr) -> String {
    match field {
        FieldExpr::Column(column) => literal::identifier(column.path.as_str()),
        FieldExpr::Computed(computed) => scalar::computed(computed, scalar::Letters::AsStored),
        FieldExpr::AnyOf(fields) => {
            let fields: Vec<String> = fields.iter().map(field_sql).collect();
            format!("coalesce({})", fields.join(", "))
        }
        FieldExpr::PerClass(fields) => by_class("`class_uid`", fields, field_sql, None),
    }
}
