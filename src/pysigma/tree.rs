//! YAML trees that are made and not read, so that they stand nowhere.

use serde_json::Value;

use crate::sigma::yaml::{Node, NodeKind};
use crate::sigma::{Span, Spanned};

/// A key and what it has.
pub(super) type Entry = (Spanned<String>, Node);

pub(super) fn entry(key: &str, value: Node) -> Entry {
    (Spanned::new(key.to_owned(), Span::START), value)
}

pub(super) fn map(entries: Vec<Entry>) -> Node {
    node(NodeKind::Mapping(entries))
}

pub(super) fn list(items: Vec<Node>) -> Node {
    node(NodeKind::Sequence(items))
}

pub(super) fn text(text: &str) -> Node {
    node(NodeKind::String(text.to_owned()))
}

pub(super) fn texts<T: AsRef<str>>(all: impl IntoIterator<Item = T>) -> Node {
    list(all.into_iter().map(|one| text(one.as_ref())).collect())
}

pub(super) fn integer(number: impl Into<i128>) -> Node {
    node(NodeKind::Integer(number.into()))
}

pub(super) fn boolean(truth: bool) -> Node {
    node(NodeKind::Boolean(truth))
}

pub(super) fn of_json(value: &Value) -> Node {
    match value {
        Value::Null => node(NodeKind::Null),
        Value::Bool(truth) => boolean(*truth),
        Value::Number(number) => match number.as_i64() {
            Some(number) => integer(number),
            None => node(NodeKind::Float(number.as_f64().unwrap_or_default())),
        },
        Value::String(own) => text(own),
        Value::Array(values) => list(values.iter().map(of_json).collect()),
        Value::Object(entries) => {
            map(entries.iter().map(|(key, value)| entry(key, of_json(value))).collect())
        }
    }
}

fn node(kind: NodeKind) -> Node {
    Node { kind, span: Span::START }
}
