//! Compiling: everything the bridge can say of a rule, and the plan where it is executable.
//!
//! A pure function of rules, pack and settings (specification, "Deterministic compilation inputs").

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::diagnostic::{Code, Diagnostic, Severity};
use super::lower::{FieldUse, Lowering};
use super::plan::{ColumnType, Compilation, FieldResolution, Plan, Resolution, Routing};
use super::reason::ReasonCode;
use super::resolve::Resolver;
use super::route::{self, Tokens};
use super::settings::Settings;
use super::{ir::Expr, language};
use crate::ocsf::OcsfPath;
use crate::pack::{Alias, Column, Pack};
use crate::sigma::{Body, Capability, Detection, Filter, LogSource, Rule, RuleId, SigmaField, Spanned};

/// A correlation, with correlations off.
static CORRELATION_DISABLED: Code = Code {
    name: "correlation_disabled",
    reason: Some(ReasonCode::UnsupportedOperator),
    severity: Severity::Error,
    summary: "a correlation of several events",
    explanation: "The default subset matches single events. Correlations (event_count, value_count, temporal and \
the like) are outside it; capability `correlation` stands for them. The rules that it refers to run by themselves.",
};

/// A filter, or a rule that a filter narrows, with filters off.
static FILTERS_DISABLED: Code = Code {
    name: "filters_disabled",
    reason: Some(ReasonCode::UnsupportedOperator),
    severity: Severity::Error,
    summary: "a filter, or a rule that a filter of this set narrows",
    explanation: "A filter excludes events from the rules that it names. Without it these rules would report what \
their author excluded, so that the filter and every rule it applies to are refused. Capability `filters` stands for \
it; or take the filter out of the rule set.",
};

/// Two rules of one id.
static DUPLICATE_RULE_ID: Code = Code {
    name: "duplicate_rule_id",
    reason: Some(ReasonCode::BackendCompileError),
    severity: Severity::Error,
    summary: "two rules of the set have the same id",
    explanation: "Plans, detections and references name a rule by its id, so that two rules of one id cannot be \
told apart. All but the first are refused. Give each rule an id of its own.",
};

/// The codes of this file.
pub(crate) static CODES: [&Code; 3] = [&CORRELATION_DISABLED, &FILTERS_DISABLED, &DUPLICATE_RULE_ID];

/// Compiles a set of rules. One [`Compilation`] for each, in order, executable or not.
#[must_use]
pub fn compile(rules: &[Arc<Rule>], pack: &Pack, settings: &Settings) -> Vec<Compilation> {
    let duplicates = duplicates(rules);
    let filters: Vec<&Rule> =
        rules.iter().map(AsRef::as_ref).filter(|rule| matches!(rule.body, Body::Filter(_))).collect();
    let mut compilations = Vec::with_capacity(rules.len());
    for (index, rule) in rules.iter().enumerate() {
        let mut set_findings: Vec<Diagnostic> = duplicates.get(&index).cloned().into_iter().collect();
        set_findings.extend(filters.iter().filter_map(|filter| filtered(rule, filter)));
        compilations.push(compile_rule(rule, pack, settings, set_findings));
    }
    compilations
}

fn compile_rule(rule: &Arc<Rule>, pack: &Pack, settings: &Settings, found: Vec<Diagnostic>) -> Compilation {
    let mut compilation = Compilation {
        rule: Arc::clone(rule),
        routing: Routing::default(),
        fields: Vec::new(),
        diagnostics: rule.problems.iter().map(|p| language::diagnostic(p, &rule.path)).collect(),
        plan: None,
    };
    compilation.diagnostics.extend(found);
    match &rule.body {
        Body::Event(detection) => compile_event(&mut compilation, detection, pack, settings),
        Body::Correlation(_) => compilation.diagnostics.push(disabled(
            rule,
            &CORRELATION_DISABLED,
            "a correlation of several events",
            Capability::Correlation,
        )),
        Body::Filter(_) => compilation.diagnostics.push(disabled(
            rule,
            &FILTERS_DISABLED,
            "a filter of other rules",
            Capability::Filters,
        )),
        Body::Unreadable => {}
    }
    compilation.diagnostics.sort_by_key(|d| (d.span.start, d.span.end));
    if compilation.refusal().is_some() {
        compilation.plan = None;
    }
    compilation
}

fn compile_event(compilation: &mut Compilation, detection: &Detection, pack: &Pack, settings: &Settings) {
    let rule = Arc::clone(&compilation.rule);
    let (routing, unrouted) = route::route(&rule, detection, pack);
    compilation.diagnostics.extend(unrouted);
    compilation.routing = routing;
    let enabled: BTreeSet<Capability> =
        settings.capabilities.union(&pack.manifest.capabilities).copied().collect();
    let scope = compilation.routing.scope.clone();
    let resolver = scope.as_ref().map(|scope| Resolver {
        pack,
        settings,
        tokens: Tokens::of(&rule.logsource),
        scope,
        rule: &rule.path,
    });
    let mut lowering = Lowering::new(resolver.as_ref(), &enabled, pack, &rule);
    let predicate = lowering.detection(detection);
    let warnings = lowering.unreached(detection);
    compilation.diagnostics.append(&mut lowering.diagnostics);
    compilation.diagnostics.extend(warnings);
    compilation.fields = lowering.fields.iter().map(|(field, used)| resolution(field, used)).collect();
    if let (Some(scope), Some(predicate)) = (&scope, predicate) {
        compilation.plan = Some(plan(scope.clone(), predicate, &compilation.fields, enabled));
    }
}

fn plan(
    scope: super::plan::RoutedScope,
    predicate: Expr,
    fields: &[FieldResolution],
    capabilities: BTreeSet<Capability>,
) -> Plan {
    let mut columns: BTreeMap<OcsfPath, ColumnType> = scope
        .filters
        .iter()
        .map(|f| (f.path.clone(), ColumnType { field_type: f.field_type, list: f.list }))
        .collect();
    predicate.visit_columns(&mut |column: &Column| {
        columns.insert(column.path.clone(), ColumnType { field_type: column.field_type, list: column.list });
    });
    let mut by_use: Vec<&FieldResolution> = fields.iter().collect();
    by_use.sort_by_key(|field| field.uses.first().copied());
    let mut shown: Vec<OcsfPath> = Vec::new();
    for path in by_use.iter().flat_map(|field| &field.columns) {
        if columns.contains_key(path) && !shown.contains(path) {
            shown.push(path.clone());
        }
    }
    let fallback_used = fields.iter().any(|field| field.resolution == Resolution::RawFallback);
    Plan { scope, predicate, columns, shown, fallback_used, capabilities }
}

fn resolution(field: &SigmaField, used: &FieldUse<'_>) -> FieldResolution {
    let unmapped = FieldResolution {
        field: field.clone(),
        resolution: Resolution::Unmapped,
        expr: String::new(),
        field_type: None,
        list: false,
        columns: Vec::new(),
        scope: String::new(),
        transforms: String::new(),
        place: None,
        uses: used.uses.clone(),
    };
    let Ok(resolved) = &used.resolved else { return unmapped };
    let alias = resolved.alias;
    FieldResolution {
        resolution: resolved.resolution,
        expr: alias.target.to_string(),
        field_type: Some(resolved.field_type),
        list: alias.target.list(),
        columns: alias.target.columns().into_iter().map(|column| column.path.clone()).collect(),
        scope: resolved.scope.to_string(),
        transforms: transforms(alias),
        place: Some(alias.place.clone()),
        ..unmapped
    }
}

/// What an alias does to the rules' literals, in a few words.
fn transforms(alias: &Alias) -> String {
    let mut parts: Vec<String> = Vec::new();
    if !alias.values.is_empty() {
        let pairs: Vec<String> = alias.values.iter().map(|(from, to)| format!("{from} → {to}")).collect();
        parts.push(format!("values {}", pairs.join(", ")));
    }
    if let Some(literal) = alias.literal {
        parts.push(format!("literals as {}", literal.as_str()));
    }
    parts.join("; ")
}

fn disabled(rule: &Rule, code: &'static Code, what: &str, capability: Capability) -> Diagnostic {
    Diagnostic {
        code,
        message: format!("{what} is outside the default subset"),
        path: rule.path.to_path_buf(),
        span: rule.span,
        help: Some(format!("capability `{capability}` stands for it")),
    }
}

/// For each rule whose id an earlier rule has, the finding that says so.
fn duplicates(rules: &[Arc<Rule>]) -> BTreeMap<usize, Diagnostic> {
    let mut first: BTreeMap<&RuleId, &Rule> = BTreeMap::new();
    let mut findings = BTreeMap::new();
    for (index, rule) in rules.iter().enumerate() {
        let Some(id) = &rule.metadata.id else { continue };
        match first.get(&id.value) {
            None => drop(first.insert(&id.value, rule)),
            Some(earlier) => {
                let line = earlier.span.start.line;
                let diagnostic = Diagnostic {
                    code: &DUPLICATE_RULE_ID,
                    message: format!(
                        "DUPLICATE_RULE_ID: `{}` is also the id of {}:{line}",
                        id.value,
                        earlier.path.display()
                    ),
                    path: rule.path.to_path_buf(),
                    span: id.span,
                    help: Some("give this rule an id of its own".to_owned()),
                };
                findings.insert(index, diagnostic);
            }
        }
    }
    findings
}

/// The finding of a rule that `filter` narrows (`sigma_semantics.md` 8).
fn filtered(rule: &Rule, filter: &Rule) -> Option<Diagnostic> {
    let (Body::Event(_), Body::Filter(body)) = (&rule.body, &filter.body) else { return None };
    let applies = names(body, rule) && same_logsource(&filter.logsource, &rule.logsource);
    applies.then(|| Diagnostic {
        code: &FILTERS_DISABLED,
        message: format!("filter `{}` narrows this rule", filter.title()),
        path: rule.path.to_path_buf(),
        span: rule.span,
        help: Some(format!(
            "capability `{}` stands for it; or take the filter out of the rule set",
            Capability::Filters
        )),
    })
}

fn names(filter: &Filter, rule: &Rule) -> bool {
    let id = rule.id().map(|id| id.0.as_str());
    let name = rule.metadata.name.as_ref().map(|name| name.value.as_str());
    filter.rules.is_empty()
        || filter
            .rules
            .iter()
            .map(|named| Some(named.value.as_str()))
            .any(|named| named == Some("any") || named == id || named == name)
}

/// Whether `rule` has every field of the filter's log source, with the same value.
fn same_logsource(filter: &LogSource, rule: &LogSource) -> bool {
    let same = |wanted: &Option<Spanned<String>>, stated: &Option<Spanned<String>>| match wanted {
        None => true,
        Some(wanted) => stated.as_ref().is_some_and(|stated| stated.value == wanted.value),
    };
    same(&filter.category, &rule.category)
        && same(&filter.product, &rule.product)
        && same(&filter.service, &rule.service)
}
