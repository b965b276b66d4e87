//! What a field could be in OCSF, over the panes.
//!
//! ```text
//! ┌ CallTrace in process_access/windows ───────────── 18 rules use it, 6 wait for it alone ┐
//! │   target            effect                               filled  holds    type         │
//! │ › raw.CallTrace     +18 executable (fallback) · 3 match   100 %  9 of 16  string       │
//! │   process.cmd_line  empty in this scope                                   string       │
//! │                                                                                        │
//! │   9,000 × C:\Windows\SYSTEM32\ntdll.dll+9d4c4|…                                        │
//! │   of all rules: +18 executable (fallback)                                              │
//! └────────────────────────────────────────────────────────────────────────────────────────┘
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{self, PaneLine, Ranked, piece};
use super::{popup, symbols};
use crate::tui::model::{Answer, Bench, Model, Offset, Proposals, Proposed, Said};
use crate::tui::text::{self, Piece};
use crate::tui::theme::Role;

/// Columns of the whole.
const WIDTH: u16 = 132;

/// Columns of the type, the share and the literals.
const TYPE: usize = 9;
const FILLED: usize = 6;
const HOLDS: usize = 8;

/// Lines below the table: a blank one, samples, and what was said last.
const BELOW: usize = 6;

pub(super) fn draw(buffer: &mut Buffer, screen: Rect, model: &Model, open: &Proposals) {
    let area = place(screen, open);
    popup::draw(buffer, area, model, &title(model, open, popup::title_room(area)));
    let body = popup::inner(area);
    let width = usize::from(body.width);
    match &open.answer {
        Answer::Waiting => {
            paint::line(buffer, body, 0, &[piece(&model.theme, Role::TextDim, "looking …")], 0);
        }
        Answer::Failed(error) => {
            let lines = text::wrap(error, width).into_iter();
            let lines: Vec<PaneLine> =
                lines.map(|line| vec![piece(&model.theme, Role::Error, &line)]).collect();
            paint::scrolled(buffer, body, &model.theme, &lines, Offset::default());
        }
        Answer::Ready(bench) => ready(buffer, body, model, open, bench),
    }
}

fn place(screen: Rect, open: &Proposals) -> Rect {
    let rows = match &open.answer {
        Answer::Ready(bench) => bench.proposals.len().max(1) + 1 + BELOW,
        Answer::Waiting | Answer::Failed(_) => 4,
    };
    popup::place(screen, WIDTH, rows)
}

fn title(model: &Model, open: &Proposals, room: usize) -> PaneLine {
    let theme = &model.theme;
    let field = open.field().map_or("", |field| field.0.as_str());
    let mut title: Vec<Ranked> = vec![(0, piece(theme, Role::PaneTitleFocused, field))];
    if let Answer::Ready(bench) = &open.answer {
        let of_all = format!(" · {} rules use it", text::count(bench.rules as u64));
        title.push((0, piece(theme, Role::TextDim, &format!(" in {}", bench.scope))));
        title.push((2, piece(theme, Role::TextDim, &of_all)));
        if bench.unlocks > 0 {
            let wait = format!(" · {} wait for it alone", text::count(bench.unlocks as u64));
            title.push((1, piece(theme, Role::StatusRefused, &wait)));
        }
        if let Some(events) = bench.in_scope {
            title.push((4, piece(theme, Role::TextDim, &format!(" · {} events", text::count(events)))));
        }
    }
    if open.fields.len() > 1 {
        let place = format!(" · field {} of {}", open.at + 1, open.fields.len());
        title.push((3, piece(theme, Role::TextDim, &place)));
    }
    paint::fitting(title, room)
}

/// Columns of the table, and which of the last ones there is room for.
struct Columns {
    target: usize,
    effect: usize,
    filled: bool,
    holds: bool,
    kind: bool,
}

impl Columns {
    /// What a proposal does comes before what speaks for it, and that before its type.
    fn fitting(bench: &Bench, width: usize) -> Self {
        let widest = |of: &dyn Fn(&Proposed) -> usize| bench.proposals.iter().map(of).max().unwrap_or(0);
        let target = widest(&|row| text::width(&row.proposal.target)).clamp(6, (width * 2 / 5).max(6));
        let effect = widest(&|row| text::width(&effect(row).1)).max(6);
        let mut room = width.saturating_sub(2 + target + 2 + effect);
        let mut has = |columns: usize| {
            let fits = columns + 2 <= room;
            room -= if fits { columns + 2 } else { room };
            fits
        };
        let (filled, holds, kind) = (has(FILLED), has(HOLDS), has(TYPE));
        Self { target, effect, filled, holds, kind }
    }

    fn line(&self, cells: [Piece; 5]) -> PaneLine {
        let [target, effect, filled, holds, kind] = cells;
        let last = |shown: bool, (said, style): Piece, pad: fn(&str, usize) -> String, columns| {
            shown.then(|| (format!("  {}", pad(&said, columns)), style))
        };
        [
            Some((format!("  {}", text::pad(&target.0, self.target)), target.1)),
            Some((format!("  {}", text::pad(&effect.0, self.effect)), effect.1)),
            last(self.filled, filled, text::pad_left, FILLED),
            last(self.holds, holds, text::pad, HOLDS),
            last(self.kind, kind, text::fit, TYPE),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

fn ready(buffer: &mut Buffer, body: Rect, model: &Model, open: &Proposals, bench: &Bench) {
    let theme = &model.theme;
    if bench.proposals.is_empty() {
        let said = "nothing in OCSF, in the pack or in the events looks like this field; leave it unmapped";
        paint::line(buffer, body, 0, &[piece(theme, Role::TextDim, said)], 0);
        return;
    }
    let columns = Columns::fitting(bench, usize::from(body.width));
    let head = |said: &str| piece(theme, Role::TableHeader, said);
    let heading = ["target", "effect", "filled", "holds", "type"].map(head);
    paint::line(buffer, body, 0, &columns.line(heading), 0);
    let (first, shown) = window(body, open, bench);
    for (row, proposed) in bench.proposals.iter().enumerate().skip(first).take(shown) {
        let at = row - first + 1;
        paint::line(buffer, body, at, &line(model, bench, proposed, &columns), 0);
        if row == open.cursor {
            paint::select(buffer, body, at, theme.style(Role::Selection));
            paint::line(
                buffer,
                body,
                at,
                &[(symbols::CURSOR.glyph.to_owned(), theme.style(Role::Selection))],
                0,
            );
        }
    }
    let below =
        Rect { y: body.y + 2 + shown as u16, height: body.height.saturating_sub(2 + shown as u16), ..body };
    let lines = details(model, open, usize::from(body.width));
    paint::scrolled(buffer, below, &model.theme, &lines, Offset::default());
}

/// The first proposal shown, and how many.
fn window(body: Rect, open: &Proposals, bench: &Bench) -> (usize, usize) {
    let room = usize::from(body.height).saturating_sub(1 + BELOW).max(1);
    let shown = bench.proposals.len().min(room);
    (open.cursor.saturating_sub(shown - 1), shown)
}

fn line(model: &Model, bench: &Bench, row: &Proposed, columns: &Columns) -> PaneLine {
    let theme = &model.theme;
    let proposal = &row.proposal;
    let kind = format!("{}{}", proposal.field_type.as_str(), if proposal.list { "[]" } else { "" });
    let (filled, holds) = match (&proposal.evidence, bench.in_scope) {
        (Some(evidence), Some(in_scope)) => {
            (text::percent(evidence.filled, in_scope), format!("{} of {}", evidence.holds, bench.literals))
        }
        _ => (String::new(), String::new()),
    };
    let role = match () {
        () if proposal.rejected.is_some() => Role::TextDim,
        () if proposal.shown.starts_with("raw") => Role::StatusFallback,
        () => Role::Text,
    };
    let (effect_role, effect) = effect(row);
    columns.line([
        piece(theme, role, &proposal.target),
        piece(theme, effect_role, &effect),
        piece(theme, role, &filled),
        piece(theme, role, &holds),
        piece(theme, Role::TextDim, &kind),
    ])
}

fn effect(row: &Proposed) -> (Role, String) {
    if row.in_use {
        return (Role::Text, "in use".to_owned());
    }
    if let Some(why) = row.proposal.rejected {
        return (Role::TextDim, why.as_str().to_owned());
    }
    let Some(effect) = &row.effect else { return (Role::TextDim, String::new()) };
    let matching = row.matching.map_or(String::new(), |(rules, _)| format!(" · {rules} match"));
    (Role::Text, format!("{effect}{matching}"))
}

/// Samples of the proposal under the cursor, and what came of the last try or write.
fn details(model: &Model, open: &Proposals, width: usize) -> Vec<PaneLine> {
    let theme = &model.theme;
    let mut lines = Vec::new();
    let evidence = open.selected().and_then(|row| row.proposal.evidence.as_ref());
    for sample in evidence.iter().flat_map(|evidence| &evidence.samples) {
        let times = text::pad_left(&text::count(sample.events), 9);
        let value = text::fit(&sample.value, width.saturating_sub(13));
        lines.push(vec![
            piece(theme, Role::TextDim, &format!("{times} × ")),
            piece(theme, Role::Text, &value),
        ]);
    }
    lines.push(Vec::new());
    let said = match &open.said {
        Some(Said::Done(said)) => Some((Role::Text, said)),
        Some(Said::Failed(said)) => Some((Role::Error, said)),
        None => None,
    };
    if let Some((role, said)) = said {
        lines.extend(text::wrap(said, width).into_iter().map(|line| vec![piece(theme, role, &line)]));
    }
    lines
}

/// Proposals, and how many are shown at once.
pub(super) fn extent(model: &Model, open: &Proposals) -> (usize, usize) {
    let Answer::Ready(bench) = &open.answer else { return (0, 0) };
    let body = popup::inner(place(screen(model), open));
    (bench.proposals.len(), window(body, open, bench).1)
}

/// The proposal at a row of the screen.
pub(super) fn line_at(model: &Model, open: &Proposals, row: u16) -> Option<usize> {
    let Answer::Ready(bench) = &open.answer else { return None };
    let body = popup::inner(place(screen(model), open));
    let (first, shown) = window(body, open, bench);
    let at = usize::from(row.checked_sub(body.y + 1)?);
    (at < shown).then_some(first + at)
}

fn screen(model: &Model) -> Rect {
    Rect::new(0, 0, model.size.0, model.size.1)
}
