//! An executable correlation, for any backend (`sigma_semantics.md` 7).

use std::collections::{BTreeMap, BTreeSet};

use crate::bridge::ir::FieldExpr;
use crate::bridge::plan::{ColumnType, Plan};
use crate::ocsf::{FieldType, OcsfPath};
use crate::sigma::{Bound, Capability, CorrelationKind, SigmaField, Span, Spanned, Timespan};

/// An executable correlation with everything that it refers to, laid out flat.
#[derive(Clone, Debug)]
pub struct CorrelationPlan {
    /// The event rules that it reads, directly or through other correlations, each once.
    pub rules: Vec<CorrelatedRule>,
    /// The correlations, each behind those that it refers to; the last is the rule's own. Never empty.
    pub steps: Vec<CorrelationStep>,
    /// Whether the rules that it refers to report by themselves too.
    pub generate: bool,
    /// Every column that it reads, with the type it counts on.
    pub columns: BTreeMap<OcsfPath, ColumnType>,
    /// Whether any of them is `raw.*`.
    pub fallback_used: bool,
    /// What was switched on when it was made.
    pub capabilities: BTreeSet<Capability>,
}

/// An event rule that a correlation reads.
#[derive(Clone, Debug)]
pub struct CorrelatedRule {
    /// Its title.
    pub title: String,
    /// Its plan.
    pub plan: Plan,
}

/// One correlation: windows over the events of its inputs.
#[derive(Clone, Debug)]
pub struct CorrelationStep {
    /// Its title.
    pub title: String,
    /// Its type.
    pub kind: CorrelationKind,
    /// How long a window is.
    pub timespan: Spanned<Timespan>,
    /// What events are grouped by; empty for one group. An event with NULL in any of them is in no group.
    pub keys: Vec<GroupKey>,
    /// What it relates, in the order of `rules`. Never empty, each source once.
    pub inputs: Vec<CorrelationInput>,
    /// What must hold of a window.
    pub test: WindowTest,
}

impl CorrelationStep {
    /// Whether a window has to hold a chain of events, one of each input in their order.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        self.kind == CorrelationKind::TemporalOrdered
    }

    /// How many values each event brings to the measure.
    #[must_use]
    pub fn values(&self) -> usize {
        self.inputs.first().map_or(0, |input| input.values.len())
    }
}

/// What events are grouped by.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupKey {
    /// The field, or the name of an alias.
    pub name: SigmaField,
    /// The type of its values, the same in every input.
    pub field_type: FieldType,
    /// Where the correlation names it.
    pub span: Span,
}

/// One source of events, and where its events have the step's values.
#[derive(Clone, Debug)]
pub struct CorrelationInput {
    /// The rule as the correlation calls it.
    pub name: String,
    /// Where the events come from.
    pub source: Source,
    /// One for each of the step's keys.
    pub keys: Vec<InputValue>,
    /// One for each field that the measure looks at.
    pub values: Vec<InputValue>,
    /// Where the correlation refers to it.
    pub span: Span,
}

/// Where events come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The matches of a rule, by its place in [`CorrelationPlan::rules`].
    Rule(usize),
    /// The windows of an earlier step, each an event at the time of its last one.
    Step(usize),
}

/// Where an event has a value.
#[derive(Clone, Debug, PartialEq)]
pub enum InputValue {
    /// In a field; never a LIST.
    Field(FieldExpr),
    /// In a key of the window, by its place in the step's `keys`.
    Key(usize),
}

/// What must hold of a window.
#[derive(Clone, Debug, PartialEq)]
pub enum WindowTest {
    /// Every bound holds of what is measured; none does where there is nothing to measure.
    Bounds(Measure, Vec<Spanned<Bound>>),
    /// The inputs that were seen satisfy an expression.
    Seen(Spanned<Seen>),
}

/// What a window is measured by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measure {
    /// The number of events. One that several inputs have counts once.
    Events,
    /// The number of distinct values, or of distinct tuples of several; none of them NULL.
    DistinctValues,
    /// The number of inputs with an event.
    DistinctInputs,
    /// The sum of the values that are not NULL.
    Sum,
    /// Their mean.
    Average,
    /// The value at a fraction of their order, from 0 to 1, linear between neighbours.
    Quantile(f64),
}

/// Which inputs were seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The window has an event of the input of that place.
    Input(usize),
    /// All hold; never empty.
    And(Vec<Seen>),
    /// Any holds; never empty.
    Or(Vec<Seen>),
    /// It does not hold.
    Not(Box<Seen>),
}
