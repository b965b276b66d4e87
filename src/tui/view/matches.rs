//! The events that the selected rule matches, or why none are shown.
//!
//! ```text
//!  5 Matches  12 of 2,180 in scope · 06-10 02:50:54 … 03:12:40
//!  time      host          process.cmd_line              metadata.event_id
//!  02:50:54  workstation6  certutil -urlcache -f http…   018f-…
//!  ▁▁▁▄▁▁█▁▁▂ per minute
//! ```

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::link::{Link, link};
use super::paint::{self, PaneLine, Ranked, piece};
use super::trouble;
use super::{Extent, Layout};
use super::{columns, symbols, timeline};
use crate::bridge::ir::Expr;
use crate::evaluate::{MatchRow, MatchTable, SortKey, Summary};
use crate::ocsf::OcsfPath;
use crate::tui::model::{Model, Pane, RuleEntry};
use crate::tui::text;
use crate::tui::theme::Role;

/// Bytes of a value that are looked at: more than a screen is wide.
const CELL: usize = 2048;

/// Lines of the body from which on one of them shows when the matches were.
const TIMELINE_FROM: u16 = 7;

pub(super) fn title(model: &Model) -> Vec<Ranked> {
    let theme = &model.theme;
    let Some(table) = model.table() else { return Vec::new() };
    let mut pieces = Vec::new();
    if model.shows_stale() {
        let (role, word) =
            if model.work.matching { (Role::TextDim, "updating  ") } else { (Role::Error, "stale  ") };
        pieces.push((0, piece(theme, role, word)));
    }
    let arrived = model.entry().map_or(0, RuleEntry::arrived);
    if arrived > 0 {
        let said = format!("{}{} new  ", symbols::ARRIVED.glyph, text::count(arrived));
        pieces.push((1, piece(theme, Role::Key, &said)));
    }
    let role = if model.shows_stale() { Role::Stale } else { Role::PaneCount };
    let marked = model.matches.marked.len();
    if marked > 0 {
        let saves = model.keymap.shown("save_case").map(|key| format!(", {key} saves")).unwrap_or_default();
        pieces.push((1, piece(theme, role, &format!("{} marked", text::count(marked as u64)))));
        pieces.push((2, piece(theme, role, &saves)));
        pieces.push((1, piece(theme, role, " · ")));
    }
    let matches = text::count(table.summary.matches);
    let said = match table.in_scope {
        Some(_) => matches,
        None if table.summary.matches == 1 => "1 window".to_owned(),
        None => format!("{matches} windows"),
    };
    pieces.push((0, piece(theme, role, &said)));
    if let Some(in_scope) = table.in_scope {
        pieces.push((3, piece(theme, role, &format!(" of {} in scope", text::count(in_scope)))));
    }
    let period = period(table.summary).into_iter();
    pieces.extend(period.map(|(rank, said)| (rank, piece(theme, role, &said))));
    pieces
}

/// ` · 06-10 02:50:54 … 03:12:40`, the day once where it is the same. Days matter more than the time of day.
fn period(summary: Summary) -> Vec<(u8, String)> {
    const DAY: u8 = 4;
    const TIME: u8 = 5;
    let (Some(first), Some(last)) = (summary.first_seen, summary.last_seen) else { return Vec::new() };
    let day = |time| format_time(time, "%m-%d");
    let clock = |time| format_time(time, " %H:%M:%S");
    let start = [(DAY, format!(" · {}", day(first))), (TIME, clock(first))];
    let end = match (first == last, day(first) == day(last)) {
        (true, _) => Vec::new(),
        (false, true) => vec![(TIME, format!(" …{}", clock(last)))],
        (false, false) => vec![(DAY, format!(" … {}", day(last))), (TIME, clock(last))],
    };
    start.into_iter().chain(end).collect()
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
    let below = timeline_rows(model, body);
    let rest = Rect { y: body.y + used, height: (body.height - used).saturating_sub(below), ..body };
    if let Some(table) = model.table().filter(|table| !table.rows.is_empty()) {
        draw_table(buffer, rest, model, table);
        if below > 0 {
            let line = timeline::line(model, &table.histogram, usize::from(body.width));
            paint::line(buffer, body, usize::from(body.height - below), &line, 0);
        }
    }
}

/// What is to be said above the table, or in its place.
fn message(model: &Model, width: usize) -> Vec<PaneLine> {
    let trouble = trouble::no_events(model, width);
    let Some(entry) = model.entry().filter(|_| trouble.is_empty()) else { return trouble };
    let (role, said) = match said(model, entry) {
        Some(said) => said,
        None => return absent(model, width),
    };
    let wrapped = text::wrap(&said, width.saturating_sub(2));
    wrapped.iter().map(|line| vec![piece(&model.theme, role, &format!(" {line}"))]).collect()
}

fn said(model: &Model, entry: &RuleEntry) -> Option<(Role, String)> {
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

/// Lines that the histogram gets.
fn timeline_rows(model: &Model, body: Rect) -> u16 {
    let spread = model.table().is_some_and(|table| !table.rows.is_empty() && table.histogram.span() > 1);
    u16::from(spread && body.height >= TIMELINE_FROM)
}

fn draw_table(buffer: &mut Buffer, area: Rect, model: &Model, table: &MatchTable) {
    let theme = &model.theme;
    let offset = model.offset(Pane::Matches);
    let columns = Columns::new(model, table, usize::from(area.width));
    let heading = columns.heading(&header(model, table), model);
    paint::line(buffer, area, 0, &heading, offset.column);
    paint::mark_cut(buffer, area, 0, theme, (&heading, offset.column));
    let height = usize::from(area.height.saturating_sub(1));
    let first = offset.row.min(row_count(table).saturating_sub(height));
    let role = if model.shows_stale() { Role::Stale } else { Role::Text };
    for (row, index) in (first..row_count(table)).take(height).enumerate() {
        let there = index.checked_sub(table.first).and_then(|at| table.rows.get(at));
        let line = match there {
            Some(row) => {
                let style = theme.style(role);
                let has_come = model.matches.arrived.contains(&row.event_id);
                let style = if has_come { style.add_modifier(Modifier::BOLD) } else { style };
                columns.line(mark(model, row), &cells(table, row), style, model)
            }
            None => vec![piece(theme, Role::TextDim, " …")],
        };
        paint::line(buffer, area, row + 1, &line, offset.column);
        paint::mark_cut(buffer, area, row + 1, theme, (&line, offset.column));
        if index == model.matches.cursor && model.focus == Pane::Matches {
            paint::select(buffer, area, row + 1, theme.style(Role::Selection));
        }
    }
}

/// Rows that there are, whether at hand or not.
fn row_count(table: &MatchTable) -> usize {
    usize::try_from(table.summary.matches).unwrap_or(usize::MAX)
}

/// Each with a mark for what rows are sorted by. The last column is named after what the dataset identifies events by.
fn header(model: &Model, table: &MatchTable) -> Vec<(&'static str, String)> {
    let columns = table.columns.iter().map(|path| path.as_str().to_owned());
    let id = model.dataset.info.as_ref().map_or("event id", |info| info.event_id.as_str());
    let names = ["time".to_owned(), "host".to_owned()].into_iter().chain(columns).chain([id.to_owned()]);
    let mut names: Vec<_> = names.map(|name| ("", name)).collect();
    let order = model.matches.order;
    let sorted = match order.key {
        SortKey::Time => 0,
        SortKey::Host => 1,
        SortKey::Column(at) => at + 2,
        SortKey::EventId => names.len() - 1,
    };
    if let Some((mark, _)) = names.get_mut(sorted) {
        *mark = if order.descending { symbols::DESCENDING.glyph } else { symbols::ASCENDING.glyph };
    }
    names
}

fn cells(table: &MatchTable, row: &MatchRow) -> Vec<String> {
    let time = row
        .time
        .map_or_else(|| symbols::NOTHING.glyph.to_owned(), |time| format_time(time, time_format(table)));
    let value = |value: &Option<String>| match value {
        Some(text) => text::sanitize(text::clip(text, CELL)).into_owned(),
        None => symbols::NOTHING.glyph.to_owned(),
    };
    let mut cells = vec![time, value(&row.host)];
    cells.extend(
        (0..table.columns.len())
            .map(|at| row.values.get(at).map_or(symbols::NOTHING.glyph.to_owned(), value)),
    );
    cells.push(value(&Some(row.event_id.clone())));
    cells
}

fn time_format(table: &MatchTable) -> &'static str {
    if one_day(table.summary) { "%H:%M:%S" } else { "%m-%d %H:%M:%S" }
}

fn one_day(summary: Summary) -> bool {
    let day = |time: Option<i64>| time.map(|time| time.div_euclid(86_400_000));
    day(summary.first_seen) == day(summary.last_seen)
}

fn mark(model: &Model, row: &MatchRow) -> &'static str {
    match &model.matches {
        matches if matches.marked.contains(&row.event_id) => symbols::MARKED.glyph,
        matches if matches.arrived.contains(&row.event_id) => symbols::ARRIVED.glyph,
        _ => " ",
    }
}

/// How the columns are drawn.
struct Columns {
    widths: Vec<usize>,
    /// Those whose end says more than their start.
    paths: Vec<bool>,
    /// Those that the cursor of another pane is about.
    linked: Vec<bool>,
}

impl Columns {
    fn new(model: &Model, table: &MatchTable, room: usize) -> Self {
        let widths = widths(model, table, room);
        let linked = linked_columns(model);
        let each = |is: &dyn Fn(&OcsfPath) -> bool| {
            let columns = table.columns.iter().map(is);
            [false, false].into_iter().chain(columns).chain([false]).collect::<Vec<_>>()
        };
        let is_path = |path: &OcsfPath| path.as_str().ends_with(".path");
        Self { widths, paths: each(&is_path), linked: each(&|path| linked.contains(path)) }
    }

    /// Of a long name the end tells most.
    fn heading(&self, names: &[(&str, String)], model: &Model) -> PaneLine {
        let style = model.theme.style(Role::TableHeader);
        let mut line = vec![(" ".to_owned(), style)];
        for (at, ((mark, name), width)) in names.iter().zip(&self.widths).enumerate() {
            let is_linked = self.linked.get(at).copied().unwrap_or(false);
            let style = if is_linked { model.theme.style(Role::Linked) } else { style };
            let mark = if mark.is_empty() { String::new() } else { format!("{mark} ") };
            let name = text::fit_end(name, width.saturating_sub(text::width(&mark)));
            line.extend(paint::padded(&model.theme, &format!("{mark}{name}"), *width, style));
            line.push(("  ".to_owned(), model.theme.style(Role::Text)));
        }
        line
    }

    fn line(&self, mark: &str, cells: &[String], style: Style, model: &Model) -> PaneLine {
        let mut line = vec![(mark.to_owned(), style)];
        for (at, (cell, width)) in cells.iter().zip(&self.widths).enumerate() {
            let is = |flags: &[bool]| flags.get(at).copied().unwrap_or(false);
            let cell = if is(&self.paths) { text::fit_end(cell, *width) } else { text::fit(cell, *width) };
            let style = if is(&self.linked) { model.theme.style(Role::Linked) } else { style };
            line.extend(paint::padded(&model.theme, &cell, *width, style));
            line.push(("  ".to_owned(), model.theme.style(Role::Text)));
        }
        line
    }
}

/// The columns that the part of the rule under the cursor tests.
fn linked_columns(model: &Model) -> Vec<OcsfPath> {
    let plan = model.entry().and_then(|entry| entry.compiled.as_ref()?.compilation.plan.as_ref());
    let mut paths = Vec::new();
    // While a match has the cursor, its own cells need no mark.
    if let Some(plan) = plan.filter(|_| model.focus != Pane::Matches) {
        tested_on(&plan.predicate, &link(model), &mut paths);
    }
    paths
}

fn tested_on(expr: &Expr, link: &Link, paths: &mut Vec<OcsfPath>) {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| tested_on(part, link, paths)),
        Expr::Not(part) => tested_on(part, link, paths),
        Expr::Selection { body, .. } => tested_on(body, link, paths),
        Expr::Predicate(predicate) if link.touches(predicate.span) => {
            paths.extend(predicate.source.paths());
        }
        Expr::Predicate(_) => {}
    }
}

/// As wide as what there is to show allows.
fn widths(model: &Model, table: &MatchTable, room: usize) -> Vec<usize> {
    let headings: Vec<_> =
        header(model, table).iter().map(|(mark, name)| text::width(name) + 2 * text::width(mark)).collect();
    columns::fitted(&natural_widths(table), &headings, room)
}

/// As wide as the values.
fn natural_widths(table: &MatchTable) -> Vec<usize> {
    let last = table.columns.len() + 2;
    let mut widths = vec![0; last + 1];
    let mut widen = |at: usize, cell: &str| {
        if let Some(width) = widths.get_mut(at) {
            *width = (*width).max(text::width(&text::sanitize(text::clip(cell, CELL))));
        }
    };
    widen(0, &format_time(0, time_format(table)));
    for row in &table.rows {
        widen(1, row.host.as_deref().unwrap_or(symbols::NOTHING.glyph));
        for (at, value) in row.values.iter().take(table.columns.len()).enumerate() {
            widen(at + 2, value.as_deref().unwrap_or(symbols::NOTHING.glyph));
        }
        widen(last, &row.event_id);
    }
    widths
}

pub(super) fn extent(model: &Model, body: Rect) -> Extent {
    match model.table() {
        Some(table) => Extent {
            rows: row_count(table),
            columns: widths(model, table, usize::from(body.width))
                .iter()
                .map(|width| width + 2)
                .sum::<usize>()
                + 1,
        },
        None => Extent::default(),
    }
}

/// Lines of the pane's body above the rows: message and heading.
pub(crate) fn rows_above(model: &Model, body: Rect) -> usize {
    message(model, usize::from(body.width)).len() + 1
}

/// Lines of the pane's body that rows do not get.
pub(crate) fn reserved_rows(model: &Model, body: Rect) -> usize {
    rows_above(model, body) + usize::from(timeline_rows(model, body))
}

/// Rows that are shown at once.
pub(crate) fn rows_shown(model: &Model) -> usize {
    let body = Layout::of(model).body(Pane::Matches);
    usize::from(body.height).saturating_sub(reserved_rows(model, body))
}
