//! Events of shapes that nobody promised.

use super::{Scene, ids, rule};

const RULE: &str = "  s: {CommandLine: a}\n  condition: s";

fn write(scene: &Scene, select: &str) {
    let file = scene.path("events/part.parquet");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let target = file.to_str().unwrap().replace('\'', "''");
    let connection = duckdb::Connection::open_in_memory().unwrap();
    connection.execute_batch(&format!("COPY ({select}) TO '{target}' (FORMAT parquet)")).unwrap();
}

const EVENT: &str =
    "1007 AS class_uid, 1 AS activity_id, 5::BIGINT AS \"time\", 'e0' AS \"metadata.event_id\",
    'windows-sysmon' AS \"metadata.source_type\", 'a' AS \"process.cmd_line\"";

#[test]
fn columns_of_odd_names_are_passed_over() {
    let scene = Scene::new();
    scene.write("rules/rule.yml", rule(RULE));
    let odd = [
        "a\"\"; DROP TABLE x; --",
        "a''b",
        " ",
        ".",
        "..",
        "process.",
        ".process",
        "ocsf_events",
        "filename",
        "file_row_number",
        "rowid",
        "\u{1b}[2J",
        "two\nlines",
        "SELECT",
        "*",
    ];
    let columns: String = odd.iter().map(|name| format!(", 'x' AS \"{name}\"")).collect();
    write(&scene, &format!("SELECT {EVENT}{columns}"));
    assert_eq!(ids(&scene.check()[0]), ["e0"]);
}

#[test]
fn structures_of_odd_fields_are_passed_over() {
    let scene = Scene::new();
    scene.write("rules/rule.yml", rule(RULE));
    let depth = 60;
    let deep = format!("{}1{}", "{'a': ".repeat(depth), "}".repeat(depth));
    let odd = "{'it''s': 1, 'a\"b': 'x', 'c.d': [[1, 2], []], 'e f': MAP {'k': 1}}";
    write(
        &scene,
        &format!("SELECT {EVENT}, {odd} AS odd, {deep} AS deep, [{odd}] AS list, 'x'::BLOB AS blob"),
    );
    assert_eq!(ids(&scene.check()[0]), ["e0"]);
}

#[test]
fn times_and_ids_of_any_value_are_shown() {
    let scene = Scene::new();
    scene.write("rules/rule.yml", rule(RULE));
    for time in ["9223372036854775807", "-9223372036854775807", "NULL", "0", "-1"] {
        let event = EVENT.replace("5::BIGINT", &format!("{time}::BIGINT")).replace("'e0'", "NULL::VARCHAR");
        write(&scene, &format!("SELECT {event}"));
        assert_eq!(ids(&scene.check()[0]).len(), 1, "{time}");
        let output = scene.run(&["check", "rules", "--parquet", "events", "--event-ids"]);
        assert_eq!(output.status.code(), Some(0), "{time}");
    }
}

#[test]
fn json_lines_of_odd_values_give_an_error_or_a_verdict() {
    let event = |rest: &str| {
        format!(
            "{{\"class_uid\": 1007, \"activity_id\": 1, \"time\": 5, \"metadata\": {{\"event_id\": \"e0\", \"source_type\": \"windows-sysmon\"}}, {rest}}}\n"
        )
    };
    let sound = event("\"process\": {\"cmd_line\": \"a\"}");
    let deep = format!("\"x\": {}1{}", "[".repeat(2000), "]".repeat(2000));
    for odd in [
        "not JSON\n".to_owned(),
        "{\"class_uid\": 1007,\n".to_owned(),
        "[1, 2]\n".to_owned(),
        "null\n".to_owned(),
        event("\"process\": {\"cmd_line\": {\"a\": 1}}"),
        event("\"process\": [1, \"a\", null]"),
        event("\"a\\u0000b\": \"\\u0000\", \"\": {}, \"x\\\"y\": {\"'\": 1}"),
        event("\"process\": {\"cmd_line\": \"\\ud800\"}"),
        event(&deep),
        format!("{}\n", "{\"a\":".repeat(5000)),
    ] {
        let scene = Scene::new();
        scene.write("rules/rule.yml", rule(RULE));
        scene.write("events/ocsf_events.jsonl", format!("{sound}{odd}"));
        let output = scene.run(&["check", "rules", "--parquet", "events"]);
        let code = output.status.code();
        assert!([Some(0), Some(3)].contains(&code), "{:?}: {code:?}", odd.get(..40));
        for said in [output.stdout, output.stderr] {
            let said = String::from_utf8(said).unwrap();
            assert!(said.chars().all(|c| c == '\n' || !c.is_control()), "{said:?}");
        }
    }
}
