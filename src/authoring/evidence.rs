//! What a dataset says about its columns within a scope: how often they are filled, with what, and which of the
//! literals that rules look for they hold.

use std::collections::BTreeMap;

use serde::Serialize;

use super::gap::Literal;
use crate::backend::duckdb_sql;
use crate::bridge::ir::{Expr, FieldExpr, Number, Predicate, Test};
use crate::bridge::{ColumnType, RoutedScope};
use crate::evaluate::{Cancel, EvalError};
use crate::ocsf::{FieldType, OcsfPath};
use crate::pack::Column;
use crate::sigma::{SigmaField, Span, TextMatch, text};
use crate::store::sql_text::identifier;
use crate::store::{DatasetColumn, Store};

/// Literals that are looked for in every column; more would tell no more.
const LITERALS: usize = 16;

/// Sample values shown of a column.
const SAMPLES: usize = 3;

/// Longest sample, in characters.
const SAMPLE_LENGTH: usize = 100;

/// What a dataset holds within a scope.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Events in the scope.
    pub in_scope: u64,
    /// The columns that any of them fills.
    pub columns: BTreeMap<OcsfPath, Evidence>,
    /// How many literals were looked for.
    pub literals: usize,
}

/// What a dataset says about one column within a scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Evidence {
    /// DuckDB's name of its type, as stored.
    pub stored_as: String,
    /// Events of the scope that have a value.
    pub filled: u64,
    /// How many of the literals that rules look for some event has here.
    pub holds: usize,
    /// The commonest values, commonest first, then in byte order; empty until asked for.
    pub samples: Vec<Sample>,
}

/// A value and how often it occurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// As text; cut at 100 characters.
    pub value: String,
    /// How often it occurs in the scope.
    pub events: u64,
}

/// Surveys every column of the dataset over the events of `scopes`, in two scans.
///
/// # Errors
/// DuckDB fails, or nobody waits any more.
pub fn survey(
    store: &mut Store,
    scopes: &[RoutedScope],
    literals: &[Literal],
    cancel: &Cancel,
) -> Result<Survey, EvalError> {
    let within = within(store, scopes)?;
    let known: Vec<(OcsfPath, DatasetColumn)> =
        store.schema().columns.iter().map(|(path, column)| (path.clone(), column.clone())).collect();
    let (in_scope, filled) = filled(store, &within, &known, cancel)?;
    let literals: Vec<&Literal> = literals.iter().take(LITERALS).collect();
    let mut survey = Survey { in_scope, columns: BTreeMap::new(), literals: literals.len() };
    for ((path, column), filled) in known.into_iter().zip(filled).filter(|(_, filled)| *filled > 0) {
        let stored_as = column.stored_as.clone();
        survey.columns.insert(path, Evidence { stored_as, filled, holds: 0, samples: Vec::new() });
    }
    hold(store, &within, &literals, &mut survey, cancel)?;
    Ok(survey)
}

impl Survey {
    /// Adds sample values of one column to its evidence.
    ///
    /// # Errors
    /// As for [`survey`].
    pub fn sample(
        &mut self,
        store: &mut Store,
        scopes: &[RoutedScope],
        path: &OcsfPath,
        cancel: &Cancel,
    ) -> Result<(), EvalError> {
        let within = within(store, scopes)?;
        let list = store.schema().column(path).is_some_and(|column| column.list);
        let Some(evidence) = self.columns.get_mut(path) else { return Ok(()) };
        let name = identifier(path.as_str());
        let value = if list { format!("unnest({name})") } else { name };
        let sql = format!(
            "SELECT left(CAST(value AS VARCHAR), {SAMPLE_LENGTH}), count(*)\n\
             FROM (SELECT {value} AS value FROM ocsf_events WHERE {within})\n\
             WHERE value IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {SAMPLES}"
        );
        evidence.samples =
            store.select(&sql, cancel, |row| Ok(Sample { value: row.get(0)?, events: row.get(1)? }))?;
        Ok(())
    }
}

/// The scopes as a condition, whose columns the view has after this.
fn within(store: &mut Store, scopes: &[RoutedScope]) -> Result<String, EvalError> {
    let filters = scopes.iter().flat_map(|scope| &scope.filters);
    let columns = filters.map(|filter| {
        let column = ColumnType { field_type: filter.field_type, list: filter.list };
        (filter.path.clone(), column)
    });
    store.ensure_columns(&columns.collect())?;
    let scopes: Vec<_> = scopes.iter().map(|scope| format!("({})", duckdb_sql::scope(scope))).collect();
    Ok(if scopes.is_empty() { "true".to_owned() } else { format!("({})", scopes.join("\n OR ")) })
}

/// Events in all, and for each column those that fill it.
fn filled(
    store: &Store,
    within: &str,
    columns: &[(OcsfPath, DatasetColumn)],
    cancel: &Cancel,
) -> Result<(u64, Vec<u64>), EvalError> {
    let counts = columns.iter().map(|(path, column)| {
        let name = identifier(path.as_str());
        // An empty LIST is a value, and holds none.
        if column.list {
            format!("count(CASE WHEN len({name}) > 0 THEN 1 END)")
        } else {
            format!("count({name})")
        }
    });
    let counts: Vec<String> = std::iter::once("count(*)".to_owned()).chain(counts).collect();
    let sql = format!("SELECT {} FROM ocsf_events\nWHERE {within}", counts.join(", "));
    let row = numbers(store, &sql, columns.len() + 1, cancel)?;
    let (in_scope, filled) = row.split_first().unwrap_or((&0, &[]));
    Ok((*in_scope, filled.to_vec()))
}

/// The one row of a statement that counts.
fn numbers(store: &Store, sql: &str, count: usize, cancel: &Cancel) -> Result<Vec<u64>, EvalError> {
    let rows =
        store.select(sql, cancel, |row| (0..count).map(|at| row.get(at)).collect::<Result<Vec<u64>, _>>())?;
    Ok(rows.into_iter().next().unwrap_or_default())
}

/// Counts, for each column that is filled, the literals that some event has there.
fn hold(
    store: &Store,
    within: &str,
    literals: &[&Literal],
    survey: &mut Survey,
    cancel: &Cancel,
) -> Result<(), EvalError> {
    let mut asked: Vec<(OcsfPath, String)> = Vec::new();
    for path in survey.columns.keys() {
        let Some(column) = store.schema().column(path) else { continue };
        let tests: Vec<String> = literals
            .iter()
            .filter_map(|literal| test(path, column, literal))
            .map(|test| format!("max(CASE WHEN {test} THEN 1 ELSE 0 END)"))
            .collect();
        if !tests.is_empty() {
            asked.push((path.clone(), format!("coalesce({}, 0)", tests.join(" + "))));
        }
    }
    if asked.is_empty() {
        return Ok(());
    }
    let sums: Vec<&str> = asked.iter().map(|(_, sum)| sum.as_str()).collect();
    let sql = format!("SELECT {} FROM ocsf_events\nWHERE {within}", sums.join(", "));
    let sums = numbers(store, &sql, asked.len(), cancel)?;
    for ((path, _), holds) in asked.iter().zip(sums) {
        if let Some(evidence) = survey.columns.get_mut(path) {
            evidence.holds = usize::try_from(holds).unwrap_or(usize::MAX);
        }
    }
    Ok(())
}

/// Whether an event has the literal in the column; `None` where it could never have, by type.
fn test(path: &OcsfPath, column: &DatasetColumn, literal: &Literal) -> Option<String> {
    let field_type = column.field_type?;
    let test = match (field_type, literal.position) {
        (FieldType::String, TextMatch::Equals) => {
            Test::TextIn { values: vec![text::fold(&literal.text)], cased: false }
        }
        (FieldType::String, position) => {
            Test::Text { position, value: text::fold(&literal.text), cased: false }
        }
        (FieldType::Integer, TextMatch::Equals) => {
            Test::NumberIn(vec![Number::Integer(literal.text.parse::<i64>().ok()?.into())])
        }
        (FieldType::Boolean, TextMatch::Equals) => Test::BooleanIn(vec![literal.text.parse().ok()?]),
        _ => return None,
    };
    let source = FieldExpr::Column(Column { path: path.clone(), field_type, list: column.list });
    let field = SigmaField(String::new());
    Some(duckdb_sql::condition(&Expr::Predicate(Predicate { field, source, test, span: Span::START })))
}
