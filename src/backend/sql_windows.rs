//! What a correlation is called and made of in every dialect of SQL: named parts, keys, and the tests of a window.

use super::layout::{Layout, Origin};
use super::sql_parts;
use crate::bridge::ir::Number;
use crate::bridge::{CorrelationPlan, CorrelationStep, Measure, Seen, Source, WindowTest};
use crate::sigma::{Bound, BoundValue, Span};

/// A named part of a statement.
pub(super) struct Cte {
    pub(super) name: String,
    lines: Vec<(usize, String, Origin)>,
}

impl Cte {
    pub(super) fn new(name: String) -> Self {
        Self { name, lines: Vec::new() }
    }

    pub(super) fn line(&mut self, depth: usize, text: impl Into<String>, origin: Origin) {
        self.lines.push((depth, text.into(), origin));
    }

    /// Lines that are joined by `AND`, the first behind `WHERE`.
    pub(super) fn tests(&mut self, tests: Vec<(String, Span)>, names: &StepNames) {
        for (index, (test, span)) in tests.into_iter().enumerate() {
            let (depth, prefix) = if index == 0 { (1, "WHERE") } else { (2, "AND") };
            self.line(depth, format!("{prefix} {test}"), names.origin(span));
        }
    }

    fn write(self, text: &mut Layout, is_last: bool) {
        text.line(0, format!("{} AS (", self.name), None);
        for (depth, line, origin) in self.lines {
            text.line(depth + 1, line, origin);
        }
        text.line(0, if is_last { ")" } else { ")," }, None);
    }
}

/// The parts of a statement, in front of what it selects from them.
pub(super) fn with(ctes: Vec<Cte>) -> Layout {
    let mut text = Layout::default();
    text.line(0, "WITH", None);
    let count = ctes.len();
    for (index, cte) in ctes.into_iter().enumerate() {
        cte.write(&mut text, index + 1 == count);
    }
    text
}

/// What the parts of a step are called: the last one plainly, those before it with their number. Only the last
/// stands in the rule's own file, so that only its lines have a place.
pub(super) struct StepNames {
    suffix: String,
    is_own: bool,
}

impl StepNames {
    /// Of the step at `place`.
    pub(super) fn new(plan: &CorrelationPlan, place: usize) -> Self {
        let is_own = place + 1 == plan.steps.len();
        let suffix = if is_own { String::new() } else { format!("_{}", place + 1) };
        Self { suffix, is_own }
    }

    pub(super) fn of(&self, part: &str) -> String {
        format!("{part}{}", self.suffix)
    }

    /// A part under its plain name, for a `FROM`.
    pub(super) fn as_plain(&self, part: &str) -> String {
        let name = self.of(part);
        if name == part { name } else { format!("{name} AS {part}") }
    }

    pub(super) fn origin(&self, span: Span) -> Origin {
        Some(span).filter(|_| self.is_own)
    }
}

/// Whether events of the step may be windows, which have several event ids.
pub(super) fn is_nested(step: &CorrelationStep) -> bool {
    step.inputs.iter().any(|input| matches!(input.source, Source::Step(_)))
}

/// Whether it matters which input an event is of.
pub(super) fn tells_inputs(step: &CorrelationStep) -> bool {
    matches!(step.test, WindowTest::Bounds(Measure::DistinctInputs, _) | WindowTest::Seen(_))
}

/// `key_1` and so on, of a relation where one is named.
pub(super) fn keys(step: &CorrelationStep, relation: &str) -> Vec<String> {
    let dot = if relation.is_empty() { "" } else { "." };
    (1..=step.keys.len()).map(|number| format!("{relation}{dot}key_{number}")).collect()
}

/// What windows are apart by.
pub(super) fn partition(step: &CorrelationStep) -> String {
    let keys = keys(step, "");
    if keys.is_empty() { String::new() } else { format!("PARTITION BY {} ", keys.join(", ")) }
}

/// Several values as one, of which `row` is the function; NULL where any is.
pub(super) fn tuple(values: usize, row: &str) -> String {
    let names: Vec<String> = (1..=values).map(|number| format!("value_{number}")).collect();
    match names.as_slice() {
        [only] => only.clone(),
        names => {
            let present: Vec<String> = names.iter().map(|name| format!("{name} IS NOT NULL")).collect();
            format!("CASE WHEN {} THEN {row}({}) END", present.join(" AND "), names.join(", "))
        }
    }
}

/// What must hold of a row of `measured` for its window to fire. `time` is the column, quoted.
pub(super) fn firing(step: &CorrelationStep, time: &str) -> Vec<(String, Span)> {
    let mut tests: Vec<(String, Span)> = match &step.test {
        WindowTest::Bounds(_, bounds) => {
            bounds.iter().map(|bound| (format!("measured {}", bound_sql(bound.value)), bound.span)).collect()
        }
        WindowTest::Seen(seen) => vec![(seen_sql(&seen.value), seen.span)],
    };
    if step.is_ordered() {
        let length = step.timespan.value.milliseconds();
        tests.push((format!("chain_start >= {time} - {length}"), step.timespan.span));
    }
    tests
}

fn bound_sql(bound: Bound) -> String {
    let value = match bound.value {
        BoundValue::Integer(number) => Number::Integer(i128::from(number)),
        BoundValue::Float(number) => Number::Float(number),
    };
    format!("{} {}", bound.operator.sign(), sql_parts::number(value))
}

fn seen_sql(seen: &Seen) -> String {
    let joined = |parts: &[Seen], sign: &str| {
        format!("({})", parts.iter().map(seen_sql).collect::<Vec<_>>().join(sign))
    };
    match seen {
        Seen::Input(place) => format!("seen_{}", place + 1),
        Seen::And(parts) => joined(parts, " AND "),
        Seen::Or(parts) => joined(parts, " OR "),
        Seen::Not(part) => format!("NOT {}", seen_sql(part)),
    }
}
