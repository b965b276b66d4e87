//! One test of one field as SQL. Each is two-valued: `coalesce(…, false)` makes NULL false before any NOT.

use super::scalar::{self, Letters};
use super::{limits, literal, network, pattern};
use crate::backend::sql_parts::{self, any, by_class, membership, spread, written};
use crate::bridge::ir::{FieldExpr, Number, Predicate, Test};
use crate::sigma::TextMatch;

/// Columns past which a membership list is written one literal a line.
const WIDTH: usize = 100;

/// Milliseconds whose microseconds fit 64 bits: beyond, DuckDB has no part of a time, and Spark an error.
const TIMES: std::ops::RangeInclusive<i64> = -9_223_372_036_854_775..=9_223_372_036_854_775;

/// `predicate` as one line, or as several where it holds a long list.
pub(super) fn lines(predicate: &Predicate) -> Vec<String> {
    let line = field(&predicate.source, &predicate.test);
    match (&*predicate.source, &predicate.test) {
        (FieldExpr::Column(column), Test::TextIn { values, .. })
            if line.len() > WIDTH && !column.list && values.len() > 1 =>
        {
            let subject = scalar::column(column.path.as_str(), letters(&predicate.test));
            spread(&subject, values.iter().map(|value| literal::text(value)))
        }
        _ => vec![line],
    }
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
        // In a class that is not listed the field is NULL.
        FieldExpr::PerClass(sources) => {
            let absent = sql_parts::boolean(*test == Test::Missing);
            by_class("`class_uid`", sources, |source| field(source, test), Some(absent))
        }
    }
}

/// `presence`: the expressions any of which is non-NULL where the value is there.
fn on_value(value: &str, list: bool, presence: &[String], test: &Test) -> String {
    written(|sql| {
        sql_parts::two_valued(sql, presence, test, |sql| {
            sql.push_str(&match list {
                true => any_element(value, |element| compared(element, test)),
                false => compared(value, test),
            });
        });
    })
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
            membership(subject, values.iter().map(|v| sql_parts::boolean(*v).to_owned()))
        }
        Test::Compare(comparison, number) => {
            format!("{subject} {} {}", comparison.sign(), sql_parts::number(*number))
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
            by_class("`class_uid`", others, |other| with_other(other, letters, compare), Some("false"))
        }
    }
}

/// Fractions one by one: among many values Spark would tell 0.0 from -0.0.
fn number_in(subject: &str, values: &[Number]) -> String {
    let (whole, fractions): (Vec<Number>, Vec<Number>) =
        values.iter().copied().partition(|number| matches!(number, Number::Integer(_)));
    let whole =
        (!whole.is_empty()).then(|| membership(subject, whole.iter().map(|value| sql_parts::number(*value))));
    let fractions = fractions.iter().map(|value| format!("{subject} = {}", sql_parts::number(*value)));
    let parts: Vec<String> = whole.into_iter().chain(fractions).collect();
    any(&parts)
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
