//! Correlations: by their rules, their keys and what their windows measure.

use sigma_ocsf_tui::attribution::{Attribution, Cause};

use crate::world::{World, rule};

fn explain(world: &World, base: &str, correlation: &str) -> Attribution {
    let base = rule("process_creation", base).replace("title: T\n", "title: Base\nname: base\n");
    let text = format!(
        "{base}---\ntitle: Many\nid: 00000000-0000-4000-8000-000000000002\ncorrelation:\n{correlation}"
    );
    world.explain(&text, false)
}

const TOOL: &str = "    selection:\n        Image|endswith: tool.exe\n    condition: selection\n";
const THREE: &str = "    type: event_count\n    rules: [base]\n    group-by: [CommandLine]\n    timespan: 10s\n    condition:\n        gte: 3\n";

#[test]
fn a_threshold_that_is_not_reached_is_rule_logic() {
    let world = World::launches(&[("tool.exe", Some("a")), ("tool.exe", Some("a")), ("tool.exe", Some("b"))]);
    let found = explain(&world, TOOL, THREE);
    assert_eq!(found.finding.cause, Cause::RuleLogic);
    let parts = found.correlation.unwrap();
    assert_eq!((parts.rules[0].0.as_str(), parts.rules[0].1.matches), ("Base", 3));
    assert_eq!((parts.grouped_events, parts.least, parts.most), (3, Some(1.0), Some(2.0)));
    assert_eq!((parts.asked.as_str(), parts.measure.as_str(), parts.timespan), (">= 3", "events", 10_000));
    assert!(parts.place.is_some());
}

#[test]
fn a_rule_that_is_silent_gives_its_cause() {
    let world = World::launches(&[("other.exe", Some("a"))]);
    let found = explain(&world, TOOL, THREE);
    assert_eq!(found.finding.cause, Cause::RuleLogic);
    assert!(found.finding.explanation.starts_with("'Base' matches nothing"), "{}", found.finding.explanation);
    let absent = "    selection:\n        OriginalFileName: tool.exe\n    condition: selection\n";
    assert_eq!(explain(&world, absent, THREE).finding.cause, Cause::NormalizationGap);
}

#[test]
fn keys_without_values_are_a_normalisation_gap() {
    let world = World::launches(&[("tool.exe", None), ("tool.exe", None), ("tool.exe", None)]);
    let found = explain(&world, TOOL, THREE);
    assert_eq!(found.finding.cause, Cause::NormalizationGap);
    assert_eq!(found.correlation.unwrap().grouped_events, 0);
}

#[test]
fn windows_that_fire_are_matches() {
    let world = World::launches(&[("tool.exe", Some("a")), ("tool.exe", Some("a")), ("tool.exe", Some("a"))]);
    let found = explain(&world, TOOL, THREE);
    assert_eq!((found.finding.cause, found.finding.matches), (Cause::Matched, 1));
    assert_eq!(found.correlation.unwrap().most, Some(3.0));
}
