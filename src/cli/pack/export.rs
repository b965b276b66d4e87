//! `pack export --pysigma`: a mapping pack as a processing pipeline for pySigma.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::super::json::write_json;
use super::build::write_whole;
use super::findings_to;
use crate::bridge::Settings;
use crate::cli::report::DiagnosticReport;
use crate::cli::text::one_line;
use crate::cli::workspace::findings;
use crate::cli::{CliError, Format};
use crate::pack::{self, DEFAULT_PACK, PackSource};
use crate::pysigma;

#[derive(Debug, Args)]
pub(in crate::cli) struct ExportArgs {
    /// The pack: a folder, an archive or an id.
    #[arg(value_name = "DIR|ID", default_value = DEFAULT_PACK)]
    pack: String,
    /// Write a processing pipeline as sigma-cli takes it.
    #[arg(long, required = true)]
    pysigma: bool,
    /// The file to write; one that is there is replaced. Without it, the pipeline goes to standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Map fields to raw.* where OCSF has no home for them.
    #[arg(long)]
    raw_fallback: bool,
    /// How to report what was written.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Report {
    routes: usize,
    mapped_fields: usize,
    failing_fields: usize,
    not_carried: Vec<DiagnosticReport>,
    /// The pipeline, where no file was named for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pipeline: Option<String>,
}

pub(super) fn run(args: &ExportArgs) -> Result<(), CliError> {
    let loaded = PackSource::find(&args.pack, Path::new(".")).and_then(|source| pack::load(&source));
    let loaded = loaded.map_err(|error| CliError::Configuration(findings(&error.findings)))?;
    let settings = Settings { raw_fallback: args.raw_fallback, ..Settings::default() };
    let exported = pysigma::export(&loaded.pack, &settings);
    if let Some(path) = &args.out {
        write_whole(path, exported.text.as_bytes())
            .map_err(|error| CliError::Configuration(format!("cannot write {}: {error}", path.display())))?;
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.format {
        Format::Json => {
            let report = Report {
                routes: exported.routes,
                mapped_fields: exported.mapped,
                failing_fields: exported.failing,
                not_carried: exported.findings.iter().map(DiagnosticReport::from).collect(),
                pipeline: args.out.is_none().then_some(exported.text),
            };
            write_json(&mut out, &report)?;
        }
        Format::Human => {
            let mut stderr = io::stderr().lock();
            findings_to(&mut stderr, &exported.findings)?;
            let totals = format!(
                "{} routes; fields mapped: {}, failing: {}; findings: {}",
                exported.routes,
                exported.mapped,
                exported.failing,
                exported.findings.len()
            );
            match &args.out {
                Some(path) => writeln!(out, "{}: {totals}", one_line(&path.display().to_string()))?,
                None => {
                    out.write_all(exported.text.as_bytes())?;
                    writeln!(stderr, "{totals}")?;
                }
            }
        }
    }
    Ok(out.flush()?)
}
