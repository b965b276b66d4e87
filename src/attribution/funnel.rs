//! The funnel: class, filters, selections, predicates and condition as rows, in the order of the rule.

use std::collections::BTreeMap;

use super::cause::class_text;
use super::literals::clip;
use super::model::{FunnelRow, RowKind, ValueCount};
use super::numbers::Numbers;
use super::outline::{Node, Outline};
use super::words::{describe, describe_filter};
use crate::bridge::Plan;

/// The rows of a rule. `common` has the commonest values of the fields of predicates, by node.
pub(super) fn rows(
    plan: &Plan,
    outline: &Outline<'_>,
    numbers: &Numbers,
    mut common: BTreeMap<usize, Vec<ValueCount>>,
) -> Vec<FunnelRow> {
    let route = |kind, label, events| FunnelRow {
        kind,
        depth: 0,
        label,
        place: None,
        events,
        cumulative: true,
        alone: None,
        filled: None,
        common: Vec::new(),
    };
    let mut rows = vec![route(RowKind::Class, class_text(&plan.scope.class_uids), numbers.scope.class)];
    let filters = plan.scope.filters.iter().zip(&numbers.scope.filters);
    rows.extend(filters.map(|(filter, events)| route(RowKind::Filter, describe_filter(filter), *events)));
    let mut writer = Writer { outline, numbers, common: &mut common, rows };
    for (at, events) in outline.conjuncts.iter().zip(&numbers.cumulative) {
        writer.part(*at, 0, Some(*events));
    }
    writer.rows.push(FunnelRow {
        alone: Some(numbers.matches()),
        ..route(RowKind::Condition, "condition".to_owned(), numbers.matches())
    });
    writer.rows
}

struct Writer<'a> {
    outline: &'a Outline<'a>,
    numbers: &'a Numbers,
    common: &'a mut BTreeMap<usize, Vec<ValueCount>>,
    rows: Vec<FunnelRow>,
}

impl Writer<'_> {
    /// The row of a node and those below it; `left` where it is a step.
    fn part(&mut self, at: usize, depth: usize, left: Option<u64>) {
        match self.outline.nodes.get(at) {
            Some(Node::Selection { name, body, .. }) => {
                self.row(at, RowKind::Selection, depth, (*name).to_owned(), left);
                self.inside(*body, depth + 1);
            }
            Some(Node::Predicate(predicate)) => {
                self.row(at, RowKind::Predicate, depth, describe(predicate), left);
            }
            Some(Node::Not(part)) => {
                self.row(at, RowKind::Group, depth, clip(&self.outline.label(at)), left);
                self.part(*part, depth + 1, None);
            }
            Some(Node::All(_) | Node::Any(_)) => {
                self.row(at, RowKind::Group, depth, self.group_label(at), left);
                self.inside(at, depth + 1);
            }
            None => {}
        }
    }

    /// The parts of a node that has a row already.
    fn inside(&mut self, at: usize, depth: usize) {
        match self.outline.nodes.get(at) {
            Some(Node::All(parts) | Node::Any(parts)) => {
                for part in parts {
                    self.part(*part, depth, None);
                }
            }
            _ => self.part(at, depth, None),
        }
    }

    fn row(&mut self, at: usize, kind: RowKind, depth: usize, label: String, left: Option<u64>) {
        let alone = self.numbers.alone.get(at).copied().unwrap_or_default();
        self.rows.push(FunnelRow {
            kind,
            depth,
            label,
            place: self.outline.place(at),
            events: left.unwrap_or(alone),
            cumulative: left.is_some(),
            alone: Some(alone),
            filled: self.numbers.filled.get(&at).copied(),
            common: self.common.remove(&at).unwrap_or_default(),
        });
    }

    /// The condition's words where it names selections, else how many parts of which field.
    fn group_label(&self, at: usize) -> String {
        let (word, parts) = match self.outline.nodes.get(at) {
            Some(Node::All(parts)) => ("all", parts),
            Some(Node::Any(parts)) => ("any", parts),
            _ => return String::new(),
        };
        let fields: Option<Vec<&str>> = parts
            .iter()
            .map(|part| self.outline.predicate(*part).map(|predicate| predicate.field.0.as_str()))
            .collect();
        match fields.as_deref() {
            Some([first, rest @ ..]) if rest.iter().all(|field| field == first) => {
                format!("{first}: {word} of {}", parts.len())
            }
            _ if self.names_selections(at) => clip(&self.outline.label(at)),
            _ => format!("{word} of {}", parts.len()),
        }
    }

    fn names_selections(&self, at: usize) -> bool {
        match self.outline.nodes.get(at) {
            Some(Node::All(parts) | Node::Any(parts)) => {
                parts.iter().any(|part| self.names_selections(*part))
            }
            Some(Node::Not(part)) => self.names_selections(*part),
            Some(Node::Selection { .. }) => true,
            Some(Node::Predicate(_)) | None => false,
        }
    }
}
