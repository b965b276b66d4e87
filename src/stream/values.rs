//! The values of the event at hand, by slot. Rooms for text are used again for the next event.

use std::borrow::Cow;

use super::columns::{Columns, Slot};
use crate::backend::interpreter::{Event, Field, Value, computed_field};

const NULL: &Field = &Field::One(None);

/// Text beyond this many bytes gives its room back.
const KEPT: usize = 64 << 10;

/// The values of an event.
#[derive(Debug)]
pub(super) struct Values {
    fields: Vec<Field>,
    /// By slot, the event that filled it last.
    filled_by: Vec<u64>,
    filled: Vec<Slot>,
    event: u64,
    /// Whether a text holds a `ſ`, which [`coarse`](crate::evaluate::shortlist::need::coarse) takes for an `s`.
    coarse: bool,
}

impl Values {
    pub(super) fn new(slots: usize) -> Self {
        Self {
            fields: vec![Field::One(None); slots],
            filled_by: vec![0; slots],
            filled: Vec::new(),
            event: 0,
            coarse: false,
        }
    }

    /// Begins an event without values.
    pub(super) fn clear(&mut self) {
        self.event += 1;
        self.filled.clear();
        self.coarse = false;
    }

    pub(super) fn get(&self, slot: Slot) -> &Field {
        match self.filled_by.get(slot.0) {
            Some(event) if *event == self.event => self.fields.get(slot.0).unwrap_or(NULL),
            _ => NULL,
        }
    }

    /// The slots that have a value, in the order in which they got it.
    pub(super) fn filled(&self) -> &[Slot] {
        &self.filled
    }

    pub(super) fn is_coarse(&self) -> bool {
        self.coarse
    }

    pub(super) fn put_text(&mut self, slot: Slot, text: &str) {
        self.coarse |= is_coarse(text);
        let Some(field) = self.fill(slot) else { return };
        match field {
            Field::One(Some(Value::Text(room))) if room.capacity() <= KEPT => {
                room.clear();
                room.push_str(text);
            }
            field => *field = Field::One(Some(Value::Text(text.to_owned()))),
        }
    }

    pub(super) fn put(&mut self, slot: Slot, value: Field) {
        self.coarse |= value.values().any(|value| matches!(value, Value::Text(text) if is_coarse(text)));
        if value == *NULL {
            return;
        }
        if let Some(field) = self.fill(slot) {
            *field = value;
        }
    }

    fn fill(&mut self, slot: Slot) -> Option<&mut Field> {
        let by = self.filled_by.get_mut(slot.0)?;
        if *by != self.event {
            *by = self.event;
            self.filled.push(slot);
        }
        self.fields.get_mut(slot.0)
    }

    /// Computes a slot from others.
    pub(super) fn compute(&mut self, columns: &Columns, slot: Slot) {
        let Some(computed) = columns.computed(slot) else { return };
        let field = computed_field(computed, &|column| {
            Cow::Borrowed(columns.by_path(column.path.as_str()).map_or(NULL, |slot| self.get(slot)))
        });
        self.put(slot, field);
    }

    /// All of them, as the interpreter takes them.
    pub(super) fn event(&self, columns: &Columns) -> Event {
        let field = |slot: &Slot| (columns.path(*slot), self.get(*slot).clone());
        Event::of_fields(self.filled.iter().filter(|slot| columns.computed(**slot).is_none()).map(field))
    }

    pub(super) fn text(&self, slot: Slot) -> Option<&str> {
        match self.get(slot) {
            Field::One(Some(Value::Text(text))) => Some(text),
            _ => None,
        }
    }

    pub(super) fn integer(&self, slot: Slot) -> Option<i128> {
        match self.get(slot) {
            Field::One(Some(Value::Integer(number))) => Some(*number),
            _ => None,
        }
    }
}

fn is_coarse(text: &str) -> bool {
    !text.is_ascii() && text.contains('ſ')
}
