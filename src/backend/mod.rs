//! What evaluates plans: as text for an engine, or by itself. The seam that the specification names ("Evaluator backend adapter").

pub mod correlation_oracle;
pub mod duckdb_sql;
mod incremental;
pub mod interpreter;
mod layout;
pub mod spark_sql;
mod sql_parts;
mod sql_windows;

use std::sync::Arc;

pub use incremental::Incremental;

use crate::bridge::{self, Compilation, CorrelationPlan, Diagnostic, Plan, Settings};
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
    /// SQL, in a Spark that is not part of this program.
    SparkSql,
}

impl BackendId {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::DuckdbSql, Self::Interpreter, Self::SparkSql];

    /// Those that are part of this program.
    pub const BUILT_IN: [Self; 2] = [Self::DuckdbSql, Self::Interpreter];

    /// As options and reports write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DuckdbSql => duckdb_sql::ID,
            Self::Interpreter => interpreter::ID,
            Self::SparkSql => spark_sql::ID,
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

/// A window in which a correlation fired.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Window {
    /// The time of its last event, which is the one it fired at; milliseconds since 1970, UTC.
    pub last_seen: i64,
    /// The values that its events are grouped by, as text, in the order of `group-by`.
    pub group: Vec<Option<String>>,
    /// The time of its first event; of the first one within where its events are windows of another correlation.
    pub first_seen: i64,
    /// The ids of its events, in byte order, each once.
    pub event_ids: Vec<String>,
}

/// A rule as the bridge and a backend left it.
#[derive(Clone, Debug)]
pub struct CompiledRule {
    /// Route, fields, findings, plan.
    pub compilation: Compilation,
    /// The plan as SQL, of an event rule or of a correlation; `None` exactly where there is neither. That of a
    /// correlation has no `predicate` and no `scope`: only `evaluate::windows` can run it.
    pub sql: Option<Sql>,
}

/// Compiles a set of rules down to DuckDB SQL. One [`CompiledRule`] for each, in order, executable or not.
#[must_use]
pub fn compile(rules: &[Arc<Rule>], pack: &Pack, settings: &Settings) -> Vec<CompiledRule> {
    compile_for(BackendId::DuckdbSql, rules, pack, settings)
}

/// Compiles a set of rules for a backend; the interpreter's plans are shown as DuckDB SQL. A rule that the backend cannot
/// run exactly as it says is not executable, with the backend's finding. One [`CompiledRule`] for each, in order.
#[must_use]
pub fn compile_for(
    backend: BackendId,
    rules: &[Arc<Rule>],
    pack: &Pack,
    settings: &Settings,
) -> Vec<CompiledRule> {
    let dialect = match backend {
        BackendId::DuckdbSql | BackendId::Interpreter => {
            Dialect { rule: duckdb_sql::emit, correlation: duckdb_sql::emit_correlation }
        }
        BackendId::SparkSql => Dialect { rule: spark_sql::emit, correlation: spark_sql::emit_correlation },
    };
    let mut compilations = bridge::compile(rules, pack, settings);
    if backend == BackendId::SparkSql {
        refuse_for_spark(&mut compilations);
    }
    compilations.into_iter().map(|compilation| with_sql(compilation, &dialect)).collect()
}

/// The statement by which Spark would run what a rule was compiled to, if it has a plan at all.
///
/// # Errors
/// Why Spark cannot run it exactly.
pub fn spark_statement(compilation: &Compilation) -> Result<Option<Sql>, Vec<Diagnostic>> {
    let refusals = spark_sql::refusals(compilation);
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let plan = compilation.plan.as_ref().map(spark_sql::emit);
    Ok(plan.or_else(|| compilation.correlation.as_ref().map(spark_sql::emit_correlation)))
}

/// Takes their plans from rules that Spark cannot run exactly. What a correlation refers to reports by itself where the
/// correlation cannot run.
fn refuse_for_spark(compilations: &mut [Compilation]) {
    for compilation in compilations.iter_mut() {
        let refusals = spark_sql::refusals(compilation);
        if !refusals.is_empty() {
            compilation.diagnostics.extend(refusals);
            (compilation.plan, compilation.correlation) = (None, None);
        }
    }
    bridge::settle_reports(compilations);
}

/// How plans are written.
struct Dialect {
    rule: fn(&Plan) -> Sql,
    correlation: fn(&CorrelationPlan) -> Sql,
}

fn with_sql(compilation: Compilation, dialect: &Dialect) -> CompiledRule {
    let sql = match (&compilation.plan, &compilation.correlation) {
        (Some(plan), _) => Some((dialect.rule)(plan)),
        (None, Some(correlation)) => Some((dialect.correlation)(correlation)),
        (None, None) => None,
    };
    CompiledRule { compilation, sql }
}
