//! An event of a stream: what it is to correlations, and what keeps rules from being asked of it.

use crate::backend::interpreter::{Event, Field, Value};
use crate::bridge::ColumnType;
use crate::evaluate::{DATASET_OCSF_VERSION, shorten};
use crate::ocsf::{FieldType, OCSF_VERSION, OcsfPath};

/// An event as correlations take it, and what detections say of it.
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
    /// It states another version of OCSF than rules are compiled for: its paths may have another meaning.
    #[error(
        "{}: OCSF version '{}' in metadata.version, and rules are compiled for {OCSF_VERSION}",
        DATASET_OCSF_VERSION.name,
        .0.escape_debug()
    )]
    Version(String),
}

impl Clash {
    pub(super) fn new(path: OcsfPath, field: &Field, expected: ColumnType) -> Self {
        let expected = if expected.list { "a list" } else { expected.field_type.as_str() };
        Self { path, found: told(field), expected }
    }
}

/// What a field says, as a message tells it.
pub(super) fn stated(field: &Field) -> String {
    match field {
        Field::One(Some(Value::Text(text))) => shorten(text.clone()),
        field => told(field).to_owned(),
    }
}

/// Whether the values of a field are of the type, NULL being of any.
pub(super) fn fits(field: &Field, expected: ColumnType) -> bool {
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
