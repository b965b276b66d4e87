//! Plans to text for an engine. The seam that the specification names ("Evaluator backend adapter").

use crate::bridge::Compilation;
use crate::sigma::Span;

/// A plan as SQL, laid out for reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sql {
    /// The whole statement, as shown, exported and recorded: event ids and times of the matches.
    pub text: String,
    /// The `WHERE` clause's body alone, for statements that ask something else of the same events.
    pub predicate: String,
    /// The part of `predicate` that routes: class and producer filters.
    pub scope: String,
    /// For each line of `text`, the place in the rule that it comes from.
    pub lines: Vec<Option<Span>>,
}

/// A rule as the bridge and a backend left it.
#[derive(Clone, Debug)]
pub struct CompiledRule {
    /// Route, fields, findings, plan.
    pub compilation: Compilation,
    /// The plan as SQL; `None` exactly where there is no plan.
    pub sql: Option<Sql>,
}
