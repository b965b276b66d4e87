//! The determinism harness: every fixture rule over the fixture events, in both layouts and with one thread and with
//! four. Hashes of plans and of results are compared with those kept in `fixtures/conformance.json`.
//!
//! `./x conformance` runs it; `./x conformance --write` keeps what it finds.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sigma_ocsf_tui::backend::{self, BackendId};
use sigma_ocsf_tui::bridge::Settings;
use sigma_ocsf_tui::bundle::{self, FailMode, RuleRoots, RunInputs, RunSettings};
use sigma_ocsf_tui::pack::{self, DEFAULT_PACK, PackSource};
use sigma_ocsf_tui::sigma::{self, Capability, Rule};
use sigma_ocsf_tui::store::{DUCKDB_VERSION, Dataset, SessionSettings, Store};

const KEPT: &str = "fixtures/conformance.json";
const RULES: &str = "fixtures/rules";
const RUNS: [&str; 2] = ["fixtures/run", "fixtures/run-nested"];
const THREADS: [u32; 2] = [1, 4];

/// The document that is kept.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Conformance {
    duckdb_version: String,
    /// By path of the rule, and its place in the file where that has several.
    rules: BTreeMap<String, Hashes>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Hashes {
    /// Over the canonical JSON of the plan's `compilation`: scope, fields, SQL and the middle form.
    plan_sha256: String,
    /// Over the canonical JSON of `[[first seen, last seen, event ids, group], …]`.
    result_sha256: String,
    detections: usize,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut found: Option<Conformance> = None;
    for (run, threads) in RUNS.iter().flat_map(|run| THREADS.map(|threads| (*run, threads))) {
        let these = conformance(Path::new(run), threads)?;
        match &found {
            None => found = Some(these),
            Some(first) => {
                if report(&format!("{run} with {threads} threads, against the first run"), first, &these) > 0
                {
                    return Ok(ExitCode::FAILURE);
                }
            }
        }
    }
    let found = found.ok_or("there are no runs")?;
    if std::env::args().any(|argument| argument == "--write") {
        fs::write(KEPT, serde_json::to_string_pretty(&found)? + "\n")?;
        println!("kept {} rules in {KEPT}", found.rules.len());
        return Ok(ExitCode::SUCCESS);
    }
    let kept: Conformance = serde_json::from_slice(&fs::read(KEPT)?)?;
    let differing = report(KEPT, &kept, &found);
    println!("{} rules, {} runs, {differing} differences", found.rules.len(), RUNS.len() * THREADS.len());
    Ok(if differing == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Says what differs, and how much.
fn report(what: &str, kept: &Conformance, found: &Conformance) -> usize {
    let mut differing = usize::from(kept.duckdb_version != found.duckdb_version);
    if differing > 0 {
        println!("{what}: DuckDB {} was kept, and {} runs", kept.duckdb_version, found.duckdb_version);
    }
    let mut rules: Vec<&String> = kept.rules.keys().chain(found.rules.keys()).collect();
    rules.sort_unstable();
    rules.dedup();
    for rule in rules {
        let (kept, found) = (kept.rules.get(rule), found.rules.get(rule));
        if kept == found {
            continue;
        }
        differing += 1;
        let part = match (kept, found) {
            (None, _) => "the rule is new",
            (_, None) => "the rule is gone",
            (Some(kept), Some(found)) if kept.result_sha256 != found.result_sha256 => "another result",
            _ => "another plan, with the same result",
        };
        println!("{what}: {rule}: {part}");
    }
    differing
}

/// One run, as a bundle in a temporary folder.
fn conformance(run: &Path, threads: u32) -> Result<Conformance, Box<dyn Error>> {
    let pack = pack::load(&PackSource::Folder(Path::new("mapping_packs").join(DEFAULT_PACK)))?.pack;
    let settings = Settings { capabilities: Capability::ALL.into_iter().collect(), raw_fallback: true };
    let rules: Vec<Arc<Rule>> = sigma::load(&[PathBuf::from(RULES)]).into_iter().map(Arc::new).collect();
    let inputs = RunInputs {
        run_id: "conformance",
        run_time: None,
        roots: &RuleRoots::new(&[PathBuf::from(RULES)]),
        pack: &pack,
        settings: RunSettings {
            threads,
            timezone: "UTC".to_owned(),
            capabilities: settings.capabilities.clone(),
            raw_fallback_enabled: true,
            fail_mode: FailMode::FailClosed,
            compile_cache_dir: None,
        },
        backend: BackendId::DuckdbSql,
        compiled: &backend::compile(&rules, &pack, &settings),
    };
    let mut store = Store::open(Dataset::discover(run)?, SessionSettings { threads })?;
    let folder = tempfile::tempdir()?;
    let facts = bundle::write(&inputs, &mut store, folder.path())?;
    let mut results: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for line in fs::read_to_string(folder.path().join("detections/detections.jsonl"))?.lines() {
        let line: Value = serde_json::from_str(line)?;
        let seen = ["first_seen_utc", "last_seen_utc", "event_ids", "group"].map(|key| line[key].clone());
        let plan = line["plan"].as_str().ok_or("a detection has a plan")?.to_owned();
        results.entry(plan).or_default().push(Value::from(seen.to_vec()));
    }
    let mut hashes = BTreeMap::new();
    for rule in facts {
        let file = folder.path().join(format!("bridge/compiled_plans/{}.plan.json", rule.name));
        let plan: Value = serde_json::from_slice(&fs::read(file)?)?;
        let path = plan["rule"]["path"].as_str().ok_or("a plan has a path")?;
        let key = match plan["rule"]["document"].as_u64() {
            None | Some(0) => path.to_owned(),
            Some(document) => format!("{path}#{document}"),
        };
        let result = results.remove(&rule.name).unwrap_or_default();
        let of_rule = Hashes {
            plan_sha256: sha256(&plan["compilation"])?,
            detections: result.len(),
            result_sha256: sha256(&Value::from(result))?,
        };
        hashes.insert(key, of_rule);
    }
    Ok(Conformance { duckdb_version: DUCKDB_VERSION.to_owned(), rules: hashes })
}

fn sha256(value: &Value) -> Result<String, serde_json::Error> {
    let digest = Sha256::digest(serde_json_canonicalizer::to_vec(value)?);
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
