//! The help, over everything else: keys, commands and glyphs, from the same tables that the program runs on.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{self, PaneLine, piece};
use super::{popup, verdict};
use crate::tui::command::{COMMANDS, Command, Context};
use crate::tui::model::list::{FLAGS, KEYS};
use crate::tui::model::{Model, Offset};
use crate::tui::text;
use crate::tui::theme::Role;

/// Columns of the keys.
const KEY_COLUMNS: usize = 17;

/// Columns of the names.
const NAMES: usize = 17;

/// Columns of the whole.
const WIDTH: u16 = 84;

pub(super) fn draw(buffer: &mut Buffer, screen: Rect, model: &Model) {
    let Some(row) = model.help else { return };
    let area = popup::place(screen, WIDTH, lines(model).len());
    popup::draw(buffer, area, model, &vec![piece(&model.theme, Role::PaneTitleFocused, "Help")]);
    let body = popup::inner(area);
    paint::scrolled(buffer, body, &model.theme, &lines(model), Offset { row, column: 0 });
}

fn lines(model: &Model) -> Vec<PaneLine> {
    let theme = &model.theme;
    let mut lines = Vec::new();
    for context in Context::ALL {
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
    lines.push(vec![piece(
        theme,
        Role::TableHeader,
        "The filter: words, quoted text and these; - or ! before one denies it",
    )]);
    let keys = KEYS.iter().map(|(name, meaning)| (format!("{name}:"), *meaning));
    let flags = FLAGS.iter().map(|(name, _, meaning)| ((*name).to_owned(), *meaning));
    lines.extend(keys.chain(flags).map(|(name, meaning)| {
        vec![(text::pad(&name, KEY_COLUMNS), theme.style(Role::Key)), piece(theme, Role::Text, meaning)]
    }));
    lines.push(Vec::new());
    lines.push(vec![piece(theme, Role::TableHeader, "Glyphs and marks")]);
    for (glyph, role, word) in verdict::LEGEND {
        lines.push(vec![piece(theme, *role, glyph), piece(theme, Role::Text, &format!(" {word}"))]);
    }
    lines
}

fn command_line(model: &Model, command: &Command) -> PaneLine {
    let theme = &model.theme;
    let keys: Vec<_> = command.keys.iter().map(ToString::to_string).collect();
    vec![
        (text::pad(&keys.join(" "), KEY_COLUMNS), theme.style(Role::Key)),
        (text::pad(command.name, NAMES), theme.style(Role::TextDim)),
        piece(theme, Role::Text, command.doc),
    ]
}

/// Lines that the help has, and lines of it that are shown at once.
pub(super) fn extent(model: &Model) -> (usize, usize) {
    let screen = Rect::new(0, 0, model.size.0, model.size.1);
    let lines = lines(model).len();
    (lines, usize::from(popup::inner(popup::place(screen, WIDTH, lines)).height))
}
