//! The conformance vectors of the corpus, by area.

mod support;

use support::vectors;

#[test]
fn vectors_pass() {
    let Some(corpus) = support::corpus() else { return };
    let mut all = vectors::read(&corpus.join("conformance/vectors.jsonl"));
    let total = all.len();
    let later = ["correlation", "filters"];
    all.retain(|vector| !vector.capabilities.iter().any(|name| later.contains(&name.as_str())));
    let failures = vectors::failures(&all);
    println!("{} of {total} vectors are of single events; {} failed", all.len(), failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn vectors_of_correlations_and_filters_pass() {
    let Some(corpus) = support::corpus() else { return };
    let mut all = vectors::read(&corpus.join("conformance/vectors.jsonl"));
    all.retain(|vector| ["correlation", "filters"].contains(&vector.area.as_str()));
    let failures = vectors::failures(&all);
    println!("{} vectors of correlations and filters; {} failed", all.len(), failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn a_line_that_is_no_vector_is_named() {
    let vector = |id: &str, types: &str, event: &str, capabilities: &str| {
        format!(
            r#"{{"id": "{id}", "area": "x", "rule": "", "event": {event}, "types": {types}, "capabilities": {capabilities}, "expect": true, "why": ""}}"#
        )
    };
    let good = vector("one", r#"{"A": "integer[]"}"#, r#"{"A": [1, null], "B": "unmapped"}"#, r#"["regex"]"#);
    let lines = [
        good.clone(),
        String::new(),
        "{".to_owned(),
        good,
        vector("two", r#"{"A": "varchar"}"#, "{}", "[]"),
        vector("three", r#"{"A": "integer"}"#, r#"{"A": 1.5}"#, "[]"),
        vector("four", "{}", "{}", r#"["everything"]"#),
        vector("five", r#"{"A": "string", "a": "string"}"#, "{}", "[]"),
        vector("six\\u0000", "{}", "{}", "[]"),
        vector("seven", "{}", "{}", "[]"),
    ];
    let parsed = vectors::parse(&lines.join("\n"));
    let good: Vec<_> = parsed.iter().filter(|(_, vector)| vector.is_ok()).map(|(line, _)| *line).collect();
    assert_eq!((parsed.len(), good), (9, vec![1, 10]), "{parsed:?}");
}
