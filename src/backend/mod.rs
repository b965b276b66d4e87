//! What evaluates plans: as text for an engine, or by itself. The seam that the specification names ("Evaluator backend adapter").

pub mod duckdb_sql;
pub mod interpreter;

use std::sync::Arc;

use crate::bridge::{self, Compilation, Settings};
use crate::pack::Pack;
use crate::sigma::{Rule, Span};

/// What evaluates plans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BackendId {
    /// SQL, in DuckDB.
    #[default]
    DuckdbSql,
    /// The middle form itself, event by event.
    Interpreter,
}

impl BackendId {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::DuckdbSql, Self::Interpreter];

    /// As options and reports write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DuckdbSql => duckdb_sql::ID,
            Self::Interpreter => interpreter::ID,
        }
    }
}

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
