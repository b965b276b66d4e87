//! `test` by the real binary: regression cases that hold, that fail, that cannot be run, and that are written.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const PASSING: &[&str] = &["fixtures/rule-tests/passing/rules", "--enable", "correlation"];
const FAILING: &[&str] = &["fixtures/rule-tests/failing/rules"];
const RUN: &str = "fixtures/run";

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigma-ocsf-tui"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).env_remove("COLUMNS");
    command.arg("test").args(arguments).output().unwrap()
}

/// What it printed and said, and that it ended with `code`.
fn said(code: i32, arguments: &[&[&str]]) -> [String; 2] {
    let Output { status, stdout, stderr } = run(&arguments.concat());
    let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(status.code(), Some(code), "{stdout}{stderr}");
    [stdout, stderr]
}

fn assert_valid(schema: &str, document: &Value) {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{schema}.schema.json"));
    let schema = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// The document, held to its schema; two runs print the same bytes.
fn document(code: i32, arguments: &[&str]) -> Value {
    let json: &[&str] = &["--format", "json"];
    let [printed, _] = said(code, &[arguments, json]);
    assert_eq!(printed, said(code, &[arguments, json])[0]);
    let document = serde_json::from_str(&printed).unwrap();
    assert_valid("rule-test-report", &document);
    document
}

#[test]
fn cases_that_hold_pass_and_raw_logs_are_skipped_in_words() {
    let [stdout, stderr] = said(0, &[PASSING]);
    insta::assert_snapshot!("rule_tests_passing", stdout);
    assert_eq!(stderr, "");
}

#[test]
fn what_is_skipped_fails_where_nothing_may_be() {
    let [_, stderr] = said(1, &[PASSING, &["--strict"]]);
    assert_eq!(stderr, "sigma-ocsf-tui: cases: 6; failed: 0; skipped: 1\n");
    let none = "fixtures/rule-tests/failing/rules/proc_refused.test.yml";
    let folder = tempfile::tempdir().unwrap();
    fs::copy(none.replace(".test.yml", ".yml"), folder.path().join("alone.yml")).unwrap();
    let alone = folder.path().to_str().unwrap();
    let [stdout, _] = said(0, &[&[alone]]);
    assert_eq!(stdout, "cases: 0; failed: 0; skipped: 0; rules without a case: 1\n");
    said(1, &[&[alone, "--strict"]]);
}

#[test]
fn each_failure_has_its_place_and_both_sides() {
    let [stdout, stderr] = said(1, &[FAILING]);
    insta::assert_snapshot!("rule_tests_failing", stdout);
    assert_eq!(stderr, "sigma-ocsf-tui: cases: 7; failed: 6; skipped: 0\n");
}

#[test]
fn json_adds_up_and_names_its_inputs_by_hash() {
    for (code, arguments) in [(0, PASSING), (1, FAILING)] {
        let document = document(code, arguments);
        let suites = document["suites"].as_array().unwrap();
        let cases: Vec<&Value> = suites.iter().flat_map(|suite| suite["cases"].as_array().unwrap()).collect();
        assert_eq!(document["totals"]["cases"], cases.len());
        for outcome in ["passed", "failed", "skipped"] {
            let of = cases.iter().filter(|case| case["outcome"] == outcome).count();
            assert_eq!(document["totals"][outcome], of, "{outcome}");
        }
        for file in suites.iter().map(|suite| &suite["file"]).chain(cases.iter().copied()) {
            let bytes = fs::read(file["path"].as_str().unwrap()).unwrap();
            assert_eq!(file["sha256"], sha256(&bytes), "{file}");
        }
    }
    let document = document(0, PASSING);
    let by_file = &document["suites"][0]["cases"][1];
    assert_eq!(by_file["matched"], serde_json::json!(["far"]));
    let events = by_file["events"]["path"].as_str().unwrap();
    assert_eq!(by_file["events"]["sha256"], sha256(&fs::read(events).unwrap()));
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn junit_holds_a_case_for_each_and_escapes_what_they_say() {
    let junit: &[&str] = &["--format", "junit"];
    insta::assert_snapshot!("rule_tests_junit_failing", said(1, &[FAILING, junit])[0]);
    insta::assert_snapshot!("rule_tests_junit_skipped", said(0, &[PASSING, junit])[0]);
    let [strict, _] = said(1, &[PASSING, junit, &["--strict"]]);
    assert_eq!((strict.matches("<skipped").count(), strict.matches("<failure").count()), (0, 1));
}

#[test]
fn the_fixtures_are_of_the_form_that_the_schema_says() {
    for file in [
        "passing/rules/proc_tide_download.test.yml",
        "passing/rules/tests/tide_burst.test.json",
        "failing/rules/proc_wrong.test.yml",
    ] {
        let text = fs::read_to_string(Path::new("fixtures/rule-tests").join(file)).unwrap();
        assert_valid("rule-test", &serde_yaml::from_str(&text).unwrap());
    }
}

const RULE: &str = "title: A hidden shell
id: 70b182d3-c84a-45e6-81f7-283940516273
logsource: {category: process_creation, product: windows}
detection: {selection: {CommandLine|contains: ' -nop -w hidden -enc '}, condition: selection}
";

/// Events 17 and 18 of the fixture run are a letter that is opened, and the shell that it starts.
fn id(number: u32) -> String {
    format!("pa:eid:v1:{number:032}")
}

/// A folder with the rule, and the two paths in it.
fn folder() -> (tempfile::TempDir, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (rule, cases) = (path("shell.yml"), path("shell.test.yml"));
    fs::write(&rule, RULE).unwrap();
    (folder, rule, cases)
}

#[test]
fn a_saved_case_passes_and_stays_the_same_when_saved_again() {
    let (_folder, rule, cases) = folder();
    let (match_, not) = (id(18), id(17));
    let saving: &[&str] = &["--save", &rule, "--parquet", RUN, "--event", &match_, "--no-match", &not];
    let [stdout, _] = said(0, &[saving]);
    assert!(stdout.starts_with(&format!("{cases}: case `saved events`, events 2")), "{stdout}");
    let text = fs::read_to_string(&cases).unwrap();
    insta::assert_snapshot!("rule_tests_saved", text);
    assert_valid("rule-test", &serde_yaml::from_str(&text).unwrap());
    let [stdout, _] = said(0, &[&[&rule, "--strict"]]);
    assert!(stdout.ends_with("cases: 1; failed: 0; skipped: 0; rules without a case: 0\n"), "{stdout}");
    said(0, &[saving]);
    assert_eq!(fs::read_to_string(&cases).unwrap(), text);
}

#[test]
fn saving_adds_to_what_is_there_and_overwrites_nothing() {
    let (_folder, rule, cases) = folder();
    let [first, second, other] = [id(18), id(19), id(17)];
    let save = |code, flag: &str, id: &str| said(code, &[&["--save", &rule, "--parquet", RUN, flag, id]]);
    save(0, "--event", &first);
    save(0, "--event", &second);
    let [stdout, _] = said(0, &[&[&rule]]);
    assert!(stdout.contains("cases 1, checks 3, failed 0"), "{stdout}");
    let before = fs::read_to_string(&cases).unwrap();
    let [_, stderr] = save(2, "--no-match", &first);
    assert!(stderr.contains("the case `saved events` says otherwise"), "{stderr}");
    let [_, stderr] = save(2, "--event", "nobody");
    assert!(stderr.contains("the dataset has 0 events of the id `nobody`"), "{stderr}");
    assert_eq!(fs::read_to_string(&cases).unwrap(), before);
    let by_hand = format!("# Kept by hand.\n{before}\n# The end.\n");
    fs::write(&cases, &by_hand).unwrap();
    save(0, "--no-match", &other);
    let after = fs::read_to_string(&cases).unwrap();
    assert!(after.starts_with(by_hand.trim_end()), "{after}");
    assert!(after.contains("name: saved events 2\n"), "{after}");
    let [stdout, _] = said(0, &[&[&rule]]);
    assert!(stdout.contains("cases 2, checks 5, failed 0"), "{stdout}");
}

#[test]
fn a_case_reads_no_file_outside_and_nor_does_a_rule() {
    let (folder, rule, cases) = folder();
    let outside = folder.path().join("outside");
    let rules = folder.path().join("rules");
    fs::create_dir_all(&rules).unwrap();
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("e.jsonl"), "{\"class_uid\": 1007, \"time\": 1}\n").unwrap();
    let moved = rules.join("shell.yml");
    fs::write(&moved, format!("{RULE}regression_tests_path: regression_data/../outside/info.yml\n")).unwrap();
    fs::write(outside.join("info.yml"), "regression_tests_info: []\n").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(&outside, rules.join("link")).unwrap();
    for events in ["../outside/e.jsonl", "link/e.jsonl", outside.join("e.jsonl").to_str().unwrap()] {
        let text = format!("cases: [{{name: n, match: all, events: {events:?}}}]\n");
        fs::write(rules.join("shell.test.yml"), text).unwrap();
        let [stdout, _] = said(1, &[&[rules.to_str().unwrap()]]);
        assert!(
            stdout.contains("expected: a file of OCSF events (.jsonl, .parquet) below the rule"),
            "{stdout}"
        );
        assert!(
            stdout.contains("`regression_tests_path` names no file below `regression_data/`"),
            "{stdout}"
        );
    }
    drop((rule, cases));
}
