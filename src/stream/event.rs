//! A line of JSON as an event, cut down to what some rule looks at.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::backend::interpreter::{Event, Field, Value};
use crate::bridge::ColumnType;
use crate::evaluate::shorten;
use crate::ocsf::{FieldType, OcsfPath};

/// Where an event has its id, the first that is text; the batch backends look there too.
const IDS: [&str; 2] = ["metadata.event_id", "metadata.uid"];

/// Where it has its host.
const HOSTS: [&str; 2] = ["device.hostname", "device.name"];

/// An event, and what detections say of it.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveEvent {
    /// Its id; `line:<number>` where it says none.
    pub id: String,
    /// Its `time`, milliseconds since 1970, UTC.
    pub time: Option<i64>,
    /// `device.hostname`, else `device.name`; at most 4096 bytes.
    pub host: Option<String>,
    /// Its values.
    pub event: Event,
    /// What is of another type in it than some rule counts on. Such a rule is not asked of it.
    pub clashes: Vec<Clash>,
}

/// A field of another type than a rule counts on: to compare it would be no match in silence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("`{path}` is {found}, and rules count on {expected}; normalise it to that type")]
pub struct Clash {
    /// The field.
    pub path: OcsfPath,
    /// What it is.
    pub found: &'static str,
    /// What it should be.
    pub expected: &'static str,
}

/// Why a line is no event that rules can be asked of.
#[derive(Debug, thiserror::Error)]
pub enum Rejected {
    /// It is not JSON.
    #[error("not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// It is JSON, but not an object.
    #[error("not an object")]
    NotAnObject,
    /// It is longer than any line may be.
    #[error("longer than {} MiB", super::lines::MAX_LINE >> 20)]
    TooLong,
    /// It says no class, so that no rule is routed to it.
    #[error("no `class_uid`: not an OCSF event")]
    NoClass,
}

/// The fields that rules look at, with the types that they count on.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    types: BTreeMap<String, BTreeSet<ColumnType>>,
}

impl Wanted {
    pub(super) fn add<'c>(&mut self, columns: impl IntoIterator<Item = (&'c OcsfPath, &'c ColumnType)>) {
        for (path, column) in columns {
            self.types.entry(path.0.clone()).or_default().insert(*column);
        }
    }

    fn clashes(&self, event: &Event) -> Vec<Clash> {
        let mut clashes = Vec::new();
        for (path, field) in event.fields() {
            let expected = self.types.get(path).into_iter().flatten();
            if let Some(expected) = expected.clone().find(|expected| !fits(field, **expected)) {
                let expected = if expected.list { "a list" } else { expected.field_type.as_str() };
                clashes.push(Clash { path: OcsfPath(path.to_owned()), found: told(field), expected });
            }
        }
        clashes
    }
}

/// The event of a line.
pub(super) fn read(line: &[u8], number: u64, wanted: &Wanted) -> Result<LiveEvent, Rejected> {
    let json: Json = serde_json::from_slice(line)?;
    if !json.is_object() {
        return Err(Rejected::NotAnObject);
    }
    let event = Event::from_json(&json);
    if event.class_uid().is_none() {
        return Err(Rejected::NoClass);
    }
    let text = |paths: &[&str]| paths.iter().find_map(|path| event.text(path).map(str::to_owned));
    Ok(LiveEvent {
        id: text(&IDS).unwrap_or_else(|| format!("line:{number}")),
        time: event.integer("time").and_then(|time| i64::try_from(time).ok()),
        host: text(&HOSTS).map(shorten),
        clashes: wanted.clashes(&event),
        event,
    })
}

impl LiveEvent {
    /// Whether every column is of the type that is counted on.
    pub(super) fn suits<'c>(&self, columns: impl Fn(&OcsfPath) -> Option<&'c ColumnType>) -> bool {
        self.clashes.iter().all(|clash| {
            columns(&clash.path)
                .is_none_or(|expected| fits(&self.event.field(clash.path.as_str()), *expected))
        })
    }
}

/// Whether the values of a field are of the type, NULL being of any.
fn fits(field: &Field, expected: ColumnType) -> bool {
    let of_type = |value: &Value| match value {
        Value::Text(_) => expected.field_type == FieldType::String,
        Value::Integer(_) => {
            matches!(expected.field_type, FieldType::Integer | FieldType::Float | FieldType::Timestamp)
        }
        Value::Float(_) => expected.field_type == FieldType::Float,
        Value::Boolean(_) => expected.field_type == FieldType::Boolean,
    };
    match field {
        Field::One(None) => true,
        Field::One(Some(value)) => !expected.list && of_type(value),
        Field::Many(values) => expected.list && values.iter().flatten().all(of_type),
    }
}

fn told(field: &Field) -> &'static str {
    match field {
        Field::One(None) => "null",
        Field::One(Some(Value::Text(_))) => "text",
        Field::One(Some(Value::Integer(_))) => "a whole number",
        Field::One(Some(Value::Float(_))) => "a number with a fraction",
        Field::One(Some(Value::Boolean(_))) => "true or false",
        Field::Many(_) => "a list",
    }
}
