//! Compiling: everything the bridge can say of a rule, and the plan where it is executable.
//!
//! A pure function of rules, pack and settings (specification, "Deterministic compilation inputs").

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::diagnostic::Diagnostic;
use super::lower::{FieldUse, Lowering};
use super::plan::{ColumnType, Compilation, FieldResolution, Plan, Resolution, RoutedScope, Routing};
use super::references::{self, References};
use super::resolve::Resolvers;
use super::route::{Router, Tokens};
use super::settings::Settings;
use super::{correlate, filters, ir::Expr, language};
use crate::ocsf::OcsfPath;
use crate::pack::{Column, Pack};
use crate::sigma::{Body, Capability, Detection, Rule, SigmaField};

/// What every rule is compiled with.
pub(super) struct Context<'p> {
    pub(super) pack: &'p Pack,
    /// What is switched on, by the settings or the pack.
    pub(super) enabled: BTreeSet<Capability>,
    router: Router<'p>,
    pub(super) resolvers: Resolvers<'p>,
}

/// Compiles a set of rules. One [`Compilation`] for each, in order, executable or not.
#[must_use]
pub fn compile(rules: &[Arc<Rule>], pack: &Pack, settings: &Settings) -> Vec<Compilation> {
    let enabled = settings.capabilities.union(&pack.manifest.capabilities).copied().collect();
    let resolvers = Resolvers::new(pack, settings);
    let context = Context { pack, enabled, router: Router::new(pack), resolvers };
    let references = References::new(rules);
    let filters = filters::of(rules);
    let mut compilations: Vec<Compilation> =
        rules.iter().map(|rule| compile_rule(rule, &context, &filters, &references)).collect();
    for (index, finding) in references::duplicates(rules) {
        if let Some(compilation) = compilations.get_mut(index) {
            compilation.diagnostics.push(finding);
            compilation.plan = None;
        }
    }
    correlate::correlate(&mut compilations, &context, &references);
    compilations.iter_mut().for_each(in_source_order);
    compilations
}

/// Findings about another file, that of a filter, stand last.
fn in_source_order(compilation: &mut Compilation) {
    let path = Arc::clone(&compilation.rule.path);
    compilation.diagnostics.sort_by(|one, other| {
        let key = |d: &Diagnostic| (d.path != *path, d.span.start, d.span.end);
        key(one).cmp(&key(other))
    });
}

fn compile_rule(
    rule: &Arc<Rule>,
    context: &Context<'_>,
    filters: &[&Rule],
    references: &References<'_>,
) -> Compilation {
    let mut compilation = Compilation {
        rule: Arc::clone(rule),
        routing: Routing::default(),
        fields: Vec::new(),
        diagnostics: rule.problems.iter().map(|p| language::diagnostic(p, &rule.path)).collect(),
        plan: None,
        correlation: None,
        reported: true,
    };
    match &rule.body {
        Body::Event(detection) => compile_event(&mut compilation, detection, context, filters),
        Body::Filter(filter) => {
            compilation.diagnostics.extend(filters::check(rule, filter, context, references));
        }
        Body::Correlation(_) | Body::Unreadable => {}
    }
    if compilation.refusal().is_some() {
        compilation.plan = None;
    }
    compilation
}

fn compile_event(
    compilation: &mut Compilation,
    detection: &Detection,
    context: &Context<'_>,
    filters: &[&Rule],
) {
    let rule = Arc::clone(&compilation.rule);
    let (routing, unrouted) = context.router.route(&rule, detection);
    compilation.diagnostics.extend(unrouted);
    compilation.routing = routing;
    let scope = compilation.routing.scope.clone();
    let resolver = scope.as_ref().map(|scope| context.resolvers.of(Tokens::of(&rule.logsource), scope));
    let resolver = resolver.as_deref();
    let mut lowering = Lowering::new(resolver, &context.enabled, context.pack, &rule);
    let predicate = lowering.detection(detection);
    let warnings = lowering.unreached(detection);
    compilation.diagnostics.append(&mut lowering.diagnostics);
    compilation.diagnostics.extend(warnings);
    compilation.fields = lowering.fields.iter().map(|(field, used)| resolution(field, used)).collect();
    let predicate = filters::narrowed(compilation, predicate, resolver, context, filters);
    if let (Some(scope), Some(predicate)) = (&scope, predicate) {
        compilation.plan = Some(plan(scope.clone(), predicate, &compilation.fields, context.enabled.clone()));
    }
}

fn plan(
    scope: Arc<RoutedScope>,
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
        if !columns.contains_key(&column.path) {
            let of = ColumnType { field_type: column.field_type, list: column.list };
            columns.insert(column.path.clone(), of);
        }
    });
    let mut by_use: Vec<&FieldResolution> = fields.iter().collect();
    by_use.sort_by_key(|field| (field.uses.is_empty(), field.uses.first().copied()));
    let mut shown: Vec<OcsfPath> = Vec::new();
    for path in by_use.iter().flat_map(|field| field.columns.iter()) {
        if columns.contains_key(path) && !shown.contains(path) {
            shown.push(path.clone());
        }
    }
    let fallback_used = fields.iter().any(|field| field.resolution == Resolution::RawFallback);
    Plan { scope, predicate, columns, shown, fallback_used, capabilities }
}

pub(super) fn resolution(field: &SigmaField, used: &FieldUse<'_>) -> FieldResolution {
    let uses = used.uses.clone();
    match &used.resolved {
        Ok(resolved) => FieldResolution { uses, ..resolved.told.clone() },
        Err(_) => FieldResolution { uses, ..FieldResolution::unmapped(field.clone()) },
    }
}
