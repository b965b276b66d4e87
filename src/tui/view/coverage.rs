//! Coverage of the rules, over the panes.
//!
//! ```text
//! ┌ Coverage ─────────────────────────────────────────────────────────────────┐
//! │   rules               ████████████████████   3,780                         │
//! │ › executable          ███████████████▍       2,911  +14                    │
//! │   unmapped_field      ███                      522  −14  CallTrace 20 · …  │
//! │                                                                            │
//! │ One alias away                                add   of                     │
//! │   Payload in ps_script/windows                +43   60 rules that name it  │
//! │                                                                            │
//! │ By category                                 rules  can run  matched        │
//! │   process_creation    ██████▎                1,210    1,030      120  +3   │
//! └───────────────────────────────────────────────────────────────────────────┘
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::changes::signed;
use super::paint::{self, PaneLine, piece};
use super::{popup, symbols};
use crate::tui::model::{AliasAway, CoverageLine, CoverageView, Figure, Model};
use crate::tui::text;
use crate::tui::theme::Role;

/// Columns of the whole.
const WIDTH: u16 = 118;

/// Columns of a bar, on a narrow screen and on a wide one, of a number and of a change.
const BAR: (usize, usize) = (10, 20);
const NUMBER: usize = 9;
const DRIFT: usize = 7;

/// The columns of labels, from the narrowest screen to the widest.
const LABEL: (usize, usize) = (22, 32);

pub(super) fn draw(buffer: &mut Buffer, screen: Rect, model: &Model, open: &CoverageView) {
    let theme = &model.theme;
    let area = place(screen, open);
    let title = vec![
        piece(theme, Role::PaneTitleFocused, "Coverage"),
        piece(theme, Role::TextDim, " · now, and the change since the baseline"),
    ];
    popup::draw(buffer, area, model, &title);
    let body = popup::inner(area);
    let first = first(open, body);
    let shown = open.lines.iter().enumerate().skip(first).take(usize::from(body.height));
    for (at, of_coverage) in shown {
        let pieces = line(model, open, of_coverage, usize::from(body.width));
        paint::line(buffer, body, at - first, &pieces, 0);
        if at == open.cursor && open.stops().any(|stop| stop == at) {
            paint::select(buffer, body, at - first, theme.style(Role::Selection));
            paint::line(
                buffer,
                body,
                at - first,
                &[(symbols::CURSOR.glyph.to_owned(), theme.style(Role::Selection))],
                0,
            );
        }
    }
}

fn place(screen: Rect, open: &CoverageView) -> Rect {
    popup::place(screen, WIDTH, open.lines.len())
}

/// The first line shown: the cursor stays in view, with the heading above it where it is the first of its section.
fn first(open: &CoverageView, body: Rect) -> usize {
    let height = usize::from(body.height).max(1);
    (open.cursor + 1).saturating_sub(height).min(open.lines.len().saturating_sub(height))
}

fn line(model: &Model, open: &CoverageView, line: &CoverageLine, width: usize) -> PaneLine {
    let theme = &model.theme;
    match line {
        CoverageLine::Blank => PaneLine::new(),
        CoverageLine::Heading(title) => heading(model, title, width),
        CoverageLine::Said(said) => vec![piece(theme, Role::TextDim, &format!("  {said}"))],
        CoverageLine::Figure(figure) => self::figure(model, open, figure, width),
        CoverageLine::Away(alias) => away(model, alias, width),
    }
}

/// Columns of labels and of bars in a box so wide.
fn columns(width: usize) -> (usize, usize) {
    let rest = |bar| width.saturating_sub(2 + bar + 3 * NUMBER + DRIFT);
    let bar = if rest(BAR.1) >= LABEL.1 { BAR.1 } else { BAR.0 };
    (rest(bar).clamp(LABEL.0, LABEL.1), bar)
}

fn heading(model: &Model, title: &str, width: usize) -> PaneLine {
    let (label, bar) = columns(width);
    let words = match title {
        "One alias away" => format!("{}  of those that name it", text::pad_left("adds", NUMBER)),
        _ => ["rules", "can run", "matched"].map(|word| text::pad_left(word, NUMBER)).concat(),
    };
    let line = format!("{}{}{words}", text::pad(title, label + 2), " ".repeat(bar));
    vec![piece(&model.theme, Role::TableHeader, &line)]
}

fn figure(model: &Model, open: &CoverageView, figure: &Figure, width: usize) -> PaneLine {
    let theme = &model.theme;
    let (label, bar) = columns(width);
    let indent = 2 + 2 * figure.depth;
    let number = |number: u64| text::pad_left(&text::count(number), NUMBER);
    let drift = if figure.drift == 0 { String::new() } else { signed(figure.drift) };
    let mut pieces = vec![
        (" ".repeat(indent), theme.style(Role::Text)),
        (text::pad(&figure.label, (label + 2).saturating_sub(indent)), theme.style(Role::Text)),
        (text::bar_text(figure.rules, open.rules, bar), theme.style(Role::PaneCount)),
        (number(figure.rules), theme.style(Role::Text)),
    ];
    if let Some((executable, matched)) = figure.parts {
        pieces.push((number(executable), theme.style(Role::Text)));
        let role = if matched == 0 { Role::TextDim } else { Role::StatusMatched };
        pieces.push((number(matched), theme.style(role)));
    }
    let moved =
        open.lines.iter().any(|line| matches!(line, CoverageLine::Figure(figure) if figure.drift != 0));
    pieces.push((text::pad_left(&drift, if moved { DRIFT } else { 0 }), theme.style(Role::Key)));
    let room = width.saturating_sub(paint::width(&pieces) + 2);
    pieces.push(piece(theme, Role::TextDim, &format!("  {}", text::fit(&figure.note, room))));
    pieces
}

fn away(model: &Model, alias: &AliasAway, width: usize) -> PaneLine {
    let theme = &model.theme;
    let (label, bar) = columns(width);
    let name = format!("{} in {}", alias.field.0, alias.scope);
    let added = i64::try_from(alias.unlocks).unwrap_or(i64::MAX);
    vec![
        ("  ".to_owned(), theme.style(Role::Text)),
        (text::pad(&name, label + bar), theme.style(Role::Text)),
        (text::pad_left(&signed(added), NUMBER), theme.style(Role::StatusMatched)),
        (text::pad_left(&text::count(alias.rules), NUMBER), theme.style(Role::TextDim)),
    ]
}

/// Lines that lead somewhere, and how many lines are shown at once.
pub(super) fn extent(model: &Model, open: &CoverageView) -> (usize, usize) {
    (open.stops().count(), usize::from(body(model, open).height))
}

/// The line at a row of the screen, counted among those that lead somewhere.
pub(super) fn line_at(model: &Model, open: &CoverageView, row: u16) -> Option<usize> {
    let body = body(model, open);
    let at = row.checked_sub(body.y).filter(|row| *row < body.height)?;
    let line = first(open, body) + usize::from(at);
    open.stops().position(|stop| stop == line)
}

fn body(model: &Model, open: &CoverageView) -> Rect {
    popup::inner(place(Rect::new(0, 0, model.size.0, model.size.1), open))
}
