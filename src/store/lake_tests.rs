//! Folders as lakes have them: ranges of time, partitions, files that differ.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use duckdb::Connection;

use super::sql_text::string;
use super::{Cancel, Dataset, SessionSettings, Store, StoreError, TimeRange};

/// Writes what `select` yields to a Parquet file.
fn write(path: &Path, select: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let target = string(path.to_str().unwrap());
    let connection = Connection::open_in_memory().unwrap();
    let options = "FORMAT parquet, ROW_GROUP_SIZE 2048";
    connection.execute_batch(&format!("COPY ({select}) TO {target} ({options})")).unwrap();
}

fn open(root: &Path) -> Store {
    opened(Dataset::discover(root).unwrap())
}

fn opened(dataset: Dataset) -> Store {
    Store::open(dataset, SessionSettings::default()).unwrap()
}

/// The texts of a statement's one column.
fn texts(store: &Store, sql: &str) -> Vec<String> {
    store.select(sql, &Cancel::never(), |row| row.get(0)).unwrap()
}

fn ids(store: &Store) -> Vec<String> {
    texts(store, "SELECT \"metadata.event_id\" FROM ocsf_events ORDER BY 1")
}

/// The plan of a statement.
fn plan(store: &Store, sql: &str) -> String {
    store.connection.query_row(&format!("EXPLAIN {sql}"), [], |row| row.get(1)).unwrap()
}

/// From one second after 1970 began until another.
fn range(since: Option<u32>, until: Option<u32>) -> TimeRange {
    let at = |second: u32| format!("1970-01-01T00:00:{second:02}Z").parse().unwrap();
    TimeRange::new(since.map(at), until.map(at)).unwrap()
}

#[test]
fn a_range_holds_whatever_time_is_stored_as() {
    let folder = tempfile::tempdir().unwrap();
    let events = |time: &str| {
        format!(
            "SELECT 1007 AS class_uid, {time} AS \"time\", 'e' || n AS \"metadata.uid\"
             FROM (VALUES (1000), (2000), (3000), (NULL)) t(n)"
        )
    };
    let stored = [
        ("integer", "n::BIGINT"),
        ("double_width", "n::HUGEINT"),
        ("timestamp", "make_timestamp_ms(n)"),
        ("seconds", "make_timestamp_ms(n)::TIMESTAMP_S"),
        ("nanoseconds", "make_timestamp_ms(n)::TIMESTAMP_NS"),
        ("zoned", "make_timestamp_ms(n)::TIMESTAMPTZ"),
    ];
    for (name, time) in stored {
        // DuckDB writes no HUGEINT to Parquet.
        let time = time.replace("HUGEINT", "DECIMAL(20,0)");
        write(&folder.path().join(name).join("p.parquet"), &events(&time));
    }
    fs::create_dir(folder.path().join("lines")).unwrap();
    let lines: String = [Some(1000), Some(2000), Some(3000), None]
        .iter()
        .map(|n| match n {
            Some(n) => format!("{{\"class_uid\":1007,\"time\":{n},\"metadata\":{{\"uid\":\"e{n}\"}}}}\n"),
            None => "{\"class_uid\":1007,\"metadata\":{\"uid\":\"none\"}}\n".to_owned(),
        })
        .collect();
    fs::write(folder.path().join("lines/ocsf_events.jsonl"), lines).unwrap();
    for (name, _) in stored.into_iter().chain([("lines", "")]) {
        let dataset = Dataset::discover(&folder.path().join(name)).unwrap();
        let within = |since, until| {
            let mut store = opened(dataset.clone().within(range(since, until)));
            let found = ids(&store);
            assert_eq!(store.schema().events, found.len() as u64, "{name}");
            let narrow = store.narrowed(&BTreeMap::new(), |store| Ok::<_, StoreError>(ids(store))).unwrap();
            assert_eq!(narrow, found, "{name}");
            found
        };
        assert_eq!(within(None, None).len(), 4, "{name}");
        assert_eq!(within(Some(2), None), ["e2000", "e3000"], "{name}");
        assert_eq!(within(None, Some(2)), ["e1000"], "{name}");
        assert_eq!(within(Some(1), Some(3)), ["e1000", "e2000"], "{name}");
        assert!(within(Some(30), None).is_empty(), "{name}");
    }
}

#[test]
fn a_range_does_not_number_rows_anew() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "SELECT 1007 AS class_uid, n * 1000 AS \"time\"";
    write(&folder.path().join("plain/p.parquet"), &format!("{rows} FROM range(1, 4) t(n)"));
    let hidden = format!("{rows}, 7 AS file_row_number FROM range(1, 4) t(n)");
    write(&folder.path().join("hidden/p.parquet"), &hidden);
    for name in ["plain", "hidden"] {
        let dataset = Dataset::discover(&folder.path().join(name)).unwrap();
        let mut store = opened(dataset.within(range(Some(2), None)));
        assert_eq!(ids(&store), ["p.parquet:2", "p.parquet:3"], "{name}");
        let files = store.dataset().files.clone();
        let arrived =
            store.narrowed_to(&files, &BTreeMap::new(), |store| Ok::<_, StoreError>(ids(store))).unwrap();
        assert_eq!(arrived, ["p.parquet:2", "p.parquet:3"], "{name}");
    }
}

#[test]
fn a_range_reaches_the_scan() {
    let folder = tempfile::tempdir().unwrap();
    for (name, time) in [("integer", "n"), ("timestamp", "make_timestamp_ms(n)")] {
        let select = format!("SELECT 1007 AS class_uid, {time} AS \"time\" FROM range(10000) t(n)");
        write(&folder.path().join(name).join("p.parquet"), &select);
        let dataset = Dataset::discover(&folder.path().join(name)).unwrap();
        let plan = plan(&opened(dataset.within(range(Some(5), None))), "SELECT count(*) FROM ocsf_events");
        assert!(!plan.contains("FILTER") && plan.contains("Filters:"), "{plan}");
    }
}
