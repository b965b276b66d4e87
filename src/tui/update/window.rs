//! A window of a correlation over the panes: opening it, an event of it, and the way back from there.

use std::sync::Arc;

use super::{Effect, event, matches};
use crate::tui::model::{Model, Overlay, WindowAnswer, WindowView};
use crate::tui::worker::{Rows, WindowEvents};

/// Opens the window under the cursor of the matches.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let (Some(table), Some(row)) = (model.table().cloned(), model.matched_row().cloned()) else {
        return Vec::new();
    };
    let Some(wanted) = matches::rows_wanted(model, Rows::Window(row.event_id.clone())) else {
        return Vec::new();
    };
    model.generations.event += 1;
    model.copies_event = false;
    let columns = table.columns.clone();
    model.overlay =
        Some(Overlay::Window(WindowView { row, columns, answer: WindowAnswer::Waiting, cursor: 0 }));
    vec![Effect::Rows { generation: model.generations.event, wanted }]
}

pub(super) fn arrived(model: &mut Model, found: Result<WindowEvents, String>) {
    if let Some(Overlay::Window(open)) = &mut model.overlay {
        open.answer = found.map_or_else(WindowAnswer::Failed, |found| WindowAnswer::Ready(Arc::new(found)));
        open.cursor = 0;
    }
}

/// Opens the event under its cursor, to come back from.
pub(super) fn open_event(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Window(open)) = &model.overlay else { return Vec::new() };
    let (Some(found), window) = (open.selected().cloned(), open.clone()) else { return Vec::new() };
    event::show(model, (found.event_id, found.time, found.host), Some(Box::new(window)))
}

/// Goes back from an event to the window that it was opened from; whether there was one.
pub(super) fn come_back(model: &mut Model) -> bool {
    let Some(Overlay::Event(open)) = &mut model.overlay else { return false };
    let Some(window) = open.within.take() else { return false };
    // The event may still be on its way.
    model.generations.event += 1;
    model.overlay = Some(Overlay::Window(*window));
    true
}
