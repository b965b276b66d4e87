//! Rules asked of the few events that they may match.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{ControlFlow, Range};

use duckdb::arrow::array::{Array, AsArray, StructArray};
use duckdb::arrow::datatypes::UInt64Type;

use super::super::summaries::{Job, Matched};
use super::super::{Cancel, EvalError, Summary};
use super::reading::Row;
use crate::store::sql_text::identifier;
use crate::store::{PLACE, RowId, Store};

/// Rules in one statement: DuckDB takes no interrupt while it plans one.
const BATCH: usize = 16;

/// Bytes of SQL from which on a statement takes no further rule.
const BATCH_BYTES: usize = 24 * 1024;

/// Rules with a bit each in one column of marks.
const MARK: usize = 64;

/// Bytes of events that are copied at a time, about.
const SEGMENT: usize = 64 << 20;

/// Bytes that an event takes besides the text that was searched, about.
const OVERHEAD: usize = 256;

/// Events whose ids are kept with a rule; of a rule with more only the number is told.
const KEPT: u64 = 4096;

/// A rule that is asked: which of the jobs, and its candidates as places among the rows of the reading, ascending.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) job: usize,
    pub(super) places: Vec<u32>,
}

/// Asks each rule about its candidates, and answers all of them in the end.
pub(super) fn ask(
    store: &Store,
    scope: &str,
    jobs: &[Job<'_>],
    rows: &[Row],
    asked: &[Asked],
    cancel: &Cancel,
) -> Result<BTreeMap<usize, Matched>, EvalError> {
    let mut answers: BTreeMap<usize, Matched> = BTreeMap::new();
    for segment in segments(rows, asked) {
        let of_segment = |asked: &Asked| {
            let from = asked.places.partition_point(|place| *place < segment.start);
            let to = asked.places.partition_point(|place| *place < segment.end);
            let places = asked.places.get(from..to).filter(|places| !places.is_empty())?;
            Some(Asked { job: asked.job, places: places.to_vec() })
        };
        let asked: Vec<Asked> = asked.iter().filter_map(of_segment).collect();
        for (job, found) in ask_segment(store, scope, jobs, rows, &asked, cancel)? {
            let answer = answers.entry(job).or_insert_with(Matched::nothing);
            *answer = both(std::mem::take(answer), found);
        }
    }
    Ok(answers)
}

/// Stretches of the rows that each hold candidates of about [`SEGMENT`] bytes, one after the other.
fn segments(rows: &[Row], asked: &[Asked]) -> Vec<Range<u32>> {
    let wanted: BTreeSet<u32> = asked.iter().flat_map(|asked| asked.places.iter().copied()).collect();
    let mut segments: Vec<Range<u32>> = Vec::new();
    let mut bytes = SEGMENT;
    for place in wanted {
        let of_row = usize::try_from(place).ok().and_then(|at| rows.get(at)).map_or(0, |row| row.bytes);
        if bytes >= SEGMENT {
            segments.push(place..place);
            bytes = 0;
        }
        if let Some(segment) = segments.last_mut() {
            segment.end = place.saturating_add(1);
        }
        bytes += of_row + OVERHEAD;
    }
    segments
}

/// What two matched together, of different events.
fn both(one: Matched, other: Matched) -> Matched {
    let earliest = [one.summary.first_seen, other.summary.first_seen].into_iter().flatten().min();
    let latest = [one.summary.last_seen, other.summary.last_seen].into_iter().flatten().max();
    let matches = one.summary.matches + other.summary.matches;
    let events = one.events.zip(other.events).filter(|_| matches <= KEPT);
    Matched {
        summary: Summary { matches, first_seen: earliest, last_seen: latest },
        events: events.map(|(mut events, others)| {
            events.extend(others);
            events
        }),
    }
}

fn ask_segment(
    store: &Store,
    scope: &str,
    jobs: &[Job<'_>],
    rows: &[Row],
    asked: &[Asked],
    cancel: &Cancel,
) -> Result<Vec<(usize, Matched)>, EvalError> {
    let marks: Vec<String> = (0..asked.len().div_ceil(MARK)).map(mark_column).collect();
    let events = marked(rows, asked, marks.len());
    store.copied(scope, &events, &marks, cancel, |store| -> Result<_, EvalError> {
        let named = named(store, events.len(), cancel)?;
        let predicate = |asked: &Asked| Some((asked.job, jobs.get(asked.job)?.sql.predicate.as_str()));
        let questions: Vec<(usize, &str)> = asked.iter().filter_map(predicate).collect();
        let mut answers = Vec::new();
        while let Some(rest) = questions.get(answers.len()..).filter(|rest| !rest.is_empty()) {
            let batch = rest.get(..fitting(rest)).unwrap_or(rest);
            let numbered = batch.iter().zip(answers.len()..);
            let predicates: Vec<String> =
                numbered.map(|((_, predicate), rule)| question(rule, predicate)).collect();
            let found = found(store, &predicates, &named, cancel)?;
            answers.extend(batch.iter().map(|(job, _)| *job).zip(found));
        }
        Ok(answers)
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
fn marked(rows: &[Row], asked: &[Asked], words: usize) -> Vec<(RowId, Vec<u64>)> {
    let mut marks: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for (rule, asked) in asked.iter().enumerate() {
        for place in &asked.places {
            let words = marks.entry(*place).or_insert_with(|| vec![0; words]);
            if let Some(word) = words.get_mut(rule / MARK) {
                *word |= 1 << (rule % MARK);
            }
        }
    }
    let row = |place: u32| Some(rows.get(usize::try_from(place).ok()?)?.id);
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
    let events = || places.iter().filter_map(|at| named.get(*at));
    let times = || events().filter_map(|(_, time)| *time);
    let matches = places.len() as u64;
    Matched {
        summary: Summary { matches, first_seen: times().min(), last_seen: times().max() },
        events: (matches <= KEPT).then(|| events().cloned().collect()),
    }
}
