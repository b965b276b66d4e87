//! The events that the selected rule matches, or why none are shown.
//!
//! ```text
//!  5 Matches  12 of 2,180 in scope · 06-10 02:50:54 … 03:12:40
//!  time      host          process.cmd_line              metadata.event_id
//!  02:50:54  workstation6  certutil -urlcache -f http…   018f-…
//! ```

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Extent;
use super::paint::{self, PaneLine, piece};
use crate::evaluate::{MatchRow, MatchTable, Summary};
use crate::tui::model::{Model, Pane, RuleEntry};
use crate::tui::text;
use crate::tui::theme::Role;

/// The widest column, in columns of the screen. What is longer is cut; zooming does not widen it, sideways scrolling shows more columns.
const WIDEST: usize = 48;

pub(super) fn title(model: &Model) -> PaneLine {
    let theme = &model.theme;
    let Some(table) = model.table() else { return Vec::new() };
    let role = if model.matches.stale { Role::Stale } else { Role::PaneCount };
    let matches = text::count(table.summary.matches);
    let mut said = match table.in_scope {
        Some(in_scope) => format!("{matches} of {} in scope", text::count(in_scope)),
        None if table.summary.matches == 1 => "1 window".to_owned(),
        None => format!("{matches} windows"),
    };
    if (table.rows.len() as u64) < table.summary.matches {
        said.push_str(&format!(" · first {} shown", text::count(table.rows.len() as u64)));
    }
    if let Some(period) = period(table.summary) {
        said.push_str(" · ");
        said.push_str(&period);
    }
    let marked = model.matches.marked.len();
    if marked > 0 {
        said = format!("{} marked, c saves · {said}", text::count(marked as u64));
    }
    let mut pieces = vec![piece(theme, role, &said)];
    if model.matches.stale {
        pieces.push(piece(theme, Role::Error, "  stale"));
    }
    pieces
}

/// `06-10 02:50:54 … 03:12:40`, the day once where it is the same.
fn period(summary: Summary) -> Option<String> {
    let (first, last) = (summary.first_seen?, summary.last_seen?);
    let (day, last_day) = (format_time(first, "%m-%d"), format_time(last, "%m-%d"));
    let clock = |time| format_time(time, "%H:%M:%S");
    Some(match (first == last, day == last_day) {
        (true, _) => format!("{day} {}", clock(first)),
        (false, true) => format!("{day} {} … {}", clock(first), clock(last)),
        (false, false) => format!("{day} {} … {last_day} {}", clock(first), clock(last)),
    })
}

/// A time in UTC; `?` for one outside the calendar.
pub(super) fn format_time(milliseconds: i64, format: &str) -> String {
    match Timestamp::from_millisecond(milliseconds) {
        Ok(time) => time.to_zoned(TimeZone::UTC).strftime(format).to_string(),
        Err(_) => "?".to_owned(),
    }
}

pub(super) fn draw(buffer: &mut Buffer, body: Rect, model: &Model) {
    let above = message(model, usize::from(body.width));
    for (row, line) in above.iter().enumerate() {
        paint::line(buffer, body, row, line, 0);
    }
    let used = u16::try_from(above.len()).unwrap_or(u16::MAX).min(body.height);
    let rest = Rect { y: body.y + used, height: body.height - used, ..body };
    if let Some(table) = model.table().filter(|table| !table.rows.is_empty()) {
        draw_table(buffer, rest, model, table);
    }
}

/// What is to be said above the table, or in its place.
fn message(model: &Model, width: usize) -> Vec<PaneLine> {
    let Some(entry) = model.entry() else { return Vec::new() };
    let (role, said) = match said(model, entry) {
        Some(said) => said,
        None => return absent(model, width),
    };
    let wrapped = text::wrap(&said, width.saturating_sub(2));
    wrapped.iter().map(|line| vec![piece(&model.theme, role, &format!(" {line}"))]).collect()
}

fn said(model: &Model, entry: &RuleEntry) -> Option<(Role, String)> {
    if let Some(error) = &model.dataset.error {
        return Some((Role::Error, error.clone()));
    }
    if let Some(error) = &model.matches.error {
        return Some((Role::Error, error.clone()));
    }
    if !entry.is_executable() && entry.last_good.is_none() {
        return Some((Role::TextDim, "not executable: it cannot say \"no match\"".to_owned()));
    }
    if model.dataset.root.is_none() {
        return Some((Role::TextDim, "no dataset: start with --parquet DIR to see matches".to_owned()));
    }
    match model.table() {
        None if model.work.mentioned => Some((Role::TextDim, "looking …".to_owned())),
        Some(table) if table.rows.is_empty() && table.absent.is_empty() => {
            Some((Role::TextDim, no_match(table)))
        }
        _ => None,
    }
}

fn no_match(table: &MatchTable) -> String {
    match table.in_scope {
        Some(0) => "no match: the dataset has no event in the rule's scope".to_owned(),
        _ => "no match".to_owned(),
    }
}

/// Columns that the plan reads and the dataset does not have.
fn absent(model: &Model, width: usize) -> Vec<PaneLine> {
    let Some(table) = model.table().filter(|table| !table.absent.is_empty()) else { return Vec::new() };
    let names: Vec<_> = table.absent.iter().map(|path| path.as_str()).collect();
    let said = format!("absent from the dataset: {}", names.join(", "));
    let mut lines: Vec<_> = text::wrap(&said, width.saturating_sub(2))
        .iter()
        .map(|line| vec![piece(&model.theme, Role::DiagnosticWarning, &format!(" {line}"))])
        .collect();
    if table.rows.is_empty() {
        lines.insert(0, vec![piece(&model.theme, Role::TextDim, &format!(" {}", no_match(table)))]);
    }
    lines
}

fn draw_table(buffer: &mut Buffer, area: Rect, model: &Model, table: &MatchTable) {
    let theme = &model.theme;
    let offset = model.offset(Pane::Matches);
    let widths = widths(model, table);
    let heading = row_pieces(&header(model, table), &widths);
    let heading = [(" ".to_owned() + &heading, theme.style(Role::TableHeader))];
    paint::line(buffer, area, 0, &heading, offset.column);
    let height = usize::from(area.height.saturating_sub(1));
    let first = offset.row.min(table.rows.len().saturating_sub(height));
    let role = if model.matches.stale { Role::Stale } else { Role::Text };
    for (row, index) in (first..table.rows.len()).take(height).enumerate() {
        let cells = table.rows.get(index).map(|row| cells(table, row)).unwrap_or_default();
        let line = [(mark(model, table, index) + &row_pieces(&cells, &widths), theme.style(role))];
        paint::line(buffer, area, row + 1, &line, offset.column);
        if index == model.matches.cursor && model.focus == Pane::Matches {
            paint::select(buffer, area, row + 1, theme.style(Role::Selection));
        }
    }
}

/// The last column is named after what the dataset identifies events by.
fn header(model: &Model, table: &MatchTable) -> Vec<String> {
    let columns = table.columns.iter().map(|path| path.as_str().to_owned());
    let id = model.dataset.info.as_ref().map_or("event id", |info| info.event_id.as_str());
    ["time".to_owned(), "host".to_owned()].into_iter().chain(columns).chain([id.to_owned()]).collect()
}

fn cells(table: &MatchTable, row: &MatchRow) -> Vec<String> {
    let format = if one_day(table.summary) { "%H:%M:%S" } else { "%m-%d %H:%M:%S" };
    let time = row.time.map_or_else(|| "–".to_owned(), |time| format_time(time, format));
    let value = |value: &Option<String>| match value {
        Some(text) => text::sanitize(text::clip(text, WIDEST * 4 + 4)).into_owned(),
        None => "–".to_owned(),
    };
    let mut cells = vec![time, value(&row.host)];
    cells.extend((0..table.columns.len()).map(|at| row.values.get(at).map_or("–".to_owned(), value)));
    cells.push(value(&Some(row.event_id.clone())));
    cells
}

fn one_day(summary: Summary) -> bool {
    let day = |time: Option<i64>| time.map(|time| time.div_euclid(86_400_000));
    day(summary.first_seen) == day(summary.last_seen)
}

/// Before a row that is marked.
const MARK: &str = "*";

fn mark(model: &Model, table: &MatchTable, index: usize) -> String {
    let marked = table.rows.get(index).is_some_and(|row| model.matches.marked.contains(&row.event_id));
    if marked { MARK } else { " " }.to_owned()
}

fn row_pieces(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        line.push_str(&text::pad(cell, *width));
        line.push_str("  ");
    }
    line
}

/// Fitted to what the columns hold.
fn widths(model: &Model, table: &MatchTable) -> Vec<usize> {
    let mut widths: Vec<_> = header(model, table).iter().map(|name| text::width(name).min(WIDEST)).collect();
    for row in &table.rows {
        for (width, cell) in widths.iter_mut().zip(cells(table, row)) {
            *width = (*width).max(text::width(&cell).min(WIDEST));
        }
    }
    widths
}

pub(super) fn extent(model: &Model) -> Extent {
    match model.table() {
        Some(table) => Extent {
            rows: table.rows.len(),
            columns: widths(model, table).iter().map(|width| width + 2).sum::<usize>() + 1,
        },
        None => Extent::default(),
    }
}

/// Lines of the pane's body that rows do not get: message and heading.
pub(crate) fn reserved_rows(model: &Model, body: Rect) -> usize {
    message(model, usize::from(body.width)).len() + 1
}
