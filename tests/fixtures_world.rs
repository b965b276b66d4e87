//! The fixtures agree with each other: rules, events and what is expected of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_yaml::Value;
use sigma_ocsf_tui::bridge::ReasonCode;
use walkdir::WalkDir;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    runs: Vec<Run>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    name: String,
    pack: String,
    raw_fallback: bool,
    complete: bool,
    rules: BTreeMap<String, Verdict>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Verdict {
    Matches(Vec<u32>),
    Refused(ReasonCode),
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = fixtures().join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn expected() -> Expected {
    serde_yaml::from_str(&read("expected.yaml")).expect("expected.yaml has the form that it describes")
}

/// The rule files, by path below fixtures/rules.
fn rules() -> BTreeMap<String, String> {
    let folder = fixtures().join("rules");
    let files = WalkDir::new(&folder).into_iter().map(|entry| entry.expect("it can be read").into_path());
    let rules = files.filter(|path| path.extension().is_some_and(|e| e == "yml"));
    rules
        .map(|path| {
            let inside = path.strip_prefix(&folder).expect("it lies in the folder");
            (inside.to_string_lossy().replace('\\', "/"), read(&path))
        })
        .collect()
}

/// The rules that are YAML at all.
fn readable_rules() -> BTreeMap<String, Value> {
    rules()
        .into_iter()
        .filter(|(path, _)| path != "refused/parse_error.yml")
        .map(|(path, text)| {
            let rule = serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{path}: {e}"));
            (path, rule)
        })
        .collect()
}

fn event_ids() -> Vec<u64> {
    let events: Vec<Value> = serde_yaml::from_str(&read("events.yaml")).expect("events.yaml is a list");
    events.iter().map(|event| event["id"].as_u64().expect("an event has a number")).collect()
}

#[test]
fn a_complete_run_names_every_rule() {
    let rules: BTreeSet<String> = rules().into_keys().collect();
    let complete: Vec<Run> = expected().runs.into_iter().filter(|run| run.complete).collect();
    assert_eq!(complete.len(), 1);
    for run in complete {
        let named: BTreeSet<String> = run.rules.into_keys().collect();
        assert_eq!(named, rules, "{}", run.name);
    }
}

#[test]
fn what_is_expected_exists() {
    let ids: BTreeSet<u64> = event_ids().into_iter().collect();
    let rules = rules();
    for run in expected().runs {
        assert!(!run.raw_fallback || !run.complete, "{}: fallback is not what is shipped", run.name);
        let pack = run.pack.strip_prefix("fixtures/");
        assert!(pack.is_none_or(|folder| fixtures().join(folder).is_dir()), "{}: {}", run.name, run.pack);
        for (path, verdict) in &run.rules {
            assert!(rules.contains_key(path), "{}: there is no rule {path}", run.name);
            if let Verdict::Matches(events) = verdict {
                assert!(
                    events.iter().all(|id| ids.contains(&u64::from(*id))),
                    "{path} matches what is not there"
                );
            }
        }
    }
}

#[test]
fn events_have_numbers_of_their_own() {
    let ids = event_ids();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}

#[test]
fn every_reason_that_a_rule_can_have_before_it_runs_is_shown() {
    let shown: BTreeSet<ReasonCode> = expected()
        .runs
        .into_iter()
        .flat_map(|run| run.rules.into_values())
        .filter_map(|verdict| match verdict {
            Verdict::Refused(reason) => Some(reason),
            Verdict::Matches(_) => None,
        })
        .collect();
    let all = ReasonCode::ALL.into_iter().filter(|reason| *reason != ReasonCode::BackendEvalError);
    assert_eq!(shown, all.collect());
}

#[test]
fn rules_are_complete_and_only_the_duplicates_share_an_id() {
    let mut by_id: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, rule) in readable_rules() {
        for key in ["title", "status", "description", "author", "date", "tags", "falsepositives", "level"] {
            assert!(!rule[key].is_null(), "{path} has no {key}");
        }
        let id = rule["id"].as_str().unwrap_or_else(|| panic!("{path} has no id"));
        by_id.entry(id.to_owned()).or_default().push(path);
    }
    by_id.retain(|_, paths| paths.len() > 1);
    let shared: Vec<_> = by_id.into_values().collect();
    assert_eq!(shared, [["refused/duplicate_id_first.yml", "refused/duplicate_id_second.yml"]]);
}
