//! One test of one field as SQL. Each is two-valued: `coalesce(…, false)` makes NULL false before any NOT.

use regex_syntax::hir::{Dot, Hir, HirKind};

use super::{literal, network, pattern, scalar};
use crate::backend::sql_parts::{self, any, by_class, membership, spread, written};
use crate::bridge::ir::{Expr, FieldExpr, Number, Predicate, Regex, Test};
use crate::sigma::TextMatch;

/// Columns past which a membership list is written one literal a line.
const WIDTH: usize = 100;

/// Bytes from which on what an expression finds is long.
const LONG: usize = 64;

/// `predicate` as several lines, where it holds a list that makes one of `width` too long.
pub(super) fn lines(predicate: &Predicate, width: usize) -> Option<Vec<String>> {
    match (&*predicate.source, &predicate.test) {
        (FieldExpr::Column(column), Test::TextIn { values, cased })
            if width > WIDTH && !column.list && values.len() > 1 =>
        {
            let name = scalar::identifier(column.path.as_str());
            let subject = if *cased { name } else { lower(&name) };
            Some(spread(&subject, values.iter().map(|value| literal::text(value))))
        }
        _ => None,
    }
}

/// The predicates that `parts` begin with, as far as all look for text in one and the same LIST.
pub(super) fn alike(parts: &[Expr]) -> Vec<&Predicate> {
    let Some(first) = parts.first().and_then(in_list) else { return Vec::new() };
    parts.iter().map_while(in_list).take_while(|predicate| predicate.source == first.source).collect()
}

fn in_list(part: &Expr) -> Option<&Predicate> {
    match part {
        Expr::Predicate(predicate) if searches_list(predicate) => Some(predicate),
        _ => None,
    }
}

fn searches_list(predicate: &Predicate) -> bool {
    let list = match &*predicate.source {
        FieldExpr::Column(column) => column.list,
        FieldExpr::Computed(computed) => computed.list,
        FieldExpr::AnyOf(_) | FieldExpr::PerClass(_) => false,
    };
    list && matches!(predicate.test, Test::TextIn { .. } | Test::Text { .. } | Test::Pattern { .. })
}

/// A LIST that is searched.
pub(super) fn list(source: &FieldExpr) -> String {
    match source {
        FieldExpr::Computed(computed) => scalar::computed(computed),
        FieldExpr::Column(column) => scalar::identifier(column.path.as_str()),
        // Not one LIST: see `searches_list`.
        FieldExpr::AnyOf(_) | FieldExpr::PerClass(_) => "NULL".to_owned(),
    }
}

/// Whether a field passes a test.
pub(super) fn field(source: &FieldExpr, test: &Test) -> String {
    written(|sql| write_field(sql, source, test))
}

/// Writes [`field`], which nearly all of a statement is made of.
pub(super) fn write_field(sql: &mut String, source: &FieldExpr, test: &Test) {
    match source {
        FieldExpr::Column(column) => {
            let name = scalar::identifier(column.path.as_str());
            on_value(sql, &name, column.list, std::slice::from_ref(&name), test);
        }
        FieldExpr::Computed(computed) => {
            let value = scalar::computed(computed);
            let presence = if computed.list { scalar::lists(computed) } else { vec![value.clone()] };
            on_value(sql, &value, computed.list, &presence, test);
        }
        FieldExpr::AnyOf(sources) if !matches!(test, Test::Exists | Test::Missing) => {
            sql.push_str(&any_of(sources, test));
        }
        FieldExpr::AnyOf(sources) => {
            let connective = if *test == Test::Missing { " AND " } else { " OR " };
            let parts: Vec<String> = sources.iter().map(|source| field(source, test)).collect();
            sql.extend(["(", &parts.join(connective), ")"]);
        }
        // In a class that is not listed the field is NULL.
        FieldExpr::PerClass(sources) => {
            let absent = sql_parts::boolean(*test == Test::Missing);
            sql.push_str(&by_class("\"class_uid\"", sources, |source| field(source, test), Some(absent)));
        }
    }
}

/// Columns of one value each are searched as one LIST where they are many: keywords look at dozens.
fn any_of(sources: &[FieldExpr], test: &Test) -> String {
    const MANY: usize = 4;
    let single = |source: &&FieldExpr| matches!(source, FieldExpr::Column(column) if !column.list);
    let (singles, others): (Vec<&FieldExpr>, Vec<&FieldExpr>) = sources.iter().partition(single);
    let mut parts: Vec<String> = Vec::new();
    if singles.len() >= MANY {
        let names: Vec<String> = singles
            .iter()
            .filter_map(|source| match source {
                FieldExpr::Column(column) => Some(scalar::identifier(column.path.as_str())),
                _ => None,
            })
            .collect();
        let list = format!("[{}]", names.join(", "));
        parts.push(format!("coalesce({}, false)", any_element(&list, |element| compared(element, test))));
    } else {
        parts.extend(singles.iter().map(|source| field(source, test)));
    }
    parts.extend(others.iter().map(|source| field(source, test)));
    any(&parts)
}

/// `presence`: the expressions any of which is non-NULL where the value is there.
fn on_value(sql: &mut String, value: &str, list: bool, presence: &[String], test: &Test) {
    sql_parts::two_valued(sql, presence, test, |sql| match list {
        true => sql.push_str(&any_element(value, |element| compared(element, test))),
        false => write_compared(sql, value, test),
    });
}

/// Whether any element of `list` satisfies the test: true, false, or NULL where the list is NULL.
pub(super) fn any_element(list: &str, test: impl Fn(&str) -> String) -> String {
    ["len(list_filter(", list, ", lambda x: ", &test("x"), ")) > 0"].concat()
}

/// Whether a value passes a test; NULL where it is NULL.
pub(super) fn compared(subject: &str, test: &Test) -> String {
    written(|sql| write_compared(sql, subject, test))
}

/// Writes [`compared`].
pub(super) fn write_compared(sql: &mut String, subject: &str, test: &Test) {
    let folded = |cased: bool| if cased { subject.to_owned() } else { lower(subject) };
    match test {
        Test::Text { position, value, cased } => write_text_match(sql, subject, *position, value, *cased),
        Test::TextIn { values, cased } => match values.as_slice() {
            [only] => write_text_match(sql, subject, TextMatch::Equals, only, *cased),
            values => {
                let values = values.iter().map(|value| literal::text(value));
                sql.push_str(&membership(&folded(*cased), values));
            }
        },
        Test::NumberIn(values) => sql.push_str(&number_in(subject, values)),
        Test::BooleanIn(values) => {
            let values = values.iter().map(|value| sql_parts::boolean(*value).to_owned());
            sql.push_str(&membership(subject, values));
        }
        Test::Compare(comparison, number) => {
            sql.extend([subject, " ", comparison.sign(), " ", &sql_parts::number(*number)]);
        }
        Test::Pattern { parts, cased } => sql.push_str(&pattern::shape(&folded(*cased), parts)),
        Test::Regex(regex) => sql.push_str(&finds(subject, regex)),
        Test::Network(network) => sql.push_str(&network::contains(subject, *network)),
        Test::OtherText { position, other, cased } => sql.push_str(&with_other(other, &|other| {
            let other = if *cased { other.to_owned() } else { lower(other) };
            text_match(&folded(*cased), *position, &other)
        })),
        Test::OtherNumber(other) => {
            sql.push_str(&with_other(other, &|other| format!("{subject} = {other}")));
        }
        Test::TimePart { part, values } => {
            // Beyond the years that a TIMESTAMP has there is no part, and no failure.
            let part = format!("date_part('{}', TRY(epoch_ms({subject})))", part.as_str());
            sql.push_str(&membership(&part, values.iter().map(ToString::to_string)));
        }
        Test::Exists => sql.extend([subject, " IS NOT NULL"]),
        Test::Missing => sql.extend([subject, " IS NULL"]),
    }
}

/// Whether the expression finds something in `subject`. What it finds may be long: to have seen that a text is too short
/// takes no time, and RE2 keeps all the places in a text where `.{1000}` may have begun.
fn finds(subject: &str, regex: &Regex) -> String {
    let finds = format!("regexp_matches({subject}, {})", literal::text(&with_flags(regex)));
    // Without counts it is hardly longer than it looks, and has no more places to keep.
    let meaning = regex.pattern.contains('{').then(|| regex.parser().parse(&regex.pattern).ok()).flatten();
    let Some(meaning) = meaning else { return finds };
    let least = meaning.properties().minimum_len().unwrap_or(0);
    match run_of_any(&meaning) {
        _ if least < LONG => finds,
        Some(length) => {
            format!(
                "CASE WHEN contains({subject}, chr(10)) THEN {finds} ELSE length({subject}) >= {length} END"
            )
        }
        None => format!("CASE WHEN strlen({subject}) >= {least} THEN {finds} ELSE false END"),
    }
}

/// How many characters of one line the expression asks for, if it asks for nothing else.
fn run_of_any(meaning: &Hir) -> Option<u32> {
    match ungrouped(meaning).kind() {
        HirKind::Repetition(run) if *ungrouped(&run.sub) == Hir::dot(Dot::AnyCharExceptLF) => Some(run.min),
        _ => None,
    }
}

fn ungrouped(meaning: &Hir) -> &Hir {
    match meaning.kind() {
        HirKind::Capture(group) => ungrouped(&group.sub),
        _ => meaning,
    }
}

/// The pattern with its options inline, so that it reads the same wherever it is copied.
fn with_flags(regex: &Regex) -> String {
    let flags: String = [(regex.ignore_case, 'i'), (regex.multiline, 'm'), (regex.dot_all, 's')]
        .into_iter()
        .filter_map(|(on, flag)| on.then_some(flag))
        .collect();
    let pattern = match has_inner_anchor(&regex.pattern) {
        true => format!("({})", regex.pattern),
        false => regex.pattern.clone(),
    };
    if flags.is_empty() { pattern } else { format!("(?{flags}){pattern}") }
}

/// Whether an anchor may stand elsewhere than at its own end. DuckDB rewrites a pattern of plain text and anchors
/// to LIKE, and forgets such an anchor, so that `$a` would find `a`; a group it does not rewrite.
fn has_inner_anchor(pattern: &str) -> bool {
    let inner = pattern.strip_prefix('^').unwrap_or(pattern);
    let inner = inner.strip_suffix('$').unwrap_or(inner);
    inner.contains(['^', '$']) || inner.contains(r"\A") || inner.contains(r"\z")
}

/// A comparison with another field, wherever its values are found.
fn with_other(other: &FieldExpr, compare: &dyn Fn(&str) -> String) -> String {
    match other {
        FieldExpr::Column(column) => compare(&scalar::identifier(column.path.as_str())),
        FieldExpr::Computed(computed) => compare(&scalar::computed(computed)),
        FieldExpr::AnyOf(others) => {
            let parts: Vec<String> = others
                .iter()
                .map(|other| format!("coalesce({}, false)", with_other(other, compare)))
                .collect();
            format!("({})", parts.join(" OR "))
        }
        FieldExpr::PerClass(others) => {
            by_class("\"class_uid\"", others, |other| with_other(other, compare), Some("false"))
        }
    }
}

/// Whole numbers apart from fractions: in one list, DuckDB would compare all of them as DOUBLE.
fn number_in(subject: &str, values: &[Number]) -> String {
    let (whole, fractions): (Vec<Number>, Vec<Number>) =
        values.iter().copied().partition(|number| matches!(number, Number::Integer(_)));
    let parts: Vec<String> = [whole, fractions]
        .iter()
        .filter(|values| !values.is_empty())
        .map(|values| membership(subject, values.iter().map(|value| sql_parts::number(*value))))
        .collect();
    any(&parts)
}

/// `subject` compared with a literal that is SQL already.
pub(super) fn text_match(subject: &str, position: TextMatch, literal: &str) -> String {
    let [before, between, behind] = around(position);
    [before, subject, between, literal, behind].concat()
}

/// Writes [`text_match`], both sides folded unless `cased`; `value` is already.
fn write_text_match(sql: &mut String, subject: &str, position: TextMatch, value: &str, cased: bool) {
    let [before, between, behind] = around(position);
    match cased {
        true => sql.extend([before, subject, between]),
        false => sql.extend([before, "lower(", subject, ")", between]),
    }
    literal::write_text(sql, value);
    sql.push_str(behind);
}

/// What stands before, between and behind a text and the literal that it is compared with.
fn around(position: TextMatch) -> [&'static str; 3] {
    match position {
        TextMatch::Equals => ["", " = ", ""],
        TextMatch::Contains => ["contains(", ", ", ")"],
        TextMatch::StartsWith => ["starts_with(", ", ", ")"],
        TextMatch::EndsWith => ["ends_with(", ", ", ")"],
    }
}

fn lower(subject: &str) -> String {
    ["lower(", subject, ")"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_too_short_for_what_is_sought_is_not_searched() {
        let finds = |pattern: &str| {
            let pattern = pattern.to_owned();
            super::finds("f", &Regex { pattern, ignore_case: true, multiline: false, dot_all: false })
        };
        assert_eq!(
            finds("é{3}.{100,}|k{70}"),
            "CASE WHEN strlen(f) >= 70 THEN regexp_matches(f, '(?i)é{3}.{100,}|k{70}') ELSE false END"
        );
        let run = "CASE WHEN contains(f, chr(10)) THEN regexp_matches(f, '(?i)(.){70,80}') ELSE length(f) >= 70 END";
        assert_eq!(finds("(.){70,80}"), run);
        assert_eq!(finds("x{63}"), "regexp_matches(f, '(?i)x{63}')");
        assert_eq!(finds("(x{64})?y"), "regexp_matches(f, '(?i)(x{64})?y')");
    }
}
