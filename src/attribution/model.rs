//! What attribution says, as plain data. Written as JSON it is part of `schemas/explain.schema.json`.

use serde::Serialize;

use super::words::Difference;
use crate::bridge::ReasonCode;
use crate::ocsf::{ClassUid, OcsfPath};
use crate::sigma::Span;

/// Why a rule did or did not match, in one word. The rules are those of the room's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It matched.
    Matched,
    /// It matched, but could not without `raw.*`: a bridge gap all the same.
    MatchedByFallback,
    /// The dataset has no event in the routed scope.
    MissingTelemetry,
    /// There are events, and none has a value in a field that the rule cannot do without.
    NormalizationGap,
    /// The rule is not executable, or cannot do without `raw.*`.
    BridgeGap,
    /// The fields are filled, and no event satisfies the condition.
    RuleLogic,
}

impl Cause {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Matched,
        Self::MatchedByFallback,
        Self::MissingTelemetry,
        Self::NormalizationGap,
        Self::BridgeGap,
        Self::RuleLogic,
    ];

    /// As documents write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::MatchedByFallback => "matched_by_fallback",
            Self::MissingTelemetry => "missing_telemetry",
            Self::NormalizationGap => "normalization_gap",
            Self::BridgeGap => "bridge_gap",
            Self::RuleLogic => "rule_logic",
        }
    }

    /// As people say it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::MatchedByFallback => "matched by fallback only",
            Self::MissingTelemetry => "missing telemetry",
            Self::NormalizationGap => "normalisation gap",
            Self::BridgeGap => "bridge gap",
            Self::RuleLogic => "rule logic",
        }
    }
}

/// A stretch of the rule's file: lines and columns from 1, columns in code points, the end excluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The first line.
    pub line: u32,
    /// The column in it.
    pub column: u32,
    /// The last line.
    pub end_line: u32,
    /// The column behind the last character.
    pub end_column: u32,
}

impl Place {
    /// `None` for an empty span: what it belongs to stands in another file, or nowhere.
    #[must_use]
    pub fn of(span: Span) -> Option<Self> {
        (span.start != span.end).then_some(Self {
            line: span.start.line,
            column: span.start.column,
            end_line: span.end.line,
            end_column: span.end.column,
        })
    }
}

/// Why a rule did or did not match.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Attribution {
    /// The rule's id.
    pub rule_id: Option<String>,
    /// Its file.
    pub path: String,
    /// Its title.
    pub title: String,
    /// The cause and what it rests on.
    pub finding: Finding,
    /// Events of class, route, selections, predicates and condition, in the order of the rule.
    pub funnel: Vec<FunnelRow>,
    /// The events that come closest, the nearest first; empty where the rule matched.
    pub nearest: Vec<NearMiss>,
    /// Why the first matches match; empty where there are none.
    pub matches: Vec<MatchReason>,
    /// The parts of a correlation.
    pub correlation: Option<CorrelationFinding>,
    /// What became of one event that was asked about.
    pub event: Option<EventFinding>,
}

/// The cause of a rule, with the numbers it rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// The cause.
    pub cause: Cause,
    /// The cause in a sentence, with its numbers.
    pub explanation: String,
    /// Why the rule is not executable, where it is not.
    pub reason_code: Option<ReasonCode>,
    /// The classes it looks at.
    pub class_uids: Vec<ClassUid>,
    /// Events of these classes.
    pub class_events: u64,
    /// Events that pass the route's filters too.
    pub scope_events: u64,
    /// Events that satisfy the rule; windows of a correlation.
    pub matches: u64,
    /// Fields of the rule without a value in any event in scope.
    pub empty_fields: Vec<EmptyField>,
    /// Fields of the rule that are read from `raw.*`.
    pub fallback_fields: Vec<String>,
    /// The step at which no event was left.
    pub stopped_at: Option<Stop>,
    /// The rule matches a larger share of its scope than [`super::BROAD_SHARE`].
    pub broad: Option<Broad>,
}

/// A field without a value in any event in scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EmptyField {
    /// The field, as the rule names it.
    pub field: String,
    /// Where its values would be.
    pub source: String,
    /// The columns of it that the dataset does not have at all.
    pub absent_columns: Vec<OcsfPath>,
    /// Whether the rule cannot match without it.
    pub needed: bool,
    /// Whether it is read from `raw.*`.
    pub fallback: bool,
}

/// A step of the funnel that left no event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stop {
    /// The step.
    pub label: String,
    /// Events before it.
    pub before: u64,
    /// Where it stands in the rule.
    pub place: Option<Place>,
}

/// That a rule matches more of its scope than a detection should.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Broad {
    /// The share of the events in scope that match, from 0 to 1.
    pub share: f64,
    /// The predicate that lets in the most.
    pub lets_in: String,
    /// Where it stands in the rule.
    pub place: Option<Place>,
    /// Events in scope that satisfy that predicate.
    pub events: u64,
}

/// What a row of the funnel counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowKind {
    /// Events of the routed classes.
    Class,
    /// A producer predicate of the route.
    Filter,
    /// A selection of the rule.
    Selection,
    /// Parts of the condition under an `and`, `or` or `not`.
    Group,
    /// A predicate.
    Predicate,
    /// The whole condition.
    Condition,
}

/// A row of the funnel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FunnelRow {
    /// What it counts.
    pub kind: RowKind,
    /// How deep it lies under the rows above it, from 0.
    pub depth: usize,
    /// What it says.
    pub label: String,
    /// Where it stands in the rule.
    pub place: Option<Place>,
    /// Events: those left after all steps so far where `cumulative`, else those in scope that satisfy this alone.
    pub events: u64,
    /// Whether the row is a step, so that the steps before it have narrowed it down.
    pub cumulative: bool,
    /// Events in scope that satisfy this alone; none for class and filters.
    pub alone: Option<u64>,
    /// Of a predicate: events in scope that have something for it to look at.
    pub filled: Option<u64>,
    /// Of a predicate that none satisfies: the commonest values of its field, most frequent first.
    pub common: Vec<ValueCount>,
}

/// A value and how many events have it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ValueCount {
    /// The value as text, from the data as it is; past 256 code points cut off.
    pub value: String,
    /// Events with it; an event with a value twice counts twice.
    pub events: u64,
}

/// An event that does not match, and what separates it from matching.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NearMiss {
    /// The event.
    pub event: EventName,
    /// How few predicates would have to come out differently.
    pub distance: u64,
    /// These predicates. Where one of several alternatives would do, the nearest.
    pub failed: Vec<Failure>,
}

/// An event by id, time and host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EventName {
    /// Its id.
    pub id: String,
    /// Its `time`, milliseconds since 1970, UTC.
    pub time: Option<i64>,
    /// Its host.
    pub host: Option<String>,
}

/// A predicate that comes out wrong for an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The selection it lies in.
    pub selection: Option<String>,
    /// What it asks for.
    pub predicate: String,
    /// Where it stands in the rule.
    pub place: Option<Place>,
    /// The value that the event has there, of several the nearest; `None` for NULL.
    pub value: Option<String>,
    /// How far it is off.
    pub difference: Difference,
    /// How many other predicates would have done as well.
    pub alternatives: usize,
}

/// An event that matches, and what let it in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MatchReason {
    /// The event.
    pub event: EventName,
    /// The predicates that hold and that the condition asks for.
    pub evidence: Vec<Evidence>,
}

/// A predicate that holds for an event, with the value that makes it hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// The selection it lies in.
    pub selection: Option<String>,
    /// What it asks for.
    pub predicate: String,
    /// Where it stands in the rule.
    pub place: Option<Place>,
    /// The value.
    pub value: Option<String>,
    /// The stretch of `value` that it found, in code points: the first and the one behind the last.
    pub found: Option<(usize, usize)>,
}

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventFinding {
    /// The event.
    pub event: EventName,
    /// Its class.
    pub class_uid: Option<u32>,
    /// Whether that is one of the rule's.
    pub in_class: bool,
    /// Each filter of the route, and whether the event passes it.
    pub filters: Vec<(String, bool)>,
    /// Whether it matches.
    pub matched: bool,
    /// What holds of it and is asked for.
    pub evidence: Vec<Evidence>,
    /// What would have to come out differently.
    pub failed: Vec<Failure>,
}

/// What the parts of a correlation yield.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CorrelationFinding {
    /// The event rules under it, with the cause of each.
    pub rules: Vec<(String, Finding)>,
    /// Events that have all keys of the last step.
    pub grouped_events: u64,
    /// What its windows are measured by, in words.
    pub measure: String,
    /// What is asked of that.
    pub asked: String,
    /// Where that stands in the rule.
    pub place: Option<Place>,
    /// The least that a window measures.
    pub least: Option<f64>,
    /// The most.
    pub most: Option<f64>,
    /// How long a window is, in milliseconds.
    pub timespan: i64,
    /// What events are grouped by.
    pub group_by: Vec<String>,
}
