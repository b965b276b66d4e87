//! What the session refuses, and what it makes of hostile names.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::store::EventIdSource;

const EVENT: &str = "SELECT 1007 AS class_uid, 5::BIGINT AS \"time\"";

fn write(path: &Path, select: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let target = string(path.to_str().unwrap());
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(&format!("COPY ({select}) TO {target} (FORMAT parquet)")).unwrap();
}

fn open(root: &Path) -> Result<Store, StoreError> {
    Store::open(Dataset::discover(root)?, SessionSettings::default())
}

fn ids(store: &Store) -> Vec<String> {
    let sql = "SELECT \"metadata.event_id\" FROM ocsf_events ORDER BY 1";
    store.select(sql, &Cancel::never(), |row| row.get(0)).unwrap()
}

#[test]
fn the_session_is_as_the_specification_says() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("p.parquet"), EVENT);
    let store = open(folder.path()).unwrap();
    assert_eq!(count(&store.connection, "SELECT current_setting('threads')").unwrap(), 1);
    let sql = "SELECT CAST(TIMESTAMPTZ '2024-07-01 00:00:00+00' AS VARCHAR)";
    let zoned: String = store.connection.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(zoned, "2024-07-01 00:00:00+00");
    assert_eq!(store.schema().events, 1);
}

#[test]
fn nothing_but_the_datasets_files_is_reached() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("data/p.parquet");
    write(&inside, EVENT);
    write(&folder.path().join("other.parquet"), EVENT);
    let store = open(&folder.path().join("data")).unwrap();
    let root = folder.path().display();
    for sql in [
        format!("COPY (SELECT 1) TO '{root}/data/new.parquet'"),
        format!("COPY (SELECT 1) TO '{root}/data/p.parquet' (FORMAT parquet)"),
        format!("SELECT * FROM '{root}/other.parquet'"),
        "SELECT * FROM read_text('/etc/hostname')".to_owned(),
        "SELECT * FROM glob('/etc/*')".to_owned(),
        "INSTALL httpfs".to_owned(),
        "LOAD httpfs".to_owned(),
        "SET threads = 4".to_owned(),
        "SET enable_external_access = true".to_owned(),
        format!("ATTACH '{root}/new.db'"),
        format!("EXPORT DATABASE '{root}/export'"),
    ] {
        let refused = store.connection.execute_batch(&sql).unwrap_err().to_string();
        let why = ["disabled", "locked", "Cannot"].iter().any(|word| refused.contains(word));
        assert!(why, "{sql}: {refused}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    assert_eq!(fs::read_dir(folder.path().join("data")).unwrap().count(), 1);
}

/// `COPY … (USE_TMP_FILE false)` writes to an allowed path, so statements are kept to a single SELECT.
#[test]
fn the_datasets_own_files_cannot_be_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p.parquet");
    write(&file, EVENT);
    let before = fs::read(&file).unwrap();
    let store = open(folder.path()).unwrap();
    let copy = format!("COPY (SELECT 1) TO '{}' (FORMAT csv, USE_TMP_FILE false)", file.display());
    for sql in [
        copy.clone(),
        format!("SELECT 1; {copy}"),
        format!("SELECT 1'); {copy}; --"),
        format!("SELECT 1); {copy}; SELECT (1"),
        "DROP VIEW ocsf_events".to_owned(),
        "CREATE TABLE t (a INTEGER)".to_owned(),
        "PRAGMA enable_profiling".to_owned(),
    ] {
        let refused = store.select(&sql, &Cancel::never(), |_| Ok(())).unwrap_err();
        assert!(matches!(refused, QueryError::Prepare(_)), "{sql}: {refused:?}");
    }
    assert_eq!(fs::read(&file).unwrap(), before);
    assert_eq!(ids(&store), ["p.parquet:1"]);
}

#[cfg(unix)]
#[test]
fn file_names_are_taken_literally() {
    let folder = tempfile::tempdir().unwrap();
    let names = [
        "a'b.parquet",
        "br1.parquet",
        "br[1].parquet",
        "c,d.parquet",
        "ev\u{1b}[31mil.parquet",
        "q?m.parquet",
        "qXm.parquet",
        "st*r.parquet",
        "stXr.parquet",
        "{a,b}.parquet",
        "ünï.parquet",
        "x=1/y*[z]/k.parquet",
    ];
    for name in names {
        write(&folder.path().join(name), &format!("{EVENT}, {} AS name", string(name)));
    }
    for name in names {
        let store = open(&folder.path().join(name)).unwrap();
        assert_eq!(store.schema().events, 1, "{name}");
        let found: Vec<String> =
            store.select("SELECT name FROM ocsf_events", &Cancel::never(), |row| row.get(0)).unwrap();
        assert_eq!(found, [name]);
    }
    let mut expected: Vec<_> = names.iter().map(|name| format!("{name}:1")).collect();
    expected.sort();
    assert_eq!(ids(&open(folder.path()).unwrap()), expected);
    write(&folder.path().join("z/b\\s*.parquet"), EVENT);
    let refused = open(folder.path()).err().unwrap();
    assert!(matches!(refused, StoreError::FileName { .. }), "{refused}");
}

#[test]
fn hostile_column_names_stay_names() {
    let folder = tempfile::tempdir().unwrap();
    let select = r#"{'a"b': {'it''s': 'v', 'x.y': 1}} AS "p"" FROM t; --", 'z' AS "process.cmd_line""#;
    write(&folder.path().join("p.parquet"), &format!("{EVENT}, {select}"));
    let store = open(folder.path()).unwrap();
    let paths: Vec<_> = store.schema().columns.keys().map(|path| path.0.as_str()).collect();
    let expected =
        ["class_uid", "p\" FROM t; --.a\"b.it's", "p\" FROM t; --.a\"b.x.y", "process.cmd_line", "time"];
    assert_eq!(paths, expected);
    let sql = format!("SELECT {} FROM ocsf_events", identifier(expected[1]));
    let found: Vec<String> = store.select(&sql, &Cancel::never(), |row| row.get(0)).unwrap();
    assert_eq!(found, ["v"]);
}

#[test]
fn event_ids_fall_back_row_by_row() {
    let folder = tempfile::tempdir().unwrap();
    let rows = "VALUES (1007, 1::BIGINT, 'e1', 'u1'), (1007, 2, NULL, 'u2'), (1007, 3, NULL, NULL)";
    let columns = "c(class_uid, \"time\", \"metadata.event_id\", \"metadata.uid\")";
    write(&folder.path().join("a/p.parquet"), &format!("SELECT * FROM ({rows}) {columns}"));
    write(&folder.path().join("b/p.parquet"), EVENT);
    let store = open(folder.path()).unwrap();
    assert_eq!(store.schema().event_id, EventIdSource::EventId);
    assert_eq!(ids(&store), ["a/p.parquet:3", "b/p.parquet:1", "e1", "u2"]);
    let bare = open(&folder.path().join("b")).unwrap();
    assert_eq!(bare.schema().event_id, EventIdSource::RowLocator);
    assert_eq!(ids(&bare), ["p.parquet:1"]);
    write(&folder.path().join("c/p.parquet"), &format!("{EVENT}, 7 AS file_row_number, 'x' AS filename"));
    assert_eq!(ids(&open(&folder.path().join("c")).unwrap()), ["p.parquet:1"]);
}

#[test]
fn a_dataset_without_class_or_time_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p.parquet");
    write(&file, "SELECT 1 AS class_uid, 'x' AS message");
    let refused = open(&file).err().unwrap().to_string();
    assert!(refused.ends_with("no usable 'time': 2 columns, 'class_uid', 'message'"), "{refused}");
    write(&file, "SELECT '1007' AS class_uid, 1 AS \"time\"");
    let refused = open(&file).err().unwrap().to_string();
    assert!(refused.ends_with("no usable 'class_uid': it is VARCHAR, not an integer"), "{refused}");
    fs::write(&file, "not parquet at all").unwrap();
    let refused = open(&file).err().unwrap().to_string();
    assert!(refused.contains("p.parquet"), "{refused}");
}

#[test]
fn absent_columns_are_typed_nulls() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("p.parquet"), &format!("{EVENT}, 'x' AS \"raw.Foo\""));
    let mut store = open(folder.path()).unwrap();
    let column = |field_type, list| ColumnType { field_type, list };
    let wanted = |path: &str, t| BTreeMap::from([(OcsfPath(path.to_owned()), t)]);
    let type_of = |store: &Store, path: &str| -> String {
        let sql = format!("SELECT typeof({}) FROM ocsf_events", identifier(path));
        store.select(&sql, &Cancel::never(), |row| row.get::<_, String>(0)).unwrap().concat()
    };
    store.ensure_columns(&wanted("a.b", column(FieldType::Integer, false))).unwrap();
    assert_eq!(type_of(&store, "a.b"), "BIGINT");
    store.ensure_columns(&wanted("A.B", column(FieldType::String, true))).unwrap();
    assert_eq!(type_of(&store, "a.b"), "VARCHAR[]");
    store.ensure_columns(&wanted("raw.foo", column(FieldType::Integer, false))).unwrap();
    assert_eq!(type_of(&store, "raw.foo"), "VARCHAR");
    store.ensure_columns(&wanted("metadata.event_id", column(FieldType::String, false))).unwrap();
    assert_eq!(ids(&store), ["p.parquet:1"]);
}

#[test]
fn json_lines_keep_their_text() {
    let folder = tempfile::tempdir().unwrap();
    let id = "8F3B7C60-1C5E-4C5F-9D52-6D4A0EA34A11";
    let first = format!(r#"{{"class_uid":1007,"time":1690000000000,"metadata":{{"uid":"{id}"}},"mixed":1}}"#);
    let second =
        r#"{"class_uid":1007,"time":1,"start_time_dt":"2024-01-01T00:00:00Z","mixed":"a","nothing":null}"#;
    fs::write(folder.path().join("ocsf_events.jsonl"), format!("{first}\n{second}\n")).unwrap();
    let store = open(folder.path()).unwrap();
    assert_eq!(ids(&store), [id, "ocsf_events.jsonl:2"]);
    let sql = "SELECT mixed || coalesce(start_time_dt, '') FROM ocsf_events ORDER BY \"time\"";
    let found: Vec<String> = store.select(sql, &Cancel::never(), |row| row.get(0)).unwrap();
    assert_eq!(found, ["a2024-01-01T00:00:00Z", "1"]);
}

#[test]
fn a_partition_is_a_column_where_the_files_lack_it() {
    let folder = tempfile::tempdir().unwrap();
    let without = "SELECT 5::BIGINT AS \"time\", 'in file' AS region";
    write(&folder.path().join("class_uid=1007/region=west/p.parquet"), without);
    write(&folder.path().join("class_uid=4001/region=east/p.parquet"), without);
    let store = open(folder.path()).unwrap();
    let sql = "SELECT class_uid FROM ocsf_events ORDER BY 1";
    let found: Vec<i64> = store.select(sql, &Cancel::never(), |row| row.get(0)).unwrap();
    assert_eq!(found, [1007, 4001]);
    let files: Vec<PathBuf> = store.dataset().files.clone();
    assert_eq!(files.len(), 2);
}

#[test]
fn events_of_several_files_of_lines_are_named_by_file_and_line() {
    for attribute in ["other", "rowid"] {
        let folder = tempfile::tempdir().unwrap();
        let line = |more: &str| format!("{{\"class_uid\":1,\"time\":1,\"{attribute}\":7{more}}}\n");
        fs::write(folder.path().join("b.jsonl"), line("") + &line(",\"late\":1")).unwrap();
        fs::write(folder.path().join("a.ndjson"), line(",\"metadata.event_id\":\"named\"") + &line(""))
            .unwrap();
        let store =
            Store::open(Dataset::discover(folder.path()).unwrap(), SessionSettings::default()).unwrap();
        assert_eq!(ids(&store), ["a.ndjson:2", "b.jsonl:1", "b.jsonl:2", "named"]);
        let expected = ["class_uid", attribute, "late", "metadata.event_id", "time"];
        let mut columns: Vec<_> = store.schema().columns.keys().map(|path| path.as_str()).collect();
        columns.sort_unstable();
        let mut sorted = expected.to_vec();
        sorted.sort_unstable();
        assert_eq!(columns, sorted);
    }
}
