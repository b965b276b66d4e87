//! Correlations decided in plain Rust, window by window, as an independent witness of their SQL
//! (`sigma_semantics.md` 7). Quadratic in the events of a group, and knows no engine.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::Window;
use crate::bridge::ir::FieldExpr;
use crate::bridge::{
    CorrelationInput, CorrelationPlan, CorrelationStep, InputValue, Measure, Seen, Source, WindowTest,
};
use crate::sigma::{Bound, BoundOperator, BoundValue};

/// A value of an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Datum {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(#[serde(with = "bits")] f64),
    /// `true` or `false`.
    Boolean(bool),
}

impl Datum {
    /// As DuckDB casts it to text.
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Float(number) => format!("{number:?}"),
            Self::Boolean(truth) => truth.to_string(),
        }
    }

    fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::Text(_) | Self::Boolean(_) => None,
        }
    }
}

/// Numbers to the last bit, the infinite ones and NaN among them, which JSON does not have.
mod bits {
    use serde::{Deserialize, Deserializer, Serializer};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(number.to_bits())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        u64::deserialize(deserializer).map(f64::from_bits)
    }
}

/// How an event of any kind is read.
pub struct EventReader<'r, E> {
    /// Its id.
    pub id: &'r dyn Fn(&E) -> String,
    /// Its time, milliseconds since 1970; `None` keeps it out of every window.
    pub time: &'r dyn Fn(&E) -> Option<i64>,
    /// Its value in a field that is no LIST; `None` for NULL.
    pub value: &'r dyn Fn(&E, &FieldExpr) -> Option<Datum>,
}

/// Every window in which the correlation fires, by the time of its last event and then by group.
///
/// `matched` has the events that each of the plan's rules matches, in the order of [`CorrelationPlan::rules`].
#[must_use]
pub fn windows<E>(plan: &CorrelationPlan, matched: &[Vec<E>], reader: &EventReader<'_, E>) -> Vec<Window> {
    let mut fired: Vec<Vec<Window>> = Vec::new();
    for step in &plan.steps {
        let windows = fire(step, occurrences(step, matched, reader, &fired));
        fired.push(windows);
    }
    fired.pop().unwrap_or_default()
}

/// An event of a step, or a window of an earlier one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Occurrence {
    pub(crate) event_ids: BTreeSet<String>,
    first_seen: i64,
    /// Milliseconds since 1970, UTC.
    pub(crate) time: i64,
    input: usize,
    is_window: bool,
    /// What it is grouped by.
    pub(crate) key: Vec<String>,
    values: Vec<Option<Datum>>,
}

/// What tells an event from others of its group where it does not matter which input it is of: events of two
/// rules can be one, windows of two correlations cannot.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Identity<'o> {
    input: Option<usize>,
    time: i64,
    event_ids: &'o BTreeSet<String>,
    values: Vec<Option<String>>,
}

impl Occurrence {
    /// An event of an input; `None` where it lacks time or a key.
    pub(crate) fn of_event<E>(
        input: usize,
        described: &CorrelationInput,
        event: &E,
        reader: &EventReader<'_, E>,
    ) -> Option<Self> {
        let value = |wanted: &InputValue| match wanted {
            InputValue::Field(field) => (reader.value)(event, field),
            InputValue::Key(_) => None,
        };
        let time = (reader.time)(event)?;
        Some(Self {
            event_ids: BTreeSet::from([(reader.id)(event)]),
            first_seen: time,
            time,
            input,
            is_window: false,
            key: described.keys.iter().map(|key| Some(value(key)?.text())).collect::<Option<_>>()?,
            values: described.values.iter().map(value).collect(),
        })
    }

    /// A window of an earlier step; `None` where it lacks a key.
    pub(crate) fn of_window(input: usize, described: &CorrelationInput, window: &Window) -> Option<Self> {
        let value = |wanted: &InputValue| match wanted {
            InputValue::Key(place) => window.group.get(*place).cloned().flatten(),
            InputValue::Field(_) => None,
        };
        Some(Self {
            event_ids: window.event_ids.iter().cloned().collect(),
            first_seen: window.first_seen,
            time: window.last_seen,
            input,
            is_window: true,
            key: described.keys.iter().map(value).collect::<Option<_>>()?,
            values: described.values.iter().map(|wanted| value(wanted).map(Datum::Text)).collect(),
        })
    }

    fn identity(&self) -> Identity<'_> {
        Identity {
            input: Some(self.input).filter(|_| self.is_window),
            time: self.time,
            event_ids: &self.event_ids,
            values: self.values.iter().map(|value| value.as_ref().map(Datum::text)).collect(),
        }
    }
}

/// The events of a step that have a time and all keys.
fn occurrences<E>(
    step: &CorrelationStep,
    matched: &[Vec<E>],
    reader: &EventReader<'_, E>,
    fired: &[Vec<Window>],
) -> Vec<Occurrence> {
    let mut all = Vec::new();
    for (input, described) in step.inputs.iter().enumerate() {
        match described.source {
            Source::Rule(rule) => {
                let events = matched.get(rule).into_iter().flatten();
                all.extend(events.filter_map(|event| Occurrence::of_event(input, described, event, reader)));
            }
            Source::Step(inner) => {
                let windows = fired.get(inner).into_iter().flatten();
                all.extend(windows.filter_map(|window| Occurrence::of_window(input, described, window)));
            }
        }
    }
    all
}

fn fire(step: &CorrelationStep, all: Vec<Occurrence>) -> Vec<Window> {
    let mut groups: BTreeMap<Vec<String>, Vec<Occurrence>> = BTreeMap::new();
    for occurrence in all {
        groups.entry(occurrence.key.clone()).or_default().push(occurrence);
    }
    let mut windows: Vec<Window> =
        groups.iter().flat_map(|(key, occurrences)| fire_group(step, key, occurrences)).collect();
    windows.sort_unstable();
    windows
}

fn fire_group(step: &CorrelationStep, key: &[String], occurrences: &[Occurrence]) -> Vec<Window> {
    let ends: BTreeSet<i64> = occurrences.iter().map(|occurrence| occurrence.time).collect();
    ends.into_iter()
        .filter_map(|end| {
            let span = span_ending(step, end);
            let held: Vec<&Occurrence> =
                occurrences.iter().filter(|occurrence| span.contains(&occurrence.time)).collect();
            window_of(step, key, end, &held)
        })
        .collect()
}

/// The times that a window ending at `end` holds, both ends among them.
pub(crate) fn span_ending(step: &CorrelationStep, end: i64) -> RangeInclusive<i64> {
    end.saturating_sub(step.timespan.value.milliseconds())..=end
}

/// The window of a group that ends at `end` and holds these, where it fires.
pub(crate) fn window_of(
    step: &CorrelationStep,
    key: &[String],
    end: i64,
    held: &[&Occurrence],
) -> Option<Window> {
    holds(step, held).then(|| {
        let event_ids: BTreeSet<&String> = held.iter().flat_map(|occurrence| &occurrence.event_ids).collect();
        Window {
            last_seen: end,
            group: key.iter().cloned().map(Some).collect(),
            first_seen: held.iter().map(|occurrence| occurrence.first_seen).min().unwrap_or(end),
            event_ids: event_ids.into_iter().cloned().collect(),
        }
    })
}

fn holds(step: &CorrelationStep, held: &[&Occurrence]) -> bool {
    let tested = match &step.test {
        WindowTest::Bounds(measure, bounds) => measured(*measure, held)
            .is_some_and(|measured| bounds.iter().all(|bound| within(measured, bound.value))),
        WindowTest::Seen(seen) => is_seen(&seen.value, held),
    };
    tested && (!step.is_ordered() || has_chain(step.inputs.len(), held))
}

fn is_seen(seen: &Seen, held: &[&Occurrence]) -> bool {
    match seen {
        Seen::Input(input) => held.iter().any(|occurrence| occurrence.input == *input),
        Seen::And(parts) => parts.iter().all(|part| is_seen(part, held)),
        Seen::Or(parts) => parts.iter().any(|part| is_seen(part, held)),
        Seen::Not(part) => !is_seen(part, held),
    }
}

/// Whether there is an event of each input, none before that of the input before it: take the earliest each time.
fn has_chain(inputs: usize, held: &[&Occurrence]) -> bool {
    let mut reached = i64::MIN;
    (0..inputs).all(|input| {
        let of_input = held.iter().filter(|occurrence| occurrence.input == input);
        let next = of_input.map(|occurrence| occurrence.time).filter(|time| *time >= reached).min();
        next.is_some_and(|time| {
            reached = time;
            true
        })
    })
}

#[derive(Clone, Copy)]
enum Measured {
    Whole(i128),
    Real(f64),
}

fn within(measured: Measured, bound: Bound) -> bool {
    let order = match (measured, bound.value) {
        (Measured::Whole(number), BoundValue::Integer(bound)) => Some(number.cmp(&i128::from(bound))),
        (Measured::Whole(number), BoundValue::Float(bound)) => (number as f64).partial_cmp(&bound),
        (Measured::Real(number), BoundValue::Integer(bound)) => number.partial_cmp(&(bound as f64)),
        (Measured::Real(number), BoundValue::Float(bound)) => number.partial_cmp(&bound),
    };
    order.is_some_and(|order| match bound.operator {
        BoundOperator::Gt => order.is_gt(),
        BoundOperator::Gte => order.is_ge(),
        BoundOperator::Lt => order.is_lt(),
        BoundOperator::Lte => order.is_le(),
        BoundOperator::Eq => order.is_eq(),
        BoundOperator::Neq => order.is_ne(),
    })
}

/// `None` where there is nothing to measure.
fn measured(measure: Measure, held: &[&Occurrence]) -> Option<Measured> {
    let count = |distinct: usize| i128::try_from(distinct).ok().map(Measured::Whole);
    let distinct: BTreeSet<_> = held.iter().map(|occurrence| occurrence.identity()).collect();
    match measure {
        Measure::Events => count(distinct.len()),
        Measure::DistinctInputs => count(held.iter().map(|o| o.input).collect::<BTreeSet<_>>().len()),
        Measure::DistinctValues => {
            let tuples = distinct
                .into_iter()
                .filter_map(|identity| identity.values.into_iter().collect::<Option<Vec<_>>>());
            count(tuples.collect::<BTreeSet<_>>().len())
        }
        Measure::Sum | Measure::Average | Measure::Quantile(_) => number(measure, &values(held)),
    }
}

/// The values that are not NULL, each event's once.
fn values(held: &[&Occurrence]) -> Vec<Datum> {
    let mut seen = BTreeSet::new();
    let distinct = held.iter().filter(|occurrence| seen.insert(occurrence.identity()));
    distinct.filter_map(|occurrence| occurrence.values.first().cloned().flatten()).collect()
}

fn number(measure: Measure, values: &[Datum]) -> Option<Measured> {
    let mut reals: Vec<f64> = values.iter().filter_map(Datum::as_f64).collect();
    if reals.is_empty() {
        return None;
    }
    let whole: Option<i128> = values
        .iter()
        .map(|value| if let Datum::Integer(number) = value { Some(i128::from(*number)) } else { None })
        .sum();
    let sum = whole.map_or_else(|| Measured::Real(reals.iter().sum()), Measured::Whole);
    Some(match (measure, sum) {
        (Measure::Average, Measured::Whole(sum)) => Measured::Real(sum as f64 / reals.len() as f64),
        (Measure::Average, Measured::Real(sum)) => Measured::Real(sum / reals.len() as f64),
        (Measure::Quantile(fraction), _) => Measured::Real(quantile(&mut reals, fraction)),
        (_, sum) => sum,
    })
}

/// Linear between the two neighbours of the place that the fraction falls on.
fn quantile(values: &mut [f64], fraction: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = fraction * (values.len().saturating_sub(1)) as f64;
    let at = |index: f64| values.get(index as usize).copied().unwrap_or_default();
    let (low, high) = (at(place.floor()), at(place.ceil()));
    // Weighted, not `low + (high - low) * part`: where bounds meet the last bit, both have to round alike.
    let part = place - place.floor();
    low * (1.0 - part) + high * part
}
