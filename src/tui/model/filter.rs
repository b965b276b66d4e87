//! What of the rule list is shown, as it is typed.

use super::list::Query;

/// A filter, in the language of [`Query`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// What was typed. Changed through [`Filter::set`], so that the query follows it.
    pub text: String,
    /// The same, read.
    pub query: Query,
    /// Whether it is being typed.
    pub editing: bool,
}

impl Filter {
    /// Whether it hides anything at all.
    pub(crate) fn is_active(&self) -> bool {
        self.query.terms.iter().any(|term| term.wanted.is_ok())
    }

    /// Puts another text in place of what was typed.
    pub(crate) fn set(&mut self, text: String) {
        self.query = Query::read(&text);
        self.text = text;
    }
}
