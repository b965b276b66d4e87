//! Golden equivalence over the corpus: both backends give the same events for every public rule.

mod support;

use support::equivalence::{compare, compile};

#[test]
fn backends_agree_on_the_corpus() {
    let Some(corpus) = support::corpus() else { return };
    let rules = compile(&corpus.join("rules"));
    let compared = compare(&rules, &corpus.join("runs/regression"));
    println!(
        "{} rules, {} refused by both, {} matches, {} differences",
        compared.rules,
        compared.refused,
        compared.matches,
        compared.differences.len()
    );
    assert!(compared.differences.is_empty(), "{}", compared.differences.join("\n"));
    assert!(compared.matches > 0, "nothing matched, so nothing was compared");
}
