//! What is known of the pack and the dataset.

use std::path::PathBuf;
use std::sync::Arc;

use crate::bridge::Diagnostic;
use crate::pack::Pack;
use crate::store::{EventIdSource, TimeRange};

/// What is known of the mapping pack.
#[derive(Clone, Debug, Default)]
pub(crate) struct PackState {
    /// The pack that the rules were compiled with.
    pub info: Option<PackInfo>,
    /// The same, whole.
    pub loaded: Option<Arc<Pack>>,
    /// Why the pack as it now stands does not load; empty where it does.
    pub errors: Vec<Diagnostic>,
    /// What else was found in it.
    pub warnings: Vec<Diagnostic>,
}

impl PackState {
    /// Whether the rules were compiled with a pack that is no longer what the files say.
    pub(crate) fn is_stale(&self) -> bool {
        self.info.is_some() && !self.errors.is_empty()
    }
}

/// Which pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PackInfo {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: String,
}

/// What is known of the dataset.
#[derive(Clone, Debug, Default)]
pub(crate) struct DatasetState {
    /// What the user named; `None` where nothing was.
    pub root: Option<PathBuf>,
    /// Which of its events are read.
    pub range: TimeRange,
    /// The dataset that answers.
    pub info: Option<DatasetInfo>,
    /// Why the dataset as it now stands does not open.
    pub error: Option<String>,
    /// Which opening of it answers.
    pub opened: u64,
    /// Whether it has changed during a run, and is opened anew when that ends.
    pub due: bool,
    /// What was said of files that are not read yet.
    pub unfinished: Option<String>,
}

impl DatasetState {
    /// Whether its events are followed as they come.
    pub(crate) fn is_followed(&self) -> bool {
        self.info.as_ref().is_some_and(|info| info.lines.is_some())
    }

    /// How far the dataset that answers goes, to tell later matches from earlier ones: how many lines it has, or which
    /// opening it is.
    pub(crate) fn moment(&self) -> u64 {
        self.info.as_ref().and_then(|info| info.lines).unwrap_or(self.opened)
    }
}

/// How a dataset differs from the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DatasetChange {
    /// In nothing.
    #[default]
    None,
    /// Files have come, or lines; what was there is as it was.
    Grown,
    /// In any other way, or there was none.
    Other,
}

/// A dataset that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DatasetInfo {
    /// Events in all files.
    pub events: u64,
    /// Files.
    pub files: usize,
    /// Lines, where events are JSON Lines: those are followed as they come.
    pub lines: Option<u64>,
    /// Which column names an event.
    pub event_id: EventIdSource,
    /// What differs between the files, the gravest first.
    pub drift: Vec<String>,
}
