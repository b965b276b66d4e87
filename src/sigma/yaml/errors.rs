//! What is said of a text that is not YAML, or too much of it.

use saphyr_parser::ScanError;

use super::marks::Marks;
use super::read::{MAX_BYTES, MAX_DEPTH, MAX_NODES};
use crate::sigma::problem::{Problem, ProblemKind};
use crate::sigma::span::Span;

/// The first character that YAML does not allow.
pub(super) fn unprintable(text: &str) -> Option<Problem> {
    let allowed = |c: char| {
        matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}'
            | '\u{10000}'..)
    };
    // In blocks, without an early end within, so that many bytes are looked at in one step.
    let plain = |block: &[u8]| block.iter().fold(true, |all, byte| all & matches!(byte, b'\n' | b' '..=b'~'));
    if text.as_bytes().chunks(256).all(plain) {
        return None;
    }
    let (offset, c) = text.char_indices().find(|(_, c)| !allowed(*c))?;
    let marks = Marks::new(text);
    let span = Span { start: marks.at_byte(offset), end: marks.at_byte(offset + c.len_utf8()) };
    let message = format!("the character U+{:04X} cannot stand in YAML", u32::from(c));
    Some(Problem::new(ProblemKind::Parse, span, message).with_help(format!(
        "write it as an escape in double quotes, \"\\u{:04x}\", if it belongs to a value",
        u32::from(c)
    )))
}

pub(super) fn syntax_error(error: &ScanError, marks: &Marks<'_>) -> Problem {
    let at = marks.position(error.marker().index());
    let span = Span { start: at, end: at };
    if error.info().eq_ignore_ascii_case("recursion limit exceeded") {
        return too_deep(span);
    }
    let problem = Problem::new(ProblemKind::Parse, span, format!("this is not YAML: {}", error.info()));
    match help_for(error.info(), marks.text().get(at.offset..).unwrap_or_default()) {
        Some(help) => problem.with_help(help),
        None => problem,
    }
}

/// What usually causes an error, as far as the text there shows it.
fn help_for(info: &str, rest: &str) -> Option<&'static str> {
    if rest.starts_with('\t') || info.contains("tab") {
        Some("indent with blanks, not with tabs")
    } else if info.contains("unknown anchor") {
        Some("a value that begins with `*` or `&` needs quotes")
    } else if rest.starts_with(['%', '@', '`']) {
        Some("a value that begins with this character needs quotes")
    } else if info.contains("escape") {
        Some("in double quotes a backslash begins an escape; use single quotes for paths")
    } else if info.contains("trailing content") || info.contains("mapping values") {
        Some("quote the whole value; in single quotes, write a quote twice")
    } else if info.contains("did not find expected") || info.contains("indentation") {
        Some("check the indentation, and the quotes and brackets before this line")
    } else {
        None
    }
}

pub(super) fn too_many(span: Span) -> Problem {
    let message = format!(
        "the file is too large with its aliases written out: over {MAX_NODES} nodes or {MAX_BYTES} bytes"
    );
    Problem::new(ProblemKind::Limit, span, message).with_help("split the file")
}

pub(super) fn too_deep(span: Span) -> Problem {
    let message = format!("lists and maps nest deeper than {MAX_DEPTH} levels");
    Problem::new(ProblemKind::Limit, span, message)
}
