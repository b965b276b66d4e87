//! A regression case made of events of a dataset, and written beside its rule.
//!
//! The same rule and events give the same bytes. A case file that is there keeps its text; where the case that would
//! be written has a namesake of this form, both become one.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::super::file_edit;
use crate::backend::interpreter::{Field, Value};
use crate::evaluate::{self, Cancel, EvalError, WholeEvent};
use crate::ocsf::OcsfPath;
use crate::pack;
use crate::sigma::yaml::{self, Node, NodeKind};
use crate::sigma::{Rule, Span, Spanned};
use crate::store::Store;

/// What a saved case is called, where nobody says.
pub const SAVED_CASE: &str = "saved events";

/// Events of a dataset that become a case.
#[derive(Clone, Copy, Debug)]
pub struct Selection<'s> {
    /// The rule.
    pub rule: &'s Rule,
    /// What the case is called, where no other case is.
    pub name: &'s str,
    /// Ids of events that have to match, or to be of a window.
    pub matching: &'s [String],
    /// Ids of events that must not.
    pub not: &'s [String],
}

/// A case that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedCase {
    /// The case file.
    pub path: PathBuf,
    /// What the case is called there.
    pub name: String,
    /// How many events were saved.
    pub events: usize,
    /// Columns that the events fill and that the case does not have: OCSF does not know them, or not in this type.
    pub left_out: BTreeSet<OcsfPath>,
}

/// Why a case cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// No event is named.
    #[error("no event is named that has to match, or must not")]
    Nothing,
    /// The dataset has none, or several, of an id.
    #[error("the dataset has {found} events of the id `{id}`")]
    Event {
        /// The id.
        id: String,
        /// How many events there are of it.
        found: usize,
    },
    /// An event has to match, and must not.
    #[error("`{0}` has to match, and must not")]
    Both(String),
    /// The case that is there says otherwise.
    #[error("{path}: the case `{name}` says otherwise of `{id}`; change it by hand, or give another name")]
    Conflict {
        /// The case file.
        path: PathBuf,
        /// The case.
        name: String,
        /// The event.
        id: String,
    },
    /// The case file has another form than one that a case can be added to.
    #[error("{0}: its `cases` are not a list that a case can be added to; add it by hand")]
    Form(PathBuf),
    /// A file could not be read or written.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The events could not be read.
    #[error(transparent)]
    Events(#[from] EvalError),
}

/// Writes a case of the selected events, with all that the dataset has of them, into the case file beside the rule.
///
/// # Errors
/// An event is not there once; the case file says otherwise, or cannot be read or written.
pub fn save_case(store: &Store, selection: &Selection<'_>, cancel: &Cancel) -> Result<SavedCase, SaveError> {
    let Selection { rule, name, matching, not } = *selection;
    if let Some(id) = matching.iter().find(|id| not.contains(id)) {
        return Err(SaveError::Both(id.clone()));
    }
    let ids: BTreeSet<&String> = matching.iter().chain(not).collect();
    if ids.is_empty() {
        return Err(SaveError::Nothing);
    }
    let ids: Vec<String> = ids.into_iter().cloned().collect();
    let mut events = evaluate::whole_events(store, &ids, cancel)?;
    for id in &ids {
        let found = events.iter().filter(|event| event.event_id == *id).count();
        if found != 1 {
            return Err(SaveError::Event { id: id.clone(), found });
        }
    }
    events.sort_by_key(time);
    let mut left_out = BTreeSet::new();
    let nodes = events.iter().map(|event| event_node(event, &mut left_out)).collect();
    let path = rule.path.with_extension("test.yml");
    let case =
        Case { name, rule: reference(rule), matching: sorted(matching), not: sorted(not), events: nodes };
    let (text, name) = case.text(&path)?;
    file_edit::write(&path, &text).map_err(|error| SaveError::File { path: path.clone(), error })?;
    Ok(SavedCase { path, name, events: events.len(), left_out })
}

fn time(event: &WholeEvent) -> i128 {
    match event.fields.get(&OcsfPath("time".to_owned())) {
        Some(Field::One(Some(Value::Integer(time)))) => *time,
        _ => i128::MAX,
    }
}

/// What the case calls its rule.
fn reference(rule: &Rule) -> String {
    let name = || rule.metadata.name.as_ref().map(|name| name.value.clone());
    rule.id().map(|id| id.0.clone()).or_else(name).unwrap_or_else(|| rule.title())
}

fn sorted(ids: &[String]) -> Vec<String> {
    ids.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

fn node(kind: NodeKind) -> Node {
    Node { kind, span: Span::START }
}

fn text(value: &str) -> Node {
    node(NodeKind::String(value.to_owned()))
}

fn mapping<'k>(entries: impl IntoIterator<Item = (&'k str, Node)>) -> Node {
    let key = |key: &str| Spanned { value: key.to_owned(), span: Span::START };
    node(NodeKind::Mapping(entries.into_iter().map(|(name, value)| (key(name), value)).collect()))
}

fn list(items: impl IntoIterator<Item = Node>) -> Node {
    node(NodeKind::Sequence(items.into_iter().collect()))
}

/// The event as a case holds it: dotted paths in byte order, and nothing that reading the case would refuse.
fn event_node(event: &WholeEvent, left_out: &mut BTreeSet<OcsfPath>) -> Node {
    let class = event.fields.get(&OcsfPath("class_uid".to_owned())).and_then(value);
    let mut entries: BTreeMap<&str, Node> = BTreeMap::new();
    for (path, field) in &event.fields {
        let Some(value) = value(field) else { continue };
        let with_class = class.iter().filter(|_| path.as_str() != "class_uid");
        let probe =
            with_class.map(|class| ("class_uid", class.clone())).chain([(path.as_str(), value.clone())]);
        match pack::read_event(&mapping(probe), Path::new("")) {
            Ok(_) => drop(entries.insert(path.as_str(), value)),
            Err(_) => drop(left_out.insert(path.clone())),
        }
    }
    entries.insert("metadata.event_id", text(&event.event_id));
    mapping(entries)
}

/// What a field holds; `None` for nothing, and for what no text can say.
fn value(field: &Field) -> Option<Node> {
    match field {
        Field::One(value) => value.as_ref().and_then(scalar),
        Field::Many(values) if values.is_empty() => None,
        Field::Many(values) => {
            let element = |value: &Option<Value>| match value {
                Some(value) => scalar(value),
                None => Some(node(NodeKind::Null)),
            };
            values.iter().map(element).collect::<Option<Vec<_>>>().map(list)
        }
    }
}

fn scalar(value: &Value) -> Option<Node> {
    Some(node(match value {
        Value::Text(text) => NodeKind::String(text.clone()),
        Value::Integer(number) => NodeKind::Integer(*number),
        Value::Float(number) if number.is_finite() => NodeKind::Float(*number),
        Value::Float(_) => return None,
        Value::Boolean(truth) => NodeKind::Boolean(*truth),
    }))
}

/// A case to be written.
struct Case<'c> {
    name: &'c str,
    rule: String,
    matching: Vec<String>,
    not: Vec<String>,
    events: Vec<Node>,
}

impl Case<'_> {
    fn node(&self, name: &str) -> Node {
        let ids = |ids: &[String]| list(ids.iter().map(|id| text(id)));
        let stated = [("match", &self.matching), ("no_match", &self.not)];
        let stated = stated.into_iter().filter(|(_, stated)| !stated.is_empty());
        let head = [("name", text(name)), ("rule", text(&self.rule))];
        let events = [("events", list(self.events.clone()))];
        mapping(head.into_iter().chain(stated.map(|(key, stated)| (key, ids(stated)))).chain(events))
    }

    /// The case file with the case in it, and the case's name there.
    fn text(&self, path: &Path) -> Result<(String, String), SaveError> {
        let before = match fs::read_to_string(path) {
            Ok(before) => before,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let document = mapping([("cases", list([self.node(self.name)]))]);
                return Ok((yaml::write(&document), self.name.to_owned()));
            }
            Err(error) => return Err(SaveError::File { path: path.to_path_buf(), error }),
        };
        let form = || SaveError::Form(path.to_path_buf());
        let documents = yaml::parse(&before).map_err(|_| form())?;
        let [document] = documents.as_slice() else { return Err(form()) };
        let cases = document.get("cases").ok_or_else(form)?.items();
        // Only what this wrote is written anew; comments and layout of anybody else's stay.
        let own = yaml::write(document) == before;
        if let Some(at) = cases.iter().position(|case| self.is_of(case, self.name))
            && own
            && let Some(merged) = self.merged(path, &cases[at])?
        {
            let mut cases = cases.to_vec();
            cases[at] = merged;
            return Ok((yaml::write(&mapping([("cases", list(cases))])), self.name.to_owned()));
        }
        let name = self.free_name(cases);
        let case = self.node(&name);
        let after = mapping([("cases", list(cases.iter().cloned().chain([case.clone()])))]);
        let text = if own { yaml::write(&after) } else { appended(&before, cases, case) };
        let same = yaml::parse(&text).is_ok_and(
            |documents| matches!(documents.as_slice(), [document] if document.to_value() == after.to_value()),
        );
        if same { Ok((text, name)) } else { Err(form()) }
    }

    fn is_of(&self, case: &Node, name: &str) -> bool {
        let says = |key, value: &str| case.get(key).and_then(Node::as_str) == Some(value);
        says("name", name) && says("rule", &self.rule)
    }

    /// The name, numbered from 2 where it is taken.
    fn free_name(&self, cases: &[Node]) -> String {
        let taken = |name: &str| cases.iter().any(|case| self.is_of(case, name));
        let numbered = (2..).map(|number| format!("{} {number}", self.name));
        let mut names = std::iter::once(self.name.to_owned()).chain(numbered);
        names.find(|name| !taken(name)).unwrap_or_default()
    }

    /// The case that is there with this one in it; `None` where it is not of the form that lists ids and events.
    fn merged(&self, path: &Path, there: &Node) -> Result<Option<Node>, SaveError> {
        let conflict = |id: &str| SaveError::Conflict {
            path: path.to_path_buf(),
            name: self.name.to_owned(),
            id: id.to_owned(),
        };
        let (Some(matching), Some(not)) = (ids_of(there, "match"), ids_of(there, "no_match")) else {
            return Ok(None);
        };
        let mut events: BTreeMap<String, Node> = BTreeMap::new();
        for event in there.get("events").map(Node::items).unwrap_or_default().iter().chain(&self.events) {
            let Some(id) = event.get("metadata.event_id").and_then(Node::as_str) else { return Ok(None) };
            match events.get(id) {
                Some(other) if other.to_value() != event.to_value() => return Err(conflict(id)),
                _ => drop(events.insert(id.to_owned(), event.clone())),
            }
        }
        let union = |there: Vec<String>, here: &[String]| sorted(&[&there, here].concat());
        let (matching, not) = (union(matching, &self.matching), union(not, &self.not));
        if let Some(id) = matching.iter().find(|id| not.contains(id)) {
            return Err(conflict(id));
        }
        let mut events: Vec<Node> = events.into_values().collect();
        events.sort_by_key(|event| match event.get("time").map(|time| &time.kind) {
            Some(NodeKind::Integer(time)) => *time,
            _ => i128::MAX,
        });
        let case = Case { name: self.name, rule: self.rule.clone(), matching, not, events };
        let mut merged = case.node(self.name);
        if let (Some(least), NodeKind::Mapping(entries)) = (there.get("min_matches"), &mut merged.kind) {
            let key = Spanned { value: "min_matches".to_owned(), span: Span::START };
            entries.insert(entries.len().saturating_sub(1), (key, least.clone()));
        }
        Ok(Some(merged))
    }
}

/// The ids under a key, none where it is not there; `None` where it is no list of texts.
fn ids_of(case: &Node, key: &str) -> Option<Vec<String>> {
    let Some(node) = case.get(key) else { return Some(Vec::new()) };
    let ids = node.items().iter().map(|id| id.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()?;
    (!ids.is_empty()).then_some(ids)
}

/// The text with a case behind the last of its `cases`, indented as that one is. Whether it means what it should is
/// for the caller to see.
fn appended(before: &str, cases: &[Node], case: Node) -> String {
    let last = cases.last().map_or(0, |case| case.span.start.offset);
    let line = before.get(..last).and_then(|text| text.rsplit('\n').next()).unwrap_or_default();
    let indent: String = line.chars().take_while(|c| *c == ' ').collect();
    let item = yaml::write(&list([case]));
    let mut text = before.trim_end().to_owned() + "\n";
    item.lines().for_each(|line| text.extend([&indent, line, "\n"]));
    text
}
