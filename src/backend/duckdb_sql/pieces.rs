//! Parts of a plan as SQL expressions, for statements that ask something else of the same events.

use std::collections::BTreeSet;

use super::{Plan, correlation, scalar, test};
use crate::backend::sql_parts::by_class;
use crate::backend::sql_windows::with;
use crate::bridge::ir::{Expr, FieldExpr, Predicate, Test};
use crate::bridge::{CorrelationPlan, WindowTest};
use crate::pack::{Computed, RouteFilter};

/// Whether an event is of the plan's classes; NULL where it has no class.
pub(crate) fn class_filter(plan: &Plan) -> String {
    super::class_filter(&plan.scope)
}

/// Whether an event passes a producer predicate; NULL where the attribute is.
pub(crate) fn route_filter(filter: &RouteFilter) -> String {
    super::route_filter(filter)
}

/// Whether a predicate holds; never NULL.
pub(crate) fn predicate(predicate: &Predicate) -> String {
    let line = test::field(&predicate.source, &predicate.test);
    test::lines(predicate, line.len()).map_or(line, |lines| lines.join(" "))
}

/// Whether there is anything for a predicate to look at; never NULL. For a test of presence that is the field itself,
/// an empty LIST included; for any other a value in it, and in the field that it is compared with.
pub(crate) fn filled(predicate: &Predicate) -> String {
    match &predicate.test {
        Test::Exists | Test::Missing => test::field(&predicate.source, &Test::Exists),
        Test::OtherText { other, .. } | Test::OtherNumber(other) => {
            format!("({} AND {})", has_value(&predicate.source), has_value(other))
        }
        _ => has_value(&predicate.source),
    }
}

/// Whether an event has a value in a field; an empty LIST has none. Never NULL.
pub(crate) fn has_value(source: &FieldExpr) -> String {
    match source {
        FieldExpr::Column(column) if !column.list => test::field(source, &Test::Exists),
        FieldExpr::Computed(computed) if !computed.list => test::field(source, &Test::Exists),
        FieldExpr::Column(_) | FieldExpr::Computed(_) => format!("len({}) > 0", values(source)),
        FieldExpr::AnyOf(sources) => {
            let parts: Vec<String> = sources.iter().map(has_value).collect();
            format!("({})", parts.join(" OR "))
        }
        FieldExpr::PerClass(sources) => by_class("\"class_uid\"", sources, has_value, Some("false")),
    }
}

/// Tests of a text `x`: those of `expr` whose regular expression DuckDB could refuse as too large, as it counts
/// repetitions or is long. No other constant of a statement can be too large for it.
pub(crate) fn large_expressions(expr: &Expr) -> BTreeSet<String> {
    /// Bytes of an expression of plain steps, far below the limit.
    const LONG: usize = 4096;
    let mut large = BTreeSet::new();
    expr.visit_predicates(&mut |predicate| {
        let counts = match &predicate.test {
            Test::Regex(regex) => regex.pattern.contains('{'),
            Test::Pattern { .. } => false,
            _ => return,
        };
        let compared = test::compared("x", &predicate.test);
        if counts || compared.len() >= LONG {
            large.insert(compared);
        }
    });
    large
}

/// What a computed field is: one value, or a LIST.
pub(crate) fn computed(computed: &Computed) -> String {
    scalar::computed(computed)
}

/// The values of a field as text, without NULLs: a LIST, never NULL.
pub(crate) fn values(source: &FieldExpr) -> String {
    format!("list_filter(coalesce({}, []), lambda v: v IS NOT NULL)", list(source))
}

/// The values as a LIST of text, NULL or with NULLs where there are none.
fn list(source: &FieldExpr) -> String {
    let of = |value: String, list: bool| match list {
        true => format!("CAST({value} AS VARCHAR[])"),
        false => format!("[CAST({value} AS VARCHAR)]"),
    };
    match source {
        FieldExpr::Column(column) => of(scalar::identifier(column.path.as_str()), column.list),
        FieldExpr::Computed(computed) => of(scalar::computed(computed), computed.list),
        FieldExpr::AnyOf(sources) => {
            let lists: Vec<String> =
                sources.iter().map(|source| format!("coalesce({}, [])", list(source))).collect();
            format!("flatten([{}])", lists.join(", "))
        }
        FieldExpr::PerClass(sources) => by_class("\"class_uid\"", sources, list, None),
    }
}

/// One row about a correlation's last step: how many events it groups, and the least and the most that a window
/// measures, as DOUBLE; for a test of which inputs were seen, the most of them that a window has. NULL where there is
/// no window.
pub(crate) fn correlation_extremes(plan: &CorrelationPlan) -> String {
    let mut ctes = correlation::ctes(plan);
    // The windows that fire: all of them are asked about here.
    ctes.pop();
    let mut text = with(ctes);
    let seen = |inputs: usize| {
        let each: Vec<String> =
            (1..=inputs).map(|number| format!("CAST(seen_{number} AS INTEGER)")).collect();
        each.join(" + ")
    };
    let measured = match plan.steps.last().map(|step| (&step.test, step.inputs.len())) {
        Some((WindowTest::Seen(_), inputs)) => seen(inputs),
        _ => "measured".to_owned(),
    };
    let number = format!("CAST({measured} AS DOUBLE)");
    let row = format!("SELECT (SELECT count(*) FROM events), min({number}), max({number}) FROM measured");
    text.line(0, row, None);
    text.text()
}
