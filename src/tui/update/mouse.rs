//! The mouse: a click focuses and selects, a second one shows a pane alone, the wheel scrolls what is under it, borders
//! can be dragged.

use super::{Effect, bench, focus, list, navigate, panes, why, zoom};
use crate::tui::action::Motion;
use crate::tui::model::{Model, Overlay, Pane};
use crate::tui::view::{self, Layout};

pub(super) fn click(model: &mut Model, column: u16, row: u16) -> Vec<Effect> {
    if model.help.take().is_some() {
        return Vec::new();
    }
    if matches!(model.overlay, Some(Overlay::Why(_))) {
        why::click(model, column, row);
        return Vec::new();
    }
    if model.overlay.is_some() {
        if let Some(line) = view::overlay_line(model, row) {
            bench::move_to(model, line);
        }
        return Vec::new();
    }
    if panes::grab(model, column, row) {
        return Vec::new();
    }
    let layout = Layout::of(model);
    let Some(pane) = layout.pane_at(column, row) else { return Vec::new() };
    model.filter.editing = false;
    focus(model, pane);
    let body = layout.body(pane);
    match pane {
        Pane::Rules => {
            let area = view::list_area(model, body);
            let Some(line) = row.checked_sub(area.y) else { return Vec::new() };
            let at = model.offset(pane).row + usize::from(line);
            let mut effects = navigate::select_at(model, at);
            if list::group_at(model, at).is_some() {
                effects.extend(list::fold(model, None));
            }
            return effects;
        }
        Pane::Source => {
            let Some(line) = row.checked_sub(body.y) else { return Vec::new() };
            let at = model.offset(pane).row + usize::from(line);
            model.cursor_line = view::line_at_row(model, body, at);
        }
        Pane::Matches => {
            let above = view::rows_above(model, body);
            let line = usize::from(row.saturating_sub(body.y)).checked_sub(above);
            let Some(line) = line else { return Vec::new() };
            model.matches.cursor = model.offset(pane).row + line;
        }
        Pane::Route | Pane::Sql => {
            let Some(line) = row.checked_sub(body.y) else { return Vec::new() };
            let at = model.offset(pane).row + usize::from(line);
            match pane {
                Pane::Route => model.route_cursor = at,
                _ => model.sql_cursor = view::sql_at_row(model, body, at),
            }
            navigate::settle(model);
        }
    }
    navigate::follow(model);
    navigate::settle(model);
    Vec::new()
}

/// Shows a pane alone, or all again; puts a border back where it was. A group of rules has taken the first click.
pub(super) fn double_click(model: &mut Model, column: u16, row: u16) -> Vec<Effect> {
    let covered = model.help.is_some() || model.overlay.is_some();
    let pane = Layout::of(model).pane_at(column, row);
    let on_group = pane == Some(Pane::Rules) && list::group_at(model, model.position).is_some();
    if covered || on_group {
        return click(model, column, row);
    }
    if let Some(pane) = pane {
        focus(model, pane);
        zoom(model, !model.zoomed);
    } else {
        panes::reset(model, column, row);
    }
    Vec::new()
}

pub(super) fn wheel(model: &mut Model, column: u16, row: u16, lines: isize) -> Vec<Effect> {
    if model.help.is_some() || model.overlay.is_some() {
        return navigate::go(model, Motion::Lines(lines));
    }
    match Layout::of(model).pane_at(column, row) {
        Some(pane) => navigate::move_in(model, pane, Motion::Lines(lines)),
        None => Vec::new(),
    }
}
