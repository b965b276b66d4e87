//! Rules asked of the few events that they may match.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use duckdb::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StructArray, UInt64Array};
use duckdb::arrow::compute::filter_record_batch;
use duckdb::arrow::datatypes::{DataType, Field, Schema, UInt64Type};
use duckdb::arrow::error::ArrowError;

use super::super::summaries::{Found, Job};
use super::super::{Cancel, EvalError, Summary};
use super::groups::{Group, KEPT};
use super::reading::{Candidates, Read};
use crate::bridge::ColumnType;
use crate::ocsf::OcsfPath;
use crate::store::sql_text::identifier;
use crate::store::{Held, PLACE, Store};

/// Rules in one statement: DuckDB takes no interrupt while it plans one.
const BATCH: usize = 16;

/// Bytes of SQL from which on a statement takes no further rule.
const BATCH_BYTES: usize = 24 * 1024;

/// Rules with a bit each in one column of marks.
const MARK: usize = 64;

/// A rule that is asked: which of the jobs, and of which groups, whose events' places ascend.
struct Asked<'r> {
    job: usize,
    groups: Vec<&'r Group>,
}

/// Asks each rule about its candidates, and answers those that have any.
pub(super) fn ask(
    store: &Store,
    jobs: &[Job<'_>],
    read: Read,
    cancel: &Cancel,
) -> Result<BTreeMap<usize, Found>, EvalError> {
    let Read { held, events, shapes, rules, .. } = read;
    let asked = |(job, (shape, candidates)): (usize, &(usize, Candidates))| {
        let Candidates::Groups(groups) = candidates else { return None };
        let shape = shapes.get(*shape)?;
        let group = |group: &u32| shape.groups.get(usize::try_from(*group).ok()?);
        let groups: Vec<&Group> = groups.iter().filter_map(group).collect();
        (!groups.is_empty()).then_some(Asked { job, groups })
    };
    let asked: Vec<Asked<'_>> = rules.iter().enumerate().filter_map(asked).collect();
    if asked.is_empty() {
        return Ok(BTreeMap::new());
    }
    let columns = columns(jobs, &asked);
    let held = marked(&held, &columns, events, &asked).map_err(refused)?;
    store.held(&columns, held, |store| -> Result<_, EvalError> {
        let predicate = |asked: &Asked<'_>| Some(jobs.get(asked.job)?.sql.predicate.as_str());
        let mut answers = BTreeMap::new();
        let mut begun = 0;
        while let Some(rest) = asked.get(begun..).filter(|rest| !rest.is_empty()) {
            let predicates: Vec<&str> = rest.iter().filter_map(predicate).collect();
            let batch = rest.get(..fitting(&predicates)).unwrap_or(rest);
            let questions = predicates.iter().take(batch.len()).zip(begun..);
            let questions: Vec<String> =
                questions.map(|(predicate, rule)| question(rule, predicate)).collect();
            let places = satisfying(store, &questions, cancel)?;
            let found = batch.iter().zip(places).map(|(asked, places)| (asked.job, asked.found(&places)));
            answers.extend(found);
            begun += batch.len();
        }
        Ok(answers)
    })
}

impl Asked<'_> {
    /// What the rule matches, where it holds of the events at these places.
    fn found(&self, places: &BTreeSet<u64>) -> Found {
        let groups = || self.groups.iter().filter(|group| places.contains(&u64::from(group.place)));
        let matches = groups().map(|group| group.count).sum();
        let rows =
            || groups().map(|group| group.rows()).collect::<Option<Vec<_>>>().map(|rows| rows.concat());
        Found {
            summary: Summary {
                matches,
                first_seen: groups().filter_map(|group| group.first).min(),
                last_seen: groups().filter_map(|group| group.last).max(),
            },
            rows: (matches <= KEPT).then(rows).flatten(),
        }
    }
}

/// All columns of the rules that are asked.
fn columns(jobs: &[Job<'_>], asked: &[Asked<'_>]) -> BTreeMap<OcsfPath, ColumnType> {
    let plans = asked.iter().filter_map(|asked| Some(jobs.get(asked.job)?.plan));
    plans.flat_map(|plan| plan.columns.iter().map(|(path, t)| (path.clone(), *t))).collect()
}

/// The events that any of the rules is asked about: these columns, the places, and a bit for each rule that is asked.
fn marked(
    names: &BTreeMap<String, String>,
    columns: &BTreeMap<OcsfPath, ColumnType>,
    events: Vec<RecordBatch>,
    asked: &[Asked<'_>],
) -> Result<Held, ArrowError> {
    let wanted: BTreeSet<String> = columns.keys().map(|path| path.as_str().to_ascii_lowercase()).collect();
    let is_wanted = |path: &String| path == "class_uid" || wanted.contains(path);
    let kept: Vec<usize> =
        (0..).zip(names.keys()).filter(|(_, path)| is_wanted(path)).map(|(at, _)| at).collect();
    let names = names.iter().filter(|(path, _)| is_wanted(path)).map(|(_, name)| name.clone()).collect();
    let marks = marks(events.iter().map(RecordBatch::num_rows).sum(), asked);
    let mut from = 0;
    let mut batches = Vec::with_capacity(events.len());
    for batch in events {
        let rows = from..from + batch.num_rows();
        from = rows.end;
        let of_rows = |marks: &Vec<u64>| marks.get(rows.clone()).unwrap_or(&[]).to_vec();
        let marks: Vec<Vec<u64>> = marks.iter().map(of_rows).collect();
        let is_asked = |row: usize| marks.iter().any(|marks| marks.get(row).is_some_and(|mark| *mark != 0));
        let is_asked: BooleanArray = (0..batch.num_rows()).map(|row| Some(is_asked(row))).collect();
        let places = rows.map(|place| place as u64).collect();
        let added = std::iter::once(places).chain(marks).map(|words| Arc::new(UInt64Array::from(words)));
        let batch = batch.project(&kept)?;
        let mut fields: Vec<_> = batch.schema().fields().iter().cloned().collect();
        let mut columns = batch.columns().to_vec();
        for column in added {
            fields.push(Arc::new(Field::new("word", DataType::UInt64, false)));
            columns.push(column as ArrayRef);
        }
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
        batches.push(filter_record_batch(&batch, &is_asked)?);
    }
    Ok(Held { names, marks: (0..marks.len()).map(mark_column).collect(), batches })
}

/// For each 64 rules, by place, which of them are asked about the event.
fn marks(places: usize, asked: &[Asked<'_>]) -> Vec<Vec<u64>> {
    let mut marks = vec![vec![0; places]; asked.len().div_ceil(MARK)];
    for (rule, asked) in asked.iter().enumerate() {
        let Some(words) = marks.get_mut(rule / MARK) else { continue };
        for group in &asked.groups {
            let word = usize::try_from(group.place).ok().and_then(|place| words.get_mut(place));
            word.into_iter().for_each(|word| *word |= 1 << (rule % MARK));
        }
    }
    marks
}

fn refused(error: ArrowError) -> EvalError {
    EvalError::DuckDb { message: error.to_string(), compile: false }
}

/// How many of the rules go into one statement; at least one.
fn fitting(predicates: &[&str]) -> usize {
    let mut size = 0;
    let fits = predicates.iter().take(BATCH).take_while(|predicate| {
        let fits = size < BATCH_BYTES;
        size += predicate.len();
        fits
    });
    fits.count().max(1)
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

/// The places at which each of the predicates holds.
fn satisfying(
    store: &Store,
    predicates: &[String],
    cancel: &Cancel,
) -> Result<Vec<BTreeSet<u64>>, EvalError> {
    let sql = format!("SELECT {},\n{}\nFROM ocsf_events", identifier(PLACE), predicates.join(",\n"));
    let mut places: Vec<BTreeSet<u64>> = vec![BTreeSet::new(); predicates.len()];
    let mut understood = true;
    store.stream(&sql, cancel, |chunk| {
        understood = matching(chunk, &mut places).is_some();
        if understood { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    if !understood {
        let message = "the answers are not of the type that was asked for".to_owned();
        return Err(EvalError::DuckDb { message, compile: false });
    }
    Ok(places)
}

/// Adds the places of a chunk at which each predicate holds.
fn matching(chunk: &StructArray, places: &mut [BTreeSet<u64>]) -> Option<()> {
    let (of_row, answers) = chunk.columns().split_first()?;
    let of_row = of_row.as_primitive_opt::<UInt64Type>()?;
    for (answer, places) in answers.iter().zip(places) {
        let answer = answer.as_boolean_opt()?;
        for row in answer.values().set_indices().filter(|row| answer.is_valid(*row)) {
            places.insert(of_row.value(row));
        }
    }
    Some(())
}
