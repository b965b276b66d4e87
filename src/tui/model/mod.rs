//! The state of the screen, as plain data. Changed by [`super::update`] alone, drawn by [`super::view`].
//!
//! Knows no thread, no terminal and no clock.

mod baseline;
mod coverage;
mod entry;
mod event;
mod filter;
mod inputs;
pub(crate) mod list;
mod overlay;
mod palette;
mod welcome;
mod why;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

pub(crate) use baseline::{Baseline, Drift};
pub(crate) use coverage::{AliasAway, CoverageLine, CoverageView, Figure};
pub(crate) use entry::{Outcome, RuleEntry, RuleKey, Verdict};
pub(crate) use event::{EventAnswer, EventView, Node, Shown, value_text};
pub(crate) use filter::Filter;
pub(crate) use inputs::{DatasetInfo, DatasetState, PackInfo, PackState};
pub(crate) use overlay::{
    Answer, Bench, Changes, ChangesView, ExportPrompt, Overlay, Proposals, Proposed, Said,
};
pub(crate) use palette::{Found, Palette};
pub(crate) use welcome::Welcome;
pub(crate) use why::{Item, Why, WhyView};

use crate::authoring::{AliasEdit, Fills};
use crate::evaluate::{MatchRow, MatchTable, Order, Slice};
use crate::tui::Options;
use crate::tui::highlight::Highlights;
use crate::tui::theme::{Theme, ThemeListing};
use crate::tui::workspace::Workspace;
use list::RuleList;

/// A region of the screen that can have the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Pane {
    /// The rule list.
    Rules,
    /// The text of the selected rule.
    Source,
    /// Its route and what became of its fields.
    Route,
    /// Its SQL.
    Sql,
    /// The events that it matches.
    Matches,
}

impl Pane {
    /// All of them, in the order of their numbers.
    pub(crate) const ALL: [Self; 5] = [Self::Rules, Self::Source, Self::Route, Self::Sql, Self::Matches];

    /// The key that focuses it.
    pub(crate) fn number(self) -> usize {
        self as usize + 1
    }

    /// As its title says.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rules => "Rules",
            Self::Source => "Source",
            Self::Route => "Route & aliases",
            Self::Sql => "SQL",
            Self::Matches => "Matches",
        }
    }

    /// As the tab bar of a small screen says.
    pub(crate) fn short_name(self) -> &'static str {
        if self == Self::Route { "Route" } else { self.name() }
    }

    /// The pane so many steps on, around the end.
    pub(crate) fn step(self, by: usize) -> Self {
        Self::ALL.into_iter().cycle().nth(self as usize + by).unwrap_or(self)
    }
}

/// How far a pane is scrolled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Offset {
    /// Lines above the first one shown.
    pub row: usize,
    /// Columns left of the first one shown.
    pub column: usize,
}

/// What is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Work {
    /// Rules are being loaded and compiled.
    pub compiling: bool,
    /// The dataset is being opened.
    pub opening: bool,
    /// The matches of the selected rule are being looked for.
    pub matching: bool,
    /// Proposals are being looked for, or one is being tried.
    pub proposing: bool,
    /// It is being found out why the selected rule did or did not match.
    pub explaining: bool,
    /// Rules that have been run, of how many.
    pub running: Option<(usize, usize)>,
    /// It has taken long enough to be mentioned.
    pub mentioned: bool,
}

impl Work {
    /// Whether anything is under way.
    pub(crate) fn is_under_way(&self) -> bool {
        self.compiling
            || self.opening
            || self.matching
            || self.proposing
            || self.explaining
            || self.running.is_some()
    }
}

/// The newest request of each kind. An answer to an older one is dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Generations {
    /// Of compiling.
    pub compile: u64,
    /// Of opening the dataset.
    pub dataset: u64,
    /// Of the selected rule's matches.
    pub matches: u64,
    /// Of all rules' counts.
    pub summaries: u64,
    /// Of proposals, and of trying them.
    pub bench: u64,
    /// Of other rows of the selected rule's matches.
    pub rows: u64,
    /// Of one event as a whole.
    pub event: u64,
    /// Of why the selected rule did or did not match.
    pub why: u64,
    /// Of how often its fields are filled.
    pub fills: u64,
    /// Of missing aliases.
    pub gaps: u64,
}

impl Generations {
    /// Those of another workspace, whose answers are told from the answers of this one.
    pub(crate) fn after(self) -> Self {
        Self {
            compile: self.compile + 1,
            dataset: self.dataset + 1,
            matches: self.matches + 1,
            summaries: self.summaries + 1,
            bench: self.bench + 1,
            rows: self.rows + 1,
            event: self.event + 1,
            why: self.why + 1,
            fills: self.fills + 1,
            gaps: self.gaps + 1,
        }
    }
}

/// The matches of the selected rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matches {
    /// The rule that they belong to.
    pub rule: Option<RuleKey>,
    /// The newest table that there is.
    pub table: Option<Arc<MatchTable>>,
    /// Whether something has changed since the table was made.
    pub stale: bool,
    /// Why there is no newer one.
    pub error: Option<String>,
    /// The row under the cursor, of all that there are.
    pub cursor: usize,
    /// What rows are sorted by.
    pub order: Order,
    /// The rows that were asked for last, besides those that came with the table.
    pub asked: Option<Slice>,
    /// The marked rows, by what the table calls them.
    pub marked: BTreeSet<String>,
}

/// The state of the screen.
#[derive(Debug)]
pub(crate) struct Model {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// How roles look.
    pub theme: Theme,
    /// What is open.
    pub opened: Workspace,
    /// What was open before, the last one first.
    pub recent: Vec<Workspace>,
    /// Themes that the user has written.
    pub own_themes: Vec<ThemeListing>,
    /// The rules, by path and document.
    pub rules: Vec<RuleEntry>,
    /// Whether the rules have been read at all.
    pub loaded: bool,
    /// Rule folders that are gone; their rules are as they last were.
    pub gone: Vec<PathBuf>,
    /// What of them is shown.
    pub filter: Filter,
    /// The list of them: order, groups, lines.
    pub list: RuleList,
    /// Indices of those that pass the filter, in the order of the list.
    pub visible: Vec<usize>,
    /// The selected rule.
    pub selected: Option<RuleKey>,
    /// The line of the list under the cursor: that of the selected rule, or of a group.
    pub position: usize,
    /// The pane that has the keys.
    pub focus: Pane,
    /// Whether it is shown alone.
    pub zoomed: bool,
    /// Lines that the help is scrolled by, while it is shown.
    pub help: Option<usize>,
    /// What is shown over the panes.
    pub overlay: Option<Overlay>,
    /// Whether the next key says what to copy.
    pub copying: bool,
    /// Whether the event that is on its way is to be copied.
    pub copies_event: bool,
    /// What the effect of an edit is measured against.
    pub baseline: Baseline,
    /// Aliases written from here, the last one last: what undo takes back.
    pub edits: Vec<AliasEdit>,
    /// How far each pane is scrolled.
    pub offsets: [Offset; Pane::ALL.len()],
    /// The cursor's line in the source, from 1.
    pub cursor_line: u32,
    /// The mapping pack.
    pub pack: PackState,
    /// The dataset.
    pub dataset: DatasetState,
    /// The matches of the selected rule.
    pub matches: Matches,
    /// Why the selected rule did or did not match, once that was asked for.
    pub why: Why,
    /// How often the fields of the selected rule are filled, once that is known.
    pub fills: Option<Fills>,
    /// Coloured texts.
    pub highlights: Highlights,
    /// What is under way.
    pub work: Work,
    /// The newest requests.
    pub generations: Generations,
    /// Messages for the status line; the last one shows.
    pub notices: Vec<String>,
}

impl Model {
    /// A screen before anything has been read.
    pub(crate) fn new(size: (u16, u16), theme: Theme) -> Self {
        Self {
            size,
            theme,
            opened: Workspace::default(),
            recent: Vec::new(),
            own_themes: Vec::new(),
            rules: Vec::new(),
            loaded: false,
            gone: Vec::new(),
            filter: Filter::default(),
            list: RuleList::default(),
            visible: Vec::new(),
            selected: None,
            position: 0,
            focus: Pane::Rules,
            zoomed: false,
            help: None,
            overlay: None,
            copying: false,
            copies_event: false,
            baseline: Baseline::default(),
            edits: Vec::new(),
            offsets: [Offset::default(); Pane::ALL.len()],
            cursor_line: 1,
            pack: PackState::default(),
            dataset: DatasetState::default(),
            matches: Matches::default(),
            why: Why::default(),
            fills: None,
            highlights: Highlights::default(),
            work: Work::default(),
            generations: Generations::default(),
            notices: Vec::new(),
        }
    }

    /// Notes what is to be shown.
    pub(crate) fn open(&mut self, options: &Options) {
        self.opened = Workspace::of(options);
        self.dataset.root.clone_from(&options.dataset);
    }

    /// How far `pane` is scrolled.
    pub(crate) fn offset(&self, pane: Pane) -> Offset {
        self.offsets.get(pane as usize).copied().unwrap_or_default()
    }

    /// The same, to change it.
    pub(crate) fn offset_mut(&mut self, pane: Pane) -> &mut Offset {
        &mut self.offsets[pane as usize]
    }

    /// The selected rule.
    pub(crate) fn entry(&self) -> Option<&RuleEntry> {
        let key = self.selected.as_ref()?;
        let index = self.rules.binary_search_by(|entry| entry.key.cmp(key)).ok()?;
        self.rules.get(index)
    }

    /// The rule of that key, to change it.
    pub(crate) fn entry_mut(&mut self, key: &RuleKey) -> Option<&mut RuleEntry> {
        let index = self.rules.binary_search_by(|entry| entry.key.cmp(key)).ok()?;
        self.rules.get_mut(index)
    }

    /// The cursor's line, where the source has the keys or the Why view is open: what other panes show as belonging
    /// to it.
    pub(crate) fn linked_line(&self) -> Option<u32> {
        let linked = self.focus == Pane::Source || matches!(self.overlay, Some(Overlay::Why(_)));
        linked.then_some(self.cursor_line)
    }

    /// The table of the selected rule.
    pub(crate) fn table(&self) -> Option<&Arc<MatchTable>> {
        if self.matches.rule != self.selected {
            return None;
        }
        self.matches.table.as_ref()
    }

    /// The match under the cursor, where its row is there.
    pub(crate) fn matched_row(&self) -> Option<&MatchRow> {
        let table = self.table()?;
        table.rows.get(self.matches.cursor.checked_sub(table.first)?)
    }
}
