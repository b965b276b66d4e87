//! The binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    sigma_ocsf_tui::cli::main()
}
