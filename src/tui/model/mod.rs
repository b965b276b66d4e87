//! The state of the screen, as plain data. Changed by [`super::update`] alone, drawn by [`super::view`].
//!
//! Knows no thread, no terminal and no clock.

mod baseline;
mod coverage;
mod edit;
mod entry;
mod event;
mod filter;
mod input;
mod inputs;
pub(crate) mod list;
mod live;
mod new_rule;
mod overlay;
mod palette;
mod panes;
mod spark;
mod welcome;
mod why;
mod window;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub(crate) use baseline::{Baseline, Drift};
pub(crate) use coverage::{AliasAway, CoverageLine, CoverageView, Figure};
#[cfg(test)]
pub(crate) use edit::CHANGES;
pub(crate) use edit::{EditLine, EditOf, FileOf, History, Part, RuleLine, Trial, Unsaved, Warning, Written};
pub(crate) use entry::{Loaded, Outcome, RuleEntry, RuleKey, Verdict, succeed};
pub(crate) use event::{EventAnswer, EventView, Node, Shown, value_text};
pub(crate) use filter::Filter;
#[cfg(test)]
pub(crate) use input::LIMIT as INPUT_LIMIT;
pub(crate) use input::{Input, Stroke};
pub(crate) use inputs::{DatasetChange, DatasetInfo, DatasetState, PackInfo, PackState};
pub(crate) use live::{Live, Looked};
pub(crate) use new_rule::{Drafted, NewRule};
pub(crate) use overlay::{
    Answer, Bench, Changes, ChangesView, ExportPrompt, Overlay, Proposals, Proposed, Said,
};
pub(crate) use palette::{Found, Palette};
pub(crate) use panes::{Arrangement, Border, LongLines, Panes, Splits};
pub(crate) use spark::{Asked, Spark, SparkOutcome, SparkStatement};
pub(crate) use welcome::Welcome;
pub(crate) use why::{Item, Why, WhyView};
pub(crate) use window::{WindowAnswer, WindowView};

use crate::authoring::Fills;
use crate::backend::CompiledRule;
use crate::evaluate::{MatchRow, MatchTable, Order, Slice};
use crate::sigma::Span;
use crate::tui::Options;
use crate::tui::highlight::Highlights;
use crate::tui::keymap::Keymap;
use crate::tui::theme::{Theme, ThemeListing};
use crate::tui::workspace::Workspace;
use list::RuleList;

/// A region of the screen that can have the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

    /// The command that focuses it.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Source => "source",
            Self::Route => "route",
            Self::Sql => "sql",
            Self::Matches => "matches",
        }
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
    /// Bytes of events that are followed which rules have been asked of, of how many.
    pub reading: Option<(u64, u64)>,
    /// The same of a run that was stopped, until the next one begins.
    pub stopped: Option<(usize, usize)>,
    /// Rules that a run counts in any case, before events that have arrived may call it off.
    pub leading: usize,
    /// How long anything has been under way.
    pub elapsed: Duration,
    /// How long the run has taken so far.
    pub run_elapsed: Duration,
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
            || self.reading.is_some()
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
    /// Of their counts as events come.
    pub live: u64,
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
    /// Of drafts of new rules.
    pub draft: u64,
    /// Of a run on Spark.
    pub spark: u64,
}

impl Generations {
    /// Those of another workspace, whose answers are told from the answers of this one.
    pub(crate) fn after(self) -> Self {
        Self {
            compile: self.compile + 1,
            dataset: self.dataset + 1,
            matches: self.matches + 1,
            summaries: self.summaries + 1,
            live: self.live + 1,
            bench: self.bench + 1,
            rows: self.rows + 1,
            event: self.event + 1,
            why: self.why + 1,
            fills: self.fills + 1,
            gaps: self.gaps + 1,
            draft: self.draft + 1,
            spark: self.spark + 1,
        }
    }
}

/// The tests of a rule that a match satisfies.
#[derive(Clone, Debug)]
pub(crate) struct Satisfied {
    /// The rule as it was compiled.
    pub rule: Arc<CompiledRule>,
    /// The match.
    pub row: MatchRow,
    /// Where the rule has them.
    pub places: Vec<Span>,
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
    /// What the row under the cursor satisfies, once the pane has had the keys.
    pub satisfied: Option<Satisfied>,
    /// The marked rows, by what the table calls them.
    pub marked: BTreeSet<String>,
    /// Those that have come since the rule was last looked at, by the same.
    pub arrived: BTreeSet<String>,
    /// The row that the cursor goes to once its place is known, and how far down the screen it stood.
    pub anchor: Option<(String, usize)>,
}

/// The state of the screen.
#[derive(Debug)]
pub(crate) struct Model {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Which keys mean what.
    pub keymap: Keymap,
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
    /// How the panes are laid out.
    pub panes: Panes,
    /// The rule to select once the rules are there: its file, and its document.
    pub wanted: Option<(PathBuf, usize)>,
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
    /// An edit that is tried and not written.
    pub unsaved: Option<Unsaved>,
    /// What was written from here.
    pub history: History,
    /// A rule that was written and is selected once it is read.
    pub awaited: Option<RuleKey>,
    /// How far each pane is scrolled.
    pub offsets: [Offset; Pane::ALL.len()],
    /// The cursor's line in the source, from 1.
    pub cursor_line: u32,
    /// The cursor's line of route and aliases.
    pub route_cursor: usize,
    /// That of the SQL.
    pub sql_cursor: usize,
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
    /// Spark, beside DuckDB.
    pub spark: Spark,
    /// How new matches are told of.
    pub live: Live,
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
            keymap: Keymap::default(),
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
            panes: Panes::default(),
            wanted: None,
            help: None,
            overlay: None,
            copying: false,
            copies_event: false,
            baseline: Baseline::default(),
            unsaved: None,
            history: History::default(),
            awaited: None,
            offsets: [Offset::default(); Pane::ALL.len()],
            cursor_line: 1,
            route_cursor: 0,
            sql_cursor: 0,
            pack: PackState::default(),
            dataset: DatasetState::default(),
            matches: Matches::default(),
            why: Why::default(),
            fills: None,
            highlights: Highlights::default(),
            live: Live::default(),
            spark: Spark::default(),
            work: Work::default(),
            generations: Generations::default(),
            notices: Vec::new(),
        }
    }

    /// Notes what is to be shown.
    pub(crate) fn open(&mut self, options: &Options) {
        self.opened = Workspace::of(options);
        self.dataset.root.clone_from(&options.dataset);
        self.dataset.range = options.range;
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

    /// The line that is being typed.
    pub(crate) fn input_mut(&mut self) -> Option<&mut Input> {
        match &mut self.overlay {
            Some(Overlay::Event(open)) if open.searching => Some(&mut open.search),
            Some(Overlay::Export(prompt)) => Some(&mut prompt.name),
            Some(Overlay::Palette(open)) => Some(&mut open.typed),
            Some(Overlay::Edit(edit)) => Some(&mut edit.input),
            Some(Overlay::NewRule(open)) => Some(&mut open.name),
            None if self.filter.editing => Some(&mut self.filter.input),
            _ => None,
        }
    }

    /// The line of the source that the cursor is on, or on something that belongs to it: in the source, the route, the
    /// SQL and the Why view.
    pub(crate) fn linked_line(&self) -> Option<u32> {
        let linked = matches!(self.focus, Pane::Source | Pane::Route | Pane::Sql)
            || matches!(self.overlay, Some(Overlay::Why(_)));
        linked.then_some(self.cursor_line)
    }

    /// The table of the selected rule.
    pub(crate) fn table(&self) -> Option<&Arc<MatchTable>> {
        if self.matches.rule != self.selected {
            return None;
        }
        self.matches.table.as_ref()
    }

    /// Whether the table is shown as of something that has changed: while a newer one is on its way, only once that
    /// takes long enough to be mentioned.
    pub(crate) fn shows_stale(&self) -> bool {
        self.matches.stale && (!self.work.matching || self.work.mentioned)
    }

    /// The match under the cursor, where its row is there.
    pub(crate) fn matched_row(&self) -> Option<&MatchRow> {
        let table = self.table()?;
        table.rows.get(self.matches.cursor.checked_sub(table.first)?)
    }
}
