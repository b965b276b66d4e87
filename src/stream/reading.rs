//! A line of JSON into slots: what no rule looks at is passed over.
//!
//! What comes out is what [`Event::from_json`] says of the line. Whatever that decides between (a path that comes twice)
//! is left to it.

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;

use super::columns::{Columns, Node};
use super::event::Rejected;
use super::values::Values;
use crate::backend::interpreter::{Event, Field, Value};

/// Which paths the line at hand has had.
#[derive(Debug)]
pub(super) struct Seen {
    by: Vec<u64>,
    line: u64,
    /// Whether a path came twice, or in a way that is not read here.
    unclear: bool,
}

impl Seen {
    pub(super) fn new(columns: &Columns) -> Self {
        Self { by: vec![0; columns.nodes()], line: 0, unclear: false }
    }

    fn mark(&mut self, node: Node) {
        if let Some(by) = self.by.get_mut(node.0) {
            self.unclear |= *by == self.line;
            *by = self.line;
        }
    }
}

/// Reads a line into `values`.
///
/// # Errors
/// It is no JSON object.
pub(super) fn read(
    line: &[u8],
    columns: &Columns,
    seen: &mut Seen,
    values: &mut Values,
) -> Result<(), Rejected> {
    values.clear();
    seen.line += 1;
    seen.unclear = false;
    if let (Some(b'{'), Ok(text)) = (line.trim_ascii_start().first(), std::str::from_utf8(line)) {
        let mut json = serde_json::Deserializer::from_str(text);
        Below { columns, node: Columns::ROOT, seen, values }.deserialize(&mut json)?;
        json.end()?;
        if !seen.unclear {
            return Ok(());
        }
    }
    let json: Json = serde_json::from_slice(line)?;
    if !json.is_object() {
        return Err(Rejected::NotAnObject);
    }
    let event = Event::from_json(&json);
    values.clear();
    for (path, slot) in columns.columns() {
        values.put(slot, event.field(path).into_owned());
    }
    Ok(())
}

/// What stands at a node.
struct Below<'r> {
    columns: &'r Columns,
    node: Node,
    seen: &'r mut Seen,
    values: &'r mut Values,
}

impl Below<'_> {
    fn put(self, value: Value) {
        if let Some(slot) = self.columns.slot_at(self.node) {
            self.values.put(slot, Field::One(Some(value)));
        }
    }
}

impl<'de> DeserializeSeed<'de> for Below<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Below<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, truth: bool) -> Result<(), E> {
        self.put(Value::Boolean(truth));
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.put(Value::Integer(number.into()));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.put(Value::Integer(number.into()));
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.put(Value::Float(number));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        if let Some(slot) = self.columns.slot_at(self.node) {
            self.values.put_text(slot, text);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(Key { columns: self.columns, node: self.node })? {
            match key {
                Way::Nowhere => drop(map.next_value::<IgnoredAny>()?),
                Way::Unclear => {
                    self.seen.unclear = true;
                    map.next_value::<IgnoredAny>()?;
                }
                Way::To(node) => {
                    self.seen.mark(node);
                    let (columns, seen, values) = (self.columns, &mut *self.seen, &mut *self.values);
                    map.next_value_seed(Below { columns, node, seen, values })?;
                }
            }
        }
        Ok(())
    }

    /// A LIST makes LISTs of all that is below it.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element::<Json>()? {
            elements.push(element);
        }
        let list = [(self.columns.path_at(self.node).to_owned(), Json::Array(elements))];
        let event = Event::from_json(&Json::Object(list.into_iter().collect()));
        for node in self.columns.all_below(self.node) {
            if node != self.node {
                self.seen.mark(node);
            }
            if let Some(slot) = self.columns.slot_at(node) {
                self.values.put(slot, event.field(self.columns.path_at(node)).into_owned());
            }
        }
        Ok(())
    }
}

/// Where a key leads.
enum Way {
    To(Node),
    Nowhere,
    /// An empty name at the root is not part of paths.
    Unclear,
}

struct Key<'r> {
    columns: &'r Columns,
    node: Node,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Way;

    fn deserialize<D: serde::Deserializer<'de>>(self, json: D) -> Result<Way, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Way;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Way, E> {
        if key.is_empty() && self.node == Columns::ROOT {
            return Ok(Way::Unclear);
        }
        Ok(self.columns.below(self.node, key).map_or(Way::Nowhere, Way::To))
    }
}
