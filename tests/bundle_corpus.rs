//! The bundle of public rules over recorded attacks: it keeps its schemas, and all of it holds.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// A seventh of the corpus, of every kind that it has; debug builds take a minute for all of it.
const RULES: [&str; 3] = ["rules-emerging-threats", "rules-compliance", "rules-placeholder"];

fn done(arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigma-ocsf-tui"));
    let output = command.args(arguments).stdin(Stdio::null()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn schema(name: &str) -> jsonschema::Validator {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schemas/{name}.schema.json"));
    let schema: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn the_bundle_of_the_corpus_keeps_its_schemas_and_holds() {
    let Some(corpus) = support::corpus() else { return };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("7").display().to_string();
    let rules = RULES.map(|rules| corpus.join("rules").join(rules).display().to_string());
    let events = corpus.join("runs/regression").display().to_string();
    let mut arguments = vec!["run", "--parquet", &events, "--out", &out, "--enable", "all", "--raw-fallback"];
    arguments.extend(rules.iter().map(String::as_str));
    done(&arguments);
    let plan = schema("bridge_compiled_plan");
    let mut executable = 0;
    for file in fs::read_dir(Path::new(&out).join("bridge/compiled_plans")).unwrap() {
        let file = file.unwrap().path();
        let document: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let errors: Vec<String> = plan.iter_errors(&document).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", file.display());
        executable += usize::from(document["executable"] == true);
    }
    assert!(executable > 100, "{executable}");
    let coverage = schema("bridge_coverage");
    let document = fs::read(Path::new(&out).join("bridge/coverage.json")).unwrap();
    assert!(coverage.is_valid(&serde_json::from_slice(&document).unwrap()));
    assert!(done(&["verify", &out, "--parquet", &events]).starts_with("everything holds"));
}
