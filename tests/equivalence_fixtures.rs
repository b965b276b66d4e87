//! Golden equivalence over the fixtures: both backends give the same events for every rule, in both layouts.

mod support;

use std::path::Path;

use support::equivalence::{compare, compile};

#[test]
fn backends_agree_on_the_fixtures() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let rules = compile(&fixtures.join("rules"));
    for run in ["run", "run-nested"] {
        let compared = compare(&rules, &fixtures.join(run));
        println!("{run}: {} rules, {} matches", compared.rules, compared.matches);
        assert!(compared.differences.is_empty(), "{run}\n{}", compared.differences.join("\n"));
        assert!(compared.matches > 0, "{run}: nothing matched, so nothing was compared");
    }
}
