//! The dataset's files between one opening and the next: which have arrived, and whether anything else has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::Report;
use super::query::Wanted;
use crate::evaluate::{self, Cancel, EvalError, Runnable};
use crate::store::{
    self, Dataset, Format, Later, SessionSettings, Stamp, Store, StoreError, TimeRange, Unfinished,
};
use crate::tui::model::{DatasetChange, DatasetInfo};

/// New matches of one rule that are told apart: many more than anybody looks through.
const ARRIVALS: usize = 10_000;

/// What is known of the files that are open.
#[derive(Default)]
pub(super) struct Growth {
    /// Each file of the open dataset.
    stamps: BTreeMap<PathBuf, Option<Stamp>>,
    /// At which opening the files came that were not there at the first.
    arrived: BTreeMap<PathBuf, u64>,
    /// Of lines: how many there were.
    rows: u64,
    /// Files that could not be read, which is not tried again as long as they stay as they are.
    unreadable: BTreeMap<PathBuf, (Option<Stamp>, String)>,
}

/// A dataset as it was found.
pub(super) struct Found {
    pub(super) info: DatasetInfo,
    pub(super) change: DatasetChange,
    pub(super) unfinished: Vec<Unfinished>,
}

impl Growth {
    /// Opens the complete files of a dataset, where they are not the ones that `store` has open.
    pub(super) fn open(
        &mut self,
        (root, range): (&Path, TimeRange),
        generation: u64,
        settings: SessionSettings,
        store: &mut Option<Store>,
    ) -> Result<Found, StoreError> {
        let (mut dataset, mut unfinished) = Dataset::discover_complete(root)?;
        dataset.files.retain(|path| match self.unreadable.get(path) {
            Some((stamp, why)) if *stamp == stamp_of(path) => {
                unfinished.push(Unfinished { path: path.clone(), why: why.clone() });
                false
            }
            _ => true,
        });
        // The end of a line that is being written comes in a moment.
        let is_written = |open: &&Store| {
            let mut files = unfinished.iter().map(|file| &file.path);
            open.dataset().format == Format::JsonLines
                && files.any(|file| open.dataset().files.contains(file))
        };
        if let Some(open) = store.as_ref().filter(is_written) {
            return Ok(Found { info: self.info(open), change: DatasetChange::None, unfinished });
        }
        if let (true, Some(first)) = (dataset.files.is_empty(), unfinished.first()) {
            return Err(StoreError::Unfinished { path: first.path.clone(), why: first.why.clone() });
        }
        // Taken before the files are read: one that changes meanwhile is seen to have changed.
        let stamps: BTreeMap<_, _> =
            dataset.files.iter().map(|path| (path.clone(), stamp_of(path))).collect();
        if let Some(open) = store.as_ref().filter(|_| stamps == self.stamps) {
            return Ok(Found { info: self.info(open), change: DatasetChange::None, unfinished });
        }
        let (opened, unreadable) = Store::open_readable(dataset.within(range), settings)?;
        self.unreadable = unreadable
            .iter()
            .map(|file| (file.path.clone(), (stamps.get(&file.path).copied().flatten(), file.why.clone())))
            .collect();
        unfinished.extend(unreadable);
        let kept = |path: &PathBuf| opened.dataset().files.binary_search(path).is_ok();
        let stamps = stamps.into_iter().filter(|(path, _)| kept(path)).collect();
        let mut change = self.take_in(stamps, generation, opened.dataset().format);
        let rows = opened.lines()?;
        if rows < self.rows {
            // It was cut, and has other lines now.
            change = DatasetChange::Other;
        }
        self.rows = rows;
        let info = self.info(&opened);
        *store = Some(opened);
        Ok(Found { info, change, unfinished })
    }

    fn info(&self, store: &Store) -> DatasetInfo {
        DatasetInfo {
            events: store.schema().events,
            files: store.dataset().files.len(),
            lines: (store.dataset().format == Format::JsonLines).then_some(self.rows),
            event_id: store.schema().event_id,
            drift: store::drift_told(&store.schema().drift),
        }
    }

    /// Takes over what is open now, and tells how it differs from before.
    fn take_in(
        &mut self,
        stamps: BTreeMap<PathBuf, Option<Stamp>>,
        generation: u64,
        format: Format,
    ) -> DatasetChange {
        if stamps == self.stamps {
            return DatasetChange::None;
        }
        let before = std::mem::replace(&mut self.stamps, stamps);
        // A file of lines grows; one of Parquet is made anew.
        let stays = |(path, stamp): (&PathBuf, &Option<Stamp>)| match format {
            Format::Parquet => self.stamps.get(path) == Some(stamp),
            Format::JsonLines => self.stamps.contains_key(path),
        };
        if before.is_empty() || !before.iter().all(stays) {
            self.arrived.clear();
            return DatasetChange::Other;
        }
        let new = self.stamps.keys().filter(|path| !before.contains_key(*path));
        self.arrived.extend(new.map(|path| (path.clone(), generation)));
        DatasetChange::Grown
    }

    /// What came after an opening, or after so many lines.
    fn since(&self, moment: u64, format: Format) -> Later {
        match format {
            // Of several files, later lines stand between earlier ones.
            Format::JsonLines if self.rows > moment && self.stamps.len() == 1 => Later::Row(moment),
            Format::JsonLines => Later::Files(Vec::new()),
            Format::Parquet => {
                let later = self.arrived.iter().filter(|(_, arrived)| **arrived > moment);
                Later::Files(later.map(|(path, _)| path.clone()).collect())
            }
        }
    }

    /// The matches of a rule that came after a moment ([`DatasetState::moment`](crate::tui::model::DatasetState::moment));
    /// `None` where nobody waits for them.
    pub(super) fn arrivals(
        &self,
        generation: u64,
        (_, compiled): &Wanted,
        since: u64,
        store: &mut Store,
        cancel: &Cancel,
    ) -> Option<Report> {
        let later = self.since(since, store.dataset().format);
        let found = match Runnable::of(compiled) {
            _ if later.is_empty() => Ok(BTreeSet::new()),
            Some(Runnable::Event(plan, sql)) => {
                evaluate::matches_within(store, (plan, sql), &later, ARRIVALS, cancel)
            }
            Some(Runnable::Correlation(plan, sql)) => {
                evaluate::windows_within(store, (plan, sql), &later, ARRIVALS, cancel)
            }
            None => return None,
        };
        match found {
            Err(EvalError::Cancelled) => None,
            // What is wrong with the rule is told with its matches.
            found => Some(Report::Arrived { generation, ids: found.unwrap_or_default() }),
        }
    }
}

/// `None` for a file that has gone.
fn stamp_of(path: &Path) -> Option<Stamp> {
    Stamp::of(path).ok()
}
