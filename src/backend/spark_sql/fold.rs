//! Letters without case, as the middle form has them: one code point for one, and nothing depends on its neighbours.
//!
//! Spark's own `lower` and `upper` are those of the Java that runs it: a final sigma has a lower case of its own, `İ` two
//! code points, `ß` two capitals, and letters newer than the Java none. Text of ASCII alone is left to them. In any other
//! text the letters of [`LOWER`] are replaced first, and those of `UPPER` kept from `upper`. A job asks its Spark for
//! all letters before it runs ([`letters()`]), so that no other Java folds in another way.

use std::sync::LazyLock;

use super::literal;
use crate::backend::interpreter;
use crate::sigma::text;

/// Capitals that Java 17 does not fold as the middle form does.
const LOWER: &str = "İΣⰯꟀꟐꟖꟘ";

/// As [`LOWER`], beyond the first 65,536 code points.
const LOWER_FAR: [std::ops::RangeInclusive<char>; 4] = [
    '\u{10570}'..='\u{1057a}',
    '\u{1057c}'..='\u{1058a}',
    '\u{1058c}'..='\u{10592}',
    '\u{10594}'..='\u{10595}',
];

/// No letter beyond has a case.
const LAST: char = '\u{1ffff}';

fn lower_exceptions() -> String {
    LOWER.chars().chain(LOWER_FAR.into_iter().flatten()).collect()
}

/// A text in lower case.
pub(super) fn lower(text: &str) -> String {
    format!("CASE WHEN {} THEN lower({text}) ELSE {} END", is_ascii(text), lower_of(text))
}

/// A text in lower case, written shortly: for expressions, which are not written twice.
pub(super) fn lower_of(text: &str) -> String {
    let from = lower_exceptions();
    format!("lower(translate({text}, {}, {}))", literal::text(&from), literal::text(&text::fold(&from)))
}

/// A text in upper case.
pub(super) fn upper(text: &str) -> String {
    let (from, to) = &*UPPER;
    let letter =
        format!("CASE WHEN contains({from}, c_) THEN translate(c_, {from}, {to}) ELSE upper(c_) END");
    let other = format!("array_join(transform(split({text}, ''), c_ -> {letter}), '')");
    format!("CASE WHEN {} THEN upper({text}) ELSE {other} END", is_ascii(text))
}

/// Letters of which the full capital has several code points, or that only one of Java 17 and the middle form raises;
/// and what the middle form makes of them. Both as SQL.
static UPPER: LazyLock<(String, String)> = LazyLock::new(|| {
    let newer = text::fold(&lower_exceptions());
    let differs = |c: &char| !c.to_uppercase().eq([interpreter::upper_char(*c)]) || newer.contains(*c);
    let from: String = ('\u{80}'..=LAST).filter(differs).collect();
    let to: String = from.chars().map(interpreter::upper_char).collect();
    (literal::text(&from), literal::text(&to))
});

fn is_ascii(text: &str) -> String {
    format!("octet_length({text}) = char_length({text})")
}

/// A letter and its other forms.
pub(crate) struct Letter {
    pub(crate) letter: char,
    pub(crate) lower: String,
    pub(crate) upper: String,
}

/// Every letter that has a lower or an upper case other than itself.
pub(crate) fn letters() -> impl Iterator<Item = Letter> {
    ('\0'..=LAST).filter_map(|letter| {
        let [lower, upper] = [text::fold(&letter.to_string()), interpreter::upper_char(letter).to_string()];
        let changes = lower != letter.to_string() || upper != letter.to_string();
        changes.then_some(Letter { letter, lower, upper })
    })
}

/// The lower and the upper case of a text that is SQL.
pub(crate) fn letter_sql(text: &str) -> (String, String) {
    (lower(text), upper(text))
}
