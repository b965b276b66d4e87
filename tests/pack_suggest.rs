//! `pack suggest` over the fixtures: what it proposes and why, and what it writes.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const RULES: &str = "fixtures/rules";
const RUN: &str = "fixtures/run";

fn suggest(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigma-ocsf-tui"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    command.args(["pack", "suggest", RULES, "--enable", "all"]).args(arguments).output().unwrap()
}

fn printed(arguments: &[&str]) -> String {
    let output = suggest(arguments);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn gap(field: &str, arguments: &[&str]) -> Value {
    let all = [&["--field", field, "--format", "json"], arguments].concat();
    let report: Value = serde_json::from_str(&printed(&all)).unwrap();
    report["shown"][0].clone()
}

#[test]
fn gaps_are_shown_with_their_evidence() {
    insta::assert_snapshot!("suggest", printed(&["--parquet", RUN, "--gaps", "3"]));
}

#[test]
fn the_column_that_holds_what_rules_look_for_comes_first() {
    let gap = gap("QueryResults", &["--parquet", RUN]);
    let first = &gap["proposals"][0];
    assert_eq!(first["target"], "answers.rdata");
    assert_eq!(first["evidence"]["holds"], gap["literals"]);
    assert_eq!(first["effect"]["unlocked"], gap["unlocks"]);
    assert_eq!(first["rejected"], Value::Null);
}

#[test]
fn without_events_names_and_types_speak() {
    let gap = gap("QueryResults", &[]);
    assert_eq!(gap["in_scope"], Value::Null);
    let proposals = gap["proposals"].as_array().unwrap();
    assert!(!proposals.is_empty() && proposals.iter().all(|p| p["evidence"].is_null()));
}

#[test]
fn an_alias_is_written_where_the_scope_stands_and_the_gap_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("own");
    fs::create_dir_all(pack.join("aliases")).unwrap();
    let write = |file: &str, text: &str| fs::write(pack.join(file), text).unwrap();
    write("pack.yaml", "id: own\nversion: 0.1.0\nocsf_version: 1.7.0\n");
    write("routes.yaml", "- logsource: {category: dns_query, product: windows}\n  classes: [4003]\n");
    write("aliases/dns.yaml", "dns_query/windows:\n  # As asked.\n  QueryName: query.hostname\n");
    let named = ["--pack", pack.to_str().unwrap(), "--field", "QueryResults"];
    let target = ["--scope", "dns_query/windows", "--write", "answers.rdata"];
    let said = printed(&[&named[..], &target].concat());
    assert!(said.contains("dns.yaml:4: written; +"), "{said}");
    let written = fs::read_to_string(pack.join("aliases/dns.yaml")).unwrap();
    assert_eq!(
        written,
        "dns_query/windows:\n  # As asked.\n  QueryName: query.hostname\n  QueryResults: answers.rdata\n"
    );
    assert!(printed(&named).starts_with("every field"));
}

#[test]
fn an_alias_that_would_be_a_finding_is_not_written() {
    let target = ["--field", "QueryResults", "--scope", "dns_query/windows", "--write", "answers.nope"];
    let output = suggest(&target);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("pack_unknown_path"));
    assert!(!Path::new(RULES).join("aliases").exists());
}
