//! Runs the rules of a set and writes what became of them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::detection::{self, Found, RunStamp};
use super::plan::{PackRecord, PlanContext, PlanDocument, RunSettings, ToolRecord};
use super::record::{
    BundleRecord, Counts, DatasetRecord, FileRecord, Hashes, LeftOutRecord, RuleFacts, RunRecord, plan_path,
};
use super::{
    BUNDLE, BundleError, COVERAGE, DETECTIONS, DETECTIONS_FOLDER, JobResult, PLANS, ROUTER_TABLE, RuleRoots,
    SNAPSHOT, canonical, coverage, pack_document, plan_names,
};
use crate::backend::{BackendId, CompiledRule, Sql};
use crate::bridge::{CorrelationPlan, Diagnostic, Plan};
use crate::evaluate::{self, Cancel, EvalError};
use crate::pack::Pack;
use crate::sigma::Rule;
use crate::store::{Format, Store, Unfinished};

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
    /// The settings in force.
    pub settings: RunSettings,
    /// What evaluates the plans.
    pub backend: BackendId,
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
    let outcomes = match inputs.backend {
        BackendId::Interpreter => interpreted(store, inputs.compiled),
        BackendId::DuckdbSql | BackendId::SparkSql => counted(store, inputs.compiled, &Cancel::never()),
    };
    bundle(inputs, store, outcomes, folder)
}

/// Writes the bundle of rules that ran in a job over the events of `store`, as [`write()`] does for those that it runs.
///
/// # Errors
/// The file system refuses.
pub fn write_ran(
    inputs: &RunInputs<'_>,
    store: &mut Store,
    result: &JobResult,
    folder: &Path,
) -> Result<Vec<RuleFacts>, BundleError> {
    let outcomes = of_job(result, store, inputs);
    bundle(inputs, store, outcomes, folder)
}

fn bundle(
    inputs: &RunInputs<'_>,
    store: &mut Store,
    outcomes: Outcomes,
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
    let rules = write_rules(inputs, store, outcomes, folder)?;
    let coverage = rules.coverage.finish(pack.clone());
    let coverage_path = folder.join(COVERAGE);
    let coverage = canonical::value(&coverage).map_err(BundleError::json(&coverage_path))?;
    write_json(&coverage_path, &coverage)?;
    let record = BundleRecord {
        schema_version: super::SCHEMA_VERSION,
        tool: ToolRecord::this(),
        run: RunRecord { id: inputs.run_id.to_owned(), time_utc: inputs.run_time.map(str::to_owned) },
        duckdb_version: store.duckdb_version().to_owned(),
        backend: inputs.backend.as_str().to_owned(),
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
    mut outcomes: Outcomes,
    folder: &Path,
) -> Result<Rules, BundleError> {
    let context = PlanContext::new(inputs);
    let run = RunStamp { id: inputs.run_id, time: inputs.run_time };
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
        let mut document = plan(None)?;
        let found = outcomes.remove(&index).map(|outcome| match outcome? {
            Ran::Unread => detection::found(store, &document),
            Ran::Found(found) => Ok(found),
        });
        let ran = matches!(found, Some(Ok(_)));
        match found {
            Some(Ok(found)) => {
                detection::lines(&name, &document, run, found, &mut |line| writer.line(line));
            }
            Some(Err(error)) => {
                let rule = &compiled.compilation.rule;
                document = plan(Some(&error.diagnostic(&rule.path, rule.span)))?;
            }
            None => {}
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
            matches: ran.then_some(detections),
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

/// What came of running a rule.
pub(super) enum Ran {
    /// It matches something, or is a correlation, of which nothing is known yet: its statement tells.
    Unread,
    /// This.
    Found(Found),
}

/// What running each rule gave, by its place.
pub(super) type Outcomes = BTreeMap<usize, Result<Ran, EvalError>>;

/// By DuckDB, of all rules that report: what those find that match few events, and which others match at all. The
/// statements of the others are run one by one later, so that what they find is never in memory together.
pub(super) fn counted(store: &mut Store, compiled: &[CompiledRule], cancel: &Cancel) -> Outcomes {
    let runnable: Vec<(usize, (&Plan, &Sql))> = reported(compiled)
        .filter_map(|(index, rule)| Some((index, (rule.compilation.plan.as_ref()?, rule.sql.as_ref()?))))
        .collect();
    let pairs: Vec<(&Plan, &Sql)> = runnable.iter().map(|(_, pair)| *pair).collect();
    let matched = evaluate::matched(store, &pairs, cancel);
    let mut outcomes: Outcomes = correlations(compiled).map(|(index, _)| (index, Ok(Ran::Unread))).collect();
    let mut known = Vec::new();
    for ((index, _), matched) in runnable.into_iter().zip(matched) {
        let ran = matched.map(|matched| match (matched.summary.matches, matched.events) {
            (0, _) => Ran::Found(Found::NOTHING),
            (_, events) => {
                known.extend(events.map(|events| (index, events)));
                Ran::Unread
            }
        });
        outcomes.insert(index, ran);
    }
    let (places, events): (Vec<usize>, Vec<_>) = known.into_iter().unzip();
    // Where it fails, each rule's own statement says so.
    let events = evaluate::known_events(store, events, cancel).unwrap_or_default();
    outcomes.extend(
        places.into_iter().zip(events).map(|(index, events)| (index, Ok(Ran::Found(Found::Events(events))))),
    );
    outcomes
}

/// By the interpreter, of all rules that report: what they find, in one reading of each class.
fn interpreted(store: &Store, compiled: &[CompiledRule]) -> Outcomes {
    let cancel = Cancel::never();
    let runnable: Vec<(usize, &Plan)> = reported(compiled)
        .filter_map(|(index, rule)| Some((index, rule.compilation.plan.as_ref()?)))
        .collect();
    let plans: Vec<&Plan> = runnable.iter().map(|(_, plan)| *plan).collect();
    let found = evaluate::interpreted_events(store, &plans, &cancel);
    let events = runnable.iter().zip(found).map(|((index, _), found)| (*index, found.map(Found::Events)));
    let windows = correlations(compiled).map(|(index, plan)| {
        (index, evaluate::interpreted_matched_windows(store, plan, &cancel).map(Found::Windows))
    });
    events.chain(windows).map(|(index, found)| (index, found.map(Ran::Found))).collect()
}

/// What a job gave for each rule that reports.
pub(super) fn of_job(result: &JobResult, store: &Store, inputs: &RunInputs<'_>) -> Outcomes {
    let outcome = |(name, index): (String, usize)| {
        let compiled = inputs.compiled.get(index).filter(|rule| rule.compilation.reported)?;
        let found = match (&compiled.compilation.plan, &compiled.compilation.correlation) {
            (Some(plan), _) => {
                evaluate::check_types(store, &plan.columns).and_then(|()| result.events(&name))
            }
            (None, Some(plan)) => evaluate::check_types(store, &plan.columns).and_then(|()| {
                let keys = plan.steps.last().map_or(&[][..], |step| &step.keys);
                result.windows(&name, keys)
            }),
            (None, None) => return None,
        };
        Some((index, found.map(Ran::Found)))
    };
    by_name(inputs).into_iter().filter_map(outcome).collect()
}

/// The rules whose matches are detections, with their places.
fn reported(compiled: &[CompiledRule]) -> impl Iterator<Item = (usize, &CompiledRule)> {
    compiled.iter().enumerate().filter(|(_, rule)| rule.compilation.reported)
}

fn correlations(compiled: &[CompiledRule]) -> impl Iterator<Item = (usize, &CorrelationPlan)> {
    reported(compiled).filter_map(|(index, rule)| Some((index, rule.compilation.correlation.as_ref()?)))
}

fn dataset(store: &Store) -> DatasetRecord {
    let dataset = store.dataset();
    let roots = RuleRoots::new(std::slice::from_ref(&dataset.root));
    let file = |path: &std::path::PathBuf| FileRecord {
        name: roots.relative(path),
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
        since: dataset.range.since().map(|time| time.to_string()),
        until: dataset.range.until().map(|time| time.to_string()),
        files: dataset.files.iter().map(file).collect(),
        left_out: store.left_out().iter().map(|file| left_out(&roots, file)).collect(),
    }
}

/// Without the name of the folder that it lies in, which another machine has not.
fn left_out(roots: &RuleRoots, file: &Unfinished) -> LeftOutRecord {
    let name = roots.relative(&file.path);
    let absolute = std::path::absolute(&file.path).unwrap_or_else(|_| file.path.clone());
    let why = file.why.replace(&absolute.display().to_string(), &name);
    LeftOutRecord { name, why }
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
