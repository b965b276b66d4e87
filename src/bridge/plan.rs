//! What compiling a rule yields: the plan, and everything that was learnt on the way, also where there is none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::correlate::CorrelationPlan;
use super::diagnostic::{Diagnostic, Severity};
use super::ir::{Expr, FieldExpr};
use super::reason::ReasonCode;
use crate::ocsf::{ClassUid, FieldType, OcsfPath};
use crate::pack::{Column, PackPlace, RouteFilter};
use crate::sigma::{Body, Capability, Rule, SigmaField, Span};

/// A rule after the bridge has done what it can with it.
#[derive(Clone, Debug)]
pub struct Compilation {
    /// The rule.
    pub rule: Arc<Rule>,
    /// How it was routed.
    pub routing: Routing,
    /// Each field that the condition reaches, in byte order.
    pub fields: Vec<FieldResolution>,
    /// All findings, in source order, warnings among them.
    pub diagnostics: Vec<Diagnostic>,
    /// The plan, where it is an executable event rule.
    pub plan: Option<Plan>,
    /// The plan, where it is an executable correlation.
    pub correlation: Option<CorrelationPlan>,
    /// Whether its matches count by themselves. False for a rule that executable correlations refer to, none of
    /// them with `generate: true` (`sigma_semantics.md` 7). Its plan is there all the same.
    pub reported: bool,
}

impl Compilation {
    /// Whether the rule is in force: an event rule or a correlation that can run, or a sound filter, which runs
    /// within the rules that it narrows and has neither a plan nor matches of its own.
    #[must_use]
    pub fn is_executable(&self) -> bool {
        self.plan.is_some() || self.correlation.is_some() || self.is_sound_filter()
    }

    fn is_sound_filter(&self) -> bool {
        matches!(self.rule.body, Body::Filter(_)) && self.refusal().is_none()
    }

    /// The finding that gives the rule its reason code: the most specific one.
    #[must_use]
    pub fn refusal(&self) -> Option<&Diagnostic> {
        self.diagnostics
            .iter()
            .filter(|d| d.code.severity == Severity::Error)
            .min_by_key(|d| d.code.specificity())
    }

    /// Why the rule is not executable; `None` where it is.
    #[must_use]
    pub fn reason(&self) -> Option<ReasonCode> {
        self.refusal().and_then(|d| d.code.reason)
    }

    /// Whether any field is read from `raw.*`.
    #[must_use]
    pub fn fallback_used(&self) -> bool {
        self.plan.as_ref().is_some_and(|p| p.fallback_used)
            || self.correlation.as_ref().is_some_and(|c| c.fallback_used)
    }
}

/// How a rule was routed.
#[derive(Clone, Debug, Default)]
pub struct Routing {
    /// The route that won.
    pub scope: Option<Arc<RoutedScope>>,
    /// Routes that named the rule's category or service and lost, with why.
    pub rejected: Vec<RejectedRoute>,
}

/// The OCSF events that a rule looks at.
#[derive(Clone, Debug)]
pub struct RoutedScope {
    /// The route's own log source, as `category/product/service` with `*` for what it leaves open.
    pub logsource: String,
    /// The classes, ascending; an event of any of them is in scope.
    pub class_uids: Vec<ClassUid>,
    /// Producer predicates, in stored order; all hold.
    pub filters: Vec<RouteFilter>,
    /// The text columns that a search without a field looks at; empty for all of the routed classes.
    pub keywords: Vec<Column>,
    /// Where the route stands in the pack.
    pub place: PackPlace,
}

/// A route that did not win.
#[derive(Clone, Debug)]
pub struct RejectedRoute {
    /// As in [`RoutedScope::logsource`].
    pub logsource: String,
    /// Why not, in a few words.
    pub why: String,
    /// Where it stands in the pack.
    pub place: PackPlace,
}

/// What became of one field of the rule.
#[derive(Clone, Debug)]
pub struct FieldResolution {
    /// The field.
    pub field: SigmaField,
    /// How it was resolved.
    pub resolution: Resolution,
    /// The path or expression, as the pack writes it; empty where there is none.
    pub expr: Arc<str>,
    /// The type of its values.
    pub field_type: Option<FieldType>,
    /// Whether one event may have several.
    pub list: bool,
    /// The columns that it reads.
    pub columns: Arc<[OcsfPath]>,
    /// Where its values are found in the routed classes; `None` where it is unmapped.
    pub source: Option<Arc<FieldExpr>>,
    /// The alias's scope, as the pack writes it.
    pub scope: Arc<str>,
    /// What the alias does to literals (`values`, `literal`), in words; empty where nothing.
    pub transforms: Arc<str>,
    /// Where the alias stands in the pack.
    pub place: Option<PackPlace>,
    /// Where the rule uses the field, in source order.
    pub uses: Vec<Span>,
}

impl FieldResolution {
    /// Of a field that resolves to nothing.
    pub(super) fn unmapped(field: SigmaField) -> Self {
        Self {
            field,
            resolution: Resolution::Unmapped,
            expr: Arc::default(),
            field_type: None,
            list: false,
            columns: Arc::default(),
            source: None,
            scope: Arc::default(),
            transforms: Arc::default(),
            place: None,
            uses: Vec::new(),
        }
    }
}

/// How a field was resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// To OCSF.
    Mapped,
    /// To `raw.*`.
    RawFallback,
    /// To nothing.
    Unmapped,
}

/// An executable rule, for any backend.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The events it looks at.
    pub scope: Arc<RoutedScope>,
    /// What must hold of them.
    pub predicate: Expr,
    /// Every column that the plan reads, with the type it counts on.
    pub columns: BTreeMap<OcsfPath, ColumnType>,
    /// The columns worth showing with a match: those of the rule's fields, in source order.
    pub shown: Vec<OcsfPath>,
    /// Whether any of them is `raw.*`.
    pub fallback_used: bool,
    /// What was switched on when it was made.
    pub capabilities: BTreeSet<Capability>,
}

/// The type that a plan counts on in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ColumnType {
    /// The type of its values.
    pub field_type: FieldType,
    /// Whether it is a LIST of them.
    pub list: bool,
}
