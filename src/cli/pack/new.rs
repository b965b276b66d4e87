//! `pack new`: the files of a pack to begin with.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use crate::authoring::{ScaffoldError, scaffold};
use crate::cli::CliError;
use crate::cli::text::one_line;

#[derive(Debug, Args)]
pub(in crate::cli) struct NewArgs {
    /// The folder to make; its name is the pack's id.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Packs to build on: ids, or folders beside it. Without, a first route, alias and test are written.
    #[arg(long, value_name = "PACK", value_delimiter = ',')]
    extends: Vec<String>,
}

pub(super) fn run(args: &NewArgs) -> Result<(), CliError> {
    let files = scaffold(&args.folder, &args.extends).map_err(|error| match error {
        ScaffoldError::Io { .. } => CliError::Data(error.to_string()),
        _ => CliError::Configuration(error.to_string()),
    })?;
    let mut out = io::stdout().lock();
    for file in files {
        writeln!(out, "{}", one_line(&args.folder.join(file).display().to_string()))?;
    }
    let folder = args.folder.display().to_string();
    writeln!(
        out,
        "next: write routes, aliases and tests, and run `sigma-ocsf-tui pack test {}`",
        one_line(&folder)
    )?;
    Ok(())
}
