//! The only way to change the state of the screen.
//!
//! Keys, the mouse, the watcher and the workers all end up as an [`Action`]; [`super::update::update`] decides
//! what it means.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::tui::model::list::{Grouping, Order};
use crate::tui::model::{Arrangement, Pane, Stroke};
use crate::tui::worker::Report;
use crate::watch::Changes;

/// Something happened, or is wanted.
#[derive(Debug)]
pub(crate) enum Action {
    /// Leave.
    Quit,
    /// Stop until the shell continues the program.
    Suspend,
    /// The terminal has another size, in columns and rows.
    Resize(u16, u16),
    /// Give a pane the keys.
    Focus(Pane),
    /// Focus the next pane.
    FocusNext,
    /// Focus the one before.
    FocusPrevious,
    /// Move the cursor of the focused pane, or scroll it.
    Move(Motion),
    /// Scroll the focused pane sideways by so many columns.
    Pan(isize),
    /// Scroll it back to its first column.
    PanHome,
    /// Show the focused pane alone, or all again.
    ToggleZoom,
    /// Show the panes in this arrangement.
    Arrange(Arrangement),
    /// Show them in the next one.
    NextArrangement,
    /// Make the focused pane wider by so many columns.
    Widen(i16),
    /// Make it higher by so many rows.
    Heighten(i16),
    /// Show or hide the help.
    ToggleHelp,
    /// Begin to type a filter.
    EditFilter,
    /// Done typing; the filter stays.
    AcceptFilter,
    /// Close what is open: help, the filter, the zoom.
    Clear,
    /// Group the rules.
    GroupBy(Grouping),
    /// Group them by what comes next.
    NextGrouping,
    /// Put the rules in an order.
    SortBy(Order),
    /// Put them in the next one.
    NextOrder,
    /// Open the group under the cursor, or fold it; the other way where nothing is said.
    FoldGroup(Option<bool>),
    /// Fold all groups, or open them all.
    FoldGroups,
    /// Show the coverage of the rules.
    ShowCoverage,
    /// Open what is behind the line under the cursor of the coverage.
    FollowCoverage(Narrow),
    /// Open the palette, for the commands whose names begin so.
    OpenPalette(&'static str),
    /// Do the command under its cursor.
    RunCommand,
    /// Read everything again and run it again.
    Reload,
    /// Show what a field of the selected rule could be.
    Propose,
    /// The same for the rule's next field.
    ProposeNext,
    /// Try the proposal under the cursor on all rules.
    TryProposal,
    /// Write it into the pack.
    WriteProposal,
    /// Edit what is under the cursor in place.
    EditInPlace,
    /// Go on to the next part of it that can be edited, or to the one before.
    EditNext(bool),
    /// Try what is typed, unsaved.
    TryEdit,
    /// Write what is tried.
    SaveEdit,
    /// Choose a new rule.
    NewRule,
    /// Write it.
    CreateRule,
    /// Take the last change back that was written from here.
    Undo,
    /// Make the last change again that was taken back.
    Redo,
    /// Mark the row under the cursor of the matches, or take its mark away.
    MarkRow,
    /// Take all marks away.
    UnmarkRows,
    /// Write the marked rows as a regression case beside the rule.
    SaveCase,
    /// Show what has changed since the baseline.
    ShowChanges,
    /// Go to the rule under the cursor of the changes.
    GoToChange,
    /// Measure changes from how things stand now.
    SetBaseline,
    /// Sort the matches by their next column.
    SortNext,
    /// Sort them the other way around.
    SortReverse,
    /// Show the event under the cursor of the matches.
    OpenEvent,
    /// Fold or unfold what is under the cursor of the event.
    Fold(Fold),
    /// Go to the next line of the event that holds what is searched for, or to the one before.
    FindNext(bool),
    /// Begin to type what to search for.
    EditSearch,
    /// Done typing; go there.
    AcceptSearch,
    /// Ask what to copy.
    AskCopy,
    /// Copy something.
    Copy(Copied),
    /// Ask for a file to write the matches to.
    AskExport,
    /// Write them in the next format.
    ExportFormat,
    /// Write them.
    Export,
    /// Text typed or pasted into the line that is being typed.
    Type(String),
    /// Move in that line, or take something away from it.
    Stroke(Stroke),
    /// Open the rule in the user's editor.
    EditRule,
    /// Open the pack there, at the field under the cursor or at the route.
    EditPack,
    /// Show why the selected rule did or did not match.
    ShowWhy,
    /// Give the keys to the source beside that, or back.
    ToggleWhySource,
    /// Leave it for its place in the source.
    GoToWhy,
    /// Show what can be opened.
    ShowWelcome,
    /// Open what is under the cursor of that.
    OpenChoice,
    /// Take the theme of that name into use.
    UseTheme(Cow<'static, str>),
    /// A click at a column and row of the screen.
    Click(u16, u16),
    /// A second click there, soon after the first.
    DoubleClick(u16, u16),
    /// The mouse has moved there, its button down.
    Drag(u16, u16),
    /// Its button is up again.
    Release,
    /// The wheel, over a column and row, so many lines down.
    Wheel(u16, u16, isize),
    /// Let long lines of SQL go on below, or to the right again.
    WrapLines,
    /// Take all new matches for seen.
    SeeAll,
    /// Ring the terminal's bell at new matches, or no longer.
    ToggleBell,
    /// Stop the run of all rules.
    StopRun,
    /// What is under way has taken long enough to be mentioned.
    MentionWork,
    /// Files changed on disk.
    FilesChanged(Changed),
    /// A worker has something to say.
    Worker(Report),
}

/// What can be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copied {
    /// The id of the event under the cursor.
    EventId,
    /// Its row, with tabs between the columns.
    Row,
    /// All of it, as JSON.
    Event,
    /// The value under the cursor of the event.
    Value,
    /// The rule's SQL.
    Sql,
}

/// What to fold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fold {
    /// Fold this, or else go to what holds it.
    Close,
    /// Unfold this.
    Open,
    /// The one or the other.
    Toggle,
    /// Fold all.
    CloseAll,
    /// Unfold all.
    OpenAll,
}

/// A vertical move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Motion {
    /// So many lines down.
    Lines(isize),
    /// So many half pages down.
    HalfPages(isize),
    /// So many pages down.
    Pages(isize),
    /// To the first line.
    First,
    /// To the last line.
    Last,
}

/// Which of the rules behind a number are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Narrow {
    /// Whatever the line leads to: its rules, or what a missing alias could be.
    Best,
    /// All of them.
    All,
    /// Those that can run.
    Executable,
    /// Those that matched.
    Matched,
    /// Those that cannot run.
    Refused,
}

impl Narrow {
    /// As the filter says.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Best | Self::All => "",
            Self::Executable => "executable",
            Self::Matched => "matched",
            Self::Refused => "refused",
        }
    }
}

/// What has changed on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changed {
    /// Rule files, whether written, made or gone.
    pub rules: BTreeSet<PathBuf>,
    /// The rule folders have to be walked again.
    pub rescan: bool,
    /// The mapping pack.
    pub pack: bool,
    /// The dataset.
    pub dataset: bool,
    /// The user's own files.
    pub extra: bool,
}

impl From<Changes> for Changed {
    fn from(changes: Changes) -> Self {
        let Changes { rules, rescan, pack, dataset, extra, .. } = changes;
        Self { rules, rescan, pack, dataset, extra }
    }
}
