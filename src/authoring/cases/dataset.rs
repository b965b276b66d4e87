//! The events of many checks as one dataset, and every check's rule asked of its own event by both backends.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Map, Value};

use super::CasesError;
use crate::backend::duckdb_sql;
use crate::bridge::ir::{Expr, FieldExpr, Number, Predicate, Test};
use crate::bridge::{ColumnType, Plan};
use crate::evaluate::{self, Cancel, EvalError, Summary};
use crate::ocsf::{FieldType, OcsfPath};
use crate::pack::Column;
use crate::sigma::{SigmaField, Span};
use crate::store::{Dataset, SessionSettings, Store};

/// The column that tells the events of a dataset apart. No event has it.
const CASE: &str = "sigma_ocsf_tui.case";

/// What the backends say of a rule and an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::authoring) enum Answer {
    /// Whether it matches, by both.
    Matches(bool),
    /// They differ: whether it matches by the SQL.
    Disagree(bool),
    /// It could not be run.
    Failed(String),
}

/// A plan, and the event that it is asked of.
pub(in crate::authoring) type Question<'q> = (&'q Plan, &'q Map<String, Value>);

/// What was answered, by SQL and event: most rules are the same in a pack and in one that extends it.
#[derive(Default)]
pub(in crate::authoring) struct Answers(BTreeMap<(String, String), Answer>);

impl Answers {
    /// Asks each plan of its event. The answers are in the order of the questions.
    pub(in crate::authoring) fn ask(
        &mut self,
        questions: &[Question<'_>],
    ) -> Result<Vec<Answer>, CasesError> {
        let keys: Vec<_> = questions.iter().map(key).collect();
        let new: Vec<_> = keys.iter().zip(questions).filter(|(key, _)| !self.0.contains_key(*key)).collect();
        let open: Vec<_> = new.iter().map(|(_, question)| **question).collect();
        let new: Vec<_> = new.into_iter().map(|(key, _)| key.clone()).collect();
        for group in groups(&open) {
            let of_group: Vec<_> = group.iter().filter_map(|index| open.get(*index).copied()).collect();
            let asked = group.into_iter().filter_map(|index| new.get(index).cloned());
            self.0.extend(asked.zip(ask_group(&of_group)?));
        }
        let unanswered = || Answer::Failed("it was not asked".to_owned());
        Ok(keys.iter().map(|key| self.0.get(key).cloned().unwrap_or_else(unanswered)).collect())
    }
}

fn key((plan, event): &Question<'_>) -> (String, String) {
    (duckdb_sql::emit(plan).text, serde_json::to_string(event).unwrap_or_default())
}

fn ask_group(questions: &[Question<'_>]) -> Result<Vec<Answer>, CasesError> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("events.jsonl");
    let lines = questions.iter().enumerate().map(|(index, (_, event))| line(event, index));
    fs::write(&file, lines.collect::<String>())?;
    let mut store = Store::open(Dataset::discover(&file)?, SessionSettings::default())?;
    let plans: Vec<_> =
        questions.iter().enumerate().map(|(index, (plan, _))| narrowed(plan, index)).collect();
    let sql: Vec<_> = plans.iter().map(duckdb_sql::emit).collect();
    let cancel = Cancel::never();
    let by_sql = evaluate::summaries(&mut store, &plans.iter().zip(&sql).collect::<Vec<_>>(), &cancel);
    let by_interpreter = evaluate::interpreted_summaries(&store, &plans.iter().collect::<Vec<_>>(), &cancel);
    Ok(by_sql.into_iter().zip(by_interpreter).map(|(sql, interpreter)| answer(sql, interpreter)).collect())
}

fn answer(sql: Result<Summary, EvalError>, interpreter: Result<Summary, EvalError>) -> Answer {
    match (sql, interpreter) {
        (Ok(sql), Ok(interpreter)) if sql.matches == interpreter.matches => Answer::Matches(sql.matches > 0),
        (Ok(sql), Ok(_)) => Answer::Disagree(sql.matches > 0),
        (Err(error), _) | (_, Err(error)) => Answer::Failed(error.to_string()),
    }
}

/// The plan, for one event of the dataset alone.
fn narrowed(plan: &Plan, index: usize) -> Plan {
    let mut narrowed = plan.clone();
    narrowed
        .columns
        .insert(OcsfPath(CASE.to_owned()), ColumnType { field_type: FieldType::Integer, list: false });
    let is_it = of_case(Test::NumberIn(vec![Number::Integer(index as i128)]));
    narrowed.predicate = Expr::And(vec![is_it, narrowed.predicate]);
    narrowed
}

/// A test of [`CASE`].
fn of_case(test: Test) -> Expr {
    let column = Column { path: OcsfPath(CASE.to_owned()), field_type: FieldType::Integer, list: false };
    let source = FieldExpr::Column(column);
    Expr::Predicate(Predicate {
        field: SigmaField(CASE.to_owned()),
        source: source.into(),
        test,
        span: Span::START,
    })
}

/// The plan of a rule that looks for nothing: whether its route takes the event.
pub(in crate::authoring) fn scope_only(plan: &Plan) -> Plan {
    let filters = plan.scope.filters.iter();
    let columns = filters
        .map(|filter| (filter.path.clone(), ColumnType { field_type: filter.field_type, list: filter.list }));
    Plan { predicate: of_case(Test::Exists), columns: columns.collect(), ..plan.clone() }
}

fn line(event: &Map<String, Value>, index: usize) -> String {
    let mut event = event.clone();
    event.insert(CASE.to_owned(), index.into());
    event_line(&event)
}

/// The event as a line of JSON, with what every event has.
pub(in crate::authoring) fn event_line(event: &Map<String, Value>) -> String {
    let mut event = event.clone();
    event.entry("class_uid").or_insert_with(|| 0.into());
    // 2026-01-01, as any time would do.
    event.entry("time").or_insert_with(|| 1_767_225_600_000_i64.into());
    event.entry("metadata.event_id").or_insert_with(|| "pack-test".into());
    Value::Object(event).to_string() + "\n"
}

/// The questions whose events can be of one dataset: where two events have values of differing types at a path, as
/// raw.* may, one column could not hold both.
fn groups(questions: &[Question<'_>]) -> Vec<Vec<usize>> {
    let mut groups: Vec<(Shape, Vec<usize>)> = Vec::new();
    for (index, (_, event)) in questions.iter().enumerate() {
        let shape = shape(event);
        let fits = |(known, _): &&mut (Shape, Vec<usize>)| {
            shape.iter().all(|(path, kind)| known.get(path).is_none_or(|other| other == kind))
        };
        match groups.iter_mut().find(fits) {
            Some((known, members)) => {
                known.extend(shape);
                members.push(index);
            }
            None => groups.push((shape, vec![index])),
        }
    }
    groups.into_iter().map(|(_, members)| members).collect()
}

/// By path without case, as DuckDB compares names: the path as it is spelt, and the kind of the value.
type Shape = BTreeMap<String, (String, &'static str)>;

fn shape(event: &Map<String, Value>) -> Shape {
    let mut shape = Shape::new();
    event.iter().for_each(|(path, value)| note(path, value, &mut shape));
    shape
}

fn note(path: &str, value: &Value, shape: &mut Shape) {
    let kind = match value {
        Value::Null => return,
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "integer",
        Value::String(_) => "text",
        Value::Array(elements) => {
            elements.iter().for_each(|element| note(&format!("{path}[]"), element, shape));
            "list"
        }
        Value::Object(object) => {
            object.iter().for_each(|(key, value)| note(&format!("{path}.{key}"), value, shape));
            "object"
        }
    };
    shape.insert(path.to_lowercase(), (path.to_owned(), kind));
}
