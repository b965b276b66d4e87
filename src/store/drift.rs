//! Files of one dataset whose columns differ: which do, and what can still be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

use duckdb::Connection;

use super::schema::Leaf;
use super::view::string_list;
use super::{DatasetColumn, StoreError};
use crate::ocsf::{FieldType, OcsfPath};

/// A column that is not stored alike in all files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift {
    /// Its path.
    pub column: OcsfPath,
    /// DuckDB's name of each type that it is stored as, with the first file that has it so.
    pub stored_as: Vec<(String, PathBuf)>,
    /// A file that lacks it, where its events have NULL; the first of each kind of file that does.
    pub absent_from: Vec<PathBuf>,
    /// Whether one type holds all of them. Where none does, the column is comparable with nothing, and rules that
    /// read it are refused.
    pub compatible: bool,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let column = self.column.as_str();
        if let ([_], Some(file)) = (self.stored_as.as_slice(), self.absent_from.first()) {
            return write!(f, "column '{column}' is absent from '{}'; it is NULL there", file.display());
        }
        let stored = |(kind, file): &(String, PathBuf)| format!("{kind} in '{}'", file.display());
        let stored: Vec<_> = self.stored_as.iter().map(stored).collect();
        let meaning = match self.compatible {
            true => "one type holds both",
            false => "rules that read it are refused (column_type)",
        };
        write!(f, "column '{column}' differs between files: {}; {meaning}", stored.join(", "))
    }
}

/// What differs between files, for people: each column that rules cannot read, and one for all others of a kind.
#[must_use]
pub fn drift_told(drifts: &[Drift]) -> Vec<String> {
    let (compatible, refused): (Vec<&Drift>, Vec<&Drift>) = drifts.iter().partition(|drift| drift.compatible);
    let (absent, widened): (Vec<&Drift>, Vec<&Drift>) =
        compatible.into_iter().partition(|drift| drift.stored_as.len() < 2);
    let counted = |drifts: &[&Drift], others: &str| match drifts {
        [] => None,
        [one] => Some(one.to_string()),
        [first, rest @ ..] => Some(format!("{first}; {} more columns {others}", rest.len())),
    };
    let refused = refused.iter().map(ToString::to_string);
    refused
        .chain(counted(&widened, "differ likewise"))
        .chain(counted(&absent, "are absent from some files"))
        .collect()
}

/// The files that differ in their schema from those before them, one of each kind, by their places; of files that are
/// all alike, the first.
pub(super) fn kinds(
    connection: &Connection,
    patterns: &[String],
    paths: &[String],
) -> Result<Vec<usize>, StoreError> {
    let mut statement = connection.prepare(&format!(
        "SELECT file_name, name, concat_ws('|', type, repetition_type, num_children, converted_type, scale, \
         precision, logical_type) FROM parquet_schema({})",
        string_list(patterns)
    ))?;
    let mut rows = statement.query([])?;
    let mut schemas: BTreeMap<String, DefaultHasher> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (file, name, kind): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        (name, kind).hash(schemas.entry(file).or_default());
    }
    let mut first: BTreeMap<Option<u64>, usize> = BTreeMap::new();
    for (place, path) in paths.iter().enumerate() {
        first.entry(schemas.get(path).map(Hasher::finish)).or_insert(place);
    }
    let mut kinds: Vec<usize> = first.into_values().collect();
    kinds.sort_unstable();
    Ok(kinds)
}

/// Each path in lower case, with the types that it is stored as and the first file of each.
type Columns<'a> = BTreeMap<String, Vec<(&'a Leaf, &'a PathBuf)>>;

/// What is stored in more than one type, or not in all files. Of such columns, `united`, which are those of all files
/// together, keeps what can be compared.
pub(super) fn reconcile(kinds: &[(PathBuf, Vec<Leaf>)], united: &mut Vec<Leaf>) -> Vec<Drift> {
    let mut columns: Columns<'_> = BTreeMap::new();
    for (file, leaves) in kinds {
        for leaf in leaves {
            let known = columns.entry(leaf.path.to_ascii_lowercase()).or_default();
            if !known.iter().any(|(other, _)| other.column.stored_as == leaf.column.stored_as) {
                known.push((leaf, file));
            }
        }
    }
    let of_files: Vec<(&PathBuf, BTreeSet<String>)> = kinds
        .iter()
        .map(|(file, leaves)| (file, leaves.iter().map(|leaf| leaf.path.to_ascii_lowercase()).collect()))
        .collect();
    let mut drifts = Vec::new();
    for (folded, variants) in &columns {
        let Some((first, _)) = variants.first() else { continue };
        let lacking = of_files.iter().filter(|(_, paths)| !has(paths, folded));
        let absent_from: Vec<PathBuf> = lacking.map(|(file, _)| (*file).clone()).collect();
        // What lies in a structure that another file has as a value is refused with it.
        let is_refused = drifts.iter().any(|known: &Drift| {
            !known.compatible && is_within(&first.path, &known.column.0.to_ascii_lowercase())
        });
        let is_alike = absent_from.is_empty() || is_refused;
        let place = united.iter().position(|leaf| leaf.path.eq_ignore_ascii_case(folded));
        let alike = variants.windows(2).all(|pair| match pair {
            [(one, _), (other, _)] => alike(&one.column, &other.column),
            _ => true,
        });
        let mut stored_as: Vec<_> =
            variants.iter().map(|(leaf, file)| (leaf.column.stored_as.clone(), (*file).clone())).collect();
        match place.and_then(|place| united.get_mut(place)) {
            Some(_) if variants.len() < 2 && is_alike => continue,
            Some(leaf) if !alike => *leaf = incomparable(variants, Some(leaf)),
            Some(_) => {}
            // A value in one file and a structure in another: no type has a place for both.
            None => {
                stored_as.extend(
                    within(&columns, folded).take(1).map(|(_, file)| ("STRUCT".to_owned(), file.clone())),
                );
                for leaf in united.iter_mut().filter(|leaf| is_within(&leaf.path, folded)) {
                    *leaf = incomparable(&[], Some(leaf));
                }
                united.push(incomparable(variants, None));
            }
        }
        let compatible = alike && place.is_some();
        drifts.push(Drift { column: OcsfPath(first.path.clone()), stored_as, absent_from, compatible });
    }
    united.sort_by(|a, b| a.path.cmp(&b.path));
    drifts
}

/// Whether a file with these columns has the path, be it as a structure.
fn has(paths: &BTreeSet<String>, folded: &str) -> bool {
    let below = format!("{folded}.");
    paths.contains(folded) || paths.range(below.clone()..).next().is_some_and(|path| path.starts_with(&below))
}

fn is_within(path: &str, folded: &str) -> bool {
    path.to_ascii_lowercase().strip_prefix(folded).is_some_and(|rest| rest.starts_with('.'))
}

/// The columns below a path, each with a file that has it.
fn within<'a>(columns: &'a Columns<'a>, folded: &'a str) -> impl Iterator<Item = (&'a Leaf, &'a PathBuf)> {
    let below = columns.iter().filter(move |(path, _)| is_within(path, folded));
    below.filter_map(|(_, variants)| variants.first().copied())
}

/// Whether one type holds the values of both.
fn alike(one: &DatasetColumn, other: &DatasetColumn) -> bool {
    use FieldType::{Float, Integer};
    let types = (one.field_type, other.field_type);
    let numbers = matches!(types, (Some(Integer), Some(Float)) | (Some(Float), Some(Integer)));
    one.list == other.list && one.field_type.is_some() && (one.field_type == other.field_type || numbers)
}

/// The column of which nothing can be said: text where DuckDB can read all of it as text, else NULL, as reading it
/// would fail.
fn incomparable(variants: &[(&Leaf, &PathBuf)], united: Option<&Leaf>) -> Leaf {
    let mut types: Vec<&str> = variants.iter().map(|(leaf, _)| leaf.column.stored_as.as_str()).collect();
    types.dedup();
    types.extend(united.filter(|_| variants.is_empty()).map(|leaf| leaf.column.stored_as.as_str()));
    let stored_as = types.join(" and ");
    let text = united.filter(|leaf| !variants.is_empty() && leaf.column.stored_as == "VARCHAR");
    let path = variants.first().map_or_else(String::new, |(leaf, _)| leaf.path.clone());
    Leaf {
        path: united.map_or(path, |leaf| leaf.path.clone()),
        expression: text.map_or_else(|| "CAST(NULL AS VARCHAR)".to_owned(), |leaf| leaf.expression.clone()),
        column: DatasetColumn { field_type: None, list: false, stored_as },
    }
}
