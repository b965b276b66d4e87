//! From a document to a rule.

use std::path::Path;
use std::sync::Arc;

use super::correlation::correlation;
use super::detection::detection;
use super::metadata::{logsource, metadata};
use super::problem::{Problem, ProblemKind};
use super::rule::{Body, Filter, LogSource, Metadata, Rule};
use super::span::{Span, Spanned};
use super::yaml::{Node, NodeKind};

/// The file that rules come from.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) path: Arc<Path>,
    pub(super) text: Arc<str>,
}

impl Source {
    /// A document of which nothing can be read but why.
    pub(super) fn unreadable(&self, document: usize, span: Span, problem: Problem) -> Rule {
        Rule {
            path: Arc::clone(&self.path),
            text: Arc::clone(&self.text),
            document,
            span,
            metadata: Metadata::default(),
            logsource: LogSource { span: span.head(), ..LogSource::default() },
            body: Body::Unreadable,
            problems: vec![problem],
        }
    }

    /// Reads a document: the `index`th of the file, and standing at `span`.
    pub(super) fn rule(&self, index: usize, span: Span, document: &Node) -> Rule {
        if !matches!(document.kind, NodeKind::Mapping(_)) {
            let message = format!("a rule is a map, not {}", document.type_name());
            let problem = Problem::new(ProblemKind::Parse, span, message);
            return self.unreadable(index, span, problem.with_help("begin with `title: …`"));
        }
        let mut problems = Vec::new();
        let metadata = metadata(document, &mut problems);
        let body = self.body(document, &mut problems);
        let logsource = match document.get("logsource") {
            Some(node) => logsource(node, &mut problems),
            None => LogSource { span: span.head(), ..LogSource::default() },
        };
        check_parts(document, &metadata, &body, &mut problems);
        problems.sort_by_key(|problem| problem.span.start);
        Rule {
            path: Arc::clone(&self.path),
            text: Arc::clone(&self.text),
            document: index,
            span,
            metadata,
            logsource,
            body,
            problems,
        }
    }

    fn body(&self, document: &Node, problems: &mut Vec<Problem>) -> Body {
        let kinds: Vec<_> = ["detection", "correlation", "filter"]
            .iter()
            .filter_map(|kind| document.key(kind).zip(document.get(kind)))
            .collect();
        if let [(first, _), (second, _), ..] = kinds.as_slice() {
            let message = format!("a document has one of `{}` and `{}`", first.value, second.value);
            let problem = Problem::new(ProblemKind::Parse, second.span, message);
            problems.push(problem.with_help("put them into documents of their own, with `---` between"));
        }
        match kinds.first() {
            Some((key, node)) if key.value == "detection" => {
                Body::Event(detection("detection", node, &self.text, problems))
            }
            Some((key, node)) if key.value == "correlation" => {
                Body::Correlation(correlation(document, node, &self.text, problems))
            }
            Some((_, node)) => Body::Filter(filter(node, &self.text, problems)),
            None if action(document) == Some("correlation") => {
                Body::Correlation(correlation(document, document, &self.text, problems))
            }
            None => {
                let message = "this document has no `detection`";
                let problem = Problem::new(ProblemKind::Parse, document.span.head(), message);
                problems.push(problem.with_help("add a `detection` with selections and a `condition`"));
                Body::Unreadable
            }
        }
    }
}

/// What a document of a rule collection does, where it is one.
pub(super) fn action(document: &Node) -> Option<&str> {
    document.get("action").and_then(Node::as_str)
}

/// What each kind of document needs besides its logic.
fn check_parts(document: &Node, metadata: &Metadata, body: &Body, problems: &mut Vec<Problem>) {
    let mut missing = |what: &str, help: &str| {
        let problem =
            Problem::new(ProblemKind::Parse, document.span.head(), format!("the rule has no `{what}`"));
        problems.push(problem.with_help(help));
    };
    if matches!(body, Body::Event(_)) && metadata.title.is_none() {
        missing("title", "add `title: …`");
    }
    if matches!(body, Body::Event(_) | Body::Filter(_)) && document.get("logsource").is_none() {
        missing("logsource", "add `logsource:` with a `category`, `product` or `service`");
    }
}

pub(super) fn required<'a>(
    node: &'a Node,
    block: &str,
    keys: &[&str],
    problems: &mut Vec<Problem>,
) -> Option<&'a Node> {
    let found = keys.iter().find_map(|key| node.get(key)).filter(|value| !value.is_null());
    if let (None, Some(key)) = (found, keys.first()) {
        let message = format!("this {block} has no `{key}`");
        problems.push(
            Problem::new(ProblemKind::Parse, node.span.head(), message).with_help(format!("add `{key}: …`")),
        );
    }
    found
}

/// Reads a `filter` block that stands in `source`.
fn filter(node: &Node, source: &str, problems: &mut Vec<Problem>) -> Filter {
    let rules = required(node, "filter", &["rules"], problems);
    if !node.entries().iter().any(|(key, _)| !matches!(key.value.as_str(), "rules" | "condition")) {
        problems.push(Problem::new(ProblemKind::Parse, node.span.head(), "this filter has no selection"));
    }
    let all = rules.and_then(Node::as_str).is_some_and(|rules| rules == "any");
    let rules = rules.filter(|_| !all).map_or_else(Vec::new, |rules| texts(rules, problems));
    let mut logic = node.clone();
    if let NodeKind::Mapping(entries) = &mut logic.kind {
        entries.retain(|(key, _)| key.value != "rules");
    }
    Filter { rules, detection: detection("filter", &logic, source, problems), node: node.clone() }
}

pub(super) fn texts(node: &Node, problems: &mut Vec<Problem>) -> Vec<Spanned<String>> {
    match &node.kind {
        NodeKind::Sequence(items) => items.iter().filter_map(|item| text(item, problems)).collect(),
        _ => text(node, problems).into_iter().collect(),
    }
}

pub(super) fn text(node: &Node, problems: &mut Vec<Problem>) -> Option<Spanned<String>> {
    let text = node.scalar_text().map(|text| Spanned::new(text, node.span));
    if text.is_none() {
        let message = format!("this takes text, not {}", node.type_name());
        problems.push(Problem::new(ProblemKind::Parse, node.span, message));
    }
    text
}
