//! Folders as lakes have them: ranges of time, partitions, files that differ.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use duckdb::Connection;

use super::sql_text::string;
use super::{Cancel, Dataset, Later, SessionSettings, Store, StoreError, TimeRange};
use crate::ocsf::OcsfPath;

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
        let later = Later::Files(store.dataset().files.clone());
        let arrived =
            store.narrowed_to(&later, &BTreeMap::new(), |store| Ok::<_, StoreError>(ids(store))).unwrap();
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

/// The files that a statement reads, of all: `Scanning Files: 1/2`.
fn read_files(store: &Store, sql: &str) -> String {
    let plan = plan(store, sql).replace(['│', '\n'], " ");
    let words: Vec<_> = plan.split_whitespace().collect();
    let at = words.windows(2).position(|pair| pair == ["Scanning", "Files:"]);
    at.and_then(|at| words.get(at + 2)).map_or_else(String::new, |files| (*files).to_owned())
}

#[test]
fn partitions_are_passed_over_whether_the_files_hold_their_columns_or_not() {
    let folder = tempfile::tempdir().unwrap();
    for (name, stored) in [("stored", true), ("absent", false)] {
        for (class, account) in [(1007, "012"), (4001, "7")] {
            let own = if stored { format!("{class}::SMALLINT AS class_uid, ") } else { String::new() };
            let path = format!("{name}/class_uid={class}/account={account}/date=2026-03-14/p.parquet");
            write(&folder.path().join(path), &format!("SELECT {own}5::BIGINT AS \"time\""));
        }
        let mut store = open(&folder.path().join(name));
        let sql = "SELECT account || date FROM ocsf_events WHERE class_uid = 1007";
        assert_eq!(texts(&store, sql), ["0122026-03-14"], "{name}");
        assert_eq!(read_files(&store, sql), "1/2", "{name}");
        let stored_as = &store.schema().column(&OcsfPath("class_uid".to_owned())).unwrap().stored_as;
        assert_eq!(stored_as, if stored { "SMALLINT" } else { "BIGINT" });
        // Where an event lies is the same, however many files a statement passes over.
        let place = |store: &Store, among: &str| {
            let [file, row] = store.row_columns();
            let sql = format!(
                "SELECT {file} || ':' || {row} FROM ocsf_events WHERE class_uid IN ({among}) AND class_uid > 4000"
            );
            texts(store, &sql)
        };
        let places = |store: &Store| Ok::<_, StoreError>((place(store, "4001"), place(store, "1007, 4001")));
        let (one, both) = store.narrowed(&BTreeMap::new(), places).unwrap();
        assert_eq!(one, both, "{name}");
    }
}

#[test]
fn a_folder_never_speaks_for_a_column_that_says_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, select: &str| write(&folder.path().join(path), select);
    write("class_uid=1007/region=west/p.parquet", "SELECT 5::BIGINT AS \"time\", 'in file' AS region");
    write("class_uid=4001/region=east/p.parquet", "SELECT 6::BIGINT AS \"time\", NULL AS region");
    let store = open(folder.path());
    let sql = "SELECT class_uid || coalesce(region, '') FROM ocsf_events ORDER BY 1";
    assert_eq!(texts(&store, sql), ["1007in file", "4001"]);
}

#[test]
fn files_with_other_keys_than_the_rest_keep_those_that_all_have() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("class_uid=1007/hour=1/p.parquet"), "SELECT 5::BIGINT AS \"time\"");
    write(&folder.path().join("class_uid=4001/p.parquet"), "SELECT 6::BIGINT AS \"time\"");
    let store = open(folder.path());
    assert_eq!(texts(&store, "SELECT class_uid::VARCHAR FROM ocsf_events ORDER BY 1"), ["1007", "4001"]);
}

/// What is said of each column that drifts.
fn drift(store: &Store) -> Vec<String> {
    let file = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let said = |drift: &super::Drift| {
        let types: Vec<_> = drift.stored_as.iter().map(|(t, path)| format!("{t} {}", file(path))).collect();
        format!("{} {}: {}", drift.column.as_str(), drift.compatible, types.join(", "))
    };
    store.schema().drift.iter().map(said).collect()
}

#[test]
fn files_that_differ_are_read_together_and_their_differences_told() {
    let folder = tempfile::tempdir().unwrap();
    let event = |more: &str| format!("SELECT 1007 AS class_uid, 5::BIGINT AS \"time\", {more}");
    let write = |name: &str, more: &str| write(&folder.path().join(name), &event(more));
    write("a.parquet", "'x' AS c, 1 AS port, 5::BIGINT AS pid, {'name': 'n'} AS file, ['l'] AS tags");
    write("b.parquet", "'y' AS c, 2.5::DOUBLE AS port, 'five' AS pid, 'plain' AS file, 'l' AS tags");
    write("c.parquet", "'z' AS c, 3 AS port");
    let store = open(folder.path());
    assert_eq!(store.schema().events, 3);
    assert_eq!(texts(&store, "SELECT c FROM ocsf_events ORDER BY 1"), ["x", "y", "z"]);
    assert_eq!(texts(&store, "SELECT port::VARCHAR FROM ocsf_events ORDER BY 1"), ["1.0", "2.5", "3.0"]);
    // Everything can be read, and what cannot be compared is not.
    texts(&store, "SELECT CAST(all_columns AS VARCHAR) FROM ocsf_events AS all_columns");
    for column in ["pid", "file", "file.name", "tags"] {
        assert_eq!(store.schema().column(&OcsfPath(column.to_owned())).unwrap().field_type, None, "{column}");
    }
    insta::assert_snapshot!(drift(&store).join("\n"));
}

#[test]
fn files_of_one_schema_do_not_drift() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.parquet", "b.parquet"] {
        write(&folder.path().join(name), "SELECT 1007 AS class_uid, 5::BIGINT AS \"time\"");
    }
    let store = open(folder.path());
    assert_eq!((drift(&store).len(), store.schema().events), (0, 2));
}
