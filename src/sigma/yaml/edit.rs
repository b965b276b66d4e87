//! One scalar of a YAML text put in place of another: every other byte stays, and what is typed is quoted where YAML
//! would take it for something else.

use std::ops::Range;

use super::write::{escaped, is_plain, needs_escape, on_one_line};
use super::{Node, NodeKind, parse};
use crate::sigma::span::Span;

/// A scalar that stands on one line.
#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    /// Whether it is a key.
    pub is_key: bool,
    /// Where it is written, its quotes included. Empty for a value that is not there, as behind `key:`.
    pub span: Span,
    /// What it says, without quotes and escapes; of a number and the like, what is written.
    pub value: String,
    kind: NodeKind,
    place: Place,
}

/// The way to a scalar.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    document: usize,
    /// The index in each map and list on the way.
    steps: Vec<usize>,
}

/// Why one scalar cannot be put in place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this cannot be replaced by itself; edit the whole line")]
pub struct NotIsolated;

/// The scalars of a text that stand within `line`, a range of its bytes, in their order; none where the text is not
/// YAML.
#[must_use]
pub fn tokens(text: &str, line: &Range<usize>) -> Vec<Token> {
    let documents = parse(text).unwrap_or_default();
    let mut found = Collected { text, line, tokens: Vec::new() };
    for (document, root) in documents.iter().enumerate() {
        found.node(root, &mut Place { document, steps: Vec::new() });
    }
    let mut tokens = found.tokens;
    tokens.sort_by_key(|token| token.span.start);
    // Where an alias stands, what its anchor has is found once more.
    tokens.dedup_by_key(|token| token.span);
    tokens
}

struct Collected<'a> {
    text: &'a str,
    line: &'a Range<usize>,
    tokens: Vec<Token>,
}

impl Collected<'_> {
    fn node(&mut self, node: &Node, place: &mut Place) {
        match &node.kind {
            NodeKind::Mapping(entries) => {
                for (at, (key, value)) in entries.iter().enumerate() {
                    place.steps.push(at);
                    self.scalar(true, key.span, &NodeKind::String(key.value.clone()), place);
                    self.node(value, place);
                    place.steps.pop();
                }
            }
            NodeKind::Sequence(items) => {
                for (at, item) in items.iter().enumerate() {
                    place.steps.push(at);
                    self.node(item, place);
                    place.steps.pop();
                }
            }
            kind => self.scalar(false, node.span, kind, place),
        }
    }

    fn scalar(&mut self, is_key: bool, span: Span, kind: &NodeKind, place: &Place) {
        let within = span.start.offset >= self.line.start && span.end.offset <= self.line.end;
        let Some(written) = span.slice(self.text).filter(|_| within) else { return };
        let value = match kind {
            // Of a block the line break is the block's.
            NodeKind::String(text) => text.strip_suffix('\n').unwrap_or(text),
            _ => written,
        };
        if written.starts_with('*') || value.contains(|c: char| c.is_control()) {
            return;
        }
        let (value, kind, place) = (value.to_owned(), kind.clone(), place.clone());
        self.tokens.push(Token { is_key, span, value, kind, place });
    }
}

/// `text` with `value` in place of the token: written as the old one is where YAML reads it so, else in quotes. Text
/// stays text; what was a number, a boolean or nothing becomes whatever YAML takes `value` for.
///
/// # Errors
/// However it is written, something else in the text would mean something else: the token has an anchor, say. A text
/// that is no YAML any more, as by a key that is there twice, is none.
pub fn replace(text: &str, token: &Token, value: &str) -> Result<String, NotIsolated> {
    let before = parse(text).map_err(|_| NotIsolated)?;
    let written = token.span.slice(text).ok_or(NotIsolated)?;
    let mut broken = None;
    for candidate in candidates(token, written, value) {
        let after = spliced(text, token, &candidate);
        match parse(&after) {
            Ok(documents) if is_meant(&before, &documents, token, value) => return Ok(after),
            Ok(_) => {}
            Err(_) => broken = broken.or(Some(after)),
        }
    }
    broken.ok_or(NotIsolated)
}

fn spliced(text: &str, token: &Token, candidate: &str) -> String {
    let (head, tail) = (text.get(..token.span.start.offset), text.get(token.span.end.offset..));
    let (head, tail) = (head.unwrap_or_default(), tail.unwrap_or_default());
    // Nothing stands directly behind its colon or dash.
    let gap = if token.span.start == token.span.end && !head.ends_with(' ') { " " } else { "" };
    format!("{head}{gap}{candidate}{tail}")
}

/// How the value may be written, the way nearest to the old one first.
fn candidates(token: &Token, written: &str, value: &str) -> Vec<String> {
    let single = || format!("'{}'", value.replace('\'', "''"));
    let printable = !value.contains(needs_escape);
    let mut ways = Vec::new();
    match written.chars().next() {
        Some('\'') if printable => ways.push(single()),
        Some('"') => ways.push(escaped(value)),
        _ if stays_plain(token, written, value) => ways.push(value.to_owned()),
        _ => {}
    }
    ways.push(on_one_line(value));
    if printable {
        ways.push(single());
    }
    ways.push(escaped(value));
    // Within a block nothing is quoted.
    ways.push(value.to_owned());
    ways
}

/// Whether it may stand without quotes for all readers; what begins as the old text did may where that did.
fn stays_plain(token: &Token, written: &str, value: &str) -> bool {
    let kind = |text: &str| {
        let first = text.chars().next().filter(|c| !c.is_alphabetic())?;
        Some((first.is_numeric(), first.is_ascii_punctuation()))
    };
    let alike = kind(written).is_some() && kind(written) == kind(value);
    !matches!(token.kind, NodeKind::String(_)) || is_plain(value) || alike
}

/// Whether `after` differs from `before` in this token alone, and has `value` there.
fn is_meant(before: &[Node], after: &[Node], token: &Token, value: &str) -> bool {
    before.len() == after.len()
        && before.iter().zip(after).enumerate().all(|(document, (old, new))| {
            let steps = (document == token.place.document).then_some(token.place.steps.as_slice());
            is_same(old, new, steps, token, value)
        })
}

/// Whether two nodes are alike but for the token, which `steps` lead to from here.
fn is_same(old: &Node, new: &Node, steps: Option<&[usize]>, token: &Token, value: &str) -> bool {
    let next = |at: usize| {
        let (first, rest) = steps?.split_first()?;
        (*first == at).then_some(rest)
    };
    match (&old.kind, &new.kind) {
        (NodeKind::Mapping(old), NodeKind::Mapping(new)) => {
            let mut pairs = old.iter().zip(new).enumerate();
            old.len() == new.len()
                && pairs.all(|(at, (old, new))| {
                    let here = next(at);
                    let is_it = token.is_key && here.is_some_and(<[usize]>::is_empty);
                    let key = if is_it { new.0.value == value } else { old.0.value == new.0.value };
                    key && is_same(&old.1, &new.1, here.filter(|_| !is_it), token, value)
                })
        }
        (NodeKind::Sequence(old), NodeKind::Sequence(new)) => {
            let mut pairs = old.iter().zip(new).enumerate();
            old.len() == new.len() && pairs.all(|(at, (old, new))| is_same(old, new, next(at), token, value))
        }
        (old_kind, new_kind) if steps.is_some_and(<[usize]>::is_empty) => match (old_kind, new_kind) {
            (NodeKind::String(old), NodeKind::String(new)) if old.ends_with('\n') => {
                new.strip_suffix('\n') == Some(value)
            }
            (_, NodeKind::String(new)) => new == value,
            (NodeKind::String(_), _) => false,
            (_, NodeKind::Mapping(_) | NodeKind::Sequence(_)) => false,
            _ => true,
        },
        (old, new) => old == new,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The tokens of the line that `needle` stands on.
    fn on_line(text: &str, needle: &str) -> Vec<Token> {
        let at = text.find(needle).unwrap();
        let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
        let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
        tokens(text, &(start..end))
    }

    fn replaced(text: &str, old: &str, new: &str) -> Result<String, NotIsolated> {
        let tokens = on_line(text, old);
        let token = tokens.iter().find(|token| token.value == old);
        replace(text, token.unwrap_or_else(|| panic!("{old} in {tokens:?}")), new)
    }

    #[test]
    fn a_line_has_its_keys_and_values() {
        let text = "a: {'b|c': \"x\\u0041\", d: [1, 0x1F]}\ne: &n y\nf: *n\ng:\nh: |\n  one\n";
        let values = |needle| on_line(text, needle).into_iter().map(|t| t.value).collect::<Vec<_>>();
        assert_eq!(values("a:"), ["a", "b|c", "xA", "d", "1", "0x1F"]);
        assert_eq!(values("e:"), ["e", "y"]);
        assert_eq!(values("f:"), ["f"]);
        assert_eq!(values("g:"), ["g", ""]);
        assert_eq!(values("h:"), ["h"]);
        assert_eq!(values("  one"), ["one"]);
    }

    #[test]
    fn what_is_typed_is_quoted_where_it_must_be() {
        let plain = |new| replaced("a: x # c\r\nb: 1\r\n", "x", new).unwrap();
        assert_eq!(plain("w"), "a: w # c\r\nb: 1\r\n");
        for odd in ["k: v", "a #b", "*x", "&x", "yes", "12", "null", "- y", "[", "'q'", "", "%a", "@b", "#"] {
            let quoted = odd.replace('\'', "''");
            assert_eq!(plain(odd), format!("a: '{quoted}' # c\r\nb: 1\r\n"), "{odd}");
        }
        assert_eq!(plain("\\x.exe"), "a: '\\x.exe' # c\r\nb: 1\r\n");
    }

    #[test]
    fn the_style_is_kept_where_it_can_be() {
        assert_eq!(replaced("a: 'x'", "x", "it's").unwrap(), "a: 'it''s'");
        assert_eq!(replaced("a: \"x\"", "x", "q\"\\").unwrap(), "a: \"q\\\"\\\\\"");
        assert_eq!(replaced("a: /usr/bin/x", "/usr/bin/x", "/usr/bin/y").unwrap(), "a: /usr/bin/y");
        assert_eq!(replaced("a: [x, y]", "x", "p, q").unwrap(), "a: ['p, q', y]");
        assert_eq!(replaced("a: [x, y]", "x", "p").unwrap(), "a: [p, y]");
        assert_eq!(replaced("a: |\n  x\nb: y", "x", "k: #v").unwrap(), "a: |\n  k: #v\nb: y");
        assert_eq!(replaced("a: >-\n  x\nb: y", "x", "'v").unwrap(), "a: >-\n  'v\nb: y");
        assert_eq!(replaced("d: 2024-01-01", "2024-01-01", "2024-01-02").unwrap(), "d: 2024-01-02");
    }

    #[test]
    fn numbers_and_what_is_missing_are_read_as_yaml_does() {
        assert_eq!(replaced("a: 4624", "4624", "4625").unwrap(), "a: 4625");
        assert_eq!(replaced("a: 4624", "4624", "x: y").unwrap(), "a: 'x: y'");
        assert_eq!(replaced("a: 4624", "4624", "[1]").unwrap(), "a: '[1]'");
        let missing = on_line("a:\nb: 1\n", "a:").remove(1);
        assert_eq!(replace("a:\nb: 1\n", &missing, "x").unwrap(), "a: x\nb: 1\n");
        let item = on_line("a:\n  -\n", "  -").remove(0);
        assert_eq!(replace("a:\n  -\n", &item, "*x").unwrap(), "a:\n  - '*x'\n");
    }

    #[test]
    fn keys_are_replaced_like_values() {
        let text = "s:\n  Image|endswith: x\n  'a b': y\n";
        assert_eq!(
            replaced(text, "Image|endswith", "Image|contains").unwrap(),
            text.replace("endswith", "contains")
        );
        assert_eq!(replaced(text, "a b", "c: d").unwrap(), text.replace("a b", "c: d"));
        // There twice: no YAML, which the author sees.
        assert!(parse(&replaced(text, "Image|endswith", "a b").unwrap()).is_err());
    }

    #[test]
    fn what_is_said_elsewhere_as_well_is_left_to_the_whole_line() {
        assert_eq!(replaced("a: &n x\nb: *n\n", "x", "y"), Err(NotIsolated));
        assert_eq!(replaced("a: &n x\nb: z\n", "x", "w").unwrap(), "a: &n w\nb: z\n");
    }

    #[test]
    fn the_second_document_is_its_own() {
        let text = "a: x\n---\n# c\na: y\n";
        assert_eq!(replaced(text, "y", "z").unwrap(), "a: x\n---\n# c\na: z\n");
    }

    fn rule() -> impl Strategy<Value = String> {
        let value = prop_oneof!["[a-z]{1,6}", "'[a-z*: ]{0,6}'", "\"[a-z #]{0,6}\"", "[0-9]{1,4}"];
        let key = "[A-Z][a-z]{1,4}(\\|endswith)?";
        let flow = prop::collection::vec(value.clone(), 1..4).prop_map(|v| format!(" [{}]", v.join(", ")));
        let block = prop::collection::vec(value.clone(), 1..4)
            .prop_map(|v| v.iter().map(|v| format!("\n      - {v} # c")).collect::<String>());
        let right = prop_oneof![value.prop_map(|v| format!(" {v}")), flow, block];
        let ending = prop::sample::select(vec!["\n", "\r\n"]);
        (prop::collection::vec((key, right), 1..5), ending).prop_map(|(entries, ending)| {
            let keyed = entries.iter().enumerate();
            let lines: String = keyed.map(|(at, (key, right))| format!("    {key}{at}:{right}\n")).collect();
            format!("# head\nd:\n{lines}---\nx: 'y'\n").replace('\n', ending)
        })
    }

    proptest! {
        #[test]
        fn other_lines_stay_and_the_value_is_what_was_typed(
            text in rule(),
            line in 0usize..12,
            pick in any::<prop::sample::Index>(),
            typed in prop_oneof!["\\PC{0,12}", "[-*&#:'\"\\[\\]{}, a]{0,6}"],
        ) {
            let mut starts = text.split_inclusive('\n').scan(0, |at, line| {
                let start = *at;
                *at += line.len();
                Some(start..start + line.trim_end().len())
            });
            let Some(range) = starts.nth(line) else { return Ok(()) };
            let tokens = tokens(&text, &range);
            prop_assume!(!tokens.is_empty());
            let token = pick.get(&tokens);
            let after = replace(&text, token, &typed).unwrap();
            let tail = text.len() - range.end;
            prop_assert_eq!(&after[..range.start], &text[..range.start]);
            prop_assert_eq!(&after[after.len() - tail..], &text[range.end..]);
            if let (Ok(old), Ok(new)) = (parse(&text), parse(&after)) {
                prop_assert!(is_meant(&old, &new, token, &typed));
            } else {
                prop_assert!(token.is_key);
            }
        }
    }
}
