//! Text of a shape as SQL: a plain function where one says it, else a regular expression that never goes back.

use super::{literal, regex, test};
use crate::backend::sql_parts;
use crate::bridge::ir::{DASHES, PatternPart};

/// Whether `subject`, folded already where case does not count, has the shape.
pub(super) fn shape(subject: &str, parts: &[PatternPart]) -> String {
    sql_parts::plain_shape(subject, parts, literal::text, test::text_match)
        .unwrap_or_else(|| test::finds(subject, &expression(parts)))
}

/// The shape as a regular expression of Java's. Between runs stands text of a known length: its first place is as good
/// as any other, so that a group is never tried again (`(?>…)`) and the time stays linear.
fn expression(parts: &[PatternPart]) -> String {
    let pieces: Vec<&[PatternPart]> = parts.split(|part| *part == PatternPart::AnyRun).collect();
    let last = pieces.len() - 1;
    let mut expression = String::from("(?s)\\A");
    for (index, piece) in pieces.into_iter().enumerate() {
        let fixed: String = piece.iter().map(fixed).collect();
        match (index, index == last) {
            (0, true) => expression.push_str(&format!("{fixed}\\z")),
            (0, false) => expression.push_str(&fixed),
            (_, true) if fixed.is_empty() => {}
            (_, true) => expression.push_str(&format!(".*{fixed}\\z")),
            (_, false) => expression.push_str(&format!("(?>.*?{fixed})")),
        }
    }
    expression
}

fn fixed(part: &PatternPart) -> String {
    match part {
        PatternPart::Text(text) => regex::plain(text),
        PatternPart::AnyOne => ".".to_owned(),
        PatternPart::Dash => format!("[\\{}]", DASHES.iter().collect::<String>()),
        // Pieces are what stands between runs.
        PatternPart::AnyRun => String::new(),
    }
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
        assert_eq!(shape("f", &[text("a"), AnyRun]), "startswith(f, 'a')");
        assert_eq!(shape("f", &[AnyRun, text("_")]), "endswith(f, '_')");
    }

    #[test]
    fn the_rest_is_an_expression_that_never_goes_back() {
        assert_eq!(expression(&[text("a."), AnyOne]), r"(?s)\Aa\..\z");
        assert_eq!(expression(&[AnyRun, Dash, text("x"), AnyRun]), r"(?s)\A(?>.*?[\-/–—―]x)");
        assert_eq!(expression(&[text("a"), AnyRun, text("b"), AnyRun, text("c")]), r"(?s)\Aa(?>.*?b).*c\z");
    }
}
