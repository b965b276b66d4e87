//! Tests, filters and computed fields by themselves, for who asks them in an order of his own.

use std::borrow::Cow;

use super::regex::Regexes;
use super::{Event, Field, RegexRefused, field_passes, filter, scalar};
use crate::bridge::ir::Test;
use crate::pack::{Column, Computed, FilterOp, RouteFilter};

/// A test of a field.
#[derive(Debug)]
pub(crate) struct FieldTest {
    test: Test,
    regexes: Regexes,
}

impl FieldTest {
    /// Makes a test ready.
    ///
    /// # Errors
    /// Its regular expression is none, or takes too much memory.
    pub(crate) fn new(test: Test) -> Result<Self, RegexRefused> {
        let mut regexes = Regexes::default();
        if let Test::Regex(regex) = &test {
            regexes.add(regex)?;
        }
        Ok(Self { test, regexes })
    }

    /// As the plan has it.
    pub(crate) fn test(&self) -> &Test {
        &self.test
    }

    /// Whether it looks at other fields of the event, too.
    pub(crate) fn looks_around(&self) -> bool {
        matches!(self.test, Test::OtherText { .. } | Test::OtherNumber(_))
    }

    /// Whether the field passes. The event is looked at only where [`Self::looks_around`] says so.
    pub(crate) fn passes(&self, field: &Field, event: &Event) -> bool {
        field_passes(field, &self.test, event, &self.regexes)
    }
}

/// A producer predicate of a route.
#[derive(Debug)]
pub(crate) struct FieldFilter {
    filter: RouteFilter,
    regexes: Regexes,
}

impl FieldFilter {
    /// Makes a filter ready.
    ///
    /// # Errors
    /// Its regular expression is none, or takes too much memory.
    pub(crate) fn new(filter: RouteFilter) -> Result<Self, RegexRefused> {
        let mut regexes = Regexes::default();
        if filter.op == FilterOp::Regex {
            regexes.add(&filter::searched(&filter))?;
        }
        Ok(Self { filter, regexes })
    }

    /// As the pack has it.
    pub(crate) fn filter(&self) -> &RouteFilter {
        &self.filter
    }

    /// Whether what the event has at the filter's path passes.
    pub(crate) fn passes(&self, field: &Field) -> bool {
        filter::passes(&self.filter, field, &self.regexes)
    }
}

/// The field that is computed from the columns that `at` gives.
pub(crate) fn computed_field<'e>(computed: &Computed, at: &dyn Fn(&Column) -> Cow<'e, Field>) -> Field {
    scalar::field(computed, at)
}
