//! A Sigma rule as data. Parsing fills it; nothing here knows YAML, OCSF or SQL.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::condition::Condition;
use super::correlation::Correlation;
use super::modifier::{Chain, Modifier};
use super::problem::Problem;
use super::span::{Span, Spanned};
use super::yaml::Node;

/// The `id` of a rule, as written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub String);

/// A field name as rules write it, such as `CommandLine`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SigmaField(pub String);

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for SigmaField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One document of a rule file, in whatever state it is. A file that cannot be parsed is one too.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The file.
    pub path: Arc<Path>,
    /// The text of the whole file, with whatever was not UTF-8 replaced.
    pub text: Arc<str>,
    /// Which document of the file it is, from 0.
    pub document: usize,
    /// Where the document stands in the file.
    pub span: Span,
    /// Who, what, why: everything but the logic.
    pub metadata: Metadata,
    /// The telemetry the rule is for. Empty where the rule does not say.
    pub logsource: LogSource,
    /// The logic.
    pub body: Body,
    /// What is wrong with the text, in source order, whether the condition reaches it or not. Warnings are
    /// among them, and so are the problems of conditions and of unknown modifiers. What counts only where the
    /// condition reaches it stands at the [`Item`].
    pub problems: Vec<Problem>,
}

/// What kind of document it is, with its logic.
#[derive(Clone, Debug)]
pub enum Body {
    /// An event rule.
    Event(Detection),
    /// A correlation of other rules.
    Correlation(Correlation),
    /// A filter that narrows other rules.
    Filter(Filter),
    /// None of these could be read; the rule's problems say why.
    Unreadable,
}

impl Rule {
    /// The rule's title, or the name of its file where it has none.
    #[must_use]
    pub fn title(&self) -> String {
        match &self.metadata.title {
            Some(title) => title.value.clone(),
            None => self.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        }
    }

    /// Whether this is its id, its name or its title.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        let own_name = self.metadata.name.as_ref().map(|own| own.value.as_str());
        self.id().is_some_and(|id| id.0 == name) || own_name == Some(name) || self.title() == name
    }

    /// The rule's id, where it states one.
    #[must_use]
    pub fn id(&self) -> Option<&RuleId> {
        self.metadata.id.as_ref().map(|id| &id.value)
    }
}

/// All fields of a rule that are not its logic.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// `title`.
    pub title: Option<Spanned<String>>,
    /// `id`, a UUID by convention.
    pub id: Option<Spanned<RuleId>>,
    /// `name`, by which correlations and filters may refer to the rule.
    pub name: Option<Spanned<String>>,
    /// `related`.
    pub related: Vec<Related>,
    /// `taxonomy`.
    pub taxonomy: Option<Spanned<String>>,
    /// `status`.
    pub status: Option<Spanned<Status>>,
    /// `description`.
    pub description: Option<Spanned<String>>,
    /// `license`, an SPDX identifier by convention.
    pub license: Option<Spanned<String>>,
    /// `author`.
    pub author: Option<Spanned<String>>,
    /// `references`.
    pub references: Vec<Spanned<String>>,
    /// `date`, as written.
    pub date: Option<Spanned<String>>,
    /// `modified`, as written.
    pub modified: Option<Spanned<String>>,
    /// `fields`, those worth showing with a match.
    pub fields: Vec<Spanned<String>>,
    /// `falsepositives`.
    pub falsepositives: Vec<Spanned<String>>,
    /// `level`.
    pub level: Option<Spanned<Level>>,
    /// `tags`.
    pub tags: Vec<Spanned<String>>,
    /// `scope`.
    pub scope: Vec<Spanned<String>>,
    /// Every other key of the document.
    pub custom: BTreeMap<String, Node>,
}

/// An entry of `related`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// The other rule.
    pub id: Spanned<RuleId>,
    /// How they are related, as written: `derived`, `obsolete`, `merged`, `renamed`, `similar`.
    pub kind: Spanned<String>,
}

/// How settled a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Not for use as it is.
    Unsupported,
    /// Replaced or covered by another rule.
    Deprecated,
    /// May be noisy or wrong.
    Experimental,
    /// Mostly stable.
    Test,
    /// For production.
    Stable,
}

/// How severe a match is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Enrichment only.
    Informational,
    /// Notable, rarely an incident.
    Low,
    /// Worth a review now and then.
    Medium,
    /// Worth a prompt review.
    High,
    /// An incident.
    Critical,
}

impl Level {
    /// As rules write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl Status {
    /// As rules write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsupported => "unsupported",
            Self::Deprecated => "deprecated",
            Self::Experimental => "experimental",
            Self::Test => "test",
            Self::Stable => "stable",
        }
    }
}

/// The telemetry that a rule is for, verbatim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogSource {
    /// `category`.
    pub category: Option<Spanned<String>>,
    /// `product`.
    pub product: Option<Spanned<String>>,
    /// `service`.
    pub service: Option<Spanned<String>>,
    /// `definition`, prose for people.
    pub definition: Option<Spanned<String>>,
    /// Every other key, as text.
    pub custom: BTreeMap<String, String>,
    /// Where the block stands; the document's start where there is none.
    pub span: Span,
}

impl LogSource {
    /// Every key that the rule states, verbatim, those of its own among them.
    #[must_use]
    pub fn stated(&self) -> BTreeMap<String, String> {
        let named = [
            ("category", &self.category),
            ("product", &self.product),
            ("service", &self.service),
            ("definition", &self.definition),
        ];
        let named = named
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value.as_ref()?.value.clone())));
        let mut stated = self.custom.clone();
        stated.extend(named);
        stated
    }
}

/// The logic of an event rule.
#[derive(Clone, Debug)]
pub struct Detection {
    /// The search identifiers, in source order.
    pub selections: Vec<Selection>,
    /// The condition, or the conditions of a list, which are alternatives.
    pub conditions: Vec<Condition>,
    /// `timeframe`, which no event rule can have.
    pub timeframe: Option<Spanned<String>>,
    /// Where the block stands.
    pub span: Span,
}

impl Detection {
    /// The selection of that name, compared with case.
    #[must_use]
    pub fn selection(&self, name: &str) -> Option<&Selection> {
        self.selections.iter().find(|selection| selection.name.value == name)
    }

    /// The selections that `them` or a pattern reaches, in source order. Names that begin with `_` are reached
    /// only by patterns that do.
    #[must_use]
    pub fn reached_by(&self, pattern: &str) -> Vec<&Selection> {
        let pattern = if pattern == "them" { "*" } else { pattern };
        let hidden = pattern.starts_with('_');
        self.selections
            .iter()
            .filter(|selection| hidden || !selection.name.value.starts_with('_'))
            .filter(|selection| glob(pattern, &selection.name.value))
            .collect()
    }
}

/// Whether a pattern covers a name; `*` is any run of characters.
fn glob(pattern: &str, name: &str) -> bool {
    let Some((prefix, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let (middle, suffix) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut name) = name.strip_prefix(prefix).and_then(|name| name.strip_suffix(suffix)) else {
        return false;
    };
    for part in middle.split('*') {
        match name.find(part) {
            Some(at) => name = name.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}

/// A named search.
#[derive(Clone, Debug)]
pub struct Selection {
    /// The search identifier.
    pub name: Spanned<String>,
    /// What it looks for.
    pub search: Search,
    /// The selection with its name.
    pub span: Span,
}

/// What a search identifier looks for.
#[derive(Clone, Debug)]
pub enum Search {
    /// A map: all items hold.
    AllOf(Vec<Item>, Span),
    /// A list: any entry holds.
    AnyOf(Vec<Search>, Span),
    /// A scalar, or a run of scalars in a list: any keyword occurs in the event.
    Keywords(Vec<Spanned<Value>>, Span),
}

/// `field|modifier|modifier: value`, the smallest piece of logic.
#[derive(Clone, Debug)]
pub struct Item {
    /// The field; `None` for keywords (`'|all': [...]`).
    pub field: Option<Spanned<SigmaField>>,
    /// The modifiers, as written.
    pub modifiers: Vec<Spanned<Modifier>>,
    /// What the modifiers mean together, or why they cannot stand together.
    pub chain: Result<Chain, Problem>,
    /// The value, or the values of a list.
    pub values: Vec<Spanned<Value>>,
    /// Whether the values were written as a list.
    pub is_list: bool,
    /// What is wrong with the values: [`BadValue`](super::ProblemKind::BadValue) or
    /// [`IllegalChain`](super::ProblemKind::IllegalChain). They count where the condition reaches the item.
    pub problems: Vec<Problem>,
    /// The key, field and modifiers together.
    pub key_span: Span,
    /// The key with its values.
    pub span: Span,
}

/// A literal of a rule, typed as YAML types it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text as it stands in the rule, Sigma's escapes not yet read.
    String(String),
    /// A whole number.
    Integer(i128),
    /// A number with a fraction or an exponent.
    Float(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// `null`, `~` or nothing.
    Null,
    /// A list or a map, which no item takes; the text says which.
    Nested(&'static str),
}

/// A filter, which narrows other rules.
#[derive(Clone, Debug)]
pub struct Filter {
    /// The rules it applies to, by id or name; empty for all.
    pub rules: Vec<Spanned<String>>,
    /// What it says of an event, over selections of its own.
    pub detection: Detection,
    /// The whole block.
    pub node: Node,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_in_a_pattern_is_any_run() {
        for (pattern, name) in [
            ("*", ""),
            ("*", "a"),
            ("sel*", "sel"),
            ("*_b", "x_b"),
            ("*e*_*", "sel_a"),
            ("a**b", "ab"),
            ("a*a", "aa"),
        ] {
            assert!(glob(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("SEL*", "sel"), ("a*a", "a"), ("*b*b*", "b"), ("a*b*c", "acb"), ("sel", "sel2")]
        {
            assert!(!glob(pattern, name), "{pattern} {name}");
        }
    }
}
