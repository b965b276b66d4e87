//! The DuckDB session: in memory, over the dataset's files and nothing else.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use duckdb::{Config, Connection, Row, Statement};

use super::cancel::Running;
use super::drift::{self, Drift};
use super::duck_type::DuckType;
use super::error::duckdb_message;
use super::identity::{Identified, Reading};
use super::kept::Kept;
use super::schema::{self, Leaf};
use super::sql_text::{identifier, string};
use super::view::{
    FILE_COLUMN, Files, JSON_TABLE, ROW_COLUMN, VIEW, View, absolute, is_reader_column, read_parquet,
    string_list,
};
use super::{
    Cancel, DUCKDB_VERSION, Dataset, DatasetColumn, Format, Interrupter, Later, Schema, SessionSettings,
    StoreError, TimeRange, Unfinished,
};
use crate::bridge::ColumnType;
use crate::ocsf::{FieldType, OcsfPath};

/// An open dataset. One thread owns it.
pub struct Store {
    pub(super) connection: Connection,
    pub(super) running: Running,
    dataset: Dataset,
    pub(super) left_out: Vec<Unfinished>,
    schema: Schema,
    pub(super) view: View,
    /// Columns of NULL, by path in lower case: to DuckDB, names that differ in case only are one.
    absent: BTreeMap<String, (String, ColumnType)>,
    pub(super) kept: Kept,
    /// The condition on the files' names that narrow views are made with, where they are of some files alone.
    pub(super) only: Option<String>,
    /// The files as they were before any of them was read.
    pub(super) identified: Option<Vec<Identified>>,
    /// How they are read, once somebody has asked.
    pub(super) reading: OnceCell<Option<Arc<Reading>>>,
}

/// Why a statement yielded nothing.
#[derive(Debug)]
pub(crate) enum QueryError {
    /// Nobody waits for it.
    Cancelled,
    /// DuckDB refused it before it ran.
    Prepare(String),
    /// It failed while it ran.
    Execute(String),
}

impl Store {
    /// Opens a dataset: checks DuckDB's version, shuts the session off from everything but the dataset's
    /// files, and makes the view.
    ///
    /// # Errors
    /// Another DuckDB is loaded; a file cannot be read; the events have no usable `class_uid` or `time`.
    pub fn open(dataset: Dataset, settings: SessionSettings) -> Result<Self, StoreError> {
        let identified = Identified::all(&dataset);
        let files = Files::new(&dataset)?;
        let connection = locked_connection(&files, settings)?;
        let (view, drift) = match dataset.format {
            Format::Parquet => parquet_view(&connection, &files)?,
            Format::JsonLines => (json_lines_view(&connection, &files)?, Vec::new()),
        };
        require_columns(&dataset, &view.leaves)?;
        let view = view.within(&dataset.range);
        connection.execute_batch(&view.create(&BTreeMap::new()))?;
        let events = count(&connection, &view.count(&files, dataset.format))?;
        let schema = describe(&connection, &view, drift, events)?;
        let (running, left_out, absent) = (Running::default(), Vec::new(), BTreeMap::new());
        let (kept, only) = (Kept::default(), None);
        let reading = OnceCell::new();
        Ok(Self {
            connection,
            running,
            dataset,
            left_out,
            schema,
            view,
            absent,
            kept,
            only,
            identified,
            reading,
        })
    }

    /// Whether DuckDB finds columns in a file.
    ///
    /// # Errors
    /// It does not.
    pub(super) fn check_readable(file: &Path, format: Format) -> Result<(), StoreError> {
        let (files, range) = (vec![file.to_path_buf()], TimeRange::default());
        let dataset = Dataset { root: file.to_path_buf(), files, format, range };
        let files = Files::new(&dataset)?;
        let connection = locked_connection(&files, SessionSettings::default())?;
        let source = match format {
            Format::Parquet => files.parquet(true, None),
            Format::JsonLines => files.json_lines(None),
        };
        stored_columns(&connection, &source).map(drop)
    }

    /// What the dataset holds.
    #[must_use]
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// The files under it.
    #[must_use]
    pub fn dataset(&self) -> &Dataset {
        &self.dataset
    }

    /// The files that are not read, as they cannot be.
    #[must_use]
    pub fn left_out(&self) -> &[Unfinished] {
        &self.left_out
    }

    /// DuckDB's version, as it names itself.
    #[must_use]
    pub fn duckdb_version(&self) -> &'static str {
        DUCKDB_VERSION
    }

    /// A handle for stopping this session's statement from another thread.
    #[must_use]
    pub fn interrupter(&self) -> Interrupter {
        Interrupter::new(self.running.clone(), self.connection.interrupt_handle())
    }

    /// Gives the view a column of NULL, typed, for each path that the dataset lacks. Where an earlier call
    /// gave it another type, the later one holds. Costs nothing where nothing is new.
    ///
    /// # Errors
    /// DuckDB refuses the view.
    pub fn ensure_columns(&mut self, columns: &BTreeMap<OcsfPath, ColumnType>) -> Result<(), StoreError> {
        let mut changed = false;
        for (path, column_type) in columns {
            if self.is_filled(path) {
                continue;
            }
            let wanted = (path.0.clone(), *column_type);
            let previous = self.absent.insert(path.0.to_ascii_lowercase(), wanted);
            changed |= previous.is_none_or(|(_, earlier)| earlier != *column_type);
        }
        if changed {
            self.connection.execute_batch(&self.view.create(&self.absent))?;
        }
        Ok(())
    }

    /// Does `work` with a view of `columns` alone, and the columns that every event is named by. Statements over a
    /// view of a few columns are planned many times faster than over all that the dataset has.
    ///
    /// # Errors
    /// DuckDB refuses the view, or `work` fails.
    pub(crate) fn narrowed<T, E: From<StoreError>>(
        &mut self,
        columns: &BTreeMap<OcsfPath, ColumnType>,
        work: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.behind(&self.view.create_narrow(columns, self.only.as_deref()), work)
    }

    /// Does `work`, whose narrow views have the events of these files alone, which are Parquet and the dataset's.
    ///
    /// # Errors
    /// A name is no text that SQL can hold.
    pub(crate) fn only<T>(
        &mut self,
        files: &[&Path],
        work: impl FnOnce(&mut Self) -> T,
    ) -> Result<T, StoreError> {
        let these: BTreeSet<&Path> = files.iter().copied().collect();
        let all = self.dataset.files.iter().map(PathBuf::as_path);
        let others: Vec<&Path> = all.filter(|path| !these.contains(path)).collect();
        self.only = match others.len() {
            0 => None,
            few if few < files.len() => Some(format!("{} NOT {}", identifier(FILE_COLUMN), among(&others)?)),
            _ => Some(format!("{} {}", identifier(FILE_COLUMN), among(files)?)),
        };
        let outcome = work(self);
        self.only = None;
        Ok(outcome)
    }

    /// As [`Self::narrowed`], with the events alone that came later.
    ///
    /// # Errors
    /// As for [`Self::narrowed`]; a name is no text that SQL can hold.
    pub(crate) fn narrowed_to<T, E: From<StoreError>>(
        &mut self,
        later: &Later,
        columns: &BTreeMap<OcsfPath, ColumnType>,
        work: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let within = match (later, self.dataset.format) {
            (Later::Files(files), Format::Parquet) if !files.is_empty() => {
                let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
                format!("{} {}", identifier(FILE_COLUMN), among(&files)?)
            }
            (Later::Row(row), Format::JsonLines) if self.has_rows() => format!("rowid >= {row}"),
            _ => "false".to_owned(),
        };
        self.behind(&self.view.create_narrow(columns, Some(&within)), work)
    }

    /// How many rows a dataset of JSON Lines has, those out of its range of time among them; none of another.
    pub(crate) fn lines(&self) -> Result<u64, StoreError> {
        match self.dataset.format {
            Format::JsonLines => count(&self.connection, &format!("SELECT count(*) FROM {JSON_TABLE}")),
            Format::Parquet => Ok(0),
        }
    }

    /// Does `work` while a view hides the one of all columns.
    pub(super) fn behind<T, E: From<StoreError>>(
        &self,
        view: &str,
        work: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.connection.execute_batch(view).map_err(StoreError::from)?;
        let outcome = work(self);
        self.connection.execute_batch(&format!("DROP VIEW temp.{VIEW}")).map_err(StoreError::from)?;
        outcome
    }

    /// Whether a narrow view says where its events lie.
    pub(crate) fn has_rows(&self) -> bool {
        self.view.has_rows()
    }

    /// Whether the view has the path without help: the dataset does, or it is the event id.
    pub(super) fn is_filled(&self, path: &OcsfPath) -> bool {
        path.0.eq_ignore_ascii_case(super::view::EVENT_ID) || self.schema.column(path).is_some()
    }

    /// Runs one SELECT and reads its rows.
    ///
    /// Whatever `sql` says, nothing but a single SELECT runs: DuckDB's `query` takes no other, and a COPY
    /// could overwrite the files that the session may read.
    pub(crate) fn select<T>(
        &self,
        sql: &str,
        cancel: &Cancel,
        mut read: impl FnMut(&Row<'_>) -> duckdb::Result<T>,
    ) -> Result<Vec<T>, QueryError> {
        self.guarded(sql, cancel, |statement| {
            let mut rows = statement.query([])?;
            let mut read_rows = Vec::new();
            while let Some(row) = rows.next()? {
                read_rows.push(read(row)?);
            }
            Ok(read_rows)
        })
    }

    /// Prepares one SELECT, and does not run it.
    pub(crate) fn bind(&self, sql: &str, cancel: &Cancel) -> Result<(), QueryError> {
        self.guarded(sql, cancel, |_| Ok(()))
    }

    /// Prepares one SELECT and lets `run` have what it yields, under the eyes of those who may stop it.
    pub(super) fn guarded<T>(
        &self,
        sql: &str,
        cancel: &Cancel,
        run: impl FnOnce(&mut Statement<'_>) -> duckdb::Result<T>,
    ) -> Result<T, QueryError> {
        let running = self.running.begin(cancel);
        let guarded = format!("SELECT * FROM query({})", string(sql));
        let prepared = self.connection.prepare(&guarded);
        // Between preparing and executing, as DuckDB forgets an interrupt when execution starts.
        if cancel.is_cancelled() {
            return Err(QueryError::Cancelled);
        }
        let mut statement = prepared.map_err(|error| QueryError::Prepare(duckdb_message(error)))?;
        let outcome = run(&mut statement);
        drop(running);
        match outcome {
            _ if cancel.is_cancelled() => Err(QueryError::Cancelled),
            Ok(outcome) => Ok(outcome),
            Err(error) => Err(QueryError::Execute(duckdb_message(error))),
        }
    }
}

/// The end of a condition: that a name is one of these files'.
fn among(files: &[&Path]) -> Result<String, StoreError> {
    let names =
        files.iter().map(|file| Ok(string(&absolute(file)?))).collect::<Result<Vec<_>, StoreError>>()?;
    Ok(format!("IN ({})", names.join(", ")))
}

fn locked_connection(files: &Files, settings: SessionSettings) -> Result<Connection, StoreError> {
    let config = Config::default()
        .enable_autoload_extension(false)?
        .with("autoinstall_known_extensions", "false")?
        .threads(i64::from(settings.threads.max(1)))?;
    let connection = Connection::open_in_memory_with_flags(config)?;
    check_version(&connection)?;
    // Without ICU there is no such setting, and no zone but UTC.
    if count(&connection, "SELECT count(*) FROM duckdb_settings() WHERE lower(name) = 'timezone'")? > 0 {
        connection.execute_batch("SET TimeZone = 'UTC'")?;
    }
    // Many statements read the same footers, which DuckDB reads anew only where a file has changed.
    // Without a folder for temporary files nothing is written anywhere; a sort beyond memory fails instead.
    connection.execute_batch(&format!(
        "SET parquet_metadata_cache = true;
         SET temp_directory = '';
         SET allowed_paths = {};
         SET enable_external_access = false;
         SET lock_configuration = true",
        string_list(&files.allowed)
    ))?;
    Ok(connection)
}

/// Compares the DuckDB library that is loaded with the one that the plans are made for.
///
/// # Errors
/// They differ; the error names both.
pub fn verify_duckdb_version() -> Result<(), StoreError> {
    check_version(&Connection::open_in_memory()?)
}

fn check_version(connection: &Connection) -> Result<(), StoreError> {
    let running = connection.version()?;
    match running == DUCKDB_VERSION {
        true => Ok(()),
        false => Err(StoreError::Version { running, supported: DUCKDB_VERSION }),
    }
}

fn count(connection: &Connection, sql: &str) -> Result<u64, StoreError> {
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

fn stored_columns(connection: &Connection, source: &str) -> Result<Vec<(String, DuckType)>, StoreError> {
    let mut statement = connection.prepare(&format!("DESCRIBE SELECT * FROM {source}"))?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let mut columns = Vec::new();
    for row in rows {
        let (name, type_text) = row?;
        if !is_reader_column(&name) {
            columns.push((name, DuckType::parse(&type_text)));
        }
    }
    Ok(columns)
}

fn parquet_view(connection: &Connection, files: &Files) -> Result<(View, Vec<Drift>), StoreError> {
    let kinds = drift::kinds(connection, &files.patterns, &files.paths)?;
    let alike = kinds.len() == 1;
    let mut source = files.parquet(alike, None);
    let mut stored = stored_columns(connection, &source)?;
    let mut leaves = schema::leaves(&stored);
    let drifts =
        if alike { Vec::new() } else { drift::reconcile(&of_kinds(connection, files, &kinds)?, &mut leaves) };
    match files.partitions.types(connection, &files.patterns, &files.paths, &stored)? {
        Some(types) => {
            source = files.parquet(alike, Some(&types));
            let all = stored_columns(connection, &source)?;
            let is_new =
                |(name, _): &&(String, DuckType)| !stored.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
            let new: Vec<_> = all.iter().filter(is_new).cloned().collect();
            leaves.extend(schema::leaves(&new));
            stored = all;
        }
        None => leaves.extend(files.partitions.leaves(&stored)),
    }
    leaves.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((View::new(source, &stored, leaves, files, Format::Parquet), drifts))
}

/// The columns of one file of each kind.
fn of_kinds(
    connection: &Connection,
    files: &Files,
    kinds: &[usize],
) -> Result<Vec<(PathBuf, Vec<Leaf>)>, StoreError> {
    let mut found = Vec::new();
    for place in kinds {
        let (Some(pattern), Some(path)) = (files.patterns.get(*place), files.paths.get(*place)) else {
            continue;
        };
        let source = read_parquet(std::slice::from_ref(pattern), true, None);
        found.push((PathBuf::from(path), schema::leaves(&stored_columns(connection, &source)?)));
    }
    Ok(found)
}

fn json_lines_view(connection: &Connection, files: &Files) -> Result<View, StoreError> {
    let guessed = stored_columns(connection, &files.json_lines(None))?;
    // Text that looks like a date or a UUID is text: a guess would rewrite it.
    let as_written = |name: &str| match name {
        "UUID" | "DATE" | "TIME" | "TIMESTAMP" | "TIMESTAMP WITH TIME ZONE" => "VARCHAR".to_owned(),
        other => other.to_owned(),
    };
    let column =
        |(name, t): &(String, DuckType)| format!("{}: {}", string(name), string(&t.render(&as_written)));
    let columns: Vec<_> = guessed.iter().map(column).collect();
    let reader = files.json_lines(Some(&format!("{{{}}}", columns.join(", "))));
    // Rows come file by file, in their order. An attribute may hide the table's own count of them.
    let (file, row) = (identifier(FILE_COLUMN), identifier(ROW_COLUMN));
    let hidden = guessed.iter().any(|(name, _)| name.eq_ignore_ascii_case("rowid"));
    let (numbered, number) =
        if hidden { ("row_number() OVER () - 1", row.as_str()) } else { ("0::BIGINT", "rowid") };
    connection.execute_batch(&format!(
        "CREATE TABLE {JSON_TABLE} AS SELECT *, {numbered} AS {row} FROM {reader};
         UPDATE {JSON_TABLE} SET {row} = {JSON_TABLE}.{number} - first.row
         FROM (SELECT {file} AS file, min({number}) AS row FROM {JSON_TABLE} GROUP BY ALL) AS first
         WHERE {JSON_TABLE}.{file} = first.file"
    ))?;
    let stored = stored_columns(connection, JSON_TABLE)?;
    let leaves = schema::leaves(&stored);
    Ok(View::new(JSON_TABLE.to_owned(), &stored, leaves, files, Format::JsonLines))
}

fn describe(
    connection: &Connection,
    view: &View,
    drift: Vec<Drift>,
    events: u64,
) -> Result<Schema, StoreError> {
    let columns: BTreeMap<OcsfPath, DatasetColumn> =
        view.leaves.iter().map(|leaf| (OcsfPath(leaf.path.clone()), leaf.column.clone())).collect();
    // Binding the view shows here, not in the first rule, whatever DuckDB dislikes about it.
    connection.prepare(&format!("SELECT {} FROM {VIEW}", identifier("class_uid")))?;
    Ok(Schema { columns, event_id: view.event_id_source(), drift, events })
}

fn require_columns(dataset: &Dataset, leaves: &[Leaf]) -> Result<(), StoreError> {
    for (column, allowed) in
        [("class_uid", &[FieldType::Integer][..]), ("time", &[FieldType::Integer, FieldType::Timestamp])]
    {
        let leaf = leaves.iter().find(|leaf| leaf.path.eq_ignore_ascii_case(column));
        let usable = leaf.is_some_and(|leaf| {
            !leaf.column.list && leaf.column.field_type.is_some_and(|t| allowed.contains(&t))
        });
        if !usable {
            let found = found_instead(leaf, leaves);
            return Err(StoreError::RequiredColumn { path: dataset.root.clone(), column, found });
        }
    }
    Ok(())
}

fn found_instead(leaf: Option<&Leaf>, leaves: &[Leaf]) -> String {
    if let Some(leaf) = leaf {
        return format!("it is {}, not an integer", leaf.column.stored_as);
    }
    let names: Vec<_> = leaves.iter().take(5).map(|l| format!("'{}'", l.path.escape_debug())).collect();
    let more = if leaves.len() > names.len() { " …" } else { "" };
    format!("{} columns, {}{more}", leaves.len(), names.join(", "))
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
