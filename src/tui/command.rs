//! Every command: its name, what it does in a line, its keys, when it can be used, and its [`Action`].
//!
//! Key dispatch, the hints of the status line, the palette and the help all read this one table; which keys a command has
//! in the end, the [`Keymap`](super::keymap::Keymap) says.

use std::borrow::Cow;

use crossterm::event::{KeyCode, KeyEvent};

use super::action::{Action, Copied, Fold, Motion, Narrow};
use super::key::Key;
use super::model::list::{Grouping, Order};
use super::model::{Arrangement, Model, Overlay, Pane, Stroke};
use super::update::bench::can_propose;
use super::update::cases::has_row;
use super::update::{in_place, new_rule};
use super::view::{Layout, extent, why_beside};

/// Who gets the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Context {
    /// The panes.
    Browse,
    /// The rule list, before the panes.
    List,
    /// The matches, before what the panes have in common.
    Matches,
    /// The filter that is being typed.
    Filter,
    /// The proposals for a field.
    Proposals,
    /// What has changed since the baseline.
    Changes,
    /// An event.
    Event,
    /// What is searched for in it, while it is typed.
    Search,
    /// The question what to copy.
    Copying,
    /// The name of a file to write matches to.
    Export,
    /// Why the selected rule did or did not match.
    Why,
    /// The coverage of the rules.
    Coverage,
    /// The command palette.
    Palette,
    /// What can be opened.
    Welcome,
    /// A small edit in place.
    Edit,
    /// The choice of a new rule.
    NewRule,
    /// A line that is being typed, whatever for.
    Typing,
    /// The help.
    Help,
}

impl Context {
    /// All of them, in the order of the help.
    pub(crate) const ALL: [Self; 18] = [
        Self::Browse,
        Self::List,
        Self::Matches,
        Self::Event,
        Self::Search,
        Self::Copying,
        Self::Export,
        Self::Filter,
        Self::Proposals,
        Self::Changes,
        Self::Why,
        Self::Coverage,
        Self::Palette,
        Self::Welcome,
        Self::Edit,
        Self::NewRule,
        Self::Typing,
        Self::Help,
    ];

    /// Who gets the keys now; whoever comes first has the first say.
    pub(crate) fn of(model: &Model) -> &'static [Self] {
        match (model.help, &model.overlay, model.filter.editing) {
            (Some(_), ..) => &[Self::Help],
            _ if model.copying => &[Self::Copying],
            (None, Some(Overlay::Event(open)), _) if open.searching => &[Self::Search, Self::Typing],
            (None, Some(Overlay::Event(_)), _) => &[Self::Event],
            (None, Some(Overlay::Export(_)), _) => &[Self::Export, Self::Typing],
            (None, Some(Overlay::Proposals(_)), _) => &[Self::Proposals],
            (None, Some(Overlay::Changes(_)), _) => &[Self::Changes],
            (None, Some(Overlay::Why(_)), _) => &[Self::Why],
            (None, Some(Overlay::Coverage(_)), _) => &[Self::Coverage],
            (None, Some(Overlay::Edit(_)), _) => &[Self::Edit, Self::Typing],
            (None, Some(Overlay::NewRule(_)), _) => &[Self::NewRule, Self::Typing],
            (None, Some(Overlay::Palette(_)), _) => &[Self::Palette, Self::Typing],
            (None, Some(Overlay::Welcome(_)), _) => &[Self::Welcome],
            (None, None, true) => &[Self::Filter, Self::Typing],
            (None, None, false) if model.focus == Pane::Rules => &[Self::List, Self::Browse],
            (None, None, false) if model.focus == Pane::Matches => &[Self::Matches, Self::Browse],
            (None, None, false) => &[Self::Browse],
        }
    }

    /// This and those that are asked after it, as [`Self::of`] has them.
    pub(crate) fn chain(self) -> &'static [Self] {
        match self {
            Self::List => &[Self::List, Self::Browse],
            Self::Matches => &[Self::Matches, Self::Browse],
            Self::Search => &[Self::Search, Self::Typing],
            Self::Export => &[Self::Export, Self::Typing],
            Self::Edit => &[Self::Edit, Self::Typing],
            Self::NewRule => &[Self::NewRule, Self::Typing],
            Self::Palette => &[Self::Palette, Self::Typing],
            Self::Filter => &[Self::Filter, Self::Typing],
            other => {
                Self::ALL.iter().position(|context| *context == other).map_or(&[], |at| &Self::ALL[at..=at])
            }
        }
    }

    /// Whether characters are text here, and no commands.
    pub(crate) fn takes_text(self) -> bool {
        match self {
            Self::Search | Self::Export | Self::Edit | Self::NewRule => true,
            Self::Palette | Self::Filter | Self::Typing => true,
            Self::Browse | Self::List | Self::Matches | Self::Proposals | Self::Changes | Self::Event => {
                false
            }
            Self::Copying | Self::Why | Self::Coverage | Self::Welcome | Self::Help => false,
        }
    }

    /// Its heading within a sentence.
    pub(crate) fn place(self) -> String {
        let mut title = self.title().chars();
        title.next().into_iter().flat_map(char::to_lowercase).chain(title.as_str().chars()).collect()
    }

    /// The heading of its section in the help.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Browse => "Everywhere",
            Self::List => "In the rule list",
            Self::Matches => "In the matches",
            Self::Event => "In an event",
            Self::Search => "While typing what to search for",
            Self::Copying => "When asked what to copy",
            Self::Export => "While naming a file to export to",
            Self::Filter => "While typing a filter",
            Self::Proposals => "Among proposals for a field",
            Self::Changes => "Among changes since the baseline",
            Self::Why => "In why a rule matches or not",
            Self::Coverage => "In the coverage",
            Self::Palette => "In the command palette",
            Self::Welcome => "Where nothing is open",
            Self::Edit => "While editing in place",
            Self::NewRule => "While choosing a new rule",
            Self::Typing => "In a line that is typed",
            Self::Help => "In this help",
        }
    }
}

/// A command.
pub(crate) struct Command {
    /// Its stable name.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
    /// Where it is available.
    pub context: Context,
    /// Its keys, unless the user's file has others: see [`super::keymap::Keymap`].
    pub keys: &'static [Key],
    /// Its word on the status line, where it is worth one.
    pub hint: Option<&'static str>,
    /// Whether it would do anything now.
    pub available: fn(&Model) -> bool,
    /// What it does.
    pub action: fn() -> Action,
}

const fn command(
    name: &'static str,
    doc: &'static str,
    context: Context,
    keys: &'static [Key],
    action: fn() -> Action,
) -> Command {
    Command { name, doc, context, keys, hint: None, available: |_| true, action }
}

impl Command {
    const fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// Whether the palette offers it: what only makes sense in some box is left to that box.
    pub(crate) fn is_named(&self) -> bool {
        matches!(self.context, Context::Browse | Context::List | Context::Matches)
    }

    const fn when(self, available: fn(&Model) -> bool) -> Self {
        Self { available, ..self }
    }
}

use Context::{
    Browse, Changes, Copying, Coverage, Edit, Event, Export, Filter, Help, List, Matches, NewRule, Palette,
    Proposals, Search, Typing, Welcome, Why,
};

const UP: &[Key] = &[Key::char('k'), Key::code(KeyCode::Up)];
const DOWN: &[Key] = &[Key::char('j'), Key::code(KeyCode::Down)];
const LEFT: &[Key] = &[Key::char('h'), Key::code(KeyCode::Left)];
const RIGHT: &[Key] = &[Key::char('l'), Key::code(KeyCode::Right)];
const PAGE_UP: &[Key] = &[Key::code(KeyCode::PageUp)];
const PAGE_DOWN: &[Key] = &[Key::code(KeyCode::PageDown)];
const ESC: &[Key] = &[Key::code(KeyCode::Esc)];
const ENTER: &[Key] = &[Key::code(KeyCode::Enter)];
const QUIT: &[Key] = &[Key::char('q'), Key::ctrl('c')];

/// All commands, in the order of the help.
#[rustfmt::skip]
pub(crate) const COMMANDS: &[Command] = &[
    command("down", "Next line", Browse, DOWN, || Action::Move(Motion::Lines(1))),
    command("up", "Line before", Browse, UP, || Action::Move(Motion::Lines(-1))),
    command("half_page_down", "Half a page down", Browse, &[Key::ctrl('d')], || Action::Move(Motion::HalfPages(1))),
    command("half_page_up", "Half a page up", Browse, &[Key::ctrl('u')], || Action::Move(Motion::HalfPages(-1))),
    command("page_down", "A page down", Browse, PAGE_DOWN, || Action::Move(Motion::Pages(1))),
    command("page_up", "A page up", Browse, PAGE_UP, || Action::Move(Motion::Pages(-1))),
    command("first", "First line", Browse, &[Key::char('g'), Key::code(KeyCode::Home)], || Action::Move(Motion::First)),
    command("last", "Last line", Browse, &[Key::char('G'), Key::code(KeyCode::End)], || Action::Move(Motion::Last)),
    command("right", "Scroll to the right", Browse, RIGHT, || Action::Pan(8)).hint("scroll").when(goes_on),
    command("left", "Scroll to the left", Browse, LEFT, || Action::Pan(-8)),
    command("line_start", "Scroll back to the first column", Browse, &[Key::char('0')], || Action::PanHome),
    command("next_pane", "Focus the next pane", Browse, &[Key::code(KeyCode::Tab)], || Action::FocusNext),
    command("previous_pane", "Focus the pane before", Browse, &[Key::code(KeyCode::BackTab)], || Action::FocusPrevious),
    command("rules", "Focus the rule list", Browse, &[Key::char('1')], || Action::Focus(Pane::Rules)),
    command("source", "Focus the source", Browse, &[Key::char('2')], || Action::Focus(Pane::Source)),
    command("route", "Focus route and aliases", Browse, &[Key::char('3')], || Action::Focus(Pane::Route)),
    command("sql", "Focus the SQL", Browse, &[Key::char('4')], || Action::Focus(Pane::Sql)),
    command("matches", "Focus the matches", Browse, &[Key::char('5')], || Action::Focus(Pane::Matches)),
    command("filter", "Filter the rules: text, level:high, reason:…, matched, -tag:…", Browse, &[Key::char('/')], || Action::EditFilter).hint("filter"),
    command("clear", "Close: unsaved edit, filter, zoom, message; or stop the run", Browse, ESC, || Action::Clear).hint("clear").when(can_clear),
    command("zoom", "Show this pane alone, or all again", Browse, &[Key::char('z')], || Action::ToggleZoom).hint("zoom"),
    command("wrap", "Let long lines of SQL go on below, or scroll to them", Browse, &[Key::char('W')], || Action::WrapLines).hint("wrap").when(|m| m.focus == Pane::Sql),
    command("next_layout", "Lay the panes out in the next way: grid, wide, stacked", Browse, &[Key::char('L')], || Action::NextArrangement),
    command("choose_layout", "Choose how to lay the panes out", Browse, &[], || Action::OpenPalette("layout_")),
    command("layout_grid", "Rule list, and the others two by two", Browse, &[], || Action::Arrange(Arrangement::Grid)),
    command("layout_wide", "All panes side by side, from 160 columns on", Browse, &[], || Action::Arrange(Arrangement::Wide)),
    command("layout_stacked", "All panes one above the other", Browse, &[], || Action::Arrange(Arrangement::Stacked)),
    command("layout_zoomed", "This pane alone", Browse, &[], || Action::ToggleZoom).when(|m| !m.zoomed),
    command("wider", "Make this pane wider", Browse, &[Key::char('>')], || Action::Widen(2)).when(|m| !m.zoomed),
    command("narrower", "Make it narrower", Browse, &[Key::char('<')], || Action::Widen(-2)).when(|m| !m.zoomed),
    command("higher", "Make it higher", Browse, &[Key::char('+')], || Action::Heighten(1)).when(|m| !m.zoomed),
    command("lower", "Make it lower", Browse, &[Key::char('-')], || Action::Heighten(-1)).when(|m| !m.zoomed),
    command("why", "Why this rule matches, or does not", Browse, &[Key::char('w')], || Action::ShowWhy).hint("why").when(|m| m.entry().is_some_and(|e| e.compiled.is_some())),
    command("propose", "What a field of this rule could be in OCSF", Browse, &[Key::char('a')], || Action::Propose).hint("alias").when(can_propose),
    command("new_rule", "New rule: of a template, match, or this rule", Browse, &[Key::char('n')], || Action::NewRule).when(new_rule::can_open),
    command("edit_here", "Edit in place: value, key, line, or alias", Browse, &[Key::char('i')], || Action::EditInPlace).hint("edit here").when(in_place::can_begin),
    command("save", "Write what is tried and unsaved", Browse, &[Key::ctrl('s')], || Action::SaveEdit).hint("write").when(|m| m.unsaved.is_some()),
    command("undo", "Take the last written change back", Browse, &[Key::char('u')], || Action::Undo).hint("undo").when(|m| !m.history.done.is_empty()),
    command("redo", "Make it again", Browse, &[Key::ctrl('r')], || Action::Redo).when(|m| !m.history.undone.is_empty()),
    command("mark", "Mark this match for a regression case, or not", Browse, &[Key::char('m')], || Action::MarkRow).when(has_row),
    command("unmark", "Take all marks away", Browse, &[Key::char('M')], || Action::UnmarkRows).when(|m| !m.matches.marked.is_empty()),
    command("save_case", "Save the marked matches as such a case", Browse, &[Key::char('c')], || Action::SaveCase).when(has_row),
    command("changes", "What has changed since the baseline", Browse, &[Key::char('d')], || Action::ShowChanges),
    command("baseline", "Measure changes from how things stand now", Browse, &[Key::char('b')], || Action::SetBaseline),
    command("copy", "Copy event id, row, event or SQL", Browse, &[Key::char('y')], || Action::AskCopy).hint("copy").when(can_copy),
    command("edit", "Open the rule at this line in $VISUAL or $EDITOR", Browse, &[Key::char('e')], || Action::EditRule).hint("edit").when(|m| m.selected.is_some()),
    command("edit_pack", "Open the pack there, at this field or the route", Browse, &[Key::char('E')], || Action::EditPack).when(|m| m.selected.is_some()),
    command("coverage", "What the rules cover, and what would add most", Browse, &[Key::char('C')], || Action::ShowCoverage),
    command("welcome", "The demo, and what was open before", Browse, &[], || Action::ShowWelcome),
    command("themes", "How the screen looks", Browse, &[], || Action::OpenPalette("theme_")),
    command("theme_dark", "For a dark terminal, on its own background", Browse, &[], || Action::UseTheme(Cow::Borrowed("dark"))),
    command("theme_light", "For a light terminal, on its own background", Browse, &[], || Action::UseTheme(Cow::Borrowed("light"))),
    command("theme_contrast", "As much contrast as there is, on black", Browse, &[], || Action::UseTheme(Cow::Borrowed("contrast"))),
    command("theme_ember", "Warm and soft, on dark brown", Browse, &[], || Action::UseTheme(Cow::Borrowed("ember"))),
    command("theme_signal", "Safe for colour-blind eyes, on dark blue-grey", Browse, &[], || Action::UseTheme(Cow::Borrowed("signal"))),
    command("theme_none", "No colours", Browse, &[], || Action::UseTheme(Cow::Borrowed("none"))),
    command("commands", "Every command by name", Browse, &[Key::char(':')], || Action::OpenPalette("")),
    command("reload", "Read and run everything again", Browse, &[Key::char('r')], || Action::Reload),
    command("see_all", "Take all new matches for seen", Browse, &[], || Action::SeeAll).when(|m| m.list.totals.arrived > 0),
    command("toggle_bell", "Ring the terminal's bell at new matches, or no longer", Browse, &[], || Action::ToggleBell),
    command("stop_run", "Stop the run of all rules", Browse, &[], || Action::StopRun).when(|m| m.work.running.is_some()),
    command("suspend", "Stop until the shell's fg", Browse, &[Key::ctrl('z')], || Action::Suspend),
    command("quit", "Leave", Browse, QUIT, || Action::Quit).hint("quit"),
    command("help", "Show or hide this help", Browse, &[Key::char('?')], || Action::ToggleHelp).hint("help"),
    command("fold", "Open the group, or fold it", List, &[Key::code(KeyCode::Enter), Key::char(' ')], || Action::FoldGroup(None)).when(is_grouped),
    command("open_group", "Open the group", List, RIGHT, || Action::FoldGroup(Some(true))).when(is_grouped),
    command("close_group", "Fold the group", List, LEFT, || Action::FoldGroup(Some(false))).when(is_grouped),
    command("fold_all", "Fold all groups, or open them all", List, &[Key::char('F')], || Action::FoldGroups).when(is_grouped),
    command("next_grouping", "Group by the next: folder, verdict, reason, log source, level, technique", List, &[Key::char('t')], || Action::NextGrouping),
    command("choose_grouping", "Choose what to group by", List, &[Key::char('T')], || Action::OpenPalette("group_")),
    command("next_order", "Sort by the next: path, matches, name, level, changed, arrived", List, &[Key::char('o')], || Action::NextOrder),
    command("choose_order", "Choose what to sort by", List, &[Key::char('O')], || Action::OpenPalette("sort_")),
    command("group_none", "The rules as one list", List, &[], || Action::GroupBy(Grouping::Flat)),
    command("group_folder", "Group by folder, as a tree", List, &[], || Action::GroupBy(Grouping::Folder)),
    command("group_verdict", "Group by verdict", List, &[], || Action::GroupBy(Grouping::Verdict)),
    command("group_reason", "Group by reason code", List, &[], || Action::GroupBy(Grouping::Reason)),
    command("group_logsource", "Group by log source", List, &[], || Action::GroupBy(Grouping::LogSource)),
    command("group_level", "Group by level", List, &[], || Action::GroupBy(Grouping::Level)),
    command("group_technique", "Group by ATT&CK technique", List, &[], || Action::GroupBy(Grouping::Technique)),
    command("sort_path", "Sort by path; best answer first while text is searched", List, &[], || Action::SortBy(Order::Path)),
    command("sort_matches", "Most matches first", List, &[], || Action::SortBy(Order::Matches)),
    command("sort_name", "Sort by title", List, &[], || Action::SortBy(Order::Name)),
    command("sort_level", "Gravest level first", List, &[], || Action::SortBy(Order::Level)),
    command("sort_changed", "New and changed since the baseline first", List, &[], || Action::SortBy(Order::Changed)),
    command("sort_arrived", "Most new matches first", List, &[], || Action::SortBy(Order::Arrived)),
    command("open_event", "Show the whole event", Matches, ENTER, || Action::OpenEvent).hint("event").when(|m| m.matched_row().is_some()),
    command("matches_sort", "Sort by the next column", Matches, &[Key::char('s')], || Action::SortNext).hint("sort").when(|m| m.table().is_some()),
    command("matches_reverse", "Sort the other way around", Matches, &[Key::char('S')], || Action::SortReverse).when(|m| m.table().is_some()),
    command("export", "Write all matches to a file", Matches, &[Key::char('x')], || Action::AskExport).hint("export").when(can_export),
    command("event_down", "Next line", Event, DOWN, || Action::Move(Motion::Lines(1))),
    command("event_up", "Line before", Event, UP, || Action::Move(Motion::Lines(-1))),
    command("event_page_down", "A page down", Event, PAGE_DOWN, || Action::Move(Motion::Pages(1))),
    command("event_page_up", "A page up", Event, PAGE_UP, || Action::Move(Motion::Pages(-1))),
    command("event_first", "First line", Event, &[Key::char('g'), Key::code(KeyCode::Home)], || Action::Move(Motion::First)),
    command("event_last", "Last line", Event, &[Key::char('G'), Key::code(KeyCode::End)], || Action::Move(Motion::Last)),
    command("event_fold", "Fold, or go to what holds this", Event, LEFT, || Action::Fold(Fold::Close)),
    command("event_unfold", "Unfold", Event, RIGHT, || Action::Fold(Fold::Open)),
    command("event_toggle_fold", "Fold or unfold", Event, ENTER, || Action::Fold(Fold::Toggle)).hint("fold"),
    command("event_fold_all", "Fold all", Event, &[Key::char('-')], || Action::Fold(Fold::CloseAll)),
    command("event_unfold_all", "Unfold all", Event, &[Key::char('+')], || Action::Fold(Fold::OpenAll)),
    command("search", "Search names and values", Event, &[Key::char('/')], || Action::EditSearch).hint("search"),
    command("search_next", "Next find", Event, &[Key::char('n')], || Action::FindNext(true)),
    command("search_previous", "Find before", Event, &[Key::char('N')], || Action::FindNext(false)),
    command("event_copy", "Copy value, event id, row, event or SQL", Event, &[Key::char('y')], || Action::AskCopy).hint("copy"),
    command("event_close", "Close", Event, &[Key::code(KeyCode::Esc), Key::char('q')], || Action::Clear).hint("close"),
    command("event_quit", "Leave", Event, &[Key::ctrl('c')], || Action::Quit),
    command("accept_search", "Go to the first find", Search, ENTER, || Action::AcceptSearch).hint("go"),
    command("leave_search", "Back to the event", Search, ESC, || Action::Clear).hint("back"),
    command("search_quit", "Leave", Search, &[Key::ctrl('c')], || Action::Quit),
    command("copy_id", "The event id", Copying, &[Key::char('i')], || Action::Copy(Copied::EventId)).hint("id").when(|m| m.matched_row().is_some()),
    command("copy_row", "The row, tabs between columns", Copying, &[Key::char('r')], || Action::Copy(Copied::Row)).hint("row").when(|m| m.matched_row().is_some()),
    command("copy_event", "The whole event as JSON", Copying, &[Key::char('e')], || Action::Copy(Copied::Event)).hint("event").when(|m| m.matched_row().is_some()),
    command("copy_value", "The value under the cursor of the event", Copying, &[Key::char('v')], || Action::Copy(Copied::Value)).hint("value").when(|m| matches!(m.overlay, Some(Overlay::Event(_)))),
    command("copy_sql", "The rule's SQL", Copying, &[Key::char('s')], || Action::Copy(Copied::Sql)).hint("SQL").when(|m| m.entry().is_some_and(|e| e.sql_text().is_some())),
    command("copy_nothing", "Nothing", Copying, &[Key::code(KeyCode::Esc), Key::char('q')], || Action::Clear).hint("nothing"),
    command("copy_quit", "Leave", Copying, &[Key::ctrl('c')], || Action::Quit),
    command("export_write", "Write the file", Export, ENTER, || Action::Export).hint("write"),
    command("export_format", "The next format", Export, &[Key::code(KeyCode::Tab)], || Action::ExportFormat).hint("format"),
    command("export_close", "Close", Export, ESC, || Action::Clear).hint("close"),
    command("export_quit", "Leave", Export, &[Key::ctrl('c')], || Action::Quit),
    command("accept_filter", "Keep the filter", Filter, ENTER, || Action::AcceptFilter).hint("keep"),
    command("drop_filter", "Drop the filter", Filter, ESC, || Action::Clear).hint("drop"),
    command("filter_next", "Next rule", Filter, &[Key::code(KeyCode::Down), Key::ctrl('n')], || Action::Move(Motion::Lines(1))),
    command("filter_previous", "Rule before", Filter, &[Key::code(KeyCode::Up), Key::ctrl('p')], || Action::Move(Motion::Lines(-1))),
    command("filter_quit", "Leave", Filter, &[Key::ctrl('c')], || Action::Quit),
    command("proposal_down", "Next proposal", Proposals, DOWN, || Action::Move(Motion::Lines(1))),
    command("proposal_up", "Proposal before", Proposals, UP, || Action::Move(Motion::Lines(-1))),
    command("proposal_first", "First proposal", Proposals, &[Key::char('g'), Key::code(KeyCode::Home)], || Action::Move(Motion::First)),
    command("proposal_last", "Last proposal", Proposals, &[Key::char('G'), Key::code(KeyCode::End)], || Action::Move(Motion::Last)),
    command("proposal_field", "The rule's next field", Proposals, &[Key::code(KeyCode::Tab)], || Action::ProposeNext).hint("next field"),
    command("proposal_try", "Try it on all rules", Proposals, ENTER, || Action::TryProposal).hint("try on all rules"),
    command("proposal_write", "Write it into the pack", Proposals, &[Key::char('w')], || Action::WriteProposal).hint("write"),
    command("proposal_close", "Close", Proposals, &[Key::code(KeyCode::Esc), Key::char('q'), Key::char('a')], || Action::Clear).hint("close"),
    command("proposal_quit", "Leave", Proposals, &[Key::ctrl('c')], || Action::Quit),
    command("changes_down", "Next line", Changes, DOWN, || Action::Move(Motion::Lines(1))),
    command("changes_up", "Line before", Changes, UP, || Action::Move(Motion::Lines(-1))),
    command("changes_page_down", "A page down", Changes, PAGE_DOWN, || Action::Move(Motion::Pages(1))),
    command("changes_page_up", "A page up", Changes, PAGE_UP, || Action::Move(Motion::Pages(-1))),
    command("changes_first", "First line", Changes, &[Key::char('g'), Key::code(KeyCode::Home)], || Action::Move(Motion::First)),
    command("changes_last", "Last line", Changes, &[Key::char('G'), Key::code(KeyCode::End)], || Action::Move(Motion::Last)),
    command("changes_go", "Go to the rule", Changes, ENTER, || Action::GoToChange).hint("go to rule"),
    command("changes_baseline", "Measure from now", Changes, &[Key::char('b')], || Action::SetBaseline).hint("measure from now"),
    command("changes_close", "Close", Changes, &[Key::code(KeyCode::Esc), Key::char('q'), Key::char('d')], || Action::Clear).hint("close"),
    command("changes_quit", "Leave", Changes, &[Key::ctrl('c')], || Action::Quit),
    command("why_down", "Next line", Why, DOWN, || Action::Move(Motion::Lines(1))),
    command("why_up", "Line before", Why, UP, || Action::Move(Motion::Lines(-1))),
    command("why_first", "First line", Why, &[Key::char('g'), Key::code(KeyCode::Home)], || Action::Move(Motion::First)),
    command("why_last", "Last line", Why, &[Key::char('G'), Key::code(KeyCode::End)], || Action::Move(Motion::Last)),
    command("why_more", "Scroll the details down", Why, PAGE_DOWN, || Action::Move(Motion::Pages(1))),
    command("why_less", "Scroll the details up", Why, PAGE_UP, || Action::Move(Motion::Pages(-1))),
    command("why_source", "Move in the source, or in the funnel again", Why, &[Key::code(KeyCode::Tab)], || Action::ToggleWhySource).hint("source").when(why_beside),
    command("why_go", "Go to its line in the source", Why, ENTER, || Action::GoToWhy).hint("go to line"),
    command("why_close", "Close", Why, &[Key::code(KeyCode::Esc), Key::char('q'), Key::char('w')], || Action::Clear).hint("close"),
    command("why_quit", "Leave", Why, &[Key::ctrl('c')], || Action::Quit),
    command("coverage_down", "Next number", Coverage, DOWN, || Action::Move(Motion::Lines(1))),
    command("coverage_up", "Number before", Coverage, UP, || Action::Move(Motion::Lines(-1))),
    command("coverage_page_down", "A page down", Coverage, &[Key::code(KeyCode::PageDown), Key::ctrl('d')], || Action::Move(Motion::Pages(1))),
    command("coverage_page_up", "A page up", Coverage, &[Key::code(KeyCode::PageUp), Key::ctrl('u')], || Action::Move(Motion::Pages(-1))),
    command("coverage_first", "First number", Coverage, &[Key::char('g'), Key::code(KeyCode::Home)], || Action::Move(Motion::First)),
    command("coverage_last", "Last number", Coverage, &[Key::char('G'), Key::code(KeyCode::End)], || Action::Move(Motion::Last)),
    command("coverage_open", "Open its rules; of a missing alias, what it could be", Coverage, ENTER, || Action::FollowCoverage(Narrow::Best)).hint("open"),
    command("coverage_rules", "Open its rules", Coverage, &[Key::char('f')], || Action::FollowCoverage(Narrow::All)).hint("rules"),
    command("coverage_executable", "Open those of them that can run", Coverage, &[Key::char('e')], || Action::FollowCoverage(Narrow::Executable)).hint("executable"),
    command("coverage_matched", "Open those of them that matched", Coverage, &[Key::char('m')], || Action::FollowCoverage(Narrow::Matched)).hint("matched"),
    command("coverage_refused", "Open those of them that cannot run", Coverage, &[Key::char('x')], || Action::FollowCoverage(Narrow::Refused)).hint("refused"),
    command("coverage_baseline", "Measure from now", Coverage, &[Key::char('b')], || Action::SetBaseline),
    command("coverage_close", "Close", Coverage, &[Key::code(KeyCode::Esc), Key::char('q'), Key::char('C')], || Action::Clear).hint("close"),
    command("coverage_quit", "Leave", Coverage, &[Key::ctrl('c')], || Action::Quit),
    command("palette_run", "Do it", Palette, ENTER, || Action::RunCommand).hint("do it"),
    command("palette_down", "Next command", Palette, &[Key::code(KeyCode::Down), Key::code(KeyCode::Tab), Key::ctrl('n')], || Action::Move(Motion::Lines(1))),
    command("palette_up", "Command before", Palette, &[Key::code(KeyCode::Up), Key::code(KeyCode::BackTab), Key::ctrl('p')], || Action::Move(Motion::Lines(-1))),
    command("palette_page_down", "A page down", Palette, PAGE_DOWN, || Action::Move(Motion::Pages(1))),
    command("palette_page_up", "A page up", Palette, PAGE_UP, || Action::Move(Motion::Pages(-1))),
    command("palette_close", "Close", Palette, ESC, || Action::Clear).hint("close"),
    command("palette_quit", "Leave", Palette, &[Key::ctrl('c')], || Action::Quit),
    command("welcome_open", "Open it", Welcome, ENTER, || Action::OpenChoice).hint("open"),
    command("welcome_down", "Next line", Welcome, DOWN, || Action::Move(Motion::Lines(1))),
    command("welcome_up", "Line before", Welcome, UP, || Action::Move(Motion::Lines(-1))),
    command("welcome_commands", "Every command by name", Welcome, &[Key::char(':')], || Action::OpenPalette("")).hint("commands"),
    command("welcome_close", "Back to what is open", Welcome, ESC, || Action::Clear).hint("close").when(|m| !m.opened.is_empty()),
    command("welcome_quit", "Leave", Welcome, QUIT, || Action::Quit).hint("quit"),
    command("welcome_help", "Show the help", Welcome, &[Key::char('?')], || Action::ToggleHelp).hint("help"),
    command("edit_try", "Try it, unsaved", Edit, ENTER, || Action::TryEdit).hint("try"),
    command("edit_save", "Write it", Edit, &[Key::ctrl('s')], || Action::SaveEdit).hint("write"),
    command("edit_next", "The next part of the line, or the next alias", Edit, &[Key::code(KeyCode::Tab)], || Action::EditNext(true)).hint("next part"),
    command("edit_previous", "The part before", Edit, &[Key::code(KeyCode::BackTab)], || Action::EditNext(false)),
    command("edit_close", "Drop it", Edit, ESC, || Action::Clear).hint("drop"),
    command("edit_quit", "Leave", Edit, &[Key::ctrl('c')], || Action::Quit),
    command("new_rule_write", "Write the rule", NewRule, ENTER, || Action::CreateRule).hint("write"),
    command("new_rule_next", "Next template", NewRule, &[Key::code(KeyCode::Down), Key::code(KeyCode::Tab), Key::ctrl('n')], || Action::Move(Motion::Lines(1))).hint("next"),
    command("new_rule_previous", "Template before", NewRule, &[Key::code(KeyCode::Up), Key::code(KeyCode::BackTab), Key::ctrl('p')], || Action::Move(Motion::Lines(-1))),
    command("new_rule_close", "Close", NewRule, ESC, || Action::Clear).hint("close"),
    command("new_rule_quit", "Leave", NewRule, &[Key::ctrl('c')], || Action::Quit),
    command("input_left", "A character to the left", Typing, &[Key::code(KeyCode::Left), Key::ctrl('b')], || Action::Stroke(Stroke::Left)),
    command("input_right", "A character to the right", Typing, &[Key::code(KeyCode::Right), Key::ctrl('f')], || Action::Stroke(Stroke::Right)),
    command("input_word_left", "A word to the left", Typing, &[Key { code: KeyCode::Left, ctrl: true, alt: false }], || Action::Stroke(Stroke::WordLeft)),
    command("input_word_right", "A word to the right", Typing, &[Key { code: KeyCode::Right, ctrl: true, alt: false }], || Action::Stroke(Stroke::WordRight)),
    command("input_start", "To the start", Typing, &[Key::code(KeyCode::Home), Key::ctrl('a')], || Action::Stroke(Stroke::Start)),
    command("input_end", "To the end", Typing, &[Key::code(KeyCode::End), Key::ctrl('e')], || Action::Stroke(Stroke::End)),
    command("input_erase", "Take the character before the cursor away", Typing, &[Key::code(KeyCode::Backspace), Key::ctrl('h')], || Action::Stroke(Stroke::EraseLeft)),
    command("input_delete", "Take the character behind it away", Typing, &[Key::code(KeyCode::Delete), Key::ctrl('d')], || Action::Stroke(Stroke::EraseRight)),
    command("input_erase_word", "Take the word before it away", Typing, &[Key::ctrl('w')], || Action::Stroke(Stroke::EraseWord)),
    command("input_erase_start", "Take all before it away", Typing, &[Key::ctrl('u')], || Action::Stroke(Stroke::EraseToStart)),
    command("input_erase_end", "Take all behind it away", Typing, &[Key::ctrl('k')], || Action::Stroke(Stroke::EraseToEnd)),
    command("close_help", "Close it", Help, &[Key::code(KeyCode::Esc), Key::char('?'), Key::char('q')], || Action::ToggleHelp).hint("close"),
    command("help_down", "Scroll down", Help, DOWN, || Action::Move(Motion::Lines(1))),
    command("help_up", "Scroll up", Help, UP, || Action::Move(Motion::Lines(-1))),
    command("help_page_down", "A page down", Help, PAGE_DOWN, || Action::Move(Motion::Pages(1))),
    command("help_page_up", "A page up", Help, PAGE_UP, || Action::Move(Motion::Pages(-1))),
    command("help_first", "To the top", Help, &[Key::char('g'), Key::code(KeyCode::Home)], || Action::Move(Motion::First)),
    command("help_last", "To the end", Help, &[Key::char('G'), Key::code(KeyCode::End)], || Action::Move(Motion::Last)),
    command("help_search", "Search the commands by name", Help, &[Key::char('/'), Key::char(':')], || Action::OpenPalette("")).hint("search"),
    command("help_quit", "Leave", Help, &[Key::ctrl('c')], || Action::Quit),
];

fn can_clear(model: &Model) -> bool {
    let work = &model.work;
    let run = work.running.is_some() && work.mentioned;
    run || model.unsaved.is_some() || model.filter.is_active() || model.zoomed || !model.notices.is_empty()
}

fn goes_on(model: &Model) -> bool {
    let extent = extent(model, model.focus, Layout::of(model).body(model.focus));
    extent.columns > usize::from(Layout::of(model).body(model.focus).width)
}

fn can_copy(model: &Model) -> bool {
    model.matched_row().is_some() || model.entry().is_some_and(|entry| entry.sql_text().is_some())
}

fn can_export(model: &Model) -> bool {
    model.table().is_some_and(|table| !table.rows.is_empty())
        && model
            .entry()
            .and_then(|entry| entry.compiled.as_ref())
            .is_some_and(|c| c.compilation.plan.is_some())
}

/// What a key means now.
pub(crate) fn action_for(model: &Model, event: KeyEvent) -> Option<Action> {
    let key = Key::of(event)?;
    let named = Context::of(model)
        .iter()
        .flat_map(|context| COMMANDS.iter().filter(move |c| c.context == *context))
        .filter(|c| model.keymap.keys(c).contains(&key));
    let mut named = named.peekable();
    match key.typed() {
        Some(c) if named.peek().is_none() => action_for_text(model, c.to_string()),
        _ => named.find(|command| (command.available)(model)).map(|command| (command.action)()),
    }
}

/// What text means now, typed or pasted: something only where there is a line to type in.
pub(crate) fn action_for_text(model: &Model, text: String) -> Option<Action> {
    Context::of(model).contains(&Context::Typing).then_some(Action::Type(text))
}

fn is_grouped(model: &Model) -> bool {
    model.list.grouping != Grouping::Flat
}

/// What is told of a command on the status line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hint {
    /// Its first key.
    pub key: Key,
    /// Its word.
    pub word: &'static str,
    /// The others go before it where there is little room, but those with a lower rank.
    pub rank: usize,
}

/// The commands whose hints stay longest, the first one to the last.
const KEPT: &[&str] = &[
    "help",
    "save",
    "open_event",
    "clear",
    "why",
    "edit_here",
    "right",
    "wrap",
    "propose",
    "proposal_try",
    "proposal_write",
    "filter",
    "export",
    "matches_sort",
    "edit",
    "copy",
    "zoom",
    "undo",
    "quit",
];

/// The hints of the status line, those of the focused pane before those of all panes.
pub(crate) fn hints(model: &Model) -> Vec<Hint> {
    let of = |context| COMMANDS.iter().filter(move |c: &&Command| c.context == context);
    let told = Context::of(model).iter().flat_map(|context| of(*context)).filter(|c| (c.available)(model));
    let told: Vec<_> = told.filter_map(|c| Some((c, *model.keymap.keys(c).first()?, c.hint?))).collect();
    let last = told.len().saturating_sub(1);
    let rank = |at: usize, name: &str| match KEPT.iter().position(|kept| *kept == name) {
        Some(rank) => rank,
        // Of a box: the way out, then what it is for, which comes first.
        None => KEPT.len() + if at == last { 0 } else { 1 + at },
    };
    let hint = |(at, (command, key, word)): (usize, (&Command, Key, &'static str))| Hint {
        key,
        word,
        rank: rank(at, command.name),
    };
    told.into_iter().enumerate().map(hint).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    #[test]
    fn no_key_means_two_things_in_one_context() {
        let mut taken = HashMap::new();
        for command in COMMANDS {
            for key in command.keys {
                let other = taken.insert((command.context, *key), command.name);
                assert_eq!(other, None, "{key} is both {other:?} and {}", command.name);
            }
        }
    }

    #[test]
    fn names_are_distinct_and_every_command_can_be_reached() {
        let names: HashSet<_> = COMMANDS.iter().map(|c| c.name).collect();
        assert_eq!(names.len(), COMMANDS.len());
        assert!(COMMANDS.iter().all(|c| !c.doc.is_empty() && (c.is_named() || !c.keys.is_empty())));
    }
}
