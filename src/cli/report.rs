//! The document of `check --format json`. A contract: its schema is `schemas/check.schema.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Serialize;

use super::workspace::Workspace;
use crate::backend::CompiledRule;
use crate::bridge::{Diagnostic, ReasonCode, Resolution, Severity};
use crate::evaluate::{Summary, Verdict};
use crate::ocsf::{ClassUid, OCSF_VERSION};
use crate::sigma::Capability;
use crate::store::{DUCKDB_VERSION, Store};

#[derive(Debug, Serialize)]
pub(super) struct Report {
    #[serde(flatten)]
    head: Head,
    /// `None` where no events were given.
    dataset: Option<DatasetReport>,
    pub(super) totals: Totals,
    pub(super) reasons: BTreeMap<&'static str, usize>,
    pub(super) rules: Vec<RuleReport>,
}

/// What the events' files are like.
#[derive(Debug, Serialize)]
pub(super) struct DatasetReport {
    drift: Vec<DriftReport>,
    left_out: Vec<LeftOutReport>,
}

/// A column that is not stored alike in all files.
#[derive(Debug, Serialize)]
struct DriftReport {
    column: String,
    stored_as: Vec<StoredReport>,
    absent_from: Vec<String>,
    compatible: bool,
}

#[derive(Debug, Serialize)]
struct StoredReport {
    #[serde(rename = "type")]
    stored_type: String,
    file: String,
}

#[derive(Debug, Serialize)]
struct LeftOutReport {
    file: String,
    why: String,
}

impl DatasetReport {
    pub(super) fn of(store: &Store) -> Self {
        let name = |path: &PathBuf| path.display().to_string();
        let stored = |(stored_type, file): &(String, PathBuf)| StoredReport {
            stored_type: stored_type.clone(),
            file: name(file),
        };
        let drift = store.schema().drift.iter().map(|drift| DriftReport {
            column: drift.column.as_str().to_owned(),
            stored_as: drift.stored_as.iter().map(stored).collect(),
            absent_from: drift.absent_from.iter().map(name).collect(),
            compatible: drift.compatible,
        });
        let left_out = store.left_out().iter();
        let left_out = left_out.map(|file| LeftOutReport { file: name(&file.path), why: file.why.clone() });
        Self { drift: drift.collect(), left_out: left_out.collect() }
    }
}

/// What every document begins with: what made it, and what it depends on.
#[derive(Debug, Serialize)]
pub(super) struct Head {
    tool: Tool,
    duckdb_version: &'static str,
    ocsf_version: &'static str,
    pack: PackReference,
    settings: ReportSettings,
}

#[derive(Debug, Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Debug, Serialize)]
struct PackReference {
    id: String,
    version: String,
    sha256: String,
}

#[derive(Debug, Serialize)]
struct ReportSettings {
    threads: u32,
    timezone: &'static str,
    capabilities: BTreeSet<Capability>,
    raw_fallback: bool,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Totals {
    pub(super) rules: usize,
    pub(super) executable: usize,
    pub(super) non_executable: usize,
    pub(super) fallback_used: usize,
    pub(super) matched: usize,
    pub(super) match_events: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct RuleReport {
    pub(super) rule_id: Option<String>,
    pub(super) path: String,
    pub(super) title: String,
    pub(super) level: Option<&'static str>,
    logsource: BTreeMap<String, String>,
    pub(super) executable: bool,
    pub(super) reason_code: Option<ReasonCode>,
    pub(super) diagnostics: Vec<DiagnosticReport>,
    class_uids: Vec<ClassUid>,
    fields: Vec<FieldReport>,
    pub(super) fallback_used: bool,
    pub(super) verdict: &'static str,
    pub(super) matches: u64,
    pub(super) first_seen: Option<i64>,
    pub(super) last_seen: Option<i64>,
    pub(super) event_ids: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct DiagnosticReport {
    pub(super) code: &'static str,
    pub(super) reason_code: Option<ReasonCode>,
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) path: String,
    pub(super) line: u32,
    pub(super) column: u32,
    pub(super) help: Option<String>,
}

#[derive(Debug, Serialize)]
struct FieldReport {
    sigma_field: String,
    resolution: Resolution,
    expr: String,
}

/// What running a rule gave.
#[derive(Debug)]
pub(super) enum Outcome {
    /// There were no events to run it on, or it has no plan.
    NotRun,
    /// It ran.
    Ran { summary: Summary, event_ids: Vec<String> },
    /// The engine refused it.
    Failed(Diagnostic),
}

impl Head {
    pub(super) fn new(workspace: &Workspace) -> Self {
        let pack = &workspace.pack.pack.manifest;
        let capabilities = workspace.settings.capabilities.union(&pack.capabilities).copied().collect();
        Self {
            tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
            duckdb_version: DUCKDB_VERSION,
            ocsf_version: OCSF_VERSION,
            pack: PackReference {
                id: pack.id.clone(),
                version: pack.version.clone(),
                sha256: workspace.pack.pack.sha256.clone(),
            },
            settings: ReportSettings {
                threads: workspace.threads,
                timezone: "UTC",
                capabilities,
                raw_fallback: workspace.raw_fallback_enabled,
            },
        }
    }
}

impl Report {
    /// The report of `workspace`, with the outcome of each rule in order.
    pub(super) fn new(workspace: &Workspace, dataset: Option<DatasetReport>, outcomes: Vec<Outcome>) -> Self {
        let rules: Vec<RuleReport> = workspace
            .compiled
            .iter()
            .zip(outcomes)
            .map(|(compiled, outcome)| RuleReport::new(compiled, outcome))
            .collect();
        let (totals, reasons) = (totals(&rules), reasons(&rules));
        Self { head: Head::new(workspace), dataset, totals, reasons, rules }
    }
}

fn totals(rules: &[RuleReport]) -> Totals {
    let executable = rules.iter().filter(|rule| rule.executable).count();
    Totals {
        rules: rules.len(),
        executable,
        non_executable: rules.len() - executable,
        fallback_used: rules.iter().filter(|rule| rule.fallback_used).count(),
        matched: rules.iter().filter(|rule| rule.matches > 0).count(),
        match_events: rules.iter().map(|rule| rule.matches).sum(),
    }
}

fn reasons(rules: &[RuleReport]) -> BTreeMap<&'static str, usize> {
    let mut reasons = BTreeMap::new();
    for reason in rules.iter().filter_map(|rule| rule.reason_code) {
        *reasons.entry(reason.as_str()).or_default() += 1;
    }
    reasons
}

impl RuleReport {
    fn new(compiled: &CompiledRule, outcome: Outcome) -> Self {
        let compilation = &compiled.compilation;
        let rule = &compilation.rule;
        let mut report = Self {
            rule_id: rule.id().map(|id| id.0.clone()),
            path: rule.path.display().to_string(),
            title: rule.title(),
            level: rule.metadata.level.as_ref().map(|level| level.value.as_str()),
            logsource: rule.logsource.stated(),
            executable: compilation.is_executable(),
            reason_code: compilation.reason(),
            diagnostics: compilation.diagnostics.iter().map(DiagnosticReport::from).collect(),
            class_uids: compilation.routing.scope.as_ref().map_or(Vec::new(), |s| s.class_uids.clone()),
            fields: compilation.fields.iter().map(field).collect(),
            fallback_used: compilation.fallback_used(),
            verdict: Verdict::NonExecutable.as_str(),
            matches: 0,
            first_seen: None,
            last_seen: None,
            event_ids: Vec::new(),
        };
        if report.executable {
            report.take(outcome);
        }
        report
    }

    fn take(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::NotRun => self.verdict = Verdict::NotRun.as_str(),
            Outcome::Ran { summary, event_ids } => {
                let verdict = if summary.matches > 0 { Verdict::Matched } else { Verdict::NoMatch };
                self.verdict = verdict.as_str();
                self.matches = summary.matches;
                self.first_seen = summary.first_seen;
                self.last_seen = summary.last_seen;
                self.event_ids = event_ids;
            }
            Outcome::Failed(diagnostic) => {
                self.executable = false;
                self.reason_code = diagnostic.code.reason;
                self.diagnostics.push(DiagnosticReport::from(&diagnostic));
            }
        }
    }
}

fn field(field: &crate::bridge::FieldResolution) -> FieldReport {
    FieldReport {
        sigma_field: field.field.0.clone(),
        resolution: field.resolution,
        expr: field.expr.to_string(),
    }
}

impl From<&Diagnostic> for DiagnosticReport {
    fn from(diagnostic: &Diagnostic) -> Self {
        Self {
            code: diagnostic.code.name,
            reason_code: diagnostic.code.reason,
            severity: diagnostic.code.severity,
            message: diagnostic.message.clone(),
            path: diagnostic.path.display().to_string(),
            line: diagnostic.span.start.line,
            column: diagnostic.span.start.column,
            help: diagnostic.help.clone(),
        }
    }
}
