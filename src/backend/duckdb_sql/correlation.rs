//! A correlation as one statement: a CTE for each rule, then for each correlation its events, what is measured
//! over each window, and the windows that satisfy it (`sigma_semantics.md` 7, 10).

use std::collections::BTreeSet;

use super::{RELATION, comment, rule_body, scalar, window};
use crate::backend::Sql;
use crate::backend::layout::Layout;
use crate::backend::sql_parts::by_class;
use crate::backend::sql_windows::{Cte, StepNames, input_mark, is_nested, keys, tells_inputs, value, with};
use crate::bridge::ir::FieldExpr;
use crate::bridge::{CorrelationInput, CorrelationPlan, CorrelationStep, InputValue, Source};

/// Where every event has its id and its time.
const EVENT_ID: &str = "\"metadata.event_id\"";
pub(super) const TIME: &str = "\"time\"";

/// `plan` as one statement. A row is a window: its keys as text, `first_seen`, `last_seen`, and `event_ids`,
/// sorted by byte. [`Sql::predicate`] and [`Sql::scope`] are empty: a window is not a test of one event.
#[must_use]
pub fn emit_correlation(plan: &CorrelationPlan) -> Sql {
    let mut text = with(ctes(plan));
    if let Some(step) = plan.steps.last() {
        outcome(&mut text, step);
    }
    let (text, lines) = text.finish();
    Sql { text, predicate: String::new(), scope: String::new(), lines }
}

/// The named parts of the statement: those of the last step are `events`, what is measured, and `windows`.
pub(super) fn ctes(plan: &CorrelationPlan) -> Vec<Cte> {
    let mut ctes: Vec<Cte> = (0..plan.rules.len()).filter_map(|place| rule(plan, place)).collect();
    for (place, step) in plan.steps.iter().enumerate() {
        let names = StepNames::new(plan, place);
        ctes.push(events(plan, step, &names));
        ctes.extend(window::ctes(step, &names));
    }
    ctes
}

/// The matches of a rule, with the columns that steps read.
fn rule(plan: &CorrelationPlan, place: usize) -> Option<Cte> {
    let rule = plan.rules.get(place)?;
    let mut columns: BTreeSet<String> = BTreeSet::new();
    let inputs = plan.steps.iter().flat_map(|step| &step.inputs);
    for value in
        inputs.filter(|i| i.source == Source::Rule(place)).flat_map(|i| i.keys.iter().chain(&i.values))
    {
        if let InputValue::Field(field) = value {
            field.visit_columns(&mut |column| {
                columns.insert(scalar::identifier(column.path.as_str()));
            });
            if matches!(field, FieldExpr::PerClass(_)) {
                columns.insert("\"class_uid\"".to_owned());
            }
        }
    }
    let others = columns.iter().map(String::as_str).filter(|name| ![EVENT_ID, TIME].contains(name));
    let columns: Vec<&str> = [EVENT_ID, TIME].into_iter().chain(others).collect();
    let mut cte = Cte::new(format!("rule_{}", place + 1));
    cte.line(0, format!("-- {}", comment(&rule.title)), None);
    cte.line(0, format!("SELECT {}", columns.join(", ")), None);
    cte.line(0, format!("FROM {RELATION}"), None);
    cte.line(0, format!("WHERE {TIME} IS NOT NULL"), None);
    cte.condition(&rule_body(&rule.plan));
    Some(cte)
}

/// The events of all inputs. Where it does not matter of which input an event is, one that several have is one.
fn events(plan: &CorrelationPlan, step: &CorrelationStep, names: &StepNames) -> Cte {
    let mut cte = Cte::new(names.of("events"));
    cte.line(0, format!("-- {}", comment(&step.title)), None);
    for (place, input) in step.inputs.iter().enumerate() {
        if place > 0 {
            cte.line(0, if tells_inputs(step) { "UNION ALL" } else { "UNION" }, None);
        }
        one_input(&mut cte, plan, step, names, place, input);
    }
    cte
}

fn one_input(
    cte: &mut Cte,
    plan: &CorrelationPlan,
    step: &CorrelationStep,
    names: &StepNames,
    place: usize,
    input: &CorrelationInput,
) {
    let origin = names.origin(input.span);
    let (source, mut columns) = match input.source {
        Source::Rule(rule) if is_nested(step) => (
            format!("rule_{}", rule + 1),
            vec![format!("[{EVENT_ID}] AS event_ids"), format!("{TIME} AS first_seen"), TIME.to_owned()],
        ),
        Source::Rule(rule) => {
            (format!("rule_{}", rule + 1), vec![format!("{EVENT_ID} AS event_id"), TIME.to_owned()])
        }
        Source::Step(inner) => {
            let inner = StepNames::new(plan, inner);
            let columns = ["event_ids", "first_seen", "last_seen AS \"time\""].map(str::to_owned);
            (inner.of("windows"), columns.into())
        }
    };
    columns.extend(input_mark(step, place, &input.source));
    let values = input.values.iter().enumerate();
    columns.extend(values.map(|(at, value)| format!("{} AS value_{}", sql(value), at + 1)));
    let keys: Vec<String> = input.keys.iter().map(sql).collect();
    let comma = if keys.is_empty() { "" } else { "," };
    cte.line(0, format!("SELECT {}{comma}", columns.join(", ")), origin);
    for (at, (key, declared)) in keys.iter().zip(&step.keys).enumerate() {
        let comma = if at + 1 < keys.len() { "," } else { "" };
        let name = format!("key_{}", at + 1);
        let named = if *key == name { name } else { format!("{key} AS {name}") };
        let line = format!("{named}{comma} -- {}", comment(&declared.name.0));
        cte.line(1, line, names.origin(declared.span));
    }
    cte.line(0, format!("FROM {source}"), None);
    // A window has all its keys.
    if matches!(input.source, Source::Rule(_)) && !keys.is_empty() {
        let present: Vec<String> =
            (1..=keys.len()).map(|number| format!("key_{number} IS NOT NULL")).collect();
        cte.line(0, format!("WHERE {}", present.join(" AND ")), None);
    }
}

/// A value of an event; NULL where it has none.
fn sql(input: &InputValue) -> String {
    value(input, field_sql)
}

fn field_sql(field: &FieldExpr) -> String {
    match field {
        FieldExpr::Column(column) => scalar::identifier(column.path.as_str()),
        FieldExpr::Computed(computed) => scalar::computed(computed),
        FieldExpr::AnyOf(fields) => {
            let fields: Vec<String> = fields.iter().map(field_sql).collect();
            format!("coalesce({})", fields.join(", "))
        }
        FieldExpr::PerClass(fields) => by_class("\"class_uid\"", fields, field_sql, None),
    }
}

fn outcome(text: &mut Layout, step: &CorrelationStep) {
    let keys = keys(step, "");
    let shown = keys.iter().map(|key| format!("CAST({key} AS VARCHAR) AS {key}"));
    let columns: Vec<String> =
        shown.chain(["first_seen", "last_seen", "event_ids"].map(str::to_owned)).collect();
    let order: Vec<String> = ["last_seen".to_owned()].into_iter().chain(keys).collect();
    text.line(0, format!("SELECT {}", columns.join(", ")), None);
    text.line(0, "FROM windows", None);
    text.line(0, format!("ORDER BY {}", order.join(", ")), None);
}
