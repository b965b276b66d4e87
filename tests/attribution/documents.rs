//! The commands: their documents keep their schemas, and what they say to people.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const RUN: &str = "fixtures/run/normalized";
const TOOL: &str = "fixtures/rules/windows/process_creation/certutil_download.yml";

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigma-ocsf-tui"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).env_remove("COLUMNS");
    command.args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn done(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    assert!(output.stderr.is_empty(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

fn refused(code: i32, arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", text(&output.stderr));
    assert!(output.stdout.is_empty());
    text(&output.stderr)
}

fn document(schema: &str, arguments: &[&str]) -> Value {
    let all = [arguments, &["--format", "json"]].concat();
    let printed = done(&all);
    assert_eq!(printed, done(&all), "{arguments:?}: two runs print the same bytes");
    let document: Value = serde_json::from_str(&printed).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(schema);
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> =
        validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{arguments:?}: {errors:#?}");
    document
}

#[test]
fn explanations_keep_their_schema() {
    let all = document(
        "explain.schema.json",
        &["explain", "fixtures/rules", "--parquet", RUN, "--enable", "all", "--raw-fallback"],
    );
    let rules = all["rules"].as_array().unwrap();
    let causes: std::collections::BTreeSet<&str> =
        rules.iter().map(|rule| rule["finding"]["cause"].as_str().unwrap()).collect();
    assert!(causes.len() >= 3, "{causes:?}");
    assert!(rules.iter().any(|rule| !rule["correlation"].is_null()));
    assert!(rules.iter().any(|rule| !rule["nearest"].as_array().unwrap().is_empty()));
}

#[test]
fn an_event_that_is_asked_about_is_told() {
    let other = "pa:eid:v1:00000000000000000000000000000018";
    let arguments = ["explain", TOOL, "--parquet", RUN, "--event", other];
    let event = document("explain.schema.json", &arguments)["rules"][0]["event"].clone();
    assert_eq!((&event["matched"], &event["in_class"]), (&Value::Bool(false), &Value::Bool(true)));
    assert!(!event["failed"].as_array().unwrap().is_empty());
    assert!(done(&arguments).contains("this event does not match"));
    let matched = "pa:eid:v1:00000000000000000000000000000038";
    assert!(done(&["explain", TOOL, "--parquet", RUN, "--event", matched]).contains("this event matches"));
    let said = refused(3, &["explain", TOOL, "--parquet", RUN, "--event", "nobody"]);
    assert!(said.contains("no event `nobody`"), "{said}");
}

#[test]
fn explaining_needs_events() {
    assert!(refused(2, &["explain", TOOL]).contains("no events given"));
    assert!(refused(2, &["coverage", "fixtures/rules", "--attribute"]).contains("--parquet"));
}

#[test]
fn a_match_is_explained_to_people() {
    insta::assert_snapshot!("explain_match", done(&["explain", TOOL, "--parquet", RUN]));
}

#[test]
fn a_miss_is_explained_to_people() {
    let folder = tempfile::tempdir().unwrap();
    let rule = "title: Tool in a Folder\nid: 00000000-0000-4000-8000-000000000001\nlogsource:\n    category: process_creation\n    product: windows\ndetection:\n    img:\n        Image|endswith: '\\certutil.com'\n    cmd:\n        CommandLine|contains:\n            - 'urlcache'\n            - 'verifyctl'\n    filter:\n        User|cased: 'nobody'\n    condition: img and cmd and not filter\n";
    let path = folder.path().join("rule.yml");
    fs::write(&path, rule).unwrap();
    let printed = done(&["explain", path.to_str().unwrap(), "--parquet", RUN]);
    let printed = printed.replace(path.to_str().unwrap(), "rule.yml");
    for line in printed.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
    insta::assert_snapshot!("explain_miss", printed);
}

#[test]
fn coverage_keeps_its_schema_and_adds_up() {
    let rules = "fixtures/rules";
    let compiled = document("rule-coverage.schema.json", &["coverage", rules]);
    assert_eq!((&compiled["ran"], &compiled["totals"]["matched"]), (&Value::Bool(false), &Value::from(0)));
    let all = document(
        "rule-coverage.schema.json",
        &["coverage", rules, "--parquet", RUN, "--attribute", "--enable", "all"],
    );
    let number = |value: &Value| value.as_u64().unwrap();
    let totals = &all["totals"];
    assert_eq!(number(&totals["executable"]) + number(&totals["non_executable"]), number(&totals["rules"]));
    let sum = |name: &str| all[name].as_object().unwrap().values().map(&number).sum::<u64>();
    assert_eq!(sum("reasons"), number(&totals["non_executable"]));
    assert_eq!(sum("causes"), all["unmatched"].as_array().unwrap().len() as u64);
    let of_categories: u64 =
        all["categories"].as_object().unwrap().values().map(|counts| number(&counts["rules"])).sum();
    assert_eq!(of_categories, number(&totals["rules"]));
    for field in all["unmapped_fields"].as_array().unwrap() {
        assert!(number(&field["alone"]) <= number(&field["rules"]));
    }
}

/// What `coverage` calls silent is what `check` finds without a match.
#[test]
fn every_rule_without_a_match_has_a_cause() {
    let arguments = ["fixtures/rules", "--parquet", RUN, "--enable", "all", "--raw-fallback"];
    let checked: Value =
        serde_json::from_str(&done(&[&["check"], &arguments[..], &["--format", "json"]].concat())).unwrap();
    let silent: Vec<&str> = checked["rules"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|rule| rule["verdict"] == "no_match")
        .map(|rule| rule["path"].as_str().unwrap())
        .collect();
    let coverage =
        document("rule-coverage.schema.json", &[&["coverage"], &arguments[..], &["--attribute"]].concat());
    let told: Vec<&str> =
        coverage["unmatched"].as_array().unwrap().iter().map(|rule| rule["path"].as_str().unwrap()).collect();
    assert_eq!(told, silent);
    assert_eq!(coverage["totals"]["matched"], checked["totals"]["matched"]);
    assert_eq!(coverage["reasons"], checked["reasons"]);
}

#[test]
fn one_alias_away_is_told() {
    let coverage = document("rule-coverage.schema.json", &["coverage", "fixtures/rules"]);
    let fields = coverage["unmapped_fields"].as_array().unwrap();
    let answers = fields.iter().find(|field| field["field"] == "QueryResults").unwrap();
    assert_eq!((&answers["rules"], &answers["alone"]), (&Value::from(3), &Value::from(3)));
    assert!(done(&["coverage", "fixtures/rules"]).contains("one alias away"));
}
