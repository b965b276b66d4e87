//! Why the selected rule did or did not match, as far as it is known, and where the cursor stands in that.

use std::sync::Arc;

use crate::attribution::{Attribution, Finding, FunnelRow, MatchReason, NearMiss, Place, RowKind};

/// What is known of the selected rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct Why {
    /// Why it did or did not match, or why that cannot be said; `None` until it was asked for and found out.
    pub answer: Option<Result<Arc<Attribution>, String>>,
    /// Whether rule, pack or data have changed since.
    pub stale: bool,
}

/// The Why view, while it is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WhyView {
    /// The item under the cursor.
    pub cursor: usize,
    /// Lines that the details are scrolled by.
    pub scroll: usize,
    /// Whether the keys move in the source.
    pub in_source: bool,
}

/// A line of the Why view that the cursor can stand on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Item<'a> {
    /// A row of the funnel, and which.
    Row(usize, &'a FunnelRow),
    /// A rule under a correlation: its title, and its cause.
    Part(&'a str, &'a Finding),
    /// An event that nearly matches.
    Near(&'a NearMiss),
    /// An event that matches.
    Match(&'a MatchReason),
}

impl Why {
    /// Why the rule did or did not match.
    pub(crate) fn known(&self) -> Option<&Attribution> {
        self.answer.as_ref()?.as_deref().ok()
    }

    /// The same, where it still holds.
    pub(crate) fn fresh(&self) -> Option<&Attribution> {
        self.known().filter(|_| !self.stale)
    }

    /// All items, in the order that they are shown.
    pub(crate) fn items(&self) -> Vec<Item<'_>> {
        let Some(known) = self.known() else { return Vec::new() };
        let rows = known.funnel.iter().enumerate().map(|(at, row)| Item::Row(at, row));
        let parts = known.correlation.iter().flat_map(|correlation| &correlation.rules);
        let parts = parts.map(|(title, finding)| Item::Part(title, finding));
        let matches = known.matches.iter().map(Item::Match);
        rows.chain(parts).chain(known.nearest.iter().map(Item::Near)).chain(matches).collect()
    }

    /// The item that stands on a line of the source: of those around it the one that begins last.
    pub(crate) fn item_on(&self, line: u32) -> Option<usize> {
        let rows = self.known()?.funnel.iter().enumerate();
        let places = rows.filter_map(|(at, row)| Some((row.place?, (row.kind != RowKind::Selection, at))));
        let around = places.filter(|(place, _)| (place.line..=place.end_line).contains(&line));
        // A line that begins a selection stands for it, not for what the condition makes of it.
        around.min_by_key(|(place, order)| (u32::MAX - place.line, *order)).map(|(_, (_, at))| at)
    }

    /// The row that stands on a line of the source and begins there, where it still holds.
    pub(crate) fn row_on(&self, line: u32) -> Option<&FunnelRow> {
        let row = self.fresh()?.funnel.get(self.item_on(line)?)?;
        row.place.is_some_and(|place| place.line == line).then_some(row)
    }

    /// The item to begin with: the step that leaves no event, else the first one that stands in the rule.
    pub(crate) fn item_to_begin_with(&self) -> usize {
        let Some(known) = self.known() else { return 0 };
        let stopped = known.funnel.iter().position(|row| row.cumulative && row.events == 0);
        stopped.or_else(|| known.funnel.iter().position(|row| row.place.is_some())).unwrap_or(0)
    }
}

impl Item<'_> {
    /// Where it stands in the rule.
    pub(crate) fn place(&self) -> Option<Place> {
        match self {
            Self::Row(_, row) => row.place,
            Self::Part(..) => None,
            Self::Near(near) => near.failed.iter().find_map(|failure| failure.place),
            Self::Match(matched) => matched.evidence.iter().find_map(|evidence| evidence.place),
        }
    }
}
