//! What a job found: its detections and the rules that failed, read back from the folder that its runner wrote.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;

use super::contents::milliseconds;
use super::detection::Found;
use super::record::read;
use super::{BundleError, DETECTIONS};
use crate::evaluate::{EvalError, MatchedEvent};

/// What came of the rules of a job, by the name of the plan.
#[derive(Debug, Default)]
pub struct JobResult {
    matched: BTreeMap<String, Vec<MatchedEvent>>,
    failed: BTreeMap<String, EvalError>,
}

/// The part of a detection that the event gave; the rest is the plan's.
#[derive(Deserialize)]
struct Line {
    plan: String,
    event_ids: Vec<String>,
    first_seen_utc: Option<String>,
    host: Option<String>,
}

#[derive(Deserialize)]
struct Failed {
    plan: String,
    kind: String,
    message: String,
}

impl JobResult {
    /// Reads what the runner wrote into `folder`.
    ///
    /// # Errors
    /// A file is missing, or is not what the runner writes there.
    pub fn read(folder: &Path) -> Result<Self, BundleError> {
        let mut ran = Self::default();
        for Failed { plan, kind, message } in read::<Vec<Failed>>(&folder.join("errors.json"))? {
            let compile = kind == "backend_compile_error";
            ran.failed.insert(plan, EvalError::Spark { message, compile });
        }
        let path = folder.join(DETECTIONS);
        let file = File::open(&path).map_err(BundleError::io(&path))?;
        for line in BufReader::new(file).lines() {
            let line = line.map_err(BundleError::io(&path))?;
            let line: Line = serde_json::from_str(&line).map_err(BundleError::json(&path))?;
            let time = line.first_seen_utc.as_deref().and_then(milliseconds);
            let event_id = line.event_ids.into_iter().next().unwrap_or_default();
            let event = MatchedEvent { event_id, time, host: line.host };
            ran.matched.entry(line.plan).or_default().push(event);
        }
        Ok(ran)
    }

    /// What a plan matched, in the order of detections, or why it did not run.
    pub(super) fn of(&self, plan: &str) -> Result<Found, EvalError> {
        match self.failed.get(plan) {
            Some(error) => Err(error.clone()),
            None => Ok(Found::Events(self.matched.get(plan).cloned().unwrap_or_default())),
        }
    }
}
