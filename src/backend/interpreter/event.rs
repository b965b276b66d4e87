//! An event: its values by dotted path, whether it was nested or flat.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::Value;
use crate::ocsf::ClassUid;

/// One event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    fields: BTreeMap<Arc<str>, Field>,
}

/// What an event has at a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    /// One value, or NULL.
    One(Option<Value>),
    /// A LIST, NULL elements among them.
    Many(Vec<Option<Value>>),
}

impl Field {
    /// Whether nothing is there. An empty LIST is something.
    pub(super) fn is_null(&self) -> bool {
        *self == Self::One(None)
    }

    /// Its values, without the NULLs.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Value> {
        let values = match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        };
        values.iter().flatten()
    }
}

impl Event {
    /// An event of these fields, by dotted path.
    #[must_use]
    pub fn of_fields(fields: impl IntoIterator<Item = (Arc<str>, Field)>) -> Self {
        Self { fields: fields.into_iter().collect() }
    }

    /// An event as JSON has it: its keys may be dotted paths, or nested objects, or both. A LIST on the way makes
    /// the leaves under it LISTs, and lists of lists are one. Of a path that is there twice, the first that is
    /// not null counts.
    #[must_use]
    pub fn from_json(json: &serde_json::Value) -> Self {
        let mut fields = BTreeMap::new();
        flatten(json, String::new(), &mut fields);
        Self { fields: fields.into_iter().map(|(path, field)| (path.into(), field)).collect() }
    }

    /// What is at a path; the case of names counts.
    pub(crate) fn field(&self, path: &str) -> Cow<'_, Field> {
        match self.fields.get(path) {
            Some(field) => Cow::Borrowed(field),
            None => Cow::Owned(self.below_a_list(path)),
        }
    }

    /// The class of the event, where it has one.
    pub(crate) fn class_uid(&self) -> Option<ClassUid> {
        u32::try_from(self.integer("class_uid")?).ok().map(ClassUid)
    }

    /// The whole number at a path, where it is one.
    fn integer(&self, path: &str) -> Option<i128> {
        match self.fields.get(path) {
            Some(Field::One(Some(Value::Integer(number)))) => Some(*number),
            _ => None,
        }
    }

    /// A path below a LIST, no element of which has it: a LIST of as many NULLs.
    fn below_a_list(&self, path: &str) -> Field {
        let parents = path.rmatch_indices('.').filter_map(|(dot, _)| path.get(..dot));
        let lists = parents.filter_map(|parent| match self.fields.get(parent) {
            Some(Field::Many(elements)) => Some(elements.len()),
            _ => None,
        });
        lists.map(|length| Field::Many(vec![None; length])).next().unwrap_or(Field::One(None))
    }
}

fn flatten(json: &serde_json::Value, path: String, fields: &mut BTreeMap<String, Field>) {
    match json {
        serde_json::Value::Object(entries) => {
            for (name, value) in entries {
                let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(value, below, fields);
            }
        }
        serde_json::Value::Array(elements) => {
            for (path, values) in flatten_elements(elements, &path) {
                put(fields, path, Field::Many(values));
            }
        }
        scalar => put(fields, path, Field::One(value(scalar))),
    }
}

/// The leaves of a list, the list itself among them, each with its values in the order of the elements.
fn flatten_elements(elements: &[serde_json::Value], path: &str) -> BTreeMap<String, Vec<Option<Value>>> {
    let flat: Vec<BTreeMap<String, Field>> = elements
        .iter()
        .map(|element| {
            let mut fields = BTreeMap::new();
            flatten(element, path.to_owned(), &mut fields);
            fields
        })
        .collect();
    let below = flat.iter().flat_map(BTreeMap::keys).map(String::as_str);
    let paths: std::collections::BTreeSet<&str> = below.chain([path]).collect();
    let of_path = |path: &str| {
        let fields = flat.iter().map(|fields| fields.get(path).cloned().unwrap_or(Field::One(None)));
        fields
            .flat_map(|field| match field {
                Field::One(value) => vec![value],
                Field::Many(values) => values,
            })
            .collect()
    };
    paths.into_iter().map(|path| (path.to_owned(), of_path(path))).collect()
}

fn put(fields: &mut BTreeMap<String, Field>, path: String, field: Field) {
    let place = fields.entry(path).or_insert(Field::One(None));
    if place.is_null() {
        *place = field;
    }
}

fn value(scalar: &serde_json::Value) -> Option<Value> {
    match scalar {
        serde_json::Value::Bool(truth) => Some(Value::Boolean(*truth)),
        serde_json::Value::String(text) => Some(Value::Text(text.clone())),
        serde_json::Value::Number(number) => {
            let integer = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
            integer.map(Value::Integer).or_else(|| number.as_f64().map(Value::Float))
        }
        serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(event: &serde_json::Value, path: &str) -> Field {
        Event::from_json(event).field(path).into_owned()
    }

    fn text(text: &str) -> Option<Value> {
        Some(Value::Text(text.to_owned()))
    }

    #[test]
    fn flat_and_nested_events_are_one() {
        let events = [
            json!({"process.file.name": "a"}),
            json!({"process": {"file": {"name": "a"}}}),
            json!({"process": {"file.name": "a"}}),
            json!({"process.file": {"name": "a"}}),
        ];
        for event in events {
            assert_eq!(at(&event, "process.file.name"), Field::One(text("a")), "{event}");
            assert_eq!(at(&event, "process.File.name"), Field::One(None), "{event}");
            assert_eq!(at(&event, "process.file.name.x"), Field::One(None), "{event}");
        }
    }

    #[test]
    fn a_list_on_the_way_makes_the_leaf_a_list() {
        let event = json!({"a": [{"b": "x", "c": ["1", "2"]}, {"d": "z"}, null, {"c": ["3"]}]});
        assert_eq!(at(&event, "a.b"), Field::Many(vec![text("x"), None, None, None]));
        assert_eq!(at(&event, "a.e"), Field::Many(vec![None; 4]));
        assert!(at(&event, "a.c").values().eq(&["1", "2", "3"].map(|c| Value::Text(c.to_owned()))));
    }

    #[test]
    fn empty_lists_are_there_and_lists_of_lists_are_one() {
        assert_eq!(at(&json!({"a": []}), "a"), Field::Many(vec![]));
        assert_eq!(at(&json!({"a": []}), "a.b"), Field::Many(vec![]));
        assert_eq!(at(&json!({"a": [["x"], [["y"]]]}), "a"), Field::Many(vec![text("x"), text("y")]));
    }

    #[test]
    fn numbers_are_exact() {
        let number = |json| at(&json!({"n": json}), "n");
        assert_eq!(number(json!(i64::MIN)), Field::One(Some(Value::Integer(i64::MIN.into()))));
        assert_eq!(number(json!(u64::MAX)), Field::One(Some(Value::Integer(u64::MAX.into()))));
        assert_eq!(number(json!(1.5)), Field::One(Some(Value::Float(1.5))));
    }
}
