//! Runs the rules of a set and writes what became of them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::detection::{self, RunStamp};
use super::plan::{PackRecord, PlanContext, PlanDocument, RunSettings, ToolRecord};
use super::record::{
    BundleRecord, Counts, DatasetRecord, FileRecord, Hashes, RuleFacts, RunRecord, plan_path,
};
use super::{
    BUNDLE, BundleError, COVERAGE, DETECTIONS, DETECTIONS_FOLDER, PLANS, ROUTER_TABLE, Ran, RuleRoots,
    SNAPSHOT, canonical, coverage, pack_document, plan_names,
};
use crate::backend::{BackendId, CompiledRule, Sql};
use crate::bridge::{Diagnostic, Plan};
use crate::evaluate::{self, Cancel, EvalError, Summary};
use crate::pack::Pack;
use crate::sigma::Rule;
use crate::store::{Format, Store};

/// What a bundle is made from.
#[derive(Clone, Debug)]
pub struct RunInputs<'a> {
    /// What detections call the run.
    pub run_id: &'a str,
    /// When the run is said to be, RFC 3339 in UTC. No clock is read.
    pub run_time: Option<&'a str>,
    /// What the user named as rules.
    pub roots: &'a RuleRoots,
    /// The pack, as loaded.
    pub pack: &'a Pack,
    /// What the rules were compiled for.
    pub backend: BackendId,
    /// The settings in force.
    pub settings: RunSettings,
    /// The rules.
    pub compiled: &'a [CompiledRule],
}

/// Runs every executable rule over `store`, and writes the bundle's files into `folder`, which is empty. What became of
/// each rule, by the name of its plan.
///
/// A rule that DuckDB refuses, or fails on, is non-executable with the reason; nothing else stops for it.
///
/// # Errors
/// The file system refuses.
pub fn write(
    inputs: &RunInputs<'_>,
    store: &mut Store,
    folder: &Path,
) -> Result<Vec<RuleFacts>, BundleError> {
    bundle(inputs, store, Matches::Here, folder)
}

/// Writes the bundle of rules that ran in a job over the same events as `store`, as [`write()`] does for those that it runs.
///
/// # Errors
/// The file system refuses.
pub fn write_ran(
    inputs: &RunInputs<'_>,
    store: &mut Store,
    ran: &Ran,
    folder: &Path,
) -> Result<Vec<RuleFacts>, BundleError> {
    bundle(inputs, store, Matches::Ran(ran), folder)
}

/// Where the matches come from.
#[derive(Clone, Copy)]
enum Matches<'a> {
    /// From statements that the store runs.
    Here,
    /// From a job.
    Ran(&'a Ran),
}

fn bundle(
    inputs: &RunInputs<'_>,
    store: &mut Store,
    matches: Matches<'_>,
    folder: &Path,
) -> Result<Vec<RuleFacts>, BundleError> {
    for below in [PLANS, DETECTIONS_FOLDER] {
        let below = folder.join(below);
        fs::create_dir_all(&below).map_err(BundleError::io(&below))?;
    }
    let router_table = pack_document::router_table(inputs.pack);
    write_json(&folder.join(ROUTER_TABLE), &router_table)?;
    write_json(&folder.join(SNAPSHOT), &pack_document::snapshot(inputs.pack))?;
    let pack = PackRecord::of(inputs.pack);
    let rules = write_rules(inputs, store, matches, folder)?;
    let coverage = rules.coverage.finish(pack.clone());
    let coverage_path = folder.join(COVERAGE);
    let coverage = canonical::value(&coverage).map_err(BundleError::json(&coverage_path))?;
    write_json(&coverage_path, &coverage)?;
    let record = BundleRecord {
        schema_version: super::SCHEMA_VERSION,
        tool: ToolRecord::this(),
        run: RunRecord { id: inputs.run_id.to_owned(), time_utc: inputs.run_time.map(str::to_owned) },
        duckdb_version: store.duckdb_version().to_owned(),
        settings: inputs.settings.clone(),
        dataset: dataset(store),
        counts: Counts { plans: rules.facts.len(), detections: rules.detections },
        hashes: Hashes {
            router_table_sha256: pack.router_table_sha256.clone(),
            mapping_pack_sha256: pack.sha256.clone(),
            plans_sha256: canonical::hash(&Value::Array(rules.plan_hashes)),
            coverage_sha256: canonical::hash(&coverage),
            detections_sha256: rules.detections_sha256,
        },
        mapping_pack: pack,
    };
    let path = folder.join(BUNDLE);
    write_json(&path, &canonical::value(&record).map_err(BundleError::json(&path))?)?;
    Ok(rules.facts)
}

/// What is known when all plans and detections are written.
struct Rules {
    facts: Vec<RuleFacts>,
    plan_hashes: Vec<Value>,
    coverage: coverage::Counter,
    detections: u64,
    detections_sha256: String,
}

/// Plans and detections, a rule at a time, by name.
fn write_rules(
    inputs: &RunInputs<'_>,
    store: &mut Store,
    matches: Matches<'_>,
    folder: &Path,
) -> Result<Rules, BundleError> {
    let context = PlanContext::new(inputs);
    let run = RunStamp { id: inputs.run_id, time: inputs.run_time };
    let mut outcomes = match matches {
        Matches::Here => outcomes(store, inputs.compiled),
        Matches::Ran(ran) => outcomes_elsewhere(ran, store, inputs),
    };
    let mut writer = DetectionWriter::create(&folder.join(DETECTIONS))?;
    let mut facts = Vec::new();
    let mut plan_hashes = Vec::new();
    let mut counter = coverage::Counter::default();
    for (name, index) in by_name(inputs) {
        let Some(compiled) = inputs.compiled.get(index) else { continue };
        let path = plan_path(folder, &name);
        let plan = |failure: Option<&Diagnostic>| {
            PlanDocument::new(compiled, failure, &context).map_err(BundleError::json(&path))
        };
        let before = writer.lines;
        let mut outcome = outcomes.remove(&index);
        let mut document = plan(None)?;
        if let Some(Ok(summary)) = &outcome
            && summary.is_none_or(|summary| summary.matches > 0)
        {
            let emit = &mut |line: &[u8]| writer.line(line);
            let written = match matches {
                Matches::Here => detection::lines(store, &name, &document, run, emit),
                Matches::Ran(ran) => {
                    ran.of(&name).map(|events| detection::lines_of(events, &name, &document, run, emit))
                }
            };
            outcome = Some(written.map(|()| None));
        }
        if let Some(Err(error)) = &outcome {
            let rule = &compiled.compilation.rule;
            document = plan(Some(&error.diagnostic(&rule.path, rule.span)))?;
        }
        let detections = writer.lines - before;
        write_json(&path, &canonical::value(&document).map_err(BundleError::json(&path))?)?;
        counter.add(&document, detections);
        plan_hashes.push(json!([name, document.plan_sha256]));
        facts.push(RuleFacts {
            name,
            title: document.rule.title,
            reason: document.non_executable.map(|refusal| refusal.reason_code),
            fallback_used: document.compilation.fallback_used,
            matches: matches!(outcome, Some(Ok(_))).then_some(detections),
        });
    }
    let (detections, detections_sha256) = writer.finish()?;
    Ok(Rules { facts, plan_hashes, coverage: counter, detections, detections_sha256 })
}

/// Each rule's place by the name of its plan.
pub(super) fn by_name(inputs: &RunInputs<'_>) -> BTreeMap<String, usize> {
    let rules: Vec<&Rule> = inputs.compiled.iter().map(|compiled| &*compiled.compilation.rule).collect();
    plan_names(&rules, inputs.roots).into_iter().zip(0..).collect()
}

/// What running each rule gave that reports by itself. Of correlations nothing is known yet.
fn outcomes(
    store: &mut Store,
    compiled: &[CompiledRule],
) -> BTreeMap<usize, Result<Option<Summary>, EvalError>> {
    let reported = compiled.iter().enumerate().filter(|(_, rule)| rule.compilation.reported);
    let correlations = reported.clone().filter(|(_, rule)| rule.compilation.correlation.is_some());
    let mut outcomes: BTreeMap<_, _> = correlations.map(|(index, _)| (index, Ok(None))).collect();
    let runnable: Vec<(usize, (&Plan, &Sql))> = reported
        .filter_map(|(index, rule)| Some((index, (rule.compilation.plan.as_ref()?, rule.sql.as_ref()?))))
        .collect();
    let pairs: Vec<(&Plan, &Sql)> = runnable.iter().map(|(_, pair)| *pair).collect();
    let summaries = evaluate::summaries(store, &pairs, &Cancel::never());
    let ran = runnable.iter().zip(summaries).map(|((index, _), summary)| (*index, summary.map(Some)));
    outcomes.extend(ran);
    outcomes
}

/// What a job gave for each rule that reports by itself.
fn outcomes_elsewhere(
    ran: &Ran,
    store: &Store,
    inputs: &RunInputs<'_>,
) -> BTreeMap<usize, Result<Option<Summary>, EvalError>> {
    let outcome = |(name, index): (String, usize)| {
        let compiled = inputs.compiled.get(index).filter(|rule| rule.compilation.reported)?;
        let plan = compiled.compilation.plan.as_ref()?;
        let ran = evaluate::check_types(store, &plan.columns).and_then(|()| ran.of(&name).map(|_| None));
        Some((index, ran))
    };
    by_name(inputs).into_iter().filter_map(outcome).collect()
}

fn dataset(store: &Store) -> DatasetRecord {
    let dataset = store.dataset();
    let file = |path: &std::path::PathBuf| FileRecord {
        name: RuleRoots::new(std::slice::from_ref(&dataset.root)).relative(path),
        // Gone since it was read: what was matched in it stands all the same.
        bytes: fs::metadata(path).map_or(0, |metadata| metadata.len()),
    };
    DatasetRecord {
        format: match dataset.format {
            Format::Parquet => "parquet".to_owned(),
            Format::JsonLines => "json_lines".to_owned(),
        },
        events: store.schema().events,
        event_id: store.schema().event_id.as_str().to_owned(),
        files: dataset.files.iter().map(file).collect(),
    }
}

/// A document for people and `diff`: keys sorted, two spaces a level, LF.
pub(super) fn write_json(path: &Path, document: &Value) -> Result<(), BundleError> {
    let mut text = serde_json::to_vec_pretty(document).map_err(BundleError::json(path))?;
    text.push(b'\n');
    fs::write(path, text).map_err(BundleError::io(path))
}

/// The detections' file, hashed as it is written.
struct DetectionWriter {
    path: std::path::PathBuf,
    file: BufWriter<File>,
    hash: Sha256,
    lines: u64,
    /// The first error; nothing is written after it.
    failed: Option<io::Error>,
}

impl DetectionWriter {
    fn create(path: &Path) -> Result<Self, BundleError> {
        let file = File::create(path).map_err(BundleError::io(path))?;
        Ok(Self {
            path: path.to_path_buf(),
            file: BufWriter::new(file),
            hash: Sha256::new(),
            lines: 0,
            failed: None,
        })
    }

    fn line(&mut self, line: &[u8]) {
        if self.failed.is_none() {
            self.failed = self.file.write_all(line).and_then(|()| self.file.write_all(b"\n")).err();
            self.hash.update(line);
            self.hash.update(b"\n");
            self.lines += 1;
        }
    }

    /// How many lines there are, and the file's hash.
    fn finish(mut self) -> Result<(u64, String), BundleError> {
        let written = self.failed.take().map_or_else(|| self.file.flush(), Err);
        written.map_err(BundleError::io(&self.path))?;
        Ok((self.lines, canonical::hexadecimal(&self.hash.finalize())))
    }
}
