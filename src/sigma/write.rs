//! A rule as the text of a Sigma rule, the fields in the order that the Sigma specification lists them.

use super::correlation::Correlation;
use super::rule::{Body, Detection, Item, LogSource, Related, Rule, Search, Value};
use super::span::{Span, Spanned};
use super::yaml::{self, Node, NodeKind};

/// The rule as YAML. Parsing the text gives an equal rule: the same metadata, log source and logic, at new places.
/// What parsing left out with a warning, such as a level that Sigma does not have, is left out.
#[must_use]
pub fn write(rule: &Rule) -> String {
    yaml::write(&document(rule))
}

type Entries = Vec<(Spanned<String>, Node)>;

fn document(rule: &Rule) -> Node {
    if let Body::Correlation(Correlation { node, .. }) = &rule.body
        && node.get("action").is_some()
    {
        return node.clone();
    }
    let mut entries = head(rule);
    if rule.logsource.span.start < rule.logsource.span.end {
        entry(&mut entries, "logsource", logsource(&rule.logsource));
    }
    match &rule.body {
        Body::Event(logic) => entry(&mut entries, "detection", detection(logic, &rule.text)),
        Body::Correlation(correlation) => entry(&mut entries, "correlation", correlation.node.clone()),
        Body::Filter(filter) => entry(&mut entries, "filter", filter.node.clone()),
        Body::Unreadable => {}
    }
    entries.extend(tail(rule));
    mapping(entries)
}

/// The metadata before the logic.
fn head(rule: &Rule) -> Entries {
    let metadata = &rule.metadata;
    let mut entries = Entries::new();
    text(&mut entries, "title", metadata.title.as_ref());
    text(&mut entries, "id", metadata.id.clone().map(|id| id.map(|id| id.0)).as_ref());
    text(&mut entries, "name", metadata.name.as_ref());
    list(&mut entries, "related", metadata.related.iter().map(related));
    text(&mut entries, "taxonomy", metadata.taxonomy.as_ref());
    let status = metadata.status.as_ref().map(|status| string(status.value.as_str()));
    entries.extend(status.map(|status| (key("status"), status)));
    text(&mut entries, "description", metadata.description.as_ref());
    text(&mut entries, "license", metadata.license.as_ref());
    texts(&mut entries, "references", &metadata.references);
    text(&mut entries, "author", metadata.author.as_ref());
    text(&mut entries, "date", metadata.date.as_ref());
    text(&mut entries, "modified", metadata.modified.as_ref());
    entries
}

/// The metadata behind the logic; custom keys last, in source order.
fn tail(rule: &Rule) -> Entries {
    let metadata = &rule.metadata;
    let mut entries = Entries::new();
    texts(&mut entries, "fields", &metadata.fields);
    texts(&mut entries, "falsepositives", &metadata.falsepositives);
    let level = metadata.level.as_ref().map(|level| string(level.value.as_str()));
    entries.extend(level.map(|level| (key("level"), level)));
    texts(&mut entries, "tags", &metadata.tags);
    texts(&mut entries, "scope", &metadata.scope);
    let mut custom: Vec<_> = metadata.custom.iter().collect();
    custom.sort_by_key(|(_, node)| node.span.start);
    entries.extend(custom.into_iter().map(|(name, node)| (key(name), node.clone())));
    entries
}

fn related(related: &Related) -> Node {
    mapping(vec![(key("id"), string(&related.id.value.0)), (key("type"), string(&related.kind.value))])
}

fn logsource(logsource: &LogSource) -> Node {
    let mut entries = Entries::new();
    text(&mut entries, "category", logsource.category.as_ref());
    text(&mut entries, "product", logsource.product.as_ref());
    text(&mut entries, "service", logsource.service.as_ref());
    text(&mut entries, "definition", logsource.definition.as_ref());
    entries.extend(logsource.custom.iter().map(|(name, value)| (key(name), string(value))));
    mapping(entries)
}

fn detection(detection: &Detection, source: &str) -> Node {
    let named = |selection: &super::Selection| (selection.name.clone(), search(&selection.search, source));
    let mut entries: Entries = detection.selections.iter().map(named).collect();
    text(&mut entries, "timeframe", detection.timeframe.as_ref());
    match detection.conditions.as_slice() {
        [only] => text(&mut entries, "condition", Some(&only.text)),
        all => list(&mut entries, "condition", all.iter().map(|condition| string(&condition.text.value))),
    }
    mapping(entries)
}

fn search(of: &Search, source: &str) -> Node {
    match of {
        Search::AllOf(items, _) => {
            mapping(items.iter().map(|item| (item_key(item, source), item_values(item, source))).collect())
        }
        Search::AnyOf(parts, _) => sequence(alternatives(parts, source)),
        Search::Keywords(words, _) => sequence(words.iter().map(|word| value(word, source)).collect()),
    }
}

/// The entries of a list. A run of keywords stands among the others as it is, but in a list of its own where it
/// would run into another or be all there is.
fn alternatives(parts: &[Search], source: &str) -> Vec<Node> {
    let mut entries = Vec::new();
    let mixed = parts.iter().any(|part| !matches!(part, Search::Keywords(..)));
    let mut runs_on = false;
    for part in parts {
        match part {
            Search::Keywords(words, _) if mixed && !runs_on => {
                entries.extend(words.iter().map(|word| value(word, source)));
                runs_on = true;
            }
            other => {
                entries.push(search(other, source));
                runs_on = false;
            }
        }
    }
    entries
}

/// The key as the rule spells it, since a modifier that is unknown or has two names is not in the item.
fn item_key(of: &Item, source: &str) -> Spanned<String> {
    let written = read_again(of.key_span, source).and_then(|node| node.scalar_text());
    let field = of.field.as_ref().map_or("", |field| &field.value.0);
    let modifiers = of.modifiers.iter().map(|modifier| modifier.value.name());
    key(&written.unwrap_or_else(|| [field].into_iter().chain(modifiers).collect::<Vec<_>>().join("|")))
}

fn item_values(of: &Item, source: &str) -> Node {
    let mut values = of.values.iter().map(|one| value(one, source));
    match (of.is_list, of.values.len()) {
        (false, 1) => values.next().unwrap_or_else(|| node(NodeKind::Null)),
        _ => sequence(values.collect()),
    }
}

fn value(of: &Spanned<Value>, source: &str) -> Node {
    node(match &of.value {
        Value::String(text) => NodeKind::String(text.clone()),
        Value::Integer(number) => NodeKind::Integer(*number),
        Value::Float(number) => NodeKind::Float(*number),
        Value::Boolean(truth) => NodeKind::Boolean(*truth),
        Value::Null => NodeKind::Null,
        Value::Nested(what) => return nested(of.span, what, source),
    })
}

/// A list or a map that no item takes, and of which the rule holds only where it stands.
fn nested(span: Span, what: &str, source: &str) -> Node {
    let empty = [NodeKind::Sequence(Vec::new()), NodeKind::Mapping(Vec::new())].map(node);
    let written = read_again(span, source).filter(|read| read.type_name() == what);
    let stand_in = || empty.into_iter().find(|empty| empty.type_name() == what);
    written.or_else(stand_in).unwrap_or_else(|| node(NodeKind::Null))
}

/// A part of the rule's file, read by itself.
fn read_again(span: Span, source: &str) -> Option<Node> {
    let column = usize::try_from(span.start.column).ok()?;
    let indented = " ".repeat(column.saturating_sub(1)) + span.slice(source)?;
    let documents = yaml::parse(&indented).ok()?;
    <[Node; 1]>::try_from(documents).ok().map(|[node]| node)
}

fn entry(entries: &mut Entries, name: &str, value: Node) {
    entries.push((key(name), value));
}

fn text(entries: &mut Entries, name: &str, value: Option<&Spanned<String>>) {
    entries.extend(value.map(|value| (key(name), string(&value.value))));
}

fn texts(entries: &mut Entries, name: &str, values: &[Spanned<String>]) {
    list(entries, name, values.iter().map(|value| string(&value.value)));
}

/// A list that is left out where it is empty.
fn list(entries: &mut Entries, name: &str, items: impl Iterator<Item = Node>) {
    let items: Vec<_> = items.collect();
    if !items.is_empty() {
        entry(entries, name, sequence(items));
    }
}

fn key(name: &str) -> Spanned<String> {
    Spanned::new(name.to_owned(), Span::START)
}

fn string(text: &str) -> Node {
    node(NodeKind::String(text.to_owned()))
}

fn sequence(items: Vec<Node>) -> Node {
    node(NodeKind::Sequence(items))
}

fn mapping(entries: Entries) -> Node {
    node(NodeKind::Mapping(entries))
}

fn node(kind: NodeKind) -> Node {
    Node { kind, span: Span::START }
}
