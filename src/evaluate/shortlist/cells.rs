//! The values of a chunk of events, and what tells them from one another.

use duckdb::arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray, StringArray};
use duckdb::arrow::compute::cast;
use duckdb::arrow::datatypes::{DataType, Int64Type};

use super::formula::AtomId;
use super::search::ColumnSearch;

/// A column in a chunk.
pub(super) enum Cells<'a> {
    /// Text.
    Single(&'a StringArray),
    /// LISTs of text.
    Lists(&'a ListArray, &'a StringArray),
    /// Whole numbers and booleans.
    Numbers(Int64Array),
    /// Values that are not told from one another.
    Other,
}

impl<'a> Cells<'a> {
    pub(super) fn of(column: &'a ArrayRef) -> Self {
        use DataType::{Boolean, Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32};
        if let Some(texts) = column.as_string_opt::<i32>() {
            return Self::Single(texts);
        }
        if let Some(lists) = column.as_list_opt::<i32>() {
            let texts = lists.values().as_string_opt::<i32>();
            return texts.map_or(Self::Other, |texts| Self::Lists(lists, texts));
        }
        match column.data_type() {
            Boolean | Int8 | Int16 | Int32 | Int64 | UInt8 | UInt16 | UInt32 => {
                let numbers = cast(column, &Int64).ok();
                numbers
                    .and_then(|numbers| numbers.as_primitive_opt::<Int64Type>().cloned())
                    .map_or(Self::Other, Self::Numbers)
            }
            _ => Self::Other,
        }
    }
}

/// A column over all chunks.
pub(super) struct Column {
    search: ColumnSearch,
    /// The event last looked at, and what tells its values from those of others.
    event: u64,
    words: Vec<u64>,
}

impl Column {
    pub(super) fn new(search: ColumnSearch) -> Self {
        Self { search, event: 0, words: Vec::new() }
    }

    /// Whether anything is sought in it.
    pub(super) fn seeks(&self) -> bool {
        self.search.seeks()
    }

    /// Looks at an event's value or values, calling `holds` with each atom that one holds, and whether that is sure;
    /// how many bytes of text there are.
    pub(super) fn look(
        &mut self,
        cells: &Cells<'_>,
        row: usize,
        event: u64,
        holds: &mut impl FnMut(AtomId, bool),
    ) -> usize {
        self.event = event;
        self.words.clear();
        let mut bytes = 0;
        let (search, words) = (&mut self.search, &mut self.words);
        let mut text = |texts: &StringArray, at: usize| {
            if at >= texts.len() || texts.is_null(at) {
                words.push(0);
                return;
            }
            let value = texts.value(at);
            bytes += value.len();
            let seen = search.look(value);
            words.push(seen.number);
            seen.atoms.iter().for_each(|atom| holds(*atom, seen.surely));
        };
        match cells {
            Cells::Single(texts) => text(texts, row),
            Cells::Lists(lists, texts) => {
                for at in elements(lists, row) {
                    text(texts, at);
                }
                // How many there are tells a LIST without elements from none.
                let count = self.words.len() as u64;
                self.words.push(if lists.is_null(row) { 0 } else { count + 1 });
            }
            Cells::Numbers(numbers) if numbers.is_null(row) => self.words.extend([0, 0]),
            Cells::Numbers(numbers) => self.words.extend([1, numbers.value(row).cast_unsigned()]),
            Cells::Other => self.words.push(event),
        }
        bytes
    }

    /// Adds to `key` what tells an event's value from those of others.
    pub(super) fn key(&mut self, cells: &Cells<'_>, row: usize, event: u64, key: &mut Vec<u64>) {
        if self.event != event {
            self.look(cells, row, event, &mut |_, _| {});
        }
        key.extend_from_slice(&self.words);
    }
}

/// The places of a LIST's elements.
fn elements(lists: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = lists.value_offsets();
    let at = |row: usize| offsets.get(row).and_then(|at| usize::try_from(*at).ok()).unwrap_or(0);
    if lists.is_null(row) { 0..0 } else { at(row)..at(row + 1) }
}
