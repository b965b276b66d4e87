//! What the files say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{
    EVENTS, EVERYTHING, RULES, assert_schemas, assert_valid, bundle, detections, ended, json, place, plans,
    validator,
};

/// What `check` says of the same rules over the same events.
fn checked(more: &[&str]) -> Value {
    let fixed = ["check", RULES, "--parquet", EVENTS, "--event-ids", "--format", "json"];
    serde_json::from_str(&ended(0, &[&fixed, more].concat()).0).unwrap()
}

/// The rule that a plan is of, in the report of `check`.
fn of<'a>(report: &'a Value, plan: &Value) -> &'a Value {
    let path = format!("{RULES}/{}", plan["rule"]["path"].as_str().unwrap());
    let rules = report["rules"].as_array().unwrap();
    let mut of_file = rules.iter().filter(|rule| rule["path"] == path.as_str());
    of_file.nth(plan["rule"]["document"].as_u64().unwrap() as usize).unwrap()
}

#[test]
fn plans_and_detections_are_what_check_says() {
    for more in [&[][..], &EVERYTHING] {
        let (_folder, out) = place();
        bundle(&out, more);
        assert_schemas(&out);
        let report = checked(more);
        let plans = plans(&out);
        assert_eq!(plans.len(), report["rules"].as_array().unwrap().len());
        let detections = detections(&out);
        for (name, plan) in &plans {
            let rule = of(&report, plan);
            assert_eq!(plan["executable"], rule["executable"], "{name}");
            assert_eq!(plan["rule"]["id"], rule["rule_id"]);
            assert_eq!(plan["rule"]["logsource"], rule["logsource"]);
            assert_eq!(plan["non_executable"]["reason_code"], rule["reason_code"], "{name}");
            assert_eq!(plan["compilation"]["fallback_used"], rule["fallback_used"]);
            let own: Vec<&Value> = detections.iter().filter(|line| line["plan"] == name.as_str()).collect();
            assert_eq!(own.len() as u64, rule["matches"].as_u64().unwrap(), "{name}");
            let ids = own.iter().flat_map(|line| line["event_ids"].as_array().unwrap());
            let ids: BTreeSet<&str> = ids.map(|id| id.as_str().unwrap()).collect();
            let expected = rule["event_ids"].as_array().unwrap().iter().map(|id| id.as_str().unwrap());
            assert_eq!(ids, expected.collect(), "{name}");
        }
    }
}

#[test]
fn a_plan_records_what_it_was_made_from() {
    let (_folder, out) = place();
    bundle(&out, &["--threads", "2"]);
    let plans = plans(&out);
    let rule = "windows/process_creation/office_starts_shell.yml";
    let plan = plans.values().find(|plan| plan["rule"]["path"] == rule).unwrap();
    assert_eq!(plan["backend"]["id"], "duckdb_sql");
    assert_eq!(plan["backend"]["version"], sigma_ocsf_tui::store::DUCKDB_VERSION);
    assert_eq!(plan["backend"]["settings"]["threads"], 2);
    assert_eq!(plan["backend"]["settings"]["timezone"], "UTC");
    assert_eq!(plan["compiler"], json!({"name": "sigma-ocsf-tui", "version": env!("CARGO_PKG_VERSION")}));
    assert_eq!(plan["compilation"]["routed_scope"]["class_uids"], json!([1007]));
    assert_eq!(plan["compilation"]["routed_scope"]["filters"][0]["path"], "activity_id");
    assert_eq!(plan["compilation"]["fields"]["mapped"][0]["field"], "Image");
    let sql = plan["compilation"]["sql"].as_str().unwrap();
    assert!(sql.starts_with("SELECT \"metadata.event_id\""), "{sql}");
    insta::assert_yaml_snapshot!("ir", plan["compilation"]["ir"]);
}

#[test]
fn rules_are_named_by_the_hash_of_their_file() {
    let (folder, out) = place();
    let rules = folder.path().join("rules");
    fs::create_dir(&rules).unwrap();
    let file = rules.join("abc.yml");
    fs::write(&file, "abc").unwrap();
    bundle_of(&rules, &out);
    let plans = plans(&out);
    let plan = plans.values().next().unwrap();
    // SHA-256 of `abc`, FIPS 180-2, B.1.
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(plan["rule"]["sha256"], expected);
    assert_eq!(plan["rule"]["kind"], "unreadable");
}

fn bundle_of(rules: &Path, out: &Path) {
    let (rules, out) = (rules.to_str().unwrap(), out.to_str().unwrap());
    ended(0, &["run", rules, "--parquet", EVENTS, "--out", out]);
}

const RULE: &str = "logsource: {category: process_creation, product: windows}\n\
                    detection: {s: {Image|endswith: '\\cmd.exe'}, condition: s}\n";

#[test]
fn hostile_ids_stay_in_the_folder_and_each_rule_has_its_plan() {
    let (folder, out) = place();
    let rules = folder.path().join("rules");
    fs::create_dir(&rules).unwrap();
    let ids = [
        "../../../escaped",
        "/tmp/escaped",
        "a/b",
        "..",
        "same",
        "same",
        "SAME",
        "no-id~0",
        "\u{1b}[31m",
        "é",
    ];
    for (index, id) in ids.iter().enumerate() {
        let id = serde_json::to_string(id).unwrap();
        fs::write(rules.join(format!("{index}.yml")), format!("title: t\nid: {id}\n{RULE}")).unwrap();
    }
    fs::write(rules.join("none.yml"), format!("title: t\n{RULE}---\ntitle: u\n{RULE}")).unwrap();
    bundle_of(&rules, &out);
    assert_schemas(&out);
    let plans = plans(&out);
    assert_eq!(plans.len(), ids.len() + 2);
    let mut below: Vec<String> =
        fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    below.sort_unstable();
    assert_eq!(below, ["rules", "runs"]);
    let named: Vec<&String> = plans.keys().filter(|name| !name.starts_with("no-id~")).collect();
    assert_eq!(named, ["SAME~3", "same", "same~2"]);
}

#[test]
fn coverage_adds_up() {
    let (_folder, out) = place();
    bundle(&out, &EVERYTHING);
    let coverage = json(out.join("bridge/coverage.json"));
    let number = |value: &Value, key: &str| value[key].as_u64().unwrap();
    let categories = coverage["by_category"].as_array().unwrap();
    for totals in categories.iter().chain([&coverage["totals"]]) {
        assert_eq!(number(totals, "rules"), number(totals, "executable") + number(totals, "non_executable"));
        let parts = ["matched", "no_match", "not_reported"].map(|key| number(totals, key));
        assert_eq!(number(totals, "executable"), parts.iter().sum::<u64>());
    }
    for (key, total) in coverage["totals"].as_object().unwrap() {
        let sum: u64 = categories.iter().map(|category| number(category, key)).sum();
        assert_eq!(sum, total.as_u64().unwrap(), "{key}");
    }
    for key in ["reasons", "subcodes"] {
        let sum: u64 = coverage[key].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        assert_eq!(sum, number(&coverage["totals"], "non_executable"), "{key}");
    }
    let plans = plans(&out);
    let refused = plans.values().filter(|plan| plan["executable"] == false).count();
    assert_eq!(refused as u64, number(&coverage["totals"], "non_executable"));
    for ranked in coverage["unmapped_fields"]["top"].as_array().unwrap() {
        let uses = |plan: &&Value| {
            plan["compilation"]["fields"]["unmapped"].as_array().unwrap().contains(&ranked["field"])
        };
        assert_eq!(plans.values().filter(uses).count() as u64, number(ranked, "rules"), "{ranked}");
    }
    assert_eq!(number(&coverage["totals"], "detections"), detections(&out).len() as u64);
    assert!(number(&coverage["fallback"], "rules") > 0);
    assert_eq!(coverage["unrouted_logsources"]["top"][0]["logsource"]["category"], "fog_signal");
}

#[test]
fn detections_stand_in_order_and_say_where_they_come_from() {
    let (_folder, out) = place();
    bundle(
        &out,
        &[&EVERYTHING[..], &["--run-id", "exercise 7", "--run-time", "2026-03-14T10:00:00+01:00"]].concat(),
    );
    let lines = detections(&out);
    let key = |line: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or("~").to_owned();
        let ids = line["event_ids"].to_string();
        (text(&line["plan"]), text(&line["first_seen_utc"]), text(&line["last_seen_utc"]), ids)
    };
    assert!(lines.is_sorted_by_key(key));
    let ids: BTreeSet<&str> = lines.iter().map(|line| line["detection_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), lines.len());
    for line in &lines {
        assert_eq!(line["run_id"], "exercise 7");
        assert_eq!(line["extensions"]["bridge"]["compiled_at_utc"], "2026-03-14T09:00:00Z");
        assert_eq!(line["extensions"]["bridge"]["mapping_pack_id"], "ocsf-1.7.0");
        let fallback = line["extensions"]["bridge"]["fallback_used"].as_bool().unwrap();
        assert_eq!(fallback, line["extensions"]["bridge"]["unmapped_sigma_fields"].is_array());
    }
    assert!(lines.iter().any(|line| line["extensions"]["bridge"]["fallback_used"] == true));
    let windows: Vec<&Value> = lines.iter().filter(|line| line["group"].is_object()).collect();
    assert!(!windows.is_empty());
    assert!(windows.iter().any(|window| window["event_ids"].as_array().unwrap().len() > 1));
    let techniques = lines.iter().flat_map(|line| line["technique_ids"].as_array().unwrap());
    assert!(techniques.map(|id| id.as_str().unwrap()).any(|id| id == "T1566.001"));
}

#[test]
fn without_a_run_time_there_is_no_time_but_the_events() {
    let (_folder, out) = place();
    bundle(&out, &[]);
    assert_eq!(json(out.join("bundle.json"))["run"], json!({"id": "7", "time_utc": null}));
    let stamped =
        detections(&out).iter().any(|line| line["extensions"]["bridge"]["compiled_at_utc"].is_string());
    assert!(!stamped);
}

#[test]
fn a_rule_that_fails_over_the_events_is_not_executable_and_has_no_detections() {
    let (folder, out) = place();
    let select = "SELECT 1007 AS class_uid, 5::BIGINT AS \"time\", 7 AS \"process.file.path\"";
    write_parquet(&folder.path().join("events.parquet"), select);
    let rule = "fixtures/rules/refused/duplicate_id_first.yml";
    let events = folder.path().join("events.parquet");
    let arguments = ["run", rule, "--parquet", events.to_str().unwrap(), "--out", out.to_str().unwrap()];
    ended(0, &arguments);
    assert_schemas(&out);
    let plans = plans(&out);
    let plan = plans.values().next().unwrap();
    assert_eq!(plan["non_executable"]["reason_code"], "backend_eval_error");
    assert_eq!(plan["non_executable"]["subcode"], "column_type");
    assert!(plan["compilation"]["sql"].is_string());
    ended(0, &["verify", out.to_str().unwrap(), "--parquet", events.to_str().unwrap(), "--rules", rule]);
}

/// Events of another OCSF version than the pack is for are refused before any rule runs.
#[test]
fn events_of_another_version_are_refused() {
    let (folder, out) = place();
    let events = folder.path().join("events.parquet");
    let rule = "fixtures/rules/refused/duplicate_id_first.yml";
    let of_version = |version: &str| {
        write_parquet(
            &events,
            &format!("SELECT 1007 AS class_uid, 5::BIGINT AS \"time\", {version} AS \"metadata.version\""),
        );
    };
    let path = events.to_str().unwrap();
    of_version("unnest(['1.7.0', '1.1.0', NULL])");
    for command in [
        &["check", rule, "--parquet", path][..],
        &["run", rule, "--parquet", path, "--out", out.to_str().unwrap()],
    ] {
        let (_, said) = ended(3, command);
        assert!(said.contains("dataset_ocsf_version: events state OCSF version '1.1.0'"), "{said}");
    }
    assert!(!out.exists());
    of_version("unnest(['1.7.0', NULL])");
    ended(0, &["check", rule, "--parquet", path]);
}

fn write_parquet(file: &Path, select: &str) {
    let target = file.to_str().unwrap().replace('\'', "''");
    let connection = duckdb::Connection::open_in_memory().unwrap();
    connection.execute_batch(&format!("COPY ({select}) TO '{target}' (FORMAT parquet)")).unwrap();
}

/// Snapshot and router table are the pack's, and hash to what the plans say.
#[test]
fn the_snapshot_is_the_pack() {
    let (_folder, out) = place();
    bundle(&out, &["--pack", "fixtures/packs/answers"]);
    assert_schemas(&out);
    let snapshot = json(out.join("bridge/mapping_pack_snapshot.json"));
    let plans: BTreeMap<String, Value> = plans(&out);
    for plan in plans.values() {
        assert_eq!(plan["mapping_pack"]["sha256"], snapshot["mapping_pack_sha256"]);
    }
    let router_table = json(out.join("bridge/router_table.json"));
    let routes = snapshot["mapping_pack"]["routes"].as_array().unwrap();
    assert_eq!(router_table["routes"].as_array().unwrap().len(), routes.len());
    assert!(snapshot["mapping_pack"]["aliases"].to_string().contains("answers.rdata"));
}

#[test]
fn a_detection_names_the_host_of_its_first_event() {
    let (folder, out) = place();
    let (rules, events) = (folder.path().join("rules"), folder.path().join("events"));
    fs::create_dir(&rules).unwrap();
    fs::create_dir(&events).unwrap();
    let base = "id: 11111111-1111-4111-8111-111111111111\ntitle: t\nname: base\n";
    fs::write(rules.join("base.yml"), format!("{base}{RULE}")).unwrap();
    let correlation = "title: c\nid: 22222222-2222-4222-8222-222222222222\n\
                       correlation: {type: event_count, rules: [base], group-by: [User], timespan: 1h, \
                       condition: {gte: 3}, generate: true}\n";
    fs::write(rules.join("correlation.yml"), correlation).unwrap();
    let file = events.join("events.parquet").display().to_string();
    // In the order of ids the first event is another than in that of times.
    let values = "('b', 1000, 'first', NULL), ('a', 2000, NULL, 'named'), ('c', 3000, NULL, NULL)";
    let columns = "c(\"metadata.event_id\", \"time\", \"device.hostname\", \"device.name\")";
    let sql = format!(
        "COPY (SELECT 1007::INTEGER AS class_uid, 1::INTEGER AS activity_id, \
         'windows-sysmon' AS \"metadata.source_type\", '1.7.0' AS \"metadata.version\", \
         'C:\\cmd.exe' AS \"process.file.path\", 'x' AS \"actor.user.name\", * FROM (VALUES {values}) {columns}) \
         TO '{file}' (FORMAT parquet)"
    );
    duckdb::Connection::open_in_memory().unwrap().execute_batch(&sql).unwrap();
    let paths = [&rules, &events, &out].map(|path| path.to_str().unwrap());
    ended(0, &["run", paths[0], "--parquet", paths[1], "--out", paths[2], "--enable", "correlation"]);
    let detections = detections(&out);
    let schema = validator("detection");
    detections.iter().for_each(|line| assert_valid(&schema, line, "detection"));
    let hosts: Vec<_> =
        detections.iter().map(|line| (line["rule_title"].as_str().unwrap(), &line["host"])).collect();
    let expected =
        [("t", &json!("first")), ("t", &json!("named")), ("t", &Value::Null), ("c", &json!("first"))];
    assert_eq!(hosts, expected);
}
