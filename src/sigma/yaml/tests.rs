//! The tree, its places and its limits.

use super::*;
use crate::sigma::ProblemKind;

fn one(text: &str) -> Node {
    let mut documents = parse(text).unwrap();
    assert_eq!(documents.len(), 1, "{text:?}");
    documents.remove(0)
}

fn refused(text: &str) -> Problem {
    parse(text).unwrap_err()
}

fn slice<'a>(text: &'a str, node: &Node) -> &'a str {
    node.span.slice(text).unwrap()
}

#[test]
fn scalars_stand_where_they_are_written() {
    let text =
        "a: plain text  # comment\nb: 'it''s'   # é\nc: \"x\\\"y\" \nd: &v !!str 5\ne: *v\nf: &w 'q' # w\n";
    let node = one(text);
    let shown: Vec<_> = node.entries().iter().map(|(key, value)| (&*key.value, slice(text, value))).collect();
    assert_eq!(
        shown,
        [("a", "plain text"), ("b", "'it''s'"), ("c", "\"x\\\"y\""), ("d", "5"), ("e", "*v"), ("f", "'q'")]
    );
    assert_eq!(node.get("b").unwrap().as_str(), Some("it's"));
    assert_eq!(node.get("e").unwrap().as_str(), Some("5"));
    let keys = node.entries().iter().map(|(key, _)| key.span.slice(text).unwrap());
    assert!(keys.eq(["a", "b", "c", "d", "e", "f"]));
}

#[test]
fn block_scalars_end_with_their_text() {
    let text = "a: |\n    one\n    two\n\n\nb: >-\n  three\n  four\n";
    let node = one(text);
    assert_eq!(slice(text, node.get("a").unwrap()), "one\n    two");
    assert_eq!(node.get("a").unwrap().as_str(), Some("one\ntwo\n"));
    assert_eq!(slice(text, node.get("b").unwrap()), "three\n  four");
}

#[test]
fn collections_end_with_their_last_child() {
    let text =
        "a:\n  b: 1\n  c:\n    - 2\n    - x: 3\n\n\n# note\nd:\n- 4\n- 5\n\ne: [6, 7] # eight\nf: {g: 8}\n";
    let node = one(text);
    assert_eq!(slice(text, node.get("a").unwrap()), "b: 1\n  c:\n    - 2\n    - x: 3");
    assert_eq!(slice(text, node.get("a").unwrap().get("c").unwrap()), "- 2\n    - x: 3");
    assert_eq!(slice(text, node.get("d").unwrap()), "- 4\n- 5");
    assert_eq!(slice(text, node.get("e").unwrap()), "[6, 7]");
    assert_eq!(slice(text, node.get("f").unwrap()), "{g: 8}");
    assert_eq!(slice(text, &node), text.trim_end());
}

#[test]
fn nothing_stands_behind_its_colon() {
    let text = "a:\n\n# note\nb: 1\nc:   ~\n";
    let node = one(text);
    let nothing = node.get("a").unwrap();
    assert!(nothing.is_null());
    assert_eq!((nothing.span.start.line, nothing.span.start.column), (1, 3));
    assert_eq!(slice(text, node.get("c").unwrap()), "~");
    let text = "a:\n  - é\n  -\n\n\nb: 1\n";
    assert_eq!(slice(text, one(text).get("a").unwrap()), "- é\n  -");
}

#[test]
fn positions_count_code_points_and_crlf_and_the_byte_order_mark() {
    let text = "\u{feff}a: 1\r\nü: 'é'\r\n";
    let node = one(text);
    assert_eq!(node.entries()[0].0.span.start, super::super::Position { offset: 3, line: 1, column: 1 });
    let value = node.get("ü").unwrap();
    assert_eq!((value.span.start.line, value.span.start.column), (2, 4));
    assert_eq!(slice(text, value), "'é'");
}

#[test]
fn documents_are_separate_and_empty_ones_are_none() {
    assert_eq!(parse("a: 1\n---\nb: 2\n---\n").unwrap().len(), 2);
    assert_eq!(parse("---\n---\na: 1\n...\n").unwrap().len(), 1);
    for empty in ["", "\n", "# note\n", "---\n", "---\n# note\n...\n", "\u{feff}"] {
        assert_eq!(parse(empty).unwrap(), [], "{empty:?}");
    }
    assert_eq!(parse("--- null\n").unwrap().len(), 1);
    let problem = refused("a: &x 1\n---\nb: *x\n");
    assert_eq!((problem.kind, problem.span.start.line), (ProblemKind::Parse, 3));
}

#[test]
fn an_error_keeps_the_documents_before_it() {
    let (documents, problem) = parse_leading("a: 1\n---\nb: [\n");
    assert_eq!(documents.len(), 1);
    assert!(problem.unwrap().span.start.line >= 3);
}

#[test]
fn keys_are_text_and_distinct() {
    let node = one("1: a\ntrue: b\n~: c\n0x1F: d\n");
    let keys: Vec<_> = node.entries().iter().map(|(key, _)| &*key.value).collect();
    assert_eq!(keys, ["1", "true", "~", "0x1F"]);
    let problem = refused("a: 1\nb: 2\na: 3\n");
    assert_eq!((problem.kind, problem.span.start.line), (ProblemKind::Parse, 3));
    assert!(problem.message.contains("line 1"), "{}", problem.message);
    assert_eq!(refused("? [a]\n: 1\n").kind, ProblemKind::Parse);
    assert_eq!(refused("{[a]: 1}\n").kind, ProblemKind::Parse);
}

#[test]
fn tags_that_a_rule_cannot_have_are_refused() {
    assert_eq!(one("a: !!str 5").get("a").unwrap().as_str(), Some("5"));
    assert_eq!(one("a: ! 5").get("a").unwrap().as_str(), Some("5"));
    assert_eq!(one("a: !<tag:yaml.org,2002:str> 5").get("a").unwrap().as_str(), Some("5"));
    assert!(refused("a: !python/object x").message.contains("!python/object"));
    assert!(refused("a: !!set {b: }").message.contains("!!set"));
    assert_eq!(one("a: !!map {b: 1}\nc: !!seq [1]").entries().len(), 2);
}

#[test]
fn characters_that_yaml_forbids_are_pointed_at() {
    for (text, line, column) in [("a: 1\nb: \0x\n", 2, 4), ("é\u{1b}[31m", 1, 2), ("a: \u{7f}", 1, 4)] {
        let problem = refused(text);
        assert_eq!((problem.span.start.line, problem.span.start.column), (line, column), "{text:?}");
        assert!(!problem.message.contains(char::is_control), "{}", problem.message);
    }
}

#[test]
fn syntax_errors_say_what_usually_helps() {
    let cases = [
        ("a: *x\n", "quotes"),
        ("a: @x\n", "quotes"),
        ("a:\n\tb: 1\n", "blanks"),
        ("a: \"C:\\Windows\"\n", "single quotes"),
        ("a: 'it's'\n", "write a quote twice"),
        ("detection: [\n", "brackets"),
    ];
    for (text, help) in cases {
        let problem = refused(text);
        assert!(problem.help.as_ref().is_some_and(|h| h.contains(help)), "{text:?}: {problem:?}");
    }
}

#[test]
fn nesting_is_limited() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(parse(&nested(MAX_DEPTH)).unwrap().len(), 1);
    for depth in [MAX_DEPTH + 1, 100_000] {
        assert_eq!(refused(&nested(depth)).kind, ProblemKind::Limit);
    }
    let block: String = (0..200).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert_eq!(refused(&block).kind, ProblemKind::Limit);
    let doubled = "a: &a [[[[[[[[[[1]]]]]]]]]]\nb: &b [[[[[[[[[[*a]]]]]]]]]]\nc: &c [[[[[[[[[[*b]]]]]]]]]]\n\
                   d: &d [[[[[[[[[[[[[[[[[[[[*c]]]]]]]]]]]]]]]]]]]]\ne: &e [[[[[[[[[[[[[[*d]]]]]]]]]]]]]]\n";
    assert_eq!(refused(doubled).kind, ProblemKind::Limit);
}

#[test]
fn alias_bombs_are_refused() {
    let mut laughs = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        laughs += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    assert_eq!(refused(&laughs).kind, ProblemKind::Limit);
    let long = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 50_000].join(", "));
    assert_eq!(refused(&long).kind, ProblemKind::Limit);
    let nested: String =
        (0..MAX_DEPTH - 1).map(|level| format!("{}a: &a{level}\n", " ".repeat(level))).collect();
    let wide = format!("{nested}{}[{}]\n", " ".repeat(MAX_DEPTH), vec!["x"; 3000].join(", "));
    assert_eq!(refused(&wide).kind, ProblemKind::Limit);
    assert_eq!(refused("a: &a [*a]\n").kind, ProblemKind::Parse);
}

#[test]
fn size_is_limited() {
    assert_eq!(refused(&" ".repeat(MAX_BYTES + 1)).kind, ProblemKind::Limit);
    let many = "- a\n".repeat(MAX_NODES + 1);
    let problem = refused(&many);
    assert_eq!((problem.kind, problem.span.start.line), (ProblemKind::Limit, 100_001));
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        let _ = parse(&text);
    }

    #[test]
    fn text_that_looks_like_yaml_is_read_or_refused(text in "[-a:?&*!|>'\"%@`{}\\[\\], #\n\r\t\\\\0~é\u{feff}]{0,60}") {
        for node in parse_leading(&text).0 {
            check_places(&text, &node);
        }
    }

    #[test]
    fn quoted_text_comes_back(value in "[ -~é]{0,20}") {
        let text = format!("k: '{}'\n", value.replace('\'', "''"));
        let node = one(&text);
        assert_eq!(node.get("k").unwrap().as_str(), Some(&*value));
    }
}

/// Each node lies inside the text, and on character boundaries.
fn check_places(text: &str, node: &Node) {
    assert!(node.span.slice(text).is_some(), "{text:?}: {node:?}");
    for (key, value) in node.entries() {
        assert!(key.span.slice(text).is_some(), "{text:?}: {key:?}");
        check_places(text, value);
    }
    node.items().iter().for_each(|item| check_places(text, item));
}
