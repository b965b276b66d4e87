//! Any text as a condition: the rule around it is read, and its names stand inside the text.
#![no_main]

use std::fmt::Write;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sigma_ocsf_tui::sigma::{self, Body, Expression};

fuzz_target!(|bytes: &[u8]| {
    let condition = String::from_utf8_lossy(bytes);
    let text = format!(
        "title: t\nlogsource: {{category: c}}\ndetection:\n  sel: {{A: x}}\n  sel_2: {{B: y}}\n  _own: {{C: z}}\n  \
         condition: {}\n",
        quoted(&condition)
    );
    let rules = sigma::parse(Path::new("fuzzed.yml"), &text);
    let [rule] = rules.as_slice() else { panic!("one rule, not {}", rules.len()) };
    let Body::Event(detection) = &rule.body else { panic!("an event rule: {:?}", rule.problems) };
    for read in &detection.conditions {
        assert_eq!(read.text.value, condition);
        let Ok(expression) = &read.expression else { continue };
        for leaf in expression.leaves() {
            let (Expression::Identifier(name) | Expression::Quantified(_, name)) = leaf else {
                panic!("no leaf: {leaf:?}")
            };
            assert!(name.span.slice(&text).is_some(), "{name:?}");
            assert!(condition.contains(&name.value), "{name:?}");
        }
    }
});

/// The text in double quotes, whatever it holds.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            ' '..='~' if c != '"' && c != '\\' => quoted.push(c),
            _ => write!(quoted, "\\U{:08x}", u32::from(c)).expect("a string takes any text"),
        }
    }
    quoted + "\""
}
