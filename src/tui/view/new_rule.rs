//! The choice of a new rule, over the panes.
//!
//! ```text
//! ┌ New rule ────────────────────────────────────────────────┐
//! │ › for process_creation/windows                           │
//! │   from the match under the cursor                        │
//! │                                                          │
//! │ rules/new_rule_for_process_creation.yml▏                 │
//! │                                                          │
//! │ title: New Rule for process creation                     │
//! └──────────────────────────────────────────────────────────┘
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{self, PaneLine, piece};
use super::popup;
use crate::authoring::Template;
use crate::tui::model::{Model, NewRule};
use crate::tui::text;
use crate::tui::theme::Role;

/// Columns of the whole.
const WIDTH: u16 = 100;

/// Lines of the whole, so that it stays in its place whatever is drafted.
const LINES: usize = 28;

pub(super) fn draw(buffer: &mut Buffer, screen: Rect, model: &Model, open: &NewRule) {
    let theme = &model.theme;
    let area = popup::place(screen, WIDTH, LINES);
    popup::draw(buffer, area, model, &vec![piece(theme, Role::PaneTitleFocused, "New rule")]);
    let body = popup::inner(area);
    for (row, template) in Template::ALL.into_iter().enumerate() {
        let missing = matches!(open.drafts.get(row), Some(Some(Err(_))));
        let role = if missing { Role::TextDim } else { Role::Text };
        paint::line(buffer, body, row, &[piece(theme, role, &format!("  {}", label(model, template)))], 0);
    }
    paint::select(buffer, body, open.at, theme.style(Role::Selection));
    paint::line(buffer, body, open.at, &[("›".to_owned(), theme.style(Role::Selection))], 0);
    for (row, line) in lines(model, open, usize::from(body.width)).iter().enumerate() {
        paint::line(buffer, body, Template::ALL.len() + 1 + row, line, 0);
    }
}

fn label(model: &Model, template: Template) -> String {
    match template {
        Template::LogSource => {
            let compiled = model.entry().and_then(|entry| entry.compiled.as_ref());
            let scope = compiled.and_then(|compiled| compiled.compilation.routing.scope.as_ref());
            let logsource = scope.map_or("this log source", |scope| scope.logsource.as_str());
            format!("for {logsource}")
        }
        Template::Event => "from the match under the cursor".to_owned(),
        Template::Copy => "a copy of this rule".to_owned(),
        Template::Correlation => "a correlation that counts this rule".to_owned(),
        Template::Filter => "a filter that narrows this rule".to_owned(),
    }
}

/// The name, what is wrong with it, and the rule as it would be.
fn lines(model: &Model, open: &NewRule, width: usize) -> Vec<PaneLine> {
    let theme = &model.theme;
    let draft = match open.draft() {
        Some(Ok(draft)) => draft,
        Some(Err(why)) => return wrapped(model, Role::DiagnosticWarning, why, width),
        None => {
            let said = if open.wanted {
                "drafting …; it is written as soon as it is there"
            } else {
                "drafting …"
            };
            return vec![vec![piece(theme, Role::TextDim, said)]];
        }
    };
    let folder = open.rule.path.parent().map(|folder| format!("{}/", folder.display())).unwrap_or_default();
    let folder = text::fit_end(&folder, width / 2);
    let room = width.saturating_sub(text::width(&folder));
    let mut name = vec![piece(theme, Role::TextDim, &folder)];
    name.extend(paint::input(theme, &open.name, room));
    let mut lines = vec![name];
    if let Some(why) = &open.failed {
        lines.extend(wrapped(model, Role::Error, why, width));
    }
    lines.push(Vec::new());
    lines.extend(draft.text.lines().map(|line| vec![piece(theme, Role::TextDim, line)]));
    lines
}

fn wrapped(model: &Model, role: Role, said: &str, width: usize) -> Vec<PaneLine> {
    text::wrap(said, width).iter().map(|line| vec![piece(&model.theme, role, line)]).collect()
}

/// Templates, all of which are shown.
pub(super) fn extent() -> (usize, usize) {
    (Template::ALL.len(), Template::ALL.len())
}

/// The template at a row of the screen.
pub(super) fn line_at(model: &Model, row: u16) -> Option<usize> {
    let screen = Rect::new(0, 0, model.size.0, model.size.1);
    let body = popup::inner(popup::place(screen, WIDTH, LINES));
    let at = usize::from(row.checked_sub(body.y)?);
    (at < Template::ALL.len()).then_some(at)
}
