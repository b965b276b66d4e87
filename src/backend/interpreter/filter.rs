//! Producer predicates of a route, as the specification has them: a path that is missing passes none but
//! `exists: false`, comparisons are type-strict, and of a LIST any element counts.

use super::regex::Regexes;
use super::{Field, Value, value};
use crate::bridge::ir::{Number, Regex};
use crate::pack::{FilterOp, RouteFilter};

/// Whether what an event has at the filter's path passes.
pub(super) fn passes(filter: &RouteFilter, field: &Field, regexes: &Regexes) -> bool {
    if filter.op == FilterOp::Exists {
        let wanted = filter.value.as_bool().unwrap_or(true);
        return field.is_null() != wanted;
    }
    field.values().any(|value| value_passes(value, filter, regexes))
}

fn value_passes(value: &Value, filter: &RouteFilter, regexes: &Regexes) -> bool {
    let wanted = &filter.value;
    let text = |holds: &dyn Fn(&str, &str) -> bool| match (value.text(), wanted.as_str()) {
        (Some(value), Some(wanted)) => holds(value, wanted),
        _ => false,
    };
    match filter.op {
        FilterOp::Exists => true,
        FilterOp::Eq => equals(value, wanted),
        FilterOp::Neq => !equals(value, wanted),
        FilterOp::In => is_among(value, wanted),
        FilterOp::Nin => !is_among(value, wanted),
        FilterOp::Contains => text(&|value, wanted| value.contains(wanted)),
        FilterOp::Prefix => text(&|value, wanted| value.starts_with(wanted)),
        FilterOp::Suffix => text(&|value, wanted| value.ends_with(wanted)),
        FilterOp::Regex => text(&|value, _| regexes.finds(&searched(filter), value)),
    }
}

fn is_among(value: &Value, wanted: &serde_json::Value) -> bool {
    wanted.as_array().is_some_and(|wanted| wanted.iter().any(|wanted| equals(value, wanted)))
}

fn equals(value: &Value, wanted: &serde_json::Value) -> bool {
    match (value, wanted) {
        (Value::Text(value), serde_json::Value::String(wanted)) => value == wanted,
        (Value::Boolean(value), serde_json::Value::Bool(wanted)) => value == wanted,
        (value, serde_json::Value::Number(wanted)) => {
            let numbers = value.number().zip(number(wanted));
            numbers.is_some_and(|(value, wanted)| value::compare(value, wanted).is_eq())
        }
        _ => false,
    }
}

fn number(json: &serde_json::Number) -> Option<Number> {
    let integer = json.as_i64().map(i128::from).or_else(|| json.as_u64().map(i128::from));
    integer.map(Number::Integer).or_else(|| json.as_f64().map(Number::Float))
}

/// The regular expression of a filter, which has no flags but inline ones.
pub(super) fn searched(filter: &RouteFilter) -> Regex {
    let pattern = filter.value.as_str().unwrap_or_default().to_owned();
    Regex { pattern, ignore_case: false, multiline: false, dot_all: false }
}
