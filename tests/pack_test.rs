//! `pack test` by the real binary: what it says of tests that pass, that fail, and that cannot be run.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigma-ocsf-tui"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).env_remove("COLUMNS");
    command.args(["pack", "test"]).args(arguments).output().unwrap()
}

/// What it printed and said, and that it ended with `code`.
fn said(code: i32, arguments: &[&str]) -> [String; 2] {
    let Output { status, stdout, stderr } = run(arguments);
    let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(status.code(), Some(code), "{stdout}{stderr}");
    [stdout, stderr]
}

const TESTED: &str = "fixtures/packs/tested";
const FAILING: &str = "fixtures/packs/failing";

#[test]
fn tests_that_hold_pass_and_leave_nothing_out() {
    let [stdout, stderr] = said(0, &[TESTED, "--complete"]);
    insta::assert_snapshot!("pack_test_passing", stdout);
    assert_eq!(stderr, "");
}

#[test]
fn each_failure_has_its_place_and_both_sides() {
    let [stdout, stderr] = said(1, &[FAILING]);
    insta::assert_snapshot!("pack_test_failing", stdout);
    assert_eq!(stderr, "sigma-ocsf-tui: failed cases: 3; routes and aliases without a case: 0\n");
}

#[test]
fn json_says_what_the_text_says() {
    let [stdout, _] = said(1, &[FAILING, "--format", "json"]);
    let document: Value = serde_json::from_str(&stdout).unwrap();
    let [text, _] = said(1, &[FAILING]);
    let failures: Vec<&Value> = document["suites"][0]["cases"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|case| case["failures"].as_array().unwrap())
        .collect();
    assert_eq!(failures.len(), text.matches("  expected: ").count());
    for failure in failures {
        let place = format!("wrong.yaml:{}:{}: ", failure["line"], failure["column"]);
        assert!(text.contains(&place), "{failure}");
        assert!(text.contains(failure["got"].as_str().unwrap()), "{failure}");
    }
    let untested = document["untested"].as_array().unwrap().len();
    assert_eq!(untested, text.matches(": no case exercises ").count());
}

#[test]
fn junit_holds_a_case_for_each_and_escapes_what_they_say() {
    let [stdout, _] = said(1, &[FAILING, "--complete", "--format", "junit"]);
    insta::assert_snapshot!("pack_test_junit", stdout);
}

#[test]
fn what_no_case_exercises_fails_where_all_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    for file in ["pack.yaml", "routes.yaml"] {
        std::fs::copy(format!("{TESTED}/{file}"), folder.path().join(file)).unwrap();
    }
    let [stdout, _] = said(0, &[path]);
    assert!(stdout.contains("routes.yaml:1:3: no case exercises the route of process_creation/windows"));
    let [_, stderr] = said(1, &[path, "--complete"]);
    assert!(stderr.ends_with("failed cases: 0; routes and aliases without a case: 2\n"), "{stderr}");
}

#[test]
fn tests_that_cannot_be_run_are_all_named() {
    let [stdout, stderr] = said(2, &["fixtures/packs/broken/pack_bad_test"]);
    assert_eq!(stdout, "");
    insta::assert_snapshot!("pack_test_bad", stderr);
}
