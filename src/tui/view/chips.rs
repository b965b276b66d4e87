//! The filter above the rule list: the line that is typed, or its terms as chips, and what cannot be asked.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{self, PaneLine, piece};
use crate::tui::model::Model;
use crate::tui::text;
use crate::tui::theme::Role;

/// Lines of a complaint that are shown.
const COMPLAINT: usize = 3;

/// Rows that the filter takes above the list.
pub(super) fn rows(model: &Model, width: u16) -> u16 {
    match model.filter.editing || !model.filter.input.text().is_empty() {
        true => 1 + u16::try_from(complaint(model, width).len()).unwrap_or(u16::MAX),
        false => 0,
    }
}

/// Why some term is not applied, in lines.
fn complaint(model: &Model, width: u16) -> Vec<String> {
    let said = model.filter.query.complaints().next().unwrap_or_default();
    let mut lines = text::wrap(said, usize::from(width.saturating_sub(4)));
    lines.truncate(COMPLAINT);
    lines
}

pub(super) fn draw(buffer: &mut Buffer, body: Rect, model: &Model) {
    if rows(model, body.width) == 0 {
        return;
    }
    let theme = &model.theme;
    let pieces = if model.filter.editing { typed(model, body.width) } else { chips(model) };
    paint::line(buffer, body, 0, &pieces, 0);
    let command = if model.filter.editing { "drop_filter" } else { "clear" };
    let key = model.keymap.shown(command);
    let way_out = key.map(|key| vec![piece(theme, Role::TextDim, &format!("{key} clears "))]);
    if let Some(way_out) = way_out
        && paint::width(&pieces) + paint::width(&way_out) < usize::from(body.width)
    {
        paint::right(buffer, body, 0, &way_out);
    }
    for (row, line) in complaint(model, body.width).iter().enumerate() {
        let mark = if row == 0 { " ✗ " } else { "   " };
        paint::line(buffer, body, row + 1, &[piece(theme, Role::Error, &format!("{mark}{line}"))], 0);
    }
}

fn typed(model: &Model, width: u16) -> PaneLine {
    let theme = &model.theme;
    let mut pieces =
        vec![(" ".to_owned(), theme.style(Role::Text)), ("/".to_owned(), theme.style(Role::FilterChip))];
    pieces.extend(paint::input(theme, &model.filter.input, usize::from(width).saturating_sub(3)));
    pieces
}

/// Each term by itself; one that is not applied is struck by a mark too, and not by colour alone.
fn chips(model: &Model) -> PaneLine {
    let theme = &model.theme;
    let mut pieces = vec![(" ".to_owned(), theme.style(Role::Text))];
    for term in &model.filter.query.terms {
        let (role, mark) = if term.wanted.is_ok() { (Role::FilterChip, "") } else { (Role::Error, "✗ ") };
        pieces.push(piece(theme, role, &format!(" {mark}{} ", term.written)));
        pieces.push((" ".to_owned(), theme.style(Role::Text)));
    }
    pieces
}
