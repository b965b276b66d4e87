//! Where nodes begin and end. The parser's spans may begin with an anchor, and may end behind blanks and comments.

use memchr::{memchr, memchr2};
use saphyr_parser::ScalarStyle;

use super::marks::Marks;
use crate::sigma::span::{Position, Span};

/// A scalar without its anchor and tag, and without what follows it. A block scalar begins with its text.
pub(super) fn scalar(marks: &Marks<'_>, style: ScalarStyle, span: Span) -> Span {
    let written = span.slice(marks.text()).unwrap_or_default();
    let body = after_properties(written.trim_start_matches(is_space));
    let start = span.start.after(written.get(..written.len() - body.len()).unwrap_or_default());
    match style {
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
            let quoted = body.get(..quoted_length(body)).unwrap_or(body);
            Span { start, end: start.after(quoted) }
        }
        ScalarStyle::Literal | ScalarStyle::Folded => {
            Span { start, end: start.after(body.trim_end_matches(is_space)) }
        }
        ScalarStyle::Plain => Span { start, end: span.end },
    }
}

/// Nothing, as the value of a key: directly behind the colon.
pub(super) fn nothing_after(marks: &Marks<'_>, key: Span) -> Span {
    let rest = marks.text().get(key.end.offset..).unwrap_or_default();
    let gap = rest.len() - rest.trim_start_matches(is_space).len();
    let colon = rest.get(gap..).is_some_and(|rest| rest.starts_with(':'));
    let at = key.end.after(rest.get(..gap + usize::from(colon)).unwrap_or_default());
    Span { start: at, end: at }
}

/// Nothing, elsewhere: behind the dash that announces it.
pub(super) fn nothing(marks: &Marks<'_>, span: Span) -> Span {
    let before = marks.text().get(..span.start.offset).unwrap_or_default();
    let at = marks.at_byte(before.trim_end_matches(is_space).len());
    Span { start: at, end: at }
}

/// The parser may put the start of a list behind its first dash.
pub(super) fn sequence_start(marks: &Marks<'_>, span: Span) -> Position {
    let before = marks.text().get(..span.start.offset).unwrap_or_default();
    let here = marks.text().get(span.start.offset..).unwrap_or_default();
    let is_dash = here.strip_prefix('-').is_some_and(|rest| rest.is_empty() || rest.starts_with(is_space));
    if is_dash || here.starts_with(['[', '&', '!']) {
        return span.start;
    }
    match before.trim_end_matches([' ', '\t']).strip_suffix('-') {
        Some(line) => marks.at_byte(line.len()),
        None => span.start,
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// The rest of a node behind its anchor and its tag.
fn after_properties(mut text: &str) -> &str {
    while text.starts_with(['&', '!']) {
        let end = text.find(is_space).unwrap_or(text.len());
        text = text.get(end..).unwrap_or_default().trim_start_matches(is_space);
    }
    text
}

/// The bytes of the quoted scalar that `text` begins with, its quotes included.
fn quoted_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let single = bytes.first() == Some(&b'\'');
    let mut end = 1;
    while let Some(at) = bytes.get(end..).and_then(|rest| match single {
        true => memchr(b'\'', rest),
        false => memchr2(b'"', b'\\', rest),
    }) {
        end += at + 1;
        // A doubled quote, or what a backslash stands before, is within.
        let doubled = single && bytes.get(end) == Some(&b'\'');
        match doubled || bytes.get(end - 1) == Some(&b'\\') {
            true => end += 1,
            false => return end,
        }
    }
    text.len()
}
