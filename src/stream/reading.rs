//! A line of JSON into slots: what no rule looks at is passed over.
//!
//! What comes out is what [`Event::from_json`] says of the line. Whatever that decides between (a path that comes twice)
//! is left to it.

use memchr::{memchr, memmem};
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
        if has_half_a_pair(line) {
            return Err(serde_json::Error::custom("half a surrogate pair in a string").into());
        }
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

/// Whether a string of a line of JSON escapes half a character: what is passed over is not decoded, and so whatever else
/// is wrong in it has been found.
fn has_half_a_pair(line: &[u8]) -> bool {
    if memmem::find(line, br"\uD").is_none() && memmem::find(line, br"\ud").is_none() {
        return false;
    }
    let (mut rest, mut expects_low) = (line, false);
    while let Some(at) = memchr(b'\\', rest) {
        let unit = rest.get(at + 1..at + 6).and_then(utf16_unit);
        let is_low = matches!(unit, Some(0xDC00..=0xDFFF));
        if expects_low != is_low || (expects_low && at > 0) {
            return true;
        }
        expects_low = matches!(unit, Some(0xD800..=0xDBFF));
        let length = if unit.is_some() { 6 } else { 2 };
        rest = rest.get(at + length..).unwrap_or_default();
    }
    expects_low
}

/// The number of `u0000`.
fn utf16_unit(escape: &[u8]) -> Option<u16> {
    let digits = std::str::from_utf8(escape.strip_prefix(b"u")?).ok()?;
    u16::from_str_radix(digits, 16).ok()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_pair_is_found_wherever_it_stands() {
        for (line, half) in [
            (r#"{"a": "\ud83d\uDE00"}"#, false),
            (r#"{"a": "\\ud83d", "b": "\u00e9\n"}"#, false),
            (r#"{"a": "\ud83d"}"#, true),
            (r#"{"a": "\ude00\ud83d"}"#, true),
            (r#"{"a": "\ud83d \ude00"}"#, true),
            (r#"{"a": "\ud83d\ud83d\ude00"}"#, true),
            (r#"{"a": "\ud83d", "b": "\ude00"}"#, true),
        ] {
            assert_eq!(has_half_a_pair(line.as_bytes()), half, "{line}");
            assert_eq!(serde_json::from_str::<Json>(line).is_err(), half, "{line}");
        }
    }
}
