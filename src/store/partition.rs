//! Hive partitions: `key=value` folders on the way to the files, and whether their values may stand for a column.
//!
//! DuckDB passes over whole files by a partition's value, and reads that value in place of a stored column of the same
//! name. So it is told of partitions only where every stored value is known to be the folder's.

use std::collections::BTreeMap;

use duckdb::Connection;

use super::StoreError;
use super::duck_type::DuckType;
use super::schema::{self, Leaf};
use super::sql_text::{identifier, string};
use super::view::{FILE_COLUMN, string_list};

/// What writers call the folder of the rows without a value.
const NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The `key=value` folders that all files have on their way.
#[derive(Clone, Debug, Default)]
pub(super) struct Partitions {
    /// Of each key, the value of each file, in the files' order.
    values: BTreeMap<String, Vec<String>>,
    /// Whether some file has other keys than the rest, of which DuckDB would make nothing.
    uneven: bool,
}

impl Partitions {
    /// Those of absolute paths.
    pub(super) fn of(paths: &[String]) -> Self {
        let pairs = |path: &str| -> Vec<(String, String)> {
            let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
            let pair = |folder: &str| folder.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()));
            folders.split('/').filter_map(pair).filter(|(key, _)| !key.is_empty()).collect()
        };
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut seen = 0;
        for path in paths {
            let pairs = pairs(path);
            seen = seen.max(pairs.len());
            pairs.into_iter().for_each(|(key, value)| values.entry(key).or_default().push(value));
        }
        values.retain(|_, values| values.len() == paths.len());
        let uneven = values.len() != seen;
        Self { values, uneven }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The types that DuckDB is to read them as, where it may: as stored, where they are. `None` where it may not.
    pub(super) fn types(
        &self,
        connection: &Connection,
        patterns: &[String],
        paths: &[String],
        stored: &[(String, DuckType)],
    ) -> Result<Option<String>, StoreError> {
        if self.is_empty() || self.uneven {
            return Ok(None);
        }
        let mut types = Vec::new();
        let mut shadowing = Vec::new();
        for key in self.values.keys() {
            let kind = match stored.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)) {
                None => self.kind(key).to_owned(),
                Some((_, DuckType::Scalar(kind)))
                    if kind == "VARCHAR" || kind.ends_with("INT") || kind == "INTEGER" =>
                {
                    shadowing.push(key);
                    kind.clone()
                }
                Some(_) => return Ok(None),
            };
            types.push(format!("{}: {kind}", string(key)));
        }
        let safe = shadowing.is_empty() || self.agree(connection, patterns, paths, &shadowing)?;
        Ok(safe.then(|| format!("{{{}}}", types.join(", "))))
    }

    /// A partition of whole numbers is one; `007` is none, nor is a date: those stay the text that they are.
    fn kind(&self, key: &str) -> &'static str {
        let whole = |value: &String| {
            value == NULL || value.parse::<i64>().is_ok_and(|number| number.to_string() == *value)
        };
        let values = self.values.get(key).map_or(&[][..], Vec::as_slice);
        if values.iter().all(whole) { "BIGINT" } else { "VARCHAR" }
    }

    /// Whether the footers say that each file's column has its folder's value in every row.
    fn agree(
        &self,
        connection: &Connection,
        patterns: &[String],
        paths: &[String],
        keys: &[&String],
    ) -> Result<bool, StoreError> {
        let place: BTreeMap<&str, usize> = paths.iter().map(String::as_str).zip(0..).collect();
        let names: Vec<_> = keys.iter().map(|key| string(&key.to_ascii_lowercase())).collect();
        let mut statement = connection.prepare(&format!(
            "SELECT file_name, lower(path_in_schema), \
             CASE WHEN stats_null_count = 0 AND stats_min_value = stats_max_value THEN stats_min_value END \
             FROM parquet_metadata({}) WHERE lower(path_in_schema) IN ({})",
            string_list(patterns),
            names.join(", ")
        ))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (file, name): (String, String) = (row.get(0)?, row.get(1)?);
            let only: Option<String> = row.get(2)?;
            let values = self.values.iter().find(|(key, _)| key.eq_ignore_ascii_case(&name));
            let of_folder = values.and_then(|(_, values)| values.get(*place.get(file.as_str())?));
            if only.is_none() || only.as_ref() != of_folder {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Columns of the keys that are not stored, read from the files' names: where DuckDB may not be told of them.
    pub(super) fn leaves(&self, stored: &[(String, DuckType)]) -> Vec<Leaf> {
        let absent = |key: &&String| !stored.iter().any(|(name, _)| name.eq_ignore_ascii_case(key));
        let keys: Vec<&String> = self.values.keys().filter(absent).collect();
        let columns: Vec<_> =
            keys.iter().map(|key| ((*key).clone(), DuckType::parse(self.kind(key)))).collect();
        let mut leaves = schema::leaves(&columns);
        for leaf in &mut leaves {
            let pattern = format!("/{}=([^/]*)/", regex::escape(&leaf.path));
            let value = format!("regexp_extract({}, {}, 1)", identifier(FILE_COLUMN), string(&pattern));
            leaf.expression =
                format!("CAST(nullif(url_decode({value}), {}) AS {})", string(NULL), leaf.column.stored_as);
        }
        leaves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(paths: &[&str]) -> Partitions {
        Partitions::of(&paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn keys_are_those_that_all_files_have() {
        let found = of(&["/r/class_uid=1/k=a/x=y.parquet", "/r/class_uid=2/y.parquet"]);
        assert_eq!(found.values.keys().collect::<Vec<_>>(), ["class_uid"]);
        assert!(found.uneven);
        assert!(!of(&["/r/class_uid=1/x.parquet", "/r/class_uid=2/y.parquet"]).uneven);
    }

    #[test]
    fn a_partition_is_a_number_only_where_that_loses_nothing() {
        let found = of(&["/c=1007/a=012/d=2026-03-14/p", "/c=__HIVE_DEFAULT_PARTITION__/a=5/d=2/p"]);
        assert_eq!(["c", "a", "d"].map(|key| found.kind(key)), ["BIGINT", "VARCHAR", "VARCHAR"]);
    }
}
