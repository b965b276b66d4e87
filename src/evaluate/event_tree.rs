//! One event with all that it holds.

use duckdb::Row;
use duckdb::types::Value as Stored;
use serde_json::{Map, Number, Value};

use super::{Cancel, EvalError};
use crate::store::Store;
use crate::store::sql_text::{identifier, string};

/// The event of that id with every column that it fills, nested by dotted path; `None` where there is none. Its time
/// spares DuckDB the files and row groups of other times.
///
/// # Errors
/// DuckDB fails; nobody waits any more.
pub fn whole_event(
    store: &Store,
    event_id: &str,
    time: Option<i64>,
    cancel: &Cancel,
) -> Result<Option<Value>, EvalError> {
    let columns = Columns::of(store);
    let at = time.map(|time| format!(" AND \"time\" = {time}")).unwrap_or_default();
    let text = format!(
        "SELECT {} FROM ocsf_events WHERE \"metadata.event_id\" = {}{at} LIMIT 1",
        columns.selected(),
        string(event_id)
    );
    let mut found = store.select(&text, cancel, |row| columns.read(row))?;
    Ok(found.pop().map(nested))
}

/// All columns that a dataset fills, by path, the event id first.
pub(super) struct Columns {
    pub(super) paths: Vec<String>,
    expressions: Vec<String>,
}

impl Columns {
    pub(super) fn of(store: &Store) -> Self {
        const ID: &str = "metadata.event_id";
        let mut paths = vec![ID.to_owned()];
        let mut expressions = vec![identifier(ID)];
        for (path, column) in &store.schema().columns {
            if path.0.eq_ignore_ascii_case(ID) {
                continue;
            }
            paths.push(path.0.clone());
            let name = identifier(&path.0);
            // What comparisons know nothing of (BLOB, MAP, …) is shown as DuckDB writes it.
            expressions.push(match column.field_type {
                Some(_) => name,
                None => format!("CAST({name} AS VARCHAR)"),
            });
        }
        Self { paths, expressions }
    }

    pub(super) fn selected(&self) -> String {
        self.expressions.join(", ")
    }

    /// The columns that a row fills, each with its path.
    pub(super) fn read(&self, row: &Row<'_>) -> duckdb::Result<Vec<(String, Value)>> {
        let mut fields = Vec::new();
        for (at, path) in self.paths.iter().enumerate() {
            let value = json(row.get(at)?);
            if !value.is_null() {
                fields.push((path.clone(), value));
            }
        }
        Ok(fields)
    }
}

/// Fields as objects within objects. Where a path leads through a value, the rest of it stays one name.
pub(super) fn nested(fields: Vec<(String, Value)>) -> Value {
    let mut event = Map::new();
    for (path, value) in fields {
        place(&mut event, &path, value);
    }
    Value::Object(event)
}

fn place(object: &mut Map<String, Value>, path: &str, value: Value) {
    if let Some((head, rest)) = path.split_once('.') {
        let inner = object.entry(head).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(inner) = inner {
            return place(inner, rest, value);
        }
    }
    object.insert(path.to_owned(), value);
}

fn json(stored: Stored) -> Value {
    match stored {
        Stored::Boolean(truth) => truth.into(),
        Stored::TinyInt(number) => number.into(),
        Stored::SmallInt(number) => number.into(),
        Stored::Int(number) => number.into(),
        Stored::BigInt(number) => number.into(),
        Stored::UTinyInt(number) => number.into(),
        Stored::USmallInt(number) => number.into(),
        Stored::UInt(number) => number.into(),
        Stored::UBigInt(number) => number.into(),
        // Beyond what JSON readers hold exactly, the digits are kept as text.
        Stored::HugeInt(number) => {
            i64::try_from(number).map_or_else(|_| Value::String(number.to_string()), Value::from)
        }
        Stored::UHugeInt(number) => {
            u64::try_from(number).map_or_else(|_| Value::String(number.to_string()), Value::from)
        }
        Stored::Decimal(number) if number.scale() == 0 => json(Stored::HugeInt(number.value())),
        Stored::Float(number) => float(number.into()),
        Stored::Double(number) => float(number),
        Stored::Text(text) => Value::String(text),
        Stored::List(elements) | Stored::Array(elements) => {
            Value::Array(elements.into_iter().map(json).collect())
        }
        _ => Value::Null,
    }
}

/// JSON has no NaN and no infinity.
fn float(number: f64) -> Value {
    Number::from_f64(number).map_or_else(|| Value::String(number.to_string()), Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_paths_become_objects_and_clashes_keep_their_names() {
        let fields = [("a.b", 1), ("a.c.d", 2), ("e", 3), ("e.f.g", 4)];
        let fields = fields.map(|(path, value)| (path.to_owned(), Value::from(value))).to_vec();
        let expected = serde_json::json!({"a": {"b": 1, "c": {"d": 2}}, "e": 3, "e.f.g": 4});
        assert_eq!(nested(fields), expected);
    }

    #[test]
    fn numbers_that_json_cannot_hold_stay_readable() {
        assert_eq!(json(Stored::HugeInt(1 << 100)), Value::from((1_i128 << 100).to_string()));
        assert_eq!(json(Stored::Double(f64::NAN)), Value::from("NaN"));
        assert_eq!(json(Stored::List(vec![Stored::Null, Stored::Int(1)])), serde_json::json!([null, 1]));
    }
}
