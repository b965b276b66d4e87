//! `pack diff`: what an edit of a pack changed, in what it says and in what rules do.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

const PACK: &str = "id: own\nversion: 0.1.0\nocsf_version: 1.7.0\n";
const ROUTES: &str = "- logsource: {category: dns_query, product: windows}\n  classes: [4003]\n";
const NAMES: &str = "dns_query/windows:\n  QueryName: query.hostname\n  Image: actor.process.file.path\n";

fn write_pack(folder: &Path, routes: &str, aliases: &str) -> String {
    fs::create_dir_all(folder.join("aliases")).unwrap();
    fs::write(folder.join("pack.yaml"), PACK).unwrap();
    fs::write(folder.join("routes.yaml"), routes).unwrap();
    fs::write(folder.join("aliases/dns.yaml"), aliases).unwrap();
    folder.to_str().unwrap().to_owned()
}

fn diff(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigma-ocsf-tui"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null());
    let output = command.args(["pack", "diff"]).args(arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_effect_of_an_edit_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let before = write_pack(&folder.path().join("a"), ROUTES, NAMES);
    let narrowed = format!("{ROUTES}  filters:\n    - {{path: activity_id, op: eq, value: 1}}\n");
    let answers = "dns_query/windows:\n  QueryName: query.hostname\n  QueryResults: answers.rdata\n";
    let after = write_pack(&folder.path().join("b"), &narrowed, answers);
    let rules = "fixtures/rules/windows/dns_query";
    let arguments = [&before, &after, rules, "--parquet", "fixtures/run", "--enable", "all"];
    insta::assert_snapshot!("diff", diff(&arguments));
    let report: Value =
        serde_json::from_str(&diff(&[&arguments[..], &["--format", "json"]].concat())).unwrap();
    let rules = report["rules"].as_array().unwrap();
    let total: u64 = report["totals"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(rules.len() as u64, total);
    assert_ne!(report["before"]["sha256"], report["after"]["sha256"]);
}

#[test]
fn comments_and_order_are_no_difference() {
    let folder = tempfile::tempdir().unwrap();
    let before = write_pack(&folder.path().join("a"), ROUTES, NAMES);
    let turned = "# Turned round.\ndns_query/windows:\n  Image: actor.process.file.path\n  QueryName: query.hostname\n";
    let after = write_pack(&folder.path().join("b"), ROUTES, turned);
    assert!(diff(&[&before, &after, "fixtures/rules"]).ends_with("no difference\n"));
}
