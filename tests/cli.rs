//! The real binary: what it prints, what it leaves behind as exit code, and the documents that scripts rely on.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const RUN: &str = "fixtures/run/normalized";

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigma-ocsf-tui"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).env_remove("COLUMNS");
    command
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What it printed, where it did what it was asked.
fn done(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
    assert!(output.stderr.is_empty(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// What it said, where it refused with `code`.
fn refused(code: i32, arguments: &[&str]) -> String {
    let output = run(arguments);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(output.stdout.is_empty(), "{arguments:?}: {}", text(&output.stdout));
    said
}

fn empty_folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn write_parquet(file: &Path, select: &str) {
    let target = file.to_str().unwrap().replace('\'', "''");
    let connection = duckdb::Connection::open_in_memory().unwrap();
    connection.execute_batch(&format!("COPY ({select}) TO '{target}' (FORMAT parquet)")).unwrap();
}

#[test]
fn check_says_what_became_of_each_rule() {
    insta::assert_snapshot!("check", done(&["check", "fixtures/rules", "--parquet", RUN]));
}

#[test]
fn check_without_events_compiles_only() {
    insta::assert_snapshot!("check_compile_only", done(&["check", "fixtures/rules/windows/logon"]));
}

#[test]
fn a_rule_that_was_not_run_is_not_said_to_match_nothing() {
    let rule = "fixtures/rules/refused/odd_metadata.yml";
    assert!(done(&["check", rule]).starts_with("○ not run  Status of No List"));
    assert!(done(&["check", rule, "--parquet", RUN]).starts_with("○ no match  Status of No List"));
}

#[test]
fn check_lists_event_ids_on_demand() {
    let logon = "fixtures/rules/windows/logon";
    insta::assert_snapshot!("check_event_ids", done(&["check", logon, "--parquet", RUN, "--event-ids"]));
}

/// The document of `check … --format json`, held to its schema.
fn document(arguments: &[&str]) -> Value {
    let all = [&["check"], arguments, &["--format", "json"]].concat();
    let printed = done(&all);
    assert_eq!(printed, done(&all), "{arguments:?}: two runs print the same bytes");
    held_to_schema(&printed)
}

fn held_to_schema(printed: &str) -> Value {
    let document: Value = serde_json::from_str(printed).unwrap();
    let schema = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/check.schema.json"));
    let schema = serde_json::from_str(&schema.unwrap()).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> =
        validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_sums(&document);
    document
}

/// The totals and the reasons are what the rules add up to.
fn assert_sums(document: &Value) {
    let rules = document["rules"].as_array().unwrap();
    let of = |holds: &dyn Fn(&Value) -> bool| rules.iter().filter(|rule| holds(rule)).count() as u64;
    let total = |name: &str| document["totals"][name].as_u64().unwrap();
    assert_eq!(total("rules"), rules.len() as u64);
    assert_eq!(total("executable"), of(&|rule| rule["executable"] == true));
    assert_eq!(total("non_executable"), of(&|rule| rule["verdict"] == "non_executable"));
    assert_eq!(total("fallback_used"), of(&|rule| rule["fallback_used"] == true));
    assert_eq!(total("matched"), of(&|rule| rule["verdict"] == "matched"));
    assert_eq!(
        total("match_events"),
        rules.iter().map(|rule| rule["matches"].as_u64().unwrap()).sum::<u64>()
    );
    let reasons = document["reasons"].as_object().unwrap();
    for (reason, count) in reasons {
        assert_eq!(count.as_u64().unwrap(), of(&|rule| rule["reason_code"] == reason.as_str()), "{reason}");
    }
    assert_eq!(reasons.values().map(|n| n.as_u64().unwrap()).sum::<u64>(), total("non_executable"));
    for rule in rules {
        let refusing =
            |found: &Value| found["severity"] == "error" && found["reason_code"] == rule["reason_code"];
        let explained = rule["diagnostics"].as_array().unwrap().iter().any(refusing);
        assert_eq!(explained, rule["executable"] == false, "{}", rule["path"]);
    }
}

#[test]
fn the_document_keeps_its_schema_whatever_is_asked() {
    let rules = "fixtures/rules";
    let compiled = document(&[rules]);
    assert!(compiled["rules"].as_array().unwrap().iter().all(|rule| rule["verdict"] != "matched"));
    let ran = document(&[rules, "--parquet", RUN]);
    assert!(ran["rules"].as_array().unwrap().iter().all(|rule| rule["verdict"] != "not_run"));
    let everything = ["--parquet", RUN, "--event-ids", "--raw-fallback", "--enable", "all", "--threads", "2"];
    let all = document(&[&[rules], &everything[..]].concat());
    assert!(all["totals"]["fallback_used"].as_u64() > Some(0));
    assert_eq!(all["settings"]["threads"], 2);
    for rule in all["rules"].as_array().unwrap() {
        let (ids, matches) =
            (rule["event_ids"].as_array().unwrap().len() as u64, rule["matches"].as_u64().unwrap());
        // A match of a correlation, which has no classes of its own, is a window of several events.
        let of_events = !rule["class_uids"].as_array().unwrap().is_empty();
        assert!(if of_events { ids == matches } else { (ids == 0) == (matches == 0) }, "{rule}");
    }
    let nested = document(&[rules, "--parquet", "fixtures/run-nested/normalized", "--event-ids"]);
    let dotted = document(&[rules, "--parquet", RUN, "--event-ids"]);
    assert_eq!(nested, dotted, "the layout of the events makes no difference");
}

#[test]
fn the_document_keeps_its_schema_without_rules_and_with_broken_ones() {
    let folder = empty_folder();
    let path = folder.path().to_str().unwrap();
    assert_eq!(document(&[path])["totals"]["rules"], 0);
    fs::write(folder.path().join("empty.yml"), "").unwrap();
    fs::write(folder.path().join("cut.yml"), "title: Cut\ndetection: [").unwrap();
    fs::write(folder.path().join("latin.yml"), b"title: Stra\xdfe\n").unwrap();
    fs::write(folder.path().join("list.yml"), "- a\n- b\n").unwrap();
    fs::write(folder.path().join("two.yml"), "title: One\n---\ntitle: Two\n").unwrap();
    let missing = folder.path().join("missing.yml").display().to_string();
    let document = document(&[path, &missing]);
    assert_eq!(document["totals"]["executable"], 0);
    assert_eq!(document["reasons"]["backend_compile_error"], document["totals"]["rules"]);
    let verdicts = document["rules"].as_array().unwrap();
    for file in ["empty.yml", "cut.yml", "latin.yml", "list.yml", "two.yml", "missing.yml"] {
        let of_file = verdicts.iter().filter(|rule| rule["path"].as_str().unwrap().ends_with(file)).count();
        assert_eq!(of_file, if file == "two.yml" { 2 } else { 1 }, "{file}");
    }
}

#[test]
fn events_that_cannot_be_compared_are_an_error_and_not_no_match() {
    let folder = empty_folder();
    let select = "SELECT 1007 AS class_uid, 5::BIGINT AS \"time\", 7 AS \"process.file.path\"";
    write_parquet(&folder.path().join("events.parquet"), select);
    let rule = "fixtures/rules/refused/duplicate_id_first.yml";
    let document = document(&[rule, "--parquet", folder.path().to_str().unwrap()]);
    assert_eq!(document["rules"][0]["verdict"], "non_executable");
    assert_eq!(document["rules"][0]["reason_code"], "backend_eval_error");
}

const TWO_RULES: [&str; 2] = [
    "fixtures/rules/windows/process_creation/office_starts_shell.yml",
    "fixtures/rules/refused/unmapped_field.yml",
];

fn is_filter(rule: &Value) -> bool {
    let text = std::fs::read_to_string(rule["path"].as_str().unwrap()).unwrap();
    text.lines().any(|line| line == "filter:")
}

#[test]
fn sql_prints_rules_as_one_script() {
    insta::assert_snapshot!("sql", done(&["sql", TWO_RULES[0], TWO_RULES[1]]));
    insta::assert_snapshot!("sql_json", done(&["sql", TWO_RULES[0], TWO_RULES[1], "--format", "json"]));
    let script = done(&["sql", "fixtures/rules", "--raw-fallback", "--enable", "all"]);
    let dialect = sqlparser::dialect::DuckDbDialect {};
    let statements = sqlparser::parser::Parser::parse_sql(&dialect, &script).unwrap();
    let listed = done(&["sql", "fixtures/rules", "--raw-fallback", "--enable", "all", "--format", "json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let listed = listed.as_array().unwrap();
    let with_sql = listed.iter().filter(|rule| rule["sql"].is_string()).count();
    assert_eq!(statements.len(), with_sql);
    // A sound filter is in force within the rules that it narrows, and has no statement of its own.
    let without = listed.iter().filter(|rule| rule["executable"] == true && rule["sql"].is_null());
    assert!(without.clone().count() > 0 && without.clone().all(is_filter));
    assert!(listed.iter().all(|rule| rule["executable"] == true || rule["sql"].is_null()));
}

#[test]
fn reason_explains_a_code_a_reason_and_lists_all() {
    insta::assert_snapshot!("reason", done(&["reason", "raw_wildcard"]));
    let group = done(&["reason", "unsupported_value_type"]);
    for code in ["type_clash: ", "raw_wildcard: ", "unlisted_value: ", "bad_value: "] {
        assert!(group.contains(code), "{code}: {group}");
    }
    let all = done(&["reason"]);
    assert!(all.contains("pack_unknown_path") && all.contains("column_type") && all.contains("parse_error"));
    let listed: Value = serde_json::from_str(&done(&["reason", "--format", "json"])).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), all.lines().count());
    let said = refused(2, &["reason", "raw_wildcart"]);
    assert!(said.contains("did you mean `raw_wildcard`?"), "{said}");
}

#[test]
fn help_fits_a_terminal() {
    insta::assert_snapshot!("help", done(&["--help"]));
    for command in ["check", "sql", "reason", "completions"] {
        assert!(done(&[command, "--help"]).contains("Usage:"), "{command}");
    }
    assert_eq!(done(&["--version"]), format!("sigma-ocsf-tui {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let script = done(&["completions", shell]);
        for word in ["check", "raw-fallback", "event-ids"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn keys_are_printed_as_the_file_that_changes_them() {
    let folder = empty_folder();
    let file = folder.path().join("keys.yaml");
    let keys = |arguments: &[&str]| {
        program().arg("keys").args(arguments).env("SIGMA_OCSF_CONFIG_DIR", folder.path()).output().unwrap()
    };
    let shipped = text(&keys(&[]).stdout);
    assert!(
        shipped.contains("\ndown: [\"j\", \"↓\"]") && shipped.contains(file.to_str().unwrap()),
        "{shipped}"
    );
    fs::write(&file, &shipped).unwrap();
    assert_eq!(keys(&[]), keys(&["--defaults"]), "its own file changes nothing");
    fs::write(&file, "down: F7\nnowhere: x\n").unwrap();
    let output = keys(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stdout).contains("\ndown: [\"F7\"]"));
    assert!(text(&output.stderr).contains("keys.yaml:2:1: no command is called 'nowhere'"));
    assert_eq!(text(&keys(&["--defaults"]).stdout), shipped);
}

#[test]
fn usage_and_configuration_are_exit_code_two() {
    let rule = TWO_RULES[0];
    let said = refused(2, &["check", rule, "--enable", "telepathy"]);
    assert!(said.contains("capabilities are: all, "), "{said}");
    let said = refused(2, &["check", rule, "--pack", "nowhere"]);
    assert!(said.contains("pack_not_found") && said.contains("known packs: antivirus, "), "{said}");
    let said = refused(2, &["check", rule, "--pack", "fixtures/packs/broken/pack_unknown_path"]);
    let place = "fixtures/packs/broken/pack_unknown_path/aliases/process.yaml:2:18: pack_unknown_path";
    assert!(said.contains(place) && said.contains("did you mean `process.cmd_line`?"), "{said}");
    for command in ["check", "sql"] {
        let said = refused(2, &[command]);
        assert!(said.contains("no rules given"), "{said}");
    }
    refused(2, &["check", rule, "--threads", "0"]);
    refused(2, &["check", rule, "--format", "xml"]);
    refused(2, &["completions", "tcl"]);
}

#[test]
fn data_is_exit_code_three() {
    let rule = TWO_RULES[0];
    let said = refused(3, &["check", rule, "--parquet", "nowhere"]);
    assert!(said.contains("no dataset at 'nowhere'"), "{said}");
    let folder = empty_folder();
    let path = folder.path().to_str().unwrap();
    assert!(refused(3, &["check", rule, "--parquet", path]).contains("no file at all"));
    write_parquet(&folder.path().join("a.parquet"), "SELECT 1 AS a, 5::BIGINT AS \"time\"");
    let said = refused(3, &["check", rule, "--parquet", path]);
    assert!(said.contains("no usable 'class_uid'"), "{said}");
}

#[test]
fn the_screen_needs_a_terminal_and_says_what_does_not() {
    let said = refused(2, &["fixtures/rules", "--parquet", RUN]);
    assert!(said.contains("needs a terminal") && said.contains("`sigma-ocsf-tui check`"), "{said}");
}

/// As `| head -1` does: reads a line's worth and closes.
#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    for arguments in [
        &["check", "fixtures/rules", "--format", "json"][..],
        &["check", "fixtures/rules"],
        &["sql", "fixtures/rules"],
        &["reason", "--format", "json"],
        &["completions", "bash"],
        &["keys", "--defaults"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let closed = program().args(arguments).stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(closed.status.code(), Some(0), "{arguments:?}");
        assert_eq!(text(&closed.stderr), "", "{arguments:?}");
    }
    let mut child = program().args(["sql", "fixtures/rules"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = [0_u8; 16];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_binary_needs_nothing_beside_it() {
    let folder = empty_folder();
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(TWO_RULES[0]), folder.path().join("rule.yml"))
        .unwrap();
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join(RUN);
    let output = program()
        .current_dir(folder.path())
        .args(["check", "rule.yml", "--parquet", events.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("● 1 matched"), "{}", text(&output.stdout));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "and it leaves nothing there");
}

#[test]
fn the_document_says_what_the_files_of_the_events_are_like() {
    let folder = tempfile::tempdir().unwrap();
    for (name, more) in [("a", "5 AS pid, 'x' AS c"), ("b", "'five' AS pid")] {
        let event = format!("SELECT 1007 AS class_uid, 5::BIGINT AS \"time\", {more}");
        write_parquet(&folder.path().join(format!("{name}.parquet")), &event);
    }
    let events = folder.path().to_str().unwrap();
    let rules = "fixtures/rules/windows/logon";
    let output = run(&["check", rules, "--parquet", events, "--format", "json"]);
    let said = text(&output.stderr);
    assert!(said.contains("column 'pid' differs") && said.contains("column 'c' is absent"), "{said}");
    let dataset = held_to_schema(&text(&output.stdout))["dataset"].clone();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (a, b) = (file("a.parquet"), file("b.parquet"));
    let expected = serde_json::json!({
        "drift": [
            {"column": "c", "stored_as": [{"type": "VARCHAR", "file": a}], "absent_from": [b], "compatible": true},
            {
                "column": "pid",
                "stored_as": [{"type": "INTEGER", "file": a}, {"type": "VARCHAR", "file": b}],
                "absent_from": [],
                "compatible": false
            },
        ],
        "left_out": [],
    });
    assert_eq!(dataset, expected);
    assert_eq!(document(&[rules])["dataset"], Value::Null);
    let whole = document(&[rules, "--parquet", RUN])["dataset"].clone();
    assert_eq!(whole, serde_json::json!({"drift": [], "left_out": []}));
}
