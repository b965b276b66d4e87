//! Every executable rule of the corpus over a recorded run: one that matches nothing has a cause.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

/// The corpus, where it is. Says so where it is not, since the test then checks nothing.
fn corpus() -> Option<PathBuf> {
    let folder = match std::env::var_os("SIGMA_OCSF_CORPUS") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus")),
    };
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no corpus at {}", folder.display());
    None
}

#[test]
fn every_corpus_rule_without_a_match_has_a_cause() {
    let Some(corpus) = corpus() else { return };
    let output = Command::new(env!("CARGO_BIN_EXE_sigma-ocsf-tui"))
        .args(["coverage", "--attribute", "--format", "json", "--parquet"])
        .args([corpus.join("runs/regression"), corpus.join("rules")])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let coverage: Value = serde_json::from_slice(&output.stdout).unwrap();
    let number = |value: &Value| value.as_u64().unwrap();
    let (executable, matched) =
        (number(&coverage["totals"]["executable"]), number(&coverage["totals"]["matched"]));
    let unmatched = coverage["unmatched"].as_array().unwrap();
    println!("{executable} executable, {matched} matched, causes {}", coverage["causes"]);
    assert!(executable > 2_000, "{executable}");
    assert_eq!(unmatched.len() as u64, executable - matched);
    for rule in unmatched {
        let finding = &rule["finding"];
        let holds = match finding["cause"].as_str().unwrap() {
            "missing_telemetry" => number(&finding["scope_events"]) == 0,
            "normalization_gap" => {
                number(&finding["scope_events"]) > 0
                    && finding["empty_fields"].as_array().unwrap().iter().any(|field| field["needed"] == true)
            }
            "rule_logic" => number(&finding["scope_events"]) > 0 && finding["stopped_at"].is_object(),
            _ => false,
        };
        assert!(holds, "{rule}");
    }
}
