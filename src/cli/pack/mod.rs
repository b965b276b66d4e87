//! `pack …`: write and check mapping packs; one file a subcommand.

mod build;
mod coverage;
mod diff;
mod export;
mod import;
mod junit;
mod new;
mod release;
mod suggest;
mod test;
mod validate;

use std::io::{self, Write};

use clap::Subcommand;

use super::CliError;
use super::text::one_line;
use crate::bridge::{Diagnostic, Severity};

pub(super) use build::write_whole;
pub(super) use junit::failure as junit_failure;
pub(super) use test::{TestFormat, shown};

#[derive(Debug, Subcommand)]
pub(super) enum PackCommand {
    /// Begin a pack: a folder with a route, an alias and a test that passes.
    New(new::NewArgs),
    /// Make the next version of a pack that is sound, tested and written about.
    Release(release::ReleaseArgs),
    /// Make one file of a pack and all that it extends.
    Build(build::BuildArgs),
    /// Check a pack against the pinned OCSF catalog and itself.
    Validate(validate::ValidateArgs),
    /// Run the tests of a pack, and of the packs that it extends.
    Test(test::TestArgs),
    /// Show what each route and alias is for, and what the events have there.
    Coverage(coverage::CoverageArgs),
    /// Tell what one pack says and does otherwise than another.
    Diff(diff::DiffArgs),
    /// Propose aliases for the fields that rules name and the pack does not know, with evidence and effect.
    Suggest(suggest::SuggestArgs),
    /// Make a pack of a pySigma processing pipeline, and list what it cannot carry.
    Import(import::ImportArgs),
    /// Make a pySigma processing pipeline of a pack, and list what it cannot carry.
    Export(export::ExportArgs),
}

pub(super) fn run(command: &PackCommand) -> Result<(), CliError> {
    match command {
        PackCommand::New(args) => new::run(args),
        PackCommand::Release(args) => release::run(args),
        PackCommand::Build(args) => build::run(args),
        PackCommand::Validate(args) => validate::run(args),
        PackCommand::Test(args) => test::run(args),
        PackCommand::Coverage(args) => coverage::run(args),
        PackCommand::Diff(args) => diff::run(args),
        PackCommand::Suggest(args) => suggest::run(args),
        PackCommand::Import(args) => import::run(args),
        PackCommand::Export(args) => export::run(args),
    }
}

/// Findings with their places, one a line.
fn findings_to(out: &mut impl Write, findings: &[Diagnostic]) -> io::Result<()> {
    for finding in findings {
        let severity = match finding.code.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let (path, start, code) = (finding.path.display().to_string(), finding.span.start, finding.code.name);
        writeln!(out, "{}:{start}: {severity}: {code}: {}", one_line(&path), one_line(&finding.message))?;
    }
    Ok(())
}
