//! Events by row: read as they come, a chunk at a time, and a few of them copied to memory.

use std::ops::ControlFlow;

use duckdb::arrow::array::StructArray;

use super::error::duckdb_message;
use super::sql_text::identifier;
use super::view::{FILE_INDEX, ROW_NUMBER, VIEW};
use super::{Cancel, QueryError, Store, StoreError};

/// Where an event lies in the dataset's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowId {
    pub(crate) file: u64,
    pub(crate) row: i64,
}

/// The column of copied events that numbers them, in the order in which they were asked for.
pub(crate) const PLACE: &str = "sigma_ocsf_tui.place";

/// The events that are to be copied.
const PICKED: &str = "sigma_ocsf_tui.picked";

/// The copies. Named so that no relation of a statement is in their way.
const COPIES: &str = "sigma_ocsf_tui.copies";

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

    /// Does `work` with a view of nothing but these events of a scope, copied to memory; besides its columns, the view
    /// has [`PLACE`] and the columns `marks`, filled with what stands beside each event. Within
    /// [`Store::narrowed`], whose columns they are.
    ///
    /// # Errors
    /// DuckDB refuses; the events are no longer where they were; nobody waits any more.
    pub(crate) fn copied<T, E: From<StoreError> + From<QueryError>>(
        &self,
        scope: &str,
        events: &[(RowId, Vec<u64>)],
        marks: &[String],
        cancel: &Cancel,
        work: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let outcome = self.copy(scope, events, marks, cancel).map_err(E::from).and_then(|()| work(self));
        let cleared = format!(
            "DROP TABLE IF EXISTS temp.{}; DROP TABLE IF EXISTS temp.{}",
            identifier(PICKED),
            identifier(COPIES)
        );
        self.connection.execute_batch(&cleared).map_err(StoreError::from)?;
        outcome
    }

    fn copy(
        &self,
        scope: &str,
        events: &[(RowId, Vec<u64>)],
        marks: &[String],
        cancel: &Cancel,
    ) -> Result<(), QueryError> {
        let failed = |error| QueryError::Execute(duckdb_message(error));
        self.pick(events, marks).map_err(failed)?;
        let (picked, copies, place) = (identifier(PICKED), identifier(COPIES), identifier(PLACE));
        let [file, row] = self.row_columns();
        let of_picked: String = marks.iter().map(|mark| format!(", picked.{}", identifier(mark))).collect();
        let running = self.running.begin(cancel);
        let copied = self.connection.execute_batch(&format!(
            "CREATE TEMP TABLE {copies} AS SELECT event.*, picked.{place}{of_picked} \
             FROM {VIEW} AS event JOIN temp.{picked} AS picked \
             ON event.{file} = picked.{file} AND event.{row} = picked.{row} WHERE {scope};
             CREATE OR REPLACE TEMP VIEW {VIEW} AS SELECT * FROM temp.{copies}"
        ));
        drop(running);
        if cancel.is_cancelled() {
            return Err(QueryError::Cancelled);
        }
        copied.map_err(failed)?;
        let found =
            self.select(&format!("SELECT count(*) FROM {VIEW}"), cancel, |row| row.get::<_, usize>(0))?;
        match found.first() == Some(&events.len()) {
            true => Ok(()),
            false => Err(QueryError::Execute("the events have changed while they were read".to_owned())),
        }
    }

    /// Tells DuckDB which events are meant.
    fn pick(&self, events: &[(RowId, Vec<u64>)], marks: &[String]) -> duckdb::Result<()> {
        let [file, row] = self.row_columns();
        let marks: String = marks.iter().map(|mark| format!(", {} UBIGINT", identifier(mark))).collect();
        let (picked, place) = (identifier(PICKED), identifier(PLACE));
        self.connection.execute_batch(&format!(
            "CREATE TEMP TABLE {picked} ({file} UBIGINT, {row} BIGINT, {place} UBIGINT{marks})"
        ))?;
        let mut appender = self.connection.appender(PICKED)?;
        for (place, (RowId { file, row }, marks)) in (0_u64..).zip(events) {
            let mut values: Vec<&dyn duckdb::ToSql> = vec![file, row, &place];
            values.extend(marks.iter().map(|mark| mark as &dyn duckdb::ToSql));
            appender.append_row(values.as_slice())?;
        }
        appender.flush()
    }
}
