//! Stored events as the interpreter reads them, with the columns that plans ask for and no others.

use std::collections::BTreeSet;
use std::sync::Arc;

use duckdb::Row;
use duckdb::types::Value as Stored;

use super::{Cancel, EvalError};
use crate::backend::interpreter::{Event, Field, Value};
use crate::bridge::Plan;
use crate::ocsf::OcsfPath;
use crate::store::Store;
use crate::store::sql_text::identifier;

/// An event of the dataset.
pub(super) struct StoredEvent {
    pub(super) event_id: String,
    pub(super) time: Option<i64>,
    /// Its class, and the columns that were asked for.
    pub(super) event: Event,
}

/// Calls `visit` with every event of the plans' classes, which are the same for all of `plans`.
pub(super) fn for_each_event(
    store: &Store,
    plans: &[&Plan],
    cancel: &Cancel,
    mut visit: impl FnMut(StoredEvent),
) -> Result<(), EvalError> {
    let Some(first) = plans.first() else { return Ok(()) };
    let asked = plans.iter().flat_map(|plan| &plan.columns);
    let columns: BTreeSet<&OcsfPath> =
        asked.map(|(path, _)| path).filter(|path| is_stored(store, path)).collect();
    let names: Vec<Arc<str>> =
        columns.iter().map(|path| path.as_str()).chain(["class_uid"]).map(Arc::from).collect();
    let mut selected = vec!["\"metadata.event_id\"".to_owned(), "\"time\"".to_owned()];
    selected.extend(columns.iter().map(|path| identifier(path.as_str())));
    selected.push("\"class_uid\"".to_owned());
    let classes: Vec<_> = first.scope.class_uids.iter().map(ToString::to_string).collect();
    let sql = format!(
        "SELECT {} FROM ocsf_events WHERE \"class_uid\" IN ({})",
        selected.join(", "),
        classes.join(", ")
    );
    store.select(&sql, cancel, |row| {
        visit(stored_event(row, &names)?);
        Ok(())
    })?;
    Ok(())
}

/// A column that the dataset lacks is NULL in every event.
fn is_stored(store: &Store, path: &OcsfPath) -> bool {
    path.as_str() == "metadata.event_id" || store.schema().column(path).is_some()
}

fn stored_event(row: &Row<'_>, names: &[Arc<str>]) -> duckdb::Result<StoredEvent> {
    let fields = names.iter().enumerate().map(|(at, name)| Ok((name.clone(), field(row.get(at + 2)?))));
    let event = Event::of_fields(fields.collect::<duckdb::Result<Vec<_>>>()?);
    Ok(StoredEvent { event_id: row.get(0)?, time: row.get(1)?, event })
}

pub(super) fn field(stored: Stored) -> Field {
    match stored {
        Stored::List(elements) | Stored::Array(elements) => {
            Field::Many(elements.into_iter().map(value).collect())
        }
        scalar => Field::One(value(scalar)),
    }
}

/// What comparisons know nothing of is NULL here; [`super::error::check_columns`] refuses such columns before.
fn value(stored: Stored) -> Option<Value> {
    Some(match stored {
        Stored::Boolean(truth) => Value::Boolean(truth),
        Stored::TinyInt(number) => Value::Integer(number.into()),
        Stored::SmallInt(number) => Value::Integer(number.into()),
        Stored::Int(number) => Value::Integer(number.into()),
        Stored::BigInt(number) => Value::Integer(number.into()),
        Stored::HugeInt(number) => Value::Integer(number),
        Stored::UTinyInt(number) => Value::Integer(number.into()),
        Stored::USmallInt(number) => Value::Integer(number.into()),
        Stored::UInt(number) => Value::Integer(number.into()),
        Stored::UBigInt(number) => Value::Integer(number.into()),
        // Above every literal, as these have 64 bits.
        Stored::UHugeInt(number) => Value::Integer(i128::try_from(number).unwrap_or(i128::MAX)),
        // The view has those with a fraction as DOUBLE.
        Stored::Decimal(number) if number.scale() == 0 => Value::Integer(number.value()),
        Stored::Float(number) => Value::Float(number.into()),
        Stored::Double(number) => Value::Float(number),
        Stored::Text(text) => Value::Text(text),
        _ => return None,
    })
}
