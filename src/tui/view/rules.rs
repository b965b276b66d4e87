//! The rule list.
//!
//! ```text
//!  1 Rules  12 of 3,780  by folder · matches
//!  level:high  certutil            esc clears      (while a filter is typed or in force)
//!  ▾ windows               ● 1  2 of 3 can run
//!    ● certutil download           high        12
//!    ✗ dll sideload (HackTool)  !Δ high         –
//!  ▸ linux                      87 of 91 can run
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::paint::{self, PaneLine, Ranked, piece};
use super::{chips, symbols, trouble, verdict};
use crate::tui::model::list::{Group, Grouping, Order, Row, Since};
use crate::tui::model::{Model, Pane, RuleEntry, Verdict};
use crate::tui::text;
use crate::tui::theme::Role;

/// From this width on a refused rule's reason stands beside it.
const WIDE: usize = 52;

pub(super) fn title(model: &Model) -> Vec<Ranked> {
    let theme = &model.theme;
    let all = text::count(model.rules.len() as u64);
    let shown = match model.filter.is_active() {
        true => format!("{} of {all}", text::count(model.visible.len() as u64)),
        false => all,
    };
    let mut pieces = vec![(0, piece(theme, Role::PaneCount, &shown))];
    if !model.gone.is_empty() {
        pieces.push((0, piece(theme, Role::Error, "  stale")));
    }
    if model.list.totals.arrived > 0 {
        let arrived = text::count(model.list.totals.arrived);
        pieces.push((1, piece(theme, Role::Key, &format!("  {}{arrived} new", symbols::ARRIVED.glyph))));
    }
    let (grouping, order) = (model.list.grouping, model.list.order);
    let arranged = [
        (grouping != Grouping::Flat).then(|| grouping.word().to_owned()),
        (order != Order::Path).then(|| format!("{} first", order.word())),
    ];
    for (at, said) in arranged.into_iter().flatten().enumerate() {
        let between = if at == 0 { "  " } else { " · " };
        let rank = if at == 0 { 2 } else { 3 };
        pieces.push((rank, piece(theme, Role::TextDim, &format!("{between}{said}"))));
    }
    pieces
}

/// Where the rules stand in the body of the pane, below the filter.
pub(crate) fn list_area(model: &Model, body: Rect) -> Rect {
    let chips = chips::rows(model, body.width).min(body.height);
    Rect { y: body.y + chips, height: body.height - chips, ..body }
}

pub(super) fn draw(buffer: &mut Buffer, body: Rect, model: &Model) {
    chips::draw(buffer, body, model);
    let area = list_area(model, body);
    let rows = &model.list.rows;
    if rows.is_empty() {
        empty(buffer, area, model);
        return;
    }
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    let first = model.offset(Pane::Rules).row.min(rows.len().saturating_sub(height));
    let counts = text::width(&text::count(model.list.totals.most)).max(3);
    for (row, of_list) in rows.iter().enumerate().skip(first).take(height) {
        let pieces = match of_list {
            Row::Group(group) => header(model, group, width),
            Row::Rule { index, depth } => match model.rules.get(*index) {
                Some(entry) => line(model, entry, model.list.mark(*index), *depth, width, counts),
                None => continue,
            },
        };
        paint::line(buffer, area, row - first, &pieces, 0);
        if row == model.position {
            mark_cursor(buffer, area, row - first, model);
        }
    }
}

fn mark_cursor(buffer: &mut Buffer, area: Rect, row: usize, model: &Model) {
    match model.focus == Pane::Rules {
        true => paint::select(buffer, area, row, model.theme.style(Role::Selection)),
        false => paint::fill(buffer, area, row, model.theme.style(Role::SelectionUnfocused)),
    }
    paint::line(buffer, area, row, &[(symbols::CURSOR.glyph.to_owned(), Style::new())], 0);
}

/// The header of a group: its name, and how many of its rules matched and can run.
fn header(model: &Model, group: &Group, width: usize) -> PaneLine {
    let theme = &model.theme;
    let glyph = if group.open { symbols::OPEN.glyph } else { symbols::FOLDED.glyph };
    let number = |number: usize| text::count(number as u64);
    let matched = if group.matched > 0 {
        format!("{} {}  ", symbols::MATCHED.glyph, number(group.matched))
    } else {
        String::new()
    };
    let of_all = format!("{} of {}", number(group.executable), number(group.rules));
    let words = if width >= WIDE { " can run " } else { " " };
    let indent = 2 * group.depth + 1;
    let taken = indent + 2 + text::width(&matched) + text::width(&of_all) + words.len() + 1;
    vec![
        (" ".repeat(indent), theme.style(Role::Text)),
        (format!("{glyph} "), theme.style(Role::TextDim)),
        (text::pad(&group.label, width.saturating_sub(taken)), theme.style(Role::TableHeader)),
        (format!(" {matched}"), theme.style(Role::StatusMatched)),
        (of_all, theme.style(Role::PaneCount)),
        (words.to_owned(), theme.style(Role::TextDim)),
    ]
}

fn empty(buffer: &mut Buffer, area: Rect, model: &Model) {
    let width = usize::from(area.width);
    let lines = match (model.loaded, model.rules.is_empty()) {
        (false, _) => paint::paragraph(model, Role::TextDim, " ", "reading rules …", width),
        (true, true) => trouble::no_rules(model, width),
        (true, false) => paint::paragraph(model, Role::TextDim, " ", "no rule passes the filter", width),
    };
    for (row, line) in lines.iter().enumerate() {
        paint::line(buffer, area, row, line, 0);
    }
}

/// A rule: glyph, title, marks, level, count.
fn line(
    model: &Model,
    entry: &RuleEntry,
    marks: (bool, Option<Since>),
    depth: usize,
    width: usize,
    counts: usize,
) -> PaneLine {
    let theme = &model.theme;
    let (glyph, role) = verdict::glyph(entry);
    let (note, note_role) = note(entry, width);
    let (warnings, since) = verdict::marks(marks);
    let indent = 2 * depth;
    let stale = if entry.is_stale() { format!(" {}", symbols::STALE.glyph) } else { String::new() };
    let arrived = match entry.arrived() {
        0 => String::new(),
        arrived => format!(" {}{}", symbols::ARRIVED.glyph, text::count(arrived)),
    };
    let marked = text::width(&warnings) + text::width(&since) + text::width(&arrived) + text::width(&stale);
    let title = width.saturating_sub(indent + 3 + marked + 1 + text::width(&note) + 1 + counts + 1);
    let count_role = match entry.verdict() {
        Verdict::Matched(_) if !entry.is_stale() => Role::Text,
        _ => Role::TextDim,
    };
    let title_role = if entry.is_executable() { Role::Text } else { Role::TextDim };
    vec![
        (format!("{} {glyph} ", " ".repeat(indent)), theme.style(role)),
        (text::pad(&entry.title, title), theme.style(title_role)),
        (warnings, theme.style(Role::DiagnosticWarning)),
        (since, theme.style(Role::Key)),
        (arrived, theme.style(Role::Key).add_modifier(Modifier::BOLD)),
        (stale, theme.style(Role::Stale)),
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
        Verdict::NotRun => symbols::NOT_RUN.glyph.to_owned(),
        Verdict::Refused(_) | Verdict::ParseError | Verdict::Failed | Verdict::Within => {
            symbols::NOTHING.glyph.to_owned()
        }
    }
}
