//! Asking both backends, and what they differ on.

use std::fmt::Write as _;

use duckdb::Connection;
use sigma_ocsf_tui::backend::duckdb_sql;
use sigma_ocsf_tui::backend::interpreter::{Event, Interpreter};
use sigma_ocsf_tui::bridge::Plan;
use sigma_ocsf_tui::bridge::ir::{Expr, FieldExpr, Predicate, Test};
use sigma_ocsf_tui::ocsf::FieldType;
use sigma_ocsf_tui::pack::{Computed, Scalar};
use sigma_ocsf_tui::sigma::{SigmaField, Span, text};

use crate::events::{COLUMNS, Row, column};
use crate::predicates::plan;

thread_local! {
    static CONNECTION: Connection = Connection::open_in_memory().unwrap();
}

/// A paragraph for each plan that the backends do not agree on.
pub fn differences(plans: &[&Plan], events: &[Row]) -> Vec<String> {
    CONNECTION.with(|connection| {
        load(connection, events);
        plans.iter().filter_map(|plan| difference(connection, plan, events)).collect()
    })
}

/// Writes the events as a dataset: the event of row n is `e` and n.
pub fn write_parquet(events: &[Row], file: &std::path::Path) {
    let target = file.to_str().unwrap().replace('\'', "''");
    CONNECTION.with(|connection| {
        load(connection, events);
        let rows =
            "SELECT * EXCLUDE (id), id AS \"time\", 'e' || id AS \"metadata.event_id\" FROM ocsf_events";
        connection.execute_batch(&format!("COPY ({rows}) TO '{target}' (FORMAT parquet)")).unwrap();
    });
}

fn load(connection: &Connection, events: &[Row]) {
    let rows: serde_json::Value = events.iter().enumerate().map(|(id, row)| row.json(id)).collect();
    let types = COLUMNS.iter().map(|(path, field_type, list)| {
        let name = sql_type(*field_type);
        let json: serde_json::Value = if *list { vec![name].into() } else { name.into() };
        ((*path).to_owned(), json)
    });
    let routed = [("id", "BIGINT"), ("class_uid", "INTEGER"), ("metadata.source_type", "VARCHAR")]
        .map(|(name, t)| (name.to_owned(), t.into()));
    let row: serde_json::Map<_, _> = routed.into_iter().chain(types).collect();
    let structure = serde_json::Value::from(vec![serde_json::Value::from(row)]);
    connection
        .execute(
            "CREATE OR REPLACE TABLE ocsf_events AS \
             SELECT event.* FROM (SELECT unnest(from_json(?, ?)) AS event)",
            [rows.to_string(), structure.to_string()],
        )
        .unwrap();
}

fn sql_type(field_type: FieldType) -> &'static str {
    match field_type {
        FieldType::String => "VARCHAR",
        FieldType::Integer | FieldType::Timestamp => "BIGINT",
        FieldType::Float => "DOUBLE",
        FieldType::Boolean => "BOOLEAN",
    }
}

fn difference(connection: &Connection, plan: &Plan, events: &[Row]) -> Option<String> {
    let predicate = duckdb_sql::emit(plan).predicate;
    let by_sql = match ids(connection, &predicate) {
        Ok(ids) => ids,
        Err(error) => return Some(format!("DuckDB: {error}\n{predicate}")),
    };
    let interpreter = match Interpreter::new(plan) {
        Ok(interpreter) => interpreter,
        Err(error) => return Some(format!("interpreter: {error}\n{predicate}")),
    };
    let mut text = String::new();
    for (id, row) in events.iter().enumerate() {
        let (sql, interpreted) = (by_sql.contains(&id), interpreter.matches(&row.event()));
        if sql != interpreted {
            writeln!(text, "SQL {sql}, interpreter {interpreted}: {}", row.json(id)).unwrap();
        }
    }
    (!text.is_empty()).then(|| format!("{predicate}\n{text}"))
}

fn ids(connection: &Connection, predicate: &str) -> duckdb::Result<Vec<usize>> {
    let mut statement = connection.prepare(&format!("SELECT id FROM ocsf_events WHERE {predicate}\n"))?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// The events that only one of the two plans matches, by the interpreter.
pub fn unlike(one: &Plan, other: &Plan, events: &[Row]) -> Vec<String> {
    let [one, other] = [one, other].map(|plan| Interpreter::new(plan).unwrap());
    let differs = |row: &&Row| one.matches(&row.event()) != other.matches(&row.event());
    events.iter().filter(differs).map(|row| row.json(0).to_string()).collect()
}

/// Code points on which `lower` or `upper` of DuckDB and the interpreter's differ.
pub fn case_differences() -> Vec<String> {
    let connection = Connection::open_in_memory().unwrap();
    let chars = ('\u{1}'..=char::MAX).map(u32::from);
    let list = format!("{:?}", chars.collect::<Vec<_>>());
    let mut statement = connection
        .prepare("SELECT c, lower(c), upper(c) FROM (SELECT chr(unnest(from_json(?, '[\"INTEGER\"]'))) AS c)")
        .unwrap();
    let rows = statement.query_map([list], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let rows: Vec<(String, String, String)> = rows.unwrap().collect::<duckdb::Result<_>>().unwrap();
    let differs = |(c, lower, upper): &(String, String, String)| {
        let line = format!("{}: lower {lower} upper {upper}", c.escape_unicode());
        (text::fold(c) != *lower || !is_upper(c, upper)).then_some(line)
    };
    rows.iter().filter_map(differs).collect()
}

/// Whether the interpreter has `upper` for the upper case of `text`.
fn is_upper(text: &str, upper: &str) -> bool {
    let subject = column("s", FieldType::String, false);
    let scalar = Scalar::Upper(Box::new(Scalar::Column(subject)));
    let source = FieldExpr::Computed(Computed {
        text: String::new(),
        scalar,
        field_type: FieldType::String,
        list: false,
    });
    let test = Test::TextIn { values: vec![upper.to_owned()], cased: true };
    let field = SigmaField(String::new());
    let plan = plan(Expr::Predicate(Predicate { field, source: source.into(), test, span: Span::default() }));
    let event = Event::from_json(&serde_json::json!({"class_uid": 1, "s": text}));
    Interpreter::new(&plan).unwrap().matches(&event)
}
