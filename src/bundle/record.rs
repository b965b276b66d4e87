//! `bundle.json`: which run it is, what it was made with and from, and the hashes of the other files. And what
//! plans say, read back.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use jiff::Timestamp;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Serialize};

use super::plan::{PackRecord, PlanDocument, ToolRecord};
use super::{BUNDLE, BundleError, PLAN_SUFFIX, PLANS, RunSettings};
use crate::backend::BackendId;
use crate::bridge::ReasonCode;
use crate::store::TimeRange;

/// The document. Its schema is `schemas/bundle.schema.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BundleRecord {
    pub(super) schema_version: u32,
    pub(super) tool: ToolRecord,
    pub(super) run: RunRecord,
    pub(super) duckdb_version: String,
    /// What evaluated the plans.
    pub(super) backend: String,
    pub(super) mapping_pack: PackRecord,
    pub(super) settings: RunSettings,
    pub(super) dataset: DatasetRecord,
    pub(super) counts: Counts,
    pub(super) hashes: Hashes,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunRecord {
    pub(super) id: String,
    /// RFC 3339, from the caller; null where he gave none.
    pub(super) time_utc: Option<String>,
}

/// What the rules ran over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DatasetRecord {
    pub(super) format: String,
    pub(super) events: u64,
    /// What names an event.
    pub(super) event_id: String,
    /// The range of time that was read, RFC 3339; an end that was not stated is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) until: Option<String>,
    pub(super) files: Vec<FileRecord>,
    /// Files that could not be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) left_out: Vec<LeftOutRecord>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LeftOutRecord {
    /// Below what the user named.
    pub(super) name: String,
    pub(super) why: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileRecord {
    /// Below what the user named.
    pub(super) name: String,
    pub(super) bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Counts {
    pub(super) plans: usize,
    pub(super) detections: u64,
}

/// None of them depends on the number of threads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Hashes {
    pub(super) router_table_sha256: String,
    pub(super) mapping_pack_sha256: String,
    /// Over the canonical JSON of `[[name, plan_sha256], …]`, by name.
    pub(super) plans_sha256: String,
    /// Over the canonical JSON of the document.
    pub(super) coverage_sha256: String,
    /// Over the bytes of the file.
    pub(super) detections_sha256: String,
}

/// What became of a rule, for gates and summaries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFacts {
    /// The name of its plan.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Why it is not executable; `None` where it is.
    pub reason: Option<ReasonCode>,
    /// Whether it reads `raw.*`.
    pub fallback_used: bool,
    /// What it matched; `None` where its matches are not counted by themselves, or it did not run.
    pub matches: Option<u64>,
}

pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, BundleError> {
    let bytes = fs::read(path).map_err(BundleError::io(path))?;
    serde_json::from_slice(&bytes).map_err(BundleError::json(path))
}

/// What a bundle was made with.
#[derive(Clone, Debug)]
pub struct MadeWith {
    /// The settings.
    pub settings: RunSettings,
    /// What evaluated its plans; `None` for something that this program does not know.
    pub backend: Option<BackendId>,
    /// Which of the dataset's events were read.
    pub range: TimeRange,
    /// Whether files were left out that could not be read.
    pub left_out: bool,
}

/// What a bundle was made with.
///
/// # Errors
/// There is no bundle at `bundle`, or it cannot be read; its range of time is none.
pub fn made_with(bundle: &Path) -> Result<MadeWith, BundleError> {
    let path = bundle.join(BUNDLE);
    let record = read::<BundleRecord>(&path)?;
    let backend = BackendId::ALL.into_iter().find(|known| known.as_str() == record.backend);
    let range = record.dataset.range().map_err(BundleError::json(&path))?;
    let left_out = !record.dataset.left_out.is_empty();
    Ok(MadeWith { settings: record.settings, backend, range, left_out })
}

impl DatasetRecord {
    fn range(&self) -> serde_json::Result<TimeRange> {
        let end = |text: &Option<String>| text.as_deref().map(str::parse::<Timestamp>).transpose();
        let (since, until) = (end(&self.since), end(&self.until));
        let range = since.and_then(|since| Ok((since, until?)));
        let (since, until) = range.map_err(serde_json::Error::custom)?;
        TimeRange::new(since, until).map_err(serde_json::Error::custom)
    }
}

/// What became of each rule of a bundle, by the name of its plan. Nothing is said of matches.
///
/// # Errors
/// There is no bundle at `bundle`, or it cannot be read.
pub fn rule_facts(bundle: &Path) -> Result<BTreeMap<String, RuleFacts>, BundleError> {
    read::<BundleRecord>(&bundle.join(BUNDLE))?;
    let fact = |name: String| {
        let plan: PlanDocument = read(&plan_path(bundle, &name))?;
        let facts = RuleFacts {
            name: name.clone(),
            title: plan.rule.title,
            reason: plan.non_executable.map(|refusal| refusal.reason_code),
            fallback_used: plan.compilation.fallback_used,
            matches: None,
        };
        Ok((name, facts))
    };
    names(bundle)?.into_iter().map(fact).collect()
}

pub(super) fn plan_path(bundle: &Path, name: &str) -> std::path::PathBuf {
    bundle.join(PLANS).join(format!("{name}{PLAN_SUFFIX}"))
}

/// The names of a bundle's plans in byte order.
pub(super) fn names(bundle: &Path) -> Result<Vec<String>, BundleError> {
    let folder = bundle.join(PLANS);
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(BundleError::io(&folder))? {
        let entry = entry.map_err(BundleError::io(&folder))?;
        if let Some(name) = entry.file_name().to_string_lossy().strip_suffix(PLAN_SUFFIX) {
            names.push(name.to_owned());
        }
    }
    names.sort_unstable();
    Ok(names)
}
