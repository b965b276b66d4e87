//! Moving cursors and scrolling, always within what there is.

use ratatui::layout::Rect;

use super::{Effect, bench, matches, select, why};
use crate::tui::action::Motion;
use crate::tui::model::list::Row;
use crate::tui::model::{Model, Overlay, Pane};
use crate::tui::view::{self, Layout, Link};

/// Moves in the focused pane, or in the help while it is shown.
pub(super) fn go(model: &mut Model, motion: Motion) -> Vec<Effect> {
    if let Some(row) = model.help {
        let (rows, page) = view::help_extent(model);
        model.help = Some(target(row, rows.saturating_sub(page), page, motion));
        return Vec::new();
    }
    if matches!(model.overlay, Some(Overlay::Why(_))) {
        return why::go(model, motion);
    }
    if model.overlay.is_some() {
        bench::move_cursor(model, motion);
        return Vec::new();
    }
    move_in(model, model.focus, motion)
}

/// Moves in a pane: the cursor where it has one, else the view.
pub(super) fn move_in(model: &mut Model, pane: Pane, motion: Motion) -> Vec<Effect> {
    let body = Layout::of(model).body(pane);
    let page = page(model, pane, body);
    let last = view::extent(model, pane, body).rows.saturating_sub(1);
    match pane {
        Pane::Rules => return select_at(model, target(model.position, last, page, motion)),
        Pane::Source => {
            let lines = model.entry().map_or(1, |entry| entry.rule.text.lines().count().max(1));
            let line = target(model.cursor_line.saturating_sub(1) as usize, lines - 1, page, motion);
            model.cursor_line = u32::try_from(line + 1).unwrap_or(u32::MAX);
        }
        Pane::Matches => model.matches.cursor = target(model.matches.cursor, last, page, motion),
        Pane::Route => model.route_cursor = target(model.route_cursor, last, page, motion),
        Pane::Sql => {
            let last = view::sql_at_row(model, body, last);
            model.sql_cursor = target(model.sql_cursor, last, page, motion);
        }
    }
    if pane == model.focus || model.overlay.is_some() {
        follow(model);
    }
    settle(model);
    Vec::new()
}

/// Brings what belongs to the cursor of the focused pane into view in the others: their cursors go there. That of the
/// source stays while matches are looked through.
pub(super) fn follow(model: &mut Model) {
    matches::judge(model);
    let link = view::link(model);
    let in_source = model.focus == Pane::Source || model.overlay.is_some();
    if !in_source && model.focus != Pane::Matches {
        model.cursor_line = link.first_line().unwrap_or(model.cursor_line);
    }
    meet(model, &link);
}

/// Puts the cursor on a line of the rule list, and selects the rule that stands there. On the header of a group the
/// last rule stays selected.
pub(super) fn select_at(model: &mut Model, position: usize) -> Vec<Effect> {
    let effects = match model.list.rows.get(position) {
        Some(Row::Rule { index, .. }) => {
            let key = model.rules.get(*index).map(|entry| entry.key.clone());
            model.list.on_group = None;
            model.position = position;
            select(model, key)
        }
        Some(Row::Group(group)) => {
            model.list.on_group = Some(group.key.clone());
            model.position = position;
            Vec::new()
        }
        None => Vec::new(),
    };
    settle(model);
    effects
}

/// Scrolls the focused pane sideways.
pub(super) fn pan(model: &mut Model, columns: isize) {
    let pane = model.focus;
    let body = Layout::of(model).body(pane);
    let widest = view::extent(model, pane, body).columns;
    let limit = widest.saturating_sub(usize::from(body.width));
    let offset = model.offset_mut(pane);
    offset.column = offset.column.saturating_add_signed(columns).min(limit);
}

/// Where a motion leads from `at`, within `0..=last`.
pub(super) fn target(at: usize, last: usize, page: usize, motion: Motion) -> usize {
    let page = isize::try_from(page.max(1)).unwrap_or(isize::MAX);
    let by = match motion {
        Motion::Lines(lines) => lines,
        Motion::HalfPages(pages) => pages * (page / 2).max(1),
        Motion::Pages(pages) => pages * page,
        Motion::First => return 0,
        Motion::Last => return last,
    };
    at.saturating_add_signed(by).min(last)
}

/// Lines of a pane that scroll.
fn page(model: &Model, pane: Pane, body: Rect) -> usize {
    let height = usize::from(body.height);
    match pane {
        Pane::Rules => usize::from(view::list_area(model, body).height),
        Pane::Matches => height.saturating_sub(view::reserved_rows(model, body)),
        Pane::Source | Pane::Route | Pane::Sql => height,
    }
}

/// Brings every scroll position and cursor back into what there is, cursors in view.
pub(super) fn settle(model: &mut Model) {
    let layout = Layout::of(model);
    for pane in Pane::ALL {
        let body = layout.body(pane);
        let rows = view::extent(model, pane, body).rows;
        let page = page(model, pane, body);
        let last = rows.saturating_sub(1);
        let one = |row: usize| row..row + 1;
        let cursor = match pane {
            Pane::Rules => one(model.position),
            Pane::Source => view::rows_of_line(model, body, model.cursor_line),
            Pane::Route => {
                let row = within(&mut model.route_cursor, last);
                view::rows_of_field(model, body, row).unwrap_or(one(row))
            }
            Pane::Sql => {
                let last = view::sql_at_row(model, body, last);
                let line = within(&mut model.sql_cursor, last);
                view::rows_of_sql(model, body, line)
            }
            Pane::Matches => one(within(&mut model.matches.cursor, last)),
        };
        let offset = model.offset_mut(pane);
        // What is noted beneath the line as well, as far as there is room for both.
        let first = cursor.end.saturating_sub(page.max(1)).min(cursor.start);
        offset.row = offset.row.clamp(first, cursor.start);
        offset.row = offset.row.min(rows.saturating_sub(page));
    }
}

/// Puts the cursors of route and SQL on what belongs to `link`, where they are on something else.
pub(super) fn meet(model: &mut Model, link: &Link) {
    let (route, sql) = view::first_lines(model, link);
    model.route_cursor = route.unwrap_or(model.route_cursor);
    model.sql_cursor = sql.unwrap_or(model.sql_cursor);
}

fn within(cursor: &mut usize, last: usize) -> usize {
    *cursor = (*cursor).min(last);
    *cursor
}

/// Puts the source's cursor on the first finding, or on the start of the document.
pub(super) fn to_first_finding(model: &mut Model) {
    let start = model.entry().map_or(1, |entry| entry.rule.span.start.line);
    model.cursor_line = view::first_finding_line(model).unwrap_or(start).max(1);
    let body = Layout::of(model).body(Pane::Source);
    let row = view::rows_of_line(model, body, model.cursor_line).start;
    // A few lines above it, for the context.
    model.offset_mut(Pane::Source).row = row.saturating_sub(usize::from(body.height) / 3);
    settle(model);
}
