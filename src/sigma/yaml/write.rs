//! A tree as YAML text. `serde_yaml` writes dates and times plain and breaks lines at U+2028, so that its text
//! means one thing to readers of YAML 1.1 and another to those of 1.2; this text means the same to both.

use std::fmt::Write as _;

use super::{Node, NodeKind, Spanned};

/// A tree as the text of a block of YAML, four blanks a level. Reading it gives the same tree, at its new places.
#[must_use]
pub fn write(node: &Node) -> String {
    let mut writer = Writer { text: String::new() };
    match &node.kind {
        NodeKind::Mapping(entries) if !entries.is_empty() => writer.mapping(entries, 0, false),
        NodeKind::Sequence(items) if !items.is_empty() => writer.sequence(items, 0, false),
        _ => writer.scalar(node, STEP),
    }
    writer.text
}

/// The blanks that a level is indented by.
const STEP: usize = 4;

/// The longest key, in bytes, that YAML reads without a `?` before it.
const MAX_KEY: usize = 1000;

struct Writer {
    text: String,
}

impl Writer {
    /// Each entry on lines of its own; the first one goes on where the text stands if it is `inline`.
    fn mapping(&mut self, entries: &[(Spanned<String>, Node)], indent: usize, inline: bool) {
        for (index, (key, value)) in entries.iter().enumerate() {
            self.begin(indent, inline && index == 0);
            let key = on_one_line(&key.value);
            if key.len() <= MAX_KEY {
                self.text.push_str(&key);
            } else {
                self.text.push_str("? ");
                self.text.push_str(&key);
                self.text.push('\n');
                self.begin(indent, false);
            }
            self.text.push(':');
            self.value(value, indent);
        }
    }

    /// What stands behind a colon.
    fn value(&mut self, node: &Node, indent: usize) {
        match &node.kind {
            NodeKind::Mapping(entries) if !entries.is_empty() => {
                self.text.push('\n');
                self.mapping(entries, indent + STEP, false);
            }
            NodeKind::Sequence(items) if !items.is_empty() => {
                self.text.push('\n');
                self.sequence(items, indent + STEP, false);
            }
            _ => {
                self.text.push(' ');
                self.scalar(node, indent + STEP);
            }
        }
    }

    fn sequence(&mut self, items: &[Node], indent: usize, inline: bool) {
        for (index, item) in items.iter().enumerate() {
            self.begin(indent, inline && index == 0);
            self.text.push_str("- ");
            match &item.kind {
                NodeKind::Mapping(entries) if !entries.is_empty() => self.mapping(entries, indent + 2, true),
                NodeKind::Sequence(items) if !items.is_empty() => self.sequence(items, indent + 2, true),
                _ => self.scalar(item, indent + STEP),
            }
        }
    }

    fn begin(&mut self, indent: usize, inline: bool) {
        if !inline {
            self.text.extend(std::iter::repeat_n(' ', indent));
        }
    }

    /// A scalar or an empty collection, and the end of its line.
    fn scalar(&mut self, node: &Node, indent: usize) {
        match &node.kind {
            NodeKind::Null => self.text.push_str("null"),
            NodeKind::Boolean(value) => self.text.push_str(if *value { "true" } else { "false" }),
            NodeKind::Integer(value) => self.text.push_str(&value.to_string()),
            NodeKind::Float(value) => self.text.push_str(&float(*value)),
            NodeKind::String(text) if reads_well_in_lines(text) => return self.lines(text, indent),
            NodeKind::String(text) => self.text.push_str(&on_one_line(text)),
            NodeKind::Sequence(_) => self.text.push_str("[]"),
            NodeKind::Mapping(_) => self.text.push_str("{}"),
        }
        self.text.push('\n');
    }

    /// Text of several lines, as it is.
    fn lines(&mut self, text: &str, indent: usize) {
        self.text.push_str(if text.ends_with('\n') { "|\n" } else { "|-\n" });
        for line in text.lines() {
            self.begin(indent, line.is_empty());
            self.text.push_str(line);
            self.text.push('\n');
        }
    }
}

/// A number with a point, and a sign at its exponent, without which YAML 1.1 has text.
fn float(value: f64) -> String {
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = format!("{value:?}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return text };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    format!("{mantissa}{point}e{sign}{exponent}")
}

/// Whether text can stand as a block of lines: no reader then has to guess where it begins and ends.
fn reads_well_in_lines(text: &str) -> bool {
    let inner = text.strip_suffix('\n').unwrap_or(text);
    let is_plain = |line: &str| line.trim().len() == line.len() && !line.contains(needs_escape);
    inner.contains('\n')
        && !inner.starts_with('\n')
        && !inner.ends_with('\n')
        && inner.split('\n').all(is_plain)
}

/// Text plain, in single quotes or in double quotes, the first of them that every reader takes for this text.
pub(super) fn on_one_line(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else if !text.contains(needs_escape) {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        escaped(text)
    }
}

pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push_str("\\t"),
            '\r' => escaped.push_str("\\r"),
            _ if needs_escape(c) => {
                let written = write!(escaped, "\\u{:04X}", u32::from(c));
                written.expect("a string takes any text");
            }
            _ => escaped.push(c),
        }
    }
    escaped.push('"');
    escaped
}

/// What YAML forbids, takes for the end of a line, or an editor does not show. All of them are below U+10000.
pub(super) fn needs_escape(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fffe}' | '\u{ffff}')
}

/// Words that a YAML version takes for something else; numbers, dates and marks do not begin with a letter.
const WORDS: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];

pub(super) fn is_plain(text: &str) -> bool {
    let begins_well = |c: char| c.is_alphabetic() || c == '_';
    text.starts_with(begins_well)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.contains(needs_escape)
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sigma::{Span, Spanned, yaml};

    fn node(kind: NodeKind) -> Node {
        Node { kind, span: Span::START }
    }

    fn text(text: &str) -> Node {
        node(NodeKind::String(text.to_owned()))
    }

    /// The tree with every node at the start.
    fn placeless(tree: Node) -> Node {
        node(match tree.kind {
            NodeKind::Sequence(items) => NodeKind::Sequence(items.into_iter().map(placeless).collect()),
            NodeKind::Mapping(entries) => NodeKind::Mapping(
                entries
                    .into_iter()
                    .map(|(key, value)| (Spanned::new(key.value, Span::START), placeless(value)))
                    .collect(),
            ),
            kind => kind,
        })
    }

    fn read_back(written: &str) -> Node {
        let mut documents = yaml::parse(written).unwrap_or_else(|problem| panic!("{problem}\n{written}"));
        assert_eq!(documents.len(), 1, "{written}");
        placeless(documents.remove(0))
    }

    #[test]
    fn a_tree_is_laid_out_in_blocks() {
        let source = "title: 'it''s'\nempty: [{}, []]\ndescription: |\n  one\n  two\nlist: [[a, 5], {b: 1, c: [x]}]\n\
                      'odd: key': null\nlast: |-\n  x\n  y\n";
        let expected = "title: it's\nempty:\n    - {}\n    - []\ndescription: |\n    one\n    two\nlist:\n    - - a\n      \
                        - 5\n    - b: 1\n      c:\n          - x\n'odd: key': null\nlast: |-\n    x\n    y\n";
        assert_eq!(write(&yaml::parse(source).unwrap()[0]), expected);
    }

    #[test]
    fn text_that_any_version_takes_for_something_else_is_quoted() {
        for plain in ["attack.t1059", "Image|endswith", "of them", "é", "_a", "no way"] {
            assert_eq!(write(&text(plain)), format!("{plain}\n"));
        }
        for quoted in [
            "",
            " ",
            "5",
            "-5",
            "1_000",
            "0x1F",
            "0o17",
            "017",
            "1.5",
            ".5",
            "1e3",
            ".inf",
            ".nan",
            "~",
            "null",
            "NULL",
            "true",
            "True",
            "yes",
            "No",
            "ON",
            "off",
            "y",
            "N",
            "2024-01-31",
            "2024-01-31T10:00:00Z",
            "12:30:45",
            "=",
            "<<",
            "*x",
            "&x",
            "!x",
            "?x",
            "- x",
            "-",
            "%x",
            "@x",
            "`x",
            "|",
            ">",
            "[x",
            "{x",
            "a: b",
            "a #b",
            "a:",
            "a ",
            "#a",
            "---",
            "...",
            r"\cmd.exe",
        ] {
            assert_eq!(write(&text(quoted)), format!("'{quoted}'\n"));
        }
    }

    #[test]
    fn text_that_cannot_stand_as_it_is_is_escaped() {
        for (value, written) in [
            ("a\tb", r#""a\tb""#),
            ("a\r\nb", r#""a\r\nb""#),
            ("\n", r#""\n""#),
            (" a\nb", r#"" a\nb""#),
            ("a\nb\n\n", r#""a\nb\n\n""#),
            ("\"\\\0", r#""\"\\\u0000""#),
            ("a\u{2028}b\u{85}\u{feff}", r#""a\u2028b\u0085\uFEFF""#),
        ] {
            assert_eq!(write(&text(value)), format!("{written}\n"));
        }
    }

    #[test]
    fn numbers_are_exact_and_floats_have_a_point() {
        for (value, written) in [
            (NodeKind::Integer(i128::MIN), "-170141183460469231731687303715884105728"),
            (NodeKind::Integer(18_446_744_073_709_551_615), "18446744073709551615"),
            (NodeKind::Float(1e21), "1.0e+21"),
            (NodeKind::Float(1.5e-9), "1.5e-9"),
            (NodeKind::Float(-2.0), "-2.0"),
            (NodeKind::Float(f64::NEG_INFINITY), "-.inf"),
        ] {
            assert_eq!(write(&node(value.clone())), format!("{written}\n"));
            assert_eq!(read_back(written), node(value));
        }
        assert_eq!(write(&node(NodeKind::Float(f64::NAN))), ".nan\n");
    }

    #[test]
    fn a_key_that_is_too_long_for_a_line_is_a_key() {
        let key = Spanned::new("k".repeat(5000), Span::START);
        for value in [text("x"), node(NodeKind::Sequence(vec![text("x")]))] {
            let tree = node(NodeKind::Mapping(vec![(key.clone(), value)]));
            assert_eq!(read_back(&write(&tree)), tree);
        }
    }

    fn any_text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[-a:?&*!|>'\"%@`{}\\[\\], #\n\r\t\\\\0~é\u{feff}\u{2028}\u{85}\0=.<e+]{0,12}",
            "[0-9:_.eExo+-]{0,8}",
            any::<String>(),
            proptest::sample::select(WORDS.to_vec()).prop_map(str::to_owned),
        ]
    }

    fn any_tree() -> impl Strategy<Value = Node> {
        let number = any::<f64>().prop_filter("equal to itself", |number| !number.is_nan());
        let leaf = prop_oneof![
            Just(NodeKind::Null),
            any::<bool>().prop_map(NodeKind::Boolean),
            any::<i128>().prop_map(NodeKind::Integer),
            number.prop_map(NodeKind::Float),
            any_text().prop_map(NodeKind::String),
        ];
        leaf.prop_map(node).prop_recursive(4, 24, 4, |inner| {
            let key = any_text().prop_map(|key| Spanned::new(key, Span::START));
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(NodeKind::Sequence),
                proptest::collection::vec((key, inner), 0..4).prop_map(|mut entries| {
                    entries.sort_by(|(one, _), (other, _)| one.value.cmp(&other.value));
                    entries.dedup_by(|(one, _), (other, _)| one.value == other.value);
                    NodeKind::Mapping(entries)
                }),
            ]
            .prop_map(node)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read(tree in any_tree()) {
            let tree = node(NodeKind::Mapping(vec![(Spanned::new("k".to_owned(), Span::START), tree)]));
            let written = write(&tree);
            prop_assert_eq!(read_back(&written), tree, "{}", written);
        }

        #[test]
        fn serde_yaml_reads_the_same_text(value in any_text()) {
            let written = write(&text(&value));
            let read = serde_yaml::from_str::<serde_yaml::Value>(&written).unwrap();
            prop_assert_eq!(read.as_str(), Some(&*value), "{}", written);
        }
    }
}
