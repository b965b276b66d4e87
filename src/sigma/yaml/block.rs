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
    reader.go_to(0);
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
    /// Goes to the first line from the one at `start` on that has more than a comment.
    fn go_to(&mut self, start: usize) {
        let bytes = self.text.as_bytes();
        let mut start = start;
        while let Some(rest) = bytes.get(start..).filter(|rest| !rest.is_empty()) {
            let end = memchr(b'\n', rest).map_or(bytes.len(), |length| start + length);
            self.line = Line { start, end, number: self.line.number + 1 };
            self.at = self.behind_blanks(start);
            if self.at < end && self.byte(self.at) != Some(b'#') {
                return;
            }
            start = end + 1;
        }
        self.at = bytes.len();
        self.line = Line { start: bytes.len(), end: bytes.len(), ..self.line };
    }

    fn next_line(&mut self) {
        self.go_to(self.line.end + 1);
    }

    /// The blanks before what the reader is at; `None` at the end of the text.
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
            b'|' => self.leaf(column),
            _ if self.word(self.at)?.is_key => self.map(self.column()?),
            _ => self.leaf(column),
        }
    }

    /// A scalar of a list or a map in `column`.
    fn leaf(&mut self, column: usize) -> Option<Node> {
        if self.byte(self.at) == Some(b'|') {
            return self.literal(column);
        }
        let word = self.word(self.at).filter(|word| !word.is_key)?;
        let span = self.span(self.at, word.end);
        let kind =
            if word.plain { scalar::plain(word.text) } else { NodeKind::String(word.text.into_owned()) };
        self.next_line();
        Some(Node { kind, span })
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
        let mut line = self.line_behind(self.line)?;
        let indent = self.indent_of(line)?;
        if indent <= column {
            return None;
        }
        let start = Position { offset: line.start + indent, line: line.number, column: columns(indent) };
        let (mut value, mut length, mut last) = (String::new(), 0, line);
        loop {
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
            value.push('\n');
            match self.line_behind(line) {
                Some(next) => line = next,
                None if line.end < self.text.len() => {
                    line = Line { start: self.text.len(), ..line };
                    break;
                }
                // Without a line break at the end of the text.
                None => return None,
            }
        }
        value.truncate(length + 1);
        let written = self.text.get(last.start..last.end)?.trim_end_matches(' ');
        self.line = last;
        let end = self.position(last.start + written.len());
        self.line.number = line.number - 1;
        self.go_to(line.start);
        Some(Node { kind: NodeKind::String(value), span: Span { start, end } })
    }

    fn line_behind(&self, line: Line) -> Option<Line> {
        let start = line.end + 1;
        let rest = self.text.as_bytes().get(start..).filter(|rest| !rest.is_empty())?;
        let end = memchr(b'\n', rest).map_or(self.text.len(), |length| start + length);
        Some(Line { start, end, number: line.number + 1 })
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;

    use super::*;
    use crate::sigma::yaml::{errors, read};

    /// Reads a text both ways; whether this one could.
    fn read_alike(text: &str) -> bool {
        let read_here = errors::unprintable(text).is_none().then(|| document(text)).flatten();
        if let Some(node) = &read_here {
            let (documents, problem) = read::whole(text);
            assert_eq!((documents.as_slice(), problem), (std::slice::from_ref(node), None), "{text:?}");
        }
        read_here.is_some()
    }

    const RULE: &str = "# a comment\ntitle: A rule  # said\nid: 7aa7009a-28b9-4344-8c1f-159489a390df\n\
        description: |\n    Two lines,\n\n      the second deeper   \n\nreferences:\n    - https://example.org/#a:b\n    - 'it''s'\n\
        related:\n    - id: x\n      type: derived\n    -   id: é\n        type: \"a \\\"b\\\" \\\\c\"\nlogsource:\n  category: c\n\
        detection:\n    s:\n        A|contains:\n        - '1'\n        - 1\n        - |\n          text\n        B: \n    k:\n    - a b\n    '|all': [x]\n";

    #[test]
    fn a_rule_is_read_as_the_whole_language_reads_it() {
        assert!(!read_alike(RULE), "a list in brackets");
        assert!(read_alike(&RULE.replace("[x]", "-x")));
    }

    #[test]
    fn what_is_not_of_this_part_is_left_alone() {
        for text in [
            "",
            "a",
            "- a",
            " a: b",
            "a: b\n c",
            "a: b\n  c: d",
            "a: b: c",
            "a: 'b\n  c'",
            "a: >\n  b\n",
            "a: &x b",
            "a: *x",
            "a: !t b",
            "a: [b]",
            "a: {b: c}",
            "? a\n: b",
            "a: b\na: c",
            "---\na: b",
            "a: b\n---\nb: c",
            "a: b\n...\n",
            "a:\tb",
            "a: b\r\n",
            "\u{feff}a: b",
            "a: |2\n   b\n",
            "a: |\n\n  b\n",
            "a: |\n  b",
            "a: |\n",
            "a: - b",
            "a: 'b' c",
            "a: 'b'#c",
            "a: \"\\n\"",
            "a :\n  b",
            "-a: b\n - c",
            "a:\n  - b\n c: d",
            "a:\n- - b",
            "a:\n-\n  b: c",
            "%a: b",
            "a: |\n   b\n  c\nd: e\n",
            "a: |\n  b\n   \nd: e\n",
        ] {
            assert!(document(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn every_rule_of_the_corpus_is_read_alike() {
        let Some(corpus) = std::env::var_os("SIGMA_OCSF_CORPUS") else {
            println!("skipped: SIGMA_OCSF_CORPUS names no corpus");
            return;
        };
        let files = crate::sigma::rule_files(&[Path::new(&corpus).join("rules")]);
        let texts = files.iter().filter_map(|file| std::fs::read_to_string(file).ok());
        let (here, other): (Vec<bool>, Vec<bool>) =
            texts.map(|text| read_alike(&text)).partition(|here| *here);
        assert!(here.len() > other.len() * 10, "{} of {}", here.len(), files.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn lines_of_any_form_are_read_alike(
            lines in prop::collection::vec("( {0,4}(- ){0,2}([a-c]: ?|'[a-c]':|\"a\": )?([-a-c0é:#'\"|.\u{85} ~?%@&>]{0,5}|\\||[a-c]{1,2}|'[ab ]{0,2}'|#a)|---|...) {0,2}", 1..7)
        ) {
            read_alike(&lines.join("\n"));
            read_alike(&(lines.join("\n") + "\n"));
        }

        #[test]
        fn a_rule_with_odd_places_is_read_alike(
            places in prop::collection::vec((0..RULE.len(), "[-a: #'\"|\n.\u{85}é]{0,2}", 0..3_usize), 1..4)
        ) {
            let mut text = RULE.replace("[x]", "-x");
            for (at, put, cut) in places {
                let range = at..(at + cut).min(text.len());
                if text.get(range.clone()).is_some() {
                    text.replace_range(range, &put);
                }
            }
            read_alike(&text);
        }
    }
}
