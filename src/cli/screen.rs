//! No subcommand: the screen.

use std::io::{self, IsTerminal};
use std::path::PathBuf;

use super::{Cli, CliError};
use crate::pack::{self, PackSource};
use crate::tui::{self, TuiError};

pub(super) fn run(cli: &Cli) -> Result<(), CliError> {
    let inputs = &cli.inputs;
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
    let options = tui::Options {
        rules: inputs.rule_paths().to_vec(),
        dataset: inputs.parquet.clone(),
        range: inputs.reading.range()?,
        threads: inputs.compiling.threads.unwrap_or_else(|| pack::session_threads(&pack)),
        pack,
        settings: inputs.compiling.settings(),
        theme: cli.theme.clone(),
        bell: cli.bell,
        title: !cli.no_title,
        cache: !cli.no_cache,
    };
    let ended = tui::run(options);
    if let Err(TuiError::Signal(signal)) = ended {
        // Whoever waits for the program is to see what it died of. Returns only where that cannot be done.
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
    ended.map_err(|error| CliError::Configuration(error.to_string()))
}
