//! The text of the selected rule, each finding beneath its line; once it was asked why the rule matches or not, a bar
//! beside each line that a row of the funnel belongs to.
//!
//! ```text
//!  2 Source  proc_creation_win_x.yml
//!  14       selection_img:
//!  15 ▌         CallTrace|contains:
//!     ↳ unmapped_field: no alias for 'CallTrace'
//!       add an alias under process_access/windows
//!  16               - '0x1F'
//! ```

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::findings::{Finding, findings};
use super::link::{Link, link};
use super::paint::{self, PaneLine, Ranked, piece};
use super::{Extent, edit, symbols};
use crate::bridge::Severity;
use crate::sigma::Span;
use crate::tui::highlight::Language;
use crate::tui::model::{Model, Overlay, Pane, RuleEntry};
use crate::tui::text::{self, Piece};
use crate::tui::theme::{Role, Theme};

/// Columns of a bar beside a line.
const BAR: usize = 5;

/// Columns that the title keeps.
const TITLE: usize = 16;

/// A row of the pane.
enum Row<'a> {
    /// A line of the text, from 0.
    Line(usize, &'a str),
    /// A line of a finding.
    Note(Piece),
}

pub(super) fn title(model: &Model) -> Vec<Ranked> {
    let theme = &model.theme;
    let Some(entry) = model.entry() else { return Vec::new() };
    let name = entry.key.path.file_name().unwrap_or_default().to_string_lossy();
    let mut pieces = Vec::new();
    if model.unsaved_line(entry).is_some() {
        pieces.push((0, piece(theme, Role::DiagnosticWarning, "unsaved  ")));
    }
    pieces.push((0, piece(theme, Role::TextDim, &name)));
    if entry.key.document > 0 {
        let said = format!("  document {}", entry.key.document + 1);
        pieces.push((1, piece(theme, Role::TextDim, &said)));
    }
    pieces
}

/// Draws what the numbers beside the lines count, at the end of the title, and says how many columns that takes.
pub(super) fn heading(buffer: &mut Buffer, area: Rect, model: &Model) -> u16 {
    let said = [piece(&model.theme, Role::TableHeader, " events alone")];
    let fits = usize::from(area.width) >= TITLE + paint::width(&said);
    if fits && model.entry().is_some() && has_events(model) {
        paint::right(buffer, area, 0, &said)
    } else {
        0
    }
}

pub(super) fn draw(buffer: &mut Buffer, body: Rect, model: &Model) {
    let Some(entry) = model.entry() else { return };
    let rows = rows(model, entry, usize::from(body.width));
    let height = usize::from(body.height);
    let offset = model.offset(Pane::Source);
    let first = offset.row.min(rows.len().saturating_sub(height));
    let gutter = gutter(&entry.rule.text);
    let link = link(model);
    for (row, content) in rows.iter().skip(first).take(height).enumerate() {
        match content {
            Row::Line(line, text) => {
                let cursor = Cursor::of(model, &link, line + 1);
                draw_line(buffer, body, row, model, entry, (*line, text, cursor), gutter)
            }
            Row::Note(note) => {
                let note = (format!("{}{}", " ".repeat(gutter), note.0), note.1);
                paint::line(buffer, body, row, &[note], 0);
            }
        }
    }
}

/// How a line stands to the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cursor {
    /// It is on it.
    Here,
    /// It is in another pane, on something that belongs to the line.
    Linked,
    /// Neither.
    Elsewhere,
}

impl Cursor {
    fn of(model: &Model, link: &Link, line: usize) -> Self {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        let in_source = model.focus == Pane::Source || matches!(model.overlay, Some(Overlay::Why(_)));
        match in_source {
            true if model.cursor_line == line => Self::Here,
            false if link.has_line(line) => Self::Linked,
            _ => Self::Elsewhere,
        }
    }
}

/// Columns before the text: number, blank, mark, level.
fn gutter(source: &str) -> usize {
    source.lines().count().max(1).to_string().len().max(2) + 4
}

fn draw_line(
    buffer: &mut Buffer,
    body: Rect,
    row: usize,
    model: &Model,
    entry: &RuleEntry,
    (index, line, cursor): (usize, &str, Cursor),
    gutter: usize,
) {
    let theme = &model.theme;
    let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
    let at_line: Vec<_> = findings(entry).into_iter().filter(|f| f.span.start.line == number).collect();
    let text_area = inset(body, gutter);
    let edited = model.edited_line().filter(|(_, line)| line.line == number);
    let events = events(model, number).filter(|_| edited.is_none());
    let bar = events.map_or_else(PaneLine::new, |events| bar(theme, events));
    let free = usize::from(text_area.width).saturating_sub(text::width(&text::sanitize(line)) + 1);
    let beside = paint::width(&bar) <= free;
    let (mark, mark_role) = mark(&at_line, cursor);
    let margin = [
        (text::pad_left(&(index + 1).to_string(), gutter - 3) + " ", theme.style(Role::LineNumber)),
        (mark.to_owned(), theme.style(mark_role)),
        events.filter(|_| !beside).map_or((" ".to_owned(), Style::default()), |events| level(theme, events)),
    ];
    paint::line(buffer, body, row, &margin, 0);
    let roles = model.highlights.get(Language::Yaml, &entry.rule.text);
    let roles = roles.and_then(|h| h.lines.get(index));
    let pieces = paint::highlighted(theme, line, roles);
    let pieces = match at_line.first() {
        Some(finding) => underline(pieces, columns(line, finding.span), theme),
        None => pieces,
    };
    match edited {
        Some((typed, line)) => {
            let pieces = edit::line(model, typed, line, usize::from(text_area.width));
            paint::line(buffer, text_area, row, &pieces, 0);
        }
        None => {
            let skip = model.offset(Pane::Source).column;
            paint::line(buffer, text_area, row, &pieces, skip);
            paint::mark_cut(buffer, text_area, row, theme, (&pieces, skip));
        }
    }
    if beside {
        paint::right(buffer, text_area, row, &bar);
    }
    if cursor == Cursor::Here {
        paint::fill(buffer, text_area, row, theme.style(Role::Cursor));
    }
}

/// How many events in scope satisfy by themselves what stands on a line, and how many there are, where that is known.
fn events(model: &Model, line: u32) -> Option<(u64, u64)> {
    Some((model.why.row_on(line)?.alone?, model.why.fresh()?.finding.scope_events))
}

/// Whether numbers stand beside lines; what they count stands above them.
fn has_events(model: &Model) -> bool {
    let funnel = model.why.fresh().map(|known| known.funnel.iter());
    funnel.into_iter().flatten().any(|row| row.place.is_some() && row.alone.is_some())
}

fn bar(theme: &Theme, (events, of): (u64, u64)) -> PaneLine {
    let number = if events == 0 { Role::StatusRefused } else { Role::TextDim };
    let columns = text::count(of).len();
    vec![
        (text::bar_text(events, of, BAR), theme.style(Role::StatusMatched)),
        (format!(" {}", text::pad_left(&text::count(events), columns)), theme.style(number)),
    ]
}

/// The same in one column.
fn level(theme: &Theme, (events, of): (u64, u64)) -> Piece {
    let eighths = (u128::from(events.min(of)) * 8).div_ceil(u128::from(of.max(1)));
    let level = usize::try_from(eighths).ok().and_then(|at| symbols::LEVELS.get(at)).copied().unwrap_or(" ");
    let role = if events == 0 { Role::StatusRefused } else { Role::StatusMatched };
    (level.to_owned(), theme.style(role))
}

fn inset(area: Rect, columns: usize) -> Rect {
    let by = u16::try_from(columns).unwrap_or(u16::MAX).min(area.width);
    Rect { x: area.x + by, width: area.width - by, ..area }
}

fn mark(findings: &[Finding<'_>], cursor: Cursor) -> (&'static str, Role) {
    match findings.iter().map(|f| f.severity).min() {
        _ if cursor != Cursor::Elsewhere => (symbols::LINKED.glyph, symbols::LINKED.role),
        Some(Severity::Error) => (symbols::REFUSED.glyph, Role::DiagnosticError),
        Some(Severity::Warning) => (symbols::WARNING.glyph, symbols::WARNING.role),
        None => (" ", Role::Text),
    }
}

/// The columns of the first line of `span`, as drawn.
fn columns(line: &str, span: Span) -> Range<usize> {
    let to_column = |code_points: u32| {
        let before: String = line.chars().take(code_points.saturating_sub(1) as usize).collect();
        text::width(&text::sanitize(&before))
    };
    let start = to_column(span.start.column);
    let end = match span.end.line == span.start.line {
        true => to_column(span.end.column),
        false => usize::MAX,
    };
    start..end.max(start + 1)
}

/// Marks a range of columns of a line.
fn underline(pieces: PaneLine, range: Range<usize>, theme: &Theme) -> PaneLine {
    let mark = theme.style(Role::DiagnosticLine);
    let mut marked = PaneLine::new();
    let mut column = 0;
    for (content, style) in pieces {
        let end = column + text::width(&content);
        let whole = [(content, style)];
        for (from, to, style) in [
            (column, range.start.min(end), style),
            (range.start.max(column), range.end.min(end), style.patch(mark)),
            (range.end.max(column), end, style),
        ] {
            if from < to {
                let part = text::window(&whole, from - column, to - from);
                marked.extend(part.into_iter().map(|span| (span.content.into_owned(), style)));
            }
        }
        column = end;
    }
    marked
}

fn rows<'a>(model: &'a Model, entry: &'a RuleEntry, width: usize) -> Vec<Row<'a>> {
    let findings = findings(entry);
    let room = width.saturating_sub(gutter(&entry.rule.text) + 3);
    let mut rows = Vec::new();
    let mut shown = 0;
    for (index, line) in entry.rule.text.lines().enumerate() {
        rows.push(Row::Line(index, line));
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        rows.extend(edit::notes(model, entry, number, room).into_iter().map(Row::Note));
        // Findings come in source order; one past the last line stands beneath that.
        for finding in findings.iter().skip(shown).take_while(|f| f.span.start.line as usize <= index + 1) {
            rows.extend(notes(&model.theme, finding, room));
            shown += 1;
        }
    }
    for finding in findings.iter().skip(shown) {
        rows.extend(notes(&model.theme, finding, room));
    }
    rows
}

fn notes<'a>(theme: &Theme, finding: &Finding<'_>, room: usize) -> Vec<Row<'a>> {
    let role = match finding.severity {
        Severity::Error => Role::DiagnosticError,
        Severity::Warning => Role::DiagnosticWarning,
    };
    let said = match finding.code {
        code if code.is_empty() || has_subcode(finding.message) => finding.message.to_owned(),
        code => format!("{code}: {}", finding.message),
    };
    let message = text::wrap(&said, room).into_iter().map(|line| (line, role));
    let help = finding.help.map(|help| text::wrap(help, room)).unwrap_or_default();
    let help = help.into_iter().map(|line| (line, Role::DiagnosticHelp));
    message
        .chain(help)
        .enumerate()
        .map(|(at, (line, role))| {
            let lead = if at == 0 { symbols::NOTE.glyph } else { " " };
            Row::Note((format!("{lead} {line}"), theme.style(role)))
        })
        .collect()
}

/// Whether a message begins with a code of its own, such as `PARSE:`.
fn has_subcode(message: &str) -> bool {
    let (code, _) = message.split_once(':').unwrap_or_default();
    !code.is_empty() && code.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
}

/// The rows of the pane that show a line of the text and what is noted beneath it.
pub(crate) fn rows_of_line(model: &Model, body: Rect, line: u32) -> Range<usize> {
    let Some(entry) = model.entry() else { return 0..1 };
    let is_line = |row: &Row<'_>| matches!(row, Row::Line(index, _) if index + 1 == line as usize);
    let rows = rows(model, entry, usize::from(body.width));
    let first = rows.iter().position(is_line).unwrap_or(0);
    let notes = rows.iter().skip(first + 1).take_while(|row| matches!(row, Row::Note(_))).count();
    first..first + 1 + notes
}

/// The line of the text at, or before, a row of the pane.
pub(crate) fn line_at_row(model: &Model, body: Rect, row: usize) -> u32 {
    let Some(entry) = model.entry() else { return 1 };
    let rows = rows(model, entry, usize::from(body.width));
    let line = rows.iter().take(row + 1).rev().find_map(|row| match row {
        Row::Line(index, _) => u32::try_from(index + 1).ok(),
        Row::Note(_) => None,
    });
    line.unwrap_or(1)
}

pub(super) fn extent(model: &Model, body: Rect) -> Extent {
    let Some(entry) = model.entry() else { return Extent::default() };
    let text = &entry.rule.text;
    let widest = text.lines().map(|line| text::width(&text::sanitize(line))).max().unwrap_or(0);
    Extent { rows: rows(model, entry, usize::from(body.width)).len(), columns: widest + gutter(text) }
}
