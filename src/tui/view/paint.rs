//! Drawing that cannot leave its area, whatever the size of the terminal.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::symbols;
use crate::tui::highlight::LineRoles;
use crate::tui::model::{Input, Model, Offset, Pane};
use crate::tui::text::{self, Piece};
use crate::tui::theme::{Role, Theme};

/// A line in pieces, not yet cut to a width.
pub(super) type PaneLine = Vec<Piece>;

/// A piece of a title, and how dispensable it is: 0 stays, and of the others the highest go first.
pub(super) type Ranked = (u8, Piece);

/// What there is room for.
pub(super) fn fitting(mut pieces: Vec<Ranked>, room: usize) -> PaneLine {
    let taken = |pieces: &[Ranked]| pieces.iter().map(|(_, (said, _))| text::width(said)).sum::<usize>();
    while taken(&pieces) > room
        && let Some(least) = pieces.iter().map(|(rank, _)| *rank).max().filter(|rank| *rank > 0)
    {
        pieces.retain(|(rank, _)| *rank < least);
    }
    pieces.into_iter().map(|(_, piece)| piece).collect()
}

/// A piece of text in a role, made safe to draw.
pub(super) fn piece(theme: &Theme, role: Role, content: &str) -> Piece {
    (text::sanitize(content).into_owned(), theme.style(role))
}

/// Draws `spans` from the left border of a row of `area`.
pub(super) fn spans(buffer: &mut Buffer, area: Rect, row: usize, spans: &[Span<'_>]) {
    let area = area.intersection(buffer.area);
    let Some(y) = u16::try_from(row).ok().filter(|row| *row < area.height).map(|row| area.y + row) else {
        return;
    };
    let mut x = area.x;
    for span in spans {
        let room = usize::from(area.right().saturating_sub(x));
        if room == 0 {
            return;
        }
        (x, _) = buffer.set_stringn(x, y, &span.content, room, span.style);
    }
}

/// Draws a line, `skip` columns of it left out.
pub(super) fn line(buffer: &mut Buffer, area: Rect, row: usize, pieces: &[Piece], skip: usize) {
    spans(buffer, area, row, &text::window(pieces, skip, usize::from(area.width)));
}

/// Draws pieces so that they end at the right border of a row, and says how many columns they took.
pub(super) fn right(buffer: &mut Buffer, area: Rect, row: usize, pieces: &[Piece]) -> u16 {
    let width = columns(pieces).min(area.width);
    let place = Rect { x: area.right() - width, width, ..area };
    line(buffer, place, row, pieces, 0);
    width
}

/// Text in lines that fit `width`, the first after `lead`, the others below it.
pub(super) fn paragraph(model: &Model, role: Role, lead: &str, said: &str, width: usize) -> Vec<PaneLine> {
    let room = width.saturating_sub(text::width(lead) + 1);
    let blank = " ".repeat(text::width(lead));
    let line = |(at, line): (usize, String)| {
        let lead = if at == 0 { lead } else { &blank };
        vec![piece(&model.theme, role, &format!("{lead}{line}"))]
    };
    text::wrap(said, room).into_iter().enumerate().map(line).collect()
}

/// Columns that a line takes.
pub(super) fn width(pieces: &[Piece]) -> usize {
    pieces.iter().map(|(content, _)| text::width(content)).sum()
}

/// The same, as cells are counted.
pub(super) fn columns(pieces: &[Piece]) -> u16 {
    u16::try_from(width(pieces)).unwrap_or(u16::MAX)
}

/// Text in so many columns, and the blanks behind it apart: a style that underlines is not for these.
pub(super) fn padded(theme: &Theme, said: &str, columns: usize, style: Style) -> [Piece; 2] {
    let said = text::fit(said, columns);
    let blanks = " ".repeat(columns.saturating_sub(text::width(&said)));
    [(said, style), (blanks, theme.style(Role::Text))]
}

/// The mark of a line that belongs to what the cursor is on, or as many blanks.
pub(super) fn link_mark(theme: &Theme, is_linked: bool) -> Piece {
    match is_linked {
        true => piece(theme, symbols::LINKED.role, symbols::LINKED.glyph),
        false => piece(theme, Role::Text, " "),
    }
}

/// Draws a whole row of `area` in `style` and no other.
pub(super) fn select(buffer: &mut Buffer, area: Rect, row: usize, style: Style) {
    fill(buffer, area, row, Style::reset().patch(style));
}

/// Adds `style` to a whole row of `area`.
pub(super) fn fill(buffer: &mut Buffer, area: Rect, row: usize, style: Style) {
    let area = area.intersection(buffer.area);
    if let Some(row) = u16::try_from(row).ok().filter(|row| *row < area.height) {
        buffer.set_style(Rect { y: area.y + row, height: 1, ..area }, style);
    }
}

/// Draws a pane's title: its number and name, and what else is to be said.
pub(super) fn title(buffer: &mut Buffer, area: Rect, model: &Model, pane: Pane, rest: Vec<Ranked>) {
    let theme = &model.theme;
    let focused = model.focus == pane;
    let role = if focused { Role::PaneTitleFocused } else { Role::PaneTitle };
    let mark = if focused { symbols::FOCUSED.glyph } else { " " };
    let mut pieces = vec![
        (mark.to_owned(), theme.style(if focused { role } else { Role::PaneBorder })),
        (key_of(model, pane), theme.style(if focused { role } else { Role::TextDim })),
        (pane.name().to_owned(), theme.style(role)),
        ("  ".to_owned(), theme.style(Role::Text)),
    ];
    pieces.extend(fitting(rest, usize::from(area.width).saturating_sub(width(&pieces))));
    line(buffer, area, 0, &pieces, 0);
    mark_cut(buffer, area, 0, theme, (&pieces, 0));
}

/// Marks the line of a pane that its cursor is on, while the pane has the keys.
pub(super) fn cursor(buffer: &mut Buffer, body: Rect, model: &Model, pane: Pane, line: usize) {
    if model.focus == pane
        && let Some(row) = line.checked_sub(model.offset(pane).row)
    {
        fill(buffer, body, row, model.theme.style(Role::Cursor));
        let mark = piece(&model.theme, symbols::LINKED.role, symbols::CURSOR.glyph);
        self::line(buffer, body, row, &[mark], 0);
    }
}

/// Marks a line that begins with a blank as belonging to what the cursor is on.
pub(super) fn mark_linked(line: &mut PaneLine, theme: &Theme) {
    if let Some((first, _)) = line.first_mut().filter(|(first, _)| first.starts_with(' ')) {
        first.remove(0);
        line.insert(0, piece(theme, symbols::LINKED.role, symbols::LINKED.glyph));
    }
}

/// The key that focuses a pane, and a blank; nothing where none does.
pub(super) fn key_of(model: &Model, pane: Pane) -> String {
    model.keymap.shown(pane.command()).map_or_else(String::new, |key| format!("{key} "))
}

/// Draws lines, scrolled, in the body of a pane.
pub(super) fn scrolled(buffer: &mut Buffer, body: Rect, theme: &Theme, lines: &[PaneLine], offset: Offset) {
    let first = offset.row.min(lines.len().saturating_sub(usize::from(body.height)));
    for (row, pieces) in lines.iter().skip(first).take(usize::from(body.height)).enumerate() {
        line(buffer, body, row, pieces, offset.column);
        mark_cut(buffer, body, row, theme, (pieces, offset.column));
    }
}

/// A line of text in the roles that a grammar gave it.
pub(super) fn highlighted(theme: &Theme, line: &str, roles: Option<&LineRoles>) -> PaneLine {
    let whole = line.len();
    let line = text::clip(line, text::LINE_LIMIT);
    let mut pieces = Vec::new();
    let mut start = 0;
    let plain = (line.len(), Role::Text);
    for (end, role) in roles.into_iter().flatten().chain([&plain]) {
        if let Some(part) = line.get(start..*end).filter(|part| !part.is_empty()) {
            pieces.push((part.to_owned(), theme.style(*role)));
            start = *end;
        }
    }
    let mut pieces = expand(pieces);
    if line.len() < whole {
        pieces.push(piece(theme, Role::TextDim, "…"));
    }
    pieces
}

/// Columns of a line without the blanks at its end.
fn visible_width(line: &[Piece]) -> usize {
    let mut all = width(line);
    for (content, _) in line.iter().rev() {
        let blank = text::width(content) - text::width(content.trim_end());
        all -= blank;
        if blank < text::width(content) {
            break;
        }
    }
    all
}

/// Draws `…` at the end of a row. A wide character that it would stand on the half of goes.
fn ellipsis(buffer: &mut Buffer, area: Rect, row: usize, theme: &Theme) {
    let before = area.right().saturating_sub(2);
    let y = u16::try_from(row).map_or(u16::MAX, |row| area.y.saturating_add(row));
    if let Some(cell) = buffer.cell_mut((before, y)).filter(|cell| text::width(cell.symbol()) > 1) {
        cell.set_symbol(" ");
    }
    right(buffer, area, row, &[piece(theme, Role::TextDim, "…")]);
}

/// Marks a row whose line goes on beyond the right border.
pub(super) fn mark_cut(
    buffer: &mut Buffer,
    area: Rect,
    row: usize,
    theme: &Theme,
    (line, skip): (&[Piece], usize),
) {
    if visible_width(line) > skip + usize::from(area.width) {
        ellipsis(buffer, area, row, theme);
    }
}

/// A line that is being typed, its cursor as a bar. Where it is wider than `columns`, the part around the cursor, with
/// `…` at an end that is cut off.
pub(super) fn input(theme: &Theme, input: &Input, columns: usize) -> PaneLine {
    let style = theme.style(Role::FilterChip);
    let (before, behind) = input.halves();
    let whole = [safe_to_type(before), "▏".to_owned(), safe_to_type(behind)].map(|part| (part, style));
    let (all, at) = (width(&whole), text::width(&whole[0].0));
    let skip = (at + 1).saturating_sub(columns * 2 / 3).min(all.saturating_sub(columns));
    let (left, right) = (usize::from(skip > 0), usize::from(all > skip + columns));
    let mark = |cut: usize| ("…".repeat(cut), theme.style(Role::TextDim));
    let room = columns.saturating_sub(left + right);
    let inner = text::window(&whole, skip + left, room).into_iter();
    let inner = inner.map(|span| (span.content.into_owned(), span.style));
    std::iter::once(mark(left))
        .chain(inner)
        .chain([mark(right)])
        .filter(|(part, _)| !part.is_empty())
        .collect()
}

/// As drawn while it is typed: what counts is the start of a long text as well as its end.
fn safe_to_type(part: &str) -> String {
    let mut safe = String::with_capacity(part.len());
    let mut rest = part;
    while !rest.is_empty() {
        let head = text::clip(rest, text::LINE_LIMIT);
        safe.push_str(&text::sanitize(head));
        rest = rest.get(head.len().max(1)..).unwrap_or_default();
    }
    safe
}

/// Makes the pieces of one line safe, tabs counted from the start of the line.
fn expand(pieces: Vec<Piece>) -> PaneLine {
    let mut column = 0;
    let mut safe = Vec::with_capacity(pieces.len());
    for (content, style) in pieces {
        // Blanks in front put the first tab of a piece where it stands in the line.
        let shifted = format!("{}{content}", " ".repeat(column % 4));
        let content = text::sanitize(&shifted).get(column % 4..).unwrap_or_default().to_owned();
        column += text::width(&content);
        safe.push((content, style));
    }
    safe
}
