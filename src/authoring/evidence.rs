//! What a dataset says about its columns within a scope: how often they are filled, with what, and which of the
//! literals that rules look for they hold.

use std::collections::BTreeMap;

use serde::Serialize;

use super::gap::Literal;
use crate::backend::duckdb_sql::{self, pieces};
use crate::bridge::ir::{Expr, FieldExpr, Number, Predicate, Test};
use crate::bridge::{ColumnType, Compilation, RoutedScope};
use crate::evaluate::{Cancel, EvalError, check_types};
use crate::ocsf::{FieldType, OcsfPath};
use crate::pack::{Column, RouteFilter};
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

/// How often the fields of a rule are filled within its scope.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fills {
    /// Events in the scope.
    pub in_scope: u64,
    /// Those with a value in a field. A field without an alias is not here, nor one whose column the dataset stores
    /// in another type than OCSF's.
    pub fields: BTreeMap<SigmaField, u64>,
}

/// Counts, in one scan, how often each field of a rule is filled; `None` where the rule is not routed. The rule need
/// not be executable.
///
/// # Errors
/// As for [`survey`].
pub fn fills(
    store: &mut Store,
    compilation: &Compilation,
    cancel: &Cancel,
) -> Result<Option<Fills>, EvalError> {
    let Some(scope) = &compilation.routing.scope else { return Ok(None) };
    let mut columns = filter_columns(std::slice::from_ref(scope));
    let mut asked: Vec<(&SigmaField, String)> = Vec::new();
    for field in &compilation.fields {
        let Some(source) = &field.source else { continue };
        let read = columns_of(source);
        if check_types(store, &read).is_ok() {
            columns.extend(read);
            asked.push((&field.field, format!("count(CASE WHEN {} THEN 1 END)", pieces::has_value(source))));
        }
    }
    let within = duckdb_sql::scope(scope);
    let counts = asked.iter().map(|(_, count)| count.as_str());
    let counts: Vec<&str> = std::iter::once("count(*)").chain(counts).collect();
    let sql = format!("SELECT {} FROM ocsf_events\nWHERE {within}", counts.join(", "));
    let row =
        store.of_scope(&within, &columns, cancel, |store| numbers(store, &sql, counts.len(), cancel))?;
    let (in_scope, filled) = row.split_first().unwrap_or((&0, &[]));
    let fields = asked.iter().zip(filled).map(|((field, _), filled)| ((*field).clone(), *filled));
    Ok(Some(Fills { in_scope: *in_scope, fields: fields.collect() }))
}

/// What the dataset says about an alias that is no single column. Its values are told as text.
///
/// # Errors
/// As for [`survey`].
pub fn alias_evidence(
    store: &mut Store,
    scopes: &[RoutedScope],
    source: &FieldExpr,
    field_type: FieldType,
    literals: &[Literal],
    cancel: &Cancel,
) -> Result<Option<Evidence>, EvalError> {
    if !ensure(store, source)? {
        return Ok(None);
    }
    let within = within(store, scopes)?;
    let tests = literals.iter().take(LITERALS).filter_map(|literal| literal_test(field_type, literal));
    let tests: Vec<String> = tests
        .map(|test| condition(source.clone(), test))
        .map(|test| format!("coalesce(max(CASE WHEN {test} THEN 1 ELSE 0 END), 0)"))
        .collect();
    let holds = if tests.is_empty() { "0".to_owned() } else { tests.join(" + ") };
    let filled = pieces::has_value(source);
    let sql =
        format!("SELECT count(CASE WHEN {filled} THEN 1 END), {holds} FROM ocsf_events\nWHERE {within}");
    let row = numbers(store, &sql, 2, cancel)?;
    let (Some(filled), Some(holds)) = (row.first(), row.get(1)) else { return Ok(None) };
    Ok(Some(Evidence {
        stored_as: "VARCHAR".to_owned(),
        filled: *filled,
        holds: usize::try_from(*holds).unwrap_or(usize::MAX),
        samples: samples(store, &within, &format!("unnest({})", pieces::values(source)), cancel)?,
    }))
}

/// Gives the view what `source` reads; false where the dataset stores some of it in another type than OCSF's.
fn ensure(store: &mut Store, source: &FieldExpr) -> Result<bool, EvalError> {
    let columns = columns_of(source);
    if check_types(store, &columns).is_err() {
        return Ok(false);
    }
    store.ensure_columns(&columns)?;
    Ok(true)
}

fn columns_of(source: &FieldExpr) -> BTreeMap<OcsfPath, ColumnType> {
    let mut columns = BTreeMap::new();
    source.visit_columns(&mut |column| {
        let kind = ColumnType { field_type: column.field_type, list: column.list };
        columns.insert(column.path.clone(), kind);
    });
    columns
}

/// The columns that route events to these scopes.
fn filter_columns(scopes: &[RoutedScope]) -> BTreeMap<OcsfPath, ColumnType> {
    let filters = scopes.iter().flat_map(|scope| &scope.filters);
    let column = |filter: &RouteFilter| ColumnType { field_type: filter.field_type, list: filter.list };
    filters.map(|filter| (filter.path.clone(), column(filter))).collect()
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
        evidence.samples = samples(store, &within, &value, cancel)?;
        Ok(())
    }
}

/// The commonest of what `value` gives.
fn samples(store: &Store, within: &str, value: &str, cancel: &Cancel) -> Result<Vec<Sample>, EvalError> {
    let sql = format!(
        "SELECT left(CAST(value AS VARCHAR), {SAMPLE_LENGTH}), count(*)\n\
         FROM (SELECT {value} AS value FROM ocsf_events WHERE {within})\n\
         WHERE value IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {SAMPLES}"
    );
    Ok(store.select(&sql, cancel, |row| Ok(Sample { value: row.get(0)?, events: row.get(1)? }))?)
}

/// The scopes as a condition, whose columns the view has after this.
fn within(store: &mut Store, scopes: &[RoutedScope]) -> Result<String, EvalError> {
    store.ensure_columns(&filter_columns(scopes))?;
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
    let test = literal_test(field_type, literal)?;
    let column = Column { path: path.clone(), field_type, list: column.list };
    Some(condition(FieldExpr::Column(column), test))
}

/// The test for a literal; `None` where no value of the type could be it.
fn literal_test(field_type: FieldType, literal: &Literal) -> Option<Test> {
    Some(match (field_type, literal.position) {
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
    })
}

fn condition(source: FieldExpr, test: Test) -> String {
    let field = SigmaField(String::new());
    duckdb_sql::condition(&Expr::Predicate(Predicate {
        field,
        source: source.into(),
        test,
        span: Span::START,
    }))
}
