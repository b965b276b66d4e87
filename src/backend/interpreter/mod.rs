//! Backend `interpreter`: plans asked of one event at a time, in plain Rust.
//!
//! The oracle of the SQL: it shares the middle form and the folding of text with DuckDB's, and nothing else. Spark's takes
//! its capitals and RE2's classes from here. What the middle form says is done here the plainest way, whatever it costs.

mod calendar;
mod event;
mod filter;
mod piece;
mod regex;
mod scalar;
mod shape;
mod test;
mod value;

use std::borrow::Borrow;

use crate::bridge::Plan;
use crate::bridge::ir::{Expr, FieldExpr, Predicate, Test};
use crate::ocsf::ClassUid;
use crate::pack::FilterOp;
use regex::Regexes;

pub use event::{Event, Field};
pub(crate) use piece::{FieldFilter, FieldTest, computed_field};
pub use regex::RegexRefused;
pub(crate) use regex::{find as find_regex, with_ascii_classes};
pub(crate) use scalar::upper_char;
pub use value::Value;

/// The backend's id, as plans record it.
pub const ID: &str = "interpreter";

/// A plan, ready to be asked of events.
#[derive(Debug)]
pub struct Interpreter<P> {
    plan: P,
    regexes: Regexes,
}

impl<P: Borrow<Plan>> Interpreter<P> {
    /// Makes a plan ready.
    ///
    /// # Errors
    /// One of its regular expressions is not one, or takes too much memory.
    pub fn new(plan: P) -> Result<Self, RegexRefused> {
        let mut regexes = Regexes::default();
        for filter in plan.borrow().scope.filters.iter().filter(|filter| filter.op == FilterOp::Regex) {
            regexes.add(&filter::searched(filter))?;
        }
        add_regexes(&plan.borrow().predicate, &mut regexes)?;
        Ok(Self { plan, regexes })
    }

    /// Whether the event is in the plan's scope, and what the rule says holds of it.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        self.in_scope(event) && self.holds(&self.plan().predicate, event)
    }

    /// The plan.
    pub(crate) fn plan(&self) -> &Plan {
        self.plan.borrow()
    }

    /// Whether the event is in the plan's scope.
    fn in_scope(&self, event: &Event) -> bool {
        let scope = &self.plan().scope;
        event.class_uid().is_some_and(|class| scope.class_uids.contains(&class))
            && scope
                .filters
                .iter()
                .all(|filter| filter::passes(filter, &event.field(filter.path.as_str()), &self.regexes))
    }

    fn holds(&self, expr: &Expr, event: &Event) -> bool {
        match expr {
            Expr::And(parts) => parts.iter().all(|part| self.holds(part, event)),
            Expr::Or(parts) => parts.iter().any(|part| self.holds(part, event)),
            Expr::Not(part) => !self.holds(part, event),
            Expr::Selection { body, .. } => self.holds(body, event),
            Expr::Predicate(Predicate { source, test, .. }) => self.source_passes(source, test, event),
        }
    }

    fn source_passes(&self, source: &FieldExpr, test: &Test, event: &Event) -> bool {
        match source {
            FieldExpr::Column(column) => {
                field_passes(&event.field(column.path.as_str()), test, event, &self.regexes)
            }
            FieldExpr::Computed(computed) => {
                field_passes(&scalar::of_event(computed, event), test, event, &self.regexes)
            }
            FieldExpr::AnyOf(sources) if *test == Test::Missing => {
                sources.iter().all(|source| self.source_passes(source, test, event))
            }
            FieldExpr::AnyOf(sources) => sources.iter().any(|source| self.source_passes(source, test, event)),
            FieldExpr::PerClass(sources) => match of_class(sources, event) {
                Some(source) => self.source_passes(source, test, event),
                None => *test == Test::Missing,
            },
        }
    }
}

fn field_passes(field: &Field, test: &Test, event: &Event, regexes: &Regexes) -> bool {
    match test {
        Test::Exists => !field.is_null(),
        Test::Missing => field.is_null(),
        test => field.values().any(|value| test::passes(value, test, event, regexes)),
    }
}

impl Event {
    /// The first value of a field, for correlations, whose fields have one at most.
    pub(crate) fn first_value(&self, source: &FieldExpr) -> Option<Value> {
        match source {
            FieldExpr::Column(column) => self.field(column.path.as_str()).values().next().cloned(),
            FieldExpr::Computed(computed) => scalar::of_event(computed, self).values().next().cloned(),
            FieldExpr::AnyOf(sources) => sources.iter().find_map(|source| self.first_value(source)),
            FieldExpr::PerClass(sources) => self.first_value(of_class(sources, self)?),
        }
    }
}

/// Where a field is found in events of this event's class.
fn of_class<'s>(sources: &'s [(ClassUid, FieldExpr)], event: &Event) -> Option<&'s FieldExpr> {
    let class = event.class_uid()?;
    sources.iter().find(|(of, _)| *of == class).map(|(_, source)| source)
}

fn add_regexes(expr: &Expr, regexes: &mut Regexes) -> Result<(), RegexRefused> {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().try_for_each(|part| add_regexes(part, regexes)),
        Expr::Not(part) => add_regexes(part, regexes),
        Expr::Selection { body, .. } => add_regexes(body, regexes),
        Expr::Predicate(Predicate { test: Test::Regex(regex), .. }) => regexes.add(regex),
        Expr::Predicate(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests;
