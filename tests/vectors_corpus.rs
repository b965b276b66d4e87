//! The conformance vectors of the corpus, as far as they need no capability.

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
