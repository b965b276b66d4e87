//! The funnel with its bars, then the rules of a correlation, the nearest misses or the matches: a line each.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::matches::format_time;
use super::super::paint::{self, PaneLine, piece};
use super::super::symbols;
use crate::attribution::{Attribution, EventName, Finding, FunnelRow, MatchReason, NearMiss};
use crate::tui::model::{Item, Model, Offset, WhyView};
use crate::tui::text::{Piece, bar_text, count, fit, pad, pad_left, percent, width};
use crate::tui::theme::Role;

/// Columns of the mark and the line number, of a number, and of a share.
const PLACE: usize = 7;
const NUMBER: usize = 10;
const SHARE: usize = 8;

/// A line, and which item it is; none for a heading.
pub(super) type Listed = (Option<usize>, PaneLine);

/// Columns of labels and bars.
#[derive(Clone, Copy)]
struct Columns {
    label: usize,
    bar: usize,
}

impl Columns {
    fn of(total: usize) -> Self {
        let room = total.saturating_sub(PLACE + NUMBER + SHARE + 3);
        let bar = (room / 4).clamp(6, 40).min(room);
        Self { label: room - bar, bar }
    }
}

/// What the rule looks at, in numbers.
pub(super) fn title(model: &Model) -> PaneLine {
    let Some(known) = model.why.known() else { return Vec::new() };
    let finding = &known.finding;
    if finding.class_uids.is_empty() {
        return Vec::new();
    }
    let said = format!(
        "  {} of {} events in scope · {} of them match",
        count(finding.scope_events),
        count(finding.class_events),
        count(finding.matches)
    );
    vec![piece(&model.theme, Role::TextDim, &said)]
}

pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model, open: WhyView) {
    let listed = lines(model, usize::from(area.width));
    let (at, first) = cursor(&listed, open, area);
    let lines: Vec<PaneLine> = listed.into_iter().map(|(_, line)| line).collect();
    paint::scrolled(buffer, area, &model.theme, &lines, Offset { row: first, column: 0 });
    let page = usize::from(area.height);
    let more = |buffer: &mut Buffer, row: usize, arrow: &str| {
        paint::line(buffer, area, row, &[piece(&model.theme, Role::Key, arrow)], 0);
    };
    if first > 0 {
        more(buffer, 0, "↑");
    }
    if first + page < lines.len() {
        more(buffer, page.saturating_sub(1), "↓");
    }
    if let Some(row) = at.and_then(|at| at.checked_sub(first)) {
        let role = if open.in_source { Role::SelectionUnfocused } else { Role::Selection };
        paint::select(buffer, area, row, model.theme.style(role));
        paint::line(buffer, area, row, &[("›".to_owned(), model.theme.style(role))], 0);
    }
}

/// The line under the cursor, and the first one that is shown.
fn cursor(listed: &[Listed], open: WhyView, area: Rect) -> (Option<usize>, usize) {
    let at = listed.iter().position(|(item, _)| *item == Some(open.cursor));
    let page = usize::from(area.height).max(1);
    (at, (at.unwrap_or(0) + 1).saturating_sub(page))
}

pub(super) fn item_at(model: &Model, open: WhyView, area: Rect, row: usize) -> Option<usize> {
    let listed = lines(model, usize::from(area.width));
    let (_, first) = cursor(&listed, open, area);
    listed.get(first + row)?.0
}

pub(super) fn lines(model: &Model, width: usize) -> Vec<Listed> {
    let theme = &model.theme;
    let said = match &model.why.answer {
        None => Some((Role::TextDim, "counting …")),
        Some(Err(error)) => Some((Role::Error, error.as_str())),
        // Of a rule that is not executable.
        Some(Ok(_)) if model.why.items().is_empty() => Some((Role::TextDim, "nothing was counted")),
        Some(Ok(_)) => None,
    };
    if let Some((role, said)) = said {
        return super::paragraph(model, role, " ", said, width)
            .into_iter()
            .map(|line| (None, line))
            .collect();
    }
    let Some(known) = model.why.known() else { return Vec::new() };
    let heading = |said: &str| (None, vec![piece(theme, Role::TableHeader, said)]);
    let columns = Columns::of(width);
    let mut lines: Vec<Listed> = Vec::new();
    let mut section = "";
    for (at, item) in model.why.items().into_iter().enumerate() {
        let (of, line) = match item {
            Item::Row(row, funnel) => ("", row_line(model, known, (row, funnel), columns)),
            Item::Part(title, finding) => ("rules", part(model, known, (title, finding), columns)),
            Item::Near(near) => ("nearest misses", near_line(model, near, width)),
            Item::Match(matched) => ("matches", match_line(model, matched, width)),
        };
        if section != of {
            section = of;
            lines.extend((!lines.is_empty()).then(|| (None, PaneLine::new())));
            lines.push(heading(&format!(" {of}")));
        }
        if lines.is_empty() {
            let before = PLACE + columns.label + 1 + columns.bar + 1;
            let (events, filled) = (pad_left("events", NUMBER), pad_left("filled", SHARE));
            lines.push(heading(&format!("{}{events} {filled}", " ".repeat(before))));
        }
        lines.push((Some(at), line));
    }
    lines
}

/// The line of the rule, a label, a bar, a number, a remark.
fn row_line(
    model: &Model,
    known: &Attribution,
    (at, row): (usize, &FunnelRow),
    columns: Columns,
) -> PaneLine {
    let theme = &model.theme;
    let whole = known.funnel.first().map_or(0, |row| row.events);
    let place = row.place.map_or_else(String::new, |place| place.line.to_string());
    let indent = "  ".repeat(row.depth.min(8));
    let label = format!("{indent}{}", fit(&row.label, columns.label.saturating_sub(width(&indent))));
    // A bar is for a step; what is counted alone has its number only.
    let bar = if row.cumulative { row.events } else { 0 };
    let stopped = known.funnel.iter().position(|row| row.cumulative && row.events == 0) == Some(at);
    let in_scope = known.finding.scope_events;
    let filled = row.filled.filter(|_| in_scope > 0).map(|filled| percent(filled, in_scope));
    let (role, last) = match filled {
        _ if stopped => (Role::StatusRefused, "← stops".to_owned()),
        Some(filled) => (Role::TextDim, filled),
        None => (Role::TextDim, String::new()),
    };
    let text = if row.cumulative { Role::Text } else { Role::TextDim };
    vec![
        piece(theme, Role::LineNumber, &format!("  {} ", pad_left(&place, PLACE - 3))),
        piece(theme, text, &pad(&label, columns.label)),
        piece(theme, Role::StatusMatched, &format!(" {} ", bar_text(bar, whole, columns.bar))),
        piece(theme, text, &pad_left(&count(row.events), NUMBER)),
        piece(theme, role, &format!(" {}", pad_left(&last, SHARE))),
    ]
}

/// A rule under a correlation, and how many events it matches.
fn part(
    model: &Model,
    known: &Attribution,
    (title, finding): (&str, &Finding),
    columns: Columns,
) -> PaneLine {
    let theme = &model.theme;
    let parts = known.correlation.iter().flat_map(|correlation| &correlation.rules);
    let most = parts.map(|(_, finding)| finding.matches).max().unwrap_or_default();
    let bar = bar_text(finding.matches, most, columns.bar);
    vec![
        piece(theme, Role::Text, &format!("{}{}", " ".repeat(PLACE), pad(title, columns.label))),
        piece(theme, Role::StatusMatched, &format!(" {bar} ")),
        piece(theme, Role::Text, &pad_left(&count(finding.matches), NUMBER)),
    ]
}

/// When and where an event was.
pub(super) fn event(event: &EventName) -> String {
    let at = event.time.map_or_else(|| "no time".to_owned(), |time| format_time(time, "%m-%d %H:%M:%S"));
    format!("{at}  {}", event.host.as_deref().unwrap_or("–"))
}

fn near_line(model: &Model, near: &NearMiss, width: usize) -> PaneLine {
    let first = near.failed.first();
    let selection = first.and_then(|failure| failure.selection.as_deref());
    let selection = selection.map_or(String::new(), |selection| format!("{selection}: "));
    let failed =
        first.map_or(String::new(), |failure| format!("{}: {}", failure.predicate, failure.difference.text));
    let others = match near.failed.len().saturating_sub(1) {
        0 => String::new(),
        others => format!(", and {others} more"),
    };
    let mark = piece(&model.theme, Role::DiagnosticError, &format!("{} ", symbols::REFUSED.glyph));
    event_line(model, &near.event, mark, &format!("{selection}{failed}{others}"), width)
}

fn match_line(model: &Model, matched: &MatchReason, width: usize) -> PaneLine {
    let each: Vec<&str> = matched.evidence.iter().map(|evidence| evidence.predicate.as_str()).collect();
    let mark = piece(&model.theme, Role::StatusMatched, &format!("{} ", symbols::SATISFIED.glyph));
    event_line(model, &matched.event, mark, &each.join(", "), width)
}

fn event_line(model: &Model, of: &EventName, mark: Piece, said: &str, width: usize) -> PaneLine {
    let head = piece(&model.theme, Role::TextDim, &format!("  {}  ", event(of)));
    let taken = paint::width(&[head.clone(), mark.clone()]);
    let said = fit(said, width.saturating_sub(taken));
    vec![head, mark, piece(&model.theme, Role::Text, &said)]
}
