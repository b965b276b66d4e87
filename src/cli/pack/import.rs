//! `pack import FILE`: a processing pipeline of pySigma as a mapping pack.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::super::json::write_json;
use super::findings_to;
use crate::cli::report::DiagnosticReport;
use crate::cli::text::one_line;
use crate::cli::workspace::findings;
use crate::cli::{CliError, Format};
use crate::pack::{self, PackSource};
use crate::pysigma::{self, ImportError, Imported};
use crate::sigma::yaml::MAX_BYTES;

#[derive(Debug, Args)]
pub(in crate::cli) struct ImportArgs {
    /// The processing pipeline, in YAML.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The folder to make; its name becomes the pack's id.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write nothing if anything is not carried.
    #[arg(long)]
    strict: bool,
    /// How to report what was written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Report {
    written: bool,
    routes: usize,
    aliases: usize,
    not_carried: Vec<DiagnosticReport>,
}

pub(super) fn run(args: &ImportArgs) -> Result<(), CliError> {
    let text = read(&args.file)?;
    let id = args.out.file_name().map(|name| name.to_string_lossy().into_owned());
    let id = id.ok_or_else(|| CliError::Configuration("--out names no folder".to_owned()))?;
    let imported = pysigma::import(&text, &args.file, &id).map_err(|error| refusal(&error))?;
    let gate = gate(args, &imported);
    if gate.is_none() {
        loads(&imported)?;
        write(&args.out, &imported.files)?;
    }
    report(args, &imported, gate.is_none())?;
    gate.map_or(Ok(()), |message| Err(CliError::Gate(message)))
}

fn read(path: &Path) -> Result<String, CliError> {
    let cannot = |why: String| CliError::Configuration(format!("cannot read {}: {why}", path.display()));
    let metadata = fs::metadata(path).map_err(|error| cannot(error.to_string()))?;
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX);
    if !metadata.is_file() || metadata.len() > limit {
        return Err(cannot(format!("it is no file of at most {MAX_BYTES} bytes")));
    }
    fs::read_to_string(path).map_err(|error| cannot(error.to_string()))
}

fn refusal(error: &ImportError) -> CliError {
    let mut text = Vec::new();
    // Writing to memory cannot fail.
    let _ = findings_to(&mut text, &error.findings);
    CliError::Configuration(format!("the pipeline cannot be read\n{}", String::from_utf8_lossy(&text)))
}

/// Why nothing is written.
fn gate(args: &ImportArgs, imported: &Imported) -> Option<String> {
    if imported.routes == 0 {
        return Some("no log source gets an OCSF class from this pipeline; nothing is written".to_owned());
    }
    let left_out = imported.findings.len();
    (args.strict && left_out > 0).then(|| format!("not carried: {left_out}; nothing is written"))
}

/// That the pack is sound is seen before it is written.
fn loads(imported: &Imported) -> Result<(), CliError> {
    let source = PackSource::Texts(imported.files.clone());
    let loaded = pack::load(&source).and_then(|_| pack::cases(&source));
    loaded.map(drop).map_err(|error| CliError::Configuration(findings(&error.findings)))
}

/// Writes the folder beside and renames it, so that there is never half of one.
fn write(folder: &Path, files: &BTreeMap<PathBuf, String>) -> Result<(), CliError> {
    let cannot =
        |error: io::Error| CliError::Configuration(format!("cannot write {}: {error}", folder.display()));
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) || folder.is_file() {
        return Err(cannot(io::Error::other("it is there, and is not empty")));
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    let write_all = || {
        for (path, text) in files {
            let path = beside.join(path);
            fs::create_dir_all(path.parent().unwrap_or(&beside))?;
            fs::write(path, text)?;
        }
        fs::rename(&beside, folder)
    };
    write_all().map_err(|error| {
        // Nothing more can be done about a folder that cannot be removed either.
        let _ = fs::remove_dir_all(&beside);
        cannot(error)
    })
}

fn report(args: &ImportArgs, imported: &Imported, written: bool) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.format {
        Format::Json => {
            let report = Report {
                written,
                routes: imported.routes,
                aliases: imported.aliases,
                not_carried: imported.findings.iter().map(DiagnosticReport::from).collect(),
            };
            write_json(&mut out, &report)?;
        }
        Format::Human => {
            findings_to(&mut out, &imported.findings)?;
            if written {
                let (folder, left_out) = (args.out.display().to_string(), imported.findings.len());
                let (routes, aliases) = (imported.routes, imported.aliases);
                let folder = one_line(&folder);
                writeln!(out, "{folder}: {routes} routes, {aliases} aliases; not carried: {left_out}")?;
            }
        }
    }
    out.flush()
}
