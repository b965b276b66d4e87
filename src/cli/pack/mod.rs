//! `pack …`: write and check mapping packs; one file a subcommand.

mod validate;

use clap::Subcommand;

use super::CliError;

#[derive(Debug, Subcommand)]
pub(super) enum PackCommand {
    /// Check a pack against the pinned OCSF catalog and itself.
    Validate(validate::ValidateArgs),
}

pub(super) fn run(command: &PackCommand) -> Result<(), CliError> {
    match command {
        PackCommand::Validate(args) => validate::run(args),
    }
}
