//! What Spark cannot say exactly. A plan that needs any of it is refused, with a code of its own for each reason.

use std::path::Path;

use super::regex;
use crate::bridge::ir::{Expr, FieldExpr, Predicate, Regex, Test};
use crate::bridge::{
    Code, Compilation, CorrelationPlan, CorrelationStep, Diagnostic, InputValue, Measure, Plan, ReasonCode,
    Severity, WindowTest,
};
use crate::ocsf::FieldType;
use crate::pack::{FilterOp, RouteFilter, Scalar};
use crate::sigma::Span;

static SPARK_REGEX: Code = Code {
    name: "spark_regex",
    reason: Some(ReasonCode::UnsupportedRegex),
    severity: Severity::Error,
    summary: "the regular expression cannot be searched for by Spark as it is by RE2",
    explanation: "Spark searches by java.util.regex. An expression is written anew for it, class by class and letter by \
letter, so that both find the same. What is left is time: where an open repetition (`*`, `+`, `{n,}`) holds another, Java \
may try every way to divide a text between the two, and an event could be written to hold up the job. Bound one of them, \
say what is repeated in another way, or run the rule by `duckdb_sql`.",
};

static SPARK_EXPRESSION: Code = Code {
    name: "spark_expression",
    reason: Some(ReasonCode::UnsupportedOperator),
    severity: Severity::Error,
    summary: "an expression of the mapping pack has another value in Spark",
    explanation: "Spark writes a fraction as text in its own way (1.0E20), and does not split a text by an empty \
separator. A rule that reads such an expression of the pack would find other events, so it is refused for `spark_sql`. \
Map the field to the attribute itself, or run the rule by `duckdb_sql`.",
};

static SPARK_CORRELATION: Code = Code {
    name: "spark_correlation",
    reason: Some(ReasonCode::UnsupportedOperator),
    severity: Severity::Error,
    summary: "the correlation has another outcome in Spark",
    explanation: "Spark adds fractions in an order of its own, tells 0.0 from -0.0 among distinct values, and writes a \
fraction as text in its own way (1.0E20). A correlation that groups by fractions, adds them up or counts them would fire \
in other windows, so it is refused for `spark_sql`; its rules report by themselves. Measure a whole number, or run it by \
`duckdb_sql`.",
};

/// The findings of this backend.
pub static CODES: [&Code; 3] = [&SPARK_REGEX, &SPARK_EXPRESSION, &SPARK_CORRELATION];

/// What keeps a rule from running in Spark; nothing where it can, or could not run anyway.
pub(crate) fn refusals(compilation: &Compilation) -> Vec<Diagnostic> {
    let rule = &compilation.rule;
    let mut found = Findings { path: &rule.path, found: Vec::new() };
    if let Some(correlation) = &compilation.correlation {
        found.correlation(correlation, rule.span);
    }
    if let Some(plan) = &compilation.plan {
        found.plan(plan, rule.span);
    }
    found.found
}

struct Findings<'p> {
    path: &'p Path,
    found: Vec<Diagnostic>,
}

impl Findings<'_> {
    fn add(&mut self, code: &'static Code, span: Span, message: String) {
        self.found.push(Diagnostic { code, message, path: self.path.to_path_buf(), span, help: None });
    }

    fn correlation(&mut self, plan: &CorrelationPlan, span: Span) {
        for rule in &plan.rules {
            let mut of_rule = Findings { path: self.path, found: Vec::new() };
            of_rule.plan(&rule.plan, span);
            // They stand in another file.
            self.found.extend(of_rule.found.into_iter().take(1).map(|finding| Diagnostic {
                message: format!("rule `{}` cannot run: {}", rule.title, finding.message),
                span,
                ..finding
            }));
        }
        for step in &plan.steps {
            self.step(step, span);
        }
    }

    fn step(&mut self, step: &CorrelationStep, span: Span) {
        for key in step.keys.iter().filter(|key| key.field_type == FieldType::Float) {
            let message = format!("windows are grouped by `{}`, which is a fraction", key.name);
            self.add(&SPARK_CORRELATION, span, message);
        }
        let what = match &step.test {
            WindowTest::Bounds(Measure::Sum | Measure::Average, _) => Some("adds up"),
            WindowTest::Bounds(Measure::DistinctValues, _) => Some("counts distinct"),
            _ => None,
        };
        for input in &step.inputs {
            fields(&input.keys).chain(fields(&input.values)).for_each(|field| self.source(field, span));
        }
        let measures_fractions = step.inputs.iter().any(|input| fields(&input.values).any(holds_fractions));
        if let Some(what) = what.filter(|_| measures_fractions) {
            self.add(&SPARK_CORRELATION, span, format!("it {what} fractions"));
        }
    }

    fn plan(&mut self, plan: &Plan, span: Span) {
        for filter in plan.scope.filters.iter().filter(|filter| filter.op == FilterOp::Regex) {
            self.regex(&of_filter(filter), span);
        }
        self.expr(&plan.predicate);
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| self.expr(part)),
            Expr::Not(part) => self.expr(part),
            Expr::Selection { body, .. } => self.expr(body),
            Expr::Predicate(Predicate { source, test, span, .. }) => {
                self.source(source, *span);
                match test {
                    Test::Regex(regex) => self.regex(regex, *span),
                    Test::OtherText { other, .. } | Test::OtherNumber(other) => self.source(other, *span),
                    _ => {}
                }
            }
        }
    }

    fn regex(&mut self, regex: &Regex, span: Span) {
        if let Err(why) = regex::java(regex) {
            self.add(&SPARK_REGEX, span, format!("the expression `{}` has {why}", regex.pattern));
        }
    }

    fn source(&mut self, source: &FieldExpr, span: Span) {
        match source {
            FieldExpr::Column(_) => {}
            FieldExpr::Computed(computed) => {
                if let Some(what) = other_value(&computed.scalar) {
                    self.add(
                        &SPARK_EXPRESSION,
                        span,
                        format!("the pack's expression `{}` {what}", computed.text),
                    );
                }
            }
            FieldExpr::AnyOf(parts) => parts.iter().for_each(|part| self.source(part, span)),
            FieldExpr::PerClass(parts) => parts.iter().for_each(|(_, part)| self.source(part, span)),
        }
    }
}

/// What of an expression has another value in Spark.
fn other_value(scalar: &Scalar) -> Option<&'static str> {
    let any = |parts: &[Scalar]| parts.iter().find_map(other_value);
    match scalar {
        Scalar::Column(_) | Scalar::Text(_) | Scalar::Integer(_) => None,
        Scalar::Concat(parts) | Scalar::Coalesce(parts) => any(parts),
        Scalar::ToText(inner) if is_fraction(inner) => Some("writes a fraction as text"),
        Scalar::SplitPart(_, separator, _) if separator.is_empty() => Some("splits a text by nothing"),
        Scalar::Lower(part) | Scalar::Upper(part) | Scalar::ToText(part) => other_value(part),
        Scalar::Replace(part, ..) | Scalar::SplitPart(part, ..) => other_value(part),
        Scalar::Case(case) => {
            case.arms.iter().map(|arm| &arm.then).chain(&case.otherwise).find_map(other_value)
        }
    }
}

fn fields(values: &[InputValue]) -> impl Iterator<Item = &FieldExpr> {
    values.iter().filter_map(|value| match value {
        InputValue::Field(field) => Some(field),
        InputValue::Key(_) => None,
    })
}

/// Whether any value of a field may be a fraction.
fn holds_fractions(field: &FieldExpr) -> bool {
    match field {
        FieldExpr::Column(column) => column.field_type == FieldType::Float,
        FieldExpr::Computed(computed) => is_fraction(&computed.scalar),
        FieldExpr::AnyOf(fields) => fields.iter().any(holds_fractions),
        FieldExpr::PerClass(fields) => fields.iter().any(|(_, field)| holds_fractions(field)),
    }
}

/// Whether a value, which is no text already, is a fraction.
fn is_fraction(scalar: &Scalar) -> bool {
    match scalar {
        Scalar::Column(column) => column.field_type == FieldType::Float,
        Scalar::Coalesce(parts) => parts.iter().any(is_fraction),
        Scalar::Case(case) => case.arms.iter().map(|arm| &arm.then).chain(&case.otherwise).any(is_fraction),
        _ => false,
    }
}

/// The expression of a producer predicate.
fn of_filter(filter: &RouteFilter) -> Regex {
    let pattern = filter.value.as_str().unwrap_or_default().to_owned();
    Regex { pattern, ignore_case: false, multiline: false, dot_all: false }
}

/// The expression of a producer predicate, written for Java.
pub(super) fn filter_regex(filter: &RouteFilter) -> String {
    searched(&of_filter(filter))
}

/// An expression, written for Java. In a plan that is refused, one that finds nothing.
pub(super) fn searched(regex: &Regex) -> String {
    regex::java(regex).unwrap_or_else(|_| "(?!)".to_owned())
}
