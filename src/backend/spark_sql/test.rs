//! One test of one field as SQL. Each is two-valued: `coalesce(…, false)` makes NULL false before any NOT.

use super::scalar::{self, Letters};
use super::{limits, literal, network, pattern};
use crate::bridge::ir::{FieldExpr, Number, Predicate, Test};
use crate::ocsf::ClassUid;
use crate::sigma::{Comparison, TextMatch};

/// Columns past which a membership list is written one literal a line.
const WIDTH: usize = 100;

/// Milliseconds whose microseconds fit 64 bits: beyond, DuckDB has no part of a time, and Spark an error.
const TIMES: std::ops::RangeInclusive<i64> = -9_223_372_036_854_775..=9_223_372_036_854_775;

/// `predicate` as one line, or as several where it holds a long list.
pub(super) fn lines(predicate: &Predicate) -> Vec<String> {
    let line = field(&predicate.source, &predicate.test);
    match (&predicate.source, &predicate.test) {
        (FieldExpr::Column(column), Test::TextIn { values, .. })
            if line.len() > WIDTH && !column.list && values.len() > 1 =>
        {
            spread(&scalar::column(column.path.as_str(), letters(&predicate.test)), values)
        }
        _ => vec![line],
    }
}

fn spread(subject: &str, values: &[String]) -> Vec<String> {
    let mut lines = vec![format!("coalesce({subject} IN (")];
    for (index, value) in values.iter().enumerate() {
        let comma = if index + 1 < values.len() { "," } else { "" };
        lines.push(format!("  {}{comma}", literal::text(value)));
    }
    lines.push("), false)".to_owned());
    lines
}

/// Whether the test looks at letters without case.
fn letters(test: &Test) -> Letters {
    match test {
        Test::TextIn { cased: false, .. }
        | Test::Text { cased: false, .. }
        | Test::Pattern { cased: false, .. }
        | Test::OtherText { cased: false, .. } => Letters::Folded,
        _ => Letters::AsStored,
    }
}

fn field(source: &FieldExpr, test: &Test) -> String {
    match source {
        FieldExpr::Column(column) => {
            let stored = literal::identifier(column.path.as_str());
            let value = scalar::column(column.path.as_str(), letters(test));
            on_value(&value, column.list, std::slice::from_ref(&stored), test)
        }
        FieldExpr::Computed(computed) => {
            let stored = || scalar::computed(computed, Letters::AsStored);
            let presence = if computed.list { scalar::lists(computed) } else { vec![stored()] };
            on_value(&scalar::computed(computed, letters(test)), computed.list, &presence, test)
        }
        FieldExpr::AnyOf(sources) => {
            let connective = if *test == Test::Missing { " AND " } else { " OR " };
            let parts: Vec<String> = sources.iter().map(|source| field(source, test)).collect();
            format!("({})", parts.join(connective))
        }
        FieldExpr::PerClass(sources) => per_class(sources, test),
    }
}

/// In a class that is not listed the field is NULL.
fn per_class(sources: &[(ClassUid, FieldExpr)], test: &Test) -> String {
    let cases: String =
        sources.iter().map(|(class, source)| format!(" WHEN {class} THEN {}", field(source, test))).collect();
    let absent = literal::boolean(*test == Test::Missing);
    format!("CASE `class_uid`{cases} ELSE {absent} END")
}

/// `presence`: the expressions any of which is non-NULL where the value is there.
fn on_value(value: &str, list: bool, presence: &[String], test: &Test) -> String {
    match test {
        Test::Exists => nullness(presence, "IS NOT NULL", " OR "),
        Test::Missing => nullness(presence, "IS NULL", " AND "),
        test if list => format!("coalesce({}, false)", any_element(value, |element| compared(element, test))),
        test => format!("coalesce({}, false)", compared(value, test)),
    }
}

fn nullness(presence: &[String], is: &str, connective: &str) -> String {
    let parts: Vec<String> = presence.iter().map(|value| format!("{value} {is}")).collect();
    match parts.as_slice() {
        [only] => only.clone(),
        _ => format!("({})", parts.join(connective)),
    }
}

/// Whether any element of `array` satisfies the test: true, or false or NULL.
pub(super) fn any_element(array: &str, test: impl Fn(&str) -> String) -> String {
    format!("exists({array}, v_ -> {})", test("v_"))
}

/// `subject` is folded already where the test looks at letters without case.
fn compared(subject: &str, test: &Test) -> String {
    match test {
        Test::TextIn { values, .. } => membership(subject, values.iter().map(|v| literal::text(v))),
        Test::Text { position, value, .. } => text_match(subject, *position, &literal::text(value)),
        Test::NumberIn(values) => number_in(subject, values),
        Test::BooleanIn(values) => {
            membership(subject, values.iter().map(|v| literal::boolean(*v).to_owned()))
        }
        Test::Compare(comparison, number) => {
            let sign = match comparison {
                Comparison::Lt => "<",
                Comparison::Lte => "<=",
                Comparison::Gt => ">",
                Comparison::Gte => ">=",
            };
            format!("{subject} {sign} {}", literal::number(*number))
        }
        Test::Pattern { parts, .. } => pattern::shape(subject, parts),
        Test::Regex(regex) => finds(subject, &limits::searched(regex)),
        Test::Network(network) => network::contains(subject, *network),
        Test::OtherText { position, other, .. } => {
            with_other(other, letters(test), &|other| text_match(subject, *position, other))
        }
        Test::OtherNumber(other) => {
            with_other(other, Letters::AsStored, &|other| format!("{subject} = {other}"))
        }
        Test::TimePart { part, values } => {
            let (first, last) = TIMES.into_inner();
            let time = format!("CASE WHEN {subject} BETWEEN {first} AND {last} THEN {subject} END");
            let part = format!("date_part('{}', timestamp_millis({time}))", part.as_str());
            membership(&part, values.iter().map(ToString::to_string))
        }
        Test::Exists => format!("{subject} IS NOT NULL"),
        Test::Missing => format!("{subject} IS NULL"),
    }
}

/// A comparison with another field, wherever its values are found.
fn with_other(other: &FieldExpr, letters: Letters, compare: &dyn Fn(&str) -> String) -> String {
    match other {
        FieldExpr::Column(column) => compare(&scalar::column(column.path.as_str(), letters)),
        FieldExpr::Computed(computed) => compare(&scalar::computed(computed, letters)),
        FieldExpr::AnyOf(others) => {
            let parts: Vec<String> = others
                .iter()
                .map(|other| format!("coalesce({}, false)", with_other(other, letters, compare)))
                .collect();
            format!("({})", parts.join(" OR "))
        }
        FieldExpr::PerClass(others) => {
            let cases: String = others
                .iter()
                .map(|(class, other)| format!(" WHEN {class} THEN {}", with_other(other, letters, compare)))
                .collect();
            format!("CASE `class_uid`{cases} ELSE false END")
        }
    }
}

/// Fractions one by one: among many values Spark would tell 0.0 from -0.0.
fn number_in(subject: &str, values: &[Number]) -> String {
    let (whole, fractions): (Vec<Number>, Vec<Number>) =
        values.iter().copied().partition(|number| matches!(number, Number::Integer(_)));
    let whole =
        (!whole.is_empty()).then(|| membership(subject, whole.iter().map(|value| literal::number(*value))));
    let fractions = fractions.iter().map(|value| format!("{subject} = {}", literal::number(*value)));
    let parts: Vec<String> = whole.into_iter().chain(fractions).collect();
    match parts.as_slice() {
        [only] => only.clone(),
        _ => format!("({})", parts.join(" OR ")),
    }
}

fn membership(subject: &str, values: impl Iterator<Item = String>) -> String {
    let values: Vec<String> = values.collect();
    match values.as_slice() {
        [only] => format!("{subject} = {only}"),
        _ => format!("{subject} IN ({})", values.join(", ")),
    }
}

/// `subject` compared with SQL that yields text.
pub(super) fn text_match(subject: &str, position: TextMatch, other: &str) -> String {
    match position {
        TextMatch::Equals => format!("{subject} = {other}"),
        TextMatch::Contains => format!("contains({subject}, {other})"),
        TextMatch::StartsWith => format!("startswith({subject}, {other})"),
        TextMatch::EndsWith => format!("endswith({subject}, {other})"),
    }
}

/// Whether a regular expression of Java's finds something.
pub(super) fn finds(subject: &str, expression: &str) -> String {
    format!("{subject} RLIKE {}", literal::text(expression))
}
