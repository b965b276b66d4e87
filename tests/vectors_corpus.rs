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
