//! The bottom line: totals, what is under way or went wrong, and the keys that matter now.
//!
//! ```text
//!  3,780 rules · 2,911 executable · 869 refused · 41 fallback · 212 matched   counting 120/2,911   / filter  ? help
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::changes;
use super::paint::{self, PaneLine, piece};
use crate::tui::command;
use crate::tui::model::Model;
use crate::tui::text;
use crate::tui::theme::Role;

/// Columns that a notice leaves: for the way to the help.
const NOTICE_LEAVES: usize = 12;

pub(super) fn draw(buffer: &mut Buffer, area: Rect, model: &Model) {
    let keys = hints(model);
    let width = usize::from(area.width);
    let totals = if model.opened.is_empty() { PaneLine::new() } else { totals(model) };
    let left = match state(model, width) {
        Some(state) => {
            let gap = piece(&model.theme, Role::TextDim, "   ");
            let whole = [vec![state.clone(), gap], totals].concat();
            if paint::width(&whole) < width { whole } else { vec![state] }
        }
        None => totals,
    };
    paint::line(buffer, area, 0, &[vec![piece(&model.theme, Role::Text, " ")], left.clone()].concat(), 0);
    let room = usize::from(area.width).saturating_sub(paint::width(&left) + 3);
    if let Some(keys) = shortened(keys, room) {
        paint::right(buffer, area, 0, &keys);
    }
}

fn totals(model: &Model) -> PaneLine {
    let theme = &model.theme;
    let totals = model.list.totals;
    let figures = [
        (model.rules.len() as u64, if model.rules.len() == 1 { "rule" } else { "rules" }, Role::Text),
        (totals.executable, "executable", Role::Text),
        (totals.refused, "refused", Role::StatusRefused),
        (totals.fallback, "fallback", Role::StatusFallback),
        (totals.matched, "matched", Role::StatusMatched),
    ];
    let mut line = PaneLine::new();
    let told = figures.into_iter().filter(|(number, word, _)| *number > 0 || *word != "fallback");
    for (at, (number, word, role)) in told.enumerate() {
        if at > 0 {
            line.push(piece(theme, Role::TextDim, " · "));
        }
        let role = if number == 0 { Role::TextDim } else { role };
        line.push(piece(theme, role, &text::count(number)));
        line.push(piece(theme, Role::TextDim, &format!(" {word}")));
    }
    let drift = changes::drift(model.list.drift);
    if !drift.is_empty() {
        line.push(piece(
            theme,
            Role::TextDim,
            &format!(" · since baseline:{}", drift.trim_start_matches(" ·")),
        ));
    }
    line
}

/// What is under way, or wrong; the gravest first.
fn state(model: &Model, width: usize) -> Option<text::Piece> {
    let theme = &model.theme;
    if model.work.mentioned && model.work.is_under_way() {
        return Some(piece(theme, Role::Key, &under_way(model)));
    }
    if model.pack.is_stale() {
        return Some(piece(theme, Role::Error, "✗ pack does not load: stale"));
    }
    if !model.pack.errors.is_empty() {
        return Some(piece(theme, Role::Error, "✗ pack does not load"));
    }
    if let Some(folder) = model.gone.first() {
        let said = format!("✗ rules stale: {} is gone", folder.display());
        return Some(piece(theme, Role::Error, &text::fit(&said, 48)));
    }
    if let Some(error) = &model.dataset.error {
        let word = if model.dataset.info.is_some() { "✗ dataset stale: " } else { "✗ dataset: " };
        return Some(piece(theme, Role::Error, &text::fit(&format!("{word}{error}"), 48)));
    }
    let notice = model.notices.last()?;
    Some(piece(theme, Role::DiagnosticWarning, &text::fit(notice, width.saturating_sub(NOTICE_LEAVES))))
}

fn under_way(model: &Model) -> String {
    let work = &model.work;
    if work.compiling {
        return "compiling …".to_owned();
    }
    if work.opening {
        return "opening the dataset …".to_owned();
    }
    match work.running {
        Some((done, of)) => format!("counting {}/{} …", text::count(done as u64), text::count(of as u64)),
        None => "looking for matches …".to_owned(),
    }
}

fn hints(model: &Model) -> Vec<PaneLine> {
    let theme = &model.theme;
    let hint = |(key, word): (crate::tui::key::Key, &str)| {
        vec![
            piece(theme, Role::Key, &key.to_string()),
            piece(theme, Role::TextDim, &format!(" {word} ")),
            piece(theme, Role::Text, " "),
        ]
    };
    command::hints(model).map(hint).collect()
}

/// As many hints as there is room for, the last ones first: help and the way out matter most.
fn shortened(hints: Vec<PaneLine>, room: usize) -> Option<PaneLine> {
    let fits = |from: &usize| hints.iter().skip(*from).map(|h| paint::width(h)).sum::<usize>() <= room;
    let from = (0..hints.len()).find(fits)?;
    Some(hints.into_iter().skip(from).flatten().collect())
}
