//! What several test files share.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod equivalence;
pub mod vectors;

use std::path::PathBuf;

/// The corpus, where it is: `$SIGMA_OCSF_CORPUS`, else `../shared/corpus` beside the checkout. Says so where it
/// is not, since a test that needs it then checks nothing.
pub fn corpus() -> Option<PathBuf> {
    let folder = match std::env::var_os("SIGMA_OCSF_CORPUS") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus")),
    };
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no corpus at {}", folder.display());
    None
}
