//! A correlation as data: which rules it relates, over what time, and what must hold of a window.

mod read;
mod timespan;

use super::condition::Condition;
use super::rule::SigmaField;
use super::span::{Span, Spanned};
use super::yaml::Node;

pub(super) use read::correlation;
pub use timespan::Timespan;

/// A correlation of other rules.
#[derive(Clone, Debug)]
pub struct Correlation {
    /// `type`; `None` where it is missing or unknown, which the rule's problems say.
    pub kind: Option<Spanned<CorrelationKind>>,
    /// `rules`: the rules it refers to, by id or name, as written. Empty where only the condition names them.
    pub rules: Vec<Spanned<String>>,
    /// `group-by`: fields, or names of `aliases`.
    pub group_by: Vec<Spanned<SigmaField>>,
    /// `timespan`; `None` where it is missing or malformed, which the rule's problems say.
    pub timespan: Option<Spanned<Timespan>>,
    /// `condition`.
    pub condition: WindowCondition,
    /// `aliases`, in source order.
    pub aliases: Vec<FieldAlias>,
    /// `generate`: whether the rules it refers to report by themselves too.
    pub generate: bool,
    /// The whole block.
    pub node: Node,
}

impl Correlation {
    /// The alias of that name, compared with case.
    #[must_use]
    pub fn alias(&self, name: &SigmaField) -> Option<&FieldAlias> {
        self.aliases.iter().find(|alias| alias.name.value == *name)
    }
}

/// The types of correlations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are Sigma's")]
pub enum CorrelationKind {
    EventCount,
    ValueCount,
    Temporal,
    TemporalOrdered,
    ValueSum,
    ValueAvg,
    ValueMedian,
    ValuePercentile,
}

impl CorrelationKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::EventCount,
        Self::ValueCount,
        Self::Temporal,
        Self::TemporalOrdered,
        Self::ValueSum,
        Self::ValueAvg,
        Self::ValueMedian,
        Self::ValuePercentile,
    ];

    /// As rules write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EventCount => "event_count",
            Self::ValueCount => "value_count",
            Self::Temporal => "temporal",
            Self::TemporalOrdered => "temporal_ordered",
            Self::ValueSum => "value_sum",
            Self::ValueAvg => "value_avg",
            Self::ValueMedian => "value_median",
            Self::ValuePercentile => "value_percentile",
        }
    }

    /// The type of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether it asks which of the rules were seen.
    #[must_use]
    pub fn is_temporal(self) -> bool {
        matches!(self, Self::Temporal | Self::TemporalOrdered)
    }

    /// Whether it looks at the values of a field.
    #[must_use]
    pub fn takes_field(self) -> bool {
        !self.is_temporal() && self != Self::EventCount
    }

    /// Whether these values have to be numbers.
    #[must_use]
    pub fn takes_numbers(self) -> bool {
        self.takes_field() && self != Self::ValueCount
    }
}

/// What must hold of a window.
#[derive(Clone, Debug)]
pub enum WindowCondition {
    /// Nothing is said; temporal correlations then ask for all rules.
    Absent,
    /// A map of bounds.
    Bounds(Bounds),
    /// An expression over names of rules (the extended condition).
    Expression(Condition),
}

/// The map form of a condition.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// `gt`, `gte`, `lt`, `lte`, `eq`, `neq`, in source order; all hold.
    pub bounds: Vec<Spanned<Bound>>,
    /// `field`.
    pub fields: Vec<Spanned<SigmaField>>,
    /// `percentile`, 0 to 100.
    pub percentile: Option<Spanned<f64>>,
    /// Where the map stands.
    pub span: Span,
}

/// A bound on what a window is measured by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// How it compares.
    pub operator: BoundOperator,
    /// With what.
    pub value: BoundValue,
}

/// How a bound compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are Sigma's")]
pub enum BoundOperator {
    Gt,
    Gte,
    Lt,
    Lte,
    Eq,
    Neq,
}

impl BoundOperator {
    /// As SQL writes it.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Gt => ">",
            Self::Gte => ">=",
            Self::Lt => "<",
            Self::Lte => "<=",
            Self::Eq => "=",
            Self::Neq => "<>",
        }
    }
}

/// The number of a bound, exact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BoundValue {
    /// A whole number within 64 bits.
    Integer(i64),
    /// Any other; finite.
    Float(f64),
}

/// An entry of `aliases`: one name for different fields of different rules.
#[derive(Clone, Debug)]
pub struct FieldAlias {
    /// The name that `group-by` uses.
    pub name: Spanned<SigmaField>,
    /// For each rule, by id or name as written, its field.
    pub fields: Vec<(Spanned<String>, Spanned<SigmaField>)>,
}
