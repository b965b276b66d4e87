//! The auditor's questions to a bundle: do its hashes hold, do its totals add up, do its plans find the same again?

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::detection::{self, RunStamp};
use super::plan::{PlanContext, PlanDocument};
use super::record::{BundleRecord, names, plan_path, read};
use super::write::by_name;
use super::{
    BUNDLE, BundleError, COVERAGE, DETECTIONS, PLAN_SUFFIX, PLANS, ROUTER_TABLE, RunInputs, SNAPSHOT,
    canonical, coverage,
};
use crate::backend::BackendId;
use crate::store::{DUCKDB_VERSION, Store};

/// The files of a bundle beside its plans.
const FILES: [&str; 5] = [BUNDLE, ROUTER_TABLE, SNAPSHOT, COVERAGE, DETECTIONS];

/// Something that a bundle says and that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The file of the bundle.
    pub file: String,
    /// What does not hold, in one sentence. May quote the bundle.
    pub what: String,
}

/// What came of verifying a bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// Plans that were read.
    pub plans: usize,
    /// Plans whose statements were run again.
    pub rerun: usize,
    /// Detections in the file.
    pub detections: u64,
    /// What does not hold, by file; none where all does.
    pub differences: Vec<Difference>,
}

impl Verification {
    fn differs(&mut self, file: impl Into<String>, what: impl Into<String>) {
        self.differences.push(Difference { file: file.into(), what: what.into() });
    }

    fn same(&mut self, file: &str, what: &str, stated: &str, found: &str) {
        if stated != found {
            self.differs(file, format!("{what} is {found}, and {stated} is stated"));
        }
    }
}

/// Recomputes every hash of a bundle and its coverage; with `store`, runs every plan again and compares detections.
///
/// # Errors
/// A file is missing, or is not of the form that it has to have.
pub fn verify(bundle: &Path, store: Option<&mut Store>) -> Result<Verification, BundleError> {
    let record: BundleRecord = read(&bundle.join(BUNDLE))?;
    let mut found = Verification::default();
    if record.duckdb_version != DUCKDB_VERSION {
        found.same(BUNDLE, "DuckDB's version", &record.duckdb_version, DUCKDB_VERSION);
    }
    files(bundle, &mut found)?;
    pack(bundle, &record, &mut found)?;
    let groups = detections(bundle, &record, &mut found)?;
    plans(bundle, &record, &groups, &mut found)?;
    if let Some(store) = store {
        rerun(bundle, &record, &groups, store, &mut found)?;
    }
    found.differences.sort();
    Ok(found)
}

/// Compiles the rules anew and compares their plans with those of the bundle.
///
/// # Errors
/// As for [`verify`].
pub fn verify_rules(bundle: &Path, inputs: &RunInputs<'_>) -> Result<Vec<Difference>, BundleError> {
    let mut found = Verification::default();
    let context = PlanContext::new(inputs);
    let mut stated: BTreeSet<String> = names(bundle)?.into_iter().collect();
    for (name, index) in by_name(inputs) {
        let Some(compiled) = inputs.compiled.get(index) else { continue };
        let file = plan_file(&name);
        if !stated.remove(&name) {
            found.differs(file, "the rule is new: the bundle has no plan for it");
            continue;
        }
        let kept: PlanDocument = read(&plan_path(bundle, &name))?;
        let path = plan_path(bundle, &name);
        let again = PlanDocument::new(compiled, None, &context).map_err(BundleError::json(&path))?;
        for part in differing_parts(&kept, &again).map_err(BundleError::json(&path))? {
            found.differs(file.clone(), format!("compiled anew, `{part}` is different"));
        }
    }
    for name in stated {
        found.differs(plan_file(&name), "the rule is not among those given");
    }
    found.differences.sort();
    Ok(found.differences)
}

/// The parts of two plans that differ, threads aside. What a failed run has added to the kept one is not compared.
fn differing_parts(kept: &PlanDocument, again: &PlanDocument) -> Result<Vec<String>, serde_json::Error> {
    let ran_and_failed = !kept.executable && again.executable;
    let mut again = again.clone();
    again.backend.settings.threads = kept.backend.settings.threads;
    let (kept, again) = (canonical::value(kept)?, canonical::value(&again)?);
    let skipped: &[&str] = match ran_and_failed {
        true => &["plan_sha256", "executable", "non_executable", "diagnostics"],
        false => &["plan_sha256"],
    };
    let (Some(kept), Some(again)) = (kept.as_object(), again.as_object()) else { return Ok(Vec::new()) };
    let differ = |part: &&String| !skipped.contains(&part.as_str()) && kept.get(*part) != again.get(*part);
    Ok(again.keys().filter(differ).cloned().collect())
}

fn plan_file(name: &str) -> String {
    format!("{PLANS}/{name}{PLAN_SUFFIX}")
}

/// Nothing is in the folder that is no part of a bundle.
fn files(bundle: &Path, found: &mut Verification) -> Result<(), BundleError> {
    for entry in walkdir::WalkDir::new(bundle).sort_by_file_name() {
        let entry = entry.map_err(|error| BundleError::io(bundle)(error.into()))?;
        let below = entry.path().strip_prefix(bundle).unwrap_or(entry.path());
        let name = below.to_string_lossy().into_owned();
        let is_plan = below.parent() == Some(Path::new(PLANS)) && name.ends_with(PLAN_SUFFIX);
        if !entry.file_type().is_dir() && !is_plan && !FILES.contains(&name.as_str()) {
            found.differs(name, "this is no file of a bundle");
        }
    }
    Ok(())
}

/// Router table and snapshot hold what their hashes say, and are those of the bundle.
fn pack(bundle: &Path, record: &BundleRecord, found: &mut Verification) -> Result<(), BundleError> {
    let pack = &record.mapping_pack;
    for (file, part, key, stated) in [
        (ROUTER_TABLE, "routes", "router_table_sha256", &pack.router_table_sha256),
        (SNAPSHOT, "mapping_pack", "mapping_pack_sha256", &pack.sha256),
    ] {
        let document: Value = read(&bundle.join(file))?;
        let hash = canonical::hash(document.get(part).unwrap_or(&Value::Null));
        let own = document.get(key).and_then(Value::as_str).unwrap_or_default();
        found.same(file, &format!("the hash of `{part}`"), own, &hash);
        found.same(BUNDLE, &format!("`{key}`"), stated, &hash);
        for (key, stated) in [("mapping_pack_id", &pack.id), ("mapping_pack_version", &pack.version)] {
            let own = document.get(key).and_then(Value::as_str).unwrap_or_default();
            found.same(file, &format!("`{key}`"), stated, own);
        }
    }
    found.same(
        BUNDLE,
        "`router_table_sha256`",
        &record.hashes.router_table_sha256,
        &pack.router_table_sha256,
    );
    found.same(BUNDLE, "`mapping_pack_sha256`", &record.hashes.mapping_pack_sha256, &pack.sha256);
    Ok(())
}

/// The detections of one plan: how many, and the hash of their lines.
type Group = (u64, String);

#[derive(Deserialize)]
struct PlanOfLine {
    plan: String,
}

/// The file's hash, and the detections of each plan, in one reading.
fn detections(
    bundle: &Path,
    record: &BundleRecord,
    found: &mut Verification,
) -> Result<BTreeMap<String, Group>, BundleError> {
    let path = bundle.join(DETECTIONS);
    let mut reader = BufReader::new(File::open(&path).map_err(BundleError::io(&path))?);
    let (mut whole, mut groups) = (Sha256::new(), BTreeMap::<String, (u64, Sha256)>::new());
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).map_err(BundleError::io(&path))? > 0 {
        whole.update(&line);
        found.detections += 1;
        let PlanOfLine { plan } = serde_json::from_slice(&line).map_err(BundleError::json(&path))?;
        if groups.last_key_value().is_some_and(|(last, _)| *last > plan) {
            found.differs(DETECTIONS, format!("line {} is out of order", found.detections));
        }
        let (lines, hash) = groups.entry(plan).or_default();
        *lines += 1;
        hash.update(&line);
        line.clear();
    }
    let hash = canonical::hexadecimal(&whole.finalize());
    found.same(DETECTIONS, "the hash of the file", &record.hashes.detections_sha256, &hash);
    let (stated, counted) = (record.counts.detections.to_string(), found.detections.to_string());
    found.same(DETECTIONS, "the number of lines", &stated, &counted);
    let group = |(plan, (lines, hash)): (String, (u64, Sha256))| {
        (plan, (lines, canonical::hexadecimal(&hash.finalize())))
    };
    Ok(groups.into_iter().map(group).collect())
}

/// Each plan's hash, that it belongs to this bundle, and the coverage that all of them give.
fn plans(
    bundle: &Path,
    record: &BundleRecord,
    groups: &BTreeMap<String, Group>,
    found: &mut Verification,
) -> Result<(), BundleError> {
    let mut counter = coverage::Counter::default();
    let mut hashes = Vec::new();
    let mut known = BTreeSet::new();
    for name in names(bundle)? {
        let path = plan_path(bundle, &name);
        let plan: PlanDocument = read(&path)?;
        let hash = plan.hash().map_err(BundleError::json(&path))?;
        found.plans += 1;
        found.same(&plan_file(&name), "the hash of the plan", &plan.plan_sha256, &hash);
        if plan.mapping_pack != record.mapping_pack || plan.backend.settings != record.settings {
            found.differs(plan_file(&name), "pack or settings are not those of the bundle");
        }
        found.same(&plan_file(&name), "the backend", &record.backend, &plan.backend.id);
        if plan.executable != plan.non_executable.is_none() {
            found.differs(plan_file(&name), "`executable` and `non_executable` contradict each other");
        }
        counter.add(&plan, groups.get(&name).map_or(0, |(lines, _)| *lines));
        hashes.push(json!([name, hash]));
        known.insert(name);
    }
    for plan in groups.keys().filter(|plan| !known.contains(*plan)) {
        found.differs(
            DETECTIONS,
            format!("there are detections of '{}', which has no plan", plan.escape_debug()),
        );
    }
    found.same(BUNDLE, "the number of plans", &record.counts.plans.to_string(), &found.plans.to_string());
    let hash = canonical::hash(&Value::Array(hashes));
    found.same(BUNDLE, "the hash of the plans", &record.hashes.plans_sha256, &hash);
    coverage_of(bundle, record, counter, found)
}

fn coverage_of(
    bundle: &Path,
    record: &BundleRecord,
    counter: coverage::Counter,
    found: &mut Verification,
) -> Result<(), BundleError> {
    let path = bundle.join(COVERAGE);
    let stated: Value = read(&path)?;
    let hash = canonical::hash(&stated);
    found.same(COVERAGE, "the hash of the document", &record.hashes.coverage_sha256, &hash);
    let made = canonical::value(&counter.finish(record.mapping_pack.clone()));
    let made = made.map_err(BundleError::json(&path))?;
    if let (Some(stated), Some(made)) = (stated.as_object(), made.as_object()) {
        for part in made.keys().filter(|part| stated.get(*part) != made.get(*part)) {
            found.differs(COVERAGE, format!("`{part}` is not what plans and detections add up to"));
        }
    }
    Ok(())
}

/// Runs every statement again: the same lines, or a failure where there was one.
fn rerun(
    bundle: &Path,
    record: &BundleRecord,
    groups: &BTreeMap<String, Group>,
    store: &mut Store,
    found: &mut Verification,
) -> Result<(), BundleError> {
    let events = store.schema().events;
    found.same(BUNDLE, "the number of events", &record.dataset.events.to_string(), &events.to_string());
    let run = RunStamp { id: &record.run.id, time: record.run.time_utc.as_deref() };
    for name in names(bundle)? {
        let plan: PlanDocument = read(&plan_path(bundle, &name))?;
        if plan.compilation.sql.is_none() || !plan.compilation.reported {
            continue;
        }
        if plan.backend.id == BackendId::SparkSql.as_str() {
            let what = "it is for `spark_sql`, and cannot be run again here";
            found.differs(plan_file(&name), what);
            continue;
        }
        found.rerun += 1;
        let (mut lines, mut hash) = (0_u64, Sha256::new());
        let ran = detection::found(store, &plan).map(|found| {
            detection::lines(&name, &plan, run, found, &mut |line| {
                lines += 1;
                hash.update(line);
                hash.update(b"\n");
            });
        });
        let none = || (0, canonical::sha256(b""));
        let (stated, stated_hash) = groups.get(&name).cloned().unwrap_or_else(none);
        let file = plan_file(&name);
        match (ran, plan.executable) {
            (Ok(()), true) if lines != stated => {
                found.differs(
                    file,
                    format!("run again, it gives {lines} detections, and {stated} are stated"),
                );
            }
            (Ok(()), true) if canonical::hexadecimal(&hash.finalize()) != stated_hash => {
                found.differs(file, "run again, it gives other detections");
            }
            // What the interpreter cannot search for, DuckDB may well.
            (Ok(()), true) | (Err(_), false) => {}
            (Ok(()), false) if plan.backend.id != BackendId::DuckdbSql.as_str() => {}
            (Ok(()), false) => found.differs(file, "it runs, and is stated not to be executable"),
            (Err(error), true) => found.differs(file, format!("it does not run any more: {error}")),
        }
    }
    Ok(())
}
