//! The rule list.
//!
//! ```text
//!  1 Rules  12 of 3,780
//!  /certutil▏                      esc clears      (while a filter is typed or in force)
//!  ● certutil download             high        12
//!  ✗ dll sideload (HackTool)       high         –
//!  ◌ new_rule.yml           parse error         –
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::paint::{self, PaneLine, piece};
use super::verdict;
use crate::tui::model::{Filter, Model, Pane, RuleEntry, Verdict};
use crate::tui::text;
use crate::tui::theme::Role;

/// From this width on a refused rule's reason stands beside it.
const WIDE: usize = 52;

pub(super) fn title(model: &Model) -> PaneLine {
    let theme = &model.theme;
    let all = text::count(model.rules.len() as u64);
    let shown = match model.filter.is_active() {
        true => format!("{} of {all}", text::count(model.visible.len() as u64)),
        false => all,
    };
    let mut pieces = vec![piece(theme, Role::PaneCount, &shown)];
    if !model.gone.is_empty() {
        pieces.push(piece(theme, Role::Error, "  stale"));
    }
    pieces
}

/// Where the rules stand in the body of the pane, below the filter.
pub(crate) fn list_area(model: &Model, body: Rect) -> Rect {
    let chip = u16::from(shows_filter(&model.filter)).min(body.height);
    Rect { y: body.y + chip, height: body.height - chip, ..body }
}

fn shows_filter(filter: &Filter) -> bool {
    filter.editing || !filter.text.is_empty()
}

pub(super) fn draw(buffer: &mut Buffer, body: Rect, model: &Model) {
    if shows_filter(&model.filter) {
        chip(buffer, body, model);
    }
    let area = list_area(model, body);
    if model.visible.is_empty() {
        empty(buffer, area, model);
        return;
    }
    let height = usize::from(area.height);
    let first = model.offset(Pane::Rules).row.min(model.visible.len().saturating_sub(height));
    let counts = count_width(model);
    for (row, index) in model.visible.iter().skip(first).take(height).enumerate() {
        if let Some(entry) = model.rules.get(*index) {
            paint::line(buffer, area, row, &line(model, entry, usize::from(area.width), counts), 0);
            if Some(&entry.key) == model.selected.as_ref() {
                let focused = model.focus == Pane::Rules;
                match focused {
                    true => paint::select(buffer, area, row, model.theme.style(Role::Selection)),
                    false => paint::fill(buffer, area, row, model.theme.style(Role::SelectionUnfocused)),
                }
                paint::line(buffer, area, row, &[("›".to_owned(), Style::new())], 0);
            }
        }
    }
}

fn chip(buffer: &mut Buffer, body: Rect, model: &Model) {
    let theme = &model.theme;
    let cursor = if model.filter.editing { "▏" } else { "" };
    // While typing, the end of a long filter is what matters.
    let room = usize::from(body.width).saturating_sub(4);
    let typed = text::fit_end(&model.filter.text, room);
    let pieces = [
        (" ".to_owned(), theme.style(Role::Text)),
        (format!("/{typed}"), theme.style(Role::FilterChip)),
        (cursor.to_owned(), theme.style(Role::FilterChip)),
    ];
    paint::line(buffer, body, 0, &pieces, 0);
    let way_out = [piece(theme, Role::TextDim, "esc clears ")];
    if paint::width(&pieces) + paint::width(&way_out) < usize::from(body.width) {
        paint::right(buffer, body, 0, &way_out);
    }
}

fn empty(buffer: &mut Buffer, area: Rect, model: &Model) {
    let words = match (model.loaded, model.rules.is_empty()) {
        (false, _) => "reading rules …",
        (true, true) => "no rules here: name a .yml file or a folder of them",
        (true, false) => "no rule passes the filter",
    };
    for (row, line) in text::wrap(words, usize::from(area.width.saturating_sub(2))).iter().enumerate() {
        paint::line(buffer, area, row, &[piece(&model.theme, Role::TextDim, &format!(" {line}"))], 0);
    }
}

/// Columns of the widest count, of all rules, so that filtering does not move anything.
fn count_width(model: &Model) -> usize {
    model.rules.iter().map(|entry| text::width(&count(entry))).max().unwrap_or(0).max(3)
}

fn line(model: &Model, entry: &RuleEntry, width: usize, counts: usize) -> PaneLine {
    let theme = &model.theme;
    let (glyph, role) = verdict::glyph(entry);
    let (note, note_role) = note(entry, width);
    let title = width.saturating_sub(3 + 1 + text::width(&note) + 1 + counts + 1);
    let count_role = match entry.verdict() {
        Verdict::Matched(_) if !entry.is_stale() => Role::Text,
        _ => Role::TextDim,
    };
    let title_role = if entry.is_executable() { Role::Text } else { Role::TextDim };
    vec![
        (format!(" {glyph} "), theme.style(role)),
        (text::pad(&entry.title, title), theme.style(title_role)),
        (format!(" {note}"), theme.style(note_role)),
        (format!(" {}", text::pad_left(&count(entry), counts)), theme.style(count_role)),
        (" ".to_owned(), theme.style(Role::Text)),
    ]
}

/// The level; or, where it tells more and there is room, why the rule cannot run.
fn note(entry: &RuleEntry, width: usize) -> (String, Role) {
    let level = entry.rule.metadata.level.as_ref().map(|level| level.value);
    let (level, role) = verdict::level(level);
    let role = if entry.is_executable() { role } else { Role::TextDim };
    match entry.verdict() {
        Verdict::ParseError => ("parse error".to_owned(), Role::StatusParseError),
        Verdict::Refused(reason) if width >= WIDE => (format!("{reason}  {level:<4}"), Role::TextDim),
        _ => (format!("{level:<4}"), role),
    }
}

fn count(entry: &RuleEntry) -> String {
    match entry.verdict() {
        Verdict::Matched(matches) => text::count(matches),
        Verdict::NoMatch => "0".to_owned(),
        Verdict::NotRun => "…".to_owned(),
        Verdict::Refused(_) | Verdict::ParseError | Verdict::Failed | Verdict::Within => "–".to_owned(),
    }
}
