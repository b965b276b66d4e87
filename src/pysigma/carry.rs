//! What the pipeline makes of a field or of an added condition, as an alias or as a filter of a pack.

use std::collections::BTreeMap;

use serde_json::Value;

use super::apply::{Added, AddedPart, Slot};
use super::notes::{FILTER, Notes, TRANSFORMATION, UNKNOWN_TARGET, VALUES};
use super::pipeline::Conversion;
use crate::ocsf::{Catalog, ClassUid, FieldType, OcsfPath};
use crate::pack::FilterOp;
use crate::sigma::Span;
use crate::sigma::text::{TextPart, literal, parts};
use crate::sigma::yaml::{Node, NodeKind};

/// An alias to be written.
#[derive(Clone, Debug)]
pub(super) struct Carried {
    /// One, or several of which any may match.
    pub(super) paths: Vec<OcsfPath>,
    pub(super) field_type: FieldType,
    pub(super) list: bool,
    pub(super) literal: Option<FieldType>,
    pub(super) values: BTreeMap<String, String>,
    /// Where the pipeline says so.
    pub(super) span: Span,
}

impl Carried {
    /// Whether the other one says the same.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        (&self.paths, self.literal, &self.values) == (&other.paths, other.literal, &other.values)
    }
}

/// A filter to be written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Filter {
    pub(super) path: OcsfPath,
    pub(super) field_type: FieldType,
    pub(super) op: FilterOp,
    pub(super) value: Value,
}

/// The alias of a field that the pipeline maps; `None` where it cannot be carried.
pub(super) fn alias(field: &str, slot: &Slot, classes: &[ClassUid], notes: &mut Notes) -> Option<Carried> {
    let span = slot.named_at.filter(|_| !slot.lost)?;
    let mut kinds = Vec::new();
    for name in &slot.names {
        match kind(name, classes) {
            Ok(kind) => kinds.push(kind),
            Err(why) => {
                notes.raise(&UNKNOWN_TARGET, span, format!("`{field}` is mapped to `{name}`, {why}"));
                return None;
            }
        }
    }
    let (field_type, list) = *kinds.first()?;
    if kinds.iter().any(|kind| *kind != (field_type, list)) {
        notes.raise(&UNKNOWN_TARGET, span, format!("the targets of `{field}` are of differing types"));
        return None;
    }
    let Some(literal) = literal_type(slot.conversion, field_type) else {
        let message =
            format!("`{field}` is converted, and `{}` is {}", slot.names.join("`, `"), field_type.as_str());
        notes.raise(&TRANSFORMATION, span, message);
        return None;
    };
    let Some(values) = value_map(slot, field_type) else {
        notes.raise(
            &VALUES,
            span,
            format!("the values of `{field}` are translated in a way that no alias has"),
        );
        return None;
    };
    let paths = slot.names.iter().cloned().map(OcsfPath).collect();
    Some(Carried { paths, field_type, list, literal, values, span })
}

/// The type of a path in the classes that have it, and whether a LIST lies on the way; else why there is none.
fn kind(name: &str, classes: &[ClassUid]) -> Result<(FieldType, bool), String> {
    let path = OcsfPath(name.to_owned());
    if name.chars().any(char::is_control) {
        return Err("which is no name".to_owned());
    }
    if path.is_raw() {
        return Ok((FieldType::String, false));
    }
    let catalog = Catalog::pinned();
    let mut kinds: Vec<_> = classes
        .iter()
        .filter_map(|class| catalog.resolve(*class, &path))
        .map(|a| (a.field_type, a.list))
        .collect();
    kinds.dedup();
    match kinds.as_slice() {
        [kind] => Ok(*kind),
        [] => {
            let names: Vec<_> = classes.iter().map(|class| class_text(*class)).collect();
            let nearest = catalog.nearest(classes, &path);
            let hint = nearest.map(|path| format!("; `{path}` is the nearest")).unwrap_or_default();
            Err(format!("which {} does not have{hint}", names.join(", ")))
        }
        _ => Err("which is of differing types in the routed classes".to_owned()),
    }
}

fn class_text(class: ClassUid) -> String {
    match Catalog::pinned().class_name(class) {
        Some(name) => format!("class {class} {name}"),
        None => format!("class {class}"),
    }
}

/// The `literal` option for a conversion; `None` where the column is not of that kind.
#[expect(clippy::option_option, reason = "whether it fits, and whether there is one")]
fn literal_type(conversion: Option<Conversion>, field_type: FieldType) -> Option<Option<FieldType>> {
    match (conversion, field_type) {
        (None, _) => Some(None),
        (Some(Conversion::Text), FieldType::String)
        | (Some(Conversion::Number), FieldType::Integer | FieldType::Float) => Some(Some(field_type)),
        _ => None,
    }
}

/// Text to text, each literal once, whatever its case.
fn value_map(slot: &Slot, field_type: FieldType) -> Option<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    let mut folded = Vec::new();
    for (from, to) in &slot.values {
        let (from, to) = (literal(&from.value)?, literal(to.as_str()?)?);
        folded.push(from.to_lowercase());
        values.insert(from, to);
    }
    let count = folded.len();
    folded.sort();
    folded.dedup();
    let fits = values.is_empty() || (field_type == FieldType::String && folded.len() == count);
    fits.then_some(values)
}

/// The classes that the added conditions ask for, ascending; empty where they contradict each other, `None` where
/// they ask for none.
pub(super) fn classes(added: &[Added], notes: &mut Notes) -> Option<Vec<ClassUid>> {
    let mut found: Option<Vec<ClassUid>> = None;
    for part in added.iter().flat_map(|added| &added.parts).filter(|part| is_class(part)) {
        let uids = scalars(&part.value).into_iter().filter_map(|node| match node.kind {
            NodeKind::Integer(uid) => u32::try_from(uid).ok().map(ClassUid),
            _ => None,
        });
        let (known, unknown): (Vec<_>, Vec<_>) = uids.partition(|uid| Catalog::pinned().has_class(*uid));
        for uid in unknown {
            notes.raise(&FILTER, part.value.span, format!("the pinned OCSF version has no class {uid}"));
        }
        found = Some(match found {
            Some(before) => before.into_iter().filter(|class| known.contains(class)).collect(),
            None => known,
        });
    }
    let mut found = found?;
    found.sort_unstable();
    found.dedup();
    Some(found)
}

fn is_class(part: &AddedPart) -> bool {
    part.slot.names == ["class_uid"] && part.modifiers.is_empty()
}

/// The filters of a route to `classes`, by path; `None` where a condition cannot be one.
pub(super) fn filters(added: &[Added], classes: &[ClassUid], notes: &mut Notes) -> Option<Vec<Filter>> {
    let mut filters: Vec<Filter> = Vec::new();
    for condition in added {
        if condition.negated && condition.parts.len() != 1 {
            notes.raise(&FILTER, condition.span, "a negated condition on several fields is no filter");
            return None;
        }
        for part in &condition.parts {
            if is_class(part) && !part.slot.lost && !condition.negated {
                continue;
            }
            match filter(part, condition.negated, classes) {
                Ok(filter) if filters.contains(&filter) => {}
                Ok(filter) => filters.push(filter),
                Err(why) => {
                    let name = part.slot.names.join("`, `");
                    notes.raise(&FILTER, part.span, format!("the condition on `{name}` is no filter: {why}"));
                    return None;
                }
            }
        }
    }
    filters.sort_by(|a, b| a.path.cmp(&b.path));
    let pins = |filter: &Filter| {
        filter.path.as_str() == "metadata.source_type" && matches!(filter.op, FilterOp::Eq | FilterOp::In)
    };
    if let Some(raw) = filters.iter().find(|filter| filter.path.is_raw())
        && !filters.iter().any(pins)
    {
        let span = added.first().map_or(Span::START, |added| added.span);
        let message = format!("a filter on `{}` needs one on metadata.source_type", raw.path);
        notes.raise(&FILTER, span, message);
        return None;
    }
    Some(filters)
}

fn filter(part: &AddedPart, negated: bool, classes: &[ClassUid]) -> Result<Filter, String> {
    let [name] = part.slot.names.as_slice() else { return Err("it is on several fields".to_owned()) };
    if part.slot.lost || part.slot.conversion.is_some() || !part.slot.values.is_empty() {
        return Err("what becomes of it is not said by the log source alone".to_owned());
    }
    let (mut field_type, list) = kind(name, classes)?;
    let path = OcsfPath(name.clone());
    let modifiers: Vec<&str> = part.modifiers.iter().map(String::as_str).collect();
    let (op, value) = match (modifiers.as_slice(), &part.value.kind) {
        ([], NodeKind::Sequence(items)) => (FilterOp::In, Value::Array(plain_values(items)?)),
        ([], NodeKind::Null) => (FilterOp::Exists, Value::Bool(false)),
        ([], NodeKind::String(text)) => of_text(text)?,
        ([], _) => (FilterOp::Eq, plain(&part.value)?),
        (["exists"], NodeKind::Boolean(truth)) => (FilterOp::Exists, Value::Bool(*truth)),
        (["contains"], NodeKind::String(_)) => (FilterOp::Contains, plain(&part.value)?),
        (["startswith"], NodeKind::String(_)) => (FilterOp::Prefix, plain(&part.value)?),
        (["endswith"], NodeKind::String(_)) => (FilterOp::Suffix, plain(&part.value)?),
        _ => {
            return Err(
                "of modifiers, one of contains, startswith, endswith and exists has one value".to_owned()
            );
        }
    };
    let (op, value) = match (op, negated) {
        (FilterOp::Eq, false) if list => (FilterOp::In, Value::Array(vec![value])),
        (FilterOp::Eq, true) if list => (FilterOp::Nin, Value::Array(vec![value])),
        (op, false) => (op, value),
        (FilterOp::Eq, true) => (FilterOp::Neq, value),
        (FilterOp::In, true) => (FilterOp::Nin, value),
        (FilterOp::Exists, true) => (FilterOp::Exists, Value::Bool(value == Value::Bool(false))),
        _ => return Err("its negation is no operator of filters".to_owned()),
    };
    if path.is_raw() && value.is_i64() {
        field_type = FieldType::Integer;
    }
    fits(op, &value, field_type)?;
    Ok(Filter { path, field_type, op, value })
}

/// Text with a `*` at either end is an operator; any other wildcard is none.
fn of_text(text: &str) -> Result<(FilterOp, Value), String> {
    let (op, text) = match parts(text).as_slice() {
        [] => (FilterOp::Eq, String::new()),
        [TextPart::Text(text)] => (FilterOp::Eq, text.clone()),
        [TextPart::Text(text), TextPart::AnyRun] => (FilterOp::Prefix, text.clone()),
        [TextPart::AnyRun, TextPart::Text(text)] => (FilterOp::Suffix, text.clone()),
        [TextPart::AnyRun, TextPart::Text(text), TextPart::AnyRun] => (FilterOp::Contains, text.clone()),
        _ => return Err("its wildcards are no operator of filters".to_owned()),
    };
    Ok((op, Value::String(text)))
}

fn scalars(node: &Node) -> Vec<&Node> {
    match &node.kind {
        NodeKind::Sequence(items) => items.iter().collect(),
        _ => vec![node],
    }
}

fn plain_values(items: &[Node]) -> Result<Vec<Value>, String> {
    if items.is_empty() {
        return Err("it has no value".to_owned());
    }
    items.iter().map(plain).collect()
}

fn plain(node: &Node) -> Result<Value, String> {
    match &node.kind {
        NodeKind::String(text) => {
            literal(text).map(Value::String).ok_or_else(|| "it has wildcards".to_owned())
        }
        NodeKind::Integer(number) => i64::try_from(*number).map(Value::from).map_err(|e| e.to_string()),
        NodeKind::Boolean(truth) => Ok(Value::Bool(*truth)),
        _ => Err(format!("its value is {}", node.type_name())),
    }
}

fn fits(op: FilterOp, value: &Value, field_type: FieldType) -> Result<(), String> {
    if op == FilterOp::Exists {
        return Ok(());
    }
    let one = |value: &Value| match field_type {
        FieldType::String => value.is_string(),
        FieldType::Integer | FieldType::Timestamp | FieldType::Float => value.is_i64(),
        FieldType::Boolean => value.is_boolean(),
    };
    let all = match value {
        Value::Array(values) => values.iter().all(one),
        value => one(value),
    };
    match all {
        true => Ok(()),
        false => Err(format!("the path is {}, and {value} is not", field_type.as_str())),
    }
}
