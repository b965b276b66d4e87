//! One finding about a rule or a pack, for every renderer: screen, text, JSON.

use std::path::PathBuf;

use super::reason::ReasonCode;
use crate::sigma::Span;

/// A finding.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Its stable code, with the explanation that `reason CODE` prints.
    pub code: &'static Code,
    /// One sentence: what is wrong here.
    pub message: String,
    /// The file it is about.
    pub path: PathBuf,
    /// Where in the file.
    pub span: Span,
    /// What would fix it.
    pub help: Option<String>,
}

/// A kind of finding. Each stands beside the check that raises it.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The stable name.
    pub name: &'static str,
    /// The reason code that it gives a rule; `None` for warnings and for findings about packs and data.
    pub reason: Option<ReasonCode>,
    /// How grave it is.
    pub severity: Severity,
    /// What it means, in one line.
    pub summary: &'static str,
    /// Why it is so and what to do, in a paragraph or two.
    pub explanation: &'static str,
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The rule is not executable, or the pack does not load.
    Error,
    /// Worth a look; nothing is refused for it.
    Warning,
}
