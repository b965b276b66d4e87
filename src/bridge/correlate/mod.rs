//! Correlations (`sigma_semantics.md` 7): from references between rules to plans over windows.

mod assemble;
mod order;
mod plan;
mod step;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::compile::Context;
use super::diagnostic::{Code, Diagnostic, Severity};
use super::plan::Compilation;
use super::reason::ReasonCode;
use super::references::References;
use super::settings::switch_on;
use crate::sigma::{Body, Capability, Correlation, Expression, Rule, Span, Spanned, WindowCondition};

pub use plan::*;

/// A correlation, with correlations off.
static CORRELATION_DISABLED: Code = Code {
    name: "correlation_disabled",
    reason: Some(ReasonCode::UnsupportedOperator),
    severity: Severity::Error,
    summary: "a correlation of several events",
    explanation: "The default subset matches single events. Correlations (event_count, value_count, temporal and \
the like) are outside it; capability `correlation` stands for them. The rules that it refers to run by themselves.",
};

/// Correlations that refer to each other.
static CORRELATION_CYCLE: Code = Code {
    name: "correlation_cycle",
    reason: Some(ReasonCode::BackendCompileError),
    severity: Severity::Error,
    summary: "correlations refer to each other in a circle",
    explanation: "A correlation takes the windows of another as its events, so that no correlation can depend on \
its own windows. Every correlation of the circle is refused. Remove one of the references.",
};

/// A key or value that windows cannot work with.
pub(super) static CORRELATION_VALUE_TYPE: Code = Code {
    name: "correlation_value_type",
    reason: Some(ReasonCode::UnsupportedValueType),
    severity: Severity::Error,
    summary: "a field of a type that the correlation cannot group by or measure",
    explanation: "Fields to group by, and those whose distinct values are counted, have one value an event, and \
the same type in every rule; sums, averages, medians and percentiles are of numbers. Where the rules differ, map the \
field to one type, or name a field of the right type for each rule under `aliases`.",
};

/// The codes of this file.
pub(super) static CODES: [&Code; 3] = [&CORRELATION_DISABLED, &CORRELATION_CYCLE, &CORRELATION_VALUE_TYPE];

/// A rule that a correlation refers to.
struct Reference {
    /// Its place in the set.
    index: usize,
    name: Spanned<String>,
}

/// Plans the correlations of a set whose event rules are compiled, and settles which rules report.
pub(super) fn correlate(
    compilations: &mut [Compilation],
    context: &Context<'_>,
    references: &References<'_>,
) {
    let enabled = context.enabled.contains(&Capability::Correlation);
    let mut referred: BTreeMap<usize, Vec<Reference>> = BTreeMap::new();
    for (index, compilation) in compilations.iter_mut().enumerate() {
        let rule = Arc::clone(&compilation.rule);
        let Body::Correlation(correlation) = &rule.body else { continue };
        if enabled {
            let found = refer(&rule, correlation, references, &mut compilation.diagnostics);
            referred.insert(index, found);
        } else {
            compilation.diagnostics.push(disabled(&rule));
        }
    }
    let graph = referred
        .iter()
        .map(|(index, references)| (*index, references.iter().map(|r| r.index).collect::<BTreeSet<_>>()))
        .map(|(index, targets)| (index, targets.into_iter().filter(|t| referred.contains_key(t)).collect()))
        .collect();
    let (sorted, circles) = order::order(&graph);
    for index in circles {
        refuse_circle(compilations, &referred, &graph, index);
    }
    let mut steps = BTreeMap::new();
    for index in sorted {
        let Some(references) = referred.get(&index) else { continue };
        plan_one(compilations, context, index, references, &mut steps);
    }
    settle(compilations, &referred);
}

/// Settles anew which rules report, after a backend has refused some.
pub(crate) fn settle_reports(compilations: &mut [Compilation]) {
    let rules: Vec<Arc<Rule>> = compilations.iter().map(|c| Arc::clone(&c.rule)).collect();
    let references = References::new(&rules);
    let mut referred: BTreeMap<usize, Vec<Reference>> = BTreeMap::new();
    for (index, rule) in rules.iter().enumerate() {
        if let Body::Correlation(correlation) = &rule.body {
            // What is wrong with a reference was told when the set was compiled.
            referred.insert(index, refer(rule, correlation, &references, &mut Vec::new()));
        }
    }
    compilations.iter_mut().for_each(|compilation| compilation.reported = true);
    settle(compilations, &referred);
}

fn plan_one(
    compilations: &mut [Compilation],
    context: &Context<'_>,
    index: usize,
    references: &[Reference],
    steps: &mut BTreeMap<usize, step::Draft>,
) {
    let Some(rule) = compilations.get(index).map(|c| Arc::clone(&c.rule)) else { return };
    let Body::Correlation(correlation) = &rule.body else { return };
    let mut findings = Vec::new();
    findings.extend(unavailable(&rule, references, compilations));
    findings.extend((references.len() > assemble::MAX_SOURCES).then(|| assemble::too_many(&rule)));
    let refused = compilations.get(index).is_some_and(|c| c.refusal().is_some());
    let mut planned = None;
    if findings.is_empty() && !refused {
        let builder = step::Builder { rule: &rule, correlation, references, compilations, steps, context };
        match builder.build() {
            Ok(draft) => {
                steps.insert(index, draft);
                planned = Some(assemble::assemble(index, correlation, compilations, steps, context));
            }
            Err(found) => findings.extend(found),
        }
    }
    let Some(compilation) = compilations.get_mut(index) else { return };
    match planned {
        Some(Ok(plan)) => {
            compilation.fields = steps.get(&index).map(|draft| draft.fields.clone()).unwrap_or_default();
            compilation.correlation = Some(plan);
        }
        Some(Err(found)) => findings.push(found),
        None => {}
    }
    compilation.diagnostics.extend(findings);
}

/// The rules that a correlation refers to: those of `rules`, or those that its condition names.
fn refer(
    rule: &Rule,
    correlation: &Correlation,
    references: &References<'_>,
    findings: &mut Vec<Diagnostic>,
) -> Vec<Reference> {
    let mut resolve = |named: &Spanned<String>| match references.resolve(named, rule) {
        Ok(index) => Some(Reference { index, name: named.clone() }),
        Err(finding) => {
            findings.push(finding);
            None
        }
    };
    let listed: Vec<Reference> = correlation.rules.iter().filter_map(&mut resolve).collect();
    let named: Vec<Reference> = condition_names(correlation).into_iter().filter_map(&mut resolve).collect();
    if findings.iter().any(|found| found.code.severity == Severity::Error) {
        return if listed.is_empty() { named } else { listed };
    }
    findings.extend(repeated(rule, &listed));
    let set = |references: &[Reference]| references.iter().map(|r| r.index).collect::<BTreeSet<_>>();
    match &correlation.condition {
        WindowCondition::Expression(condition) if !listed.is_empty() && set(&listed) != set(&named) => {
            let message = "`rules` and `condition` name different rules";
            findings.push(parse_error(rule, condition.text.span, message, "name the same rules in both"));
            listed
        }
        WindowCondition::Expression(_) if listed.is_empty() => {
            let mut seen = BTreeSet::new();
            named.into_iter().filter(|reference| seen.insert(reference.index)).collect()
        }
        _ => listed,
    }
}

/// The rules that a condition names.
pub(super) fn condition_names(correlation: &Correlation) -> Vec<&Spanned<String>> {
    let WindowCondition::Expression(condition) = &correlation.condition else { return Vec::new() };
    let leaves = condition.expression.iter().flat_map(Expression::leaves);
    leaves
        .filter_map(|leaf| if let Expression::Identifier(name) = leaf { Some(name) } else { None })
        .collect()
}

fn repeated(rule: &Rule, references: &[Reference]) -> Option<Diagnostic> {
    let mut seen = BTreeSet::new();
    let twice = references.iter().find(|reference| !seen.insert(reference.index))?;
    let message = format!("`rules` names the rule `{}` twice", twice.name.value);
    Some(parse_error(rule, twice.name.span, &message, "name each rule once"))
}

/// The finding for the first reference that cannot run: the correlation has its reason.
fn unavailable(rule: &Rule, references: &[Reference], compilations: &[Compilation]) -> Option<Diagnostic> {
    references.iter().find_map(|reference| {
        let referred = compilations.get(reference.index).filter(|c| !c.is_executable())?;
        let refusal = referred.refusal()?;
        Some(Diagnostic {
            code: refusal.code,
            message: format!("rule `{}` cannot run: {}", reference.name.value, refusal.message),
            path: rule.path.to_path_buf(),
            span: reference.name.span,
            help: Some(
                "a correlation runs only if every rule that it refers to does; mend that rule".to_owned(),
            ),
        })
    })
}

fn refuse_circle(
    compilations: &mut [Compilation],
    referred: &BTreeMap<usize, Vec<Reference>>,
    graph: &BTreeMap<usize, BTreeSet<usize>>,
    index: usize,
) {
    let next =
        referred.get(&index).into_iter().flatten().find(|reference| graph.contains_key(&reference.index));
    let (Some(reference), Some(compilation)) = (next, compilations.get_mut(index)) else { return };
    let finding = Diagnostic {
        code: &CORRELATION_CYCLE,
        message: format!("CYCLE: `{}` depends on this correlation again", reference.name.value),
        path: compilation.rule.path.to_path_buf(),
        span: reference.name.span,
        help: Some("remove one of the references of the circle".to_owned()),
    };
    compilation.diagnostics.push(finding);
}

/// A rule that executable correlations refer to reports by itself only where one of them generates.
fn settle(compilations: &mut [Compilation], referred: &BTreeMap<usize, Vec<Reference>>) {
    let mut generates: BTreeMap<usize, bool> = BTreeMap::new();
    for (index, references) in referred {
        let Some(plan) = compilations.get(*index).and_then(|c| c.correlation.as_ref()) else { continue };
        for reference in references {
            *generates.entry(reference.index).or_default() |= plan.generate;
        }
    }
    for (index, generate) in generates {
        if let Some(compilation) = compilations.get_mut(index) {
            compilation.reported = generate;
        }
    }
}

fn disabled(rule: &Rule) -> Diagnostic {
    Diagnostic {
        code: &CORRELATION_DISABLED,
        message: "a correlation of several events is outside the default subset".to_owned(),
        path: rule.path.to_path_buf(),
        span: rule.span,
        help: Some(switch_on(Capability::Correlation)),
    }
}

/// A finding of the rule language that only the whole set could show.
fn parse_error(rule: &Rule, span: Span, message: &str, help: &str) -> Diagnostic {
    let problem = crate::sigma::Problem::new(crate::sigma::ProblemKind::Parse, span, message);
    super::language::diagnostic(&problem.with_help(help), &rule.path)
}
