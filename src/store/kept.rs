//! The events of one scope, kept in memory: a rule that is being written asks for them again and again.

use std::collections::{BTreeMap, BTreeSet};

use super::sql_text::{identifier, string};
use super::view::{VIEW, null_type};
use super::{Cancel, Format, Store, StoreError};
use crate::bridge::ColumnType;
use crate::ocsf::{FieldType, OcsfPath};

/// Events of a scope that is kept.
const EVENTS: usize = 32 * 1024;

/// Bytes of text in them.
const BYTES: u64 = 64 << 20;

/// The table. Named so that no relation of a statement is in its way.
const KEPT: &str = "sigma_ocsf_tui.kept";

/// Which scope is kept, and which are too large to be.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Its SQL, and the columns that are there, in lower case.
    scope: Option<(String, BTreeSet<String>)>,
    /// The SQL of the scope that was last asked for.
    asked: String,
    large: BTreeSet<String>,
}

impl Store {
    /// As [`Store::narrowed`], for work that looks at no event but those that the SQL `scope` selects. They are kept
    /// until another scope is asked for, where they are few. A scope that is asked for once is not worth keeping.
    ///
    /// # Errors
    /// As for [`Store::narrowed`].
    pub(crate) fn of_scope<T, E: From<StoreError>>(
        &mut self,
        scope: &str,
        columns: &BTreeMap<OcsfPath, ColumnType>,
        cancel: &Cancel,
        work: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        let again = self.kept.asked == scope;
        scope.clone_into(&mut self.kept.asked);
        if again && !self.keeps(scope, columns) {
            // Whatever fails here shows in the work, which runs over the files.
            drop(self.keep(scope, columns, cancel));
        }
        self.of_kept(scope, columns, work)
    }

    /// As [`Self::of_scope`], but what is not kept is not kept after it, either.
    ///
    /// # Errors
    /// As for [`Store::narrowed`].
    pub(crate) fn of_kept<T, E: From<StoreError>>(
        &mut self,
        scope: &str,
        columns: &BTreeMap<OcsfPath, ColumnType>,
        work: impl FnOnce(&Self) -> Result<T, E>,
    ) -> Result<T, E> {
        if !self.keeps(scope, columns) {
            return self.narrowed(columns, work);
        }
        let absent = columns.iter().filter(|(path, _)| !self.is_filled(path));
        let absent: String = absent
            .map(|(path, t)| format!(", CAST(NULL AS {}) AS {}", null_type(*t), identifier(path.as_str())))
            .collect();
        let kept = identifier(KEPT);
        self.behind(&format!("CREATE OR REPLACE TEMP VIEW {VIEW} AS SELECT *{absent} FROM temp.{kept}"), work)
    }

    /// Whether work that reads these columns finds the scope in memory.
    pub(crate) fn keeps(&self, scope: &str, columns: &BTreeMap<OcsfPath, ColumnType>) -> bool {
        let has = |there: &BTreeSet<String>, path: &OcsfPath| there.contains(&folded(path));
        self.kept.scope.as_ref().is_some_and(|(of, there)| {
            self.only.is_none()
                && of == scope
                && columns.keys().all(|path| has(there, path) || !self.is_filled(path))
        })
    }

    /// Keeps the scope in place of the one before, with the columns of that where it is the same.
    fn keep(
        &mut self,
        scope: &str,
        columns: &BTreeMap<OcsfPath, ColumnType>,
        cancel: &Cancel,
    ) -> Result<(), StoreError> {
        let is_table = self.dataset().format == Format::JsonLines;
        if is_table || scope.trim().is_empty() || self.kept.large.contains(scope) {
            return Ok(());
        }
        let before = self.kept.scope.take();
        let mut wanted: BTreeMap<OcsfPath, ColumnType> =
            columns.iter().filter(|(path, _)| self.is_filled(path)).map(|(p, t)| (p.clone(), *t)).collect();
        let known = before.filter(|(of, _)| of == scope).map(|(_, there)| there).unwrap_or_default();
        for (path, column) in &self.schema().columns {
            if let (true, Some(field_type)) = (known.contains(&folded(path)), column.field_type) {
                wanted.entry(path.clone()).or_insert(ColumnType { field_type, list: column.list });
            }
        }
        let kept = identifier(KEPT);
        // One SELECT, as every statement that a pack has a part in.
        let events = string(&format!("SELECT * FROM {VIEW} WHERE {scope}\n LIMIT {}", EVENTS + 1));
        let create = format!(
            "DROP TABLE IF EXISTS temp.{kept};
             CREATE TEMP TABLE {kept} AS SELECT * FROM query({events})"
        );
        let fits = self.narrowed(&wanted, |store| -> Result<bool, StoreError> {
            let running = store.running.begin(cancel);
            store.connection.execute_batch(&create)?;
            drop(running);
            store.fits(&wanted)
        })?;
        if fits {
            self.kept.scope = Some((scope.to_owned(), wanted.keys().map(folded).collect()));
        } else {
            self.kept.large.insert(scope.to_owned());
            self.connection.execute_batch(&format!("DROP TABLE temp.{kept}"))?;
        }
        Ok(())
    }

    /// Whether the table is small enough to stay.
    fn fits(&self, columns: &BTreeMap<OcsfPath, ColumnType>) -> Result<bool, StoreError> {
        let is_text = |path: &&OcsfPath| {
            let column = self.schema().column(path);
            column.is_some_and(|column| column.field_type == Some(FieldType::String) && !column.list)
        };
        let texts = columns.keys().filter(is_text);
        let bytes: String =
            texts.map(|path| format!(" + coalesce(sum(strlen({})), 0)", identifier(path.as_str()))).collect();
        let sql = format!("SELECT count(*), CAST(0{bytes} AS UBIGINT) FROM temp.{}", identifier(KEPT));
        let (events, bytes): (usize, u64) =
            self.connection.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(events <= EVENTS && bytes <= BYTES)
    }
}

fn folded(path: &OcsfPath) -> String {
    path.as_str().to_ascii_lowercase()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::super::{Dataset, SessionSettings};
    use super::*;

    fn store(folder: &std::path::Path) -> Store {
        let events = format!(
            "SELECT n % 3 AS class_uid, n AS \"time\", 'image' || n AS image, [n] AS list FROM range(3, 12) t(n)
             UNION ALL SELECT 7, n, 'i', [n] FROM range({}) t(n)
             UNION ALL SELECT 8, n, repeat('x', 1 << 20), [n] FROM range(65) t(n)",
            EVENTS + 1
        );
        let file = folder.join("p.parquet");
        let connection = duckdb::Connection::open_in_memory().unwrap();
        connection
            .execute_batch(&format!("COPY ({events}) TO '{}' (FORMAT parquet)", file.display()))
            .unwrap();
        Store::open(Dataset::discover(folder).unwrap(), SessionSettings::default()).unwrap()
    }

    fn columns(paths: &[&str]) -> BTreeMap<OcsfPath, ColumnType> {
        let typed = |path: &&str| {
            (OcsfPath((*path).to_owned()), ColumnType { field_type: FieldType::String, list: false })
        };
        paths.iter().map(typed).collect()
    }

    fn asked(store: &mut Store, scope: &str, paths: &[&str]) -> (Vec<Vec<String>>, bool) {
        let names =
            paths.iter().map(|path| format!("coalesce({path}, 'null')")).collect::<Vec<_>>().join(", ");
        let sql =
            format!("SELECT \"metadata.event_id\", {names} FROM ocsf_events WHERE {scope} ORDER BY \"time\"");
        let cancel = Cancel::never();
        let read = |row: &duckdb::Row<'_>| (0..=paths.len()).map(|at| row.get(at)).collect();
        let of = |store: &Store| Ok::<_, StoreError>(store.select(&sql, &cancel, read).unwrap());
        let once = store.of_scope(scope, &columns(paths), &cancel, of).unwrap();
        let kept = store.of_scope(scope, &columns(paths), &cancel, of).unwrap();
        assert_eq!(once, kept, "{scope} {paths:?}");
        assert_eq!(kept, store.narrowed(&columns(paths), of).unwrap(), "{scope} {paths:?}");
        (kept, store.keeps(scope, &columns(paths)))
    }

    #[test]
    fn a_scope_that_is_kept_says_what_the_files_say() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path());
        let (rows, keeps) = asked(&mut store, "class_uid = 1", &["image"]);
        assert_eq!(
            rows.iter().map(|row| row[1].as_str()).collect::<Vec<_>>(),
            ["image4", "image7", "image10"]
        );
        assert!(keeps);
        assert!(asked(&mut store, "class_uid = 1", &["image", "nowhere"]).1);
        assert!(asked(&mut store, "class_uid = 2", &["nowhere"]).1);
        assert!(!store.keeps("class_uid = 2", &columns(&["image"])));
        assert!(!store.keeps("class_uid = 1", &columns(&["image"])));
        assert!(asked(&mut store, "class_uid = 2", &["image"]).1);
    }

    #[test]
    fn a_large_scope_is_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(folder.path());
        for scope in ["class_uid = 7", "class_uid = 8"] {
            assert!(!asked(&mut store, scope, &["image"]).1);
            assert!(!asked(&mut store, scope, &["image"]).1);
        }
        assert!(asked(&mut store, "class_uid = 1", &["image"]).1);
    }
}
