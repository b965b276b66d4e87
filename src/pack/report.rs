//! Collects what is wrong with a pack, file by file.

use std::path::Path;
use std::sync::Arc;

use super::PackPlace;
use crate::bridge::{Code, Diagnostic, Severity};
use crate::sigma::yaml::Node;
use crate::sigma::{Problem, Span};

/// The findings so far, and the file that is being read.
pub(super) struct Report {
    pub(super) path: Arc<Path>,
    pub(super) findings: Vec<Diagnostic>,
}

impl Default for Report {
    fn default() -> Self {
        Self { path: Path::new("").into(), findings: Vec::new() }
    }
}

impl Report {
    /// Notes a finding about the file that is being read.
    pub(super) fn raise(&mut self, code: &'static Code, span: Span, message: String, help: Option<String>) {
        self.findings.push(Diagnostic { code, message, path: self.path.to_path_buf(), span, help });
    }

    /// Whether nothing is wrong so far.
    pub(super) fn is_sound(&self) -> bool {
        self.findings.iter().all(|finding| finding.code.severity != Severity::Error)
    }

    /// Notes a finding that leaves nothing to go on with.
    pub(super) fn refuse<T>(
        &mut self,
        code: &'static Code,
        span: Span,
        message: String,
        help: impl Into<Option<String>>,
    ) -> Option<T> {
        self.raise(code, span, message, help.into());
        None
    }

    /// The value, or its problem noted under `code`.
    pub(super) fn accept<T>(&mut self, code: &'static Code, result: Result<T, Problem>) -> Option<T> {
        result.map_err(|problem| self.raise(code, problem.span, problem.message, problem.help)).ok()
    }

    /// A place in the file that is being read.
    pub(super) fn place(&self, span: Span) -> PackPlace {
        PackPlace { path: self.path.clone(), span }
    }
}

/// Where the value under these keys stands, or the innermost that there is.
pub(super) fn span_of(node: &Node, keys: &[&str]) -> Span {
    let innermost = keys.iter().try_fold(node, |node, key| node.get(key).ok_or(node));
    innermost.unwrap_or_else(|node| node).span
}
