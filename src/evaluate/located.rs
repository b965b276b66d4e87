//! A rule's matches by where they lie. One scan reads what the rule tests, and no column that is merely shown: it counts the
//! matches and keeps the places of those that come first by time. The rows that are asked for are then read from there.
//!
//! Ids are long and repeat in nothing, so that reading them for all matches takes longer than finding these. They decide the
//! order of events of one time: of those, all are read that share it with the first or the last row that is asked for.
//! Where these are too many, or another order is asked for, DuckDB sorts the rows.

use std::ops::{ControlFlow, Range};

use duckdb::arrow::array::{Array, AsArray, StructArray};
use duckdb::arrow::datatypes::{Int64Type, UInt64Type};

use super::histogram::{Histogram, Minutes};
use super::matches::{match_row, shown};
use super::shortlist::Alone;
use super::slice::{Slice, SortKey};
use super::summaries::scope_or_all;
use super::{Cancel, EvalError, MatchRow, Summary};
use crate::backend::Sql;
use crate::backend::duckdb_sql::lowered::Lowered;
use crate::bridge::Plan;
use crate::store::{RowId, Store};

/// Rows that are read by their places at most.
const ROWS: usize = 512;

/// Rows besides these, as they are of the same time.
const TIES: usize = 1024;

/// Places that are kept at most: so many rows may come before the last that is asked for.
const DEPTH: usize = 1 << 20;

/// What one scan found.
#[derive(Debug, Default)]
pub(super) struct Located {
    /// Events in the rule's scope.
    pub(super) in_scope: u64,
    pub(super) summary: Summary,
    pub(super) histogram: Histogram,
    /// Of the matches that come first, as many as were asked for, and all that are of the time of one of these; in order.
    places: Vec<Place>,
}

/// Where a match lies. They are sorted by time, NULL last; then, until ids decide, by where they lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    key: (bool, i64),
    id: RowId,
    time: Option<i64>,
}

impl Place {
    fn new(id: RowId, time: Option<i64>, descending: bool) -> Self {
        // The complement sorts the other way round, and overflows nowhere.
        let by_time = |time: i64| if descending { !time } else { time };
        Self { key: (time.is_none(), time.map_or(0, by_time)), id, time }
    }
}

/// Whether a slice can be read by places.
pub(super) fn is_for(store: &Store, slice: Slice) -> bool {
    let depth = slice.first.saturating_add(slice.limit);
    store.has_rows() && slice.order.key == SortKey::Time && slice.limit <= ROWS && depth <= DEPTH
}

/// What a plan matches, with the places that a slice needs, which [`is_for`] allows. `None` where times are of a type that
/// is DuckDB's to compare, or too many are the same. Within [`Store::narrowed`].
pub(super) fn locate(
    store: &Store,
    sql: &Sql,
    slice: Slice,
    cancel: &Cancel,
) -> Result<Option<Located>, EvalError> {
    let mut scan = Scan::new(slice);
    let [file, row] = store.row_columns();
    let lowered = Lowered::of(&[&sql.predicate]);
    // The line break ends a comment that the predicate may end in.
    let text = format!(
        "SELECT CASE WHEN ({}\n) THEN {{'file': {file}, 'row': {row}, 'time': \"time\"}} END\nFROM {}",
        lowered.predicates.concat(),
        lowered.source(scope_or_all(&sql.scope))
    );
    store.stream(&text, cancel, |chunk| scan.read(chunk))?;
    Ok(scan.located())
}

impl Located {
    /// Likewise, of the matches that a shortlist has found.
    pub(super) fn of(
        store: &Store,
        found: &Alone,
        slice: Slice,
        cancel: &Cancel,
    ) -> Result<Option<Self>, EvalError> {
        let mut scan = Scan::new(slice);
        let time = ["\"time\"".to_owned()];
        let times = store.at(&found.rows, &time, cancel, |row| row.get::<_, Option<i64>>(0))?;
        found.rows.iter().zip(times).for_each(|(id, time)| scan.add(*id, time));
        scan.located.in_scope = found.in_scope;
        Ok(scan.located())
    }

    /// The rows of a slice that is no deeper than the one that the places were kept for. `None` where too many events share a
    /// time with them.
    pub(super) fn rows(
        &self,
        store: &Store,
        plan: &Plan,
        slice: Slice,
        cancel: &Cancel,
    ) -> Result<Option<Vec<MatchRow>>, EvalError> {
        let Range { start, end } = self.sharing(slice);
        let places = self.places.get(start..end).unwrap_or(&[]);
        if places.is_empty() {
            return Ok(Some(Vec::new()));
        }
        if places.len() > slice.limit + TIES {
            return Ok(None);
        }
        let ids: Vec<RowId> = places.iter().map(|place| place.id).collect();
        let shown = shown(store, plan);
        let rows = store.at(&ids, &shown, cancel, |row| match_row(row, plan.shown.len()))?;
        if rows.iter().zip(places).any(|(row, place)| row.time != place.time) {
            let message = "the events have changed while they were read".to_owned();
            return Err(EvalError::DuckDb { message, compile: false });
        }
        let mut rows: Vec<((bool, i64), MatchRow)> = places.iter().map(|place| place.key).zip(rows).collect();
        rows.sort_by(|(key, row), (other_key, other)| {
            key.cmp(other_key).then_with(|| row.event_id.cmp(&other.event_id))
        });
        let before = slice.first.saturating_sub(start);
        Ok(Some(rows.into_iter().map(|(_, row)| row).skip(before).take(slice.limit).collect()))
    }

    /// The places of a slice, and of all that are of the time of its first or its last.
    fn sharing(&self, slice: Slice) -> Range<usize> {
        let end = slice.first.saturating_add(slice.limit).min(self.places.len());
        let (Some(first), Some(last)) = (
            self.places.get(slice.first..end).and_then(<[_]>::first),
            self.places.get(slice.first..end).and_then(<[_]>::last),
        ) else {
            return 0..0;
        };
        let start = self.places.partition_point(|place| place.key < first.key);
        start..self.places.partition_point(|place| place.key <= last.key)
    }
}

/// The events of a scope while they pass by.
struct Scan {
    located: Located,
    minutes: Minutes,
    descending: bool,
    /// How many places come before the end of the slice.
    wanted: usize,
    /// No place behind this one is wanted.
    bound: Option<(bool, i64)>,
    gave_up: bool,
}

impl Scan {
    fn new(slice: Slice) -> Self {
        let (located, minutes) = (Located::default(), Minutes::default());
        let wanted = slice.first.saturating_add(slice.limit);
        Self { located, minutes, descending: slice.order.descending, wanted, bound: None, gave_up: false }
    }

    /// A chunk of events: those that match say where they lie, the others are NULL.
    fn read(&mut self, chunk: &StructArray) -> ControlFlow<()> {
        match self.take(chunk) {
            Some(()) => ControlFlow::Continue(()),
            None => {
                self.gave_up = true;
                ControlFlow::Break(())
            }
        }
    }

    fn take(&mut self, chunk: &StructArray) -> Option<()> {
        let found = chunk.columns().first()?.as_struct_opt()?;
        let [files, rows, times] = found.columns() else { return None };
        let files = files.as_primitive_opt::<UInt64Type>()?;
        let rows = rows.as_primitive_opt::<Int64Type>()?;
        let times = times.as_primitive_opt::<Int64Type>()?;
        self.located.in_scope += found.len() as u64;
        for at in (0..found.len()).filter(|at| found.is_valid(*at)) {
            let time = times.is_valid(at).then(|| times.value(at));
            self.add(RowId { file: files.value(at), row: rows.value(at) }, time);
        }
        self.fits().then_some(())
    }

    fn add(&mut self, id: RowId, time: Option<i64>) {
        let summary = &mut self.located.summary;
        *summary = summary.and(Summary { matches: 1, first_seen: time, last_seen: time });
        time.into_iter().for_each(|time| self.minutes.add(time));
        let place = Place::new(id, time, self.descending);
        if self.bound.is_none_or(|bound| place.key <= bound) {
            self.located.places.push(place);
        }
    }

    /// Drops what is not wanted once it is as much again; whether the rest is little enough.
    fn fits(&mut self) -> bool {
        if self.located.places.len() < 2 * (self.wanted + TIES) {
            return true;
        }
        self.drop_unwanted();
        self.located.places.len() <= self.wanted + TIES
    }

    fn drop_unwanted(&mut self) {
        let places = &mut self.located.places;
        let Some(last) = self.wanted.checked_sub(1).filter(|last| *last < places.len()) else {
            places.truncate(self.wanted);
            return;
        };
        let bound = places.select_nth_unstable(last).1.key;
        places.retain(|place| place.key <= bound);
        self.bound = Some(bound);
    }

    fn located(mut self) -> Option<Located> {
        if self.gave_up {
            return None;
        }
        self.drop_unwanted();
        self.located.places.sort_unstable();
        self.located.histogram = self.minutes.histogram();
        Some(self.located)
    }
}
