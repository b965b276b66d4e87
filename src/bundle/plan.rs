//! `bridge/compiled_plans/<name>.plan.json`: what became of one rule, in full.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{RuleRoots, RunInputs, canonical, ir, pack_document};
use crate::backend::spark_sql::SPARK_VERSION;
use crate::backend::{BackendId, CompiledRule};
use crate::bridge::{Compilation, Diagnostic, FieldResolution, ReasonCode, Resolution, Severity};
use crate::ocsf::{FieldType, OcsfPath};
use crate::pack::Pack;
use crate::sigma::{Body, Capability};
use crate::store::DUCKDB_VERSION;

/// A compiled plan. Field order is that of the schema, `schemas/bridge_compiled_plan.schema.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlanDocument {
    pub(super) schema_version: u32,
    /// Over the rest of the plan without `backend.settings.threads`, which changes no plan.
    pub(super) plan_sha256: String,
    pub(super) rule: RuleRecord,
    pub(super) mapping_pack: PackRecord,
    pub(super) backend: BackendRecord,
    pub(super) compiler: ToolRecord,
    pub(super) executable: bool,
    pub(super) non_executable: Option<Refusal>,
    pub(super) compilation: CompilationRecord,
    pub(super) diagnostics: Vec<Finding>,
}

/// The rule.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleRecord {
    pub(super) id: Option<String>,
    pub(super) title: String,
    pub(super) kind: RuleKind,
    pub(super) level: Option<String>,
    pub(super) technique_ids: BTreeSet<String>,
    /// Verbatim.
    pub(super) logsource: BTreeMap<String, String>,
    /// Below the folder that the user named.
    pub(super) path: String,
    /// Which document of the file, from 0.
    pub(super) document: usize,
    /// Of the whole file: documents of one file can depend on each other.
    pub(super) sha256: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum RuleKind {
    Event,
    Correlation,
    Filter,
    Unreadable,
}

/// By what the rule was compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PackRecord {
    pub(super) id: String,
    pub(super) version: String,
    pub(super) ocsf_version: String,
    pub(super) sha256: String,
    pub(super) router_table_sha256: String,
}

/// The backend with its effective settings (specification, "Backend provenance").
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BackendRecord {
    pub(super) id: String,
    pub(super) version: String,
    pub(super) settings: RunSettings,
}

/// The settings that a bundle was made with, as they were in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunSettings {
    /// Threads of the DuckDB session.
    pub threads: u32,
    /// Its time zone.
    pub timezone: String,
    /// What was switched on, by the pack or the user.
    pub capabilities: BTreeSet<Capability>,
    /// Whether `raw.*` was permitted, by the pack or the user.
    pub raw_fallback_enabled: bool,
    /// What becomes of a rule that cannot run as it says.
    pub fail_mode: FailMode,
    /// Where the user asked for a cache of plans. There is none: nothing is read from there or written to it.
    pub compile_cache_dir: Option<String>,
}

/// What becomes of a rule that cannot run as it says (`detection.sigma.bridge.fail_mode`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailMode {
    /// It is non-executable, with its reason. There is no other.
    #[default]
    FailClosed,
}

/// A program. The specification asks for pySigma's version here; rules are compiled by this program itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToolRecord {
    pub(super) name: String,
    pub(super) version: String,
}

impl ToolRecord {
    pub(super) fn this() -> Self {
        Self { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// Why a rule cannot run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refusal {
    pub(super) reason_code: ReasonCode,
    /// The code of the finding that gave the reason.
    pub(super) subcode: String,
    pub(super) explanation: String,
    pub(super) help: Option<String>,
}

/// Route, fields and the executable content.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CompilationRecord {
    pub(super) routed_scope: Option<Value>,
    pub(super) fields: FieldRecords,
    pub(super) fallback_used: bool,
    /// Whether its matches are detections; not so for a rule that runs within correlations only.
    pub(super) reported: bool,
    /// Every column that the statement reads, with the type it counts on.
    pub(super) columns: BTreeMap<OcsfPath, ColumnRecord>,
    /// What windows of a correlation are grouped by; empty for any other rule.
    pub(super) group_by: Vec<String>,
    pub(super) sql: Option<String>,
    pub(super) ir: Option<Value>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldRecords {
    pub(super) mapped: Vec<FieldRecord>,
    pub(super) raw_fallback: Vec<FieldRecord>,
    pub(super) unmapped: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FieldRecord {
    pub(super) field: String,
    pub(super) expr: String,
    #[serde(rename = "type")]
    pub(super) field_type: Option<FieldType>,
    pub(super) list: bool,
    /// The scope of the pack that it was found at.
    pub(super) scope: String,
    pub(super) columns: Vec<OcsfPath>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnRecord {
    #[serde(rename = "type")]
    pub(super) field_type: FieldType,
    pub(super) list: bool,
}

/// A finding, wherever it stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Finding {
    pub(super) code: String,
    pub(super) reason_code: Option<ReasonCode>,
    pub(super) severity: Severity,
    pub(super) message: String,
    pub(super) help: Option<String>,
    pub(super) path: String,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// What all plans of a bundle have in common.
#[derive(Clone, Debug)]
pub(super) struct PlanContext<'a> {
    roots: &'a RuleRoots,
    pack: PackRecord,
    backend: BackendRecord,
    /// Of every rule, as findings show them.
    paths: BTreeSet<&'a Path>,
}

impl<'a> PlanContext<'a> {
    pub(super) fn new(inputs: &RunInputs<'a>) -> Self {
        let paths = inputs.compiled.iter().map(|compiled| &*compiled.compilation.rule.path);
        Self {
            roots: inputs.roots,
            pack: PackRecord::of(inputs.pack),
            backend: BackendRecord::of(inputs),
            paths: paths.collect(),
        }
    }

    /// A text of a finding, the rule files in it told from the root.
    fn told(&self, text: &str) -> String {
        let mut told = text.to_owned();
        if self.roots.occurs_in(text) {
            for path in &self.paths {
                let shown = path.display().to_string();
                if told.contains(&shown) {
                    told = told.replace(&shown, &self.roots.relative(path));
                }
            }
        }
        told
    }
}

impl BackendRecord {
    fn of(inputs: &RunInputs<'_>) -> Self {
        let version = match inputs.backend {
            BackendId::DuckdbSql => DUCKDB_VERSION,
            BackendId::Interpreter => env!("CARGO_PKG_VERSION"),
            BackendId::SparkSql => SPARK_VERSION,
        };
        Self {
            id: inputs.backend.as_str().to_owned(),
            version: version.to_owned(),
            settings: inputs.settings.clone(),
        }
    }
}

impl PackRecord {
    pub(super) fn of(pack: &Pack) -> Self {
        Self {
            id: pack.manifest.id.clone(),
            version: pack.manifest.version.clone(),
            ocsf_version: pack.manifest.ocsf_version.clone(),
            sha256: pack.sha256.clone(),
            router_table_sha256: pack_document::router_table_sha256(pack),
        }
    }
}

impl PlanDocument {
    /// The plan of `compiled`; `failure` is why it did not run, where it has a statement and failed.
    pub(super) fn new(
        compiled: &CompiledRule,
        failure: Option<&Diagnostic>,
        context: &PlanContext<'_>,
    ) -> Result<Self, serde_json::Error> {
        let compilation = &compiled.compilation;
        let found = compilation.diagnostics.iter().chain(failure);
        let mut document = Self {
            schema_version: super::SCHEMA_VERSION,
            plan_sha256: String::new(),
            rule: rule(compilation, context.roots),
            mapping_pack: context.pack.clone(),
            backend: context.backend.clone(),
            compiler: ToolRecord::this(),
            executable: compilation.is_executable() && failure.is_none(),
            non_executable: failure
                .or_else(|| compilation.refusal())
                .and_then(|finding| refusal(finding, context)),
            compilation: record(compiled),
            diagnostics: found.map(|finding| Finding::new(finding, context)).collect(),
        };
        document.plan_sha256 = document.hash()?;
        Ok(document)
    }

    /// What `plan_sha256` has to be.
    pub(super) fn hash(&self) -> Result<String, serde_json::Error> {
        let mut document = canonical::value(self)?;
        if let Some(map) = document.as_object_mut() {
            map.remove("plan_sha256");
        }
        if let Some(settings) = document.pointer_mut("/backend/settings").and_then(Value::as_object_mut) {
            settings.remove("threads");
        }
        Ok(canonical::hash(&document))
    }
}

fn rule(compilation: &Compilation, roots: &RuleRoots) -> RuleRecord {
    let rule = &compilation.rule;
    RuleRecord {
        id: rule.id().map(|id| id.0.clone()),
        title: rule.title(),
        kind: match rule.body {
            Body::Event(_) => RuleKind::Event,
            Body::Correlation(_) => RuleKind::Correlation,
            Body::Filter(_) => RuleKind::Filter,
            Body::Unreadable => RuleKind::Unreadable,
        },
        level: rule.metadata.level.as_ref().map(|level| level.value.as_str().to_owned()),
        technique_ids: rule.metadata.tags.iter().filter_map(|tag| technique(&tag.value)).collect(),
        logsource: rule.logsource.stated(),
        path: roots.relative(&rule.path),
        document: rule.document,
        sha256: canonical::sha256(rule.text.as_bytes()),
    }
}

/// `attack.t1059.001` as ATT&CK writes it.
fn technique(tag: &str) -> Option<String> {
    let id = tag.trim().to_ascii_uppercase();
    let id = id.strip_prefix("ATTACK.T")?;
    let (technique, sub) = id.split_once('.').map_or((id, None), |(technique, sub)| (technique, Some(sub)));
    let digits = |text: &str, count| text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    let known = digits(technique, 4) && sub.is_none_or(|sub| digits(sub, 3));
    known.then(|| format!("T{id}"))
}

fn refusal(finding: &Diagnostic, context: &PlanContext<'_>) -> Option<Refusal> {
    Some(Refusal {
        reason_code: finding.code.reason?,
        subcode: finding.code.name.to_owned(),
        explanation: context.told(&finding.message),
        help: finding.help.as_deref().map(|help| context.told(help)),
    })
}

fn record(compiled: &CompiledRule) -> CompilationRecord {
    let compilation = &compiled.compilation;
    let (columns, ir) = match (&compilation.plan, &compilation.correlation) {
        (Some(plan), _) => (Some(&plan.columns), Some(ir::event(plan))),
        (None, Some(plan)) => (Some(&plan.columns), Some(ir::correlation(plan))),
        (None, None) => (None, None),
    };
    let columns = columns.into_iter().flatten().map(|(path, column)| {
        (path.clone(), ColumnRecord { field_type: column.field_type, list: column.list })
    });
    let keys = compilation.correlation.as_ref().and_then(|plan| plan.steps.last()).map(|step| &step.keys);
    CompilationRecord {
        routed_scope: compilation.routing.scope.as_deref().map(pack_document::scope),
        fields: fields(&compilation.fields),
        fallback_used: compilation.fallback_used(),
        reported: compilation.reported,
        columns: columns.collect(),
        group_by: keys.into_iter().flatten().map(|key| key.name.0.clone()).collect(),
        sql: compiled.sql.as_ref().map(|sql| sql.text.clone()),
        ir,
    }
}

/// Each list by field name in byte order, as the compilation has them.
fn fields(resolved: &[FieldResolution]) -> FieldRecords {
    let mut records = FieldRecords::default();
    for field in resolved {
        let record = || FieldRecord {
            field: field.field.0.clone(),
            expr: field.expr.to_string(),
            field_type: field.field_type,
            list: field.list,
            scope: field.scope.to_string(),
            columns: field.columns.to_vec(),
        };
        match field.resolution {
            Resolution::Mapped => records.mapped.push(record()),
            Resolution::RawFallback => records.raw_fallback.push(record()),
            Resolution::Unmapped => records.unmapped.push(field.field.0.clone()),
        }
    }
    records
}

impl Finding {
    fn new(finding: &Diagnostic, context: &PlanContext<'_>) -> Self {
        Self {
            code: finding.code.name.to_owned(),
            reason_code: finding.code.reason,
            severity: finding.code.severity,
            message: context.told(&finding.message),
            help: finding.help.as_deref().map(|help| context.told(help)),
            path: context.roots.relative(&finding.path),
            line: finding.span.start.line,
            column: finding.span.start.column,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::technique;

    #[test]
    fn techniques_are_read_from_tags_and_nothing_else_is() {
        assert_eq!(technique("attack.t1059.001").as_deref(), Some("T1059.001"));
        assert_eq!(technique(" ATTACK.T1003").as_deref(), Some("T1003"));
        for tag in [
            "attack.execution",
            "attack.t10",
            "attack.t1059.1",
            "attack.t1059.001.2",
            "t1059",
            "attack.ta0001",
            "cve.2021-1",
        ] {
            assert_eq!(technique(tag), None, "{tag}");
        }
    }
}
