//! Producer predicates of a route (specification, "Producer predicates").

use serde_json::Value;

use super::file::FilterFile;
use super::load::PACK_SYNTAX;
use super::report::{Report, span_of};
use super::{FilterOp, RouteFilter, paths};
use crate::bridge::{Code, Severity};
use crate::ocsf::{ClassUid, FieldType, OcsfPath};
use crate::sigma::yaml::{self, Node, NodeKind};

pub(crate) static BAD_FILTER: Code = Code {
    name: "pack_bad_filter",
    reason: None,
    severity: Severity::Error,
    summary: "a producer predicate that could never be evaluated",
    explanation: "`in` and `nin` take an array, `exists` takes a boolean or nothing, the others take one value. \
                  Comparisons are type-strict: the value has to be of the attribute's type. `contains`, `prefix` and \
                  `suffix` are for text. An attribute with several values never equals one: use `in`.",
};

pub(crate) static UNSUPPORTED_FILTER: Code = Code {
    name: "pack_unsupported_filter",
    reason: None,
    severity: Severity::Error,
    summary: "a producer predicate whose operator is not supported",
    explanation: "Filters with `regex` are not evaluated. A route that needs one would look at the wrong events, so \
                  the pack is refused. `prefix`, `suffix`, `contains` and `in` cover most cases.",
};

pub(crate) static UNPINNED_FILTER: Code = Code {
    name: "pack_unpinned_filter",
    reason: None,
    severity: Severity::Error,
    summary: "a filter on raw.* in a route that does not pin the producer",
    explanation: "What a field under raw.* is called and holds is the producer's. A route that filters by one pins \
                  `metadata.source_type`, with `eq` or `in`, so that no other producer's field is compared.",
};

/// The filters of a route to `classes`, in their order; `None` where one has an error.
pub(super) fn read(node: &Node, classes: &[ClassUid], report: &mut Report) -> Option<Vec<RouteFilter>> {
    let NodeKind::Sequence(entries) = &node.kind else {
        return report.refuse(&PACK_SYNTAX, node.span, "`filters` is a list of filters".to_owned(), None);
    };
    // All of them are read before any is given up, so that all errors show.
    let filters: Vec<_> = entries.iter().map(|entry| filter(entry, classes, report)).collect();
    let filters = filters.into_iter().collect::<Option<Vec<_>>>()?;
    let pins = filters.iter().any(|filter| {
        filter.path.as_str() == "metadata.source_type" && matches!(filter.op, FilterOp::Eq | FilterOp::In)
    });
    match entries.iter().zip(&filters).find(|(_, filter)| filter.path.is_raw() && !pins) {
        Some((entry, filter)) => {
            let message = format!("the route filters by `{}` and does not pin the producer", filter.path);
            let help = "add a filter on metadata.source_type (eq, or in a list)".to_owned();
            report.refuse(&UNPINNED_FILTER, span_of(entry, &["path"]), message, help)
        }
        None => Some(filters),
    }
}

fn filter(node: &Node, classes: &[ClassUid], report: &mut Report) -> Option<RouteFilter> {
    let FilterFile { path, op, value, notes } = report.accept(&PACK_SYNTAX, yaml::from_node(node))?;
    let path = OcsfPath(path);
    if op == FilterOp::Regex {
        let message = "`regex` is not supported in filters".to_owned();
        return report.refuse(&UNSUPPORTED_FILTER, span_of(node, &["op"]), message, None);
    }
    let column = match path.as_str() {
        "raw.event_id" => paths::raw(path, FieldType::Integer, span_of(node, &["path"]), report)?,
        _ if path.is_raw() => paths::raw(path, raw_type(&value), span_of(node, &["path"]), report)?,
        _ => paths::column(path, classes, span_of(node, &["path"]), report)?,
    };
    if let Err(message) = check(op, &value, column.field_type, column.list) {
        return report.refuse(&BAD_FILTER, span_of(node, &["value"]), message, None);
    }
    Some(RouteFilter {
        path: column.path,
        field_type: column.field_type,
        list: column.list,
        op,
        value,
        notes,
    })
}

/// The type that a field of the source has to have for `value` to fit. The row contract types `raw.event_id` alone.
fn raw_type(value: &Value) -> FieldType {
    let first = value.as_array().and_then(|values| values.first()).unwrap_or(value);
    match first {
        Value::Number(number) if number.is_f64() => FieldType::Float,
        Value::Number(_) => FieldType::Integer,
        _ => FieldType::String,
    }
}

fn check(op: FilterOp, value: &Value, field_type: FieldType, list: bool) -> Result<(), String> {
    match (op, value) {
        (FilterOp::Exists, Value::Null | Value::Bool(_)) => Ok(()),
        (FilterOp::Exists, _) => Err("`exists` takes true, false or nothing".to_owned()),
        (_, Value::Null) => Err("the filter has no value".to_owned()),
        (FilterOp::In | FilterOp::Nin, Value::Array(values)) if !values.is_empty() => {
            values.iter().try_for_each(|value| fits(value, field_type))
        }
        (FilterOp::In | FilterOp::Nin, _) => Err("`in` and `nin` take an array that is not empty".to_owned()),
        (FilterOp::Eq | FilterOp::Neq, _) if list => {
            Err("the attribute has several values, and never equals one: use `in` or `nin`".to_owned())
        }
        (FilterOp::Contains | FilterOp::Prefix | FilterOp::Suffix, _) if field_type != FieldType::String => {
            Err(format!("the attribute is {}, and the operator is for text", field_type.as_str()))
        }
        _ => fits(value, field_type),
    }
}

/// Whether a value is one that an attribute of this type can have.
pub(super) fn fits(value: &Value, field_type: FieldType) -> Result<(), String> {
    let fits = match field_type {
        FieldType::String => value.is_string(),
        FieldType::Integer | FieldType::Timestamp => value.is_i64() || value.is_u64(),
        FieldType::Float => value.is_number(),
        FieldType::Boolean => value.is_boolean(),
    };
    match fits {
        true => Ok(()),
        false => Err(format!("{value} is not of the attribute's type, {}", field_type.as_str())),
    }
}
