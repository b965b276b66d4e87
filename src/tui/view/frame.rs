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
use super::paint::{self, PaneLine};
use super::symbols;
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

/// The borders; where they meet, they join.
fn rules(buffer: &mut Buffer, layout: &Layout, style: Style) {
    let is_border = |x: u16, y: u16| layout.borders().any(|(_, area)| area.contains((x, y).into()));
    for position in layout.borders().flat_map(|(_, area)| area.positions()) {
        let (x, y) = (position.x, position.y);
        let above = y > 0 && is_border(x, y - 1);
        let left = x > 0 && is_border(x - 1, y);
        let joined = (above, is_border(x, y + 1), left, is_border(x + 1, y));
        put(buffer, x, y, symbol(joined), style);
    }
}

/// A piece of a border that goes on above, below, to the left and to the right, or not.
fn symbol(joined: (bool, bool, bool, bool)) -> &'static str {
    match joined {
        (true, true, true, true) => "┼",
        (true, true, false, true) => "├",
        (true, true, true, false) => "┤",
        (true, false, true, true) => "┴",
        (false, true, true, true) => "┬",
        (true, ..) | (_, true, ..) => "│",
        _ => "─",
    }
}

fn put(buffer: &mut Buffer, x: u16, y: u16, symbol: &str, style: Style) {
    if let Some(cell) = buffer.cell_mut((x, y)) {
        cell.set_symbol(symbol).set_style(style);
    }
}

fn tabs(buffer: &mut Buffer, area: Rect, model: &Model) {
    let named = bar(model, true);
    // Without room for all names, that of the pane that is shown.
    let bar = if paint::width(&named) <= usize::from(area.width) { named } else { bar(model, false) };
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

fn bar(model: &Model, all_named: bool) -> PaneLine {
    let mut bar = PaneLine::new();
    for pane in Pane::ALL {
        let is_shown = pane == model.focus;
        let role = if is_shown { Role::TabFocused } else { Role::Tab };
        let name = if is_shown || all_named { pane.short_name() } else { "" };
        let label = format!("{}{name}{}", paint::key_of(model, pane), matches(model, pane));
        bar.push((label.trim_end().to_owned(), model.theme.style(role)));
        bar.push(("  ".to_owned(), model.theme.style(Role::Text)));
    }
    bar
}

/// How many matches there are, behind the name of their pane.
fn matches(model: &Model, pane: Pane) -> String {
    let Some(table) = model.table().filter(|_| pane == Pane::Matches) else { return String::new() };
    let matches = text::count(table.summary.matches);
    match model.entry().map_or(0, RuleEntry::arrived) {
        0 => format!(" {matches}"),
        arrived => format!(" {matches} {}{}", symbols::ARRIVED.glyph, text::count(arrived)),
    }
}
