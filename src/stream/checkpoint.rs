//! Where a stream stands, as a file: what to go on from after an end of any kind.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::correlate::Held;
use super::lines::Position;

const SCHEMA_VERSION: u32 = 1;

/// Where a stream stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    schema_version: u32,
    /// How far the input is read.
    pub input: Position,
    /// How long the output was then, in bytes.
    pub output: u64,
    /// What the engine held then.
    pub engine: EngineState,
}

/// What an engine holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineState {
    pub(super) latest: Option<i64>,
    pub(super) closed: Option<i64>,
    /// By the name of the plan.
    pub(super) correlations: BTreeMap<String, CorrelationState>,
}

/// What a correlation holds; nothing where it held too much.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CorrelationState {
    pub(super) plan_sha256: String,
    pub(super) held: Option<Held>,
}

/// A checkpoint that cannot be read or kept.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// The file system refuses.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        error: io::Error,
    },
    /// It is not one.
    #[error("{}: not a checkpoint of this program: {error}; delete it to start from the beginning", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        error: serde_json::Error,
    },
    /// It is of another version.
    #[error("{}: a checkpoint of version {version}, and this program has version {SCHEMA_VERSION}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// Another process goes on from it.
    #[error("{}: another process is using this checkpoint", path.display())]
    InUse {
        /// The file.
        path: PathBuf,
    },
}

impl Checkpoint {
    /// A checkpoint.
    #[must_use]
    pub fn new(input: Position, output: u64, engine: EngineState) -> Self {
        Self { schema_version: SCHEMA_VERSION, input, output, engine }
    }

    /// Reads the checkpoint at `path`; `None` where there is none yet.
    ///
    /// # Errors
    /// It cannot be read, or is none of this version.
    pub fn read(path: &Path) -> Result<Option<Self>, CheckpointError> {
        let json = |error| CheckpointError::Json { path: path.to_owned(), error };
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(CheckpointError::Io { path: path.to_owned(), error }),
        };
        let checkpoint: Self = serde_json::from_slice(&text).map_err(json)?;
        match checkpoint.schema_version {
            SCHEMA_VERSION => Ok(Some(checkpoint)),
            version => Err(CheckpointError::Version { path: path.to_owned(), version }),
        }
    }

    /// Puts the checkpoint in place of the one at `path`, whole or not at all, also when the power fails.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn write(&self, path: &Path) -> Result<(), CheckpointError> {
        let failed = |error| CheckpointError::Io { path: path.to_owned(), error };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let text = serde_json::to_vec(self)
            .map_err(|error| CheckpointError::Json { path: path.to_owned(), error })?;
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(&text).and_then(|()| file.as_file().sync_all()).map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(())
    }
}

/// Keeps other processes from a checkpoint while it lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Locks the checkpoint at `path`, by a file beside it.
    ///
    /// # Errors
    /// Another process holds it; the file system refuses.
    pub fn take(path: &Path) -> Result<Self, CheckpointError> {
        let mut beside = path.as_os_str().to_owned();
        beside.push(".lock");
        let failed = |error| CheckpointError::Io { path: PathBuf::from(&beside), error };
        let file =
            OpenOptions::new().create(true).truncate(false).write(true).open(&beside).map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(Errno::WOULDBLOCK) => Err(CheckpointError::InUse { path: path.to_owned() }),
            Err(error) => Err(failed(error.into())),
        }
    }
}
