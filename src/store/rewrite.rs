//! Parquet from rows of our own: a second DuckDB session that knows nothing but the two files.
//!
//! The dataset's session may not write, as a COPY could overwrite what it reads.

use std::path::Path;

use duckdb::{Config, Connection};

use super::StoreError;
use super::sql_text::string;
use super::view::{absolute, escape_glob, string_list};

/// Longest row, in bytes of JSON.
const LONGEST: u32 = 256 << 20;

/// Writes the rows of a JSON Lines file as Parquet. `columns` are names and DuckDB types; what a row lacks is NULL.
///
/// # Errors
/// A path is no text that SQL can hold; a row does not fit its types; the file cannot be written.
pub(crate) fn parquet_of_json_lines(
    from: &Path,
    to: &Path,
    columns: &[(String, String)],
) -> Result<(), StoreError> {
    let (source, target) = (absolute(from)?, absolute(to)?);
    let pattern = escape_glob(&source)?;
    let config = Config::default()
        .enable_autoload_extension(false)?
        .with("autoinstall_known_extensions", "false")?
        .threads(1)?;
    let connection = Connection::open_in_memory_with_flags(config)?;
    connection.execute_batch(&format!(
        "SET temp_directory = '';
         SET allowed_paths = {};
         SET enable_external_access = false;
         SET lock_configuration = true",
        string_list(&[source, pattern.clone(), target.clone()])
    ))?;
    let columns: Vec<_> =
        columns.iter().map(|(name, kind)| format!("{}: {}", string(name), string(kind))).collect();
    let rows = format!(
        "read_json({}, format = 'newline_delimited', maximum_object_size = {LONGEST}, columns = {{{}}})",
        string(&pattern),
        columns.join(", ")
    );
    // Without a file of its own beside the target, which this session could not write.
    let options = "FORMAT parquet, USE_TMP_FILE false";
    connection.execute_batch(&format!("COPY (SELECT * FROM {rows}) TO {} ({options})", string(&target)))?;
    Ok(())
}
