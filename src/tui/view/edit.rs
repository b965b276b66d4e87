//! A small edit in its place in a pane: the line that is typed, and beneath it what is edited and what came of it.
//!
//! ```text
//!  15         Image|endswith: \certutil▏.exe
//!     ↳ value · Enter tries it, Tab the next part
//! ```

use super::paint::{self, PaneLine, piece};
use crate::tui::model::{EditLine, EditOf, Model, Part, RuleEntry, RuleLine};
use crate::tui::text::{self, Piece};
use crate::tui::theme::Role;

/// The edited line of a rule: what is typed, between what stays.
pub(super) fn line(model: &Model, edit: &EditLine, line: &RuleLine, width: usize) -> PaneLine {
    let theme = &model.theme;
    let (before, behind) = line.around();
    let safe = text::sanitize(before);
    // A long start is cut, so that there is room to type.
    let start = match text::width(&safe) * 3 <= width * 2 {
        true => safe.into_owned(),
        false => text::fit_end(before, width / 3),
    };
    let room = width.saturating_sub(text::width(&start));
    let mut pieces = vec![(start, theme.style(Role::Text))];
    pieces.extend(paint::input(theme, &edit.input, room));
    pieces.push(piece(theme, Role::TextDim, text::clip(behind, text::LINE_LIMIT)));
    pieces
}

/// What is said beneath the line that is edited, or the unsaved one.
pub(super) fn notes(model: &Model, entry: &RuleEntry, number: u32, width: usize) -> Vec<Piece> {
    if let Some((edit, line)) = model.edited_line()
        && line.line == number
    {
        return said(model, edit, width);
    }
    match model.unsaved_line(entry) {
        Some((line, unsaved)) if line == number => effect(model, &unsaved.effect, width),
        _ => Vec::new(),
    }
}

/// What is edited, or what is wrong with it.
pub(super) fn said(model: &Model, edit: &EditLine, width: usize) -> Vec<Piece> {
    let (role, said) = match (&edit.failed, edit.trying) {
        (Some(why), _) => (Role::Error, why.clone()),
        (None, true) => (Role::TextDim, "trying …".to_owned()),
        (None, false) => {
            (Role::DiagnosticHelp, format!("{} · Enter tries it, Tab {}", part(edit), next(edit)))
        }
    };
    noted(model, role, &said, width)
}

/// What an unsaved edit does.
pub(super) fn effect(model: &Model, effect: &str, width: usize) -> Vec<Piece> {
    let said = format!("unsaved: {effect} · Ctrl-s writes, Esc drops");
    noted(model, Role::DiagnosticWarning, &said, width)
}

fn noted(model: &Model, role: Role, said: &str, width: usize) -> Vec<Piece> {
    let lines = text::wrap(said, width.saturating_sub(3)).into_iter().enumerate();
    let lead = |at| if at == 0 { "↳ " } else { "  " };
    lines.map(|(at, line)| piece(&model.theme, role, &format!("{}{line}", lead(at)))).collect()
}

fn part(edit: &EditLine) -> String {
    match &edit.of {
        EditOf::Rule(line) => match line.part() {
            Part::Token(token) if token.is_key => "key".to_owned(),
            Part::Token(_) => "value".to_owned(),
            Part::Line => "whole line".to_owned(),
        },
        EditOf::Alias { alias, .. } if alias.target.is_empty() => format!("new alias at {}", alias.scope),
        EditOf::Alias { alias, .. } => format!("alias at {}", alias.scope),
    }
}

fn next(edit: &EditLine) -> &'static str {
    match edit.of {
        EditOf::Rule(_) => "the next part",
        EditOf::Alias { .. } => "the next field",
    }
}
