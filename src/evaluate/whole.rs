//! Events with all that the dataset has of them, and the ids of all events.

use std::collections::BTreeMap;

use duckdb::Row;

use super::events::field;
use super::{Cancel, EvalError};
use crate::backend::interpreter::Field;
use crate::ocsf::OcsfPath;
use crate::store::Store;
use crate::store::sql_text::{identifier, string};

/// Columns that are read at once: a statement over thousands of them takes DuckDB longer to plan than to run.
const COLUMNS: usize = 256;

const EVENT_ID: &str = "metadata.event_id";

/// An event with every column that it fills. Columns of types that no comparison knows (BLOB, MAP) are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct WholeEvent {
    /// Its id.
    pub event_id: String,
    /// Its values by path, the id not among them.
    pub fields: BTreeMap<OcsfPath, Field>,
}

/// The events of these ids, by id in byte order; those that the dataset does not have are not among them. Where it
/// has several events of one id, each is.
///
/// # Errors
/// The events cannot be read; nobody waits any more.
pub fn whole_events(store: &Store, ids: &[String], cancel: &Cancel) -> Result<Vec<WholeEvent>, EvalError> {
    let columns = store.schema().columns.iter();
    let comparable = columns.filter(|(path, column)| {
        column.field_type.is_some() && !path.as_str().eq_ignore_ascii_case(EVENT_ID)
    });
    let paths: Vec<&OcsfPath> = comparable.map(|(path, _)| path).collect();
    let wanted: Vec<String> = ids.iter().map(|id| string(id)).collect();
    let mut events: Vec<WholeEvent> = Vec::new();
    if wanted.is_empty() {
        return Ok(events);
    }
    for paths in paths.chunks(COLUMNS) {
        let names: String = paths.iter().map(|path| format!(", {}", identifier(path.as_str()))).collect();
        // The rows of one id come in the same order each time: that of the files.
        let sql = format!(
            "SELECT \"{EVENT_ID}\"{names} FROM ocsf_events WHERE \"{EVENT_ID}\" IN ({})",
            wanted.join(", ")
        );
        let mut part = store.select(&sql, cancel, |row| event(row, paths))?;
        part.sort_by(|one, other| one.event_id.cmp(&other.event_id));
        if events.is_empty() {
            events = part;
        } else {
            events.iter_mut().zip(part).for_each(|(event, part)| event.fields.extend(part.fields));
        }
    }
    Ok(events)
}

fn event(row: &Row<'_>, paths: &[&OcsfPath]) -> duckdb::Result<WholeEvent> {
    let mut fields = BTreeMap::new();
    for (at, path) in paths.iter().enumerate() {
        match field(row.get(at + 1)?) {
            Field::One(None) => {}
            filled => drop(fields.insert((*path).clone(), filled)),
        }
    }
    Ok(WholeEvent { event_id: row.get(0)?, fields })
}

/// The ids of all events, in byte order, each as often as there are events of it.
///
/// # Errors
/// The events cannot be read; nobody waits any more.
pub fn all_event_ids(store: &Store, cancel: &Cancel) -> Result<Vec<String>, EvalError> {
    let sql = format!("SELECT \"{EVENT_ID}\" FROM ocsf_events");
    let mut ids = store.select(&sql, cancel, |row| row.get::<_, String>(0))?;
    ids.sort_unstable();
    Ok(ids)
}
