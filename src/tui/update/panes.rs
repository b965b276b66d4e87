//! Layouts: which one is shown, and where its borders are, by key and by mouse.

use ratatui::layout::Rect;

use super::navigate;
use crate::tui::model::{Arrangement, Border, Model, Pane};
use crate::tui::view::{self, Layout};

/// How the notice begins that a layout is not shown.
const NOTICE: &str = "layout ";

/// Shows the panes so, all of them. Where the screen has no room for it, says so.
pub(super) fn arrange(model: &mut Model, arrangement: Arrangement) {
    model.notices.retain(|notice| !notice.starts_with(NOTICE));
    model.panes.arrangement = arrangement;
    model.zoomed = false;
    if view::fitting(arrangement, model.size) != Some(arrangement) {
        let (columns, rows) = view::least(arrangement);
        let word = arrangement.word();
        model.notices.push(format!("{NOTICE}{word} is shown from {columns} columns and {rows} rows on"));
    }
    navigate::settle(model);
}

/// Lets long lines of SQL go on below, or to the right.
pub(super) fn wrap_lines(model: &mut Model) {
    model.panes.long_lines = model.panes.long_lines.other();
    model.offset_mut(Pane::Sql).column = 0;
    navigate::settle(model);
}

/// Shows them in the next arrangement; wide is passed over where there is no room for it.
pub(super) fn arrange_next(model: &mut Model) {
    let next = model.panes.arrangement.next();
    let fits = next != Arrangement::Wide || view::fitting(next, model.size) == Some(next);
    arrange(model, if fits { next } else { next.next() });
}

/// Takes hold of the borders at a place, if there are any: of two where they cross.
pub(super) fn grab(model: &mut Model, column: u16, row: u16) -> bool {
    model.panes.held = borders_at(model, column, row);
    !model.panes.held.is_empty()
}

fn borders_at(model: &Model, column: u16, row: u16) -> Vec<Border> {
    let here = |(_, area): &(Border, Rect)| area.contains((column, row).into());
    Layout::of(model).borders().filter(here).map(|(border, _)| border).collect()
}

/// The mouse moves, with a button held down.
pub(super) fn drag(model: &mut Model, column: u16, row: u16) {
    for border in model.panes.held.clone() {
        put(model, border, if border.is_upright() { column } else { row });
    }
}

pub(super) fn release(model: &mut Model) {
    model.panes.held.clear();
}

/// Lets the borders at a place stand where the layout thinks best.
pub(super) fn reset(model: &mut Model, column: u16, row: u16) {
    for border in borders_at(model, column, row) {
        model.panes.splits.forget(border);
    }
    navigate::settle(model);
}

/// Makes the focused pane wider or narrower by so many columns, at the border right of it or else left of it.
pub(super) fn widen(model: &mut Model, by: i16) {
    grow(model, true, by);
}

/// Makes it higher or lower by so many rows.
pub(super) fn heighten(model: &mut Model, by: i16) {
    grow(model, false, by);
}

fn grow(model: &mut Model, upright: bool, by: i16) {
    let layout = Layout::of(model);
    let Some(pane) = layout.pane(model.focus) else { return };
    let end = |area: Rect| if upright { area.right() } else { area.bottom() };
    let start = |area: Rect| if upright { area.x } else { area.y };
    let beside = |at: u16| {
        let touches = move |(border, area): &(Border, Rect)| {
            let along = match upright {
                true => area.y < pane.bottom() && pane.y < area.bottom(),
                false => area.x < pane.right() && pane.x < area.right(),
            };
            border.is_upright() == upright && start(*area) == at && along
        };
        layout.borders().find(touches)
    };
    let after = beside(end(pane)).map(|found| (found, by));
    let before = || Some((beside(start(pane).checked_sub(1)?)?, -by));
    if let Some(((border, area), by)) = after.or_else(before) {
        put(model, border, start(area).saturating_add_signed(by));
    }
}

/// Moves a border to a column or row, as far as there is room; its neighbours stay where they are.
fn put(model: &mut Model, border: Border, cell: u16) {
    let whole = Layout::of(model).whole;
    let (first, all) = match border.is_upright() {
        true => (whole.x, whole.width),
        false => (whole.y, whole.height),
    };
    let place = |area: Rect| (if border.is_upright() { area.x } else { area.y }) - first;
    let others = Layout::of(model).borders().filter(|(other, _)| other.is_upright() == border.is_upright());
    for (other, area) in others {
        model.panes.splits.put(other, place(area), all);
    }
    model.panes.splits.put(border, cell.saturating_sub(first), all);
    // Where it has come to stand is what the next move starts from.
    if let Some((_, area)) = Layout::of(model).borders().find(|(other, _)| *other == border) {
        model.panes.splits.put(border, place(area), all);
    }
    navigate::settle(model);
}
