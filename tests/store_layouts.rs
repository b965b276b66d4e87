//! The same plan yields the same matches, however the events are laid out.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "store_support/files.rs"]
mod files;
#[path = "store_support/rules.rs"]
mod rules;

use std::path::Path;

use files::write;
use rules::{open, rule};
use sigma_ocsf_tui::evaluate::{Cancel, EvalError, Summary, event_ids, matches, summaries};
use sigma_ocsf_tui::ocsf::{FieldType, OcsfPath};

/// id, class, time, command line, parent's pid, answers' rdata
const EVENTS: &str = "(VALUES
    ('e2', 1007, 20, 'CMD /c PowerShell', 4, NULL),
    ('e1', 1007, 10, 'powershell -enc', 8, NULL),
    ('e3', 1007, 30, NULL, NULL, NULL),
    ('e4', 4003, 40, NULL, NULL, ['10.0.0.1', '10.0.0.2']),
    ('e5', 4003, 50, NULL, NULL, []))
    t(id, class_uid, ms, cmd, pid, rdata)";

const DOTTED: &str = "SELECT id AS \"metadata.event_id\", class_uid, ms::BIGINT AS \"time\",
    cmd AS \"process.cmd_line\", pid AS \"process.parent_process.pid\", rdata AS \"answers.rdata\"";
const NESTED: &str = "SELECT {'event_id': id} AS metadata, class_uid, ms::BIGINT AS \"time\",
    {'cmd_line': cmd, 'parent_process': {'pid': pid}} AS process,
    list_transform(rdata, lambda r: {'rdata': r, 'type': 'A'}) AS answers";
const TIMESTAMPS: &str = "SELECT {'event_id': id} AS metadata, class_uid::BIGINT AS class_uid,
    make_timestamp_ms(ms) AS \"time\", cmd AS \"process.cmd_line\", {'parent_process': {'pid': pid}} AS process,
    list_transform(rdata, lambda r: {'rdata': r}) AS answers";

fn layouts(root: &Path) -> Vec<&'static str> {
    let all = |select: &str, file: &str| write(&root.join(file), &format!("{select} FROM {EVENTS}"));
    all(DOTTED, "dotted/p.parquet");
    all(NESTED, "nested/normalized/ocsf_events/part-0000.parquet");
    all(TIMESTAMPS, "timestamps/p.parquet");
    all(NESTED, "jsonl/ocsf_events.jsonl");
    for class in [1007, 4003] {
        let part = format!("FROM {EVENTS} WHERE class_uid = {class}");
        let exclude = NESTED.replace("class_uid, ", "");
        write(&root.join(format!("hive/class_uid={class}/p.parquet")), &format!("{exclude} {part}"));
        let select = if class == 1007 { DOTTED } else { NESTED };
        write(&root.join(format!("differing/{class}.parquet")), &format!("{select} {part}"));
    }
    vec!["dotted", "nested", "timestamps", "jsonl", "hive", "differing"]
}

const POWERSHELL: &str = "coalesce(contains(lower(\"process.cmd_line\"), 'powershell'), false)";
const CMD_LINE: (&str, FieldType, bool) = ("process.cmd_line", FieldType::String, false);

#[test]
fn one_plan_matches_alike_on_every_layout() {
    let folder = tempfile::tempdir().unwrap();
    let pid = ("process.parent_process.pid", FieldType::Integer, false);
    let rdata = ("answers.rdata", FieldType::String, true);
    let cases = [
        (rule(1007, POWERSHELL, &[CMD_LINE]), vec!["e1", "e2"]),
        (rule(1007, "coalesce(\"process.parent_process.pid\" = 8, false)", &[pid]), vec!["e1"]),
        (rule(1007, "NOT coalesce(\"process.cmd_line\" = 'x', false)", &[CMD_LINE]), vec!["e1", "e2", "e3"]),
        (rule(4003, "coalesce(list_contains(\"answers.rdata\", '10.0.0.2'), false)", &[rdata]), vec!["e4"]),
        (
            rule(1007, "\"raw.absent\" IS NULL", &[("raw.absent", FieldType::String, false)]),
            vec!["e1", "e2", "e3"],
        ),
    ];
    for layout in layouts(folder.path()) {
        let mut store = open(&folder.path().join(layout));
        assert_eq!(store.schema().events, 5, "{layout}");
        for ((plan, sql), expected) in &cases {
            let found = event_ids(&mut store, plan, sql, &Cancel::never()).unwrap();
            assert_eq!(&found, expected, "{layout}: {}", sql.predicate);
        }
        let rules: Vec<_> = cases.iter().map(|((plan, sql), _)| (plan, sql)).collect();
        let counts: Vec<_> = summaries(&mut store, &rules, &Cancel::never())
            .into_iter()
            .map(|summary| summary.unwrap().matches)
            .collect();
        assert_eq!(counts, [2, 1, 3, 1, 3], "{layout}");
    }
}

#[test]
fn matches_are_ordered_and_shown_as_text() {
    let folder = tempfile::tempdir().unwrap();
    let select = format!("{NESTED}, {{'name': 'fallback', 'hostname': nullif('h' || id, 'he2')}} AS device");
    write(&folder.path().join("p.parquet"), &format!("{select} FROM {EVENTS}"));
    let mut store = open(folder.path());
    let (plan, sql) = rule(1007, POWERSHELL, &[CMD_LINE, ("raw.absent", FieldType::Integer, false)]);
    let table = matches(&mut store, &plan, &sql, sigma_ocsf_tui::evaluate::Slice::first(1), &Cancel::never())
        .unwrap();
    assert_eq!(table.summary, Summary { matches: 2, first_seen: Some(10), last_seen: Some(20) });
    assert_eq!((table.in_scope, table.rows.len()), (Some(3), 1));
    assert_eq!(table.absent, [OcsfPath("raw.absent".to_owned())]);
    let table =
        matches(&mut store, &plan, &sql, sigma_ocsf_tui::evaluate::Slice::first(10), &Cancel::never())
            .unwrap();
    let shown: Vec<_> = table.rows.iter().map(|r| (r.event_id.as_str(), r.time, r.host.as_deref())).collect();
    assert_eq!(shown, [("e1", Some(10), Some("he1")), ("e2", Some(20), Some("fallback"))]);
    assert_eq!(table.rows[0].values, [Some("powershell -enc".to_owned()), None]);
}

#[test]
fn lists_are_readable_and_long_values_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    let select = "SELECT 1 AS class_uid, 1 AS \"time\", ['a', NULL, 'b c'] AS l, repeat('ж', 5000) AS s";
    write(&folder.path().join("p.parquet"), select);
    let mut store = open(folder.path());
    let columns = [("l", FieldType::String, true), ("s", FieldType::String, false)];
    let (plan, sql) = rule(1, "true -- all", &columns);
    let sql =
        sigma_ocsf_tui::backend::Sql { predicate: sql.predicate.replace("-- all)", "-- all\n)"), ..sql };
    let table =
        matches(&mut store, &plan, &sql, sigma_ocsf_tui::evaluate::Slice::first(10), &Cancel::never())
            .unwrap();
    let values = &table.rows[0].values;
    assert_eq!(values[0].as_deref(), Some("[a, NULL, b c]"));
    let long = values[1].as_deref().unwrap();
    assert!(long.len() <= 4096 && long.len() > 4090 && long.ends_with("ж…"));
}

#[test]
fn only_the_rule_at_fault_has_an_error() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("p.parquet"), &format!("{DOTTED} FROM {EVENTS}"));
    let mut store = open(folder.path());
    let sound = rule(1007, POWERSHELL, &[CMD_LINE]);
    let typed = rule(1007, "true", &[("process.cmd_line", FieldType::Integer, false)]);
    let unbound = rule(1007, "\"no.such.column\" = 1", &[]);
    let failing = rule(1007, "CAST(\"process.cmd_line\" AS INTEGER) = 1", &[CMD_LINE]);
    let text = rule(1007, "\"raw.absent\" IS NULL", &[("raw.absent", FieldType::String, false)]);
    let number =
        rule(1007, "coalesce(\"raw.absent\" + 1 = 2, true)", &[("raw.absent", FieldType::Integer, false)]);
    let rules = [&sound, &typed, &unbound, &failing, &text, &number].map(|(plan, sql)| (plan, sql));
    let found = summaries(&mut store, &rules, &Cancel::never());
    assert_eq!(found[0].as_ref().unwrap().matches, 2);
    assert!(matches!(&found[1], Err(EvalError::ColumnType { path, .. }) if path.0 == "process.cmd_line"));
    assert!(found[2].as_ref().is_err_and(EvalError::is_compile), "{:?}", found[2]);
    assert!(found[3].as_ref().is_err_and(|error| !error.is_compile()), "{:?}", found[3]);
    assert_eq!(found[4].as_ref().unwrap().matches, 3);
    assert_eq!(found[5].as_ref().unwrap().matches, 3);
}
