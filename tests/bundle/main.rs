//! Run bundles by the real binary: what they hold, that they are the same twice, whole or not there, and verified.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod backend;
mod config;
mod contents;
mod gates;
mod left_out;
mod range;
mod repeat;
mod verify;
mod whole;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const RULES: &str = "fixtures/rules";
const EVENTS: &str = "fixtures/run/normalized";

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

/// What it printed, and its exit code, which is `code`.
fn ended(code: i32, arguments: &[&str]) -> (String, String) {
    let output = run(arguments);
    let (said, wrong) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}{wrong}");
    (said, wrong)
}

/// Writes the bundle of the fixtures to `out`.
fn bundle(out: &Path, more: &[&str]) {
    let fixed = ["run", RULES, "--parquet", EVENTS, "--out", out.to_str().unwrap()];
    ended(0, &[&fixed, more].concat());
}

const EVERYTHING: [&str; 3] = ["--enable", "all", "--raw-fallback"];

/// Every file below a folder, by its path there.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path);
    files
        .map(|path| {
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
            (name, fs::read(path).unwrap())
        })
        .collect()
}

/// Two bundles are the same; else the files that differ are named.
fn assert_same(one: &BTreeMap<String, Vec<u8>>, other: &BTreeMap<String, Vec<u8>>) {
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    let differing: Vec<&String> = one.keys().filter(|name| one[*name] != other[*name]).collect();
    assert!(differing.is_empty(), "these files differ: {differing:#?}");
}

fn json(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The plans of a bundle by name.
fn plans(bundle: &Path) -> BTreeMap<String, Value> {
    let plan = |(file, bytes): (String, Vec<u8>)| {
        let name = file.strip_suffix(".plan.json").unwrap().to_owned();
        (name, serde_json::from_slice(&bytes).unwrap())
    };
    files(&bundle.join("bridge/compiled_plans")).into_iter().map(plan).collect()
}

fn detections(bundle: &Path) -> Vec<Value> {
    let text = fs::read_to_string(bundle.join("detections/detections.jsonl")).unwrap();
    assert!(!text.contains('\r') && (text.is_empty() || text.ends_with('\n')));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn validator(schema: &str) -> jsonschema::Validator {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let schema = json(folder.join(format!("{schema}.schema.json")));
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

fn assert_valid(validator: &jsonschema::Validator, document: &Value, name: &str) {
    let errors: Vec<_> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{name}: {errors:#?}");
}

/// Every file of a bundle keeps its schema, and there is no other file.
fn assert_schemas(bundle: &Path) {
    let known = [
        ("bundle.json", "bundle"),
        ("bridge/router_table.json", "bridge_router_table"),
        ("bridge/mapping_pack_snapshot.json", "bridge_mapping_pack"),
        ("bridge/coverage.json", "bridge_coverage"),
    ];
    for (file, schema) in known {
        assert_valid(&validator(schema), &json(bundle.join(file)), file);
    }
    let (plan, detection) = (validator("bridge_compiled_plan"), validator("detection"));
    plans(bundle).iter().for_each(|(name, document)| assert_valid(&plan, document, name));
    detections(bundle).iter().for_each(|line| assert_valid(&detection, line, "detection"));
    let mut others: Vec<String> = files(bundle).into_keys().collect();
    others
        .retain(|file| !file.starts_with("bridge/compiled_plans/") && !known.iter().any(|(k, _)| k == file));
    assert_eq!(others, ["detections/detections.jsonl"]);
}

/// A temporary folder, and a path in it where nothing is yet.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("runs/7");
    (folder, out)
}
