//! Backend `duckdb_sql`: plans as DuckDB SQL (specification, "DuckDB SQL adapter requirements").
//!
//! Emission is fixed: class filter, route filters in stored order, then the rule's tests in source order; one
//! test a line, each selection under a comment with its name; keywords upper case, two spaces a level.

mod correlation;
mod literal;
pub(crate) mod lowered;
mod network;
mod pattern;
pub(crate) mod pieces;
mod scalar;
mod test;
mod window;

use std::borrow::Cow;

use memchr::memchr;

use super::layout::{Layout, origin};
use super::{Sql, sql_parts};
use crate::bridge::ir::{Expr, Predicate};
use crate::bridge::{Plan, RoutedScope};
use crate::pack::{FilterOp, RouteFilter};
pub use correlation::emit_correlation;

/// The backend's id, as plans record it.
pub const ID: &str = "duckdb_sql";

/// The relation that plans read: the dataset's dotted view.
pub const RELATION: &str = "ocsf_events";

/// `plan` as one statement that yields the id and time of every matching event.
#[must_use]
pub fn emit(plan: &Plan) -> Sql {
    let (scope, body) = body(plan);
    let (predicate, origins) = body.finish();
    let head = format!("SELECT \"metadata.event_id\", \"time\"\nFROM {RELATION}\nWHERE ");
    let mut text = String::with_capacity(head.len() + predicate.len() + 2 * origins.len());
    text.push_str(&head);
    let mut rest = predicate.as_str();
    while let Some((line, below)) =
        memchr(b'\n', rest.as_bytes()).and_then(|end| rest.split_at_checked(end + 1))
    {
        text.extend([line, "  "]);
        rest = below;
    }
    text.push_str(rest);
    let lines = [None, None].into_iter().chain(origins).collect();
    Sql { text, predicate, scope, lines }
}

/// What a rule asks of an event, for a statement that asks for more.
fn rule_body(plan: &Plan) -> String {
    body(plan).1.text()
}

/// The class and producer filters of a scope, for the body of a `WHERE`.
#[must_use]
pub fn scope(scope: &RoutedScope) -> String {
    routing(scope).text()
}

/// What must hold of an event, in parentheses.
#[must_use]
pub fn condition(expr: &Expr) -> String {
    let mut layout = Layout::default();
    group(&mut layout, expr, "", 0);
    layout.text()
}

fn routing(scope: &RoutedScope) -> Layout {
    let mut body = Layout::default();
    body.line(0, class_filter(scope), None);
    for filter in &scope.filters {
        body.begin(0, None).extend(["AND ", &*route_filter(filter)]);
    }
    body
}

/// The part that routes, and all of it.
fn body(plan: &Plan) -> (String, Layout) {
    let mut body = routing(&plan.scope);
    let scope = body.text();
    match &plan.predicate {
        Expr::Or(_) => group(&mut body, &plan.predicate, "AND ", 0),
        predicate => conjunct(&mut body, predicate, "AND ", 0),
    }
    (scope, body)
}

fn class_filter(scope: &RoutedScope) -> String {
    let classes: Vec<String> = scope.class_uids.iter().map(ToString::to_string).collect();
    format!("\"class_uid\" IN ({})", classes.join(", "))
}

/// A producer predicate; of a list, whether any element satisfies it.
fn route_filter(filter: &RouteFilter) -> String {
    let column = scalar::identifier(filter.path.as_str());
    let value = literal::json(&filter.value);
    let finds = |subject: &str| format!("regexp_matches({subject}, {value})");
    let on = |subject: &str| sql_parts::route_filter(filter, subject, &value, test::text_match, &finds);
    match filter.list && filter.op != FilterOp::Exists {
        true => test::any_element(&column, on),
        false => on(&column),
    }
}

/// Writes `expr` as part of a conjunction: the parts of an AND follow each other without parentheses.
fn conjunct(body: &mut Layout, expr: &Expr, prefix: &str, depth: usize) {
    match expr {
        Expr::And(parts) => joined(body, parts, "AND ", prefix, depth),
        _ => term(body, expr, prefix, depth, Joined::By("AND ")),
    }
}

/// What the lines around a term are joined by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joined {
    By(&'static str),
    Nothing,
}

fn term(body: &mut Layout, expr: &Expr, prefix: &str, depth: usize, joined_by: Joined) {
    match expr {
        Expr::Predicate(predicate) => test(body, predicate, prefix, depth),
        Expr::Selection { name, span, body: inner } => {
            body.begin(depth, origin(*span)).extend(["-- ", &*comment(name)]);
            term(body, inner, prefix, depth, joined_by);
        }
        Expr::Not(inner) => term(body, inner, &format!("{prefix}NOT "), depth, Joined::Nothing),
        Expr::And(parts) if joined_by == Joined::By("AND ") => joined(body, parts, "AND ", prefix, depth),
        Expr::Or(parts) if joined_by == Joined::By("OR ") => joined(body, parts, "OR ", prefix, depth),
        Expr::And(_) | Expr::Or(_) => group(body, expr, prefix, depth),
    }
}

/// Writes one test, on several lines where it holds a long list.
fn test(body: &mut Layout, predicate: &Predicate, prefix: &str, depth: usize) {
    let origin = origin(predicate.span);
    let sql = body.begin(depth, origin);
    sql.push_str(prefix);
    let start = sql.len();
    test::write_field(sql, &predicate.source, &predicate.test);
    if let Some(lines) = test::lines(predicate, sql.len() - start) {
        sql.truncate(start);
        let mut lines = lines.into_iter();
        sql.extend(lines.next());
        lines.for_each(|line| body.line(depth, line, origin));
    }
}

fn joined(body: &mut Layout, parts: &[Expr], connective: &'static str, prefix: &str, depth: usize) {
    let mut rest = parts;
    let mut prefix = prefix;
    while let Some(part) = rest.first() {
        let alike = if connective == "OR " { alike(body, rest, prefix, depth) } else { 0 };
        if alike == 0 {
            term(body, part, prefix, depth, Joined::By(connective));
        }
        rest = rest.get(alike.max(1)..).unwrap_or_default();
        prefix = connective;
    }
}

/// Writes the tests that `parts`, of which any has to hold, begin with and that share what they look at; how many.
fn alike(body: &mut Layout, parts: &[Expr], prefix: &str, depth: usize) -> usize {
    let in_list = test::alike(parts);
    if in_list.len() > 1 {
        any_of_list(body, &in_list, prefix, depth);
        return in_list.len();
    }
    network::alike(body, parts, prefix, depth)
}

/// Tests of one LIST of which any has to hold, in one search of it: a search for each, and DuckDB compares every
/// search with every other while it plans the statement.
fn any_of_list(body: &mut Layout, alike: &[&Predicate], prefix: &str, depth: usize) {
    let Some(first) = alike.first() else { return };
    let list = test::list(&first.source);
    body.line(depth, format!("{prefix}coalesce(len(list_filter({list}, lambda x:"), origin(first.span));
    for (index, predicate) in alike.iter().enumerate() {
        let sql = body.begin(depth + 1, origin(predicate.span));
        sql.push_str(if index == 0 { "" } else { "OR " });
        test::write_compared(sql, "x", &predicate.test);
    }
    body.line(depth, ")) > 0, false)", None);
}

fn group(body: &mut Layout, expr: &Expr, prefix: &str, depth: usize) {
    body.begin(depth, None).extend([prefix, "("]);
    match expr {
        Expr::And(parts) => joined(body, parts, "AND ", "", depth + 1),
        Expr::Or(parts) => joined(body, parts, "OR ", "", depth + 1),
        other => term(body, other, "", depth + 1, Joined::Nothing),
    }
    body.line(depth, ")", None);
}

/// A name or title, safe in a comment: it is the rule author's, and a line break would end the comment.
fn comment(name: &str) -> Cow<'_, str> {
    if name.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return name.into();
    }
    name.chars().map(|c| if matches!(c, ' '..='~') { c } else { '?' }).collect()
}
