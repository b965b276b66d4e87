//! Matches that come in while the dataset grows: what is new since the user looked.

use super::{Outcome, RuleEntry};

/// How new matches are told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Live {
    /// Lines that rules have been asked of, where events are followed.
    pub lines: u64,
    /// Whether the events are read from their beginning when they are followed next.
    pub anew: bool,
    /// Whether the terminal's bell rings.
    pub bell: bool,
    /// New matches of all rules as they were last told of.
    pub told: u64,
}

/// A rule's matches as they were when the user last looked at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Looked {
    /// How many there were.
    pub matches: u64,
    /// As of which moment of the dataset ([`DatasetState::moment`](super::DatasetState::moment)).
    pub at: u64,
}

impl RuleEntry {
    /// Takes in a count, as of a moment of the dataset. The first one is nothing new.
    pub(crate) fn counted(&mut self, outcome: Outcome, moment: u64) {
        self.outcome = outcome;
        let Some(matches) = self.matches() else { return };
        self.counted_at = moment;
        match &mut self.looked {
            Some(looked) => looked.matches = looked.matches.min(matches),
            none => *none = Some(Looked { matches, at: moment }),
        }
    }

    /// Matches that have come since the user last looked.
    pub(crate) fn arrived(&self) -> u64 {
        let before = self.looked.map_or(u64::MAX, |looked| looked.matches);
        self.matches().unwrap_or(0).saturating_sub(before)
    }

    /// The user has seen all there is.
    pub(crate) fn look(&mut self) {
        let at = self.counted_at;
        self.looked = self.matches().map(|matches| Looked { matches, at });
    }

    /// How many matches it has, as far as is known.
    pub(crate) fn matches(&self) -> Option<u64> {
        match &self.outcome {
            Outcome::Ran { summary, .. } => Some(summary.matches),
            Outcome::NotRun | Outcome::NoEvents | Outcome::Failed(_) => None,
        }
    }
}
