//! A box over the panes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::paint::{self, PaneLine, piece};
use crate::tui::model::Model;
use crate::tui::theme::Role;

/// The middle of the screen, at most `width` wide, with room for `lines`; a row free above and below where there
/// is room.
pub(super) fn place(screen: Rect, width: u16, lines: usize) -> Rect {
    let wanted = u16::try_from(lines + 2).unwrap_or(u16::MAX);
    let width = width.min(screen.width);
    let height = wanted.min(screen.height.saturating_sub(2)).max(screen.height.min(3));
    Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    }
}

/// What is within the border.
pub(super) fn inner(area: Rect) -> Rect {
    let (dx, dy) = (area.width.min(2), area.height.min(1));
    Rect {
        x: area.x + dx,
        y: area.y + dy,
        width: area.width.saturating_sub(2 * dx),
        height: area.height.saturating_sub(2 * dy),
    }
}

/// Clears the place and draws the border with a title in it.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, title: &PaneLine) {
    let theme = &model.theme;
    Clear.render(area, buffer);
    buffer.set_style(area, theme.style(Role::Text));
    let across = "─".repeat(usize::from(area.width.saturating_sub(2)));
    let blank = " ".repeat(across.chars().count());
    let last = usize::from(area.height.saturating_sub(1));
    for row in 0..=last {
        let text = match row {
            0 => format!("┌{across}┐"),
            row if row == last => format!("└{across}┘"),
            _ => format!("│{blank}│"),
        };
        paint::line(buffer, area, row, &[piece(theme, Role::PaneBorder, &text)], 0);
    }
    let place = Rect { x: area.x + area.width.min(2), width: area.width.saturating_sub(4), ..area };
    let framed = [vec![piece(theme, Role::Text, " ")], title.clone(), vec![piece(theme, Role::Text, " ")]];
    paint::line(buffer, place, 0, &framed.concat(), 0);
}
