//! The causes that `coverage --attribute --format json` has written (`schemas/rule-coverage.schema.json`), read back.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::ReportError;
use crate::bundle::Contents;

/// Why executable rules matched nothing.
#[derive(Debug, Deserialize)]
pub(super) struct Attribution {
    attributed: bool,
    pack: Pack,
    totals: Totals,
    /// Rules by cause.
    pub(super) causes: BTreeMap<String, u64>,
    pub(super) empty_fields: Vec<EmptyField>,
    pub(super) unmatched: Vec<Unmatched>,
}

#[derive(Debug, Deserialize)]
struct Pack {
    sha256: String,
}

#[derive(Debug, Deserialize)]
struct Totals {
    rules: usize,
    executable: usize,
    matched: usize,
}

/// A field that rules need and that is empty.
#[derive(Debug, Deserialize)]
pub(super) struct EmptyField {
    pub(super) field: String,
    pub(super) rules: u64,
}

/// A rule that matched nothing.
#[derive(Debug, Deserialize)]
pub(super) struct Unmatched {
    pub(super) title: String,
    pub(super) finding: Cause,
}

/// Why.
#[derive(Debug, Deserialize)]
pub(super) struct Cause {
    pub(super) cause: String,
    pub(super) explanation: String,
}

/// Reads the causes at `path`, which are to be of the run of `contents`: of the same pack, and with the same totals.
pub(super) fn read(path: &Path, contents: &Contents) -> Result<Attribution, ReportError> {
    let path = path.to_path_buf();
    let bytes = fs::read(&path).map_err(|source| ReportError::Io { path: path.clone(), source })?;
    let read: Attribution =
        serde_json::from_slice(&bytes).map_err(|source| ReportError::Json { path: path.clone(), source })?;
    if !read.attributed {
        return Err(ReportError::NotAttributed { path });
    }
    let totals = &contents.coverage.totals;
    let told = |pack: &str, rules, executable, matched| {
        format!("pack {pack:.12}, {rules} rules, {executable} executable, {matched} matched")
    };
    let expected = told(&contents.pack_sha256, totals.rules, totals.executable, totals.matched);
    let own = &read.totals;
    let found = told(&read.pack.sha256, own.rules, own.executable, own.matched);
    if expected != found {
        return Err(ReportError::OtherRun { path, expected, found });
    }
    Ok(read)
}
