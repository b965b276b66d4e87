//! The SQL of the dotted view, and of the files under it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::duck_type::DuckType;
use super::partition::Partitions;
use super::schema::Leaf;
use super::sql_text::{identifier, string};
use super::{Dataset, EventIdSource, Format, StoreError, TimeRange};
use crate::bridge::ColumnType;
use crate::ocsf::{FieldType, OcsfPath};

/// The relation that plans read.
pub(super) const VIEW: &str = "ocsf_events";

/// Where JSON Lines are kept in memory: read once, as each query would parse them anew.
pub(super) const JSON_TABLE: &str = "json_lines";

/// A row's number where an attribute hides the reader's. Of all rows, so that those passed over count.
const WINDOW: &str = "row_number() OVER ()";

/// Columns of every narrow view, where the dataset has them.
const ALWAYS: [&str; 4] = ["class_uid", "time", "device.hostname", "device.name"];

/// The file that a row was read from. Named so that no event's own attribute is in its way.
pub(super) const FILE_COLUMN: &str = "sigma_ocsf_tui.file";

/// Of JSON Lines, the row within its file, from 0.
pub(super) const ROW_COLUMN: &str = "sigma_ocsf_tui.line";

/// Columns of a narrow view that say where an event lies: the place of its file among the dataset's, and its row there.
pub(super) const FILE_INDEX: &str = "sigma_ocsf_tui.file_index";
pub(super) const ROW_NUMBER: &str = "sigma_ocsf_tui.row";

pub(super) const EVENT_ID: &str = "metadata.event_id";
const EVENT_UID: &str = "metadata.uid";

/// The dataset's files as DuckDB is told them.
#[derive(Clone, Debug)]
pub(super) struct Files {
    /// As `allowed_paths` wants them: literal, and as the patterns that `read_parquet` is given.
    pub(super) allowed: Vec<String>,
    /// As patterns that match one file each.
    pub(super) patterns: Vec<String>,
    /// As they are.
    pub(super) paths: Vec<String>,
    /// How many characters of each path are the folder that they share.
    folder_chars: usize,
    /// `key=value` folders on the way to all of them.
    pub(super) partitions: Partitions,
}

impl Files {
    pub(super) fn new(dataset: &Dataset) -> Result<Self, StoreError> {
        let paths: Vec<_> = dataset.files.iter().map(|file| absolute(file)).collect::<Result<_, _>>()?;
        let mut allowed = Vec::new();
        let mut patterns = Vec::new();
        for path in &paths {
            let pattern = escape_glob(path)?;
            allowed.push(path.clone());
            if pattern != *path {
                allowed.push(pattern.clone());
            }
            patterns.push(pattern);
        }
        let folder_chars = common_folder(&paths).chars().count();
        let partitions = Partitions::of(&paths);
        Ok(Self { allowed, patterns, paths, folder_chars, partitions })
    }

    /// The table function that reads them, of several schemas or of one; `partitions` are their keys' types.
    ///
    /// Of files that are `alike`, a statement reads the footers of none but those that it reads events of.
    pub(super) fn parquet(&self, alike: bool, partitions: Option<&str>) -> String {
        read_parquet(&self.patterns, alike, partitions)
    }

    /// Likewise, every type told or guessed by DuckDB.
    pub(super) fn json_lines(&self, columns: Option<&str>) -> String {
        let types = columns.map_or_else(
            || {
                let all = "sample_size = -1, maximum_sample_files = 2147483647";
                format!("{all}, map_inference_threshold = -1, field_appearance_threshold = 0")
            },
            |columns| format!("columns = {columns}, filename = {}", string(FILE_COLUMN)),
        );
        let files = string_list(&self.patterns);
        format!("read_json({files}, format = 'newline_delimited', maximum_depth = -1, {types})")
    }

    /// File, below the folder that all share, and row, from 1.
    fn row_locator(&self, format: Format, stored: &[(String, DuckType)]) -> String {
        let file = format!("substr({}, {})", identifier(FILE_COLUMN), self.folder_chars + 1);
        let row = match format {
            Format::Parquet => "file_row_number".to_owned(),
            Format::JsonLines => identifier(ROW_COLUMN),
        };
        // An attribute of that name would be read in its place.
        let hidden = stored.iter().any(|(name, _)| name.eq_ignore_ascii_case(&row));
        let number = if hidden { WINDOW.to_owned() } else { format!("{row} + 1") };
        format!("{file} || ':' || CAST({number} AS VARCHAR)")
    }
}

/// The table function that reads files.
pub(super) fn read_parquet(patterns: &[String], alike: bool, partitions: Option<&str>) -> String {
    let hive = partitions.map_or_else(
        || "hive_partitioning = false".to_owned(),
        |types| format!("hive_partitioning = true, hive_types_autocast = false, hive_types = {types}"),
    );
    let (files, union) = (string_list(patterns), !alike);
    format!("read_parquet({files}, union_by_name = {union}, {hive}, filename = {})", string(FILE_COLUMN))
}

/// Names that the reader itself adds to the rows.
pub(super) fn is_reader_column(name: &str) -> bool {
    name == FILE_COLUMN || name == ROW_COLUMN
}

pub(super) fn absolute(file: &Path) -> Result<String, StoreError> {
    let absolute =
        std::path::absolute(file).map_err(|source| StoreError::Io { path: file.to_path_buf(), source })?;
    absolute
        .into_os_string()
        .into_string()
        .map_err(|name| StoreError::FileName { path: PathBuf::from(name), why: "it is not UTF-8" })
}

/// A pattern that matches one path only: DuckDB takes every file name for a pattern.
pub(super) fn escape_glob(path: &str) -> Result<String, StoreError> {
    let special = |c| matches!(c, '*' | '?' | '[');
    if path.contains('\\') && path.contains(special) {
        let why = "it has a backslash beside '*', '?' or '[', which DuckDB cannot be told apart";
        return Err(StoreError::FileName { path: PathBuf::from(path), why });
    }
    let escape = |c| if special(c) { format!("[{c}]") } else { c.to_string() };
    Ok(path.chars().map(escape).collect())
}

/// The folder that all paths share, with its slash.
fn common_folder(paths: &[String]) -> &str {
    let folder = |path: &str| path.rfind('/').map_or(0, |slash| slash + 1);
    let Some(first) = paths.first() else { return "" };
    let mut shared = first.get(..folder(first)).unwrap_or("");
    for path in paths {
        while !path.starts_with(shared) {
            let parent = shared.trim_end_matches('/');
            shared = parent.get(..folder(parent)).unwrap_or("");
        }
    }
    shared
}

pub(super) fn string_list(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|t| string(t)).collect::<Vec<_>>().join(", "))
}

/// What the view selects from, and what.
#[derive(Clone, Debug)]
pub(super) struct View {
    /// A table function or a table.
    pub(super) source: String,
    /// What the dataset fills.
    pub(super) leaves: Vec<Leaf>,
    /// The event id's expression.
    event_id: String,
    /// Those of [`FILE_INDEX`] and [`ROW_NUMBER`]; `None` where attributes of the events are in the way.
    row: Option<[String; 2]>,
    /// The condition that events within the dataset's range of time meet.
    range: Option<String>,
}

impl View {
    /// `leaves` are those of the stored columns, and any besides.
    pub(super) fn new(
        source: String,
        stored: &[(String, DuckType)],
        leaves: Vec<Leaf>,
        files: &Files,
        format: Format,
    ) -> Self {
        let event_id = event_id(&leaves, &files.row_locator(format, stored));
        let row = match format {
            // A statement that passes over partitions numbers none but the files that are left.
            Format::Parquet if !files.partitions.is_empty() => {
                [format!("hash({})", identifier(FILE_COLUMN)), "file_row_number".to_owned()]
            }
            Format::Parquet => ["file_index", "file_row_number"].map(str::to_owned),
            Format::JsonLines => ["CAST(0 AS UBIGINT)", "rowid"].map(str::to_owned),
        };
        let hidden =
            stored.iter().any(|(name, _)| row.iter().any(|column| name.eq_ignore_ascii_case(column)));
        Self { source, leaves, event_id, row: (!hidden).then_some(row), range: None }
    }

    /// With the events of a range of time alone.
    pub(super) fn within(self, range: &TimeRange) -> Self {
        let time = self.leaves.iter().find(|leaf| leaf.path.eq_ignore_ascii_case("time"));
        let range = time.and_then(|time| range.condition(time));
        Self { range, ..self }
    }

    /// The statement that counts its events. Those of whole files stand in their footers.
    pub(super) fn count(&self, files: &Files, format: Format) -> String {
        match (&self.range, format) {
            (Some(range), _) => format!("SELECT count(*) FROM {} WHERE {range}", self.source),
            (None, Format::JsonLines) => format!("SELECT count(*) FROM {}", self.source),
            (None, Format::Parquet) => format!(
                "SELECT CAST(coalesce(sum(num_rows), 0) AS UBIGINT) FROM parquet_file_metadata({})",
                string_list(&files.patterns)
            ),
        }
    }

    /// What it selects from, where its range and another condition hold.
    fn from(&self, also: Option<&str>) -> String {
        let conditions: Vec<_> =
            [self.range.as_deref(), also].into_iter().flatten().map(|one| format!("({one})")).collect();
        if conditions.is_empty() {
            return self.source.clone();
        }
        let keyword = if self.event_id.contains(WINDOW) { "QUALIFY" } else { "WHERE" };
        format!("{} {keyword} {}", self.source, conditions.join(" AND "))
    }

    /// Whether a narrow view says where its events lie.
    pub(super) fn has_rows(&self) -> bool {
        self.row.is_some()
    }

    /// Which column the event ids come from, where it is filled.
    pub(super) fn event_id_source(&self) -> EventIdSource {
        if id_leaf(&self.leaves, EVENT_ID).is_some() {
            EventIdSource::EventId
        } else if id_leaf(&self.leaves, EVENT_UID).is_some() {
            EventIdSource::Uid
        } else {
            EventIdSource::RowLocator
        }
    }

    /// The statement that makes a view of a few columns, which hides the other one: DuckDB binds a whole view for each
    /// statement that reads it, whatever it reads of it. `also` is a condition on the files' own columns.
    pub(super) fn create_narrow(
        &self,
        columns: &BTreeMap<OcsfPath, ColumnType>,
        also: Option<&str>,
    ) -> String {
        let mut selected = vec![format!("{} AS {}", self.event_id, identifier(EVENT_ID))];
        if let Some([file, row]) = &self.row {
            selected.push(format!(
                "{file} AS {}, {row} AS {}",
                identifier(FILE_INDEX),
                identifier(ROW_NUMBER)
            ));
        }
        let mut wanted: BTreeMap<String, (&str, Option<ColumnType>)> =
            ALWAYS.iter().map(|path| (path.to_ascii_lowercase(), (*path, None))).collect();
        for (path, column_type) in columns {
            wanted.insert(path.0.to_ascii_lowercase(), (path.as_str(), Some(*column_type)));
        }
        wanted.remove(EVENT_ID);
        for (folded, (path, column_type)) in &wanted {
            let stored = self.leaves.iter().find(|leaf| leaf.path.eq_ignore_ascii_case(folded));
            match (stored, column_type) {
                (Some(leaf), _) => {
                    selected.push(format!("{} AS {}", leaf.expression, identifier(&leaf.path)));
                }
                (None, Some(column_type)) => {
                    selected.push(format!(
                        "CAST(NULL AS {}) AS {}",
                        null_type(*column_type),
                        identifier(path)
                    ));
                }
                (None, None) => {}
            }
        }
        format!(
            "CREATE OR REPLACE TEMP VIEW {VIEW} AS SELECT {} FROM {}",
            selected.join(", "),
            self.from(also)
        )
    }

    /// The statement that makes it, with columns of NULL for paths that the dataset lacks.
    pub(super) fn create(&self, absent: &BTreeMap<String, (String, ColumnType)>) -> String {
        let mut columns = vec![format!("{} AS {}", self.event_id, identifier(EVENT_ID))];
        let stored = self.leaves.iter().filter(|leaf| !leaf.path.eq_ignore_ascii_case(EVENT_ID));
        columns.extend(stored.map(|leaf| format!("{} AS {}", leaf.expression, identifier(&leaf.path))));
        for (path, column_type) in absent.values() {
            columns.push(format!("CAST(NULL AS {}) AS {}", null_type(*column_type), identifier(path)));
        }
        format!("CREATE OR REPLACE VIEW {VIEW} AS SELECT {} FROM {}", columns.join(", "), self.from(None))
    }
}

fn id_leaf<'a>(leaves: &'a [Leaf], path: &str) -> Option<&'a Leaf> {
    leaves.iter().find(|leaf| {
        leaf.path.eq_ignore_ascii_case(path) && !leaf.column.list && leaf.column.field_type.is_some()
    })
}

fn event_id(leaves: &[Leaf], row_locator: &str) -> String {
    let ids = [EVENT_ID, EVENT_UID].into_iter().filter_map(|path| id_leaf(leaves, path));
    let mut alternatives: Vec<_> = ids.map(|leaf| format!("CAST({} AS VARCHAR)", leaf.expression)).collect();
    alternatives.push(row_locator.to_owned());
    format!("coalesce({})", alternatives.join(", "))
}

pub(super) fn null_type(column_type: ColumnType) -> String {
    let name = match column_type.field_type {
        FieldType::String => "VARCHAR",
        FieldType::Integer | FieldType::Timestamp => "BIGINT",
        FieldType::Float => "DOUBLE",
        FieldType::Boolean => "BOOLEAN",
    };
    if column_type.list { format!("{name}[]") } else { name.to_owned() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_their_own_file_only() {
        assert_eq!(escape_glob("/a/b*[1]?{x,y}.parquet").unwrap(), "/a/b[*][[]1][?]{x,y}.parquet");
        assert_eq!(escape_glob("/a/b\\c").unwrap(), "/a/b\\c");
        assert!(escape_glob("/a/b\\*").is_err());
    }

    #[test]
    fn the_common_folder_ends_at_a_slash() {
        let paths = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        assert_eq!(common_folder(&paths(&["/r/ab/x", "/r/ac/x"])), "/r/");
        assert_eq!(common_folder(&paths(&["/r/ab/x"])), "/r/ab/");
        assert_eq!(common_folder(&paths(&["/r/a/x", "/q/a/x"])), "/");
    }
}
