//! One reading of a scope's events, in which each is held against what the rules need.

use std::ops::ControlFlow;

use duckdb::arrow::array::{Array, ArrayRef, AsArray, ListArray, PrimitiveArray, StringArray, StructArray};
use duckdb::arrow::datatypes::{Int64Type, UInt64Type};

use super::super::Cancel;
use super::LIMIT;
use super::formula::{AtomId, Need};
use super::need::Sought;
use super::search::ColumnSearch;
use crate::bridge::Plan;
use crate::store::{QueryError, RowId, Store};

/// The events of a scope that may match a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Candidates {
    /// Only those at these places of [`Read::rows`], ascending.
    Places(Vec<u32>),
    /// Any.
    Many,
}

/// An event that some rule may match.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) id: RowId,
    /// The bytes of its text, as far as it was searched.
    pub(super) bytes: usize,
}

/// What a reading found.
pub(super) struct Read {
    /// Events that some rule may match, in the order of the reading.
    pub(super) rows: Vec<Row>,
    /// For each plan, those that it may match.
    pub(super) candidates: Vec<Candidates>,
}

/// For each plan, which events of the scope that the SQL `scope` selects may match it. All plans are of this scope.
///
/// # Errors
/// The events cannot be read; nobody waits any more.
pub(super) fn read(store: &Store, scope: &str, plans: &[&Plan], cancel: &Cancel) -> Result<Read, QueryError> {
    let mut sought = Sought::new(store.schema());
    let needs: Vec<Need> = plans.iter().map(|plan| sought.need(&plan.predicate)).collect();
    let mut rules = Rules::new(&needs, &sought);
    sought.keep(rules.rules.iter().filter(|rule| rule.is_open()).map(|rule| rule.need));
    let searches: Result<Vec<_>, _> = sought.places.values().map(ColumnSearch::new).collect();
    match searches {
        // More than an automaton takes.
        Err(_) => rules.give_up(),
        Ok(searches) if searches.is_empty() => {}
        Ok(mut searches) => {
            let places: Vec<&str> = sought.places.keys().map(String::as_str).collect();
            let [file, row] = store.row_columns();
            let sql = format!("SELECT {file}, {row}, {} FROM ocsf_events WHERE {scope}", places.join(", "));
            store.stream(&sql, cancel, |chunk| rules.read(chunk, &mut searches))?;
        }
    }
    Ok(Read { rows: rules.rows, candidates: rules.rules.into_iter().map(|rule| rule.candidates).collect() })
}

/// The rules of a scope while its events pass by.
struct Rules<'n> {
    rules: Vec<Rule<'n>>,
    /// Events that are candidates.
    rows: Vec<Row>,
    /// By atom, the rules that need it or one of its like.
    by_atom: Vec<Vec<usize>>,
    /// By atom, the last event that held it.
    held_by: Vec<u64>,
    /// The number of the event, from 1.
    event: u64,
}

struct Rule<'n> {
    need: &'n Need,
    candidates: Candidates,
    /// The last event that it was asked about.
    asked: u64,
}

impl<'n> Rules<'n> {
    fn new(needs: &'n [Need], sought: &Sought<'_>) -> Self {
        let mut by_atom = vec![Vec::new(); sought.lengths.len()];
        let mut rules = Vec::with_capacity(needs.len());
        for need in needs {
            let cover = need.cover(&sought.lengths);
            let candidates = match &cover {
                Some(_) => Candidates::Places(Vec::new()),
                None => Candidates::Many,
            };
            let index = rules.len();
            for AtomId(atom) in cover.into_iter().flat_map(|(_, atoms)| atoms) {
                if let Some(rules) = by_atom.get_mut(atom) {
                    rules.push(index);
                }
            }
            rules.push(Rule { need, candidates, asked: 0 });
        }
        let held_by = vec![0; by_atom.len()];
        Self { rules, rows: Vec::new(), by_atom, held_by, event: 0 }
    }

    fn give_up(&mut self) {
        self.rules.iter_mut().for_each(|rule| rule.candidates = Candidates::Many);
    }

    /// A chunk of events: where they lie, then the columns in the order of `searches`.
    fn read(&mut self, chunk: &StructArray, searches: &mut [ColumnSearch]) -> ControlFlow<()> {
        let Some((rows, texts)) = columns(chunk) else {
            self.give_up();
            return ControlFlow::Break(());
        };
        let mut held = Vec::new();
        for row in 0..chunk.len() {
            held.clear();
            self.event += 1;
            let mut bytes = 0;
            for (texts, search) in texts.iter().zip(&mut *searches) {
                texts.for_each(row, &mut |value| {
                    bytes += value.len();
                    held.extend_from_slice(search.atoms(value));
                });
            }
            let id = RowId { file: rows.0.value(row), row: rows.1.value(row) };
            self.judge(&held, Row { id, bytes });
        }
        ControlFlow::Continue(())
    }

    /// Asks the rules that an event with these atoms may concern.
    fn judge(&mut self, held: &[AtomId], row: Row) {
        for AtomId(atom) in held {
            if let Some(event) = self.held_by.get_mut(*atom) {
                *event = self.event;
            }
        }
        let (held_by, event) = (&self.held_by, self.event);
        let holds = |AtomId(atom): AtomId| held_by.get(atom) == Some(&event);
        let place = u32::try_from(self.rows.len()).ok();
        let mut is_candidate = false;
        for AtomId(atom) in held {
            for rule in self.by_atom.get(*atom).into_iter().flatten() {
                let Some(rule) = self.rules.get_mut(*rule) else { continue };
                if rule.asked == event {
                    continue;
                }
                rule.asked = event;
                if rule.is_open() && rule.need.is_met(&holds) {
                    rule.candidates.add(place);
                    is_candidate = true;
                }
            }
        }
        if is_candidate {
            self.rows.push(row);
        }
    }
}

impl Rule<'_> {
    fn is_open(&self) -> bool {
        self.candidates != Candidates::Many
    }
}

impl Candidates {
    fn add(&mut self, place: Option<u32>) {
        match (&mut *self, place) {
            (Self::Places(places), Some(place)) if places.len() < LIMIT => places.push(place),
            _ => *self = Self::Many,
        }
    }
}

type Lies<'a> = (&'a PrimitiveArray<UInt64Type>, &'a PrimitiveArray<Int64Type>);

/// Where the events of a chunk lie, and its columns of text; `None` where they are not of these types.
fn columns(chunk: &StructArray) -> Option<(Lies<'_>, Vec<Texts<'_>>)> {
    let columns = chunk.columns();
    let file = columns.first()?.as_primitive_opt::<UInt64Type>()?;
    let row = columns.get(1)?.as_primitive_opt::<Int64Type>()?;
    let texts = columns.iter().skip(2).map(Texts::of).collect::<Option<Vec<_>>>()?;
    Some(((file, row), texts))
}

/// A column of text, or of LISTs of text, in a chunk.
enum Texts<'a> {
    Single(&'a StringArray),
    Lists(&'a ListArray, &'a StringArray),
}

impl<'a> Texts<'a> {
    fn of(column: &'a ArrayRef) -> Option<Self> {
        match column.as_list_opt::<i32>() {
            Some(lists) => Some(Self::Lists(lists, lists.values().as_string_opt::<i32>()?)),
            None => Some(Self::Single(column.as_string_opt::<i32>()?)),
        }
    }

    fn for_each(&self, row: usize, visit: &mut impl FnMut(&'a str)) {
        match self {
            Self::Single(texts) => visit_at(texts, row, visit),
            Self::Lists(lists, _) if lists.is_null(row) => {}
            Self::Lists(lists, texts) => {
                let offsets = lists.value_offsets();
                let (from, to) = (offsets.get(row).copied(), offsets.get(row + 1).copied());
                for at in from.unwrap_or(0)..to.unwrap_or(0) {
                    visit_at(texts, usize::try_from(at).unwrap_or(usize::MAX), visit);
                }
            }
        }
    }
}

fn visit_at<'a>(texts: &'a StringArray, at: usize, visit: &mut impl FnMut(&'a str)) {
    if at < texts.len() && texts.is_valid(at) {
        visit(texts.value(at));
    }
}
