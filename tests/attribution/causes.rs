//! A dataset for each cause.

use sigma_ocsf_tui::attribution::{Cause, Miss, RowKind};

use crate::world::{World, rule};

fn launch(detection: &str) -> String {
    rule("process_creation", detection)
}

const TOOL: &str = "    selection:\n        Image|endswith: '\\tool.exe'\n    condition: selection\n";

#[test]
fn without_events_of_the_class_telemetry_is_missing() {
    let world =
        World::new("SELECT 4001 AS class_uid, CAST(0 AS BIGINT) AS \"time\", 'e' AS \"metadata.event_id\"");
    let found = world.explain(&launch(TOOL), false);
    assert_eq!(found.finding.cause, Cause::MissingTelemetry);
    assert_eq!((found.finding.class_events, found.finding.scope_events), (0, 0));
    assert_eq!(found.finding.explanation, "the dataset has no event of class 1007 (process_activity)");
    assert!(found.nearest.is_empty());
}

#[test]
fn without_events_behind_a_filter_telemetry_is_missing() {
    let world = World::new(
        "SELECT 1007 AS class_uid, 2 AS activity_id, 'windows-sysmon' AS \"metadata.source_type\", \
         'e' || n AS \"metadata.event_id\", n AS \"time\" FROM range(3) t(n)",
    );
    let found = world.explain(&launch(TOOL), false).finding;
    assert_eq!(found.cause, Cause::MissingTelemetry);
    assert_eq!((found.class_events, found.scope_events), (3, 0));
    let stop = found.stopped_at.unwrap();
    assert_eq!((stop.label.as_str(), stop.before), ("activity_id eq 1", 3));
    assert_eq!(
        found.explanation,
        "of 3 events of class 1007 (process_activity) none passes activity_id eq 1"
    );
}

/// Events of the class pass the last filter, but not those that are left by then.
#[test]
fn a_later_filter_is_told_of_what_the_earlier_ones_leave() {
    let world = World::new(
        "SELECT 1007 AS class_uid, CAST(1 + n % 2 AS INTEGER) AS activity_id, \
         CASE WHEN n % 2 = 0 THEN 'elsewhere' ELSE 'windows-sysmon' END AS \"metadata.source_type\", \
         'e' || n AS \"metadata.event_id\", n AS \"time\" FROM range(5) t(n)",
    );
    let found = world.explain(&launch(TOOL), false).finding;
    assert_eq!(found.cause, Cause::MissingTelemetry);
    let stop = found.stopped_at.unwrap();
    assert!(stop.label.starts_with("metadata.source_type in "), "{}", stop.label);
    assert_eq!((found.class_events, stop.before), (5, 3));
    let told =
        "of 5 events of class 1007 (process_activity) 3 pass the filters before, and none of these passes ";
    assert_eq!(found.explanation, format!("{told}{}", stop.label));
}

#[test]
fn a_needed_field_that_is_null_everywhere_is_a_normalisation_gap() {
    let world = World::launches(&[(r"C:\tool.exe", None), (r"C:\b.exe", None)]);
    let needing = "    selection:\n        Image|endswith: '\\tool.exe'\n        CommandLine|contains: x\n    condition: selection\n";
    let found = world.explain(&launch(needing), false).finding;
    assert_eq!(found.cause, Cause::NormalizationGap);
    let field = &found.empty_fields[0];
    assert_eq!((field.field.as_str(), field.source.as_str()), ("CommandLine", "process.cmd_line"));
    assert!(field.needed && field.absent_columns.is_empty() && !field.fallback);
}

#[test]
fn a_column_that_the_dataset_lacks_is_named_as_absent() {
    let world = World::launches(&[(r"C:\tool.exe", Some("x"))]);
    let needing = "    selection:\n        OriginalFileName: tool.exe\n    condition: selection\n";
    let found = world.explain(&launch(needing), false).finding;
    assert_eq!(found.cause, Cause::NormalizationGap);
    assert_eq!(found.empty_fields[0].absent_columns.len(), 1);
    assert!(found.explanation.contains("OriginalFileName"), "{}", found.explanation);
}

/// Each detection, and whether the rule cannot do without a command line.
#[test]
fn a_field_is_needed_only_where_nothing_can_stand_in_for_it() {
    let world = World::launches(&[(r"C:\other.exe", None)]);
    let cases = [
        ("    a:\n        Image: x\n    b:\n        CommandLine: x\n    condition: a or b\n", false),
        ("    a:\n        Image: x\n    b:\n        CommandLine: x\n    condition: a and b\n", true),
        ("    a:\n        Image: x\n    b:\n        CommandLine: x\n    condition: a and not b\n", false),
        ("    a:\n        Image: x\n    b:\n        CommandLine: null\n    condition: a and b\n", false),
        ("    a:\n        Image: x\n    b:\n        CommandLine: null\n    condition: a and not b\n", true),
        ("    a:\n        Image: x\n        CommandLine|exists: true\n    condition: a\n", true),
        ("    a:\n        Image: x\n        CommandLine|neq: y\n    condition: a\n", true),
        ("    a:\n        - Image: x\n        - CommandLine: x\n    condition: a\n", false),
        ("    a:\n        Image: x\n    b:\n        CommandLine: x\n    condition: not (a or not b)\n", true),
        ("    a:\n        CommandLine: x\n    b:\n        CommandLine: y\n    condition: 1 of them\n", true),
    ];
    for (detection, needed) in cases {
        let found = world.explain(&launch(detection), false).finding;
        let expected = if needed { Cause::NormalizationGap } else { Cause::RuleLogic };
        assert_eq!(found.cause, expected, "{detection}{}", found.explanation);
        assert_eq!(found.empty_fields.iter().any(|field| field.needed), needed, "{detection}");
        assert_eq!(found.empty_fields.len(), 1, "{detection}");
    }
}

#[test]
fn another_type_is_a_normalisation_gap() {
    let world = World::new(
        "SELECT 1007 AS class_uid, 1 AS activity_id, 'windows-sysmon' AS \"metadata.source_type\", \
         'e' AS \"metadata.event_id\", CAST(0 AS BIGINT) AS \"time\", 7 AS \"process.file.path\"",
    );
    let found = world.explain(&launch(TOOL), false).finding;
    assert_eq!(found.cause, Cause::NormalizationGap);
    assert_eq!(found.empty_fields[0].source, "process.file.path");
}

#[test]
fn a_refused_rule_is_a_bridge_gap() {
    let world = World::launches(&[(r"C:\tool.exe", None)]);
    let found = world.explain(&launch("    a:\n        NoSuchField: x\n    condition: a\n"), false).finding;
    assert_eq!(found.cause, Cause::BridgeGap);
    assert_eq!(found.reason_code.map(|reason| reason.as_str()), Some("unmapped_field"));
}

fn accesses(trace: &str) -> World {
    World::new(&format!(
        "SELECT 1007 AS class_uid, 3 AS activity_id, 'windows-sysmon' AS \"metadata.source_type\", \
         'e' AS \"metadata.event_id\", CAST(0 AS BIGINT) AS \"time\", 'C:\\lsass.exe' AS \"process.file.path\", \
         CAST({trace} AS VARCHAR) AS \"raw.CallTrace\""
    ))
}

#[test]
fn what_cannot_do_without_fallback_is_a_bridge_gap_whatever_it_matches() {
    let trace = rule("process_access", "    a:\n        CallTrace|contains: dbghelp\n    condition: a\n");
    let refused = accesses("'dbghelp'").explain(&trace, false).finding;
    assert_eq!(refused.cause, Cause::BridgeGap);
    assert_eq!(refused.reason_code.map(|reason| reason.as_str()), Some("raw_fallback_disabled"));
    let matched = accesses("'dbghelp'").explain(&trace, true).finding;
    assert_eq!((matched.cause, matched.matches), (Cause::MatchedByFallback, 1));
    let empty = accesses("NULL").explain(&trace, true).finding;
    assert_eq!(empty.cause, Cause::BridgeGap);
    assert!(empty.empty_fields[0].needed && empty.empty_fields[0].fallback);
    let filled = accesses("'other'").explain(&trace, true).finding;
    assert_eq!((filled.cause, filled.fallback_fields), (Cause::BridgeGap, vec!["CallTrace".to_owned()]));
}

#[test]
fn a_rule_that_could_match_without_fallback_is_judged_as_any_other() {
    let either = rule(
        "process_access",
        "    a:\n        CallTrace|contains: dbghelp\n    b:\n        TargetImage|endswith: '\\lsass.exe'\n    condition: a or b\n",
    );
    let found = accesses("NULL").explain(&either, true).finding;
    assert_eq!((found.cause, found.matches), (Cause::Matched, 1));
}

#[test]
fn filled_fields_and_no_match_are_rule_logic_with_the_nearest_events() {
    let world = World::launches(&[
        (r"C:\a\svchost.exe", Some("svchost -k")),
        (r"C:\a\tool.com", Some("tool.com -go")),
        (r"C:\a\tool.com", Some("tool.com -go")),
        (r"C:\a\tool.exe", None),
        (r"C:\a\cmd.exe", Some("cmd /c")),
    ]);
    let text = launch(
        "    img:\n        Image|endswith: '\\tool.exe'\n    cmd:\n        CommandLine|contains: '-go'\n    condition: img and cmd\n",
    );
    let found = world.explain(&text, false);
    assert_eq!(found.finding.cause, Cause::RuleLogic);
    let steps: Vec<(&str, u64)> = found
        .funnel
        .iter()
        .filter(|row| row.cumulative)
        .map(|row| (row.label.as_str(), row.events))
        .collect();
    assert_eq!(steps[0], ("class 1007 (process_activity)", 5));
    assert_eq!(steps[3..], [("img", 1), ("cmd", 0), ("condition", 0)]);
    let stop = found.finding.stopped_at.unwrap();
    assert_eq!((stop.label.as_str(), stop.before, stop.place.unwrap().line), ("cmd", 1, 9));
    let near: Vec<(&str, u64, Miss)> = found
        .nearest
        .iter()
        .map(|near| (near.event.id.as_str(), near.distance, near.failed[0].difference.miss))
        .collect();
    // The second and third differ from the rule in the same way, and the first of them stands for both.
    assert_eq!(near[..2], [("e1", 1, Miss::Extension), ("e3", 1, Miss::Empty)]);
    assert!(near[2..].iter().all(|(_, distance, _)| *distance == 2), "{near:?}");
    assert_eq!(near.len(), 4);
}

#[test]
fn where_nothing_holds_the_commonest_values_are_told() {
    let rows = [("a", None), ("b", Some("x")), ("b", None), ("c", None)].map(|(image, c)| (image, c));
    let found = World::launches(&rows).explain(&launch(TOOL), false);
    let row = found.funnel.iter().find(|row| row.kind == RowKind::Predicate).unwrap();
    assert_eq!((row.events, row.filled, row.place.unwrap().line), (0, Some(4), 8));
    let common: Vec<(&str, u64)> = row.common.iter().map(|c| (c.value.as_str(), c.events)).collect();
    assert_eq!(common, [("b", 2), ("a", 1), ("c", 1)]);
}

#[test]
fn a_match_names_selection_value_and_stretch() {
    let world = World::launches(&[(r"C:\x\TOOL.exe", Some("a")), ("b", None)]);
    let found = world.explain(&launch(TOOL), false);
    assert_eq!((found.finding.cause, found.finding.matches), (Cause::Matched, 1));
    let reason = &found.matches[0];
    assert_eq!(reason.event.id, "e0");
    let evidence = &reason.evidence[0];
    assert_eq!(evidence.selection.as_deref(), Some("selection"));
    assert_eq!((evidence.value.as_deref(), evidence.found), (Some(r"C:\x\TOOL.exe"), Some((4, 13))));
    assert_eq!(evidence.place.unwrap().line, 8);
    assert!(found.nearest.is_empty());
}

#[test]
fn a_rule_that_matches_much_names_what_lets_events_in() {
    let rows: Vec<(&str, Option<&str>)> = (0..60)
        .map(|at| if at < 10 { ("tool.exe", Some("go")) } else { ("other.exe", Some("go")) })
        .collect();
    let text = |image: &str| {
        launch(&format!(
            "    a:\n        Image|endswith: {image}\n        CommandLine|contains: go\n    condition: a\n"
        ))
    };
    let world = World::launches(&rows);
    let broad = world.explain(&text("tool.exe"), false).finding.broad.unwrap();
    assert_eq!((broad.lets_in.as_str(), broad.events), ("CommandLine contains 'go'", 60));
    assert!((broad.share - 10.0 / 60.0).abs() < 1e-9);
    // Of few events a share says nothing.
    assert!(World::launches(&rows[..20]).explain(&text("tool.exe"), false).finding.broad.is_none());
}

#[test]
fn hostile_values_are_data() {
    let nasty = "'; DROP TABLE x; --\u{1f}\u{1b}[31m\"";
    let world = World::launches(&[(nasty, Some(nasty)), (nasty, None)]);
    let text = launch(
        "    a:\n        Image|contains: \"'; DROP\"\n        CommandLine|contains: \"''\"\n    condition: a\n",
    );
    let found = world.explain(&text, false);
    assert_eq!(found.finding.cause, Cause::RuleLogic);
    assert_eq!(found.nearest.len(), 2);
}

/// Of the hashes of a file, the one of the rule's algorithm is compared, not the first.
#[test]
fn of_several_values_the_one_that_begins_alike_is_told() {
    let world = World::new(
        "SELECT 1005 AS class_uid, 1 AS activity_id, 'windows-sysmon' AS \"metadata.source_type\", \
         'e' AS \"metadata.event_id\", CAST(0 AS BIGINT) AS \"time\", \
         [{'algorithm': 'MD5', 'value': 'AA'}, {'algorithm': 'IMPHASH', 'value': 'BB'}] AS \"module.file.hashes\"",
    );
    let wanted = "    selection:\n        Hashes|contains: 'IMPHASH=CC'\n    condition: selection\n";
    let found = world.explain(&rule("image_load", wanted), false);
    assert_eq!(found.nearest[0].failed[0].value.as_deref(), Some("IMPHASH=BB"));
}
