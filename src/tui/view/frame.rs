//! The dim rules between the panes, or the bar of panes.
//!
//! ```text
//!        │            │                 ● certutil download    1 Rules  2 Source  3 Route  4 SQL  5 Matches 12   3/212
//!        ├────────────┼──────────
//!        │            │
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::layout::Layout;
use super::matches::ARRIVED;
use super::paint::{self, PaneLine};
use super::verdict;
use crate::tui::model::{Model, Pane, RuleEntry};
use crate::tui::text;
use crate::tui::theme::Role;

pub(super) fn draw(buffer: &mut Buffer, layout: &Layout, model: &Model) {
    let area = buffer.area;
    buffer.set_style(area, model.theme.style(Role::Text));
    match layout.tabs {
        Some(area) => tabs(buffer, area, model),
        None => rules(buffer, layout, model.theme.style(Role::PaneBorder)),
    }
}

fn rules(buffer: &mut Buffer, layout: &Layout, style: Style) {
    let (source, route, sql) = (
        layout.pane(Pane::Source).unwrap_or_default(),
        layout.pane(Pane::Route).unwrap_or_default(),
        layout.pane(Pane::Sql).unwrap_or_default(),
    );
    let (outer, inner, middle) = (source.x.saturating_sub(1), route.x.saturating_sub(1), source.bottom());
    for y in source.y..sql.bottom() {
        put(buffer, outer, y, if y == middle { "├" } else { "│" }, style);
        put(buffer, inner, y, if y == middle { "┼" } else { "│" }, style);
    }
    for x in (source.x..route.right()).filter(|x| *x != inner) {
        put(buffer, x, middle, "─", style);
    }
}

fn put(buffer: &mut Buffer, x: u16, y: u16, symbol: &str, style: Style) {
    if let Some(cell) = buffer.cell_mut((x, y)) {
        cell.set_symbol(symbol).set_style(style);
    }
}

fn tabs(buffer: &mut Buffer, area: Rect, model: &Model) {
    let mut bar = PaneLine::new();
    for pane in Pane::ALL {
        let role = if pane == model.focus { Role::TabFocused } else { Role::Tab };
        let count = match (pane, model.table()) {
            (Pane::Matches, Some(table)) => match model.entry().map_or(0, RuleEntry::arrived) {
                0 => format!(" {}", text::count(table.summary.matches)),
                arrived => {
                    format!(" {} {ARRIVED}{}", text::count(table.summary.matches), text::count(arrived))
                }
            },
            _ => String::new(),
        };
        let label = format!("{} {}{count}", pane.number(), pane.short_name());
        bar.push((label, model.theme.style(role)));
        bar.push(("  ".to_owned(), model.theme.style(Role::Text)));
    }
    let taken = paint::right(buffer, area, 0, &bar);
    let left = Rect { width: area.width - taken, ..area };
    if let Some(entry) = model.entry().filter(|_| left.width > 4) {
        let (glyph, role) = verdict::glyph(entry);
        let title = text::fit(&entry.title, usize::from(left.width) - 4);
        let pieces =
            [(format!(" {glyph} "), model.theme.style(role)), (title, model.theme.style(Role::Text))];
        paint::line(buffer, left, 0, &pieces, 0);
    }
}
