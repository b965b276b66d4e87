//! Places in a text. Every node of a rule, a pack and a diagnostic carries one.

use std::fmt;

use memchr::{memchr2_iter, memrchr2};

/// A point in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Bytes from the start of the file.
    pub offset: usize,
    /// Line, counted from 1.
    pub line: u32,
    /// Column in code points, counted from 1.
    pub column: u32,
}

/// A stretch of text, the end excluded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Where it begins.
    pub start: Position,
    /// Where it ends; the first position that is no longer part of it.
    pub end: Position,
}

impl Position {
    /// The start of a file.
    pub const START: Self = Self { offset: 0, line: 1, column: 1 };

    /// The position behind `text`, where `text` begins here. Lines end as in YAML: LF, CR LF or CR.
    pub(crate) fn after(self, text: &str) -> Self {
        let bytes = text.as_bytes();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let within_crlf = |at: &usize| bytes.get(*at..*at + 2) == Some(b"\r\n");
        let (lines, column, rest) = match memrchr2(b'\n', b'\r', bytes) {
            Some(last) => {
                let lines = memchr2_iter(b'\n', b'\r', bytes).filter(|at| !within_crlf(at)).count();
                (lines, 1, text.get(last + 1..).unwrap_or_default())
            }
            None => (0, self.column, text),
        };
        Self {
            offset: self.offset + text.len(),
            line: self.line.saturating_add(count(lines)),
            column: count(rest.chars().count()).saturating_add(column),
        }
    }
}

impl Span {
    /// The empty span at the start of a file.
    pub const START: Self = Self { start: Position::START, end: Position::START };

    /// The span from the start of `self` to the end of `other`.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end.max(self.end) }
    }

    /// The empty span at the start of this one.
    #[must_use]
    pub(crate) fn head(self) -> Self {
        Self { start: self.start, end: self.start }
    }

    /// The part of `text` that the span covers, where `text` is the text it was made for.
    #[must_use]
    pub fn slice(self, text: &str) -> Option<&str> {
        text.get(self.start.offset..self.end.offset)
    }

    /// Whether `line` (from 1) is one of the lines that the span touches.
    #[must_use]
    pub fn touches_line(self, line: u32) -> bool {
        (self.start.line..=self.end.line).contains(&line)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// `value`, standing at `span`.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// Another value at the same place.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: f(self.value), span: self.span }
    }
}

/// A scalar of a text, whose parts can be pointed at.
pub(crate) struct Scalar<'a> {
    pub(crate) value: &'a str,
    pub(crate) span: Span,
    /// Where the value itself begins; `None` where it is not written letter by letter on one line.
    start: Option<Position>,
}

impl<'a> Scalar<'a> {
    /// The scalar `value`, which stands at `span` of `text`.
    pub(crate) fn new(text: &str, value: &'a str, span: Span) -> Self {
        let written = span.slice(text).unwrap_or_default();
        let quoted = written.strip_prefix(['\'', '"']).and_then(|rest| rest.strip_suffix(['\'', '"']));
        let start = if value.contains(['\n', '\r']) {
            None
        } else if written == value {
            Some(span.start)
        } else if quoted == Some(value) {
            written.get(..1).map(|quote| span.start.after(quote))
        } else {
            None
        };
        Self { value, span, start }
    }

    /// Where a stretch of the value stands; all of the scalar where that cannot be said.
    pub(crate) fn place(&self, range: std::ops::Range<usize>) -> Span {
        let (Some(start), Some(before), Some(part)) =
            (self.start, self.value.get(..range.start), self.value.get(range))
        else {
            return self.span;
        };
        let start = start.after(before);
        Span { start, end: start.after(part) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_scalar_are_placed_when_it_is_written_letter_by_letter() {
        let text = "k: 'é or b'";
        let span = Span { start: Position::START.after("k: "), end: Position::START.after(text) };
        let part = Scalar::new(text, "é or b", span).place(6..7);
        assert_eq!(part.slice(text), Some("b"));
        assert_eq!((part.start.line, part.start.column), (1, 10));
        let escaped = Scalar::new(text, "something else", span);
        assert_eq!(escaped.place(0..4), span);
    }

    #[test]
    fn a_span_reaches_over_another_that_stands_before_it() {
        let at = |offset| Position { offset, line: 1, column: 1 };
        let later = Span { start: at(5), end: at(9) };
        let earlier = Span { start: at(1), end: at(2) };
        assert_eq!(later.to(earlier), later);
    }
}
