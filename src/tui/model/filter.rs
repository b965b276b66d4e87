//! What of the rule list is shown, as it is typed.

use super::list::Query;
use super::{Input, RuleKey};

/// A filter, in the language of [`Query`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// What was typed. Whoever changes it lets the query follow it, by [`Filter::read`].
    pub input: Input,
    /// The same, read.
    pub query: Query,
    /// Whether it is being typed.
    pub editing: bool,
    /// The rule that was selected before anything was typed, as long as the user has not chosen another since: what is
    /// selected follows from it.
    pub origin: Option<RuleKey>,
}

impl Filter {
    /// Whether it hides anything at all.
    pub(crate) fn is_active(&self) -> bool {
        self.query.terms.iter().any(|term| term.wanted.is_ok())
    }

    /// Reads what was typed.
    pub(crate) fn read(&mut self) {
        self.query = Query::read(self.input.text());
    }
}
