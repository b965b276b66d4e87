//! `completions SHELL`: a completion script, made from the same definition as `--help`.

use std::io::{self, Write};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Cli, CliError};

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// The shell to print for.
    shell: Shell,
}

pub(super) fn run(args: &CompletionsArgs) -> Result<(), CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "sigma-ocsf-tui", &mut script);
    Ok(io::stdout().lock().write_all(&script)?)
}
