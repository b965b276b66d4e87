//! `verify` finds nothing in a sound bundle, and whatever was changed in another.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{EVENTS, EVERYTHING, RULES, bundle, ended, json, place, plans};

/// What `verify` says of a bundle that does not hold.
fn differences(out: &Path, more: &[&str]) -> String {
    let (printed, said) = ended(1, &[&["verify", out.to_str().unwrap()], more].concat());
    assert!(said.contains("the bundle does not hold"), "{said}");
    printed
}

const ALL: [&str; 4] = ["--parquet", EVENTS, "--rules", RULES];

#[test]
fn a_sound_bundle_holds_in_every_way() {
    for more in [&[][..], &EVERYTHING, &["--threads", "3"]] {
        let (_folder, out) = place();
        bundle(&out, &[more, &["--run-time", "2026-03-14T09:00:00Z"]].concat());
        let path = out.to_str().unwrap();
        ended(0, &["verify", path]);
        ended(0, &[&["verify", path], &ALL[..]].concat());
        ended(0, &["verify", path, "--parquet", "fixtures/run-nested/normalized"]);
        let (printed, _) = ended(0, &[&["verify", path, "--format", "json"], &ALL[..]].concat());
        let report: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(report["plans"], plans(&out).len());
        assert!(report["rerun"].as_u64() > Some(50) && report["recompiled"] == true);
        assert_eq!(report["differences"], Value::Array(vec![]));
    }
}

fn edited(file: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(from), "{}: {from}", file.display());
    fs::write(file, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn every_file_is_held_to_its_hash() {
    let (_folder, out) = place();
    bundle(&out, &[]);
    for (file, from, to, found) in [
        (
            "bridge/router_table.json",
            "\"class_uids\": [\n          1007",
            "\"class_uids\": [\n          1001",
            "router_table.json: the hash of `routes`",
        ),
        (
            "bridge/mapping_pack_snapshot.json",
            "process.cmd_line",
            "process.name",
            "snapshot.json: the hash of `mapping_pack`",
        ),
        (
            "bridge/coverage.json",
            "\"matched\": 0",
            "\"matched\": 1",
            "coverage.json: `by_category` is not what plans",
        ),
        (
            "detections/detections.jsonl",
            "\"level\":\"high\"",
            "\"level\":\"low\"",
            "detections.jsonl: the hash of the file",
        ),
        ("bundle.json", "\"threads\": 1", "\"threads\": 2", "pack or settings are not those of the bundle"),
        (
            "bundle.json",
            "\"plans\": 106",
            "\"plans\": 105",
            "bundle.json: the number of plans is 106, and 105",
        ),
    ] {
        let kept = fs::read(out.join(file)).unwrap();
        edited(&out.join(file), from, to);
        let said = differences(&out, &[]);
        assert!(said.contains(found), "{file}: {said}");
        fs::write(out.join(file), kept).unwrap();
    }
    ended(0, &["verify", out.to_str().unwrap()]);
}

#[test]
fn plans_that_come_go_or_change_are_found() {
    let (_folder, out) = place();
    bundle(&out, &[]);
    let (name, plan) =
        plans(&out).into_iter().find(|(_, plan)| plan["compilation"]["sql"].is_string()).unwrap();
    let file = out.join(format!("bridge/compiled_plans/{name}.plan.json"));
    let text = fs::read_to_string(&file).unwrap();
    let title = plan["rule"]["title"].as_str().unwrap();
    edited(&file, title, "Another title");
    assert!(differences(&out, &[]).contains("the hash of the plan"));
    fs::write(&file, text.replacen("{", "{\"extra\": 1,", 1)).unwrap();
    let (_, said) = ended(3, &["verify", out.to_str().unwrap()]);
    assert!(said.contains("unknown field `extra`"), "{said}");
    fs::remove_file(&file).unwrap();
    let said = differences(&out, &[]);
    assert!(said.contains("the number of plans") && said.contains("the hash of the plans"), "{said}");
    fs::write(&file, text).unwrap();
    fs::write(out.join("bridge/notes.txt"), "x").unwrap();
    assert!(differences(&out, &[]).contains("bridge/notes.txt: this is no file of a bundle"));
}

/// One who changes a statement and all hashes with it is found by running the rules anew, and by compiling them.
#[test]
fn a_forged_statement_is_found_by_its_detections_and_by_its_rule() {
    let (folder, out) = place();
    bundle(&out, &[]);
    // Forged by the tool itself: a bundle of rules that were changed.
    let forged_rules = folder.path().join("rules");
    copied(Path::new(RULES), &forged_rules);
    let rule = "windows/process_creation/office_starts_shell.yml";
    edited(&forged_rules.join(rule), "endswith", "startswith");
    let forged = folder.path().join("forged/7");
    ended(
        0,
        &["run", forged_rules.to_str().unwrap(), "--parquet", EVENTS, "--out", forged.to_str().unwrap()],
    );
    ended(0, &["verify", forged.to_str().unwrap(), "--parquet", EVENTS]);
    let said = differences(&forged, &["--rules", RULES]);
    assert!(said.contains("compiled anew, `compilation` is different"), "{said}");
    assert!(said.contains("compiled anew, `rule` is different"), "{said}");
    fs::copy(out.join("detections/detections.jsonl"), forged.join("detections/detections.jsonl")).unwrap();
    let said = differences(&forged, &["--parquet", EVENTS]);
    assert!(said.contains("run again, it gives 0 detections, and 1 are stated"), "{said}");
}

fn copied(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from).into_iter().map(Result::unwrap) {
        let target = to.join(entry.path().strip_prefix(from).unwrap());
        if entry.file_type().is_dir() {
            fs::create_dir_all(target).unwrap();
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn other_events_and_other_rules_are_found() {
    let (folder, out) = place();
    bundle(&out, &[]);
    let events = folder.path().join("fewer");
    fs::create_dir(&events).unwrap();
    let file = events.join("events.parquet").display().to_string();
    let connection = duckdb::Connection::open_in_memory().unwrap();
    let source = format!("{EVENTS}/ocsf_events/*.parquet");
    let copy = format!("COPY (SELECT * FROM '{source}' LIMIT 20) TO '{file}' (FORMAT parquet)");
    connection.execute_batch(&copy).unwrap();
    let said = differences(&out, &["--parquet", events.to_str().unwrap()]);
    assert!(said.contains("the number of events is 20, and 72 is stated"), "{said}");
    assert!(said.contains("run again, it gives"), "{said}");
    let said = differences(&out, &["--rules", "fixtures/rules/windows"]);
    assert!(said.contains("the rule is not among those given"), "{said}");
}

#[test]
fn what_is_no_bundle_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    assert!(ended(3, &["verify", path]).1.contains("bundle.json"));
    fs::write(folder.path().join("bundle.json"), "[]").unwrap();
    assert!(ended(3, &["verify", path]).1.contains("is not what a bundle has there"));
    ended(2, &["verify"]);
}

/// A statement of a bundle is run as rules are: it can read the events and nothing else, and can write nothing.
#[test]
fn a_hostile_statement_reaches_nothing() {
    let (folder, out) = place();
    let rule = "fixtures/rules/windows/process_creation/office_starts_shell.yml";
    ended(0, &["run", rule, "--parquet", EVENTS, "--out", out.to_str().unwrap()]);
    let name = plans(&out).into_keys().next().unwrap();
    let file = out.join(format!("bridge/compiled_plans/{name}.plan.json"));
    let plan = json(&file);
    let target = folder.path().join("stolen");
    for statement in [
        "SELECT content, 1 FROM read_text('/etc/hostname')".to_owned(),
        format!("COPY (SELECT 1) TO '{}'", target.display()),
        "SELECT getenv('HOME'), 1; DROP VIEW ocsf_events".to_owned(),
    ] {
        let mut hostile = plan.clone();
        hostile["compilation"]["sql"] = Value::String(statement.clone());
        fs::write(&file, serde_json::to_string(&hostile).unwrap()).unwrap();
        let said = differences(&out, &["--parquet", EVENTS]);
        assert!(said.contains("it does not run any more"), "{statement}: {said}");
    }
    assert!(!target.exists());
}
