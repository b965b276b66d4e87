//! One reading of the events of a scope, or of several, in which each is held against what the rules need.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use duckdb::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, PrimitiveArray, RecordBatch, StructArray, UInt32Array,
};
use duckdb::arrow::compute::take_record_batch;
use duckdb::arrow::datatypes::{Int64Type, UInt64Type};

use super::super::Cancel;
use super::LIMIT;
use super::cells::{Cells, Column};
use super::formula::{AtomId, Need};
use super::groups::{Room, Shape};
use super::need::Sought;
use super::search::ColumnSearch;
use crate::bridge::Plan;
use crate::store::sql_text::identifier;
use crate::store::{QueryError, RowId, Store};

/// Bytes of events that are held for one rule, and for all of them, about.
const OF_RULE: usize = 48 << 20;
const OF_ALL: usize = 128 << 20;

/// Bytes that an event takes besides the text that was searched, about.
const OVERHEAD: usize = 256;

/// Which events a rule has to be asked about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Candidates {
    /// One of each of these groups of its shape, ascending, and so are the places of their events.
    Groups(Vec<u32>),
    /// Any.
    Many,
}

/// What a reading found.
pub(super) struct Read {
    /// The columns that are held, as the rules name them in SQL, by path in lower case.
    pub(super) held: BTreeMap<String, String>,
    /// The events that stand for the others, in these columns, one after the other.
    pub(super) events: Vec<RecordBatch>,
    /// Columns, and which events agree in all of them.
    pub(super) shapes: Vec<Shape>,
    /// For each plan, its place among the shapes, and the events that it may match.
    pub(super) rules: Vec<(usize, Candidates)>,
    /// How many events passed by: all of the scopes, where there is anything to ask of them.
    pub(super) passed: u64,
}

/// For each rule, its scope's SQL and its plan, which events of the scope may match it; groups take no more than `room`.
///
/// # Errors
/// The events cannot be read; nobody waits any more.
pub(super) fn read(
    store: &Store,
    rules: &[(&str, &Plan)],
    room: Room,
    cancel: &Cancel,
) -> Result<Read, QueryError> {
    let mut sought = Sought::new(store.schema());
    let needs: Vec<Need> = rules.iter().map(|(_, plan)| sought.need(&plan.predicate)).collect();
    let held = held(store, rules);
    let scopes: BTreeSet<&str> = rules.iter().map(|(scope, _)| *scope).collect();
    let scopes = Vec::from_iter(scopes);
    // The line break ends a comment that a scope may end in.
    let lies_in: Vec<String> = scopes.iter().map(|scope| format!("({scope}\n)")).collect();
    let mut selected: Vec<&str> = held.values().map(String::as_str).collect();
    selected
        .extend(sought.places.keys().map(String::as_str).filter(|place| !held.values().any(|n| n == place)));
    let mut reading = Reading::new(rules, &scopes, &needs, &sought, &held, room);
    let searches: Option<Vec<_>> =
        selected.iter().map(|place| ColumnSearch::new(sought.places.get(*place))).collect();
    match searches {
        // More than an automaton takes.
        None => reading.give_up(),
        Some(_) if needs.iter().all(|need| *need == Need::Impossible) => {}
        Some(searches) => {
            reading.columns = searches.into_iter().map(Column::new).collect();
            let [file, row] = store.row_columns();
            let told = lies_in.iter().take(reading.scopes).map(String::as_str);
            let sql = format!(
                "SELECT {file}, {row}, \"time\", {} FROM ocsf_events WHERE {}",
                told.chain(selected).collect::<Vec<_>>().join(", "),
                lies_in.join(" OR ")
            );
            store.stream(&sql, cancel, |chunk| reading.read(chunk))?;
        }
    }
    let Reading { rules, shapes, events, event: passed, .. } = reading;
    let rules = rules.into_iter().map(|rule| (rule.shape, rule.candidates)).collect();
    Ok(Read { held, events, shapes, rules, passed })
}

/// The columns that the plans read and the dataset has.
fn held(store: &Store, rules: &[(&str, &Plan)]) -> BTreeMap<String, String> {
    let mut held = BTreeMap::from([("class_uid".to_owned(), identifier("class_uid"))]);
    for path in rules.iter().flat_map(|(_, plan)| plan.columns.keys()) {
        let folded = path.as_str().to_ascii_lowercase();
        if store.schema().column(path).is_some() || folded == EVENT_ID {
            held.entry(folded).or_insert_with(|| identifier(path.as_str()));
        }
    }
    held
}

/// Every event has one, also where no column holds it.
const EVENT_ID: &str = "metadata.event_id";

/// The rules while the events pass by.
struct Reading<'n> {
    /// How many columns tell whether an event lies in a scope: none where there is but one.
    scopes: usize,
    /// How many of the columns are held; they come first.
    held: usize,
    columns: Vec<Column>,
    rules: Vec<Rule<'n>>,
    shapes: Vec<Shape>,
    /// Rules that need nothing of which an event must hold some.
    always: Vec<usize>,
    /// By atom, the rules that need it or one of its like.
    by_atom: Vec<Vec<usize>>,
    /// By atom, the last event that held it, and that surely did.
    held_by: Vec<u64>,
    surely_by: Vec<u64>,
    /// The number of the event, from 1.
    event: u64,
    events: Vec<RecordBatch>,
    /// How many events are held, and how large they are.
    places: u32,
    bytes: usize,
    room: Room,
}

struct Rule<'n> {
    /// The place of its scope.
    scope: usize,
    need: &'n Need,
    shape: usize,
    candidates: Candidates,
    /// The last event that it was asked about.
    asked: u64,
    bytes: usize,
}

/// An event as it passes by.
struct Passing<'a, 'c> {
    /// Whether it lies in each of several scopes.
    scopes: &'a [&'c BooleanArray],
    cells: &'a [Cells<'c>],
    row: usize,
    id: RowId,
    time: Option<i64>,
    bytes: usize,
}

impl<'n> Reading<'n> {
    fn new(
        rules: &[(&str, &Plan)],
        scopes: &[&str],
        needs: &'n [Need],
        sought: &Sought<'_>,
        held: &BTreeMap<String, String>,
        room: Room,
    ) -> Self {
        let mut by_atom = vec![Vec::new(); sought.lengths.len()];
        let mut passed = Vec::with_capacity(needs.len());
        let mut always = Vec::new();
        let mut shapes: Vec<Shape> = Vec::new();
        let mut known: BTreeMap<(usize, Vec<usize>), usize> = BTreeMap::new();
        for (index, ((scope, plan), need)) in rules.iter().zip(needs).enumerate() {
            match need.cover(&sought.lengths) {
                None => always.push(index),
                Some((_, atoms)) => {
                    for AtomId(atom) in atoms {
                        by_atom
                            .get_mut(atom)
                            .into_iter()
                            .for_each(|rules: &mut Vec<usize>| rules.push(index));
                    }
                }
            }
            let scope = scopes.iter().position(|other| other == scope).unwrap_or(usize::MAX);
            let shape = *known.entry((scope, columns_of(plan, held))).or_insert_with_key(|(_, columns)| {
                shapes.push(Shape::new(columns.clone()));
                shapes.len() - 1
            });
            let candidates = Candidates::Groups(Vec::new());
            passed.push(Rule { scope, need, shape, candidates, asked: 0, bytes: 0 });
        }
        let unheld = vec![0; by_atom.len()];
        Self {
            scopes: if scopes.len() > 1 { scopes.len() } else { 0 },
            held: held.len(),
            columns: Vec::new(),
            rules: passed,
            shapes,
            always,
            by_atom,
            held_by: unheld.clone(),
            surely_by: unheld,
            event: 0,
            events: Vec::new(),
            places: 0,
            bytes: 0,
            room,
        }
    }

    fn give_up(&mut self) {
        self.rules.iter_mut().for_each(|rule| rule.candidates = Candidates::Many);
    }

    /// A chunk of events: where they lie, when they were, in which scopes they are, then the columns.
    fn read(&mut self, chunk: &StructArray) -> ControlFlow<()> {
        let columns = chunk.columns();
        let (Some(lies), Some(times)) = (lies(columns), columns.get(2)) else {
            self.give_up();
            return ControlFlow::Break(());
        };
        let times = times.as_primitive_opt::<Int64Type>();
        let scopes: Option<Vec<_>> =
            columns.iter().skip(3).take(self.scopes).map(|test| test.as_boolean_opt()).collect();
        let Some(scopes) = scopes else {
            self.give_up();
            return ControlFlow::Break(());
        };
        let cells: Vec<Cells<'_>> = columns.iter().skip(3 + self.scopes).map(Cells::of).collect();
        let mut picked = Vec::new();
        for row in 0..chunk.len() {
            let id = RowId { file: lies.0.value(row), row: lies.1.value(row) };
            let time = times.filter(|times| times.is_valid(row)).map(|times| times.value(row));
            let mut passing = Passing { scopes: &scopes, cells: &cells, row, id, time, bytes: 0 };
            if self.judge(&mut passing) {
                picked.push(u32::try_from(row).unwrap_or(u32::MAX));
            }
        }
        // Times of another type are DuckDB's to compare.
        let understood = times.is_some() && self.keep(chunk, picked).is_some();
        if !understood {
            self.give_up();
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// Holds events of a chunk; `None` where that cannot be.
    fn keep(&mut self, chunk: &StructArray, picked: Vec<u32>) -> Option<()> {
        if picked.is_empty() {
            return Some(());
        }
        let held: Vec<usize> = (3 + self.scopes..).take(self.held).collect();
        let chunk = RecordBatch::from(chunk.clone()).project(&held).ok()?;
        let taken = take_record_batch(&chunk, &UInt32Array::from(picked)).ok()?;
        self.events.push(taken);
        Some(())
    }

    /// Asks the rules that an event may concern; whether the event is held from now on.
    fn judge(&mut self, passing: &mut Passing<'_, '_>) -> bool {
        self.event += 1;
        let event = self.event;
        let mut held = Vec::new();
        for (column, cells) in self.columns.iter_mut().zip(passing.cells) {
            if !column.seeks() {
                continue;
            }
            passing.bytes += column.look(cells, passing.row, event, &mut |AtomId(atom), surely| {
                held.push(atom);
                self.held_by.get_mut(atom).into_iter().for_each(|last| *last = event);
                if surely {
                    self.surely_by.get_mut(atom).into_iter().for_each(|last| *last = event);
                }
            });
        }
        let mut is_new = false;
        for at in 0..self.always.len() {
            let rule = self.always.get(at).copied().unwrap_or(usize::MAX);
            is_new |= self.ask(rule, passing);
        }
        for atom in held {
            for at in 0..self.by_atom.get(atom).map_or(0, Vec::len) {
                let rule = self.by_atom.get(atom).and_then(|rules| rules.get(at)).copied();
                is_new |= self.ask(rule.unwrap_or(usize::MAX), passing);
            }
        }
        if is_new {
            self.places = self.places.saturating_add(1);
            self.bytes += passing.bytes + OVERHEAD;
        }
        is_new
    }

    /// Notes an event for a rule that it may match; whether it is the first of its group.
    fn ask(&mut self, rule: usize, passing: &Passing<'_, '_>) -> bool {
        let event = self.event;
        let Some(rule) = self.rules.get_mut(rule) else { return false };
        let Candidates::Groups(groups) = &mut rule.candidates else { return false };
        if rule.asked == event || !passing.lies_in(rule.scope) {
            return false;
        }
        rule.asked = event;
        let holds = |AtomId(atom): AtomId| self.held_by.get(atom) == Some(&event);
        let surely = |AtomId(atom): AtomId| self.surely_by.get(atom) == Some(&event);
        if !rule.need.is_met(&holds, &surely) {
            return false;
        }
        let Some(shape) = self.shapes.get_mut(rule.shape) else { return false };
        if shape.event != event {
            let Shape { columns, key, .. } = shape;
            key.clear();
            for at in &*columns {
                if let (Some(column), Some(cells)) = (self.columns.get_mut(*at), passing.cells.get(*at)) {
                    column.key(cells, passing.row, event, key);
                }
            }
            let place = (self.bytes < OF_ALL).then_some(self.places);
            shape.enter(event, place, &mut self.room);
            if let Some(group) = shape.current() {
                group.add(passing.id, passing.time, &mut self.room);
            }
        }
        match shape.found {
            None => rule.candidates = Candidates::Many,
            Some((group, true)) => {
                rule.bytes += passing.bytes + OVERHEAD;
                match groups.len() < LIMIT && rule.bytes < OF_RULE {
                    true => groups.push(group),
                    false => rule.candidates = Candidates::Many,
                }
                return true;
            }
            Some((_, false)) => {}
        }
        false
    }
}

impl Passing<'_, '_> {
    fn lies_in(&self, scope: usize) -> bool {
        let told = self.scopes.get(scope);
        told.is_none_or(|told| told.is_valid(self.row) && told.value(self.row))
    }
}

/// The places among the held columns of those that decide whether the plan matches an event of its scope.
fn columns_of(plan: &Plan, held: &BTreeMap<String, String>) -> Vec<usize> {
    // A field that lies elsewhere from class to class depends on the class, too.
    let mut columns: Vec<usize> = held.keys().position(|path| path == "class_uid").into_iter().collect();
    // Of what only the scope looks at, all events in it have what the scope asks for.
    let mut scope: BTreeSet<String> =
        plan.scope.filters.iter().map(|filter| filter.path.as_str().to_ascii_lowercase()).collect();
    plan.predicate.visit_columns(&mut |column| {
        scope.remove(&column.path.as_str().to_ascii_lowercase());
    });
    let read = plan.columns.keys().map(|path| path.as_str().to_ascii_lowercase());
    columns.extend(
        read.filter(|path| !scope.contains(path))
            .filter_map(|path| held.keys().position(|held| *held == path)),
    );
    columns.sort_unstable();
    columns.dedup();
    columns
}

type Lies<'a> = (&'a PrimitiveArray<UInt64Type>, &'a PrimitiveArray<Int64Type>);

/// Where the events of a chunk lie.
fn lies(columns: &[ArrayRef]) -> Option<Lies<'_>> {
    let file = columns.first()?.as_primitive_opt::<UInt64Type>()?;
    let row = columns.get(1)?.as_primitive_opt::<Int64Type>()?;
    Some((file, row))
}
