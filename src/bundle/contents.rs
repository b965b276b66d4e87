//! A bundle read back as a whole, for reports: what ran, what became of each rule, and where it was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::Error as _;

use super::coverage::{Counter, Coverage};
use super::plan::PlanDocument;
use super::record::{BundleRecord, names, plan_path, read};
use super::{BUNDLE, BundleError, DETECTIONS};
use crate::sigma::Level;

/// What a bundle says.
#[derive(Debug)]
pub(crate) struct Contents {
    pub(crate) run_id: String,
    /// RFC 3339; none where the caller of the run gave none.
    pub(crate) run_time: Option<String>,
    pub(crate) pack_id: String,
    pub(crate) pack_version: String,
    pub(crate) pack_sha256: String,
    pub(crate) ocsf_version: String,
    pub(crate) duckdb_version: String,
    /// Events of the dataset.
    pub(crate) events: u64,
    /// Added up anew from plans and detections.
    pub(crate) coverage: Coverage,
    /// By the name of the plan.
    pub(crate) rules: BTreeMap<String, RuleResult>,
    /// By plan and host, those without a host first.
    pub(crate) sightings: Vec<Sighting>,
}

/// What became of a rule.
#[derive(Clone, Debug)]
pub(crate) struct RuleResult {
    pub(crate) title: String,
    pub(crate) level: Option<Level>,
    pub(crate) technique_ids: BTreeSet<String>,
    /// Whether it runs and its matches are detections.
    pub(crate) reports: bool,
    pub(crate) detections: u64,
}

/// The detections of one rule on one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sighting {
    pub(crate) plan: String,
    pub(crate) host: Option<String>,
    pub(crate) count: u64,
    /// Milliseconds since 1970, UTC.
    pub(crate) last_seen: Option<i64>,
}

/// The part of a detection that is read. Bundles of older versions say no host.
#[derive(Deserialize)]
struct Line {
    plan: String,
    host: Option<String>,
    last_seen_utc: Option<String>,
}

/// Reads the bundle at `bundle`. Hashes are not looked at: that is [`super::verify()`]'s.
///
/// # Errors
/// A file is missing, or is not of the form that it has to have.
pub(crate) fn contents(bundle: &Path) -> Result<Contents, BundleError> {
    let record: BundleRecord = read(&bundle.join(BUNDLE))?;
    let sightings = sightings(bundle)?;
    let mut counts = BTreeMap::<&str, u64>::new();
    for sighting in &sightings {
        *counts.entry(&sighting.plan).or_default() += sighting.count;
    }
    let mut counter = Counter::default();
    let mut rules = BTreeMap::new();
    for name in names(bundle)? {
        let plan: PlanDocument = read(&plan_path(bundle, &name))?;
        let detections = counts.remove(name.as_str()).unwrap_or(0);
        counter.add(&plan, detections);
        let result = RuleResult {
            level: plan.rule.level.as_deref().and_then(level),
            title: plan.rule.title,
            technique_ids: plan.rule.technique_ids,
            reports: plan.executable && plan.compilation.reported,
            detections,
        };
        rules.insert(name, result);
    }
    if let Some(plan) = counts.keys().next() {
        let what = format!("there are detections of '{}', which has no plan", plan.escape_debug());
        return Err(BundleError::json(&bundle.join(DETECTIONS))(serde_json::Error::custom(what)));
    }
    Ok(Contents {
        run_id: record.run.id,
        run_time: record.run.time_utc,
        pack_id: record.mapping_pack.id.clone(),
        pack_version: record.mapping_pack.version.clone(),
        pack_sha256: record.mapping_pack.sha256.clone(),
        ocsf_version: record.mapping_pack.ocsf_version.clone(),
        duckdb_version: record.duckdb_version,
        events: record.dataset.events,
        coverage: counter.finish(record.mapping_pack),
        rules,
        sightings,
    })
}

fn sightings(bundle: &Path) -> Result<Vec<Sighting>, BundleError> {
    let path = bundle.join(DETECTIONS);
    let reader = BufReader::new(File::open(&path).map_err(BundleError::io(&path))?);
    let mut found = BTreeMap::<(String, Option<String>), (u64, Option<i64>)>::new();
    for line in reader.lines() {
        let line = line.map_err(BundleError::io(&path))?;
        let line: Line = serde_json::from_str(&line).map_err(BundleError::json(&path))?;
        let (count, last_seen) = found.entry((line.plan, line.host)).or_default();
        *count += 1;
        *last_seen = (*last_seen).max(line.last_seen_utc.as_deref().and_then(milliseconds));
    }
    let sighting = |((plan, host), (count, last_seen))| Sighting { plan, host, count, last_seen };
    Ok(found.into_iter().map(sighting).collect())
}

/// A time as detections write it: RFC 3339, or the number itself where no calendar reaches.
pub(super) fn milliseconds(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().map(Timestamp::as_millisecond).ok().or_else(|| text.parse().ok())
}

fn level(text: &str) -> Option<Level> {
    let levels = [Level::Informational, Level::Low, Level::Medium, Level::High, Level::Critical];
    levels.into_iter().find(|level| level.as_str() == text)
}
