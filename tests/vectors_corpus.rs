//! The conformance vectors of the corpus, by area.

mod support;

use support::vectors;

#[test]
fn vectors_without_capabilities_pass() {
    let Some(corpus) = support::corpus() else { return };
    let mut all = vectors::read(&corpus.join("conformance/vectors.jsonl"));
    let total = all.len();
    all.retain(|vector| vector.capabilities.is_empty());
    let failures = vectors::failures(&all);
    println!("{} of {total} vectors need no capability; {} failed", all.len(), failures.len());
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
