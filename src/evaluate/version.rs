//! The OCSF version that events state, against the one that plans are made for.

use std::path::Path;

use super::{Cancel, EvalError};
use crate::bridge::{Code, Diagnostic, Severity};
use crate::ocsf::OcsfPath;
use crate::sigma::Span;
use crate::store::Store;

const VERSION: &str = "metadata.version";

/// Versions that are told of at most.
const SHOWN: usize = 5;

pub(crate) static DATASET_OCSF_VERSION: Code = Code {
    name: "dataset_ocsf_version",
    reason: None,
    severity: Severity::Error,
    summary: "the events state another OCSF version than the mapping pack is for",
    explanation: "Paths may have another meaning, or not be there, in another version of OCSF, and a rule would then \
match nothing in silence. Normalise the events to the pack's version, or use a pack for theirs. Events that state no \
version are taken as they are.",
};

/// The finding about a dataset of which some events state another `metadata.version` than `expected`.
///
/// # Errors
/// The events cannot be read.
pub fn version_mismatch(
    store: &mut Store,
    expected: &str,
    cancel: &Cancel,
) -> Result<Option<Diagnostic>, EvalError> {
    let path = OcsfPath(VERSION.to_owned());
    if store.schema().column(&path).is_none() {
        return Ok(None);
    }
    let statement = format!("SELECT DISTINCT CAST(\"{VERSION}\" AS VARCHAR) FROM ocsf_events");
    let mut stated: Vec<String> = store
        .select(&statement, cancel, |row| row.get::<_, Option<String>>(0))?
        .into_iter()
        .flatten()
        .filter(|version| version != expected)
        .collect();
    stated.sort_unstable();
    Ok((!stated.is_empty()).then(|| mismatch(&store.dataset().root, &stated, expected)))
}

fn mismatch(dataset: &Path, stated: &[String], expected: &str) -> Diagnostic {
    let mut shown: Vec<String> =
        stated.iter().take(SHOWN).map(|version| format!("'{}'", version.escape_debug())).collect();
    if stated.len() > SHOWN {
        shown.push("…".to_owned());
    }
    Diagnostic {
        code: &DATASET_OCSF_VERSION,
        message: format!(
            "events state OCSF version {} in {VERSION}, and the mapping pack is for {expected}",
            shown.join(", ")
        ),
        path: dataset.to_path_buf(),
        span: Span::START,
        help: Some(format!("normalise the events to OCSF {expected}, or give a pack for their version")),
    }
}
