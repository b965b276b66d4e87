//! The command palette, over the panes: what is typed, and the commands that answer.
//!
//! ```text
//! ┌ Commands ──────────────────────────────────────────────┐
//! │ :grou▏                                                  │
//! │ › group_folder      Group by folder, as a tree          │
//! │   next_grouping     Group by the next: …             t  │
//! └────────────────────────────────────────────────────────┘
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{self, PaneLine, piece};
use super::{popup, symbols};
use crate::tui::command::{COMMANDS, Command};
use crate::tui::model::{Found, Model, Palette};
use crate::tui::text;
use crate::tui::theme::{Role, ThemeListing};

/// Columns of the whole.
const WIDTH: u16 = 96;

/// Lines of it, however few commands answer, so that it stays in its place.
const LINES: usize = 20;

/// Columns of the names and of the keys.
const NAMES: usize = 18;
const KEYS: usize = 12;

pub(super) fn draw(buffer: &mut Buffer, screen: Rect, model: &Model, open: &Palette) {
    let theme = &model.theme;
    let area = popup::place(screen, WIDTH, LINES);
    let title = match open.family {
        "group_" => "Group the rules",
        "sort_" => "Sort the rules",
        "layout_" => "Lay the panes out",
        "theme_" => "Themes",
        _ => "Commands",
    };
    popup::draw(buffer, area, model, &vec![piece(theme, Role::PaneTitleFocused, title)]);
    let body = popup::inner(area);
    let mut typed = vec![piece(theme, Role::FilterChip, ":")];
    typed.extend(paint::input(theme, &open.typed, usize::from(body.width).saturating_sub(2)));
    paint::line(buffer, body, 0, &typed, 0);
    let list = list(body);
    if open.found.is_empty() {
        paint::line(buffer, list, 0, &[piece(theme, Role::TextDim, "  no command answers to this")], 0);
    }
    let first = first(open, list);
    let shown = open.found.iter().enumerate().skip(first).take(usize::from(list.height));
    for (at, found) in shown {
        let line = match found {
            Found::Command(place) => {
                COMMANDS.get(*place).map(|command| command_line(model, command, list.width))
            }
            Found::Theme(own) => Some(theme_line(model, own, list.width)),
        };
        paint::line(buffer, list, at - first, &line.unwrap_or_default(), 0);
        if at == open.cursor {
            paint::select(buffer, list, at - first, theme.style(Role::Selection));
            paint::line(
                buffer,
                list,
                at - first,
                &[(symbols::CURSOR.glyph.to_owned(), theme.style(Role::Selection))],
                0,
            );
        }
    }
}

/// Where the commands stand.
fn list(body: Rect) -> Rect {
    let typed = body.height.min(1);
    Rect { y: body.y + typed, height: body.height - typed, ..body }
}

fn first(open: &Palette, list: Rect) -> usize {
    (open.cursor + 1).saturating_sub(usize::from(list.height).max(1))
}

fn command_line(model: &Model, command: &Command, width: u16) -> PaneLine {
    let available = (command.available)(model);
    let doc = if available { command.doc.to_owned() } else { format!("{} (not now)", command.doc) };
    line(model, (command.name, available), &doc, &model.keymap.all_shown(command), width)
}

fn theme_line(model: &Model, own: &ThemeListing, width: u16) -> PaneLine {
    line(model, (&format!("theme_{}", own.name), true), &own.description, "", width)
}

fn line(model: &Model, (name, available): (&str, bool), doc: &str, keys: &str, width: u16) -> PaneLine {
    let theme = &model.theme;
    vec![
        ("  ".to_owned(), theme.style(Role::Text)),
        (text::pad(name, NAMES), theme.style(if available { Role::Text } else { Role::TextDim })),
        (text::pad(doc, usize::from(width).saturating_sub(2 + NAMES + KEYS)), theme.style(Role::TextDim)),
        (text::pad_left(keys, KEYS), theme.style(Role::Key)),
    ]
}

/// Commands that answer, and how many are shown at once.
pub(super) fn extent(model: &Model, open: &Palette) -> (usize, usize) {
    (open.found.len(), usize::from(place(model).height))
}

/// The command at a row of the screen.
pub(super) fn line_at(model: &Model, open: &Palette, row: u16) -> Option<usize> {
    let list = place(model);
    let at = row.checked_sub(list.y).filter(|row| *row < list.height)?;
    let at = first(open, list) + usize::from(at);
    (at < open.found.len()).then_some(at)
}

fn place(model: &Model) -> Rect {
    let screen = Rect::new(0, 0, model.size.0, model.size.1);
    list(popup::inner(popup::place(screen, WIDTH, LINES)))
}
