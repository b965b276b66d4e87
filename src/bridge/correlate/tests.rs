//! What correlations become: plans, or findings.

use std::path::Path;
use std::sync::Arc;

use crate::bridge::{Compilation, Settings, Source, compile};
use crate::pack::{self, DEFAULT_PACK, PackSource};
use crate::sigma::{self, Capability};

const LOGON: &str = "title: Logon\nname: logon\nlogsource: {product: windows, service: security}\n\
                     detection: {s: {EventID: 4625}, condition: s}\n---\n";
const PROCESS: &str = "title: Process\nname: process\nlogsource: {category: process_creation, product: windows}\n\
                       detection: {s: {Image: x}, condition: s}\n---\n";
const UNMAPPED: &str = "title: Unmapped\nname: unmapped\nlogsource: {category: process_creation, product: windows}\n\
                        detection: {s: {Nope: x}, condition: s}\n---\n";

fn compiled(text: &str) -> Vec<Compilation> {
    let rules: Vec<_> = sigma::parse(Path::new("r.yml"), text).into_iter().map(Arc::new).collect();
    let pack = pack::load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).unwrap().pack;
    let capabilities = [Capability::Correlation, Capability::Filters].into();
    compile(&rules, &pack, &Settings { capabilities, raw_fallback: false })
}

/// The message of the last rule's refusal.
fn refused(text: &str) -> String {
    let compiled = compiled(text);
    let last = compiled.last().unwrap();
    assert!(!last.is_executable(), "{text}");
    let refusal = last.refusal().unwrap();
    format!("{}: {}", refusal.code.name, refusal.message)
}

fn correlation(kind: &str, rules: &str, rest: &str) -> String {
    format!("title: C\nname: c\ncorrelation:\n  type: {kind}\n  rules: {rules}\n  timespan: 5m\n{rest}")
}

fn assert_refused(text: &str, expected: &str) {
    let found = refused(text);
    assert!(found.contains(expected), "{text}\n{found}");
}

#[test]
fn references_that_lead_nowhere_or_to_several_are_named() {
    let count = |rules: &str| correlation("event_count", rules, "  condition: {gte: 2}\n");
    assert_refused(
        &count("[nope]"),
        "unknown_rule: UNKNOWN_RULE: no rule of this set has the id or name `nope`",
    );
    assert_refused(&format!("{LOGON}{LOGON}{}", count("[logon]")), "DUPLICATE_RULE_NAME");
    assert_refused(&format!("{LOGON}{}", count("[logon, logon]")), "twice");
    assert_refused(
        &format!("{UNMAPPED}{}", count("[unmapped]")),
        "unmapped_field: rule `unmapped` cannot run",
    );
    assert_refused(&count("[c]"), "correlation_cycle: CYCLE: `c`");
}

#[test]
fn what_refers_to_a_circle_has_its_reason_and_is_no_part_of_it() {
    let text = "title: A\nname: a\ncorrelation: {type: temporal, rules: [b], timespan: 1m}\n---\n\
                title: B\nname: b\ncorrelation: {type: temporal, rules: [a], timespan: 1m}\n---\n\
                title: D\ncorrelation: {type: temporal, rules: [a], timespan: 1m}\n";
    assert_refused(text, "rule `a` cannot run: CYCLE");
}

#[test]
fn the_first_reference_that_cannot_run_gives_the_reason() {
    let both = correlation("event_count", "[logon, unmapped]", "  condition: {gte: 2}\n");
    let compiled = compiled(&format!("{LOGON}{UNMAPPED}{both}"));
    assert_eq!(compiled[2].reason(), compiled[1].reason());
    let place = compiled[2].refusal().unwrap().span;
    assert_eq!(place.slice(&compiled[2].rule.text), Some("unmapped"));
}

#[test]
fn keys_and_values_have_to_fit() {
    let sum = |field: &str| {
        correlation("value_sum", "[logon]", &format!("  condition: {{gte: 2, field: {field}}}\n"))
    };
    assert_refused(&format!("{LOGON}{}", sum("TargetUserName")), "only numbers can be measured");
    assert_refused(&format!("{LOGON}{}", sum("Nope")), "unmapped_field");
    let by = |group: &str, aliases: &str| {
        let rest = format!("  group-by: {group}\n{aliases}  condition: {{gte: 2}}\n");
        format!("{LOGON}{PROCESS}{}", correlation("temporal", "[logon, process]", &rest))
    };
    let alias = |process: &str| format!("  aliases:\n    who: {{logon: TargetUserName, {process}}}\n");
    assert_refused(&by("who", &alias("process: ProcessId")), "is string in one rule and integer in another");
    assert_refused(
        &by("who", "  aliases: {who: {logon: TargetUserName}}\n"),
        "names no field for rule `process`",
    );
    assert_refused(&by("who", &alias("process: User, other: User")), "does not refer to rule `other`");
    assert!(compiled(&by("who", &alias("process: User")))[2].is_executable());
}

#[test]
fn a_window_has_no_values_but_its_keys() {
    let inner = "title: I\nname: inner\ncorrelation:\n  type: event_count\n  rules: logon\n  \
                 group-by: [IpAddress, TargetUserName]\n  timespan: 1m\n  condition: {gte: 3}\n---\n";
    let outer = |group: &str| {
        correlation("event_count", "[inner]", &format!("  group-by: {group}\n  condition: {{gte: 2}}\n"))
    };
    assert_refused(
        &format!("{LOGON}{inner}{}", outer("WorkstationName")),
        "is not grouped by `WorkstationName`",
    );
    let compiled = compiled(&format!("{LOGON}{inner}{}", outer("TargetUserName")));
    let plan = compiled[2].correlation.as_ref().unwrap();
    assert_eq!((plan.rules.len(), plan.steps.len()), (1, 2));
    assert_eq!(plan.steps[1].inputs[0].source, Source::Step(0));
    let reported: Vec<bool> = compiled.iter().map(|c| c.reported).collect();
    assert_eq!(reported, [false, false, true]);
}

#[test]
fn rules_report_beside_a_correlation_that_generates_or_cannot_run() {
    let text = |rest: &str| format!("{LOGON}{}", correlation("event_count", "[logon]", rest));
    let reported = |rest: &str| compiled(&text(rest))[0].reported;
    assert!(!reported("  condition: {gte: 2}\n"));
    assert!(reported("  condition: {gte: 2}\n  generate: true\n"));
    assert!(reported("  condition: {gte: 2}\ngenerate: true\n"));
    assert!(reported("  group-by: Nope\n  condition: {gte: 2}\n"));
}

#[test]
fn a_condition_over_rules_may_stand_without_rules_and_must_agree_with_them() {
    let alone = "title: C\ncorrelation: {type: temporal, timespan: 5m, condition: logon and not process}\n";
    let compiled = compiled(&format!("{LOGON}{PROCESS}{alone}"));
    let names: Vec<_> =
        compiled[2].correlation.as_ref().unwrap().steps[0].inputs.iter().map(|i| &*i.name).collect();
    assert_eq!(names, ["logon", "process"]);
    let other = correlation("temporal", "[logon]", "  condition: logon or process\n");
    assert_refused(&format!("{LOGON}{PROCESS}{other}"), "name different rules");
    let of = correlation("temporal", "[logon]", "  condition: 1 of them\n");
    assert_refused(&format!("{LOGON}{of}"), "without `of`");
}

#[test]
fn a_filter_is_in_force_without_a_plan_and_its_faults_refuse_what_it_narrows() {
    let filter = |selection: &str| {
        format!(
            "{LOGON}title: F\nlogsource: {{product: windows}}\nfilter:\n  rules: [logon]\n  \
             s: {{{selection}}}\n  condition: not s\n"
        )
    };
    let compiled_sound = compiled(&filter("TargetUserName: mila"));
    assert!(compiled_sound.iter().all(Compilation::is_executable));
    assert!(compiled_sound[1].plan.is_none());
    let faulty = compiled(&filter("Nope: x"));
    let refusal = faulty[0].refusal().unwrap();
    assert_eq!(refusal.code.name, "unmapped_field");
    assert!(refusal.message.starts_with("in filter `F`"));
}
