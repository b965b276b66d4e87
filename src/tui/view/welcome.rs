//! What is shown where nothing was opened: the demo, what was open before, and what to type.
//!
//! ```text
//!  ┌ Welcome ─────────────────────────────────────────────┐
//!  │ Sigma rules over OCSF events …                        │
//!  │                                                       │
//!  │ › The demo    rules and events of this program's own  │
//!  │                                                       │
//!  │ Recent                                                │
//!  │   rules       runs/7 · pack                           │
//!  │                                                       │
//!  │ To open your own, leave and type                      │
//!  │   sigma-ocsf-tui RULES --parquet EVENTS               │
//!  └──────────────────────────────────────────────────────┘
//! ```

use std::path::Path;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::paint::{self, PaneLine, piece};
use super::popup;
use crate::pack::PackSource;
use crate::tui::model::{Model, Welcome};
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::workspace::Workspace;

/// Columns of the whole.
const WIDTH: u16 = 84;

/// Columns of what is chosen by.
const NAMES: usize = 24;

/// A line, and which choice it stands for.
type Choice = (PaneLine, Option<usize>);

pub(super) fn draw(buffer: &mut Buffer, screen: Rect, model: &Model, open: &Welcome) {
    let theme = &model.theme;
    let above = Rect { height: screen.height.saturating_sub(1), ..screen };
    Clear.render(above, buffer);
    buffer.set_style(above, theme.style(Role::Text));
    let (area, lines) = laid_out(above, model, open);
    popup::draw(buffer, area, model, &vec![piece(theme, Role::PaneTitleFocused, "Welcome")]);
    let body = popup::inner(area);
    let first = first(&lines, open, body);
    for (row, (line, choice)) in lines.iter().skip(first).take(usize::from(body.height)).enumerate() {
        paint::line(buffer, body, row, line, 0);
        if *choice == Some(open.cursor) {
            paint::select(buffer, body, row, theme.style(Role::Selection));
            paint::line(buffer, body, row, &[("›".to_owned(), theme.style(Role::Selection))], 0);
        }
    }
}

fn laid_out(above: Rect, model: &Model, open: &Welcome) -> (Rect, Vec<Choice>) {
    let width = usize::from(WIDTH.min(above.width)).saturating_sub(4);
    let lines = lines(model, open, width);
    (popup::place(above, WIDTH, lines.len()), lines)
}

/// The first line that is shown, so that the cursor's is.
fn first(lines: &[Choice], open: &Welcome, body: Rect) -> usize {
    let cursor = lines.iter().position(|(_, choice)| *choice == Some(open.cursor)).unwrap_or(0);
    (cursor + 1).saturating_sub(usize::from(body.height).max(1))
}

fn lines(model: &Model, open: &Welcome, width: usize) -> Vec<Choice> {
    let theme = &model.theme;
    let said = |role, said: &str| {
        let wrapped = text::wrap(said, width).into_iter();
        wrapped.map(|line| (vec![piece(theme, role, &line)], None)).collect::<Vec<Choice>>()
    };
    let heading = |word: &str| (vec![piece(theme, Role::TableHeader, word)], None);
    let blank = || (PaneLine::new(), None);
    let mut lines = said(
        Role::Text,
        "Sigma rules over OCSF events in Parquet: a rule, its route and aliases, its SQL and its matches, side by side.",
    );
    lines.push(blank());
    let demo = "rules, events and a pack to try things on";
    lines.push(choice(model, 0, "The demo", demo, width));
    lines.push(blank());
    if !open.recent.is_empty() {
        lines.push(heading("Opened before"));
        lines.extend(
            open.recent
                .iter()
                .enumerate()
                .map(|(at, workspace)| choice(model, at + 1, &rules(workspace), &rest(workspace), width)),
        );
        lines.push(blank());
    }
    lines.push(heading("To open your own, leave with q and type"));
    let command = |arguments: &str, meaning: &str| {
        let typed = format!("  sigma-ocsf-tui {arguments}");
        (vec![piece(theme, Role::Key, &typed), piece(theme, Role::TextDim, &format!("  {meaning}"))], None)
    };
    lines.push(command("RULES", "to compile"));
    lines.push(command("RULES --parquet EVENTS", "and to run"));
    lines.push(command("RULES --parquet EVENTS --pack PACK", "by your own pack"));
    lines.push(blank());
    lines.extend(said(
        Role::TextDim,
        "RULES: a .yml file, or a folder of them. EVENTS: a run folder, a folder of Parquet files, or one such file. \
         PACK: a folder, or the id of a shipped pack.",
    ));
    lines
}

fn choice(model: &Model, at: usize, name: &str, meaning: &str, width: usize) -> Choice {
    let theme = &model.theme;
    let names = NAMES.min(width / 2);
    let room = width.saturating_sub(names + 3);
    let line = vec![
        piece(theme, Role::Text, "  "),
        (text::pad(name, names), theme.style(Role::Text)),
        (format!(" {}", text::fit(meaning, room)), theme.style(Role::TextDim)),
    ];
    (line, Some(at))
}

fn rules(workspace: &Workspace) -> String {
    match workspace.rules.as_slice() {
        [] => "no rules".to_owned(),
        [one] => shown(one),
        [one, more @ ..] => format!("{} and {} more", shown(one), more.len()),
    }
}

fn rest(workspace: &Workspace) -> String {
    let events = workspace.dataset.as_deref().map(shown);
    let pack = workspace.pack.as_ref().map(|pack| match pack {
        PackSource::Embedded(id) => id.clone(),
        other => shown(&other.root()),
    });
    [events, pack].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The last two steps of a path, which tell it from others best.
fn shown(path: &Path) -> String {
    let steps: Vec<_> = path.components().map(|step| step.as_os_str().to_string_lossy()).collect();
    match steps.as_slice() {
        [.., above, last] if steps.len() > 2 => format!("…/{above}/{last}"),
        _ => path.display().to_string(),
    }
}

/// Choices that there are, and how many are shown at once.
pub(super) fn extent(open: &Welcome) -> (usize, usize) {
    (open.len(), open.len())
}

/// The choice at a row of the screen.
pub(super) fn line_at(model: &Model, open: &Welcome, row: u16) -> Option<usize> {
    let screen = Rect::new(0, 0, model.size.0, model.size.1.saturating_sub(1));
    let (area, lines) = laid_out(screen, model, open);
    let body = popup::inner(area);
    let at = row.checked_sub(body.y).filter(|at| *at < body.height)?;
    lines.get(first(&lines, open, body) + usize::from(at))?.1
}
