//! What is the same in every dialect of SQL: literals without letters, lists of values, what NULL becomes, tests by
//! class, and patterns of addresses. Names, texts and functions are each dialect's own.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::bridge::ir::{Number, PatternPart, Test};
use crate::ocsf::ClassUid;
use crate::pack::{FilterOp, RouteFilter};
use crate::sigma::TextMatch;

/// How a dialect writes the comparison of an expression with another.
pub(super) type CompareText = fn(&str, TextMatch, &str) -> String;

pub(super) fn boolean(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// A number, typed so that the engine does not choose the type: fractions are DOUBLE, never DECIMAL.
pub(super) fn number(value: Number) -> String {
    match value {
        Number::Integer(number) => number.to_string(),
        Number::Float(number) => format!("CAST('{number:?}' AS DOUBLE)"),
    }
}

/// A JSON scalar, or an array of them in parentheses, for producer predicates. `text` writes a text.
pub(super) fn json(value: &serde_json::Value, text: fn(&str) -> String) -> String {
    match value {
        serde_json::Value::Null => "NULL".to_owned(),
        serde_json::Value::Bool(truth) => boolean(*truth).to_owned(),
        serde_json::Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => self::number(Number::Float(float)),
            _ => number.to_string(),
        },
        serde_json::Value::String(value) => text(value),
        serde_json::Value::Array(values) => {
            format!("({})", values.iter().map(|value| json(value, text)).collect::<Vec<_>>().join(", "))
        }
        // A pack with an object here does not load; as text it can only narrow to nothing.
        serde_json::Value::Object(_) => text(&value.to_string()),
    }
}

/// Line and paragraph separators and the marks that reorder text: invisible in an editor, not in SQL.
pub(super) fn is_format(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether any of `parts` holds; of one part the part itself.
pub(super) fn any(parts: &[String]) -> String {
    one_or_joined(parts, " OR ")
}

fn one_or_joined(parts: &[String], connective: &str) -> String {
    match parts {
        [only] => only.clone(),
        _ => format!("({})", parts.join(connective)),
    }
}

/// Whether `subject` is one of the values.
pub(super) fn membership(subject: &str, values: impl Iterator<Item = String>) -> String {
    let values: Vec<String> = values.collect();
    match values.as_slice() {
        [only] => [subject, " = ", only].concat(),
        _ => [subject, " IN (", &values.join(", "), ")"].concat(),
    }
}

/// As a membership that NULL is no part of, one value a line.
pub(super) fn spread(subject: &str, values: impl ExactSizeIterator<Item = String>) -> Vec<String> {
    let mut lines = vec![format!("coalesce({subject} IN (")];
    let count = values.len();
    for (index, value) in values.enumerate() {
        let comma = if index + 1 < count { "," } else { "" };
        lines.push(["  ", &value, comma].concat());
    }
    lines.push("), false)".to_owned());
    lines
}

/// Writes a test as true or false: of presence by the expressions any of which is non-NULL where the value is there, of
/// anything else by what `holds` writes, for which NULL is false.
pub(super) fn two_valued(
    sql: &mut String,
    presence: &[String],
    test: &Test,
    holds: impl FnOnce(&mut String),
) {
    let each = |is: &str| presence.iter().map(|value| format!("{value} {is}")).collect::<Vec<_>>();
    match test {
        Test::Exists => sql.push_str(&any(&each("IS NOT NULL"))),
        Test::Missing => sql.push_str(&one_or_joined(&each("IS NULL"), " AND ")),
        _ => {
            sql.push_str("coalesce(");
            holds(sql);
            sql.push_str(", false)");
        }
    }
}

/// What `write` writes.
pub(super) fn written(write: impl FnOnce(&mut String)) -> String {
    let mut sql = String::new();
    write(&mut sql);
    sql
}

/// An expression for each class; `otherwise` for all others, NULL without it. `class_uid` is the column, quoted.
pub(super) fn by_class<'c, T: 'c>(
    class_uid: &str,
    classes: &'c [(ClassUid, T)],
    each: impl Fn(&'c T) -> String,
    otherwise: Option<&str>,
) -> String {
    let cases: String =
        classes.iter().map(|(class, part)| format!(" WHEN {class} THEN {}", each(part))).collect();
    let otherwise = otherwise.map(|otherwise| format!(" ELSE {otherwise}")).unwrap_or_default();
    format!("CASE {class_uid}{cases}{otherwise} END")
}

/// A producer predicate on a column or an element of it. NULL narrows away, as the specification asks, since these
/// stand directly under AND. `finds` is a search by the predicate's regular expression.
pub(super) fn route_filter(
    filter: &RouteFilter,
    subject: &str,
    value: &str,
    text_match: CompareText,
    finds: &dyn Fn(&str) -> String,
) -> String {
    match filter.op {
        FilterOp::Exists if filter.value.as_bool().unwrap_or(true) => format!("{subject} IS NOT NULL"),
        FilterOp::Exists => format!("{subject} IS NULL"),
        FilterOp::Eq => format!("{subject} = {value}"),
        FilterOp::Neq => format!("{subject} <> {value}"),
        FilterOp::In => format!("{subject} IN {value}"),
        FilterOp::Nin => format!("{subject} NOT IN {value}"),
        FilterOp::Contains => text_match(subject, TextMatch::Contains, value),
        FilterOp::Prefix => text_match(subject, TextMatch::StartsWith, value),
        FilterOp::Suffix => text_match(subject, TextMatch::EndsWith, value),
        FilterOp::Regex => finds(subject),
    }
}

/// A shape of text that needs no pattern; `None` for any other.
pub(super) fn plain_shape(
    subject: &str,
    parts: &[PatternPart],
    text: fn(&str) -> String,
    text_match: CompareText,
) -> Option<String> {
    use PatternPart::{AnyRun, Text};
    let matched = |value: &str, position| Some(text_match(subject, position, &text(value)));
    match parts {
        [] => matched("", TextMatch::Equals),
        [Text(text)] => matched(text, TextMatch::Equals),
        [AnyRun] => Some(format!("{subject} IS NOT NULL")),
        [AnyRun, Text(text), AnyRun] => matched(text, TextMatch::Contains),
        [Text(text), AnyRun] => matched(text, TextMatch::StartsWith),
        [AnyRun, Text(text)] => matched(text, TextMatch::EndsWith),
        _ => None,
    }
}

/// A decimal octet without leading zeros, as a regular expression.
pub(super) const OCTET: &str = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";

/// A network is a product of octet ranges, of which at most one is partial: one pattern, to be anchored.
pub(super) fn ipv4(address: Ipv4Addr, length: u8) -> String {
    let octets: Vec<String> = address
        .octets()
        .into_iter()
        .zip([0_u8, 8, 16, 24])
        .map(|(octet, before)| octet_pattern(octet, length.saturating_sub(before).min(8)))
        .collect();
    octets.join("\\.")
}

/// An octet of which the first `bits` bits are fixed.
fn octet_pattern(octet: u8, bits: u8) -> String {
    match bits {
        8 => octet.to_string(),
        0 => OCTET.to_owned(),
        bits => {
            let last = octet | (0xff >> bits);
            let values: Vec<String> = (octet..=last).map(|value| value.to_string()).collect();
            format!("(?:{})", values.join("|"))
        }
    }
}

/// `BETWEEN` the first and the last address of a network, as 32 hexadecimal digits.
pub(super) fn within_ipv6(digits: &str, address: Ipv6Addr, length: u8) -> String {
    let first = u128::from(address);
    let host = u128::MAX.checked_shr(u32::from(length)).unwrap_or(0);
    let last = first | host;
    format!("{digits} BETWEEN '{first:032x}' AND '{last:032x}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_type() {
        assert_eq!(number(Number::Integer(-5)), "-5");
        assert_eq!(number(Number::Float(1.5)), "CAST('1.5' AS DOUBLE)");
        let quoted = |text: &str| format!("<{text}>");
        assert_eq!(
            json(&serde_json::json!([1, 1.5, true, null, "a'"]), quoted),
            "(1, CAST('1.5' AS DOUBLE), true, NULL, <a'>)"
        );
    }

    #[test]
    fn a_network_is_a_product_of_octet_ranges() {
        assert_eq!(ipv4(Ipv4Addr::new(10, 0, 4, 0), 22), r"10\.0\.(?:4|5|6|7)\.".to_owned() + OCTET);
        assert_eq!(ipv4(Ipv4Addr::new(10, 0, 4, 9), 32), r"10\.0\.4\.9");
        let within = within_ipv6("d", "fe80::".parse().unwrap_or(Ipv6Addr::UNSPECIFIED), 10);
        assert_eq!(within, format!("d BETWEEN 'fe80{}' AND 'febf{}'", "0".repeat(28), "f".repeat(28)));
        assert!(within_ipv6("d", Ipv6Addr::UNSPECIFIED, 0).ends_with(&format!("'{}'", "f".repeat(32))));
    }

    #[test]
    fn presence_is_asked_of_every_expression() {
        let presence = ["a".to_owned(), "b".to_owned()];
        let of = |test: Test| written(|sql| two_valued(sql, &presence, &test, |sql| sql.push_str("a = 1")));
        assert_eq!(of(Test::Exists), "(a IS NOT NULL OR b IS NOT NULL)");
        assert_eq!(of(Test::Missing), "(a IS NULL AND b IS NULL)");
        assert_eq!(of(Test::NumberIn(Vec::new())), "coalesce(a = 1, false)");
    }
}
