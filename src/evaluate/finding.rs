//! A plan that did not run, as a finding about its rule.

use std::path::Path;

use super::EvalError;
use super::version::DATASET_OCSF_VERSION;
use crate::bridge::{Code, Diagnostic, ReasonCode, Severity};
use crate::sigma::Span;

static STATEMENT_REFUSED: Code = Code {
    name: "statement_refused",
    reason: Some(ReasonCode::BackendCompileError),
    severity: Severity::Error,
    summary: "the backend refused the plan before it ran",
    explanation: "The plan was made, and DuckDB, Spark or the interpreter would not take it: the message is its own. That is a \
fault of this program or of a pack's expression, not of the rule; please report it with the rule and the pack.",
};

static EVALUATION_FAILED: Code = Code {
    name: "evaluation_failed",
    reason: Some(ReasonCode::BackendEvalError),
    severity: Severity::Error,
    summary: "the backend failed while the statement ran",
    explanation: "The message is DuckDB's own, or Spark's. Often a file of the dataset has gone, is still being written, or is \
damaged. The rule has no verdict: it is not a rule without matches.",
};

static COLUMN_TYPE: Code = Code {
    name: "column_type",
    reason: Some(ReasonCode::BackendEvalError),
    severity: Severity::Error,
    summary: "the dataset stores a column in another type than OCSF gives it",
    explanation: "Plans are made from the pinned OCSF catalog, and comparisons are strict. A column of another type \
is never converted in silence: text that looks like a number would compare in another way. Normalise the column to the \
type that the message names.",
};

/// All codes that rules and their events can get here, by name.
#[must_use]
pub fn codes() -> Vec<&'static Code> {
    vec![&COLUMN_TYPE, &DATASET_OCSF_VERSION, &EVALUATION_FAILED, &STATEMENT_REFUSED]
}

impl EvalError {
    /// The finding, about the rule that stands at `span` of `path`.
    #[must_use]
    pub fn diagnostic(&self, path: &Path, span: Span) -> Diagnostic {
        let code = match self {
            Self::ColumnType { .. } => &COLUMN_TYPE,
            error if error.is_compile() => &STATEMENT_REFUSED,
            _ => &EVALUATION_FAILED,
        };
        Diagnostic { code, message: self.to_string(), path: path.to_path_buf(), span, help: None }
    }
}
