//! The help, over everything else: keys, commands and glyphs, from the same tables that the program runs on.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::paint::{self, PaneLine, piece};
use super::verdict;
use crate::tui::command::{COMMANDS, Command, Context};
use crate::tui::model::{Model, Offset};
use crate::tui::text;
use crate::tui::theme::Role;

/// Columns of the keys.
const KEYS: usize = 17;

/// Columns of the names.
const NAMES: usize = 17;

/// Columns of the whole.
const WIDTH: u16 = 84;

pub(super) fn draw(buffer: &mut Buffer, screen: Rect, model: &Model) {
    let Some(row) = model.help else { return };
    let area = place(screen, lines(model).len());
    Clear.render(area, buffer);
    buffer.set_style(area, model.theme.style(Role::Text));
    border(buffer, area, model);
    let body = inner(area);
    paint::scrolled(buffer, body, &lines(model), Offset { row, column: 0 });
}

/// The middle of the screen, one cell free around it where there is room.
fn place(screen: Rect, lines: usize) -> Rect {
    let wanted = u16::try_from(lines + 2).unwrap_or(u16::MAX);
    let width = WIDTH.min(screen.width);
    let height = wanted.min(screen.height.saturating_sub(2)).max(screen.height.min(3));
    Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    }
}

fn inner(area: Rect) -> Rect {
    let (dx, dy) = (area.width.min(2), area.height.min(1));
    Rect {
        x: area.x + dx,
        y: area.y + dy,
        width: area.width.saturating_sub(2 * dx),
        height: area.height.saturating_sub(2 * dy),
    }
}

fn border(buffer: &mut Buffer, area: Rect, model: &Model) {
    let theme = &model.theme;
    let across = "─".repeat(usize::from(area.width.saturating_sub(2)));
    let last = usize::from(area.height.saturating_sub(1));
    for row in 0..=last {
        let (left, middle, right) = match row {
            0 => ("┌", across.clone(), "┐"),
            row if row == last => ("└", across.clone(), "┘"),
            _ => ("│", " ".repeat(across.chars().count()), "│"),
        };
        paint::line(
            buffer,
            area,
            row,
            &[piece(theme, Role::PaneBorder, &format!("{left}{middle}{right}"))],
            0,
        );
    }
    paint::line(buffer, inner(Rect { y: area.y, ..area }), 0, &[], 0);
    let title = Rect { x: area.x + area.width.min(2), width: area.width.saturating_sub(4), ..area };
    paint::line(buffer, title, 0, &[piece(theme, Role::PaneTitleFocused, " Help ")], 0);
}

fn lines(model: &Model) -> Vec<PaneLine> {
    let theme = &model.theme;
    let mut lines = Vec::new();
    for context in [Context::Browse, Context::Filter, Context::Help] {
        lines.push(vec![piece(theme, Role::TableHeader, context.title())]);
        let of_context = COMMANDS.iter().filter(|c| c.context == context);
        lines.extend(of_context.map(|command| command_line(model, command)));
        lines.push(Vec::new());
    }
    lines.push(vec![piece(theme, Role::TableHeader, "Mouse")]);
    lines.push(vec![piece(
        theme,
        Role::Text,
        "a click focuses and selects; the wheel scrolls the pane under it",
    )]);
    lines.push(Vec::new());
    lines.push(vec![piece(theme, Role::TableHeader, "Verdicts")]);
    for (glyph, role, word) in verdict::LEGEND {
        lines.push(vec![piece(theme, *role, glyph), piece(theme, Role::Text, &format!(" {word}"))]);
    }
    lines
}

fn command_line(model: &Model, command: &Command) -> PaneLine {
    let theme = &model.theme;
    let keys: Vec<_> = command.keys.iter().map(ToString::to_string).collect();
    vec![
        (text::pad(&keys.join(" "), KEYS), theme.style(Role::Key)),
        (text::pad(command.name, NAMES), theme.style(Role::TextDim)),
        piece(theme, Role::Text, command.doc),
    ]
}

/// Lines that the help has, and lines of it that are shown at once.
pub(super) fn extent(model: &Model) -> (usize, usize) {
    let screen = Rect::new(0, 0, model.size.0, model.size.1);
    let lines = lines(model).len();
    (lines, usize::from(inner(place(screen, lines)).height))
}
