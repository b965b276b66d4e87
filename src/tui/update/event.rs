//! An event over the panes: opening it, folding it, searching it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Effect, copy, matches, window};
use crate::tui::action::Fold;
use crate::tui::model::{EventAnswer, EventView, Input, Model, Node, Overlay, Shown, WindowView, value_text};
use crate::tui::worker::{Rows, WholeEvent};

/// An event by what is known of it before it is there: its id, time and host.
type Named = (String, Option<i64>, Option<String>);

/// Opens what is under the cursor of the matches: an event, or a window.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let Some(row) = model.matched_row().cloned() else { return Vec::new() };
    match is_window(model) {
        true => window::open(model),
        false => show(model, (row.event_id, row.time, row.host), None),
    }
}

/// Whether the matches are windows of a correlation.
fn is_window(model: &Model) -> bool {
    let compiled = model.entry().and_then(|entry| entry.compiled.as_ref());
    compiled.is_some_and(|compiled| compiled.compilation.correlation.is_some())
}

/// Opens an event, maybe out of a window.
pub(super) fn show(
    model: &mut Model,
    (event_id, time, host): Named,
    within: Option<Box<WindowView>>,
) -> Vec<Effect> {
    let effects = ask_for(model, event_id.clone(), time);
    if effects.is_empty() {
        return effects;
    }
    model.overlay = Some(Overlay::Event(EventView {
        event_id,
        time,
        host,
        answer: EventAnswer::Waiting,
        folded: BTreeSet::new(),
        cursor: 0,
        search: Input::default(),
        searching: false,
        within,
    }));
    effects
}

/// Asks for all that the event under the cursor holds: of the matches, or of a window that is open.
pub(super) fn ask(model: &mut Model) -> Vec<Effect> {
    let named = match &model.overlay {
        Some(Overlay::Window(open)) => open.selected().map(|event| (event.event_id.clone(), event.time)),
        Some(Overlay::Event(open)) => Some((open.event_id.clone(), open.time)),
        _ if is_window(model) => {
            model.notices.push("a window is not one event; open it to see its events".to_owned());
            None
        }
        _ => model.matched_row().map(|row| (row.event_id.clone(), row.time)),
    };
    named.map(|(event_id, time)| ask_for(model, event_id, time)).unwrap_or_default()
}

fn ask_for(model: &mut Model, event_id: String, time: Option<i64>) -> Vec<Effect> {
    let Some(wanted) = matches::rows_wanted(model, Rows::Event(event_id, time)) else { return Vec::new() };
    model.generations.event += 1;
    model.copies_event = false;
    vec![Effect::Rows { generation: model.generations.event, wanted }]
}

pub(super) fn arrived(model: &mut Model, event: Result<WholeEvent, String>) -> Vec<Effect> {
    if std::mem::take(&mut model.copies_event) {
        return match event {
            Ok(event) => copy::event(&event),
            Err(error) => {
                model.notices.push(error);
                Vec::new()
            }
        };
    }
    if let Some(Overlay::Event(open)) = &mut model.overlay {
        open.answer = event.map_or_else(EventAnswer::Failed, |event| EventAnswer::Ready(Arc::new(event)));
        let first =
            open.nodes().iter().position(|node| node.matched && matches!(node.shown, Shown::Leaf(..)));
        open.cursor = first.unwrap_or(0);
    }
    Vec::new()
}

pub(super) fn fold(model: &mut Model, fold: Fold) {
    let Some(Overlay::Event(open)) = &mut model.overlay else { return };
    let nodes = open.nodes();
    let Some(node) = nodes.get(open.cursor) else { return };
    let here = node.path.clone();
    let folded = match node.shown {
        Shown::Branch(_, folded) => Some(folded),
        Shown::Leaf(..) => None,
    };
    match (fold, folded) {
        (Fold::CloseAll, _) => {
            let branches: BTreeSet<_> =
                open.all_nodes().into_iter().filter(is_branch).map(|node| node.path).collect();
            open.folded = branches;
            let top = here.split(['.', '[']).next().unwrap_or_default().to_owned();
            go_to(open, &top);
        }
        (Fold::OpenAll, _) => {
            open.folded.clear();
            go_to(open, &here);
        }
        (Fold::Close | Fold::Toggle, Some(false)) => drop(open.folded.insert(here)),
        (Fold::Open | Fold::Toggle, Some(true)) => drop(open.folded.remove(&here)),
        (Fold::Close, _) => {
            let depth = node.depth;
            let above = nodes.iter().take(open.cursor).rposition(|above| above.depth < depth);
            open.cursor = above.unwrap_or(open.cursor);
        }
        (Fold::Open | Fold::Toggle, _) => {}
    }
}

fn is_branch(node: &Node<'_>) -> bool {
    matches!(node.shown, Shown::Branch(..))
}

/// Puts the cursor on the line at `path`, or on the first one.
fn go_to(open: &mut EventView, path: &str) {
    let at = open.nodes().iter().position(|node| node.path == path);
    open.cursor = at.unwrap_or(0);
}

pub(super) fn edit_search(model: &mut Model) {
    if let Some(Overlay::Event(open)) = &mut model.overlay {
        open.searching = true;
        open.search = Input::default();
    }
}

/// Whether there was one to leave.
pub(super) fn leave_search(model: &mut Model) -> bool {
    match &mut model.overlay {
        Some(Overlay::Event(open)) if open.searching => {
            open.searching = false;
            open.search = Input::default();
            true
        }
        _ => false,
    }
}

pub(super) fn accept_search(model: &mut Model) {
    if let Some(Overlay::Event(open)) = &mut model.overlay {
        open.searching = false;
        find(open, true, true);
    }
}

pub(super) fn find_next(model: &mut Model, forward: bool) {
    if let Some(Overlay::Event(open)) = &mut model.overlay {
        find(open, forward, false);
    }
}

/// Goes to a line that holds what is searched for, around the end, and unfolds what it stands in.
fn find(open: &mut EventView, forward: bool, from_here: bool) {
    let sought = open.search.text().to_lowercase();
    let here = open.nodes().get(open.cursor).map(|node| node.path.clone());
    let nodes = open.all_nodes();
    let (Some(at), false) =
        (nodes.iter().position(|node| Some(&node.path) == here.as_ref()), sought.is_empty())
    else {
        return;
    };
    let step = |by: usize| {
        let by = if from_here { by } else { by + 1 } % nodes.len();
        if forward { (at + by) % nodes.len() } else { (at + nodes.len() - by) % nodes.len() }
    };
    let found = (0..nodes.len()).map(step).find(|at| nodes.get(*at).is_some_and(|node| holds(node, &sought)));
    let Some(path) = found.and_then(|at| nodes.get(at)).map(|node| node.path.clone()) else { return };
    open.folded.retain(|folded| {
        !path.strip_prefix(folded.as_str()).is_some_and(|rest| rest.starts_with(['.', '[']))
    });
    go_to(open, &path);
}

fn holds(node: &Node<'_>, sought: &str) -> bool {
    let in_value = match node.shown {
        Shown::Leaf(value, _) => value_text(value).to_lowercase().contains(sought),
        Shown::Branch(..) => false,
    };
    in_value || node.name.to_lowercase().contains(sought)
}
