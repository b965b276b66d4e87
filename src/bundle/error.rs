//! Why a bundle could not be written or read.

use std::io;
use std::path::{Path, PathBuf};

/// A bundle that cannot be written or read. What a readable bundle has wrong is a [`super::Difference`] instead.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// A bundle is there, and was not to be replaced.
    #[error("there is a bundle at '{}' already: take another folder, or replace it with --force", path.display())]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// Something else is there.
    #[error(
        "'{}' is no bundle of this program, as it holds '{}': nothing there is replaced; take another folder",
        path.display(), entry.escape_debug()
    )]
    Foreign {
        /// Where.
        path: PathBuf,
        /// What is no part of a bundle; empty where the path is no folder.
        entry: String,
    },
    /// A path without a name of its own, such as `..`.
    #[error("'{}' does not name a folder to write", path.display())]
    NoName {
        /// The path.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("'{}': {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is not what a bundle has there.
    #[error("'{}' is not what a bundle has there: {source}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl BundleError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::Io { path, source }
    }

    pub(super) fn json(path: &Path) -> impl FnOnce(serde_json::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::Json { path, source }
    }
}
