//! `pack validate`: everything that is wrong or odd in a mapping pack.

use super::super::json::write_json;
use std::io::{self, Write};
use std::path::Path;

use clap::Args;
use serde::Serialize;

use crate::bridge::{Diagnostic, Severity};
use crate::cli::report::DiagnosticReport;
use crate::cli::text::one_line;
use crate::cli::{CliError, Format};
use crate::pack::{self, DEFAULT_PACK, PackSource};

#[derive(Debug, Args)]
pub(in crate::cli) struct ValidateArgs {
    /// The pack: a folder, or an id.
    #[arg(value_name = "DIR|ID", default_value = DEFAULT_PACK)]
    pack: String,
    /// Warnings fail, too.
    #[arg(long)]
    strict: bool,
    /// How to write the findings.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Findings {
    errors: usize,
    warnings: usize,
    findings: Vec<DiagnosticReport>,
}

pub(super) fn run(args: &ValidateArgs) -> Result<(), CliError> {
    let loaded = PackSource::find(&args.pack, Path::new(".")).and_then(|source| pack::load(&source));
    let mut found = match loaded {
        Ok(loaded) => loaded.warnings,
        Err(error) => [error.findings, error.warnings].concat(),
    };
    found.sort_by(|a, b| (&a.path, a.span.start).cmp(&(&b.path, b.span.start)));
    let errors = found.iter().filter(|finding| finding.code.severity == Severity::Error).count();
    let warnings = found.len() - errors;
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.format {
        Format::Json => {
            let findings = found.iter().map(DiagnosticReport::from).collect();
            write_json(&mut out, &Findings { errors, warnings, findings })?;
        }
        Format::Human => human(&mut out, &found)?,
    }
    out.flush()?;
    match errors > 0 || (args.strict && warnings > 0) {
        true => Err(CliError::Gate(format!("the pack has {errors} errors and {warnings} warnings"))),
        false => Ok(()),
    }
}

fn human(out: &mut impl Write, findings: &[Diagnostic]) -> io::Result<()> {
    for finding in findings {
        let (place, code) = (finding.span.start, finding.code);
        let path = finding.path.display().to_string();
        writeln!(out, "{}:{place}: {}: {}", one_line(&path), code.name, one_line(&finding.message))?;
        if let Some(help) = &finding.help {
            writeln!(out, "  help: {}", one_line(help))?;
        }
    }
    if findings.is_empty() {
        writeln!(out, "the pack is sound")?;
    }
    Ok(())
}
