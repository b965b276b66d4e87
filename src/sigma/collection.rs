//! The documents of a file as rules: `action: global`, `reset` and `repeat` of rule collections are carried
//! out on the tree, so every part of a rule still points at where it is written.

use std::path::Path;
use std::sync::Arc;

use super::document::{Source, action};
use super::problem::{Problem, ProblemKind};
use super::rule::Rule;
use super::span::Span;
use super::yaml::{self, Node, NodeKind};

/// The rules of a file's text, one for each document that is one. A text without any gives one unreadable rule.
#[must_use]
pub fn parse(path: &Path, text: &str) -> Vec<Rule> {
    let source = Source { path: Arc::from(path), text: Arc::from(text) };
    let (documents, error) = yaml::parse_leading(text);
    let count = documents.len();
    let mut collection =
        Collection { source: &source, global: None, previous: None, nodes: 0, rules: Vec::new() };
    for (index, document) in documents.into_iter().enumerate() {
        collection.document(index, document);
    }
    let mut rules = collection.rules;
    if let Some(error) = error {
        rules.push(source.unreadable(count, error.span, error));
    } else if rules.is_empty() {
        rules.push(source.unreadable(0, Span::START, no_rule(count)));
    }
    rules
}

fn no_rule(documents: usize) -> Problem {
    if documents == 0 {
        Problem::new(ProblemKind::Parse, Span::START, "the file holds no rule")
            .with_help("begin with `title: …`")
    } else {
        Problem::new(
            ProblemKind::Collection,
            Span::START,
            "the file has `action` documents only, and no rule",
        )
        .with_help("add a rule behind `---`")
    }
}

struct Collection<'a> {
    source: &'a Source,
    /// The keys of every `global` document since the last `reset`.
    global: Option<Node>,
    /// The last event rule, with what it had from `global`.
    previous: Option<Node>,
    /// The nodes that merging has written so far.
    nodes: usize,
    rules: Vec<Rule>,
}

impl Collection<'_> {
    fn document(&mut self, index: usize, document: Node) {
        let span = document.span;
        let rule = match document.get("action").map(|_| action(&document)) {
            None => self.plain(index, document),
            Some(Some("global")) => self.add_global(index, document),
            Some(Some("reset")) => {
                self.global = None;
                None
            }
            Some(Some("repeat")) => Some(self.repeat(index, document)),
            Some(Some("correlation")) => Some(self.source.rule(index, span, &document)),
            Some(other) => Some(self.refuse_action(index, &document, other)),
        };
        self.rules.extend(rule);
    }

    fn plain(&mut self, index: usize, document: Node) -> Option<Rule> {
        let span = document.span;
        if document.get("correlation").is_some() || document.get("filter").is_some() {
            return Some(self.source.rule(index, span, &document));
        }
        let document = match &self.global {
            Some(global) if matches!(document.kind, NodeKind::Mapping(_)) => {
                if let Err(problem) = within_limits(&mut self.nodes, span, &[global, &document]) {
                    return Some(self.source.unreadable(index, span, problem));
                }
                merged(document, global.clone())
            }
            _ => document,
        };
        let rule = self.source.rule(index, span, &document);
        self.previous = Some(document);
        Some(rule)
    }

    fn add_global(&mut self, index: usize, document: Node) -> Option<Rule> {
        let span = document.span;
        let document = without_action(document);
        self.global = Some(match self.global.take() {
            None => document,
            Some(global) => match within_limits(&mut self.nodes, span, &[&global, &document]) {
                Ok(()) => merged(global, document),
                Err(problem) => return Some(self.source.unreadable(index, span, problem)),
            },
        });
        None
    }

    fn repeat(&mut self, index: usize, document: Node) -> Rule {
        let span = document.span;
        let Some(previous) = &self.previous else {
            let message = "`action: repeat` has no rule before it to repeat";
            let problem = Problem::new(ProblemKind::Collection, action_span(&document), message);
            return self.source.unreadable(index, span, problem.with_help("put the rule before it"));
        };
        if let Err(problem) = within_limits(&mut self.nodes, span, &[previous, &document]) {
            return self.source.unreadable(index, span, problem);
        }
        let repeated = merged(previous.clone(), without_action(document));
        let rule = self.source.rule(index, span, &repeated);
        self.previous = Some(repeated);
        rule
    }

    fn refuse_action(&self, index: usize, document: &Node, action: Option<&str>) -> Rule {
        let span = action_span(document);
        let problem = match action {
            Some("include") => {
                Problem::new(ProblemKind::Collection, span, "`action: include` is not carried out")
                    .with_help("name the included file among the rules, and remove this document")
            }
            Some(other) => Problem::new(
                ProblemKind::Collection,
                span,
                format!("`{other}` is not an action of a collection"),
            )
            .with_help("one of: global, reset, repeat, correlation"),
            None => Problem::new(ProblemKind::Collection, span, "`action` takes a word")
                .with_help("one of: global, reset, repeat, correlation"),
        };
        self.source.unreadable(index, document.span, problem)
    }
}

fn action_span(document: &Node) -> Span {
    document.get("action").map_or(document.span, |node| node.span)
}

fn without_action(mut document: Node) -> Node {
    if let NodeKind::Mapping(entries) = &mut document.kind {
        entries.retain(|(key, _)| key.value != "action");
    }
    document
}

/// `base` updated deeply with `update`, which wins where both have a key.
fn merged(base: Node, update: Node) -> Node {
    match (base.kind, update.kind) {
        (NodeKind::Mapping(mut entries), NodeKind::Mapping(updates)) => {
            for (key, value) in updates {
                match entries.iter_mut().find(|(known, _)| known.value == key.value) {
                    Some(entry) if is_map(&entry.1) && is_map(&value) => {
                        let empty = Node { kind: NodeKind::Null, span: entry.1.span };
                        entry.1 = merged(std::mem::replace(&mut entry.1, empty), value);
                    }
                    Some(entry) => *entry = (key, value),
                    None => entries.push((key, value)),
                }
            }
            Node { kind: NodeKind::Mapping(entries), span: base.span }
        }
        (_, kind) => Node { kind, span: update.span },
    }
}

fn is_map(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Mapping(_))
}

/// Counts what a merge writes; a file may hold few nodes and still ask for very many.
fn within_limits(written: &mut usize, span: Span, parts: &[&Node]) -> Result<(), Problem> {
    *written = parts.iter().fold(*written, |sum, part| sum.saturating_add(weight(part)));
    if *written <= yaml::MAX_NODES {
        return Ok(());
    }
    let message = format!("merging the collections of this file makes over {} nodes", yaml::MAX_NODES);
    Err(Problem::new(ProblemKind::Limit, span, message).with_help("split the file"))
}

/// The nodes of a tree; long text counts for more.
fn weight(node: &Node) -> usize {
    let own = 1 + node.as_str().map_or(0, |text| text.len() / 64);
    let items: usize = node.items().iter().map(weight).sum();
    let entries: usize = node.entries().iter().map(|(key, value)| key.value.len() / 64 + weight(value)).sum();
    own + items + entries
}
