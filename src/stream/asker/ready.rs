//! Plans made ready, whatever the class: tests and filters that they share are there once.

use std::collections::HashMap;
use std::sync::Arc;

use super::super::columns::{Columns, Slot};
use crate::backend::interpreter::{FieldFilter, FieldTest, RegexRefused};
use crate::bridge::ir::{Expr, FieldExpr, Predicate, Test};
use crate::bridge::{ColumnType, Plan};
use crate::ocsf::ClassUid;
use crate::pack::RouteFilter;

/// Which of [`Parts::tests`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct TestId(pub(super) usize);

/// Which of [`Parts::filters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FilterId(pub(super) usize);

/// What plans are made of.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) columns: Columns,
    pub(super) tests: Vec<FieldTest>,
    by_test: HashMap<String, TestId>,
    pub(super) filters: Vec<(Slot, FieldFilter)>,
}

/// A plan.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) class_uids: Vec<ClassUid>,
    pub(super) filters: Vec<FilterId>,
    pub(super) condition: Condition,
}

/// [`Expr`] over tests that are ready.
#[derive(Debug)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Test(Arc<FieldExpr>, TestId),
}

impl Parts {
    /// Makes a plan ready.
    ///
    /// # Errors
    /// One of its regular expressions is none, or takes too much memory.
    pub(super) fn ready(&mut self, plan: &Plan) -> Result<Ready, RegexRefused> {
        for (path, column) in &plan.columns {
            self.columns.expect(path, *column);
        }
        plan.predicate.visit_columns(&mut |column| {
            let of_type = ColumnType { field_type: column.field_type, list: column.list };
            self.columns.expect(&column.path, of_type);
        });
        let filters =
            plan.scope.filters.iter().map(|filter| self.filter(filter)).collect::<Result<_, _>>()?;
        let condition = self.condition(&plan.predicate)?;
        Ok(Ready { class_uids: plan.scope.class_uids.clone(), filters, condition })
    }

    fn condition(&mut self, expr: &Expr) -> Result<Condition, RegexRefused> {
        let mut several =
            |parts: &[Expr]| parts.iter().map(|part| self.condition(part)).collect::<Result<Vec<_>, _>>();
        Ok(match expr {
            Expr::And(parts) => Condition::All(several(parts)?),
            Expr::Or(parts) => Condition::Any(several(parts)?),
            Expr::Not(part) => Condition::Not(Box::new(self.condition(part)?)),
            Expr::Selection { body, .. } => self.condition(body)?,
            Expr::Predicate(Predicate { source, test, .. }) => {
                Condition::Test(Arc::clone(source), self.test(test)?)
            }
        })
    }

    fn test(&mut self, test: &Test) -> Result<TestId, RegexRefused> {
        let text = format!("{test:?}");
        if let Some(known) = self.by_test.get(&text) {
            return Ok(*known);
        }
        let id = TestId(self.tests.len());
        self.tests.push(FieldTest::new(test.clone())?);
        self.by_test.insert(text, id);
        Ok(id)
    }

    fn filter(&mut self, filter: &RouteFilter) -> Result<FilterId, RegexRefused> {
        if let Some(known) = self.filters.iter().position(|(_, known)| known.filter() == filter) {
            return Ok(FilterId(known));
        }
        let slot = self.columns.slot(filter.path.as_str());
        self.filters.push((slot, FieldFilter::new(filter.clone())?));
        Ok(FilterId(self.filters.len() - 1))
    }
}
