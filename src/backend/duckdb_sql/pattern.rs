//! Text of a shape as SQL: the cheapest function that says it.

use super::{literal, test};
use crate::backend::sql_parts;
use crate::bridge::ir::{DASHES, PatternPart};

/// Variants of a pattern with dashes that are written out; past that, one regular expression.
const MAX_VARIANTS: usize = 25;

/// `*` in a LIKE. DuckDB tries every way to divide a text among them: its time is exponential in their number,
/// that of a regular expression is not.
const MAX_RUNS: usize = 3;

/// Whether `subject`, folded already where case does not count, has the shape.
pub(super) fn shape(subject: &str, parts: &[PatternPart]) -> String {
    let dashes = parts.iter().filter(|part| **part == PatternPart::Dash).count();
    let variants = u32::try_from(dashes).ok().and_then(|dashes| DASHES.len().checked_pow(dashes));
    match variants {
        Some(1) => plain(subject, parts),
        Some(count) if count <= MAX_VARIANTS => {
            let written: Vec<String> =
                variants_of(parts).iter().map(|variant| plain(subject, variant)).collect();
            format!("({})", written.join(" OR "))
        }
        _ => full_match(subject, parts),
    }
}

fn full_match(subject: &str, parts: &[PatternPart]) -> String {
    format!("regexp_full_match({subject}, {})", literal::text(&expression(parts)))
}

/// Every way to read the dashes, in the order of [`DASHES`].
fn variants_of(parts: &[PatternPart]) -> Vec<Vec<PatternPart>> {
    let mut variants: Vec<Vec<PatternPart>> = vec![Vec::new()];
    for part in parts {
        variants = match part {
            PatternPart::Dash => variants
                .iter()
                .flat_map(|variant| DASHES.map(|dash| with(variant, PatternPart::Text(dash.to_string()))))
                .collect(),
            part => variants.iter().map(|variant| with(variant, part.clone())).collect(),
        };
    }
    variants
}

/// `parts` with one more; texts that come to stand side by side are one.
fn with(parts: &[PatternPart], part: PatternPart) -> Vec<PatternPart> {
    let mut parts = parts.to_vec();
    match (parts.last_mut(), part) {
        (Some(PatternPart::Text(before)), PatternPart::Text(text)) => before.push_str(&text),
        (_, part) => parts.push(part),
    }
    parts
}

/// A pattern without dashes.
fn plain(subject: &str, parts: &[PatternPart]) -> String {
    let runs = || parts.iter().filter(|part| **part == PatternPart::AnyRun).count();
    match sql_parts::plain_shape(subject, parts, literal::text, test::text_match) {
        Some(plain) => plain,
        None if runs() > MAX_RUNS => full_match(subject, parts),
        None => format!("{subject} LIKE {} ESCAPE '$'", literal::text(&like(parts))),
    }
}

fn like(parts: &[PatternPart]) -> String {
    let mut pattern = String::new();
    for part in parts {
        match part {
            PatternPart::AnyRun => pattern.push('%'),
            PatternPart::AnyOne | PatternPart::Dash => pattern.push('_'),
            PatternPart::Text(text) => {
                for character in text.chars() {
                    if matches!(character, '%' | '_' | '$') {
                        pattern.push('$');
                    }
                    pattern.push(character);
                }
            }
        }
    }
    pattern
}

fn expression(parts: &[PatternPart]) -> String {
    let mut expression = String::from("(?s)");
    for part in parts {
        match part {
            PatternPart::AnyRun => expression.push_str(".*"),
            PatternPart::AnyOne => expression.push('.'),
            PatternPart::Dash => {
                expression.push('[');
                expression.extend(DASHES);
                expression.push(']');
            }
            PatternPart::Text(text) => expression.push_str(&regex_syntax::escape(text)),
        }
    }
    expression
}

#[cfg(test)]
mod tests {
    use super::*;
    use PatternPart::{AnyOne, AnyRun, Dash, Text};

    fn text(text: &str) -> PatternPart {
        Text(text.to_owned())
    }

    #[test]
    fn a_shape_is_written_with_the_cheapest_function() {
        assert_eq!(shape("f", &[AnyRun, text("a%"), AnyRun]), "contains(f, 'a%')");
        assert_eq!(shape("f", &[text("a"), AnyRun]), "starts_with(f, 'a')");
        assert_eq!(shape("f", &[text("a_"), AnyOne, text("$b")]), "f LIKE 'a$__$$b' ESCAPE '$'");
    }

    #[test]
    fn dashes_are_written_out_as_long_as_that_is_short() {
        let one = shape("f", &[Dash, text("x")]);
        assert_eq!(one, "(f = '-x' OR f = '/x' OR f = '–x' OR f = '—x' OR f = '―x')");
        let three = shape("f", &[Dash, text("x "), Dash, text("y "), Dash, text("z")]);
        assert_eq!(three, "regexp_full_match(f, '(?s)[-/–—―]x [-/–—―]y [-/–—―]z')");
    }
}
