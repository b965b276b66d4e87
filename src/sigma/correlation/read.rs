//! Reads a correlation, in the new form or in that of old rule collections, where the document is the block.

use super::timespan::Timespan;
use super::{
    Bound, BoundOperator, BoundValue, Bounds, Correlation, CorrelationKind, FieldAlias, WindowCondition,
};
use crate::sigma::condition::{Condition, Expression};
use crate::sigma::document::{required, text, texts};
use crate::sigma::problem::{Problem, ProblemKind};
use crate::sigma::rule::SigmaField;
use crate::sigma::span::{Span, Spanned};
use crate::sigma::suggest::nearest;
use crate::sigma::yaml::{Node, NodeKind};

/// The keys of the block.
const KEYS: [&str; 9] =
    ["type", "rules", "rule", "group-by", "timespan", "timeframe", "condition", "aliases", "generate"];

/// The keys of a condition's map.
const CONDITION_KEYS: [&str; 9] = ["gt", "gte", "lt", "lte", "eq", "neq", "range", "field", "percentile"];

/// Reads the block `node` of `document`, which stands in `source`.
pub(in crate::sigma) fn correlation(
    document: &Node,
    node: &Node,
    source: &str,
    problems: &mut Vec<Problem>,
) -> Correlation {
    if !std::ptr::eq(document, node) {
        unknown_keys(node, &KEYS, "correlation", problems);
    }
    let kind = required(node, "correlation", &["type"], problems).and_then(|node| kind(node, problems));
    let timespan = required(node, "correlation", &["timespan", "timeframe"], problems)
        .and_then(|node| timespan(node, problems));
    let condition = condition(node.get("condition"), source, problems);
    let rules = match condition {
        WindowCondition::Expression(_) => node.get("rules").filter(|rules| !rules.is_null()),
        _ => required(node, "correlation", &["rules", "rule"], problems),
    };
    let rules = rules.map_or_else(Vec::new, |node| listed(node, "rules", problems));
    check(kind.as_ref().map(|kind| kind.value), &condition, node.span, problems);
    Correlation {
        kind,
        rules,
        group_by: node.get("group-by").map_or_else(Vec::new, |node| fields(node, problems)),
        timespan,
        condition,
        aliases: node.get("aliases").map_or_else(Vec::new, |node| aliases(node, problems)),
        generate: [document, node].into_iter().any(|node| generate(node, problems)),
        node: node.clone(),
    }
}

fn parse_problem(span: Span, message: impl Into<String>) -> Problem {
    Problem::new(ProblemKind::Parse, span, message)
}

fn unknown_keys(node: &Node, known: &[&str], block: &str, problems: &mut Vec<Problem>) {
    for (key, _) in node.entries().iter().filter(|(key, _)| !known.contains(&key.value.as_str())) {
        let problem = parse_problem(key.span, format!("a {block} has no `{}`", key.value));
        problems.push(match nearest(&key.value, known.iter().copied()) {
            Some(near) => problem.with_help(format!("did you mean `{near}`?")),
            None => problem.with_help(format!("it has: {}", known.join(", "))),
        });
    }
}

fn kind(node: &Node, problems: &mut Vec<Problem>) -> Option<Spanned<CorrelationKind>> {
    let name = text(node, problems)?;
    let kind = CorrelationKind::from_name(&name.value);
    if kind.is_none() {
        let message = format!("`{}` is not a type of correlation", name.value);
        let known = CorrelationKind::ALL.map(CorrelationKind::as_str).join(", ");
        problems.push(parse_problem(name.span, message).with_help(format!("one of: {known}")));
    }
    kind.map(|kind| Spanned::new(kind, name.span))
}

fn timespan(node: &Node, problems: &mut Vec<Problem>) -> Option<Spanned<Timespan>> {
    let text = node.scalar_text().unwrap_or_default();
    let timespan = Timespan::from_text(&text);
    if timespan.is_none() {
        problems.push(
            parse_problem(node.span, format!("`{text}` is not a timespan"))
                .with_help("write a number above zero and one of s, m, h, d, w, M, y, such as `5m`"),
        );
    }
    timespan.map(|timespan| Spanned::new(timespan, node.span))
}

/// A list that has to hold something.
fn listed(node: &Node, key: &str, problems: &mut Vec<Problem>) -> Vec<Spanned<String>> {
    if matches!(&node.kind, NodeKind::Sequence(items) if items.is_empty()) {
        problems.push(
            parse_problem(node.span, format!("the list of `{key}` is empty")).with_help("name one or more"),
        );
    }
    texts(node, problems)
}

fn fields(node: &Node, problems: &mut Vec<Problem>) -> Vec<Spanned<SigmaField>> {
    if node.is_null() {
        return Vec::new();
    }
    texts(node, problems).into_iter().map(|name| name.map(SigmaField)).collect()
}

fn aliases(node: &Node, problems: &mut Vec<Problem>) -> Vec<FieldAlias> {
    require_map(node, "aliases", problems);
    let alias = |(name, entries): &(Spanned<String>, Node)| {
        require_map(entries, &name.value, problems);
        let entries = entries.entries().iter();
        let field = |(rule, field): &(Spanned<String>, Node)| {
            Some((rule.clone(), text(field, problems)?.map(SigmaField)))
        };
        FieldAlias { name: name.clone().map(SigmaField), fields: entries.filter_map(field).collect() }
    };
    node.entries().iter().map(alias).collect()
}

fn require_map(node: &Node, what: &str, problems: &mut Vec<Problem>) {
    if !matches!(node.kind, NodeKind::Mapping(_)) && !node.is_null() {
        problems.push(parse_problem(node.span, format!("`{what}` takes a map, not {}", node.type_name())));
    }
}

fn generate(node: &Node, problems: &mut Vec<Problem>) -> bool {
    match node.get("generate").map(|value| (&value.kind, value)) {
        None | Some((NodeKind::Null, _)) => false,
        Some((NodeKind::Boolean(generate), _)) => *generate,
        Some((_, value)) => {
            let message = format!("`generate` takes true or false, not {}", value.type_name());
            problems.push(parse_problem(value.span, message));
            false
        }
    }
}

fn condition(node: Option<&Node>, source: &str, problems: &mut Vec<Problem>) -> WindowCondition {
    let Some(node) = node.filter(|node| !node.is_null()) else { return WindowCondition::Absent };
    match &node.kind {
        NodeKind::Mapping(_) => WindowCondition::Bounds(bounds(node, problems)),
        NodeKind::String(text) => {
            let condition = Condition::new(Spanned::new(text.clone(), node.span), source);
            problems.extend(condition.expression.as_ref().err().cloned());
            problems.extend(condition.expression.iter().flat_map(Expression::leaves).filter_map(quantified));
            WindowCondition::Expression(condition)
        }
        _ => {
            let message = format!("`condition` takes a map or text, not {}", node.type_name());
            problems.push(parse_problem(node.span, message).with_help("write for example `gte: 10`"));
            WindowCondition::Absent
        }
    }
}

fn quantified(leaf: &Expression) -> Option<Problem> {
    let Expression::Quantified(_, pattern) = leaf else { return None };
    let message = "the condition of a correlation names rules one by one, without `of`";
    Some(parse_problem(pattern.span, message).with_help("join the names by `and`, `or`, `not`"))
}

fn bounds(node: &Node, problems: &mut Vec<Problem>) -> Bounds {
    unknown_keys(node, &CONDITION_KEYS, "condition", problems);
    let mut bounds = Vec::new();
    for (key, value) in node.entries() {
        let operator = match key.value.as_str() {
            "gt" => BoundOperator::Gt,
            "gte" => BoundOperator::Gte,
            "lt" => BoundOperator::Lt,
            "lte" => BoundOperator::Lte,
            "eq" => BoundOperator::Eq,
            "neq" => BoundOperator::Neq,
            "range" => {
                bounds.extend(range(value, problems));
                continue;
            }
            _ => continue,
        };
        let span = key.span.to(value.span);
        let bound = number(value, problems).map(|value| Spanned::new(Bound { operator, value }, span));
        bounds.extend(bound);
    }
    let percentile = node.get("percentile").and_then(|node| percentile(node, problems));
    let fields = node.get("field").map_or_else(Vec::new, |node| fields(node, problems));
    Bounds { bounds, fields, percentile, span: node.span }
}

/// `a..b`, as old rules write both bounds.
fn range(node: &Node, problems: &mut Vec<Problem>) -> Vec<Spanned<Bound>> {
    let ends = node.as_str().and_then(|text| text.split_once(".."));
    let ends = ends.and_then(|(from, to)| Some((from.trim().parse().ok()?, to.trim().parse().ok()?)));
    let Some((from, to)) = ends else {
        let message = "`range` takes two whole numbers, such as `10..50`";
        problems.push(parse_problem(node.span, message));
        return Vec::new();
    };
    [(BoundOperator::Gte, from), (BoundOperator::Lte, to)]
        .map(|(operator, end)| Spanned::new(Bound { operator, value: BoundValue::Integer(end) }, node.span))
        .into()
}

fn number(node: &Node, problems: &mut Vec<Problem>) -> Option<BoundValue> {
    let value = match node.kind {
        NodeKind::Integer(number) => i64::try_from(number).ok().map(BoundValue::Integer),
        NodeKind::Float(number) if number.is_finite() => Some(BoundValue::Float(number)),
        _ => None,
    };
    if value.is_none() {
        let message = format!("a bound is a number within 64 bits, not {}", node.type_name());
        problems.push(parse_problem(node.span, message).with_help("write for example `gte: 10`"));
    }
    value
}

fn percentile(node: &Node, problems: &mut Vec<Problem>) -> Option<Spanned<f64>> {
    let value = match node.kind {
        NodeKind::Integer(number) => Some(number as f64),
        NodeKind::Float(number) => Some(number),
        _ => None,
    };
    let value = value.filter(|value| (0.0..=100.0).contains(value));
    if value.is_none() {
        problems.push(parse_problem(node.span, "`percentile` takes a number from 0 to 100"));
    }
    value.map(|value| Spanned::new(value, node.span))
}

/// The parts of a condition that its type asks for.
fn check(
    kind: Option<CorrelationKind>,
    condition: &WindowCondition,
    block: Span,
    problems: &mut Vec<Problem>,
) {
    let Some(kind) = kind else { return };
    let name = kind.as_str();
    match condition {
        WindowCondition::Absent if kind.is_temporal() => {}
        WindowCondition::Absent => problems.push(
            parse_problem(block.head(), format!("a correlation of type {name} has no `condition`"))
                .with_help("add a bound, such as `gte: 10`"),
        ),
        WindowCondition::Expression(condition) if !kind.is_temporal() => problems.push(
            parse_problem(
                condition.text.span,
                format!("only temporal types take a condition over rules, not {name}"),
            )
            .with_help("write a bound, such as `gte: 10`"),
        ),
        WindowCondition::Expression(_) => {}
        WindowCondition::Bounds(bounds) => check_bounds(kind, bounds, problems),
    }
}

fn check_bounds(kind: CorrelationKind, bounds: &Bounds, problems: &mut Vec<Problem>) {
    let name = kind.as_str();
    let mut wrong = |message: String, help: &str| {
        problems.push(parse_problem(bounds.span, message).with_help(help));
    };
    if bounds.bounds.is_empty() {
        wrong("the condition has no bound".to_owned(), "add one of gt, gte, lt, lte, eq, neq");
    }
    match (bounds.fields.len(), kind.takes_field()) {
        (0, true) => wrong(format!("a correlation of type {name} needs a `field`"), "add `field: …`"),
        (1.., false) => {
            wrong(
                format!("a correlation of type {name} looks at no `field`"),
                "remove it, or take a value type",
            );
        }
        (2.., true) if kind.takes_numbers() => {
            wrong(format!("a correlation of type {name} takes one `field`"), "name one");
        }
        _ => {}
    }
    match (bounds.percentile.is_some(), kind == CorrelationKind::ValuePercentile) {
        (false, true) => wrong("the condition names no `percentile`".to_owned(), "add one, from 0 to 100"),
        (true, false) => wrong(format!("a correlation of type {name} has no `percentile`"), "remove it"),
        _ => {}
    }
}
