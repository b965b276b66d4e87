//! From the parser's marks, which count code points, to positions in the text.

use memchr::{memchr, memchr_iter};

use crate::sigma::span::Position;

/// How many code points lie between two checkpoints.
const STRIDE: usize = 64;

/// The places of a text by code point.
pub(super) struct Marks<'a> {
    text: &'a str,
    /// The byte offset of every [`STRIDE`]th code point; empty for ASCII, where the two counts agree.
    checkpoints: Vec<usize>,
    /// For each line: the code points before it, the byte-order mark of the file among them.
    lines: Vec<usize>,
}

impl<'a> Marks<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let checkpoints = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().step_by(STRIDE).map(|(offset, _)| offset).collect()
        };
        let mut lines = vec![usize::from(text.starts_with('\u{feff}'))];
        if checkpoints.is_empty() && memchr(b'\r', text.as_bytes()).is_none() {
            lines.extend(memchr_iter(b'\n', text.as_bytes()).map(|offset| offset + 1));
            return Self { text, checkpoints, lines };
        }
        let mut chars = text.chars().enumerate().peekable();
        while let Some((index, c)) = chars.next() {
            let crlf = c == '\r' && chars.peek().is_some_and(|(_, next)| *next == '\n');
            if c == '\n' || (c == '\r' && !crlf) {
                lines.push(index + 1);
            }
        }
        Self { text, checkpoints, lines }
    }

    /// The text that the marks are of.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// The position before the code point `index`; the end of the text where it has fewer.
    pub(super) fn position(&self, index: usize) -> Position {
        let line = self.lines.partition_point(|start| *start <= index).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or_default();
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Position {
            offset: self.offset(index),
            line: count(line),
            column: count(index.saturating_sub(start) + 1),
        }
    }

    /// The position at the byte `offset`, which lies on a boundary of code points.
    pub(super) fn at_byte(&self, offset: usize) -> Position {
        if self.checkpoints.is_empty() {
            return self.position(offset);
        }
        let checkpoint = self.checkpoints.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.checkpoints.get(checkpoint).copied().unwrap_or_default();
        let between = self.text.get(start..offset).unwrap_or_default().chars().count();
        self.position(checkpoint * STRIDE + between)
    }

    fn offset(&self, index: usize) -> usize {
        let checkpoint = match self.checkpoints.get(index / STRIDE) {
            Some(offset) => *offset,
            None if self.checkpoints.is_empty() => return index.min(self.text.len()),
            None => return self.text.len(),
        };
        let rest = self.text.get(checkpoint..).unwrap_or_default();
        rest.char_indices().nth(index % STRIDE).map_or(self.text.len(), |(offset, _)| checkpoint + offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, index: usize) -> (usize, u32, u32) {
        let position = Marks::new(text).position(index);
        (position.offset, position.line, position.column)
    }

    #[test]
    fn code_points_become_bytes_lines_and_columns() {
        assert_eq!(at("ab\ncd", 4), (4, 2, 2));
        assert_eq!(at("é\né", 2), (3, 2, 1));
        assert_eq!(at("a\r\nb", 3), (3, 2, 1));
        assert_eq!(at("a\rb", 2), (2, 2, 1));
        assert_eq!(at("\u{feff}a", 1), (3, 1, 1));
        assert_eq!(at("", 0), (0, 1, 1));
        assert_eq!(at("é", 9), (2, 1, 10));
    }

    #[test]
    fn checkpoints_agree_with_counting() {
        let text = "ø\n".repeat(200);
        let marks = Marks::new(&text);
        for (index, (offset, _)) in text.char_indices().enumerate() {
            assert_eq!(marks.position(index).offset, offset);
            assert_eq!(marks.at_byte(offset), marks.position(index));
        }
    }
}
