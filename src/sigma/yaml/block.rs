//! The part of YAML that nearly every rule keeps to, read in one pass: maps and lists in block style, of plain and
//! quoted text on one line and of `|` literals. A text that leaves this part anywhere is left alone, for
//! [`read`](super::read), which reads all of YAML and reads this part alike.

use std::borrow::Cow;

use memchr::{memchr, memchr2, memchr2_iter};

use super::{Node, NodeKind, scalar};
use crate::sigma::span::{Position, Span, Spanned};

/// Bytes of a text, so that no limit of the whole language can be passed.
const MAX_BYTES: usize = 64 << 10;
/// Lists and maps in each other.
const MAX_DEPTH: usize = 32;
/// Keys of a map, each of which is compared with those before it.
const MAX_KEYS: usize = 64;
/// Bytes of a key; the whole language has a limit, too.
const MAX_KEY: usize = 512;

/// The one document of a text; `None` where the text is not, throughout, of the part that is read here. Nothing of it is
/// a character that YAML does not allow.
pub(super) fn document(text: &str) -> Option<Node> {
    let ascii = text.is_ascii();
    let elsewhere = memchr2(b'\t', b'\r', text.as_bytes()).is_some() || (!ascii && text.contains('\u{feff}'));
    if elsewhere || text.len() > MAX_BYTES {
        return None;
    }
    let mut reader = Reader { text, ascii, line: Line { start: 0, end: 0, number: 0 }, at: 0, depth: 0 };
    reader.go_to(reader.line_at(0, 1));
    match reader.column()? {
        0 => reader.map(0).filter(|_| reader.column().is_none()),
        _ => None,
    }
}

/// Where the reader is: at the first character of a node, or behind the last line.
struct Reader<'a> {
    text: &'a str,
    ascii: bool,
    line: Line,
    at: usize,
    depth: usize,
}

/// A line of the text, by bytes, without its end.
#[derive(Clone, Copy)]
struct Line {
    start: usize,
    end: usize,
    /// Counted from 1.
    number: u32,
}

/// A scalar that stands on one line.
struct Word<'a> {
    text: Cow<'a, str>,
    plain: bool,
    /// Behind it, its quotes included.
    end: usize,
    /// Whether a colon follows that makes it a key.
    is_key: bool,
}

impl<'a> Reader<'a> {
    /// Goes to the first line from `next` on that has more than a comment.
    fn go_to(&mut self, next: Option<Line>) {
        let mut next = next;
        while let Some(line) = next {
            self.line = line;
            self.at = self.behind_blanks(line.start);
            if self.byte(self.at).is_some_and(|byte| byte != b'#') {
                return;
            }
            next = self.line_behind(line);
        }
        self.at = self.line.end;
    }

    fn next_line(&mut self) {
        self.go_to(self.line_behind(self.line));
    }

    fn line_behind(&self, line: Line) -> Option<Line> {
        self.line_at(line.end + 1, line.number + 1)
    }

    fn line_at(&self, start: usize, number: u32) -> Option<Line> {
        let rest = self.text.as_bytes().get(start..).filter(|rest| !rest.is_empty())?;
        let end = memchr(b'\n', rest).map_or(self.text.len(), |length| start + length);
        Some(Line { start, end, number })
    }

    /// The blanks before what the reader is at; `None` behind the last line.
    fn column(&self) -> Option<usize> {
        (self.at < self.line.end).then(|| self.at - self.line.start)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied().filter(|_| at < self.line.end)
    }

    fn behind_blanks(&self, from: usize) -> usize {
        let line = self.text.as_bytes().get(from..self.line.end).unwrap_or_default();
        from + line.iter().take_while(|byte| **byte == b' ').count()
    }

    /// Whether the line goes on with a blank, or ends.
    fn is_apart(&self, at: usize) -> bool {
        self.byte(at).is_none_or(|byte| byte == b' ')
    }

    fn is_dash(&self, at: usize) -> bool {
        self.byte(at) == Some(b'-') && self.is_apart(at + 1)
    }

    /// Whether nothing but a comment follows, from behind a node or its mark on.
    fn is_rest_empty(&self, from: usize) -> bool {
        let at = self.behind_blanks(from);
        match self.byte(at) {
            None => true,
            Some(b'#') => at > from,
            Some(_) => false,
        }
    }

    /// A position within the line.
    fn position(&self, offset: usize) -> Position {
        let before = self.text.get(self.line.start..offset).unwrap_or_default();
        let column = if self.ascii { before.len() } else { before.chars().count() };
        let column = u32::try_from(column).unwrap_or(u32::MAX).saturating_add(1);
        Position { offset, line: self.line.number, column }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span { start: self.position(start), end: self.position(end) }
    }

    /// A map whose keys stand in `column`, from its first key on.
    fn map(&mut self, column: usize) -> Option<Node> {
        self.deeper()?;
        let start = self.position(self.at);
        let mut end = start;
        let mut entries: Vec<(Spanned<String>, Node)> = Vec::new();
        loop {
            let key = self.key()?;
            if entries.len() == MAX_KEYS || entries.iter().any(|(other, _)| other.value == key.value) {
                return None;
            }
            let value = self.value(column)?;
            end = end.max(value.span.end);
            entries.push((key, value));
            match self.column() {
                Some(next) if next == column => {}
                Some(next) if next > column => return None,
                _ => break,
            }
        }
        self.depth -= 1;
        Some(Node { kind: NodeKind::Mapping(entries), span: Span { start, end } })
    }

    /// Reads a key, and goes to its colon.
    fn key(&mut self) -> Option<Spanned<String>> {
        let start = self.at;
        let word = self.word(start).filter(|word| word.is_key && word.end - start <= MAX_KEY)?;
        self.at = word.end;
        Some(Spanned::new(word.text.into_owned(), self.span(start, word.end)))
    }

    /// Reads what a key of a map in `column` has behind its colon, or on the lines below.
    fn value(&mut self, column: usize) -> Option<Node> {
        let behind = self.at + 1;
        if !self.is_rest_empty(behind) {
            self.at = self.behind_blanks(behind);
            return self.leaf(column);
        }
        let nothing = Node { kind: NodeKind::Null, span: self.span(behind, behind) };
        self.next_line();
        match self.column() {
            Some(next) if next >= column && self.is_dash(self.at) => self.list(next),
            Some(next) if next > column => self.map(next),
            _ => Some(nothing),
        }
    }

    /// A list whose dashes stand in `column`, from its first dash on.
    fn list(&mut self, column: usize) -> Option<Node> {
        self.deeper()?;
        let start = self.position(self.at);
        let mut items: Vec<Node> = Vec::new();
        loop {
            self.at = self.behind_blanks(self.at + 1);
            let item = self.item(column)?;
            items.push(item);
            match self.column() {
                Some(next) if next == column && self.is_dash(self.at) => {}
                Some(next) if next > column => return None,
                _ => break,
            }
        }
        self.depth -= 1;
        let end = items.last().map_or(start, |item| item.span.end);
        Some(Node { kind: NodeKind::Sequence(items), span: Span { start, end } })
    }

    /// Reads what stands behind a dash in `column`.
    fn item(&mut self, column: usize) -> Option<Node> {
        match self.byte(self.at)? {
            b'|' => self.literal(column),
            _ => match self.word(self.at)? {
                word if word.is_key => self.map(self.column()?),
                word => Some(self.scalar(word)),
            },
        }
    }

    /// A scalar of a list or a map in `column`.
    fn leaf(&mut self, column: usize) -> Option<Node> {
        if self.byte(self.at) == Some(b'|') {
            return self.literal(column);
        }
        let word = self.word(self.at).filter(|word| !word.is_key)?;
        Some(self.scalar(word))
    }

    /// The word that the reader is at, as a node; goes behind its line.
    fn scalar(&mut self, word: Word<'a>) -> Node {
        let span = self.span(self.at, word.end);
        let kind =
            if word.plain { scalar::plain(word.text) } else { NodeKind::String(word.text.into_owned()) };
        self.next_line();
        Node { kind, span }
    }

    /// A scalar that begins and ends on this line.
    fn word(&self, start: usize) -> Option<Word<'a>> {
        match self.byte(start)? {
            b'\'' | b'"' => self.quoted(start),
            // What begins these is said by what follows.
            b'-' | b'?' | b':' if self.is_apart(start + 1) => None,
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'%' | b'@'
            | b'`' => None,
            _ => self.plain(start),
        }
    }

    fn plain(&self, start: usize) -> Option<Word<'a>> {
        // At the start of a line, three of these begin or end a document.
        let line = self.text.get(start..self.line.end)?;
        if start == self.line.start && (line.starts_with("---") || line.starts_with("...")) {
            return None;
        }
        let marks = memchr2_iter(b':', b'#', line.as_bytes()).map(|at| start + at);
        let mut ends = marks.filter(|at| match self.byte(*at) {
            Some(b':') => self.is_apart(at + 1),
            _ => at.checked_sub(1).and_then(|before| self.byte(before)) == Some(b' '),
        });
        let end = ends.next().unwrap_or(self.line.end);
        let is_key = self.byte(end) == Some(b':');
        let text = self.text.get(start..end)?;
        let trimmed = text.trim_end_matches(' ');
        if is_key && trimmed.len() < text.len() {
            return None;
        }
        Some(Word { text: trimmed.into(), plain: true, end: start + trimmed.len(), is_key })
    }

    fn quoted(&self, start: usize) -> Option<Word<'a>> {
        let quote = self.byte(start)?;
        let line = self.text.as_bytes().get(..self.line.end)?;
        let (mut end, mut escaped) = (start + 1, false);
        loop {
            end += match quote {
                b'\'' => memchr(quote, line.get(end..)?)?,
                _ => memchr2(quote, b'\\', line.get(end..)?)?,
            };
            match (line.get(end)?, line.get(end + 1)) {
                (b'\'', Some(b'\'')) if quote == b'\'' => {}
                (b'\\', Some(b'\\' | b'"')) => {}
                (b'\\', _) => return None,
                _ => break,
            }
            (end, escaped) = (end + 2, true);
        }
        let text = self.text.get(start + 1..end)?;
        let text = match (escaped, quote) {
            (false, _) => Cow::Borrowed(text),
            (true, b'\'') => text.replace("''", "'").into(),
            (true, _) => unescaped(text).into(),
        };
        end += 1;
        let is_key = self.byte(end) == Some(b':') && self.is_apart(end + 1);
        (is_key || self.is_rest_empty(end)).then_some(Word { text, plain: false, end, is_key })
    }

    /// Text as it stands on the lines below a `|`, deeper than `column`.
    fn literal(&mut self, column: usize) -> Option<Node> {
        if self.behind_blanks(self.at + 1) < self.line.end {
            return None;
        }
        let line = self.line_behind(self.line)?;
        let indent = self.indent_of(line)?;
        if indent <= column {
            return None;
        }
        let start = Position { offset: line.start + indent, line: line.number, column: columns(indent) };
        let (mut value, mut length, mut last) = (String::new(), 0, line);
        let mut next = Some(line);
        while let Some(line) = next {
            match self.indent_of(line) {
                Some(found) if found >= indent => {
                    value.push_str(self.text.get(line.start + indent..line.end)?);
                    (last, length) = (line, value.len());
                }
                Some(found) if found > column => return None,
                Some(_) => break,
                // Blanks beyond the indentation would be text.
                None if line.end - line.start > indent => return None,
                None => {}
            }
            // The text ends without a line break.
            if line.end == self.text.len() {
                return None;
            }
            value.push('\n');
            next = self.line_behind(line);
        }
        value.truncate(length + 1);
        let written = self.text.get(last.start..last.end)?.trim_end_matches(' ');
        self.line = last;
        let end = self.position(last.start + written.len());
        self.go_to(next);
        Some(Node { kind: NodeKind::String(value), span: Span { start, end } })
    }

    /// The blanks that a line begins with; `None` where it has nothing else.
    fn indent_of(&self, line: Line) -> Option<usize> {
        self.text.as_bytes().get(line.start..line.end)?.iter().position(|byte| *byte != b' ')
    }

    fn deeper(&mut self) -> Option<()> {
        self.depth += 1;
        (self.depth <= MAX_DEPTH).then_some(())
    }
}

fn columns(blanks: usize) -> u32 {
    u32::try_from(blanks).unwrap_or(u32::MAX).saturating_add(1)
}

/// Text in double quotes of which every backslash stands before another or before a quote.
fn unescaped(text: &str) -> String {
    let mut chars = text.chars();
    let mut plain = String::with_capacity(text.len());
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    plain
}
