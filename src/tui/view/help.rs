//! The help, over everything else: keys, commands and glyphs, from the same tables that the program runs on.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{self, PaneLine, piece};
use super::popup;
use super::symbols::{self, Symbol};
use crate::tui::command::{COMMANDS, Command, Context};
use crate::tui::model::list::{FLAGS, KEYS};
use crate::tui::model::{Model, Offset};
use crate::tui::text;
use crate::tui::theme::Role;

/// Columns of the keys.
const KEY_COLUMNS: usize = 17;

/// Columns of the symbols.
const SYMBOLS: usize = 11;

/// Columns of the names.
const NAMES: usize = 17;

/// Columns of the whole.
const WIDTH: u16 = 84;

/// What the mouse does.
const MOUSE: &[(&str, &str)] = &[
    ("click", "focuses and selects; opens a group, or folds it"),
    ("double click", "shows a pane alone, or all again; puts a border back where it was"),
    ("drag", "moves the border between panes"),
    ("wheel", "moves in the pane under it"),
];

pub(super) fn draw(buffer: &mut Buffer, screen: Rect, model: &Model) {
    let Some(row) = model.help else { return };
    let area = popup::place(screen, WIDTH, lines(model).len());
    popup::draw(buffer, area, model, &vec![piece(&model.theme, Role::PaneTitleFocused, "Help")]);
    let body = popup::inner(area);
    paint::scrolled(buffer, body, &lines(model), Offset { row, column: 0 });
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
    lines.extend(MOUSE.iter().map(|(hand, meaning)| {
        vec![(text::pad(hand, KEY_COLUMNS), theme.style(Role::Key)), piece(theme, Role::Text, meaning)]
    }));
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
    lines.push(vec![piece(theme, Role::TableHeader, "Symbols")]);
    lines.extend(symbols::LEGEND.iter().flat_map(|symbol| symbol_lines(model, symbol)));
    lines
}

/// A symbol and what it means, in as many lines as that takes.
fn symbol_lines(model: &Model, symbol: &Symbol) -> Vec<PaneLine> {
    let theme = &model.theme;
    let room = usize::from(WIDTH) - SYMBOLS - 4;
    let line = |(at, meaning): (usize, String)| {
        let glyph = if at == 0 { symbol.glyph } else { "" };
        let blanks = " ".repeat(SYMBOLS.saturating_sub(text::width(glyph)));
        vec![piece(theme, symbol.role, glyph), piece(theme, Role::Text, &format!("{blanks}{meaning}"))]
    };
    text::wrap(symbol.meaning, room).into_iter().enumerate().map(line).collect()
}

fn command_line(model: &Model, command: &Command) -> PaneLine {
    let theme = &model.theme;
    vec![
        (text::pad(&model.keymap.all_shown(command), KEY_COLUMNS), theme.style(Role::Key)),
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
