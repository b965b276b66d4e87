//! Rules written back: parsing what is written gives the rule that was read, at its new places.

mod support;

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use sigma_ocsf_tui::sigma::{self, Body, ProblemKind, Rule};

/// Everything that a rule says, without places.
fn meaning(rule: &Rule) -> String {
    let all = format!("{:?}\n{:?}\n{:?}", rule.metadata, rule.logsource, rule.body);
    let mut parts = all.split("Span { start: Position {");
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.map(|part| part.split_once(" } }").expect("a span is written whole").1).collect::<String>()
}

/// What is wrong with a rule. Odd metadata is left out with its warning, and so is what cannot be read at all.
fn problems(rule: &Rule) -> Vec<ProblemKind> {
    if matches!(rule.body, Body::Unreadable) {
        return Vec::new();
    }
    let mut kinds: Vec<_> = rule.problems.iter().map(|problem| problem.kind).collect();
    kinds.retain(|kind| *kind != ProblemKind::Metadata);
    kinds.sort();
    kinds
}

/// Whether the rule that is read from what is written differs, and how.
fn difference(rule: &Rule) -> Option<String> {
    let written = sigma::write(rule);
    let read = sigma::parse(&rule.path, &written);
    let [read] = read.as_slice() else { return Some(format!("{} rules\n{written}", read.len())) };
    let (before, after) = (meaning(rule), meaning(read));
    if before != after {
        return Some(format!("{}\n{before}\n{after}\n{written}", rule.path.display()));
    }
    let (before, after) = (problems(rule), problems(read));
    (before != after).then(|| format!("{}\n{before:?}\n{after:?}\n{written}", rule.path.display()))
}

fn round_trip(folder: PathBuf) -> usize {
    let rules = sigma::load(&[folder]);
    let differences: Vec<_> = rules.iter().filter_map(difference).collect();
    assert!(differences.is_empty(), "{} rules differ:\n{}", differences.len(), differences[0]);
    rules.len()
}

#[test]
fn fixtures_come_back() {
    assert!(round_trip(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules")) > 20);
}

#[test]
fn corpus_rules_come_back() {
    let Some(corpus) = support::corpus() else { return };
    assert_eq!(round_trip(corpus.join("rules")), 3780);
}

#[test]
fn rules_of_vectors_come_back() {
    let Some(corpus) = support::corpus() else { return };
    let vectors = support::vectors::read(&corpus.join("conformance/vectors.jsonl"));
    for vector in vectors {
        for rule in sigma::parse(Path::new("vector.yml"), &vector.rule) {
            assert_eq!(difference(&rule), None, "{}", vector.id);
        }
    }
}

#[test]
fn what_is_wrong_with_a_rule_comes_back() {
    for selection in [
        "{A|nope|contains: x}",
        "{A|: x}",
        "{A|re|i: x, A|re|ignorecase: y}",
        "{A: {b: [c, {d: 5}]}}",
        "{A: [x, [y, z], null]}",
        "\n    A:\n      b:\n        - c\n      d: 1\n    B:\n      - - e\n        - f",
        "{A: []}",
        "{}",
        "[]",
        "",
        "[one, [two], {A: 1}, three, [four, {B: 1}], [[five]], null]",
        "[[one]]",
        "{&k A: &v 1, B: *v}",
    ] {
        let text = format!(
            "title: t\nlogsource: {{category: c}}\ndetection:\n  s: {selection}\n  condition: s and\n"
        );
        for rule in sigma::parse(Path::new("r.yml"), &text) {
            assert_eq!(difference(&rule), None, "{text}");
        }
    }
}

#[test]
fn fields_stand_in_the_order_of_the_specification() {
    let text = "zeta: {b: 1, a: [2]}\ntags: [attack.t1059]\nlevel: high\nalpha: yes\ndetection:\n  \
                condition: [s, not s]\n  s:\n    A|contains: ['x', 5, 1.5, true]\n    B: null\nlogsource: {product: windows, \
                vendor: v}\ndate: 2024-01-31\nauthor: me\nreferences: [https://example.org]\ndescription: |\n  one\n  \
                two\nrelated: [{type: similar, id: x}]\nid: 7aa7009a-28b9-4344-8c1f-159489a390df\ntitle: T\n";
    let expected = "title: T\nid: '7aa7009a-28b9-4344-8c1f-159489a390df'\nrelated:\n    - id: x\n      type: similar\n\
                    description: |\n    one\n    two\nreferences:\n    - https://example.org\nauthor: me\n\
                    date: '2024-01-31'\nlogsource:\n    product: windows\n    vendor: v\ndetection:\n    s:\n        \
                    A|contains:\n            - x\n            - 5\n            - 1.5\n            - true\n        B: null\n    \
                    condition:\n        - s\n        - not s\nlevel: high\ntags:\n    - attack.t1059\nzeta:\n    b: 1\n    \
                    a:\n        - 2\nalpha: 'yes'\n";
    let rules = sigma::parse(Path::new("r.yml"), text);
    assert_eq!(sigma::write(&rules[0]), expected);
}

/// Text as rules have it, and as nobody would write it.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z*?\\\\|.:/ '\"#-]{0,12}",
        "[0-9_:.eExT+-]{0,10}",
        "\\PC{0,8}",
        "[a\n\t\r \u{85}\u{2028}]{0,8}",
        proptest::sample::select(vec!["yes", "No", "~", "null", "2024-01-31", "1_000", "0x1F", "1:30"])
            .prop_map(str::to_owned),
    ]
}

fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        4 => text().prop_map(Json::from),
        1 => any::<i64>().prop_map(Json::from),
        1 => any::<u64>().prop_map(Json::from),
        1 => any::<f64>().prop_map(Json::from),
        1 => any::<bool>().prop_map(Json::from),
        1 => Just(Json::Null),
    ]
}

fn search() -> impl Strategy<Value = Json> {
    let key =
        ("[A-Za-z.]{0,4}", proptest::sample::select(vec!["", "|contains", "|re|i", "|all|cased", "|nope"]))
            .prop_map(|(field, modifiers)| field + modifiers);
    let values = prop_oneof![scalar(), proptest::collection::vec(scalar(), 0..4).prop_map(Json::from)];
    let items = proptest::collection::btree_map(key, values, 0..4).prop_map(|items| json!(items));
    prop_oneof![items, scalar()]
        .prop_recursive(3, 12, 4, |inner| proptest::collection::vec(inner, 0..4).prop_map(Json::from))
}

fn any_rule() -> impl Strategy<Value = Json> {
    let searches = proptest::collection::btree_map("[a-z_]{1,4}", search(), 0..4);
    let condition = proptest::collection::vec("(not )?(1 of |all of )?[a-z_*]{1,4}( and [a-z]{1,2})?", 1..3);
    (text(), text(), searches, condition, search(), proptest::collection::vec(scalar(), 0..3)).prop_map(
        |(title, description, mut detection, condition, custom, tags)| {
            detection.insert("condition".to_owned(), json!(condition));
            json!({
                "title": title, "description": description, "tags": tags, "level": "high",
                "logsource": {"category": "c", "service": title},
                "detection": detection, "custom": custom,
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_rule_comes_back(rule in any_rule()) {
        let rules = sigma::parse(Path::new("r.yml"), &rule.to_string());
        for rule in &rules {
            prop_assert_eq!(difference(rule), None);
        }
    }

    #[test]
    fn any_correlation_comes_back(rule in any_rule(), correlation in search(), old in any::<bool>()) {
        let mut rule = rule;
        rule.as_object_mut().expect("a rule is a map").remove("detection");
        rule[if old { "action" } else { "correlation" }] = if old { json!("correlation") } else { correlation };
        for rule in sigma::parse(Path::new("r.yml"), &rule.to_string()) {
            prop_assert_eq!(difference(&rule), None);
        }
    }
}
