//! A new rule to begin with: for a log source, from an event, as a copy of another rule, or about one.

mod copy;
mod event;
mod file;

use std::collections::BTreeMap;

pub use file::{NewFile, NewFileError};

use crate::backend::CompiledRule;
use crate::bridge::{Resolution, Tokens};
use crate::evaluate::WholeEvent;
use crate::pack::{Alias, Pack};
use crate::sigma::yaml::{self, Node, NodeKind};
use crate::sigma::{LogSource, SigmaField, Span, Spanned};

/// What a new rule is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Template {
    /// The log source of a rule.
    LogSource,
    /// An event that it matches.
    Event,
    /// The rule itself.
    Copy,
    /// The rule, counted.
    Correlation,
    /// The rule, narrowed.
    Filter,
}

impl Template {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::LogSource, Self::Event, Self::Copy, Self::Correlation, Self::Filter];
}

/// A new rule, not yet written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// A file name for it, without its ending.
    pub stem: String,
    /// Its text.
    pub text: String,
}

/// Why there is no new rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// A correlation or a filter has to name it.
    #[error("the rule has no id and no name that another rule could refer to it by")]
    Nameless,
    /// The rule cannot be read.
    #[error("the rule cannot be read")]
    Unreadable,
    /// No alias of the pack finds anything in the event.
    #[error("no alias of the pack for this log source finds a value in the event that a rule could look for")]
    Nothing,
    /// No event was given.
    #[error("no match is under the cursor")]
    NoEvent,
}

/// The id that stands in a draft; the file that it is written to gives it one of its own.
pub(super) const NO_ID: &str = "00000000-0000-0000-0000-000000000000";

/// A new rule made of `rule`, and of `event` where it is made of one. The same are drafted alike.
///
/// # Errors
/// The rule or the event does not have what it takes.
pub fn draft(
    template: Template,
    rule: &CompiledRule,
    event: Option<&WholeEvent>,
    pack: &Pack,
) -> Result<Draft, DraftError> {
    match template {
        Template::LogSource => Ok(for_logsource(rule, pack)),
        Template::Event => event::draft(rule, event.ok_or(DraftError::NoEvent)?, pack),
        Template::Copy => copy::draft(&rule.compilation.rule),
        Template::Correlation => correlation(rule, pack),
        Template::Filter => filter(rule, pack),
    }
}

/// Fields that rules look at first, the most telling first, and whether the end of a path says enough.
const TELLING: [(&str, bool); 21] = [
    ("Image", true),
    ("OriginalFileName", false),
    ("CommandLine", false),
    ("ParentImage", true),
    ("TargetImage", true),
    ("SourceImage", true),
    ("ImageLoaded", true),
    ("TargetFilename", false),
    ("TargetObject", false),
    ("Details", false),
    ("PipeName", false),
    ("QueryName", false),
    ("DestinationHostname", false),
    ("DestinationIp", false),
    ("DestinationPort", false),
    ("ScriptBlockText", false),
    ("ServiceName", false),
    ("TaskName", false),
    ("eventName", false),
    ("cs-uri", false),
    ("c-useragent", false),
];

/// Fields that tell whose events they are.
const SUBJECTS: [&str; 8] = [
    "User",
    "SubjectUserName",
    "TargetUserName",
    "IpAddress",
    "SourceIp",
    "Computer",
    "ComputerName",
    "Image",
];

/// The aliases of a log source, each field's at its narrowest scope.
fn aliases<'p>(pack: &'p Pack, logsource: &LogSource) -> BTreeMap<&'p SigmaField, &'p Alias> {
    let Tokens { category, product, service } = Tokens::of(logsource);
    let applies = |scope: &crate::pack::AliasScope| {
        scope.applies(category.as_deref(), product.as_deref(), service.as_deref())
    };
    let mut scopes: Vec<_> = pack.aliases.iter().filter(|(scope, _)| applies(scope)).collect();
    // As fields are resolved: what says more of the category, then of the product and the service, comes first.
    scopes.sort_by_key(|(s, _)| (s.category.is_some(), s.product.is_some(), s.service.is_some()));
    let fields = scopes.into_iter().flat_map(|(_, fields)| fields);
    fields.filter_map(|(field, aliases)| Some((field, aliases.first()?))).collect()
}

fn for_logsource(rule: &CompiledRule, pack: &Pack) -> Draft {
    let logsource = &rule.compilation.rule.logsource;
    let aliases = aliases(pack, logsource);
    let has = |name: &str| aliases.keys().any(|field| field.0 == name);
    let known = TELLING.iter().find(|(name, _)| has(name));
    let item = match known {
        Some((name, true)) => (format!("{name}|endswith"), string("\\example.exe")),
        Some((name, false)) => ((*name).to_owned(), string("example")),
        None => {
            let own = rule.compilation.fields.first().map_or("FieldName", |field| &field.field.0);
            (own.to_owned(), string("example"))
        }
    };
    let name = logsource_name(logsource);
    rule_draft(&format!("New Rule for {name}"), logsource, vec![item])
}

/// A rule with one selection.
fn rule_draft(title: &str, logsource: &LogSource, items: Vec<(String, Node)>) -> Draft {
    let detection =
        map([("selection".to_owned(), map(items)), ("condition".to_owned(), string("selection"))]);
    document(title, [("logsource", logsource_node(logsource)), ("detection", detection)])
}

fn correlation(rule: &CompiledRule, pack: &Pack) -> Result<Draft, DraftError> {
    let reference = reference(rule)?;
    let mut entries =
        vec![("type".to_owned(), string("event_count")), ("rules".to_owned(), list([string(&reference)]))];
    entries.extend(subject(rule, pack).map(|subject| ("group-by".to_owned(), list([string(&subject)]))));
    entries.push(("timespan".to_owned(), string("10m")));
    entries.push(("condition".to_owned(), map([("gte".to_owned(), node(NodeKind::Integer(10)))])));
    let title = format!("Many of {}", rule.compilation.rule.title());
    Ok(document(&title, [("correlation", map(entries))]))
}

fn filter(rule: &CompiledRule, pack: &Pack) -> Result<Draft, DraftError> {
    let reference = reference(rule)?;
    let field = subject(rule, pack).unwrap_or_else(|| "FieldName".to_owned());
    let filter = map([
        ("rules".to_owned(), list([string(&reference)])),
        ("selection".to_owned(), map([(field, string("example"))])),
        ("condition".to_owned(), string("not selection")),
    ]);
    let logsource = logsource_node(&rule.compilation.rule.logsource);
    let title = format!("Filter for {}", rule.compilation.rule.title());
    Ok(document(&title, [("logsource", logsource), ("filter", filter)]))
}

/// What another rule calls this one.
fn reference(rule: &CompiledRule) -> Result<String, DraftError> {
    let rule = &rule.compilation.rule;
    let name = || rule.metadata.name.as_ref().map(|name| name.value.clone());
    rule.id().map(|id| id.0.clone()).or_else(name).ok_or(DraftError::Nameless)
}

/// A field of the rule's log source that tells whose events they are, else one that the rule looks at.
fn subject(rule: &CompiledRule, pack: &Pack) -> Option<String> {
    let aliases = aliases(pack, &rule.compilation.rule.logsource);
    let known = SUBJECTS.into_iter().find(|name| aliases.keys().any(|field| field.0 == *name));
    let mut own = rule.compilation.fields.iter().filter(|f| f.resolution == Resolution::Mapped);
    known.map(str::to_owned).or_else(|| Some(own.next()?.field.0.clone()))
}

/// The most telling part of a log source.
fn logsource_name(logsource: &LogSource) -> String {
    let parts = [&logsource.category, &logsource.service, &logsource.product];
    let part = parts.into_iter().flatten().next().map_or("events", |part| part.value.as_str());
    part.replace('_', " ")
}

fn logsource_node(logsource: &LogSource) -> Node {
    let parts =
        [("category", &logsource.category), ("product", &logsource.product), ("service", &logsource.service)];
    map(parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), string(&part.as_ref()?.value)))))
}

fn document<const N: usize>(title: &str, body: [(&str, Node); N]) -> Draft {
    let head = [("title", string(title)), ("id", string(NO_ID)), ("status", string("experimental"))];
    let entries = head.into_iter().chain(body).chain([("level", string("medium"))]);
    let text = yaml::write(&map(entries.map(|(name, node)| (name.to_owned(), node))));
    // Rules have their ids without quotes.
    let text = text.replacen(&format!("'{NO_ID}'"), NO_ID, 1);
    Draft { stem: stem(title), text }
}

/// A title as a file name.
fn stem(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let stem: String = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("_");
    let stem: String = stem.chars().take(60).collect();
    if stem.is_empty() { "new_rule".to_owned() } else { stem }
}

fn node(kind: NodeKind) -> Node {
    Node { kind, span: Span::START }
}

fn string(text: &str) -> Node {
    node(NodeKind::String(text.to_owned()))
}

fn list(items: impl IntoIterator<Item = Node>) -> Node {
    node(NodeKind::Sequence(items.into_iter().collect()))
}

fn map(entries: impl IntoIterator<Item = (String, Node)>) -> Node {
    let entries = entries.into_iter().map(|(name, value)| (Spanned::new(name, Span::START), value));
    node(NodeKind::Mapping(entries.collect()))
}

#[cfg(test)]
mod tests;
