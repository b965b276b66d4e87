//! The funnel with its bars, then the rules of a correlation, the nearest misses or the matches: a line each.
//!
//! ```text
//!                                    filled  alone   left
//!        class 1007                                254,974  █████████
//!     27 selection_img                           2       2  ▏
//!     28   Image ends with '\bitsadmin.exe'  100 %   2
//!     35 selection_extension                     4       0  ← stops
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::paint::{self, PaneLine, piece};
use super::events;
use crate::attribution::{Attribution, Finding, FunnelRow, Place};
use crate::tui::model::{Item, Model, Offset, WhyView};
use crate::tui::text::{bar_text, count, pad, pad_left, percent, width};
use crate::tui::theme::Role;

/// Columns of the mark and the line number, of a share, and of the narrowest and the widest bar.
pub(super) const PLACE: usize = 7;
const SHARE: usize = 8;
const BAR: (usize, usize) = (7, 40);

/// What stands in the place of the bar where no event is left.
const STOPS: &str = "← stops";

/// A line, and which item it is; none for a heading.
pub(super) type Listed = (Option<usize>, PaneLine);

/// Columns of labels, numbers and bars.
#[derive(Clone, Copy)]
struct Columns {
    label: usize,
    number: usize,
    bar: usize,
}

impl Columns {
    /// Labels no wider than they are, so that numbers stand close to them.
    fn of(items: &[Item<'_>], all: usize) -> Self {
        let numbers = items.iter().map(|item| match item {
            Item::Row(_, row) => row.events.max(row.alone.unwrap_or(0)),
            Item::Part(_, finding) => finding.matches,
            Item::Near(_) | Item::Match(_) => 0,
        });
        let number = numbers.map(|number| count(number).len()).max().unwrap_or(0).max("alone".len()) + 2;
        let labels = items.iter().map(|item| match item {
            Item::Row(_, row) => width(&labelled(row)),
            Item::Part(title, _) => width(title),
            Item::Near(_) | Item::Match(_) => 0,
        });
        let room = all.saturating_sub(PLACE + SHARE + 2 * number + 3);
        let label = labels.max().unwrap_or(0).min(room.saturating_sub(BAR.0));
        Self { label, number, bar: (room - label).min(BAR.1) }
    }

    fn heading(self) -> String {
        let before = " ".repeat(PLACE + self.label);
        let filled = pad_left("filled", SHARE);
        format!("{before}{filled}{}{}", pad_left("alone", self.number), pad_left("left", self.number))
    }
}

fn labelled(row: &FunnelRow) -> String {
    format!("{}{}", "  ".repeat(row.depth.min(8)), row.label)
}

/// The line of the rule, as it stands before each item.
pub(super) fn place(place: Option<Place>) -> String {
    let line = place.map_or_else(String::new, |place| place.line.to_string());
    format!("  {} ", pad_left(&line, PLACE - 3))
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
    let items = model.why.items();
    let columns = Columns::of(&items, width);
    let rows = events::rows(&items);
    let events = events::Columns::of(&rows, width);
    let mut lines: Vec<Listed> = Vec::new();
    let (mut section, mut of_events) = ("", 0);
    for (at, item) in items.iter().enumerate() {
        let (of, line) = match *item {
            Item::Row(row, funnel) => ("", row_line(model, known, (row, funnel), columns)),
            Item::Part(title, finding) => ("rules", part(model, known, (title, finding), columns)),
            Item::Near(_) => ("nearest misses", events.line(model, &rows, of_events)),
            Item::Match(_) => ("matches", events.line(model, &rows, of_events)),
        };
        if section != of {
            section = of;
            lines.extend((!lines.is_empty()).then(|| (None, PaneLine::new())));
            lines.push(match item {
                Item::Near(_) | Item::Match(_) => heading(&events.heading(of)),
                Item::Row(..) | Item::Part(..) => heading(&format!(" {of}")),
            });
        }
        if lines.is_empty() {
            lines.push(heading(&columns.heading()));
        }
        of_events += usize::from(matches!(item, Item::Near(_) | Item::Match(_)));
        lines.push((Some(at), line));
    }
    lines
}

/// The line of the rule, a label, how often what it looks at is filled, events that satisfy it alone, events that are
/// left after it, a bar of these.
fn row_line(
    model: &Model,
    known: &Attribution,
    (at, row): (usize, &FunnelRow),
    columns: Columns,
) -> PaneLine {
    let theme = &model.theme;
    let whole = known.funnel.first().map_or(0, |row| row.events);
    let stopped = known.funnel.iter().position(|row| row.cumulative && row.events == 0) == Some(at);
    let in_scope = known.finding.scope_events;
    let filled = row.filled.filter(|_| in_scope > 0).map(|filled| percent(filled, in_scope));
    let number = |number: Option<u64>| pad_left(&number.map_or(String::new(), count), columns.number);
    let left = row.cumulative.then_some(row.events);
    let (role, bar) = match left {
        Some(_) if stopped => (Role::StatusRefused, STOPS.to_owned()),
        left => (Role::StatusMatched, bar_text(left.unwrap_or(0), whole, columns.bar)),
    };
    let text = if row.cumulative { Role::Text } else { Role::TextDim };
    vec![
        piece(theme, Role::LineNumber, &place(row.place)),
        piece(theme, text, &pad(&labelled(row), columns.label)),
        piece(theme, Role::TextDim, &pad_left(&filled.unwrap_or_default(), SHARE)),
        piece(theme, Role::TextDim, &number(row.alone)),
        piece(theme, if stopped { role } else { text }, &number(left)),
        piece(theme, role, &format!("  {bar}")),
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
    let before = SHARE + columns.number;
    vec![
        piece(theme, Role::Text, &format!("{}{}", " ".repeat(PLACE), pad(title, columns.label + before))),
        piece(theme, Role::Text, &pad_left(&count(finding.matches), columns.number)),
        piece(theme, Role::StatusMatched, &format!("  {bar}")),
    ]
}
