//! The part of YAML that is read in one pass, against the whole language.

use std::cell::Cell;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::block::document;
use super::{errors, read};

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
fn a_list_begins_at_its_dash_where_its_first_text_begins_with_one() {
    assert!(read_alike("a:\n- -b\n- c\n"));
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
    let Some(corpus) = std::env::var_os("SIGMA_OCSF_CORPUS") else { return };
    let files = crate::sigma::rule_files(&[Path::new(&corpus).join("rules")]);
    let texts = files.iter().filter_map(|file| std::fs::read_to_string(file).ok());
    let (here, other): (Vec<bool>, Vec<bool>) = texts.map(|text| read_alike(&text)).partition(|here| *here);
    assert!(here.len() > other.len() * 10, "{} of {}", here.len(), files.len());
}

/// Reads texts of a form both ways, and wants many of them to be read here.
fn mostly_read_alike(texts: &impl Strategy<Value = String>) {
    let read_here = Cell::new(0);
    let cases = 4096;
    let mut runner = TestRunner::new(ProptestConfig { cases, ..ProptestConfig::default() });
    let alike = |text: String| {
        read_here.set(read_here.get() + u32::from(read_alike(&text)));
        Ok(())
    };
    runner.run(texts, alike).unwrap();
    assert!(read_here.get() > cases / 20, "{}", read_here.get());
}

#[test]
fn lines_of_any_form_are_read_alike() {
    let key = "([a-c]: ?|'[a-c]':|\"a\": )?";
    let value = "([-a-c0é:#'\"|.\u{85} ~?%@&>]{0,5}|\\||[a-c]{1,2}|'[ab ]{0,2}'|#a)";
    let line = format!("( {{0,4}}(- ){{0,2}}{key}{value}|[a-c]: [a-c]{{0,2}}|  - [a-c]|---) {{0,2}}");
    let line = proptest::string::string_regex(&line).unwrap();
    let text = (vec(line, 1..6), "\n?").prop_map(|(lines, end)| lines.join("\n") + &end);
    mostly_read_alike(&text);
}

#[test]
fn a_rule_with_odd_places_is_read_alike() {
    let rule = RULE.replace("[x]", "-x");
    let place = (0..rule.len(), "[-a: #'\"|\n.\u{85}é]{0,2}", 0..3_usize);
    let text = vec(place, 1..4).prop_map(move |places| {
        let mut text = rule.clone();
        for (at, put, cut) in places {
            let range = at..(at + cut).min(text.len());
            if text.get(range.clone()).is_some() {
                text.replace_range(range, &put);
            }
        }
        text
    });
    mostly_read_alike(&text);
}
