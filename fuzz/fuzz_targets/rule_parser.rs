//! Any bytes as a rule file: it is read or refused, and every problem stands inside the text.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sigma_ocsf_tui::sigma;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    for rule in sigma::parse(Path::new("fuzzed.yml"), &text) {
        assert!(rule.span.slice(&text).is_some(), "the rule stands at {:?}", rule.span);
        for problem in &rule.problems {
            assert!(problem.span.slice(&text).is_some(), "{problem:?}");
            assert!(!problem.message.contains(char::is_control), "{problem:?}");
        }
    }
});
