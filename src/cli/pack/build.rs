//! `pack build`: one file of a pack and all that it extends.

use super::super::json::write_json;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::cli::text::one_line;
use crate::cli::workspace::findings;
use crate::cli::{CliError, Format};
use crate::pack::{self, DEFAULT_PACK, PackSource};

#[derive(Debug, Args)]
pub(in crate::cli) struct BuildArgs {
    /// The pack: a folder, or an id.
    #[arg(value_name = "DIR|ID", default_value = DEFAULT_PACK)]
    pack: String,
    /// The file to write; one that is there is replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// How to report what was written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Report {
    path: PathBuf,
    bytes: usize,
    files: usize,
    file_sha256: String,
    pack_sha256: String,
}

pub(super) fn run(args: &BuildArgs) -> Result<(), CliError> {
    let built = PackSource::find(&args.pack, Path::new(".")).and_then(|source| pack::build(&source));
    let built = built.map_err(|error| CliError::Configuration(findings(&error.findings)))?;
    write_whole(&args.out, &built.bytes)
        .map_err(|error| CliError::Configuration(format!("cannot write {}: {error}", args.out.display())))?;
    let report = Report {
        path: args.out.clone(),
        bytes: built.bytes.len(),
        files: built.files,
        file_sha256: built.file_sha256,
        pack_sha256: built.pack_sha256,
    };
    let mut out = io::stdout().lock();
    match args.format {
        Format::Json => {
            write_json(&mut out, &report)?;
        }
        Format::Human => {
            let path = args.out.display().to_string();
            writeln!(out, "{}: {} files, {} bytes", one_line(&path), report.files, report.bytes)?;
            writeln!(out, "file sha256  {}", report.file_sha256)?;
            writeln!(out, "pack sha256  {}", report.pack_sha256)?;
        }
    }
    Ok(())
}

/// Writes a file beside and renames it, so that there is never half of one.
pub(in crate::cli) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().ok_or_else(|| io::Error::other("it names no file"))?;
    let mut beside = OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(beside);
    let written = File::create(&beside)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        // Nothing more can be done about a file that cannot be removed either.
        let _ = fs::remove_file(&beside);
    }
    written
}
