//! A window of a correlation over the panes: its events, each with the rules that it matches.
//!
//! ```text
//! ┌ Window  06-10 02:50:54 … 02:51:10 · User mila · 3 events ─────────────┐
//! │   time          host          rule                   event id         │
//! │ › 02:50:54.120  workstation6  Failed Network Logon   018f-…           │
//! └───────────────────────────────────────────────────────────────────────┘
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::matches::format_time;
use super::paint::{self, PaneLine, piece};
use super::{popup, symbols};
use crate::evaluate::WindowEvent;
use crate::tui::model::{Model, WindowAnswer, WindowView};
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::worker::WindowEvents;

/// Columns of the whole.
const WIDTH: u16 = 130;

/// Columns of a time, and of the widest host.
const TIME: usize = 18;
const HOST: usize = 24;

/// Bytes of a key's value in the title.
const KEY: usize = 200;

pub(super) fn draw(buffer: &mut Buffer, screen: Rect, model: &Model, open: &WindowView) {
    let theme = &model.theme;
    let area = place(screen, open);
    popup::draw(buffer, area, model, &title(model, open));
    let body = popup::inner(area);
    let found = match &open.answer {
        WindowAnswer::Waiting => {
            paint::line(buffer, body, 0, &[piece(theme, Role::TextDim, "looking …")], 0);
            return;
        }
        WindowAnswer::Failed(error) => {
            for (row, line) in text::wrap(error, usize::from(body.width)).iter().enumerate() {
                paint::line(buffer, body, row, &[piece(theme, Role::Error, line)], 0);
            }
            return;
        }
        WindowAnswer::Ready(found) => found,
    };
    let widths = Widths::of(found, usize::from(body.width));
    paint::line(
        buffer,
        body,
        0,
        &[widths.line(model, ["time", "host", "rule", "event id"], Role::TableHeader)],
        0,
    );
    let list = list(body, found);
    let first = first(open, list);
    for (row, event) in found.events.iter().skip(first).take(usize::from(list.height)).enumerate() {
        let cells = cells(found, event);
        let line = widths.line(model, [&cells[0], &cells[1], &cells[2], &cells[3]], Role::Text);
        paint::line(buffer, list, row, &[line], 0);
        if first + row == open.cursor {
            paint::select(buffer, list, row, theme.style(Role::Selection));
            paint::line(
                buffer,
                list,
                row,
                &[(symbols::CURSOR.glyph.to_owned(), theme.style(Role::Selection))],
                0,
            );
        }
    }
    if let Some(said) = left_out(found) {
        let row = usize::from(body.height.saturating_sub(1));
        paint::line(buffer, body, row, &[piece(theme, Role::TextDim, &said)], 0);
    }
}

/// What is said of events that are not listed.
fn left_out(found: &WindowEvents) -> Option<String> {
    let more = found.of.saturating_sub(found.events.len());
    let shown = text::count(found.events.len() as u64);
    (more > 0).then(|| {
        format!("  the first {shown} of {}; an export has the ids of all", text::count(found.of as u64))
    })
}

fn title(model: &Model, open: &WindowView) -> PaneLine {
    let theme = &model.theme;
    let times = open.events().and_then(|found| {
        let time = |event: Option<&WindowEvent>| event.and_then(|event| event.time);
        Some((time(found.events.first())?, open.row.time?))
    });
    let mut said = match (times, open.row.time) {
        (Some((first, last)), _) if first != last => {
            format!("{} … {}", format_time(first, "%m-%d %H:%M:%S"), format_time(last, "%H:%M:%S"))
        }
        (_, Some(last)) => format_time(last, "%m-%d %H:%M:%S"),
        (_, None) => String::new(),
    };
    let keys = open.columns.len().saturating_sub(1);
    let (group, events) = open.row.values.split_at(keys.min(open.row.values.len()));
    for (name, value) in open.columns.iter().zip(group) {
        let value = value.as_deref().unwrap_or(symbols::NOTHING.glyph);
        said.push_str(&format!(" · {} {}", name.as_str(), text::clip(value, KEY)));
    }
    if let [Some(events), ..] = events {
        said.push_str(&format!(" · {events} events"));
    }
    vec![piece(theme, Role::PaneTitleFocused, "Window"), piece(theme, Role::TextDim, &format!("  {said}"))]
}

/// How wide the columns are.
struct Widths([usize; 4]);

impl Widths {
    /// Host and rule as wide as they need to be, as far as the id is left a third.
    fn of(found: &WindowEvents, room: usize) -> Self {
        let widest = |of: &dyn Fn(&WindowEvent) -> String| {
            found.events.iter().map(|event| text::width(&of(event))).max().unwrap_or(0)
        };
        let host = widest(&host).clamp(4, HOST);
        let rest = room.saturating_sub(2 + TIME + 2 + host + 2 + 2);
        let rule = widest(&|event| rules(found, event)).clamp(4, (rest * 2 / 3).max(4));
        Self([TIME, host, rule, rest.saturating_sub(rule)])
    }

    fn line(&self, model: &Model, cells: [&str; 4], role: Role) -> text::Piece {
        let last = cells.len() - 1;
        let cells = cells.iter().zip(self.0).enumerate().map(|(at, (cell, width))| {
            // The end of an id tells most.
            let cell = if at == last { text::fit_end(cell, width) } else { text::fit(cell, width) };
            text::pad(&cell, width)
        });
        (format!("  {}", cells.collect::<Vec<_>>().join("  ")), model.theme.style(role))
    }
}

fn cells(found: &WindowEvents, event: &WindowEvent) -> [String; 4] {
    let time = event
        .time
        .map_or_else(|| symbols::NOTHING.glyph.to_owned(), |time| format_time(time, "%m-%d %H:%M:%S%.3f"));
    [time, host(event), rules(found, event), event.event_id.clone()]
}

fn host(event: &WindowEvent) -> String {
    event.host.clone().unwrap_or_else(|| symbols::NOTHING.glyph.to_owned())
}

/// The titles of the rules that an event matches.
fn rules(found: &WindowEvents, event: &WindowEvent) -> String {
    let titles: Vec<&str> =
        event.rules.iter().filter_map(|at| found.rules.get(*at)).map(String::as_str).collect();
    if titles.is_empty() { symbols::NOTHING.glyph.to_owned() } else { titles.join(", ") }
}

fn place(screen: Rect, open: &WindowView) -> Rect {
    let lines = match &open.answer {
        WindowAnswer::Waiting => 1,
        WindowAnswer::Failed(_) => 3,
        WindowAnswer::Ready(found) => 1 + found.events.len() + usize::from(left_out(found).is_some()),
    };
    popup::place(screen, WIDTH.min(screen.width.saturating_sub(2)), lines)
}

/// Where the events stand in the box.
fn list(body: Rect, found: &WindowEvents) -> Rect {
    let taken = 1 + u16::from(left_out(found).is_some());
    Rect { y: body.y + body.height.min(1), height: body.height.saturating_sub(taken), ..body }
}

/// The first event shown: the cursor stays in view.
fn first(open: &WindowView, list: Rect) -> usize {
    let height = usize::from(list.height).max(1);
    (open.cursor + 1).saturating_sub(height)
}

fn whole_list(model: &Model, open: &WindowView) -> Option<Rect> {
    let found = open.events()?;
    Some(list(popup::inner(place(Rect::new(0, 0, model.size.0, model.size.1), open)), found))
}

/// Events that the cursor moves among, and how many are shown at once.
pub(super) fn extent(model: &Model, open: &WindowView) -> (usize, usize) {
    let shown = whole_list(model, open).map_or(0, |list| usize::from(list.height));
    (open.events().map_or(0, |found| found.events.len()), shown)
}

/// The event that stands at a row of the screen.
pub(super) fn line_at(model: &Model, open: &WindowView, row: u16) -> Option<usize> {
    let list = whole_list(model, open)?;
    let at = row.checked_sub(list.y).filter(|row| *row < list.height)?;
    let event = first(open, list) + usize::from(at);
    (event < open.events()?.events.len()).then_some(event)
}
