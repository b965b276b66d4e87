//! The conformance vectors of the corpus, as far as they need no capability.

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
