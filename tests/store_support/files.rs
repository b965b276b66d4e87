//! Small datasets, made by DuckDB in a session of its own.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;

/// Writes what `select` yields to a Parquet file, or, by its name, to JSON Lines.
pub fn write(path: &Path, select: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let format = if path.extension().is_some_and(|e| e == "jsonl") { "json" } else { "parquet" };
    let connection = duckdb::Connection::open_in_memory().unwrap();
    let target = path.to_str().unwrap().replace('\'', "''");
    connection.execute_batch(&format!("COPY ({select}) TO '{target}' (FORMAT {format})")).unwrap();
}
