//! `pack …`: write and check mapping packs; one file a subcommand.

mod build;
mod validate;

use clap::Subcommand;

use super::CliError;

#[derive(Debug, Subcommand)]
pub(super) enum PackCommand {
    /// Make one file of a pack and all that it extends.
    Build(build::BuildArgs),
    /// Check a pack against the pinned OCSF catalog and itself.
    Validate(validate::ValidateArgs),
}

pub(super) fn run(command: &PackCommand) -> Result<(), CliError> {
    match command {
        PackCommand::Build(args) => build::run(args),
        PackCommand::Validate(args) => validate::run(args),
    }
}
