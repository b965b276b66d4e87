//! What has changed since the baseline, over the panes: routes and aliases, then rules.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{self, PaneLine, piece};
use super::{popup, symbols};
use crate::authoring::{RuleChange, RuleDiff, Statement};
use crate::bridge::ReasonCode;
use crate::tui::model::{ChangesView, Drift, Model, Offset};
use crate::tui::text;
use crate::tui::theme::Role;

/// Columns of the whole.
const WIDTH: u16 = 132;

/// Columns of what became of a rule.
const CHANGE: usize = 26;

pub(super) fn draw(buffer: &mut Buffer, screen: Rect, model: &Model, open: &ChangesView) {
    let lines = lines(model, open);
    let area = popup::place(screen, WIDTH, lines.len().max(1));
    popup::draw(buffer, area, model, &title(model, open));
    let body = popup::inner(area);
    if lines.is_empty() {
        let said = "nothing has changed since the baseline";
        paint::line(buffer, body, 0, &[piece(&model.theme, Role::TextDim, said)], 0);
        return;
    }
    let first = first(open, usize::from(body.height));
    paint::scrolled(buffer, body, &model.theme, &lines, Offset { row: first, column: 0 });
    let row = open.cursor.saturating_sub(first);
    paint::select(buffer, body, row, model.theme.style(Role::Selection));
    paint::line(
        buffer,
        body,
        row,
        &[(symbols::CURSOR.glyph.to_owned(), model.theme.style(Role::Selection))],
        0,
    );
}

fn first(open: &ChangesView, height: usize) -> usize {
    (open.cursor + 1).saturating_sub(height.max(1))
}

fn title(model: &Model, open: &ChangesView) -> PaneLine {
    let theme = &model.theme;
    let (packs, rules) = (&open.changes.packs, open.changes.rules.len());
    let said = format!(
        " · routes {} · aliases {} · rules {}{}",
        packs.routes.len(),
        packs.aliases.len(),
        text::count(rules as u64),
        drift(model.list.drift)
    );
    vec![piece(theme, Role::PaneTitleFocused, "Since the baseline"), piece(theme, Role::TextDim, &said)]
}

/// How totals have moved: ` · executable +14 · matched +2`.
pub(super) fn drift(drift: Drift) -> String {
    let moved = [("executable", drift.executable), ("matched", drift.matched)];
    let moved = moved.into_iter().filter(|(_, by)| *by != 0);
    moved.map(|(word, by)| format!(" · {word} {}", signed(by))).collect()
}

pub(super) fn signed(by: i64) -> String {
    let sign = if by < 0 { "−" } else { "+" };
    format!("{sign}{}", text::count(by.unsigned_abs()))
}

fn lines(model: &Model, open: &ChangesView) -> Vec<PaneLine> {
    let packs = &open.changes.packs;
    let statements = packs.routes.iter().chain(&packs.aliases).map(|one| statement(model, one));
    statements.chain(open.changes.rules.iter().map(|rule| of_rule(model, rule))).collect()
}

fn statement(model: &Model, statement: &Statement) -> PaneLine {
    let theme = &model.theme;
    let (role, word, text) = match (&statement.before, &statement.after) {
        (None, Some(after)) => (Role::StatusMatched, "+ pack", after.clone()),
        (Some(before), None) => (Role::StatusRefused, "− pack", before.clone()),
        (before, after) => {
            let text = [before, after].map(|text| text.clone().unwrap_or_default()).join(" → ");
            (Role::Text, "other in pack", text)
        }
    };
    vec![
        (format!("  {}", text::pad(word, CHANGE)), theme.style(role)),
        piece(theme, Role::Text, &statement.key),
        piece(theme, Role::TextDim, &format!("  {text}")),
    ]
}

fn of_rule(model: &Model, rule: &RuleDiff) -> PaneLine {
    let theme = &model.theme;
    let (role, word) = in_words(rule);
    let count = |matches: Option<u64>| matches.map_or("–".to_owned(), text::count);
    let matches = match (rule.matches_before, rule.matches_after) {
        (None, None) => String::new(),
        (before, after) => format!("  matches {} → {}", count(before), count(after)),
    };
    vec![
        (format!("  {}", text::pad(&word, CHANGE)), theme.style(role)),
        piece(theme, Role::Text, &rule.title),
        piece(theme, Role::TextDim, &matches),
    ]
}

fn in_words(rule: &RuleDiff) -> (Role, String) {
    let code = |reason: &Option<ReasonCode>| reason.map_or("refused", ReasonCode::as_str).to_owned();
    match &rule.change {
        Some(RuleChange::Added) => (Role::Text, "new rule".to_owned()),
        Some(RuleChange::Removed) => (Role::TextDim, "gone".to_owned()),
        Some(RuleChange::NewlyExecutable { fallback_used: false }) => {
            (Role::StatusMatched, "+ executable".to_owned())
        }
        Some(RuleChange::NewlyExecutable { fallback_used: true }) => {
            (Role::StatusFallback, "+ executable (fallback)".to_owned())
        }
        Some(RuleChange::NewlyRefused { reason }) => (Role::StatusRefused, format!("− {}", code(reason))),
        Some(RuleChange::OtherReason { after, .. }) => (Role::StatusRefused, format!("now {}", code(after))),
        Some(RuleChange::OtherSql { .. }) => (Role::Text, "other SQL".to_owned()),
        None => (Role::Text, "other matches".to_owned()),
    }
}

/// Lines, and how many are shown at once.
pub(super) fn extent(model: &Model, open: &ChangesView) -> (usize, usize) {
    let lines = lines(model, open).len();
    (lines, usize::from(body(model, lines).height))
}

/// The line at a row of the screen.
pub(super) fn line_at(model: &Model, open: &ChangesView, row: u16) -> Option<usize> {
    let lines = lines(model, open).len();
    let body = body(model, lines);
    let at = first(open, usize::from(body.height)) + usize::from(row.checked_sub(body.y)?);
    (at < lines && row < body.bottom()).then_some(at)
}

fn body(model: &Model, lines: usize) -> Rect {
    popup::inner(popup::place(Rect::new(0, 0, model.size.0, model.size.1), WIDTH, lines.max(1)))
}
