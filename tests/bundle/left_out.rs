//! Files that cannot be read, or that differ: refused, or left out and named, as the caller chooses.

use std::fs;
use std::path::{Path, PathBuf};

use super::{EVENTS, RULES, assert_schemas, ended, json, place};

/// The fixtures' events in a folder of their own, and its path as an argument.
fn events(folder: &Path) -> (PathBuf, String) {
    let events = folder.join("events");
    fs::create_dir_all(&events).unwrap();
    for entry in fs::read_dir(Path::new(EVENTS).join("ocsf_events")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), events.join(entry.file_name())).unwrap();
    }
    let argument = events.to_str().unwrap().to_owned();
    (events, argument)
}

#[test]
fn an_unreadable_file_is_refused_or_left_out_and_recorded() {
    let (folder, out) = place();
    let (events, argument) = events(folder.path());
    fs::write(events.join("cut.parquet"), b"PAR1 the rest has not come yet").unwrap();
    fs::write(events.join("hollow.parquet"), b"PAR1\xff\xff\xff\xff\x04\0\0\0PAR1").unwrap();
    let command = ["run", RULES, "--parquet", &argument, "--out", out.to_str().unwrap()];
    let (_, wrong) = ended(3, &command);
    assert!(wrong.contains("cut.parquet") || wrong.contains("hollow.parquet"), "{wrong}");
    let (_, said) = ended(0, &[&command[..], &["--skip-unreadable"]].concat());
    assert!(said.contains("cut.parquet' is left out: it has no footer yet"), "{said}");
    assert!(said.contains("hollow.parquet' is left out: "), "{said}");
    assert_schemas(&out);
    let record = json(out.join("bundle.json"));
    assert_eq!(record["dataset"]["left_out"][0]["name"], "cut.parquet");
    let why = record["dataset"]["left_out"][1]["why"].as_str().unwrap();
    assert!(!why.contains(folder.path().to_str().unwrap()), "{why}");
    ended(0, &["verify", out.to_str().unwrap(), "--parquet", &argument]);
}

#[test]
fn a_column_of_two_types_refuses_the_rules_that_read_it_and_no_others() {
    let (folder, out) = place();
    let (events, argument) = events(folder.path());
    let odd = "SELECT 1007 AS class_uid, 1::BIGINT AS \"time\", 5::BIGINT AS \"process.cmd_line\"";
    let target = events.join("odd.parquet");
    let connection = duckdb::Connection::open_in_memory().unwrap();
    connection.execute_batch(&format!("COPY ({odd}) TO '{}' (FORMAT parquet)", target.display())).unwrap();
    let (printed, said) =
        ended(0, &["run", RULES, "--parquet", &argument, "--out", out.to_str().unwrap(), "--format", "json"]);
    assert!(said.contains("column 'process.cmd_line' differs between files: "), "{said}");
    assert!(said.contains("BIGINT in '") && said.contains("odd.parquet"), "{said}");
    let summary: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert!(summary["matched"].as_u64().unwrap() > 5, "{summary}");
    let refused = super::plans(&out)
        .into_values()
        .filter(|plan| plan["non_executable"].to_string().contains("process.cmd_line"));
    assert!(refused.count() > 5);
}
