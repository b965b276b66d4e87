//! The matches of one rule as a file: CSV of the columns that the rule shows, JSON Lines or Parquet of whole events; of a
//! correlation, its windows in any of them.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use tempfile::NamedTempFile;

use super::error::check_columns;
use super::event_tree::{Columns, nested};
use super::matches::{as_text, host, order_by};
use super::{Cancel, EvalError, Order, Runnable, Slice, windows, windows_file};
use crate::backend::Sql;
use crate::bridge::{CorrelationPlan, Plan};
use crate::ocsf::{FieldType, OcsfPath};
use crate::store::{Store, StoreError, parquet_of_json_lines};

/// How matches are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// Event id, time (RFC 3339, UTC), host and the columns that the rule shows; a heading first. Of a window what it is
    /// grouped by, the times of its first and last event, how many there are, and their ids. A text that a spreadsheet
    /// would take for a formula begins with `'`.
    Csv,
    /// Whole events, nested by dotted path, one a line; windows with the same as in [`Self::Csv`].
    JsonLines,
    /// Whole events, a column for each dotted path; windows likewise.
    Parquet,
}

impl ExportFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Csv, Self::JsonLines, Self::Parquet];

    /// The ending of its files.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
            Self::Parquet => "parquet",
        }
    }

    /// The format of files that end like `path`.
    #[must_use]
    pub fn of_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Self::ALL.into_iter().find(|format| format.extension() == extension)
    }
}

/// Why matches were not written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// They could not be found.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// The file is there already.
    #[error("'{}' exists; choose another name", .0.display())]
    Exists(PathBuf),
    /// It could not be written.
    #[error("'{}' was not written: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The stream could not be written.
    #[error("the matches were not written: {0}")]
    Stream(#[from] io::Error),
    /// DuckDB could not write the Parquet file.
    #[error("the Parquet file was not written: {0}")]
    Parquet(StoreError),
}

/// What of a rule's matches is written, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Export {
    /// The format.
    pub format: ExportFormat,
    /// What they are sorted by.
    pub order: Order,
    /// The most that are written; `None` for all.
    pub limit: Option<usize>,
}

impl Export {
    /// Writes a file, whole or not at all, and gives how many matches it holds. A file that is there stays as it is,
    /// unless it is to be replaced.
    ///
    /// # Errors
    /// The plan does not run, the file is there, or it cannot be written.
    pub fn to_file(
        self,
        store: &mut Store,
        rule: Runnable<'_>,
        path: &Path,
        replace: bool,
        cancel: &Cancel,
    ) -> Result<u64, ExportError> {
        if !replace && path.symlink_metadata().is_ok() {
            return Err(ExportError::Exists(path.to_path_buf()));
        }
        let failed = |error| ExportError::Write { path: path.to_path_buf(), error };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = readable_temporary(folder).map_err(failed)?;
        let written = match self.format {
            ExportFormat::Parquet => self.parquet(store, rule, folder, file.path(), cancel)?,
            ExportFormat::Csv | ExportFormat::JsonLines => {
                let mut out = BufWriter::new(file.as_file_mut());
                let written = self.to_stream(store, rule, &mut out, cancel)?;
                out.flush().map_err(failed)?;
                written
            }
        };
        let kept = if replace { file.persist(path) } else { file.persist_noclobber(path) };
        match kept {
            Ok(_) => Ok(written),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                Err(ExportError::Exists(path.to_path_buf()))
            }
            Err(error) => Err(failed(error.error)),
        }
    }

    /// Writes CSV or JSON Lines, and gives how many matches there were. Parquet needs a file.
    ///
    /// # Errors
    /// The plan does not run, or the stream cannot be written.
    pub fn to_stream(
        self,
        store: &mut Store,
        rule: Runnable<'_>,
        out: &mut dyn Write,
        cancel: &Cancel,
    ) -> Result<u64, ExportError> {
        match (self.format, rule) {
            (ExportFormat::Csv, Runnable::Event(plan, sql)) => self.csv(store, (plan, sql), out, cancel),
            (ExportFormat::Csv, Runnable::Correlation(plan, sql)) => {
                self.csv_of_windows(store, (plan, sql), out, cancel)
            }
            (ExportFormat::JsonLines, rule) => self.json_lines(store, rule, out, nested, cancel),
            (ExportFormat::Parquet, _) => Err(io::Error::from(io::ErrorKind::Unsupported).into()),
        }
    }

    fn csv(
        self,
        store: &mut Store,
        (plan, sql): (&Plan, &Sql),
        out: &mut dyn Write,
        cancel: &Cancel,
    ) -> Result<u64, ExportError> {
        prepare(store, plan)?;
        let mut selected = vec!["\"metadata.event_id\"".to_owned(), "\"time\"".to_owned(), host(store)];
        selected.extend(plan.shown.iter().map(|path| as_text(store, plan, path)));
        let statement = self.statement(store, (plan, sql), &selected.join(", "));
        let is_text: Vec<bool> = plan.shown.iter().map(|path| is_text(store, path)).collect();
        let mut csv = csv::Writer::from_writer(out);
        let named = plan.shown.iter().map(|path| path.as_str());
        csv.write_record(["metadata.event_id", "time", "host"].into_iter().chain(named)).map_err(io_error)?;
        let mut rows = Rows::default();
        let found = store.select(&statement, cancel, |row| {
            let mut record = vec![inert(row.get(0)?), time(row.get(1)?)];
            record.push(row.get::<_, Option<String>>(2)?.map(inert).unwrap_or_default());
            for (at, is_text) in is_text.iter().enumerate() {
                let value = row.get::<_, Option<String>>(3 + at)?.unwrap_or_default();
                record.push(if *is_text { inert(value) } else { value });
            }
            rows.took(csv.write_record(&record).map_err(io_error))
        });
        rows.ended(found.map_err(EvalError::from))?;
        csv.flush()?;
        Ok(rows.written)
    }

    fn csv_of_windows(
        self,
        store: &mut Store,
        (plan, sql): (&CorrelationPlan, &Sql),
        out: &mut dyn Write,
        cancel: &Cancel,
    ) -> Result<u64, ExportError> {
        let found = windows(store, plan, sql, cancel)?;
        let mut csv = csv::Writer::from_writer(out);
        let columns = windows_file::columns(plan).into_iter().map(|(name, _)| name);
        csv.write_record(columns).map_err(io_error)?;
        let mut written = 0;
        for window in windows_file::written(&found, self.order, self.limit) {
            csv.write_record(windows_file::texts(window, time, inert)).map_err(io_error)?;
            written += 1;
        }
        csv.flush()?;
        Ok(written)
    }

    fn json_lines(
        self,
        store: &mut Store,
        rule: Runnable<'_>,
        out: &mut dyn Write,
        shape: impl Fn(Vec<(String, Value)>) -> Value,
        cancel: &Cancel,
    ) -> Result<u64, ExportError> {
        match rule {
            Runnable::Event(plan, sql) => self.lines_of_events(store, (plan, sql), out, shape, cancel),
            Runnable::Correlation(plan, sql) => self.lines_of_windows(store, (plan, sql), out, shape, cancel),
        }
    }

    fn lines_of_windows(
        self,
        store: &mut Store,
        (plan, sql): (&CorrelationPlan, &Sql),
        out: &mut dyn Write,
        shape: impl Fn(Vec<(String, Value)>) -> Value,
        cancel: &Cancel,
    ) -> Result<u64, ExportError> {
        let found = windows(store, plan, sql, cancel)?;
        let names: Vec<String> = windows_file::columns(plan).into_iter().map(|(name, _)| name).collect();
        let mut written = 0;
        for window in windows_file::written(&found, self.order, self.limit) {
            let fields = names.iter().cloned().zip(windows_file::values(window));
            writeln!(out, "{}", shape(fields.collect()))?;
            written += 1;
        }
        Ok(written)
    }

    fn lines_of_events(
        self,
        store: &mut Store,
        (plan, sql): (&Plan, &Sql),
        out: &mut dyn Write,
        shape: impl Fn(Vec<(String, Value)>) -> Value,
        cancel: &Cancel,
    ) -> Result<u64, ExportError> {
        prepare(store, plan)?;
        let columns = Columns::of(store);
        let statement = self.statement(store, (plan, sql), &columns.selected());
        let mut rows = Rows::default();
        let found = store.select(&statement, cancel, |row| {
            let event = shape(columns.read(row)?);
            rows.took(writeln!(out, "{event}"))
        });
        rows.ended(found.map_err(EvalError::from))?;
        Ok(rows.written)
    }

    /// Through a file of rows beside it: only a session that knows no dataset may write.
    fn parquet(
        self,
        store: &mut Store,
        rule: Runnable<'_>,
        folder: &Path,
        target: &Path,
        cancel: &Cancel,
    ) -> Result<u64, ExportError> {
        let mut rows = NamedTempFile::new_in(folder)?;
        let flat = |fields: Vec<(String, Value)>| Value::Object(Map::from_iter(fields));
        let mut out = BufWriter::new(rows.as_file_mut());
        let written = self.json_lines(store, rule, &mut out, flat, cancel)?;
        out.flush()?;
        drop(out);
        let columns = match rule {
            Runnable::Event(..) => {
                let paths = Columns::of(store).paths.into_iter();
                paths.map(|path| (path.clone(), stored_type(store, path))).collect()
            }
            Runnable::Correlation(plan, _) => windows_file::columns(plan),
        };
        parquet_of_json_lines(rows.path(), target, &columns).map_err(ExportError::Parquet)?;
        Ok(written)
    }

    fn statement(self, store: &Store, (plan, sql): (&Plan, &Sql), selected: &str) -> String {
        let order = order_by(store, plan, Slice { order: self.order, ..Slice::default() });
        let limit = self.limit.map(|limit| format!("\nLIMIT {limit}")).unwrap_or_default();
        format!("SELECT {selected}\nFROM ocsf_events\nWHERE {}\nORDER BY {order}{limit}", sql.predicate)
    }
}

/// Rows on their way out. An error of the stream ends the statement, and is what is told in the end.
#[derive(Default)]
struct Rows {
    written: u64,
    failed: Option<io::Error>,
}

impl Rows {
    fn took(&mut self, written: io::Result<()>) -> duckdb::Result<()> {
        match written {
            Ok(()) => {
                self.written += 1;
                Ok(())
            }
            Err(error) => {
                self.failed = Some(error);
                Err(duckdb::Error::InvalidQuery)
            }
        }
    }

    fn ended(&mut self, found: Result<Vec<()>, EvalError>) -> Result<(), ExportError> {
        match self.failed.take() {
            Some(error) => Err(error.into()),
            None => Ok(found.map(drop)?),
        }
    }
}

/// A temporary file that, once in its place, is as readable as any other that the user makes.
fn readable_temporary(folder: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(".matches-").make_in(folder, |path| File::create_new(path)).map(|file| {
        let (file, path) = file.into_parts();
        NamedTempFile::from_parts(file, path)
    })
}

fn io_error(error: csv::Error) -> io::Error {
    error.into()
}

fn time(milliseconds: Option<i64>) -> String {
    let Some(milliseconds) = milliseconds else { return String::new() };
    jiff::Timestamp::from_millisecond(milliseconds)
        .map_or_else(|_| milliseconds.to_string(), |time| format!("{time:.3}"))
}

/// Events come from those who attack: no value of theirs becomes a formula where the file is opened.
fn inert(text: String) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text,
    }
}

fn is_text(store: &Store, path: &OcsfPath) -> bool {
    let number = [FieldType::Integer, FieldType::Float, FieldType::Timestamp];
    store.schema().column(path).and_then(|c| c.field_type).is_none_or(|kind| !number.contains(&kind))
}

/// DuckDB's type of a column as [`Columns`] reads it.
fn stored_type(store: &Store, path: String) -> String {
    let Some(column) = store.schema().column(&OcsfPath(path)) else { return "VARCHAR".to_owned() };
    let list = if column.list { "[]" } else { "" };
    match column.field_type {
        Some(FieldType::Integer) => column.stored_as.clone(),
        Some(FieldType::Timestamp) => format!("BIGINT{list}"),
        Some(FieldType::Float) => format!("DOUBLE{list}"),
        Some(FieldType::Boolean) => format!("BOOLEAN{list}"),
        Some(FieldType::String) => format!("VARCHAR{list}"),
        None => "VARCHAR".to_owned(),
    }
}

/// Whole events are wanted: the view of all columns, with those that the plan reads besides.
fn prepare(store: &mut Store, plan: &Plan) -> Result<(), EvalError> {
    check_columns(store, plan)?;
    Ok(store.ensure_columns(&plan.columns)?)
}

#[cfg(test)]
#[path = "export_tests.rs"]
mod tests;
