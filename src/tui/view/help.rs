//! The help, over everything else: keys, commands and glyphs, from the same tables that the program runs on.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{self, PaneLine, piece};
use super::popup;
use super::symbols;
use crate::tui::command::{COMMANDS, Command, Context};
use crate::tui::model::{Model, Offset, list};
use crate::tui::text;
use crate::tui::theme::Role;

/// Columns of the keys, of the symbols, and of the names.
const KEYS: usize = 17;
const SYMBOLS: usize = 11;
const NAMES: usize = 20;

/// Columns of the whole, where there is room.
const WIDTH: u16 = 104;

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
    paint::scrolled(buffer, body, &model.theme, &lines(model), Offset { row, column: 0 });
}

fn lines(model: &Model) -> Vec<PaneLine> {
    let heading = |said: &str| vec![vec![piece(&model.theme, Role::TableHeader, said)]];
    let known = |name: &str, meaning: &str| entry(model, &[(name, KEYS, Role::Key)], meaning);
    let mut sections = Vec::new();
    for context in Context::ALL {
        let of_context = COMMANDS.iter().filter(|c| c.context == context);
        let commands = of_context.flat_map(|command| command_lines(model, command));
        sections.push(heading(context.title()).into_iter().chain(commands).collect());
    }
    let mouse = MOUSE.iter().flat_map(|(hand, meaning)| known(hand, meaning));
    sections.push(heading("Mouse").into_iter().chain(mouse).collect());
    let fields = list::KEYS.iter().flat_map(|(name, meaning)| known(&format!("{name}:"), meaning));
    let flags = list::FLAGS.iter().flat_map(|(name, _, meaning)| known(name, meaning));
    let filter = heading("The filter: words, quoted text and these; - or ! before one denies it");
    sections.push(filter.into_iter().chain(fields).chain(flags).collect());
    let symbols = symbols::LEGEND.iter().flat_map(|symbol| {
        let lead = [(symbol.glyph, SYMBOLS, symbol.role)];
        entry(model, &lead, symbol.meaning)
    });
    sections.push(heading("Symbols").into_iter().chain(symbols).collect::<Vec<_>>());
    sections.join(&Vec::new())
}

fn command_lines(model: &Model, command: &Command) -> Vec<PaneLine> {
    let keys = model.keymap.all_shown(command);
    entry(model, &[(&keys, KEYS, Role::Key), (command.name, NAMES, Role::TextDim)], command.doc)
}

/// What something is called, in columns, and what it means, in as many lines as that takes.
fn entry(model: &Model, lead: &[(&str, usize, Role)], meaning: &str) -> Vec<PaneLine> {
    let theme = &model.theme;
    let taken: usize = lead.iter().map(|(_, columns, _)| columns).sum();
    let room = usize::from(WIDTH.min(model.size.0)).saturating_sub(taken + 4);
    let mut lines: Vec<_> = text::wrap(meaning, room)
        .iter()
        .map(|line| vec![piece(theme, Role::Text, &" ".repeat(taken)), piece(theme, Role::Text, line)])
        .collect();
    if let Some(first) = lines.first_mut() {
        let shown = |(said, columns, role): &(&str, usize, Role)| {
            (format!("{} ", text::pad(&text::sanitize(said), columns - 1)), theme.style(*role))
        };
        first.splice(..1, lead.iter().map(shown));
    }
    lines
}

/// Lines that the help has, and lines of it that are shown at once.
pub(super) fn extent(model: &Model) -> (usize, usize) {
    let screen = Rect::new(0, 0, model.size.0, model.size.1);
    let lines = lines(model).len();
    (lines, usize::from(popup::inner(popup::place(screen, WIDTH, lines)).height))
}
