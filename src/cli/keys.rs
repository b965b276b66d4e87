//! `keys`: the keys of the screen, as a `keys.yaml` to start from.

use std::io::{self, Write};

use clap::Args;

use super::CliError;
use crate::tui;

#[derive(Debug, Args)]
pub(super) struct KeysArgs {
    /// The keys as shipped, whatever keys.yaml says.
    #[arg(long)]
    defaults: bool,
}

pub(super) fn run(args: &KeysArgs) -> Result<(), CliError> {
    let keys = tui::keys(args.defaults);
    io::stdout().lock().write_all(keys.text.as_bytes())?;
    match keys.findings.is_empty() {
        true => Ok(()),
        false => Err(CliError::Configuration(keys.findings.join("\n"))),
    }
}
