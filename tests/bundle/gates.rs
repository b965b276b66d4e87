//! `--fail-on`, for `check` and for `run`; and the formats of `check` for CI.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{EVENTS, RULES, bundle, ended, place};

const SOUND: &str = "fixtures/rules/windows/process_creation/office_starts_shell.yml";
const UNMAPPED: &str = "fixtures/rules/refused/unmapped_field.yml";

#[test]
fn gates_end_check_and_run_with_exit_code_one_after_their_output() {
    let (_folder, out) = place();
    let target = out.to_str().unwrap();
    for command in [
        &["check", SOUND, UNMAPPED, "--parquet", EVENTS][..],
        &["run", SOUND, UNMAPPED, "--parquet", EVENTS, "--force", "--out", target],
    ] {
        for (gate, code, message) in [
            ("non-executable>0", 1, "gate failed: 1 rule not executable: "),
            ("non-executable>1", 0, ""),
            ("unmapped_field", 1, "gate failed: 1 rule unmapped_field: "),
            ("unsupported_regex", 0, ""),
            ("fallback", 0, ""),
            ("no-match", 0, ""),
        ] {
            let (printed, said) = ended(code, &[command, &["--fail-on", gate]].concat());
            assert!(!printed.is_empty() && said.contains(message), "{gate}: {said}");
        }
        let (_, said) =
            ended(1, &[command, &["--fail-on", "non-executable", "--fail-on", "unmapped_field"]].concat());
        assert_eq!(said.matches("gate failed").count(), 2, "{said}");
        assert!(ended(2, &[command, &["--fail-on", "telepathy"]].concat()).1.contains("conditions are: "));
    }
    assert!(out.join("bundle.json").exists(), "a gate fails after the bundle is written");
    let (_, said) = ended(2, &["check", SOUND, "--fail-on", "no-match"]);
    assert!(said.contains("needs events"), "{said}");
    let odd = "fixtures/rules/refused/odd_metadata.yml";
    let (_, said) = ended(1, &["check", odd, "--parquet", EVENTS, "--fail-on", "no-match"]);
    assert!(said.contains("without a match"), "{said}");
}

/// CI holds a line: what was refused may stay so; what was not may not become so.
#[test]
fn new_since_fails_for_what_has_become_worse() {
    let (folder, out) = place();
    let rules = folder.path().join("rules");
    fs::create_dir(&rules).unwrap();
    fs::copy(SOUND, rules.join("sound.yml")).unwrap();
    fs::copy(UNMAPPED, rules.join("unmapped.yml")).unwrap();
    let path = rules.to_str().unwrap();
    ended(0, &["run", path, "--parquet", EVENTS, "--out", out.to_str().unwrap()]);
    let gate = format!("new-since {}", out.display());
    let check = |code| ended(code, &["check", path, "--fail-on", &gate]).1;
    check(0);
    let text = fs::read_to_string(SOUND).unwrap();
    fs::write(rules.join("sound.yml"), text.replace("ParentImage|endswith", "Nonsense|endswith")).unwrap();
    assert!(check(1).contains("1 rule newly not executable"));
    fs::write(rules.join("sound.yml"), &text).unwrap();
    check(0);
    fs::write(rules.join("new.yml"), "title: New\nid: 3f0c\ndetection: [").unwrap();
    assert!(check(1).contains("newly not executable"));
    // The bundle that a run replaces is the one that it is compared with.
    let again =
        ["run", path, "--parquet", EVENTS, "--force", "--out", out.to_str().unwrap(), "--fail-on", &gate];
    assert!(ended(1, &again).1.contains("newly not executable"));
    ended(0, &again);
    let (_, said) = ended(3, &["check", path, "--fail-on", "new-since nowhere"]);
    assert!(said.contains("nowhere/bundle.json"), "{said}");
}

#[test]
fn sarif_points_at_every_finding() {
    let (printed, _) = ended(0, &["check", RULES, "--format", "sarif"]);
    let document: Value = serde_json::from_str(&printed).unwrap();
    let (report, _) = ended(0, &["check", RULES, "--format", "json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(document["version"], "2.1.0");
    let run = &document["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let results = run["results"].as_array().unwrap();
    let findings: Vec<&Value> = report["rules"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|rule| rule["diagnostics"].as_array().unwrap())
        .collect();
    assert_eq!(results.len(), findings.len());
    for (result, finding) in results.iter().zip(findings) {
        assert_eq!(result["ruleId"], finding["code"]);
        assert_eq!(rules[result["ruleIndex"].as_u64().unwrap() as usize]["id"], finding["code"]);
        assert_eq!(result["level"], finding["severity"]);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], finding["path"]);
        assert_eq!(place["region"]["startLine"], finding["line"]);
        assert_eq!(place["region"]["startColumn"], finding["column"]);
        assert!(
            result["message"]["text"].as_str().unwrap().starts_with(finding["message"].as_str().unwrap())
        );
    }
    insta::assert_snapshot!("sarif", ended(0, &["check", SOUND, UNMAPPED, "--format", "sarif"]).0);
}

#[test]
fn github_is_told_of_findings_line_by_line() {
    insta::assert_snapshot!("github", ended(0, &["check", SOUND, UNMAPPED, "--format", "github"]).0);
    let folder = tempfile::tempdir().unwrap();
    let hostile = folder.path().join("a,b:c%d.yml");
    fs::write(&hostile, "title: x\n\"a\\n::error::injected\": [\n").unwrap();
    let (printed, _) = ended(0, &["check", folder.path().to_str().unwrap(), "--format", "github"]);
    assert!(
        printed.lines().all(|line| line.starts_with("::error file=") || line.starts_with("::warning file="))
    );
    assert!(printed.contains("a%2Cb%3Ac%25d.yml,line="), "{printed}");
}

/// A finding's file is told as it was named, so that a bundle's name for a rule does not depend on the folder.
#[test]
fn gates_know_rules_by_the_names_of_their_plans() {
    let (folder, out) = place();
    bundle(&out, &[]);
    let gate = format!("new-since={}", out.display());
    ended(0, &["check", RULES, "--fail-on", &gate]);
    let absolute = Path::new(env!("CARGO_MANIFEST_DIR")).join(RULES);
    ended(0, &["check", absolute.to_str().unwrap(), "--fail-on", &gate]);
    drop(folder);
}
