//! Why there is no report.

use std::io;
use std::path::PathBuf;

use crate::bundle::BundleError;

/// A bundle that cannot be reported on.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The bundle cannot be read.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// The file of causes cannot be read.
    #[error("'{}': {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is something else.
    #[error(
        "'{}' is not what `coverage RULES --parquet PATH --attribute --format json` writes: {source}",
        path.display()
    )]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// It says no causes.
    #[error("'{}' has no causes: write it with `coverage RULES --parquet PATH --attribute --format json`", path.display())]
    NotAttributed {
        /// The file.
        path: PathBuf,
    },
    /// It is of another run.
    #[error(
        "'{}' is not of this run: it has {found} where the bundle has {expected}; write it anew with the same rules, pack and events",
        path.display()
    )]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// What the bundle has.
        expected: String,
        /// What the file has.
        found: String,
    },
}
