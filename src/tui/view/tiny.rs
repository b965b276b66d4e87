//! A terminal that is too small to show anything in it says so.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{self, piece};
use crate::tui::model::Model;
use crate::tui::text;
use crate::tui::theme::Role;

/// The smallest screen on which a pane can be made use of.
const LEAST: (u16, u16) = (24, 6);

/// Whether `area` is too small.
pub(super) fn is(area: Rect) -> bool {
    area.width < LEAST.0 || area.height < LEAST.1
}

pub(super) fn draw(buffer: &mut Buffer, model: &Model) {
    let area = buffer.area;
    buffer.set_style(area, model.theme.style(Role::Text));
    let said = format!("too small: needs {}×{}", LEAST.0, LEAST.1);
    let columns = usize::from(area.width);
    let lines = text::wrap(&said, columns);
    // Where even the words do not fit, what matters of them does.
    let lines =
        if lines.len() > usize::from(area.height) { vec![text::fit("small", columns)] } else { lines };
    for (row, line) in lines.iter().enumerate() {
        paint::line(buffer, area, row, &[piece(&model.theme, Role::Text, line)], 0);
    }
}
