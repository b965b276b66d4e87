//! `pack release`: the next version of a pack that is sound, tested and written about.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::civil::Date;

use crate::authoring::{Bump, CasesError, ReleaseError, plan_release};
use crate::cli::CliError;
use crate::cli::text::one_line;
use crate::cli::workspace::findings;

#[derive(Debug, Args)]
pub(in crate::cli) struct ReleaseArgs {
    /// The folder of the pack.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Which part of the version goes up.
    #[arg(long, value_enum)]
    bump: BumpArg,
    /// The day of the release, for CHANGELOG.md.
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<Date>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum BumpArg {
    /// Rules that ran may be refused, or match otherwise.
    Major,
    /// More rules run.
    Minor,
    /// The same rules run, better.
    Patch,
}

impl From<BumpArg> for Bump {
    fn from(bump: BumpArg) -> Self {
        match bump {
            BumpArg::Major => Self::Major,
            BumpArg::Minor => Self::Minor,
            BumpArg::Patch => Self::Patch,
        }
    }
}

pub(super) fn run(args: &ReleaseArgs) -> Result<(), CliError> {
    let release = plan_release(&args.folder, args.bump.into(), args.date).map_err(refusal)?;
    release.write().map_err(refusal)?;
    let mut out = io::stdout().lock();
    let folder = args.folder.display().to_string();
    let folder = one_line(&folder);
    let meaning = if release.changed { "changed since the last release" } else { "unchanged" };
    writeln!(out, "validate: no findings")?;
    writeln!(out, "test:     all pass, and leave nothing out")?;
    writeln!(out, "meaning:  {meaning}")?;
    writeln!(out, "version:  {} in {folder}/pack.yaml and {folder}/CHANGELOG.md", release.version)?;
    writeln!(out, "sha256:   {}", release.sha256)?;
    writeln!(out, "next: sigma-ocsf-tui pack build {folder}")?;
    Ok(())
}

fn refusal(error: ReleaseError) -> CliError {
    match error {
        ReleaseError::Pack(error) | ReleaseError::Cases(CasesError::Pack(error)) => {
            CliError::Configuration(findings(&error.findings))
        }
        ReleaseError::Cases(_) | ReleaseError::File { .. } => CliError::Data(error.to_string()),
        ReleaseError::Version(_) => CliError::Configuration(error.to_string()),
        ReleaseError::Warnings(_)
        | ReleaseError::Tests { .. }
        | ReleaseError::Unwritten { .. }
        | ReleaseError::Ahead { .. } => CliError::Gate(error.to_string()),
    }
}
