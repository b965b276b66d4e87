//! Rules asked of the few events that they may match.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use duckdb::arrow::array::{Array, AsArray, StructArray};
use duckdb::arrow::datatypes::UInt64Type;

use super::super::summaries::{Job, Matched};
use super::super::{Cancel, EvalError, Summary};
use crate::store::sql_text::identifier;
use crate::store::{PLACE, RowId, Store};

/// Rules in one statement: as many as a mark has bits, at most.
const BATCH: usize = 32;

/// Bytes of SQL from which on a statement takes no further rule.
const BATCH_BYTES: usize = 48 * 1024;

/// Rules with a bit each in one column of marks.
const MARK: usize = 64;

/// Asks each rule about its candidates, which are places among `rows`.
pub(super) fn ask(
    store: &Store,
    scope: &str,
    jobs: &[Job<'_>],
    rows: &[RowId],
    asked: Vec<(usize, Vec<u32>)>,
    cancel: &Cancel,
    on_answer: &mut dyn FnMut(usize, Matched),
) -> Result<(), EvalError> {
    if asked.is_empty() {
        return Ok(());
    }
    let marks: Vec<String> = (0..asked.len().div_ceil(MARK)).map(mark_column).collect();
    let events = marked(rows, &asked, marks.len());
    store.copied(scope, &events, &marks, cancel, |store| -> Result<(), EvalError> {
        let named = named(store, events.len(), cancel)?;
        let questions: Vec<(usize, &str)> =
            asked.iter().filter_map(|(at, _)| Some((*at, jobs.get(*at)?.sql.predicate.as_str()))).collect();
        let mut first = 0;
        while let Some(rest) = questions.get(first..).filter(|rest| !rest.is_empty()) {
            let batch = rest.get(..fitting(rest)).unwrap_or(rest);
            let predicates: Vec<String> =
                batch.iter().zip(first..).map(|((_, predicate), bit)| question(bit, predicate)).collect();
            for ((at, _), matched) in batch.iter().zip(found(store, &predicates, &named, cancel)?) {
                on_answer(*at, matched);
            }
            first += batch.len();
        }
        Ok(())
    })
}

/// How many of the rules go into one statement; at least one.
fn fitting(rest: &[(usize, &str)]) -> usize {
    let mut size = 0;
    let fits = rest.iter().take(BATCH).take_while(|(_, predicate)| {
        let fits = size < BATCH_BYTES;
        size += predicate.len();
        fits
    });
    fits.count()
}

fn mark_column(at: usize) -> String {
    format!("sigma_ocsf_tui.marks{at}")
}

/// A rule's predicate of the events that are marked for it; of others it is not computed.
fn question(rule: usize, predicate: &str) -> String {
    let column = identifier(&mark_column(rule / MARK));
    // The line break ends a comment that the predicate may end in.
    format!("CASE WHEN ({column} & {}) <> 0 THEN ({predicate}\n) ELSE false END", 1_u64 << (rule % MARK))
}

/// The events that any rule is asked about, with a bit for each rule that is asked about them.
fn marked(rows: &[RowId], asked: &[(usize, Vec<u32>)], words: usize) -> Vec<(RowId, Vec<u64>)> {
    let mut marks: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for (rule, (_, places)) in asked.iter().enumerate() {
        for place in places {
            let words = marks.entry(*place).or_insert_with(|| vec![0; words]);
            if let Some(word) = words.get_mut(rule / MARK) {
                *word |= 1 << (rule % MARK);
            }
        }
    }
    let row = |place: u32| rows.get(usize::try_from(place).ok()?).copied();
    marks.into_iter().filter_map(|(place, words)| Some((row(place)?, words))).collect()
}

/// Id and time of each event, by place.
fn named(store: &Store, events: usize, cancel: &Cancel) -> Result<Vec<(String, Option<i64>)>, EvalError> {
    let mut named = vec![(String::new(), None); events];
    let sql = format!("SELECT {}, \"metadata.event_id\", \"time\" FROM ocsf_events", identifier(PLACE));
    let rows: Vec<(usize, String, Option<i64>)> =
        store.select(&sql, cancel, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    for (place, id, time) in rows {
        if let Some(slot) = named.get_mut(place) {
            *slot = (id, time);
        }
    }
    Ok(named)
}

/// What satisfies each of the predicates.
fn found(
    store: &Store,
    predicates: &[String],
    named: &[(String, Option<i64>)],
    cancel: &Cancel,
) -> Result<Vec<Matched>, EvalError> {
    let sql = format!("SELECT {},\n{}\nFROM ocsf_events", identifier(PLACE), predicates.join(",\n"));
    let mut places: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); predicates.len()];
    let mut understood = true;
    store.stream(&sql, cancel, |chunk| {
        understood = matching(chunk, &mut places).is_some();
        if understood { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    if !understood {
        let message = "the answers are not of the type that was asked for".to_owned();
        return Err(EvalError::DuckDb { message, compile: false });
    }
    Ok(places.into_iter().map(|places| matched(&places, named)).collect())
}

/// Adds the places of a chunk at which each predicate holds.
fn matching(chunk: &StructArray, places: &mut [BTreeSet<usize>]) -> Option<()> {
    let (of_row, answers) = chunk.columns().split_first()?;
    let of_row = of_row.as_primitive_opt::<UInt64Type>()?;
    for (answer, places) in answers.iter().zip(places) {
        let answer = answer.as_boolean_opt()?;
        for row in answer.values().set_indices().filter(|row| answer.is_valid(*row)) {
            places.insert(usize::try_from(of_row.value(row)).ok()?);
        }
    }
    Some(())
}

fn matched(places: &BTreeSet<usize>, named: &[(String, Option<i64>)]) -> Matched {
    let events: Vec<(String, Option<i64>)> = places.iter().filter_map(|at| named.get(*at)).cloned().collect();
    let times = || events.iter().filter_map(|(_, time)| *time);
    let summary =
        Summary { matches: events.len() as u64, first_seen: times().min(), last_seen: times().max() };
    Matched { summary, events: Some(events) }
}
