//! Places in a text. Every node of a rule, a pack and a diagnostic carries one.

use std::fmt;

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
}

impl Span {
    /// The empty span at the start of a file.
    pub const START: Self = Self { start: Position::START, end: Position::START };

    /// The span from the start of `self` to the end of `other`.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end.max(self.end) }
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
