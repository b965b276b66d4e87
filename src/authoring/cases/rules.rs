//! The rules that a case is asked with.

use std::collections::BTreeSet;

use crate::backend::{self, CompiledRule};
use crate::bridge::Settings;
use crate::pack::{FieldCase, Pack, TestCase};
use crate::sigma::yaml::{self, Node, NodeKind};
use crate::sigma::{self, Capability, Span, Spanned};

/// A rule that looks for a value of a field.
pub(super) fn of_field(
    pack: &Pack,
    case: &TestCase,
    logsource: &Node,
    when: Option<&Node>,
    field: &FieldCase,
    value: &Node,
) -> Option<CompiledRule> {
    let mut detection = vec![entry("field", mapping(vec![(key(&item(field)), value.clone())]))];
    // By itself, as `when` may name the same field.
    detection.extend(when.map(|when| entry("when", when.clone())));
    let condition = if when.is_some() { "field and when" } else { "field" };
    detection.push(entry("condition", text(condition)));
    let rule = mapping(vec![
        entry("title", text(&case.name)),
        entry("logsource", logsource.clone()),
        entry("detection", mapping(detection)),
    ]);
    compiled(pack, case, &rule)
}

/// The item of a rule as a person would write it.
pub(super) fn shown(field: &FieldCase, value: &Node) -> String {
    let value = match &value.kind {
        NodeKind::String(text) => format!("'{text}'"),
        NodeKind::Null => "null".to_owned(),
        NodeKind::Sequence(items) => {
            let items: Vec<_> = items.iter().filter_map(Node::scalar_text).collect();
            format!("[{}]", items.join(", "))
        }
        _ => value.scalar_text().unwrap_or_default(),
    };
    format!("`{}: {value}`", item(field))
}

fn item(field: &FieldCase) -> String {
    match field.modifiers.as_str() {
        "" => field.field.0.clone(),
        modifiers => format!("{}|{modifiers}", field.field.0),
    }
}

/// A rule compiled by itself, so that those of other cases have no say, with all switched on.
pub(super) fn compiled(pack: &Pack, case: &TestCase, rule: &Node) -> Option<CompiledRule> {
    let settings = Settings { capabilities: BTreeSet::from(Capability::ALL), raw_fallback: true };
    let rules: Vec<_> =
        sigma::parse(&case.place.path, &yaml::write(rule)).into_iter().map(Into::into).collect();
    backend::compile(&rules, pack, &settings).into_iter().next()
}

fn entry(name: &str, value: Node) -> (Spanned<String>, Node) {
    (key(name), value)
}

fn key(name: &str) -> Spanned<String> {
    Spanned::new(name.to_owned(), Span::START)
}

fn text(text: &str) -> Node {
    Node { kind: NodeKind::String(text.to_owned()), span: Span::START }
}

fn mapping(entries: Vec<(Spanned<String>, Node)>) -> Node {
    Node { kind: NodeKind::Mapping(entries), span: Span::START }
}
