//! A box over the panes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::paint::{self, PaneLine, piece};
use crate::tui::model::Model;
use crate::tui::theme::Role;

/// Columns left and right of a box from which on what stands there is worth to be seen.
const FRINGE: u16 = 6;

/// The middle of the screen, at most `width` wide, with room for `lines`; a row free above and below where there
/// is room. Where next to nothing would be left beside it, the box goes over that too.
pub(super) fn place(screen: Rect, width: u16, lines: usize) -> Rect {
    let wanted = u16::try_from(lines + 2).unwrap_or(u16::MAX);
    let width = if screen.width < width + 2 * FRINGE { screen.width } else { width };
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

/// Columns of the title within the border.
pub(super) fn title_room(area: Rect) -> usize {
    usize::from(area.width.saturating_sub(6))
}

/// Clears the place and draws the border with a title in it.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, title: &PaneLine) {
    let theme = &model.theme;
    Clear.render(area, buffer);
    buffer.set_style(area, theme.style(Role::Text));
    let across = "─".repeat(usize::from(area.width.saturating_sub(2)));
    let last = usize::from(area.height.saturating_sub(1));
    let border = |text: &str| [piece(theme, Role::PaneBorder, text)];
    for row in 0..=last {
        match row {
            0 => paint::line(buffer, area, row, &border(&format!("┌{across}┐")), 0),
            row if row == last => paint::line(buffer, area, row, &border(&format!("└{across}┘")), 0),
            _ => {
                paint::line(buffer, area, row, &border("│"), 0);
                paint::right(buffer, area, row, &border("│"));
            }
        }
    }
    let place = Rect { x: area.x + area.width.min(2), width: area.width.saturating_sub(4), ..area };
    let text = Rect { x: place.x + place.width.min(1), width: place.width.saturating_sub(2), ..place };
    let blank = [piece(theme, Role::Text, " ")];
    let taken = Rect { width: text.width.min(paint::columns(title)) + 2, ..place }.intersection(place);
    paint::line(buffer, place, 0, &blank, 0);
    paint::line(buffer, text, 0, title, 0);
    paint::mark_cut(buffer, text, 0, theme, (title, 0));
    paint::right(buffer, taken, 0, &blank);
}
