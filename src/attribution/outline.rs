//! A condition laid out as numbered nodes, so that each can be counted, decided and shown.

use super::model::Place;
use crate::bridge::ir::{Expr, Predicate};
use crate::sigma::Span;

/// A condition, its nodes in the order in which they stand in the rule, parents before children.
#[derive(Clone, Debug)]
pub(super) struct Outline<'p> {
    pub(super) nodes: Vec<Node<'p>>,
    /// The parts that all have to hold, in order: what stands under AND at the top, or the whole condition.
    pub(super) conjuncts: Vec<usize>,
}

/// A part of a condition.
#[derive(Clone, Debug)]
pub(super) enum Node<'p> {
    All(Vec<usize>),
    Any(Vec<usize>),
    Not(usize),
    Selection { name: &'p str, span: Span, body: usize },
    Predicate(&'p Predicate),
}

impl<'p> Outline<'p> {
    pub(super) fn new(condition: &'p Expr) -> Self {
        let mut outline = Self { nodes: Vec::new(), conjuncts: Vec::new() };
        let root = outline.add(condition);
        outline.conjuncts = outline.parts(root);
        outline
    }

    /// The node of the whole condition.
    pub(super) const ROOT: usize = 0;

    fn add(&mut self, expr: &'p Expr) -> usize {
        let place = self.nodes.len();
        // Takes the place until the children are known.
        self.nodes.push(Node::All(Vec::new()));
        let node = match expr {
            Expr::And(parts) => Node::All(parts.iter().map(|part| self.add(part)).collect()),
            Expr::Or(parts) => Node::Any(parts.iter().map(|part| self.add(part)).collect()),
            Expr::Not(part) => Node::Not(self.add(part)),
            Expr::Selection { name, span, body } => {
                Node::Selection { name, span: *span, body: self.add(body) }
            }
            Expr::Predicate(predicate) => Node::Predicate(predicate),
        };
        if let Some(slot) = self.nodes.get_mut(place) {
            *slot = node;
        }
        place
    }

    fn parts(&self, at: usize) -> Vec<usize> {
        match self.nodes.get(at) {
            Some(Node::All(parts)) => parts.iter().flat_map(|part| self.parts(*part)).collect(),
            _ => vec![at],
        }
    }

    /// Each predicate with its node.
    pub(super) fn predicates(&self) -> impl Iterator<Item = (usize, &'p Predicate)> {
        self.nodes.iter().enumerate().filter_map(|(at, node)| match node {
            Node::Predicate(predicate) => Some((at, *predicate)),
            _ => None,
        })
    }

    pub(super) fn predicate(&self, at: usize) -> Option<&'p Predicate> {
        match self.nodes.get(at) {
            Some(Node::Predicate(predicate)) => Some(predicate),
            _ => None,
        }
    }

    /// A node as SQL over its predicates, whose own SQL `name` gives.
    pub(super) fn sql(&self, at: usize, name: &dyn Fn(usize) -> String) -> String {
        let joined = |parts: &[usize], by: &str| {
            let parts: Vec<String> = parts.iter().map(|part| self.sql(*part, name)).collect();
            format!("({})", parts.join(by))
        };
        match self.nodes.get(at) {
            Some(Node::All(parts)) => joined(parts, " AND "),
            Some(Node::Any(parts)) => joined(parts, " OR "),
            Some(Node::Not(part)) => format!("NOT {}", self.sql(*part, name)),
            Some(Node::Selection { body, .. }) => self.sql(*body, name),
            Some(Node::Predicate(_)) | None => name(at),
        }
    }

    /// Whether a node holds, given which predicates do.
    pub(super) fn holds(&self, at: usize, predicate: &dyn Fn(usize) -> bool) -> bool {
        match self.nodes.get(at) {
            Some(Node::All(parts)) => parts.iter().all(|part| self.holds(*part, predicate)),
            Some(Node::Any(parts)) => parts.iter().any(|part| self.holds(*part, predicate)),
            Some(Node::Not(part)) => !self.holds(*part, predicate),
            Some(Node::Selection { body, .. }) => self.holds(*body, predicate),
            Some(Node::Predicate(_)) => predicate(at),
            None => false,
        }
    }

    /// The selection that a node lies in, if any: the innermost, or the filter, which stands in another file.
    pub(super) fn selection_of(&self, at: usize) -> Option<(&'p str, Span)> {
        let mut found = None;
        let mut open = vec![(Self::ROOT, None)];
        while let Some((place, within)) = open.pop() {
            if place == at {
                found = within;
            }
            match self.nodes.get(place) {
                Some(Node::All(parts) | Node::Any(parts)) => {
                    open.extend(parts.iter().map(|part| (*part, within)));
                }
                Some(Node::Not(part)) => open.push((*part, within)),
                Some(Node::Selection { name, span, body }) => {
                    let of_filter = within.filter(|(_, span): &(_, Span)| span.start == span.end);
                    open.push((*body, of_filter.or(Some((*name, *span)))));
                }
                Some(Node::Predicate(_)) | None => {}
            }
        }
        found
    }

    /// A node in the condition's own words.
    pub(super) fn label(&self, at: usize) -> String {
        self.label_within(at, "")
    }

    fn label_within(&self, at: usize, around: &str) -> String {
        let joined = |parts: &[usize], by: &str| {
            let words: Vec<String> = parts.iter().map(|part| self.label_within(*part, by)).collect();
            let text = words.join(&format!(" {by} "));
            if around.is_empty() || around == by { text } else { format!("({text})") }
        };
        match self.nodes.get(at) {
            Some(Node::All(parts)) => joined(parts, "and"),
            Some(Node::Any(parts)) => joined(parts, "or"),
            Some(Node::Not(part)) => format!("not {}", self.label_within(*part, "not")),
            Some(Node::Selection { name, .. }) => (*name).to_owned(),
            Some(Node::Predicate(predicate)) => super::words::describe(predicate),
            None => String::new(),
        }
    }
}

impl Outline<'_> {
    /// Where a node stands in the rule: a selection or predicate itself, anything else from the first to the last of
    /// those in it.
    pub(super) fn place(&self, at: usize) -> Option<Place> {
        Place::of(self.span(at)?)
    }

    fn span(&self, at: usize) -> Option<Span> {
        match self.nodes.get(at)? {
            Node::All(parts) | Node::Any(parts) => {
                let spans = parts.iter().filter_map(|part| self.span(*part));
                spans.filter(|span| span.start != span.end).reduce(|one, other| {
                    let (first, last) = if other.start < one.start { (other, one) } else { (one, other) };
                    first.to(last)
                })
            }
            Node::Not(part) => self.span(*part),
            Node::Selection { span, .. } => Some(*span),
            Node::Predicate(predicate) => Some(predicate.span),
        }
    }

    /// The predicates that the condition asks for, not those that it excludes.
    pub(super) fn asked_for(&self) -> Vec<usize> {
        let mut found = Vec::new();
        self.collect_asked(Self::ROOT, true, &mut found);
        found
    }

    fn collect_asked(&self, at: usize, positive: bool, found: &mut Vec<usize>) {
        match self.nodes.get(at) {
            Some(Node::All(parts) | Node::Any(parts)) => {
                parts.iter().for_each(|part| self.collect_asked(*part, positive, found));
            }
            Some(Node::Not(part)) => self.collect_asked(*part, !positive, found),
            Some(Node::Selection { body, .. }) => self.collect_asked(*body, positive, found),
            Some(Node::Predicate(_)) if positive => found.push(at),
            Some(Node::Predicate(_)) | None => {}
        }
    }
}
