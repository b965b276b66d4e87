//! The SQL of the selected rule, or why there is none.
//!
//! ```text
//!  4 SQL  duckdb_sql
//!    WHERE "class_uid" = 1007
//!      -- selection_img
//!  ▌   AND ends_with(lower("process.file.path"),
//!  ▌       '\certutil.exe')
//! ```
//!
//! Long lines go on below, further in; or, where the user would rather scroll, to the right.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;

use super::findings::findings;
use super::link::{About, link};
use super::paint::{self, PaneLine, Ranked, piece};
use crate::backend::Sql;
use crate::bridge::Severity;
use crate::tui::highlight::Language;
use crate::tui::model::{LongLines, Model, Pane, RuleEntry};
use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// Columns that the rest of a long line stands further in.
const INDENT: usize = 4;

pub(super) fn title(model: &Model) -> Vec<Ranked> {
    let theme = &model.theme;
    let Some(entry) = model.entry() else { return Vec::new() };
    if entry.is_executable() {
        vec![(0, piece(theme, Role::TextDim, "duckdb_sql"))]
    } else if entry.last_good.is_some() {
        vec![(0, piece(theme, Role::Error, "stale: last good"))]
    } else {
        vec![(0, piece(theme, Role::TextDim, "not compiled"))]
    }
}

pub(super) fn draw(buffer: &mut Buffer, body: Rect, model: &Model) {
    let rows = rows(model, usize::from(body.width));
    let lines: Vec<PaneLine> = rows.iter().map(|(_, line)| line.clone()).collect();
    paint::scrolled(buffer, body, &model.theme, &lines, model.offset(Pane::Sql));
    let at_cursor = rows.iter().enumerate().filter(|(_, (line, _))| *line == model.sql_cursor);
    for (row, _) in at_cursor {
        paint::cursor(buffer, body, model, Pane::Sql, row);
    }
}

/// The rows of the pane that show a line.
pub(crate) fn rows_of_sql(model: &Model, body: Rect, line: usize) -> Range<usize> {
    let rows = rows(model, usize::from(body.width));
    let of_line = |(at, _): &(usize, PaneLine)| *at == line;
    let first = rows.iter().position(of_line).unwrap_or(0);
    first..first + rows.iter().filter(|row| of_line(row)).count().max(1)
}

/// The line that a row of the pane shows; of one below all, the last.
pub(crate) fn sql_at_row(model: &Model, body: Rect, row: usize) -> usize {
    let rows = rows(model, usize::from(body.width));
    rows.get(row).or(rows.last()).map_or(0, |(line, _)| *line)
}

fn sql(model: &Model) -> Option<&Sql> {
    let entry = model.entry()?;
    entry.last_good.as_ref().or(entry.compiled.as_ref())?.sql.as_ref()
}

/// What a line is about.
pub(super) fn about(model: &Model, line: usize) -> About {
    sql(model).map_or(About::Nothing, |sql| about_line(sql, line))
}

fn about_line(sql: &Sql, line: usize) -> About {
    match sql.lines.get(line).copied().flatten() {
        Some(span) => About::Parts(vec![span]),
        None if scope_lines(sql).contains(&line) => About::Scope,
        None => About::Nothing,
    }
}

/// The lines that say where the rule looks: those after SELECT and FROM.
fn scope_lines(sql: &Sql) -> Range<usize> {
    const HEAD: usize = 2;
    HEAD..HEAD + sql.scope.lines().count()
}

/// The first line about something that is wanted.
pub(super) fn first_in(model: &Model, is_wanted: impl Fn(&About) -> bool) -> Option<usize> {
    let sql = sql(model)?;
    (0..sql.lines.len()).find(|line| is_wanted(&about_line(sql, *line)))
}

pub(super) fn lines(model: &Model, width: usize) -> Vec<PaneLine> {
    rows(model, width).into_iter().map(|(_, line)| line).collect()
}

/// Each row, and the line that it shows.
fn rows(model: &Model, width: usize) -> Vec<(usize, PaneLine)> {
    let Some(entry) = model.entry() else { return Vec::new() };
    let Some(sql) = sql(model) else { return reasons(model, entry, width).into_iter().enumerate().collect() };
    let theme = &model.theme;
    let stale = entry.last_good.is_some();
    let highlighted = model.highlights.get(Language::Sql, &sql.text);
    let link = link(model);
    let mut rows = Vec::new();
    for (index, line) in sql.text.lines().enumerate() {
        let roles = highlighted.and_then(|h| h.lines.get(index));
        let marked = link.has(&about_line(sql, index)) && !stale;
        let role = if stale { Role::Stale } else { Role::Linked };
        let pieces = match stale || marked {
            true => in_role(theme, line, role),
            false => paint::highlighted(theme, line, roles),
        };
        let parts = match model.panes.long_lines {
            LongLines::Wrapped => wrapped(pieces, width.saturating_sub(1)),
            LongLines::Scrolled => vec![pieces],
        };
        rows.extend(parts.into_iter().map(|mut part| {
            part.insert(0, paint::link_mark(theme, marked));
            (index, part)
        }));
    }
    rows
}

/// A line in one role, but for the blanks before it.
fn in_role(theme: &Theme, line: &str, role: Role) -> PaneLine {
    let text: String = paint::highlighted(theme, line, None).into_iter().map(|(text, _)| text).collect();
    let (blanks, rest) = text.split_at(text.len() - text.trim_start().len());
    vec![(blanks.to_owned(), theme.style(Role::Text)), (rest.to_owned(), theme.style(role))]
}

/// A line in rows of at most `width` columns, those below the first one further in.
fn wrapped(pieces: PaneLine, width: usize) -> Vec<PaneLine> {
    let text: String = pieces.iter().map(|(part, _)| part.as_str()).collect();
    let start = text.len() - text.trim_start().len();
    let indent = (start + INDENT).min(width / 2);
    let mut rows = Vec::new();
    let mut from = 0;
    for to in breaks(&text, width, width.saturating_sub(indent)) {
        let lead = if from == 0 { 0 } else { indent };
        let part = text::window(&pieces, from, to - from).into_iter();
        let part = part.map(|span| (span.content.into_owned(), span.style));
        rows.push(std::iter::once((" ".repeat(lead), Style::new())).chain(part).collect());
        from = to;
    }
    rows
}

/// The columns at which rows end, the first of `first` columns and the others of `rest`: behind blanks, commas and open
/// brackets that are no part of a literal, where there are any.
fn breaks(text: &str, first: usize, rest: usize) -> Vec<usize> {
    let mut ends = Vec::new();
    let (mut from, mut column, mut good, mut quoted) = (0, 0, 0, false);
    let mut blank = true;
    for grapheme in text.graphemes(true) {
        let next = column + text::width(grapheme);
        let room = |rows: usize| if rows == 0 { first } else { rest };
        while next - from > room(ends.len()) && column > from {
            from = if good > from { good } else { column };
            ends.push(from);
        }
        quoted ^= grapheme == "'";
        // Blanks before the first word are no place to break.
        blank &= grapheme == " ";
        if !quoted && !blank && matches!(grapheme, " " | "," | "(") {
            good = next;
        }
        column = next;
    }
    ends.push(column);
    ends
}

/// What stands in the way, one line of the rule after the other.
fn reasons(model: &Model, entry: &RuleEntry, width: usize) -> Vec<PaneLine> {
    let theme = &model.theme;
    let mut lines = Vec::new();
    if entry.compiled.is_none() {
        let said = if model.work.compiling { " compiling …" } else { " no pack to compile with" };
        lines.push(vec![piece(theme, Role::TextDim, said)]);
    }
    for finding in findings(entry).iter().filter(|f| f.severity == Severity::Error) {
        let place = format!(" line {:<4}", finding.span.start.line);
        let indent = text::width(&place);
        for (at, said) in text::wrap(finding.message, width.saturating_sub(indent + 1)).iter().enumerate() {
            let lead = if at == 0 { place.clone() } else { " ".repeat(indent) };
            lines.push(vec![piece(theme, Role::TextDim, &lead), piece(theme, Role::Text, said)]);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, width: usize) -> Vec<String> {
        let rows = wrapped(vec![(text.to_owned(), Style::new())], width).into_iter();
        rows.map(|row| row.into_iter().map(|(part, _)| part).collect()).collect()
    }

    #[test]
    fn long_lines_go_on_below_and_literals_stay_whole() {
        let line = "  AND contains(lower(\"process.cmd_line\"), ' -f ')";
        assert_eq!(rows(line, 60), [line]);
        let shown: Vec<String> = rows(line, 36).iter().map(|row| row.trim_end().to_owned()).collect();
        assert_eq!(shown, ["  AND contains(lower(", "      \"process.cmd_line\"), ' -f ')"]);
    }

    #[test]
    fn a_literal_longer_than_a_row_is_cut_where_it_has_to_be() {
        let shown = rows(&format!("x = '{}'", "漢".repeat(20)), 13);
        assert!(shown.iter().all(|row| text::width(row) <= 13), "{shown:#?}");
        assert_eq!(shown.concat().matches('漢').count(), 20);
        assert_eq!(rows("", 10), [""]);
    }
}
