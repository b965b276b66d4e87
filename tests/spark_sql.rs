//! Rules as Spark SQL: what each fixture compiles to, what is refused, and the job that they are written as. Whether Spark
//! reads it so is `./x spark`'s to say.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::Value;
use sigma_ocsf_tui::backend::{self, BackendId, CompiledRule};
use sigma_ocsf_tui::bridge::Settings;
use sigma_ocsf_tui::pack::{self, PackSource};
use sigma_ocsf_tui::sigma::{self, Rule};

mod support;

use support::vectors;

fn spark() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/spark")
}

fn compiled(backend: BackendId) -> Vec<CompiledRule> {
    let rules: Vec<Arc<Rule>> = sigma::load(&[spark().join("rules")]).into_iter().map(Arc::new).collect();
    let pack = pack::load(&PackSource::Folder(spark().join("pack"))).unwrap().pack;
    backend::compile_for(backend, &rules, &pack, &Settings::default())
}

fn file_stem(rule: &CompiledRule) -> String {
    rule.compilation.rule.path.file_stem().unwrap().to_string_lossy().into_owned()
}

#[test]
fn rules_compile_to() {
    for rule in compiled(BackendId::SparkSql) {
        let findings = rule.compilation.diagnostics.iter();
        let findings = findings.map(|found| format!("{}: {}", found.code.name, found.message));
        let text = rule.sql.as_ref().map(|sql| sql.text.clone()).into_iter().chain(findings);
        insta::with_settings!({ snapshot_path => "snapshots/spark_sql", prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(file_stem(&rule), text.collect::<Vec<_>>().join("\n"));
        });
    }
}

#[test]
fn what_spark_refuses_runs_elsewhere() {
    let executable = |backend| -> BTreeSet<String> {
        let rules = compiled(backend);
        rules.iter().filter(|rule| rule.compilation.is_executable()).map(file_stem).collect()
    };
    let (spark, duckdb) = (executable(BackendId::SparkSql), executable(BackendId::DuckdbSql));
    assert_eq!(duckdb.len(), 9);
    let refused: Vec<&String> = duckdb.difference(&spark).collect();
    assert_eq!(refused, ["refused_correlation", "refused_fraction", "refused_regex", "refused_split"]);
}

#[test]
fn every_line_knows_where_it_comes_from() {
    for rule in compiled(BackendId::SparkSql) {
        if let Some(sql) = &rule.sql {
            assert_eq!(sql.text.lines().count(), sql.lines.len());
        }
    }
}

/// The vectors that Spark is tried with hold for the other backends too.
#[test]
fn vectors_hold_without_spark() {
    let all = vectors::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spark/vectors.jsonl"));
    let failures = vectors::failures(&all);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

fn tool(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigma-ocsf-tui"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).args(arguments);
    let output =
        command.env_remove("SPARK_HOME").env("PATH", "").env("PYSPARK_PYTHON", "/nowhere").output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_job_names_all_that_it_runs() {
    let scene = tempfile::tempdir().unwrap();
    let out = scene.path().join("job");
    let folder = out.to_str().unwrap();
    let arguments =
        ["export", "fixtures/spark/rules", "--pack", "fixtures/spark/pack", "--out", folder, "--backend"];
    assert_eq!(tool(&[&arguments[..], &["spark_sql"]].concat()), (Some(0), String::new()));
    let job: Value = serde_json::from_slice(&fs::read(out.join("job.json")).unwrap()).unwrap();
    let schema = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/job.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_slice(&schema).unwrap()).unwrap();
    let faults: Vec<String> = schema.iter_errors(&job).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    let mut both = job.clone();
    both["rules"][0]["statement"] = Value::from("SELECT 1");
    both["rules"][0]["condition"] = Value::from("true");
    assert!(!schema.is_valid(&both), "a rule is a condition or a statement");
    let rules = job["rules"].as_array().unwrap();
    assert_eq!((rules.len(), job["refused"].as_array().unwrap().len()), (5, 4));
    for rule in rules {
        let sql = fs::read_to_string(out.join(rule["sql"].as_str().unwrap())).unwrap();
        let begins = match rule["statement"].is_string() {
            true => "WITH\nrule_1 AS (",
            false => "SELECT `metadata.event_id`, `time`\nFROM ocsf_events\nWHERE ",
        };
        assert!(sql.starts_with(begins), "{sql}");
        for derived in rule["derived"].as_array().unwrap() {
            assert!(job["derived"][derived.as_str().unwrap()].is_string(), "{derived}");
        }
    }
    let scopes: usize =
        job["scans"].as_array().unwrap().iter().map(|scan| scan["scopes"].as_array().unwrap().len()).sum();
    assert_eq!(scopes, 2);
    // A job is not written over.
    let (code, said) = tool(&[&arguments[..], &["spark_sql"]].concat());
    assert_eq!(code, Some(2), "{said}");
    assert_eq!(fs::read_dir(scene.path()).unwrap().count(), 1, "nothing else is left behind");
    let (code, said) = tool(&[&arguments[..], &["duckdb_sql"]].concat());
    assert!(code == Some(2) && said.contains("jobs are for `spark_sql`"), "{said}");
}

#[test]
fn without_spark_the_run_says_what_would_help() {
    let scene = tempfile::tempdir().unwrap();
    let out = scene.path().join("bundle");
    let arguments =
        ["run", "fixtures/rules/windows", "--parquet", "fixtures/run", "--backend", "spark_sql", "--out"];
    let (code, said) = tool(&[&arguments[..], &[out.to_str().unwrap()]].concat());
    assert!(code == Some(2) && said.contains("set SPARK_HOME"), "{said}");
    assert!(!out.exists());
}
