//! Plans to text for an engine. The seam that the specification names ("Evaluator backend adapter").

pub mod duckdb_sql;

use std::sync::Arc;

use crate::bridge::{self, Compilation, Settings};
use crate::pack::Pack;
use crate::sigma::{Rule, Span};

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

/// Compiles a set of rules down to DuckDB SQL. One [`CompiledRule`] for each, in order, executable or not.
#[must_use]
pub fn compile(rules: &[Arc<Rule>], pack: &Pack, settings: &Settings) -> Vec<CompiledRule> {
    bridge::compile(rules, pack, settings)
        .into_iter()
        .map(|compilation| {
            let sql = compilation.plan.as_ref().map(duckdb_sql::emit);
            CompiledRule { compilation, sql }
        })
        .collect()
}
