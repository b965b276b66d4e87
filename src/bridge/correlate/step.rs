//! One correlation as a step: its keys and values found in each rule that it refers to.

use std::collections::BTreeMap;

use super::plan::{
    CorrelationInput, CorrelationStep, GroupKey, InputValue, Measure, Seen, Source, WindowTest,
};
use super::{CORRELATION_VALUE_TYPE, Reference, parse_error};
use crate::bridge::compile::{Context, resolution};
use crate::bridge::diagnostic::Diagnostic;
use crate::bridge::ir::FieldExpr;
use crate::bridge::lower::FieldUse;
use crate::bridge::plan::{Compilation, FieldResolution, Resolution};
use crate::bridge::resolve::UNMAPPED_FIELD;
use crate::bridge::route::Tokens;
use crate::ocsf::FieldType;
use crate::sigma::{
    Bound, BoundOperator, BoundValue, Correlation, CorrelationKind, Expression, Rule, SigmaField, Span,
    Spanned, WindowCondition,
};

/// A step whose sources are places in the set of rules.
pub(super) struct Draft {
    pub(super) step: CorrelationStep,
    /// How many were drafted before it; it refers to none but these.
    pub(super) rank: usize,
    /// The fields that it groups by and measures, in byte order.
    pub(super) fields: Vec<FieldResolution>,
    pub(super) fallback_used: bool,
}

/// What a step is made from.
pub(super) struct Builder<'a, 'p> {
    pub(super) rule: &'a Rule,
    pub(super) correlation: &'a Correlation,
    pub(super) references: &'a [Reference],
    pub(super) compilations: &'a [Compilation],
    pub(super) steps: &'a BTreeMap<usize, Draft>,
    pub(super) context: &'a Context<'p>,
}

/// A value of an input, with its type.
struct Found {
    value: InputValue,
    field_type: FieldType,
    resolution: Option<FieldResolution>,
}

impl Builder<'_, '_> {
    /// The step, or every finding that refuses it.
    pub(super) fn build(&self) -> Result<Draft, Vec<Diagnostic>> {
        let mut findings = self.strange_aliases();
        let mut fields: BTreeMap<SigmaField, FieldResolution> = BTreeMap::new();
        let mut inputs: Vec<CorrelationInput> = self.references.iter().map(|r| self.input(r)).collect();
        let mut keys = Vec::new();
        for name in &self.correlation.group_by {
            let found = self.everywhere(name, true, &mut findings);
            let field_type = found.first().map_or(FieldType::String, |found| found.field_type);
            keys.push(GroupKey { name: name.value.clone(), field_type, span: name.span });
            spread(found, &mut inputs, &mut fields, |input| &mut input.keys);
        }
        for name in self.measured() {
            let found = self.everywhere(name, false, &mut findings);
            spread(found, &mut inputs, &mut fields, |input| &mut input.values);
        }
        let test = self.test();
        let parts = (self.correlation.kind.as_ref(), self.correlation.timespan.as_ref(), test);
        let (Some(kind), Some(timespan), Some(test)) = parts else {
            let message = "this correlation is not complete";
            findings.push(parse_error(
                self.rule,
                self.rule.span,
                message,
                "give it a type, timespan and condition",
            ));
            return Err(findings);
        };
        if !findings.is_empty() {
            return Err(findings);
        }
        let (title, timespan) = (self.rule.title(), timespan.clone());
        let step = CorrelationStep { title, kind: kind.value, timespan, keys, inputs, test };
        let fields: Vec<FieldResolution> = fields.into_values().collect();
        let fallback_used = fields.iter().any(|field| field.resolution == Resolution::RawFallback);
        Ok(Draft { step, rank: self.steps.len(), fields, fallback_used })
    }

    fn input(&self, reference: &Reference) -> CorrelationInput {
        let is_step = self.steps.contains_key(&reference.index);
        CorrelationInput {
            name: reference.name.value.clone(),
            source: if is_step { Source::Step(reference.index) } else { Source::Rule(reference.index) },
            keys: Vec::new(),
            values: Vec::new(),
            span: reference.name.span,
        }
    }

    fn measured(&self) -> &[Spanned<SigmaField>] {
        match &self.correlation.condition {
            WindowCondition::Bounds(bounds) => &bounds.fields,
            WindowCondition::Absent | WindowCondition::Expression(_) => &[],
        }
    }

    /// The value called `name` in every input, in order; the types agree.
    fn everywhere(
        &self,
        name: &Spanned<SigmaField>,
        is_key: bool,
        findings: &mut Vec<Diagnostic>,
    ) -> Vec<Found> {
        let mut all: Vec<Found> = Vec::new();
        for reference in self.references {
            let found = self.field_in(name, is_key, reference).and_then(|field| self.find(&field, reference));
            let found = found.and_then(|found| self.fits(name, is_key, found, all.first()));
            match found {
                Ok(found) => all.push(found),
                Err(finding) if findings.contains(&finding) => {}
                Err(finding) => findings.push(finding),
            }
        }
        all
    }

    /// The field that `name` stands for in the events of a rule.
    fn field_in(
        &self,
        name: &Spanned<SigmaField>,
        is_key: bool,
        reference: &Reference,
    ) -> Result<Spanned<SigmaField>, Diagnostic> {
        let Some(alias) = self.correlation.alias(&name.value).filter(|_| is_key) else {
            return Ok(name.clone());
        };
        let entry = alias.fields.iter().find(|(rule, _)| self.is_called(reference, &rule.value));
        let field = entry.map(|(_, field)| field.clone());
        field.ok_or_else(|| {
            let message =
                format!("alias `{}` names no field for rule `{}`", name.value, reference.name.value);
            parse_error(self.rule, alias.name.span, &message, "add the rule with its field to the alias")
        })
    }

    fn find(&self, field: &Spanned<SigmaField>, reference: &Reference) -> Result<Found, Diagnostic> {
        if let Some(inner) = self.steps.get(&reference.index) {
            return self.key_of(inner, field, reference);
        }
        let referred = self.compilations.get(reference.index);
        let scope = referred.and_then(|referred| Some((referred, referred.routing.scope.as_ref()?)));
        let Some((referred, scope)) = scope else {
            let message = format!("rule `{}` has no route", reference.name.value);
            return Err(parse_error(self.rule, reference.name.span, &message, "give it a route"));
        };
        let resolver = self.context.resolvers.of(Tokens::of(&referred.rule.logsource), scope);
        let resolved = resolver.resolve(field, &self.rule.path)?;
        if is_several(&resolved.source) {
            let message = format!("`{}` may have several values in one event", field.value);
            return Err(self.value_type(field.span, message, "name a field with one value"));
        }
        let (value, field_type) =
            (InputValue::Field(FieldExpr::clone(&resolved.source)), resolved.field_type);
        let used = FieldUse { resolved: Ok(resolved), uses: vec![field.span] };
        Ok(Found { value, field_type, resolution: Some(resolution(&field.value, &used)) })
    }

    /// A window has no values but those that it is grouped by.
    fn key_of(
        &self,
        inner: &Draft,
        field: &Spanned<SigmaField>,
        reference: &Reference,
    ) -> Result<Found, Diagnostic> {
        let place = inner.step.keys.iter().position(|key| key.name == field.value);
        match place.and_then(|place| Some((place, inner.step.keys.get(place)?))) {
            Some((place, key)) => {
                Ok(Found { value: InputValue::Key(place), field_type: key.field_type, resolution: None })
            }
            None => Err(Diagnostic {
                code: &UNMAPPED_FIELD,
                message: format!(
                    "correlation `{}` is not grouped by `{}`",
                    reference.name.value, field.value
                ),
                path: self.rule.path.to_path_buf(),
                span: field.span,
                help: Some("a window has only the values that it is grouped by; add it there".to_owned()),
            }),
        }
    }

    /// Whether a value is of a type that its place takes, and of the same as in the `first` input.
    fn fits(
        &self,
        name: &Spanned<SigmaField>,
        is_key: bool,
        found: Found,
        first: Option<&Found>,
    ) -> Result<Found, Diagnostic> {
        let kind = self.correlation.kind.as_ref().map(|kind| kind.value);
        let numbers = !is_key && kind.is_some_and(CorrelationKind::takes_numbers);
        let is_number = matches!(found.field_type, FieldType::Integer | FieldType::Float);
        let type_name = found.field_type.as_str();
        match first {
            _ if numbers && !is_number => {
                let message = format!("`{}` is {type_name}, and only numbers can be measured so", name.value);
                Err(self.value_type(name.span, message, "name a field of numbers"))
            }
            Some(first) if !numbers && first.field_type != found.field_type => {
                let other = first.field_type.as_str();
                let message = format!("`{}` is {other} in one rule and {type_name} in another", name.value);
                Err(self.value_type(name.span, message, "map both to one type"))
            }
            _ => Ok(found),
        }
    }

    fn value_type(&self, span: Span, message: String, help: &str) -> Diagnostic {
        Diagnostic {
            code: &CORRELATION_VALUE_TYPE,
            message,
            path: self.rule.path.to_path_buf(),
            span,
            help: Some(help.to_owned()),
        }
    }

    fn test(&self) -> Option<WindowTest> {
        let kind = self.correlation.kind.as_ref()?;
        Some(match &self.correlation.condition {
            WindowCondition::Absent => {
                let value = BoundValue::Integer(i64::try_from(self.references.len()).ok()?);
                let all = Bound { operator: BoundOperator::Gte, value };
                WindowTest::Bounds(Measure::DistinctInputs, vec![Spanned::new(all, kind.span)])
            }
            WindowCondition::Bounds(bounds) => {
                let percentile = bounds.percentile.as_ref().map(|percentile| percentile.value);
                WindowTest::Bounds(measure(kind.value, percentile)?, bounds.bounds.clone())
            }
            WindowCondition::Expression(condition) => {
                let seen = self.seen(condition.expression.as_ref().ok()?)?;
                WindowTest::Seen(Spanned::new(seen, condition.text.span))
            }
        })
    }

    fn seen(&self, expression: &Expression) -> Option<Seen> {
        let all = |parts: &[Expression]| parts.iter().map(|part| self.seen(part)).collect::<Option<Vec<_>>>();
        Some(match expression {
            Expression::And(parts) => Seen::And(all(parts)?),
            Expression::Or(parts) => Seen::Or(all(parts)?),
            Expression::Not(part) => Seen::Not(Box::new(self.seen(part)?)),
            Expression::Identifier(name) => Seen::Input(self.place_of(&name.value)?),
            Expression::Quantified(..) => return None,
        })
    }

    /// The input that the condition calls `name`, which `rules` may call otherwise.
    fn place_of(&self, name: &str) -> Option<usize> {
        self.references.iter().position(|reference| self.is_called(reference, name))
    }

    /// Whether `name` is how the correlation may call a rule: as in `rules`, or by its id or name.
    fn is_called(&self, reference: &Reference, name: &str) -> bool {
        let bears = |rule: &Rule| {
            rule.id().is_some_and(|id| id.0 == name)
                || rule.metadata.name.as_ref().is_some_and(|stated| stated.value == name)
        };
        reference.name.value == name || self.compilations.get(reference.index).is_some_and(|c| bears(&c.rule))
    }

    /// Entries of aliases for rules that the correlation does not refer to.
    fn strange_aliases(&self) -> Vec<Diagnostic> {
        let entries = self.correlation.aliases.iter().flat_map(|alias| &alias.fields);
        let strange =
            entries.filter(|(rule, _)| !self.references.iter().any(|r| self.is_called(r, &rule.value)));
        strange
            .map(|(rule, _)| {
                let message = format!("the correlation does not refer to rule `{}`", rule.value);
                parse_error(self.rule, rule.span, &message, "name a rule of `rules`")
            })
            .collect()
    }
}

fn measure(kind: CorrelationKind, percentile: Option<f64>) -> Option<Measure> {
    Some(match kind {
        CorrelationKind::EventCount => Measure::Events,
        CorrelationKind::ValueCount => Measure::DistinctValues,
        CorrelationKind::Temporal | CorrelationKind::TemporalOrdered => Measure::DistinctInputs,
        CorrelationKind::ValueSum => Measure::Sum,
        CorrelationKind::ValueAvg => Measure::Average,
        CorrelationKind::ValueMedian => Measure::Quantile(0.5),
        CorrelationKind::ValuePercentile => Measure::Quantile(percentile? / 100.0),
    })
}

/// Gives each input its value. Where one is missing, a finding stands instead, and the step is refused.
fn spread(
    found: Vec<Found>,
    inputs: &mut [CorrelationInput],
    fields: &mut BTreeMap<SigmaField, FieldResolution>,
    slot: impl Fn(&mut CorrelationInput) -> &mut Vec<InputValue>,
) {
    for (found, input) in found.into_iter().zip(inputs) {
        slot(input).push(found.value);
        if let Some(resolution) = found.resolution {
            fields.entry(resolution.field.clone()).or_insert(resolution);
        }
    }
}

/// Whether one event may have several values there.
fn is_several(source: &FieldExpr) -> bool {
    match source {
        FieldExpr::Column(column) => column.list,
        FieldExpr::Computed(computed) => computed.list,
        FieldExpr::AnyOf(_) => true,
        FieldExpr::PerClass(parts) => parts.iter().any(|(_, part)| is_several(part)),
    }
}
