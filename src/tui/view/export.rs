//! The question which file to write the matches to.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::paint::{self, PaneLine, piece};
use super::popup;
use crate::tui::model::{ExportPrompt, Model};
use crate::tui::text;
use crate::tui::theme::Role;

/// Columns of the whole.
const WIDTH: u16 = 78;

pub(super) fn draw(buffer: &mut Buffer, screen: Rect, model: &Model, prompt: &ExportPrompt) {
    let width = usize::from(WIDTH.min(screen.width)).saturating_sub(4);
    let lines = lines(model, prompt, width);
    let area = popup::place(screen, WIDTH, lines.len());
    let matches = model.table().map_or(0, |table| table.summary.matches);
    let word = match (windows(model), matches) {
        (false, 1) => "match",
        (false, _) => "matches",
        (true, 1) => "window",
        (true, _) => "windows",
    };
    let title = format!("Write {} {word} to a file", text::count(matches));
    popup::draw(buffer, area, model, &vec![piece(&model.theme, Role::PaneTitleFocused, &title)]);
    for (row, line) in lines.iter().enumerate() {
        paint::line(buffer, popup::inner(area), row, line, 0);
    }
}

/// Whether the matches are windows of a correlation.
fn windows(model: &Model) -> bool {
    model.table().is_some_and(|table| table.in_scope.is_none())
}

fn lines(model: &Model, prompt: &ExportPrompt, width: usize) -> Vec<PaneLine> {
    let theme = &model.theme;
    let formats = match windows(model) {
        false => [
            ".csv      the columns of this table",
            ".jsonl    whole events, one a line",
            ".parquet  whole events, a column for each path",
        ],
        true => [
            ".csv      a line a window: group, times, number and ids of its events",
            ".jsonl    the same, one document a line",
            ".parquet  the same, a column for each",
        ],
    };
    let mut lines = vec![paint::input(theme, &prompt.name, width), Vec::new()];
    lines.extend(formats.map(|said| vec![piece(theme, Role::TextDim, said)]));
    let said = match &prompt.failed {
        Some(error) => Some((Role::Error, error.as_str())),
        None if prompt.writing => Some((Role::TextDim, "writing …")),
        None => None,
    };
    if let Some((role, said)) = said {
        lines.push(Vec::new());
        lines.extend(text::wrap(said, width).iter().map(|line| vec![piece(theme, role, line)]));
    }
    lines
}
