//! Filters (`sigma_semantics.md` 8): which rules each narrows, and what it adds to them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::compile::{Context, resolution};
use super::diagnostic::{Code, Diagnostic, Severity};
use super::ir::{Expr, Predicate};
use super::language;
use super::lower::Lowering;
use super::plan::{Compilation, FieldResolution};
use super::reason::ReasonCode;
use super::references::References;
use super::resolve::Resolver;
use super::settings::switch_on;
use crate::sigma::{Body, Capability, Expression, Filter, LogSource, Rule, Span, Spanned};

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

/// A filter that excludes nothing by name.
static FILTER_WITHOUT_NOT: Code = Code {
    name: "filter_without_not",
    reason: None,
    severity: Severity::Warning,
    summary: "the filter's condition has no `not`",
    explanation: "The condition of a filter is joined to that of the rule by `and`, as it is written. Without a \
`not`, the rule then matches only the events that the filter describes, where most authors mean to exclude them: \
`condition: not selection`. If the filter is meant to keep just these events, leave it as it is.",
};

/// The codes of this file.
pub(crate) static CODES: [&Code; 2] = [&FILTERS_DISABLED, &FILTER_WITHOUT_NOT];

/// The filters of a set, in its order.
pub(super) fn of(rules: &[Arc<Rule>]) -> Vec<&Rule> {
    rules.iter().map(AsRef::as_ref).filter(|rule| matches!(rule.body, Body::Filter(_))).collect()
}

/// What the filter itself is told.
pub(super) fn check(
    rule: &Rule,
    filter: &Filter,
    context: &Context<'_>,
    references: &References<'_>,
) -> Vec<Diagnostic> {
    if !context.enabled.contains(&Capability::Filters) {
        let message = "a filter of other rules is outside the default subset".to_owned();
        let help = switch_on(Capability::Filters);
        return vec![diagnostic(&FILTERS_DISABLED, message, &rule.path, rule.span, help)];
    }
    let named = filter.rules.iter().filter(|named| named.value != "any");
    let mut findings: Vec<Diagnostic> =
        named.filter_map(|named| references.resolve(named, rule).err()).collect();
    findings.extend(without_not(rule, filter));
    findings
}

fn without_not(rule: &Rule, filter: &Filter) -> Option<Diagnostic> {
    let mut parsed = filter.detection.conditions.iter().filter_map(|c| c.expression.as_ref().ok()).peekable();
    let first = filter.detection.conditions.first()?;
    (parsed.peek().is_some() && !parsed.any(has_not)).then(|| {
        let message = "this filter keeps only the events that it describes".to_owned();
        let help = "write `not` before the selection to exclude them".to_owned();
        diagnostic(&FILTER_WITHOUT_NOT, message, &rule.path, first.text.span, help)
    })
}

fn has_not(expression: &Expression) -> bool {
    match expression {
        Expression::Not(_) => true,
        Expression::And(parts) | Expression::Or(parts) => parts.iter().any(has_not),
        Expression::Identifier(_) | Expression::Quantified(..) => false,
    }
}

/// The rule's `predicate` with those of the filters that apply to it. `None` where any part is refused: a rule
/// without its filter would report what the filter's author excluded.
pub(super) fn narrowed<'p>(
    compilation: &mut Compilation,
    predicate: Option<Expr>,
    resolver: Option<&Resolver<'p>>,
    context: &Context<'p>,
    filters: &[&Rule],
) -> Option<Expr> {
    let rule = Arc::clone(&compilation.rule);
    let mut parts = vec![predicate];
    for filter in filters {
        let Body::Filter(body) = &filter.body else { continue };
        if !applies(filter, body, &rule) {
            continue;
        }
        if context.enabled.contains(&Capability::Filters) {
            parts.push(lowered(compilation, filter, body, resolver, context));
        } else {
            compilation.diagnostics.push(disabled(&rule, filter));
            parts.push(None);
        }
    }
    let mut parts: Vec<Expr> = parts.into_iter().collect::<Option<_>>()?;
    match parts.len() {
        0 | 1 => parts.pop(),
        _ => Some(Expr::And(parts)),
    }
}

/// The filter's condition in the scope of the rule that it narrows.
fn lowered<'p>(
    compilation: &mut Compilation,
    filter: &Rule,
    body: &Filter,
    resolver: Option<&Resolver<'p>>,
    context: &Context<'p>,
) -> Option<Expr> {
    let errors = filter.problems.iter().filter(|problem| !problem.kind.is_warning());
    let errors: Vec<_> = errors.map(|problem| language::diagnostic(problem, &filter.path)).collect();
    let sound = errors.is_empty();
    compilation.diagnostics.extend(errors);
    let mut lowering = Lowering::new(resolver, &context.enabled, context.pack, filter);
    let predicate = lowering.detection(&body.detection);
    let found = lowering.diagnostics.drain(..).map(|found| Diagnostic {
        message: format!("in filter `{}`: {}", filter.title(), found.message),
        ..found
    });
    compilation.diagnostics.extend(found);
    let fields = lowering
        .fields
        .iter()
        .map(|(field, used)| FieldResolution { uses: Vec::new(), ..resolution(field, used) });
    add_fields(&mut compilation.fields, fields);
    let predicate = predicate.filter(|_| sound)?;
    let body = Arc::new(without_places(predicate));
    Some(Expr::Selection { name: format!("filter {}", filter.title()), span: Span::default(), body })
}

/// Adds fields that the rule does not use itself, keeping the order.
fn add_fields(fields: &mut Vec<FieldResolution>, more: impl Iterator<Item = FieldResolution>) {
    let mut by_name: BTreeMap<_, _> = fields.drain(..).map(|field| (field.field.clone(), field)).collect();
    for field in more {
        by_name.entry(field.field.clone()).or_insert(field);
    }
    fields.extend(by_name.into_values());
}

/// The same expression with empty spans: the filter stands in another file than the rule.
fn without_places(expr: Expr) -> Expr {
    let all = |parts: Vec<Expr>| parts.into_iter().map(without_places).collect();
    match expr {
        Expr::And(parts) => Expr::And(all(parts)),
        Expr::Or(parts) => Expr::Or(all(parts)),
        Expr::Not(part) => Expr::Not(Box::new(without_places(*part))),
        Expr::Selection { name, body, .. } => Expr::Selection {
            name,
            span: Span::default(),
            body: Arc::new(without_places(Arc::unwrap_or_clone(body))),
        },
        Expr::Predicate(predicate) => Expr::Predicate(Predicate { span: Span::default(), ..predicate }),
    }
}

fn disabled(rule: &Rule, filter: &Rule) -> Diagnostic {
    let message = format!("filter `{}` narrows this rule", filter.title());
    let help = format!("{}; or take the filter out of the rule set", switch_on(Capability::Filters));
    diagnostic(&FILTERS_DISABLED, message, &rule.path, rule.span, help)
}

fn diagnostic(code: &'static Code, message: String, path: &Path, span: Span, help: String) -> Diagnostic {
    Diagnostic { code, message, path: path.to_path_buf(), span, help: Some(help) }
}

/// Whether `filter`, a filter, narrows `rule`.
pub(super) fn narrows(filter: &Rule, rule: &Rule) -> bool {
    matches!(&filter.body, Body::Filter(body) if applies(filter, body, rule))
}

/// Whether `filter` narrows `rule`: it names the rule, and its log source covers the rule's.
fn applies(filter: &Rule, body: &Filter, rule: &Rule) -> bool {
    names(body, rule) && same_logsource(&filter.logsource, &rule.logsource)
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
        && filter.custom.iter().all(|(key, value)| rule.custom.get(key) == Some(value))
}
