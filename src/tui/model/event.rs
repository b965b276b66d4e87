//! One event as a tree that folds.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::{Input, WindowView};
use crate::ocsf::OcsfPath;
use crate::tui::worker::WholeEvent;

/// An event that is shown over the panes.
#[derive(Clone, Debug)]
pub(crate) struct EventView {
    /// Its id.
    pub event_id: String,
    /// Its `time`, milliseconds since 1970, UTC.
    pub time: Option<i64>,
    /// Its host.
    pub host: Option<String>,
    /// What it holds.
    pub answer: EventAnswer,
    /// Paths of the objects and lists that are folded.
    pub folded: BTreeSet<String>,
    /// The line under the cursor, of those that are not folded away.
    pub cursor: usize,
    /// What is searched for.
    pub search: Input,
    /// Whether that is being typed.
    pub searching: bool,
    /// The window that it was opened from.
    pub within: Option<Box<WindowView>>,
}

/// Whether the event is there yet.
#[derive(Clone, Debug)]
pub(crate) enum EventAnswer {
    /// It is on its way.
    Waiting,
    /// Here it is.
    Ready(Arc<WholeEvent>),
    /// It could not be found.
    Failed(String),
}

/// A line of the tree.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node<'e> {
    /// Where it stands: dotted, with `[n]` for elements of a list. No two are alike.
    pub path: String,
    /// How deep.
    pub depth: usize,
    /// Its name, or its number in a list.
    pub name: String,
    /// What it is.
    pub shown: Shown<'e>,
    /// Whether it, or something within it, satisfies a test of the rule.
    pub matched: bool,
}

/// What a line of the tree is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shown<'e> {
    /// An object or a list, and whether its parts are folded away.
    Branch(&'e Value, bool),
    /// A value, and the stretches of its text that satisfy tests of the rule.
    Leaf(&'e Value, &'e [Range<usize>]),
}

impl EventView {
    /// The event, where it is there.
    pub(crate) fn event(&self) -> Option<&Arc<WholeEvent>> {
        match &self.answer {
            EventAnswer::Ready(event) => Some(event),
            EventAnswer::Waiting | EventAnswer::Failed(_) => None,
        }
    }

    /// The lines that are not folded away.
    pub(crate) fn nodes(&self) -> Vec<Node<'_>> {
        self.walk(&self.folded)
    }

    /// All lines.
    pub(crate) fn all_nodes(&self) -> Vec<Node<'_>> {
        self.walk(&BTreeSet::new())
    }

    fn walk(&self, folded: &BTreeSet<String>) -> Vec<Node<'_>> {
        let mut nodes = Vec::new();
        if let Some(event) = self.event() {
            let mut walk = Walk { event, folded, nodes: &mut nodes };
            walk.parts(&event.fields, "", 0);
        }
        nodes
    }
}

struct Walk<'e, 'n> {
    event: &'e WholeEvent,
    folded: &'n BTreeSet<String>,
    nodes: &'n mut Vec<Node<'e>>,
}

impl<'e> Walk<'e, '_> {
    fn parts(&mut self, value: &'e Value, path: &str, depth: usize) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    self.node(value, path.clone(), name.clone(), depth, self.stretches(&path, 0));
                }
            }
            Value::Array(elements) => {
                for (at, value) in elements.iter().enumerate() {
                    let stretches = self.stretches(path, at);
                    self.node(value, format!("{path}[{at}]"), at.to_string(), depth, stretches);
                }
            }
            _ => {}
        }
    }

    fn node(
        &mut self,
        value: &'e Value,
        path: String,
        name: String,
        depth: usize,
        stretches: Option<&'e [Range<usize>]>,
    ) {
        if !matches!(value, Value::Object(_) | Value::Array(_)) {
            let matched = stretches.is_some();
            let shown = Shown::Leaf(value, stretches.unwrap_or_default());
            self.nodes.push(Node { path, depth, name, shown, matched });
            return;
        }
        let folded = self.folded.contains(&path);
        let matched = self.holds_match(&path);
        let shown = Shown::Branch(value, folded);
        self.nodes.push(Node { path: path.clone(), depth, name, shown, matched });
        if !folded {
            self.parts(value, &path, depth + 1);
        }
    }

    fn stretches(&self, path: &str, at: usize) -> Option<&'e [Range<usize>]> {
        Some(self.event.parts.get(&OcsfPath(path.to_owned()))?.get(&at)?.as_slice())
    }

    fn holds_match(&self, path: &str) -> bool {
        self.event.parts.keys().any(|column| {
            column.as_str().strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

/// A value as text: without quotes, as what is searched and pointed at in it are bytes of the text itself.
pub(crate) fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
