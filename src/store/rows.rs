//! Events by row: read as they come, a chunk at a time; a few of them held in memory; and their names.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use duckdb::Row;
use duckdb::arrow::array::{RecordBatch, StructArray};

use super::error::duckdb_message;
use super::sql_text::identifier;
use super::view::{FILE_INDEX, ROW_NUMBER, VIEW, null_type};
use super::{Cancel, QueryError, Store, StoreError};
use crate::bridge::ColumnType;
use crate::ocsf::OcsfPath;

/// Where an event lies in the dataset's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowId {
    pub(crate) file: u64,
    pub(crate) row: i64,
}

/// Events in memory, as they were read.
#[derive(Debug)]
pub(crate) struct Held {
    /// The columns that they were read from, quoted.
    pub(crate) names: Vec<String>,
    /// Columns of bits.
    pub(crate) marks: Vec<String>,
    /// The events: the columns of `names`, [`PLACE`], then `marks`.
    pub(crate) batches: Vec<RecordBatch>,
}

/// The column of events in memory that numbers them.
pub(crate) const PLACE: &str = "sigma_ocsf_tui.place";

/// Where the events lie that are to be named.
const PICKED: &str = "sigma_ocsf_tui.picked";

/// The events in memory. Named so that no relation of a statement is in their way.
const HELD: &str = "sigma_ocsf_tui.held";

impl Store {
    /// Runs one SELECT, the rows handed out a chunk at a time while it runs, so that no more than a chunk is held.
    /// `visit` may say that it has seen enough.
    pub(crate) fn stream(
        &self,
        sql: &str,
        cancel: &Cancel,
        mut visit: impl FnMut(&StructArray) -> ControlFlow<()>,
    ) -> Result<(), QueryError> {
        self.guarded(sql, cancel, |statement| {
            drop(statement.stream_arrow([])?);
            while let Some(chunk) = statement.step()? {
                if cancel.is_cancelled() || visit(&chunk).is_break() {
                    break;
                }
            }
            Ok(())
        })
    }

    /// The columns of a narrow view that say where an event lies, quoted: [`RowId::file`] and [`RowId::row`].
    pub(crate) fn row_columns(&self) -> [String; 2] {
        [identifier(FILE_INDEX), identifier(ROW_NUMBER)]
    }

    /// Does `work` with a view of nothing but these events, and of no columns but those that they have; those of
    /// `columns` that the dataset lacks are NULL. Within [`Store::narrowed`], whose columns they are.
    ///
    /// # Errors
    /// DuckDB refuses, as it does where events are not of its types; `work` fails.
    pub(crate) fn held<T, E: From<StoreError>>(
        &self,
        columns: &BTreeMap<OcsfPath, ColumnType>,
        held: Held,
        work: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let outcome =
            self.hold(columns, held).map_err(|error| E::from(error.into())).and_then(|()| work(self));
        self.connection
            .execute_batch(&format!("DROP TABLE IF EXISTS temp.{}", identifier(HELD)))
            .map_err(StoreError::from)?;
        outcome
    }

    fn hold(&self, columns: &BTreeMap<OcsfPath, ColumnType>, held: Held) -> duckdb::Result<()> {
        let table = identifier(HELD);
        let words: Vec<String> =
            std::iter::once(PLACE).chain(held.marks.iter().map(String::as_str)).map(identifier).collect();
        let typed = words.iter().map(|word| format!("0::UBIGINT AS {word}"));
        let stored: Vec<String> = held.names.iter().cloned().chain(typed).collect();
        self.connection.execute_batch(&format!(
            "CREATE TEMP TABLE {table} AS SELECT {} FROM {VIEW} LIMIT 0",
            stored.join(", ")
        ))?;
        let mut appender = self.connection.appender(HELD)?;
        for batch in held.batches {
            appender.append_record_batch(batch)?;
        }
        appender.flush()?;
        drop(appender);
        let is_held = |path: &OcsfPath| {
            held.names.iter().any(|name| name.eq_ignore_ascii_case(&identifier(path.as_str())))
        };
        let absent = columns.iter().filter(|(path, _)| !is_held(path));
        let absent: String = absent
            .map(|(path, t)| format!(", CAST(NULL AS {}) AS {}", null_type(*t), identifier(path.as_str())))
            .collect();
        self.connection.execute_batch(&format!(
            "CREATE OR REPLACE TEMP VIEW {VIEW} AS SELECT *{absent} FROM temp.{table}"
        ))
    }

    /// Id and time of each event, in the order given. Within [`Store::narrowed`].
    ///
    /// # Errors
    /// DuckDB refuses; the events are no longer where they were; nobody waits any more.
    pub(crate) fn named(
        &self,
        rows: &[RowId],
        cancel: &Cancel,
    ) -> Result<Vec<(String, Option<i64>)>, QueryError> {
        let picked = self.pick(rows).map_err(|error| QueryError::Execute(duckdb_message(error)));
        let named = picked.and_then(|()| self.names_of_picked(rows.len(), cancel));
        let cleared =
            self.connection.execute_batch(&format!("DROP TABLE IF EXISTS temp.{}", identifier(PICKED)));
        cleared.map_err(|error| QueryError::Execute(duckdb_message(error)))?;
        named
    }

    fn names_of_picked(
        &self,
        count: usize,
        cancel: &Cancel,
    ) -> Result<Vec<(String, Option<i64>)>, QueryError> {
        let (picked, place, [file, row]) = (identifier(PICKED), identifier(PLACE), self.row_columns());
        let sql = format!(
            "SELECT picked.{place}, \"metadata.event_id\", \"time\" \
             FROM {VIEW} AS event JOIN temp.{picked} AS picked \
             ON event.{file} = picked.{file} AND event.{row} = picked.{row}"
        );
        let found: Vec<(usize, String, Option<i64>)> =
            self.select(&sql, cancel, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        if found.len() != count {
            return Err(QueryError::Execute("the events have changed while they were read".to_owned()));
        }
        let mut named = vec![(String::new(), None); count];
        for (place, id, time) in found {
            named.get_mut(place).into_iter().for_each(|slot| *slot = (id.clone(), time));
        }
        Ok(named)
    }

    /// Reads these expressions of each event, in the order given. Within [`Store::narrowed`]. Nothing is unpacked but what
    /// lies with them, so that few events are read in a fraction of what a scan takes.
    ///
    /// # Errors
    /// As for [`Self::named`].
    pub(crate) fn at<T>(
        &self,
        rows: &[RowId],
        expressions: &[String],
        cancel: &Cancel,
        mut read: impl FnMut(&Row<'_>) -> duckdb::Result<T>,
    ) -> Result<Vec<T>, QueryError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let places: BTreeMap<RowId, usize> = rows.iter().copied().zip(0..).collect();
        let numbers = |of: &dyn Fn(&RowId) -> String| {
            let numbers: BTreeSet<String> = rows.iter().map(of).collect();
            numbers.into_iter().collect::<Vec<_>>().join(", ")
        };
        // A test of each column by itself is one that DuckDB's reader does before it reads the others. What else it lets
        // through is left out here.
        let [file, row] = self.row_columns();
        let sql = format!(
            "SELECT {}, {file}, {row} FROM {VIEW} WHERE {file} IN ({}) AND {row} IN ({})",
            expressions.join(", "),
            numbers(&|id| id.file.to_string()),
            numbers(&|id| id.row.to_string())
        );
        let mut found: Vec<Option<T>> = rows.iter().map(|_| None).collect();
        let end = expressions.len();
        self.select(&sql, cancel, |row| {
            let place = places.get(&RowId { file: row.get(end)?, row: row.get(end + 1)? });
            if let Some(slot) = place.and_then(|place| found.get_mut(*place)) {
                *slot = Some(read(row)?);
            }
            Ok(())
        })?;
        let found: Option<Vec<T>> = found.into_iter().collect();
        found.ok_or_else(|| QueryError::Execute("the events have changed while they were read".to_owned()))
    }

    /// Tells DuckDB which events are meant.
    fn pick(&self, rows: &[RowId]) -> duckdb::Result<()> {
        let [file, row] = self.row_columns();
        let (picked, place) = (identifier(PICKED), identifier(PLACE));
        self.connection.execute_batch(&format!(
            "CREATE TEMP TABLE {picked} ({file} UBIGINT, {row} BIGINT, {place} UBIGINT)"
        ))?;
        let mut appender = self.connection.appender(PICKED)?;
        for (place, RowId { file, row }) in (0_u64..).zip(rows) {
            appender.append_row(duckdb::params![file, row, place])?;
        }
        appender.flush()
    }
}
