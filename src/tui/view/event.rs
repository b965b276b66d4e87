//! One event over the panes, as a tree: what satisfies the rule is marked, and the part of the text that does stands out.
//!
//! ```text
//! ┌ Event  02:50:54 · workstation6 · 018f-… ─────────────┐
//! │   ▾ process                                          │
//! │ ▌     cmd_line  certutil -urlcache -f http://…       │
//! │   ▸ metadata  7                                      │
//! └──────────────────────────────────────────────────────┘
//! ```

use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use serde_json::Value;

use super::paint::{self, PaneLine, piece};
use super::popup;
use crate::tui::model::{EventAnswer, EventView, Model, Node, Shown, value_text};
use crate::tui::text;
use crate::tui::theme::Role;

/// Columns of the whole.
const WIDTH: u16 = 150;

/// Lines of one value; what is longer can be copied.
const LONGEST: usize = 60;

/// Columns of the widest name.
const NAME: usize = 24;

/// Milliseconds since 1970 that are taken for a time: 1980 to 2100.
const TIMES: std::ops::Range<i64> = 315_532_800_000..4_102_444_800_000;

pub(super) fn draw(buffer: &mut Buffer, screen: Rect, model: &Model, open: &EventView) {
    let area = place(screen);
    popup::draw(buffer, area, model, &title(model, open, popup::title_room(area)));
    let body = popup::inner(area);
    let theme = &model.theme;
    match &open.answer {
        EventAnswer::Waiting => {
            paint::line(buffer, body, 0, &[piece(theme, Role::TextDim, "looking …")], 0);
            return;
        }
        EventAnswer::Failed(error) => {
            for (row, line) in text::wrap(error, usize::from(body.width)).iter().enumerate() {
                paint::line(buffer, body, row, &[piece(theme, Role::Error, line)], 0);
            }
            return;
        }
        EventAnswer::Ready(_) => {}
    }
    let lines = lines(model, open, usize::from(body.width));
    let first = first(&lines, open.cursor, usize::from(body.height));
    for (row, (node, line)) in lines.iter().skip(first).take(usize::from(body.height)).enumerate() {
        paint::line(buffer, body, row, line, 0);
        if *node == open.cursor {
            paint::line(buffer, body, row, &[("›".to_owned(), theme.style(Role::Key))], 0);
        }
    }
}

/// Columns of what is searched for, while it is typed.
const SEARCH: usize = 32;

/// All of the screen but its border.
fn place(screen: Rect) -> Rect {
    popup::place(screen, WIDTH, usize::from(screen.height))
}

fn title(model: &Model, open: &EventView, room: usize) -> PaneLine {
    let theme = &model.theme;
    let time = open.time.and_then(|time| Timestamp::from_millisecond(time).ok());
    let time = time.map(|time| format!("{time:.3}"));
    let safe = |text: &str| text::fit(&text::sanitize(text), 48);
    // The id stands in the event as well.
    let said = [(2, time), (1, open.host.as_deref().map(safe)), (3, Some(safe(&open.event_id)))];
    let mut title = vec![(0, piece(theme, Role::PaneTitleFocused, "Event"))];
    let said = said.into_iter().filter_map(|(rank, said)| Some((rank, said?)));
    for (at, (rank, said)) in said.enumerate() {
        let between = if at == 0 { "  " } else { " · " };
        title.push((rank, piece(theme, Role::TextDim, &format!("{between}{said}"))));
    }
    if open.searching {
        title.push((0, piece(theme, Role::FilterChip, "  /")));
        let typed = paint::input(theme, &open.search, SEARCH).into_iter();
        title.extend(typed.map(|piece| (0, piece)));
    } else if !open.search.text().is_empty() {
        title.push((0, piece(theme, Role::FilterChip, &format!("  /{}", open.search.text()))));
    }
    paint::fitting(title, room)
}

/// Each line, with the node that it belongs to.
fn lines(model: &Model, open: &EventView, width: usize) -> Vec<(usize, PaneLine)> {
    let nodes = open.nodes();
    let mut lines = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        lines.extend(node_lines(model, node, width).into_iter().map(|line| (at, line)));
    }
    lines
}

fn node_lines(model: &Model, node: &Node<'_>, width: usize) -> Vec<PaneLine> {
    let theme = &model.theme;
    let mark = [piece(theme, Role::Text, " "), paint::link_mark(theme, node.matched)];
    let indent = "  ".repeat(node.depth.min(width / 8));
    let name_role = if node.matched { Role::Linked } else { Role::SyntaxKey };
    let (value, stretches) = match node.shown {
        Shown::Branch(value, folded) => {
            let arrow = if folded { "▸" } else { "▾" };
            let lead = piece(theme, Role::TextDim, &format!(" {indent}{arrow} "));
            let name = piece(theme, name_role, &text::fit(&node.name, width));
            let within = piece(theme, Role::TextDim, &branch(value, folded));
            return vec![[mark.to_vec(), vec![lead, name, within]].concat()];
        }
        Shown::Leaf(value, stretches) => (value, stretches),
    };
    let lead = format!(" {indent}  ");
    let name =
        paint::padded(theme, &text::fit(&node.name, NAME), NAME.min(width / 4), theme.style(name_role));
    let column = text::width(&lead) + paint::width(&name) + 4;
    let mut pieces = value_pieces(model, value, stretches);
    if let Some(time) = as_time(node, value) {
        pieces.push(piece(theme, Role::TextDim, &format!("  {time}")));
    }
    let room = width.saturating_sub(column).max(8);
    let mut parts = broken(&pieces, room).into_iter();
    let lead = vec![piece(theme, Role::Text, &lead)];
    let gap = vec![piece(theme, Role::Text, "  ")];
    let head = [mark.to_vec(), lead, name.to_vec(), gap, parts.next().unwrap_or_default()].concat();
    let blank = " ".repeat(column - 2);
    let rest = parts.map(|part| [mark.to_vec(), vec![piece(theme, Role::Text, &blank)], part].concat());
    std::iter::once(head).chain(rest).collect()
}

/// How much there is in an object or a list.
fn branch(value: &Value, folded: bool) -> String {
    match value {
        Value::Array(elements) => format!("  [{}]", elements.len()),
        Value::Object(fields) if folded => format!("  {}", fields.len()),
        _ => String::new(),
    }
}

/// The text of a value, with the stretches that satisfy the rule apart.
fn value_pieces(model: &Model, value: &Value, stretches: &[std::ops::Range<usize>]) -> PaneLine {
    let theme = &model.theme;
    let role = match value {
        Value::Null | Value::Bool(_) => Role::SyntaxConstant,
        Value::Number(_) => Role::SyntaxNumber,
        _ => Role::Text,
    };
    let content = value_text(value);
    let content = text::clip(&content, text::LINE_LIMIT);
    let mut pieces = PaneLine::new();
    let mut from = 0;
    for stretch in stretches {
        // Stretches may lie within one another.
        let (start, end) = (stretch.start.max(from), stretch.end.max(from));
        let (Some(before), Some(within)) = (content.get(from..start), content.get(start..end)) else { break };
        pieces.push(piece(theme, role, before));
        pieces.push(piece(theme, Role::Linked, within));
        from = end;
    }
    pieces.push(piece(theme, role, content.get(from..).unwrap_or_default()));
    if content.is_empty() {
        pieces.push(piece(theme, Role::TextDim, "(empty)"));
    }
    pieces
}

/// A number that is a time, as one: OCSF names such attributes `time` and `…_time`.
fn as_time(node: &Node<'_>, value: &Value) -> Option<String> {
    let named = node.name == "time" || node.name.ends_with("_time");
    let milliseconds = value.as_i64().filter(|number| named && TIMES.contains(number))?;
    let time = Timestamp::from_millisecond(milliseconds).ok()?;
    Some(format!("{time:.3}"))
}

/// A line in as many as it takes, each at most `room` wide.
fn broken(pieces: &[text::Piece], room: usize) -> Vec<PaneLine> {
    let width = paint::width(pieces);
    let lines = width.div_ceil(room).clamp(1, LONGEST);
    let part = |at: usize| {
        let spans = text::window(pieces, at * room, room);
        spans.into_iter().map(|span| (span.content.into_owned(), span.style)).collect::<PaneLine>()
    };
    let mut broken: Vec<_> = (0..lines).map(part).collect();
    if width > lines * room
        && let (Some(last), Some(like)) = (broken.last_mut(), pieces.last())
    {
        last.push(("…".to_owned(), like.1));
    }
    broken
}

/// The first line shown: the cursor's in the middle, as far as there is something above and below.
fn first(lines: &[(usize, PaneLine)], cursor: usize, height: usize) -> usize {
    let at = lines.iter().position(|(node, _)| *node == cursor).unwrap_or(0);
    at.saturating_sub(height / 2).min(lines.len().saturating_sub(height))
}

/// Lines that the cursor moves among, and how many are shown at once.
pub(super) fn extent(model: &Model, open: &EventView) -> (usize, usize) {
    let body = popup::inner(place(Rect::new(0, 0, model.size.0, model.size.1)));
    (open.nodes().len(), usize::from(body.height))
}

/// The line of the tree that stands at a row of the screen.
pub(super) fn node_at(model: &Model, open: &EventView, row: u16) -> Option<usize> {
    let body = popup::inner(place(Rect::new(0, 0, model.size.0, model.size.1)));
    let lines = lines(model, open, usize::from(body.width));
    let first = first(&lines, open.cursor, usize::from(body.height));
    let row = usize::from(row.checked_sub(body.y).filter(|row| *row < body.height)?);
    lines.get(first + row).map(|(node, _)| *node)
}
