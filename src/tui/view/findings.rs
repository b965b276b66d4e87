//! The findings about the selected rule, in one form whether it was compiled or not.

use crate::bridge::Severity;
use crate::sigma::Span;
use crate::tui::model::{Model, RuleEntry};

/// A finding as the panes show it.
#[derive(Clone, Debug)]
pub(super) struct Finding<'a> {
    /// The code's name; nothing for a rule that was not compiled.
    pub code: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: &'a str,
    /// What would fix it.
    pub help: Option<&'a str>,
    /// Where.
    pub span: Span,
}

/// The findings about a rule, in source order.
pub(super) fn findings(entry: &RuleEntry) -> Vec<Finding<'_>> {
    match &entry.compiled {
        Some(compiled) => compiled
            .compilation
            .diagnostics
            .iter()
            .map(|d| Finding {
                code: d.code.name,
                severity: d.code.severity,
                message: &d.message,
                help: d.help.as_deref(),
                span: d.span,
            })
            .collect(),
        None => entry
            .rule
            .problems
            .iter()
            .map(|p| Finding {
                code: "",
                severity: Severity::Error,
                message: &p.message,
                help: p.help.as_deref(),
                span: p.span,
            })
            .collect(),
    }
}

/// The line of the first error of the selected rule, else of its first finding.
pub(crate) fn first_finding_line(model: &Model) -> Option<u32> {
    let findings = findings(model.entry()?);
    let error = findings.iter().find(|f| f.severity == Severity::Error);
    error.or(findings.first()).map(|f| f.span.start.line)
}
