//! The binary: everything is in the library.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Rules, plans and SQL are many small texts: the system's allocator takes a third of the time of compiling them.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    sigma_ocsf_tui::cli::main()
}
