//! No subcommand: the screen.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use super::{CliError, Inputs};
use crate::pack::{self, PackSource};
use crate::tui;

pub(super) fn run(inputs: &Inputs, theme: Option<String>) -> Result<(), CliError> {
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return Err(CliError::Configuration(
            "the screen needs a terminal; `sigma-ocsf-tui check` prints the same facts as text".to_owned(),
        ));
    }
    if inputs.denies_raw_fallback() {
        return Err(CliError::Configuration(
            "the screen follows the pack's own policy on raw.*: take `raw_fallback_enabled: false` out of the \
             configuration, and `raw_fallback.enabled` out of the pack"
                .to_owned(),
        ));
    }
    // A pack that is not there is waited for on the screen, like one that does not load.
    let pack = inputs.pack_source().unwrap_or_else(|_| PackSource::Folder(PathBuf::from(inputs.pack_name())));
    // A pack that does not load is shown on the screen, where it is mended; until then one thread will do.
    let pack_threads = || pack::load(&pack).map_or(1, |loaded| loaded.pack.manifest.backend.threads);
    let options = tui::Options {
        rules: inputs.rule_paths().to_vec(),
        dataset: inputs.parquet.clone(),
        threads: inputs.compiling.threads.unwrap_or_else(pack_threads),
        pack,
        settings: inputs.compiling.settings(),
        theme,
    };
    tui::run(options).map_err(|error| CliError::Configuration(error.to_string()))
}
