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
use crate::bridge::GroupKey;
use crate::evaluate::{EvalError, MatchedEvent, MatchedWindow, Window};

/// What came of the rules of a job, by the name of the plan.
#[derive(Debug, Default)]
pub struct JobResult {
    matched: BTreeMap<String, Vec<Line>>,
    failed: BTreeMap<String, EvalError>,
}

/// The part of a detection that the event gave; the rest is the plan's.
#[derive(Debug, Deserialize)]
struct Line {
    plan: String,
    event_ids: Vec<String>,
    first_seen_utc: Option<String>,
    last_seen_utc: Option<String>,
    host: Option<String>,
    /// Of a window, by the name of its key.
    group: Option<BTreeMap<String, Option<String>>>,
}

impl Line {
    fn event(&self) -> MatchedEvent {
        MatchedEvent {
            event_id: self.event_ids.first().cloned().unwrap_or_default(),
            time: self.first_seen_utc.as_deref().and_then(milliseconds),
            host: self.host.clone(),
        }
    }

    /// The values of its group are in the order of `keys`.
    fn window(&self, keys: &[GroupKey]) -> Option<MatchedWindow> {
        let group = self.group.as_ref()?;
        let window = Window {
            last_seen: self.last_seen_utc.as_deref().and_then(milliseconds)?,
            group: keys.iter().map(|key| group.get(&key.name.0).cloned().flatten()).collect(),
            first_seen: self.first_seen_utc.as_deref().and_then(milliseconds)?,
            event_ids: self.event_ids.clone(),
        };
        Some(MatchedWindow { window, host: self.host.clone() })
    }
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
            ran.matched.entry(line.plan.clone()).or_default().push(line);
        }
        Ok(ran)
    }

    /// What the plan of an event rule matched, in the order of detections, or why it did not run.
    pub(super) fn events(&self, plan: &str) -> Result<Found, EvalError> {
        Ok(Found::Events(self.lines(plan)?.iter().map(Line::event).collect()))
    }

    /// The windows of a correlation that is grouped by `keys`, in the order of detections, or why it did not run.
    pub(super) fn windows(&self, plan: &str, keys: &[GroupKey]) -> Result<Found, EvalError> {
        Ok(Found::Windows(self.lines(plan)?.iter().filter_map(|line| line.window(keys)).collect()))
    }

    fn lines(&self, plan: &str) -> Result<&[Line], EvalError> {
        match self.failed.get(plan) {
            Some(error) => Err(error.clone()),
            None => Ok(self.matched.get(plan).map_or(&[], Vec::as_slice)),
        }
    }
}
