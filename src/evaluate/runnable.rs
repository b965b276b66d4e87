//! What of a compiled rule runs over events.

use crate::backend::{CompiledRule, Sql};
use crate::bridge::{CorrelationPlan, Plan};

/// What of a rule runs over events, with its SQL.
#[derive(Clone, Copy, Debug)]
pub enum Runnable<'r> {
    /// An event rule: a match is an event.
    Event(&'r Plan, &'r Sql),
    /// A correlation: a match is a window.
    Correlation(&'r CorrelationPlan, &'r Sql),
}

impl<'r> Runnable<'r> {
    /// `None` for a rule that is refused, and for a filter, which runs within the rules that it narrows.
    #[must_use]
    pub fn of(compiled: &'r CompiledRule) -> Option<Self> {
        let sql = compiled.sql.as_ref()?;
        match (&compiled.compilation.plan, &compiled.compilation.correlation) {
            (Some(plan), _) => Some(Self::Event(plan, sql)),
            (None, Some(plan)) => Some(Self::Correlation(plan, sql)),
            (None, None) => None,
        }
    }
}
