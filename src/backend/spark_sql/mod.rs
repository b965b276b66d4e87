//! Backend `spark_sql`: plans as Spark SQL.
//!
//! The emission is that of `duckdb_sql`: class filter, route filters in stored order, then the rule's tests in source
//! order, one a line. Text is compared without case through columns that the view has beside the stored ones,
//! `lower(path)` and `upper(path)`, so that an event's text is folded once for all rules (`fold`). What Spark cannot say
//! exactly is refused by `limits`.
//!
//! The statements count on a session with `spark.sql.caseSensitive`, without `spark.sql.variable.substitute`, without
//! `spark.sql.parser.escapedStringLiterals`, and in UTC; the runner of an exported job sets all of that.

mod correlation;
mod fold;
mod limits;
mod literal;
mod network;
mod pattern;
mod regex;
mod scalar;
mod test;
mod window;

use std::collections::BTreeMap;

use super::layout::{Layout, origin};
use super::{Sql, sql_parts};
use crate::bridge::ir::Expr;
use crate::bridge::{ColumnType, CorrelationPlan, Plan, RoutedScope};
use crate::ocsf::{FieldType, OcsfPath};
use crate::pack::{FilterOp, RouteFilter};

pub(crate) use fold::{letter_sql, letters};
pub use limits::CODES;
pub(crate) use limits::refusals;

/// The backend's id, as plans record it.
pub const ID: &str = "spark_sql";

/// The line of Spark that the statements are made for (SUPPORTED_VERSIONS.md).
pub const SPARK_VERSION: &str = "3.5";

/// The relation that plans read: the dataset's dotted view.
const RELATION: &str = "ocsf_events";

/// The column of the view that holds an event's host.
const HOST: &str = "`host of event`";

/// `plan` as one statement that yields the id and time of every matching event. Whether Spark keeps its meaning is for
/// `limits` to say.
#[must_use]
pub fn emit(plan: &Plan) -> Sql {
    let (scope, body) = body(plan);
    let (predicate, origins) = body.finish();
    let head = format!("SELECT `metadata.event_id`, `time`\nFROM {RELATION}\nWHERE ");
    let indented = predicate.replace('\n', "\n  ");
    let lines = [None, None].into_iter().chain(origins).collect();
    Sql { text: format!("{head}{indented}"), predicate, scope, lines }
}

/// `plan` as one statement that yields every window in which it fires, with its host. Whether Spark keeps its meaning is
/// for `limits` to say.
#[must_use]
pub fn emit_correlation(plan: &CorrelationPlan) -> Sql {
    correlation::emit(plan)
}

/// What a rule asks of an event, for a statement that asks for more.
fn rule_body(plan: &Plan) -> String {
    body(plan).1.text()
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

/// The classes of a scope, as a test that files and row groups are pruned by.
pub(crate) fn class_filter(scope: &RoutedScope) -> String {
    let classes: Vec<String> = scope.class_uids.iter().map(ToString::to_string).collect();
    format!("`class_uid` IN ({})", classes.join(", "))
}

/// What a plan asks of an event of its scope.
pub(crate) fn condition(plan: &Plan) -> String {
    let mut body = Layout::default();
    group(&mut body, &plan.predicate, "", 0);
    body.text()
}

/// The columns that a statement reads beside those that are stored, each with the expression that makes it of them.
pub(crate) fn derived(columns: &BTreeMap<OcsfPath, ColumnType>, statement: &str) -> BTreeMap<String, String> {
    let texts = columns.iter().filter(|(_, column)| column.field_type == FieldType::String);
    let each = texts.flat_map(|(path, column)| {
        let stored = literal::identifier(path.as_str());
        let by = |function: fn(&str) -> String| match column.list {
            true => format!("transform({stored}, v_ -> {})", function("v_")),
            false => function(&stored),
        };
        let (lower, upper) = (scalar::lower_name(path.as_str()), scalar::upper_name(path.as_str()));
        let is_read = |name: &str| statement.contains(&literal::identifier(name));
        let lower = is_read(&lower).then(|| (lower, by(fold::lower)));
        let upper = is_read(&upper).then(|| (upper, by(fold::upper)));
        lower.into_iter().chain(upper)
    });
    each.collect()
}

fn routing(scope: &RoutedScope) -> Layout {
    let mut body = Layout::default();
    body.line(0, class_filter(scope), None);
    for filter in &scope.filters {
        body.line(0, format!("AND {}", route_filter(filter)), None);
    }
    body
}

/// A producer predicate; of a list, whether any element satisfies it.
fn route_filter(filter: &RouteFilter) -> String {
    let column = literal::identifier(filter.path.as_str());
    let value = literal::json(&filter.value);
    let finds = |subject: &str| test::finds(subject, &limits::filter_regex(filter));
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
        _ => term(body, expr, prefix, depth, Some("AND ")),
    }
}

/// Writes `expr` between terms that are joined by a connective, if by any.
fn term(body: &mut Layout, expr: &Expr, prefix: &str, depth: usize, joined_by: Option<&'static str>) {
    match expr {
        Expr::Predicate(predicate) => {
            for (index, line) in test::lines(predicate).into_iter().enumerate() {
                let prefix = if index == 0 { prefix } else { "" };
                body.line(depth, format!("{prefix}{line}"), origin(predicate.span));
            }
        }
        Expr::Selection { name, span, body: inner } => {
            body.line(depth, format!("-- {}", comment(name)), origin(*span));
            term(body, inner, prefix, depth, joined_by);
        }
        Expr::Not(inner) => term(body, inner, &format!("{prefix}NOT "), depth, None),
        Expr::And(parts) if joined_by == Some("AND ") => joined(body, parts, "AND ", prefix, depth),
        Expr::Or(parts) if joined_by == Some("OR ") => joined(body, parts, "OR ", prefix, depth),
        Expr::And(_) | Expr::Or(_) => group(body, expr, prefix, depth),
    }
}

fn joined(body: &mut Layout, parts: &[Expr], connective: &'static str, prefix: &str, depth: usize) {
    let mut prefix = prefix;
    for part in parts {
        term(body, part, prefix, depth, Some(connective));
        prefix = connective;
    }
}

fn group(body: &mut Layout, expr: &Expr, prefix: &str, depth: usize) {
    body.line(depth, format!("{prefix}("), None);
    match expr {
        Expr::And(parts) => joined(body, parts, "AND ", "", depth + 1),
        Expr::Or(parts) => joined(body, parts, "OR ", "", depth + 1),
        other => term(body, other, "", depth + 1, None),
    }
    body.line(depth, ")", None);
}

/// A name, safe in a comment: a backslash at its end would draw the next line into it, and Spark puts variables in the
/// place of `${…}` wherever it stands.
fn comment(name: &str) -> String {
    let safe = |c: char| c == ' ' || c.is_ascii_graphic() && !matches!(c, '\\' | '$');
    name.chars().map(|c| if safe(c) { c } else { '?' }).collect()
}
