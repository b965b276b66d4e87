//! The shipped pack against the recordings of the shared corpus.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sigma_ocsf_tui::ocsf::FieldType;
use sigma_ocsf_tui::pack::{Column, DEFAULT_PACK, FilterOp, Pack, PackSource, Route, RouteFilter, load};

/// The mordor run, or a word about why there is none.
fn mordor() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let corpus = std::env::var_os("SIGMA_OCSF_CORPUS").map_or(beside, PathBuf::from);
    let events = corpus.join("runs/mordor/normalized/ocsf_events");
    if !events.is_dir() {
        println!("skipped: there is no corpus at {}", corpus.display());
        return None;
    }
    Some(events)
}

fn shipped() -> Pack {
    let loaded = load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).unwrap();
    assert_eq!(loaded.warnings, []);
    loaded.pack
}

/// Every column that an alias or a filter of the pack reads.
fn columns(pack: &Pack) -> BTreeSet<Column> {
    let aliases = pack.aliases.values().flat_map(BTreeMap::values).flatten();
    let read = aliases.flat_map(|alias| alias.target.columns().into_iter().cloned());
    let filters = pack.routes.iter().flat_map(|route| &route.filters).map(|filter| Column {
        path: filter.path.clone(),
        field_type: filter.field_type,
        list: filter.list,
    });
    read.chain(filters).collect()
}

/// Column names of the run, with DuckDB's types.
fn schema(events: &Path) -> BTreeMap<String, String> {
    let session = duckdb::Connection::open_in_memory().unwrap();
    let files = format!("{}/*.parquet", events.display()).replace('\'', "''");
    let query = format!("DESCRIBE SELECT * FROM read_parquet('{files}', union_by_name = true)");
    let mut statement = session.prepare(&query).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// The type that the run has at `path`; that of a member where the run holds a LIST of STRUCTs.
fn actual(schema: &BTreeMap<String, String>, path: &str) -> Option<(String, bool)> {
    if let Some(kind) = schema.get(path) {
        return Some((kind.clone(), kind.ends_with("[]")));
    }
    let (list, member) = path.rsplit_once('.')?;
    let members = schema.get(list)?.strip_prefix("STRUCT(")?.strip_suffix(")[]")?;
    let kind = members.split(", ").find_map(|part| {
        let (name, kind) = part.split_once(' ')?;
        (name.trim_matches('"') == member).then_some(kind)
    })?;
    Some((kind.to_owned(), true))
}

fn family(field_type: FieldType) -> &'static [&'static str] {
    match field_type {
        FieldType::String => &["VARCHAR"],
        FieldType::Integer => &["INTEGER", "BIGINT"],
        FieldType::Timestamp => &["BIGINT"],
        FieldType::Float => &["FLOAT", "DOUBLE"],
        FieldType::Boolean => &["BOOLEAN"],
    }
}

#[test]
fn the_run_has_the_types_that_the_catalog_says() {
    let Some(events) = mordor() else { return };
    let schema = schema(&events);
    let columns = columns(&shipped());
    let mut filled = 0;
    for column in &columns {
        let Some((kind, list)) = actual(&schema, column.path.as_str()) else { continue };
        filled += 1;
        assert!(family(column.field_type).contains(&kind.as_str()), "{}: {kind}", column.path);
        assert_eq!(list, column.list, "{}", column.path);
    }
    println!("{filled} of {} columns are in the run", columns.len());
    // The recordings are of Windows; of the packs for it they fill nearly all.
    assert!(filled > 200, "the run should have most columns of the Windows packs, and has {filled}");
}

/// A filter as SQL, for the operators that the shipped pack uses.
fn predicate(filter: &RouteFilter) -> String {
    let values = match (&filter.op, &filter.value) {
        (FilterOp::Eq, value) => vec![value],
        (FilterOp::In, Value::Array(values)) => values.iter().collect(),
        _ => panic!("a filter of another kind: {filter:?}"),
    };
    let values: Vec<_> = values.into_iter().map(|value| value.to_string().replace('"', "'")).collect();
    format!("\"{}\" IN ({})", filter.path, values.join(", "))
}

/// Categories of Windows that the recordings have events of.
const RECORDED: [&str; 19] = [
    "create_remote_thread",
    "create_stream_hash",
    "dns_query",
    "file_change",
    "file_delete",
    "file_event",
    "image_load",
    "network_connection",
    "pipe_created",
    "process_access",
    "process_creation",
    "process_termination",
    "ps_classic_start",
    "ps_module",
    "ps_script",
    "raw_access_thread",
    "registry_add",
    "registry_event",
    "registry_set",
];

#[test]
fn every_route_finds_events() {
    let Some(events) = mordor() else { return };
    let session = duckdb::Connection::open_in_memory().unwrap();
    let files = format!("{}/*.parquet", events.display()).replace('\'', "''");
    let shipped = shipped();
    let is_recorded = |route: &&Route| {
        route.product.as_deref() == Some("windows")
            && route.category.as_deref().is_some_and(|category| RECORDED.contains(&category))
    };
    let recorded: Vec<&Route> = shipped.routes.iter().filter(is_recorded).collect();
    assert!(recorded.len() >= RECORDED.len());
    for route in recorded {
        let classes: Vec<_> = route.class_uids.iter().map(ToString::to_string).collect();
        let filters: Vec<_> = route.filters.iter().map(predicate).collect();
        let scope = format!("class_uid IN ({}) AND {}", classes.join(", "), filters.join(" AND "));
        let query = format!("SELECT count(*) FROM '{files}' WHERE {scope}");
        let count: i64 = session.query_row(&query, [], |row| row.get(0)).unwrap();
        println!("{count:>8} {:?} {:?}", route.category, route.service);
        assert!(count > 0, "no event is in {scope}");
    }
}
