//! What each [`Action`] does to the [`Model`]. Pure: what has to be done outside is returned as [`Effect`]s.

pub(crate) mod bench;
pub(crate) mod cases;
mod copy;
mod coverage;
mod dataset;
mod editor;
mod event;
mod export;
mod filter;
mod follow;
mod history;
pub(crate) mod in_place;
mod list;
mod live;
pub(crate) mod matches;
mod mouse;
mod navigate;
pub(crate) mod new_rule;
mod palette;
mod panes;
mod report;
mod run;
pub(crate) mod spark;
mod typing;
pub(crate) mod welcome;
mod why;
mod window;

use std::borrow::Cow;
use std::iter;
use std::sync::Arc;

use super::action::{Action, Changed};
use super::highlight::Language;
use super::model::{Matches, Model, Overlay, Pane, RuleKey, Trial, Why};
use super::view;
use super::worker::{Question, RowsWanted, SparkJob, ToDraft, ToSave, Writing};
use super::workspace::Workspace;
use crate::backend::CompiledRule;
use crate::evaluate::Slice;

pub(crate) use editor::{EditorPlace, opened as editor_closed};

pub(crate) use list::refresh;

/// Notices that are kept; Esc goes back through them.
const NOTICES: usize = 32;

/// Something to be done outside the model.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Load and compile what has changed.
    Compile {
        /// Of the request.
        generation: u64,
        /// What has changed.
        changed: Changed,
        /// What is compiled in place of what is on disk.
        trial: Option<Trial>,
    },
    /// Find and open the dataset.
    OpenDataset {
        /// Of the request.
        generation: u64,
    },
    /// Forget what rules answered.
    Forget,
    /// Look for a slice of the matches of a rule; with none, stop looking.
    Match {
        /// Of the request.
        generation: u64,
        /// The rule, and which of its matches.
        rule: Option<((RuleKey, Arc<CompiledRule>), Slice)>,
    },
    /// Look for those matches of a rule that came after an opening of the dataset.
    Arrivals {
        /// Of the request for its matches.
        generation: u64,
        /// The rule.
        rule: (RuleKey, Arc<CompiledRule>),
        /// The opening.
        since: u64,
    },
    /// Find something out about the rows that are shown, or write them to a file.
    Rows {
        /// Of the request.
        generation: u64,
        /// What is wanted.
        wanted: RowsWanted,
    },
    /// Hand a text to the terminal's clipboard.
    Copy {
        /// What it is, for the notice.
        what: &'static str,
        /// The text.
        text: String,
    },
    /// Leave the terminal to the user's editor until it ends.
    OpenEditor(EditorPlace),
    /// Count the matches of rules.
    Summarize {
        /// Of the request.
        generation: u64,
        /// The rules.
        rules: Vec<(RuleKey, Arc<CompiledRule>)>,
        /// How many of them come before the others.
        first: usize,
    },
    /// Count the matches of rules as events come; with no rules, stop.
    Follow {
        /// Of the request.
        generation: u64,
        /// The rules.
        rules: Vec<(RuleKey, Arc<CompiledRule>)>,
        /// Whether to begin with the first event again.
        anew: bool,
    },
    /// Find out about a field; with no question, stop.
    Bench {
        /// Of the request.
        generation: u64,
        /// What is asked.
        question: Option<Box<Question>>,
    },
    /// Find out why a rule did or did not match; with none, stop.
    Explain {
        /// Of the request.
        generation: u64,
        /// The rule.
        rule: Option<(RuleKey, Arc<CompiledRule>)>,
    },
    /// Count how often the fields of a rule are filled; with none, stop.
    Fill {
        /// Of the request.
        generation: u64,
        /// The rule.
        rule: Option<(RuleKey, Arc<CompiledRule>)>,
    },
    /// Look for the aliases that are missing.
    Gaps {
        /// Of the request.
        generation: u64,
        /// All rules, as they are compiled.
        compiled: Vec<Arc<CompiledRule>>,
    },
    /// Change a file.
    Write(Box<Writing>),
    /// Run rules on the installed Spark; with none, stop.
    RunSpark {
        /// Of the request.
        generation: u64,
        /// The rules.
        job: Option<Box<SparkJob>>,
    },
    /// Draft new rules.
    Draft {
        /// Of the request.
        generation: u64,
        /// What of.
        wanted: ToDraft,
    },
    /// Write a regression case.
    SaveCase(ToSave),
    /// Colour a text.
    Highlight(Language, Arc<str>),
    /// Open something else.
    OpenWorkspace(Workspace),
    /// Open the demo.
    OpenDemo,
    /// Take the theme of that name into use.
    UseTheme(Cow<'static, str>),
    /// Ring the terminal's bell.
    Bell,
    /// Give the terminal back and stop.
    Suspend,
    /// Leave.
    Quit,
}

/// Does `action` to `model`.
pub(crate) fn update(model: &mut Model, action: Action) -> Vec<Effect> {
    let mut effects = apply(model, action);
    matches::judge(model);
    effects.extend(matches::fill(model));
    effects.extend(spark::settle(model));
    let old = model.notices.len().saturating_sub(NOTICES);
    model.notices.drain(..old);
    effects
}

fn apply(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Quit => return in_place::quit(model),
        Action::Suspend => return vec![Effect::Suspend],
        Action::Resize(columns, rows) => resize(model, (columns, rows)),
        Action::Focus(pane) => focus(model, pane),
        Action::FocusNext => focus(model, model.focus.step(1)),
        Action::FocusPrevious => focus(model, model.focus.step(Pane::ALL.len() - 1)),
        Action::Move(motion) => return navigate::go(model, motion),
        Action::Pan(columns) => navigate::pan(model, columns),
        Action::PanHome => model.offset_mut(model.focus).column = 0,
        Action::ToggleZoom => zoom(model, !model.zoomed),
        Action::Arrange(arrangement) => panes::arrange(model, arrangement),
        Action::NextArrangement => panes::arrange_next(model),
        Action::Widen(by) => panes::widen(model, by),
        Action::Heighten(by) => panes::heighten(model, by),
        Action::ToggleHelp => model.help = if model.help.is_some() { None } else { Some(0) },
        Action::EditFilter => filter::edit(model),
        Action::AcceptFilter => filter::accept(model),
        Action::Clear => return clear(model),
        Action::GroupBy(grouping) => return list::group_by(model, grouping),
        Action::NextGrouping => return list::group_by(model, model.list.grouping.next()),
        Action::SortBy(order) => return list::sort_by(model, order),
        Action::NextOrder => return list::sort_by(model, model.list.order.next()),
        Action::FoldGroup(open) => return list::fold(model, open),
        Action::FoldGroups => return list::fold_all(model),
        Action::ShowCoverage => return coverage::open(model),
        Action::FollowCoverage(narrow) => return coverage::follow(model, narrow),
        Action::OpenPalette(family) => palette::open(model, family),
        Action::RunCommand => return palette::run(model),
        Action::Reload => return iter::once(Effect::Forget).chain(reload(model)).collect(),
        Action::Propose => return bench::propose(model),
        Action::ProposeNext => return bench::next_field(model),
        Action::TryProposal => return bench::try_out(model),
        Action::WriteProposal => return bench::write(model),
        Action::EditInPlace => in_place::begin(model),
        Action::EditNext(forward) => in_place::step(model, forward),
        Action::TryEdit => return in_place::try_out(model),
        Action::SaveEdit => return in_place::save(model),
        Action::NewRule => return new_rule::open(model),
        Action::CreateRule => return new_rule::write(model),
        Action::Undo => return history::undo(model),
        Action::Redo => return history::redo(model),
        Action::MarkRow => return cases::mark(model),
        Action::UnmarkRows => model.matches.marked.clear(),
        Action::SaveCase => return cases::save(model),
        Action::ShowChanges => bench::show_changes(model),
        Action::GoToChange => return bench::go_to_change(model),
        Action::SetBaseline => {
            bench::set_baseline(model);
            let effects = list::arrange(model, true);
            coverage::recount(model);
            return effects;
        }
        Action::SortNext => return matches::sort_next(model),
        Action::SortReverse => return matches::sort_reverse(model),
        Action::OpenEvent => return event::open(model),
        Action::OpenWindowEvent => return window::open_event(model),
        Action::Fold(fold) => event::fold(model, fold),
        Action::FindNext(forward) => event::find_next(model, forward),
        Action::EditSearch => event::edit_search(model),
        Action::AcceptSearch => event::accept_search(model),
        Action::AskCopy => model.copying = true,
        Action::Copy(what) => return copy::copy(model, what),
        Action::AskExport => export::ask(model),
        Action::ExportFormat => export::next_format(model),
        Action::Export => return export::write(model),
        Action::Type(text) => return typing::insert(model, &text),
        Action::Stroke(stroke) => return typing::stroke(model, stroke),
        Action::EditRule => return editor::rule(model),
        Action::EditPack => return editor::pack(model),
        Action::ShowWhy => return why::show(model),
        Action::ToggleWhySource => why::toggle_source(model),
        Action::GoToWhy => return why::go_to_source(model),
        Action::ShowWelcome => welcome::show(model),
        Action::OpenChoice => return welcome::choose(model),
        Action::UseTheme(name) => return vec![Effect::UseTheme(name)],
        Action::Click(column, row) => return mouse::click(model, column, row),
        Action::DoubleClick(column, row) => return mouse::double_click(model, column, row),
        Action::Drag(column, row) => panes::drag(model, column, row),
        Action::Release => panes::release(model),
        Action::Wheel(column, row, lines) => return mouse::wheel(model, column, row, lines),
        Action::WrapLines => panes::wrap_lines(model),
        Action::SeeAll => return live::see_all(model),
        Action::ToggleBell => live::toggle_bell(model),
        Action::StopRun => return run::stop(model),
        Action::NextBackend => spark::next_backend(model),
        Action::RunBackend => return spark::run(model),
        Action::StopBackend => return spark::stop(model),
        Action::MentionWork => model.work.mentioned = true,
        Action::FilesChanged(changed) => return files_changed(model, changed),
        Action::Worker(report) => return report::accept(model, report),
    }
    Vec::new()
}

/// What to do first of all.
pub(crate) fn start(model: &mut Model) -> Vec<Effect> {
    if model.opened.is_empty() {
        welcome::show(model);
    }
    reload(model)
}

fn resize(model: &mut Model, size: (u16, u16)) {
    model.size = size;
    navigate::settle(model);
}

fn focus(model: &mut Model, pane: Pane) {
    let link = view::link(model);
    model.focus = pane;
    navigate::meet(model, &link);
    navigate::settle(model);
}

fn zoom(model: &mut Model, zoomed: bool) {
    model.zoomed = zoomed;
    navigate::settle(model);
}

/// Closes the topmost thing that is open. Never leaves the program.
fn clear(model: &mut Model) -> Vec<Effect> {
    if model.help.take().is_some() {
        return Vec::new();
    }
    if std::mem::take(&mut model.copying) || event::leave_search(model) {
        return Vec::new();
    }
    if matches!(model.overlay, Some(Overlay::Why(_))) {
        return why::close(model);
    }
    if matches!(model.overlay, Some(Overlay::Palette(_))) && model.opened.is_empty() {
        welcome::show(model);
        return Vec::new();
    }
    if matches!(model.overlay, Some(Overlay::Edit(_))) {
        return in_place::close(model);
    }
    if window::come_back(model) {
        return Vec::new();
    }
    if model.overlay.is_some() {
        return bench::close(model);
    }
    if model.unsaved.is_some() && !model.filter.editing {
        return in_place::drop_trial(model);
    }
    if model.filter.editing || !model.filter.input.text().is_empty() {
        return filter::drop(model);
    }
    if model.zoomed {
        zoom(model, false);
    } else if model.work.running.is_some() || model.work.reading.is_some() {
        return run::stop(model);
    } else {
        model.notices.pop();
    }
    Vec::new()
}

fn reload(model: &mut Model) -> Vec<Effect> {
    let changed = Changed { rescan: true, pack: true, ..Changed::default() };
    let mut effects = files_changed(model, changed);
    model.work.stopped = None;
    model.live.anew = true;
    dataset::age(model);
    effects.extend(dataset::open(model));
    effects
}

fn files_changed(model: &mut Model, changed: Changed) -> Vec<Effect> {
    let mut effects = Vec::new();
    if changed.rescan || changed.pack || !changed.rules.is_empty() {
        effects.push(compile(model, changed.clone()));
    }
    if changed.dataset {
        effects.extend(dataset::changed(model));
    }
    effects
}

/// Compiles all rules anew, whatever has changed on disk, and what is tried in place of it.
fn compile(model: &mut Model, changed: Changed) -> Effect {
    model.generations.compile += 1;
    model.work.compiling = true;
    let trial = model.unsaved.as_ref().map(|unsaved| unsaved.trial.clone());
    Effect::Compile { generation: model.generations.compile, changed, trial }
}

/// The same where nothing has changed but what is tried.
fn recompile(model: &mut Model) -> Vec<Effect> {
    vec![compile(model, Changed::default())]
}

/// Shows another rule: from its first finding on, with its matches on the way.
pub(crate) fn select(model: &mut Model, key: Option<RuleKey>) -> Vec<Effect> {
    if model.selected == key {
        return Vec::new();
    }
    live::leave(model);
    model.selected = key;
    for pane in [Pane::Source, Pane::Route, Pane::Sql, Pane::Matches] {
        *model.offset_mut(pane) = Default::default();
    }
    model.matches = Matches::default();
    model.why = Why::default();
    model.fills = None;
    (model.route_cursor, model.sql_cursor) = (0, 0);
    navigate::to_first_finding(model);
    let mut effects = request_matches(model);
    effects.extend(why::request_fills(model));
    effects.extend(why::selected(model));
    effects.extend(request_colours(model));
    effects
}

/// Asks for the matches of the selected rule, or calls the search off where there can be none.
fn request_matches(model: &mut Model) -> Vec<Effect> {
    model.generations.matches += 1;
    let generation = model.generations.matches;
    let open = model.dataset.info.is_some();
    let rule = model.entry().filter(|entry| open && entry.is_executable());
    let rule = rule.and_then(|entry| Some((entry.key.clone(), Arc::clone(entry.compiled.as_ref()?))));
    let rule = rule.map(|rule| (rule, matches::wanted(model)));
    matches::forget_asked(model);
    model.work.matching = rule.is_some();
    let arrivals = live::request(model).filter(|_| rule.is_some());
    [Effect::Match { generation, rule }].into_iter().chain(arrivals).collect()
}

/// Asks for the colours of what the selected rule shows and has not yet.
fn request_colours(model: &Model) -> Vec<Effect> {
    let Some(entry) = model.entry() else { return Vec::new() };
    let source = (Language::Yaml, Arc::clone(&entry.rule.text));
    let shown = entry.last_good.as_ref().or(entry.compiled.as_ref());
    let sql = shown.and_then(|c| c.sql.as_ref()).map(|sql| (Language::Sql, Arc::from(sql.text.as_str())));
    [Some(source), sql]
        .into_iter()
        .flatten()
        .filter(|(language, text)| model.highlights.get(*language, text).is_none())
        .map(|(language, text)| Effect::Highlight(language, text))
        .collect()
}
