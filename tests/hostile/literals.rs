//! A literal matches the events that hold it, whatever it is made of, and no other.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use sigma_ocsf_tui::backend;
use sigma_ocsf_tui::bridge::Settings;
use sigma_ocsf_tui::evaluate::{self, Cancel};
use sigma_ocsf_tui::pack::{self, DEFAULT_PACK, PackSource};
use sigma_ocsf_tui::sigma::{self, text::fold};
use sigma_ocsf_tui::store::{Dataset, SessionSettings, Store};

use super::{INJECTIONS, Scene, escaped, ids, quoted, rule, write_events};

/// Text from everywhere, and often from where it hurts.
fn hostile_text() -> impl Strategy<Value = String> {
    let injection = proptest::sample::select(INJECTIONS.to_vec()).prop_map(str::to_owned);
    let sharp = "[%_\\\\'\"$*?;\\-\0\n\r\t\u{1b}\u{9b}\u{202e}aAß\u{130}\u{131}ςΣéK]{1,12}";
    let one = prop_oneof![injection, sharp, any::<String>()];
    proptest::collection::vec(one, 1..3)
        .prop_map(|parts| parts.concat())
        .prop_filter("not empty", |t| !t.is_empty())
}

/// What differs from `text` by little.
fn near(text: &str) -> Vec<String> {
    let mut cut = text.to_owned();
    cut.pop();
    let doubled = text.replace('\'', "''").replace('\\', "\\\\");
    let swapped: String =
        text.chars().map(|c| if matches!(c, '%' | '_' | '*' | '?') { 'x' } else { c }).collect();
    vec![text.to_owned(), format!("{text}x"), format!("x{text}"), format!("x{text}x"), cut, doubled, swapped]
}

type Holds = fn(&str, &str) -> bool;

/// The ways to compare, and what each says of an event's value and a literal.
const WAYS: [(&str, Holds); 8] = [
    ("", |value, literal| fold(value) == fold(literal)),
    ("|contains", |value, literal| fold(value).contains(&fold(literal))),
    ("|startswith", |value, literal| fold(value).starts_with(&fold(literal))),
    ("|endswith", |value, literal| fold(value).ends_with(&fold(literal))),
    ("|cased", |value, literal| value == literal),
    ("|contains|cased", |value, literal| value.contains(literal)),
    ("|startswith|cased", |value, literal| value.starts_with(literal)),
    ("|endswith|cased", |value, literal| value.ends_with(literal)),
];

fn assert_each_finds_its_own(literals: &[String]) {
    let values: Vec<String> = literals.iter().flat_map(|literal| near(literal)).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    let folder = tempfile::tempdir().unwrap();
    write_events(&folder.path().join("part.parquet"), &values);
    let dataset = Dataset::discover(folder.path()).unwrap();
    let mut store = Store::open(dataset, SessionSettings { threads: 1 }).unwrap();
    let pack = pack::load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).unwrap().pack;
    for (literal, (way, holds)) in literals.iter().flat_map(|literal| WAYS.map(|way| (literal, way))) {
        let text =
            rule(&format!("  s:\n    CommandLine{way}: {}\n  condition: s", quoted(&escaped(literal))));
        let rules = sigma::parse(Path::new("rule.yml"), &text).into_iter().map(Arc::new).collect::<Vec<_>>();
        let compiled = backend::compile(&rules, &pack, &Settings::default()).remove(0);
        let plan = compiled.compilation.plan.as_ref().unwrap_or_else(|| panic!("{text}"));
        let sql = compiled.sql.as_ref().unwrap();
        let mut found = evaluate::event_ids(&mut store, plan, sql, &Cancel::never())
            .unwrap_or_else(|error| panic!("{error}: {}", sql.text));
        let mut wanted: Vec<String> = (0..values.len())
            .filter(|index| holds(values[*index], literal))
            .map(|index| format!("e{index}"))
            .collect();
        found.sort();
        wanted.sort();
        assert_eq!(found, wanted, "CommandLine{way}: {literal:?} over {values:?}\n{}", sql.text);
    }
}

#[test]
fn known_injections_find_their_own_events_only() {
    assert_each_finds_its_own(&INJECTIONS.map(str::to_owned));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_finds_its_own_events_only(literals in proptest::collection::vec(hostile_text(), 1..6)) {
        assert_each_finds_its_own(&literals);
    }
}

#[test]
fn a_megabyte_is_a_literal_like_others() {
    for unit in ["a", "'", "\u{1b}", "\\", "é"] {
        let long = unit.repeat((1 << 20) / unit.len());
        let other = format!("{long}.");
        let scene = Scene::with_events(&[&long, &other, "short"]);
        let literal = quoted(&escaped(&long));
        let too_large = literal.len() > 4 << 20;
        let equal = scene.check_one(&rule(&format!("  s: {{CommandLine: {literal}}}\n  condition: s")));
        let within =
            scene.check_one(&rule(&format!("  s: {{CommandLine|contains: {literal}}}\n  condition: s")));
        if too_large {
            assert_eq!(super::reason(&equal), "backend_compile_error");
        } else {
            assert_eq!((ids(&equal), ids(&within)), (vec!["e0"], vec!["e0", "e1"]), "{unit:?}");
        }
    }
}

#[test]
fn a_value_of_control_characters_alone_is_found() {
    let (bells, others) = ("\u{7}".repeat(20_000), "\u{7}".repeat(19_999));
    let scene = Scene::with_events(&[&bells, &others]);
    let found = scene.check_one(&rule(&format!("  s: {{CommandLine: {}}}\n  condition: s", quoted(&bells))));
    assert_eq!(ids(&found), ["e0"]);
}

#[test]
fn ten_thousand_values_are_one_list() {
    let scene = Scene::with_events(&["value 9999", "value 10000", "a value 7 b"]);
    let list = |count: usize| (0..count).map(|n| format!("'value {n}'")).collect::<Vec<_>>().join(", ");
    let found = |way: &str, count: usize, condition: &str| {
        let values = list(count);
        scene.check_one(&rule(&format!("  s:\n    CommandLine{way}: [{values}]\n  condition: {condition}")))
    };
    assert_eq!(ids(&found("", 10_000, "s")), ["e0"]);
    assert_eq!(ids(&found("|contains", 1000, "s")), ["e0", "e1", "e2"]);
    assert_eq!(ids(&found("|contains|all", 1000, "s")), [""; 0]);
    assert_eq!(ids(&found("|contains", 1000, "not s")), [""; 0]);
    assert_eq!(super::reason(&found("|contains", 10_001, "s")), "backend_compile_error");
}
