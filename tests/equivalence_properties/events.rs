//! Events of one fixed shape: a column of each type, alone and as a LIST.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use sigma_ocsf_tui::backend::interpreter::{Event, Field, Value};
use sigma_ocsf_tui::ocsf::{FieldType, OcsfPath};
use sigma_ocsf_tui::pack::Column;

use crate::texts;

/// The producer of all events: raw fallback asks that one be pinned.
pub const SOURCE: &str = "properties";

/// The columns beside those that routes read.
pub const COLUMNS: [(&str, FieldType, bool); 11] = [
    ("raw.s.one", FieldType::String, false),
    ("raw.s.\"two'", FieldType::String, false),
    ("raw.s.list", FieldType::String, true),
    ("raw.s.other_list", FieldType::String, true),
    ("raw.i.one", FieldType::Integer, false),
    ("raw.i.two", FieldType::Timestamp, false),
    ("raw.i.list", FieldType::Integer, true),
    ("raw.f.one", FieldType::Float, false),
    ("raw.f.list", FieldType::Float, true),
    ("raw.b.one", FieldType::Boolean, false),
    ("raw.b.list", FieldType::Boolean, true),
];

pub fn columns(of: FieldType) -> Vec<Column> {
    let whole = |t| if t == FieldType::Timestamp { FieldType::Integer } else { t };
    let named = COLUMNS.iter().filter(|(_, field_type, _)| whole(*field_type) == whole(of));
    named.map(|(path, field_type, list)| column(path, *field_type, *list)).collect()
}

pub fn column(path: &str, field_type: FieldType, list: bool) -> Column {
    Column { path: OcsfPath(path.to_owned()), field_type, list }
}

#[derive(Clone, Debug)]
pub struct Row {
    pub class_uid: u32,
    /// As many as there are [`COLUMNS`].
    pub fields: Vec<Field>,
}

impl Row {
    pub fn event(&self) -> Event {
        let class = Field::One(Some(Value::Integer(self.class_uid.into())));
        let named =
            COLUMNS.iter().zip(&self.fields).map(|((path, ..), field)| (Arc::from(*path), field.clone()));
        let source = Field::One(Some(Value::Text(SOURCE.to_owned())));
        let pinned = [(Arc::from("class_uid"), class), (Arc::from("metadata.source_type"), source)];
        Event::of_fields(named.chain(pinned))
    }

    /// As JSON that DuckDB reads back to the same values: fractions as text, since JSON has no infinity.
    pub fn json(&self, id: usize) -> serde_json::Value {
        let mut row = serde_json::Map::new();
        row.insert("id".to_owned(), id.into());
        row.insert("class_uid".to_owned(), self.class_uid.into());
        row.insert("metadata.source_type".to_owned(), SOURCE.into());
        for ((path, ..), field) in COLUMNS.iter().zip(&self.fields) {
            let json = match field {
                Field::One(value) => value_json(value.as_ref()),
                Field::Many(values) => values.iter().map(|value| value_json(value.as_ref())).collect(),
            };
            row.insert((*path).to_owned(), json);
        }
        row.into()
    }
}

fn value_json(value: Option<&Value>) -> serde_json::Value {
    match value {
        None => serde_json::Value::Null,
        Some(Value::Text(text)) => text.clone().into(),
        Some(Value::Integer(number)) => i64::try_from(*number).unwrap().into(),
        Some(Value::Float(number)) => format!("{number:?}").into(),
        Some(Value::Boolean(truth)) => (*truth).into(),
    }
}

pub fn event() -> impl Strategy<Value = Row> {
    let fields: Vec<BoxedStrategy<Field>> =
        COLUMNS.iter().map(|(_, field_type, list)| field(*field_type, *list)).collect();
    (1_u32..4, fields).prop_map(|(class_uid, fields)| Row { class_uid, fields })
}

fn field(field_type: FieldType, list: bool) -> BoxedStrategy<Field> {
    let value = option::weighted(0.8, value(field_type));
    if list {
        let values = vec(value, 0..4);
        option::weighted(0.8, values).prop_map(|values| values.map_or(Field::One(None), Field::Many)).boxed()
    } else {
        value.prop_map(Field::One).boxed()
    }
}

fn value(field_type: FieldType) -> BoxedStrategy<Value> {
    match field_type {
        FieldType::String => texts::text().prop_map(Value::Text).boxed(),
        FieldType::Integer | FieldType::Timestamp => {
            texts::integer().prop_map(|number| Value::Integer(number.into())).boxed()
        }
        FieldType::Float => texts::float().prop_map(Value::Float).boxed(),
        FieldType::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
    }
}
