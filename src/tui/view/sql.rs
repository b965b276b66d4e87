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

use std::borrow::Cow;
use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation;

use super::findings::findings;
use super::link::{About, link};
use super::paint::{self, PaneLine, Ranked, piece};
use super::spark;
use crate::backend::Sql;
use crate::bridge::Severity;
use crate::tui::highlight::Language;
use crate::tui::model::{LongLines, Model, Offset, Pane, RuleEntry};
use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// Columns that the rest of a long line stands further in.
const INDENT: usize = 4;

pub(super) fn title(model: &Model) -> Vec<Ranked> {
    let theme = &model.theme;
    let Some(entry) = model.entry() else { return Vec::new() };
    if let Some(statement) = &model.spark.statement {
        spark_title(model, statement.reason().map(|reason| reason.as_str()))
    } else if entry.is_executable() {
        let mut title = vec![(0, piece(theme, Role::TextDim, "duckdb_sql"))];
        title.extend(model.agreement(entry).map(|agreement| (1, spark::told(theme, agreement))));
        title
    } else if entry.last_good.is_some() {
        vec![(0, piece(theme, Role::Error, "stale: last good"))]
    } else {
        vec![(0, piece(theme, Role::TextDim, "not compiled"))]
    }
}

pub(super) fn draw(buffer: &mut Buffer, body: Rect, model: &Model) {
    let (width, height) = (usize::from(body.width), usize::from(body.height));
    let offset = model.offset(Pane::Sql);
    let rows = rows(model, width);
    let first = offset.row.min(rows.len().saturating_sub(height));
    let shown = drawn(model, width, rows.get(first..rows.len().min(first + height)).unwrap_or_default());
    paint::scrolled(buffer, body, &model.theme, &shown, Offset { row: 0, ..offset });
    for (at, _) in rows.iter().enumerate().filter(|(_, row)| row.line == model.sql_cursor) {
        paint::cursor(buffer, body, model, Pane::Sql, at);
    }
}

/// The rows of the pane that show a line.
pub(crate) fn rows_of_sql(model: &Model, body: Rect, line: usize) -> Range<usize> {
    let rows = rows(model, usize::from(body.width));
    let first = rows.iter().position(|row| row.line == line).unwrap_or(0);
    first..first + rows.iter().filter(|row| row.line == line).count().max(1)
}

/// The line that a row of the pane shows; of one below all, the last.
pub(crate) fn sql_at_row(model: &Model, body: Rect, row: usize) -> usize {
    let rows = rows(model, usize::from(body.width));
    rows.get(row).or(rows.last()).map_or(0, |row| row.line)
}

fn spark_title(model: &Model, refused: Option<&str>) -> Vec<Ranked> {
    let theme = &model.theme;
    let mut title = vec![(0, piece(theme, Role::TextDim, "spark_sql"))];
    let agreement = model.entry().and_then(|entry| model.agreement(entry));
    match (refused, agreement) {
        (Some(reason), _) => {
            title.push((0, piece(theme, Role::StatusRefused, &format!("  refused: {reason}"))))
        }
        (None, Some(agreement)) => title.push((1, spark::told(theme, agreement))),
        (None, None) => {}
    }
    title
}

fn sql(model: &Model) -> Option<&Sql> {
    if let Some(statement) = &model.spark.statement {
        return statement.sql();
    }
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

/// Rows that there are to scroll through.
pub(super) fn row_count(model: &Model, width: usize) -> usize {
    rows(model, width).len()
}

/// All rows.
pub(super) fn lines(model: &Model, width: usize) -> Vec<PaneLine> {
    drawn(model, width, &rows(model, width))
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

/// A row of the pane: which line it shows, from and to which of the line's columns, and how far in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    line: usize,
    columns: Range<usize>,
    indent: usize,
}

impl Row {
    fn whole(line: usize) -> Self {
        Self { line, columns: 0..usize::MAX, indent: 0 }
    }

    fn of(&self, pieces: &PaneLine) -> PaneLine {
        let part = text::window(pieces, self.columns.start, self.columns.len()).into_iter();
        let part = part.map(|span| (span.content.into_owned(), span.style));
        std::iter::once((" ".repeat(self.indent), Style::new())).chain(part).collect()
    }
}

fn rows(model: &Model, width: usize) -> Vec<Row> {
    match (sql(model), model.entry()) {
        (Some(sql), _) => {
            let lines = sql.text.lines().enumerate();
            match model.panes.long_lines {
                LongLines::Wrapped => lines
                    .flat_map(|(at, line)| wrapped(at, &plain_text(line), width.saturating_sub(1)))
                    .collect(),
                LongLines::Scrolled => lines.map(|(at, _)| Row::whole(at)).collect(),
            }
        }
        (None, Some(entry)) => (0..reasons(model, entry, width).len()).map(Row::whole).collect(),
        (None, None) => Vec::new(),
    }
}

/// A line as it is shown.
fn plain_text(line: &str) -> Cow<'_, str> {
    text::sanitize(text::clip(line, text::LINE_LIMIT))
}

/// These rows. A statement may have many more than are shown.
fn drawn(model: &Model, width: usize, rows: &[Row]) -> Vec<PaneLine> {
    let Some(entry) = model.entry() else { return Vec::new() };
    let Some(sql) = sql(model) else {
        let first = rows.first().map_or(0, |row| row.line);
        return reasons(model, entry, width).into_iter().skip(first).take(rows.len()).collect();
    };
    let theme = &model.theme;
    let stale = entry.last_good.is_some();
    let highlighted = model.highlights.get(Language::Sql, &sql.text);
    let link = link(model);
    let first = rows.first().map_or(0, |row| row.line);
    let mut lines = sql.text.lines().enumerate().skip(first);
    let mut drawn = Vec::with_capacity(rows.len());
    for of_line in rows.chunk_by(|one, next| one.line == next.line) {
        let Some((index, line)) = lines.next() else { break };
        let marked = link.has(&about_line(sql, index)) && !stale;
        let role = if stale { Role::Stale } else { Role::Linked };
        let pieces = match stale || marked {
            true => in_role(theme, line, role),
            false => paint::highlighted(theme, line, highlighted.and_then(|h| h.lines.get(index))),
        };
        drawn.extend(of_line.iter().map(|row| {
            let mut part = row.of(&pieces);
            part.insert(0, paint::link_mark(theme, marked));
            part
        }));
    }
    drawn
}

/// A line in one role, but for the blanks before it.
fn in_role(theme: &Theme, line: &str, role: Role) -> PaneLine {
    let text: String = paint::highlighted(theme, line, None).into_iter().map(|(text, _)| text).collect();
    let (blanks, rest) = text.split_at(text.len() - text.trim_start().len());
    vec![(blanks.to_owned(), theme.style(Role::Text)), (rest.to_owned(), theme.style(role))]
}

/// A line in rows of at most `width` columns, those below the first one further in.
fn wrapped(line: usize, text: &str, width: usize) -> Vec<Row> {
    let start = text.len() - text.trim_start().len();
    let indent = (start + INDENT).min(width / 2);
    let mut from = 0;
    let row = |to: usize| {
        let indent = if from == 0 { 0 } else { indent };
        let columns = from..to;
        from = to;
        Row { line, columns, indent }
    };
    breaks(text, width, width.saturating_sub(indent)).into_iter().map(row).collect()
}

/// The columns at which rows end, the first of `first` columns and the others of `rest`: behind blanks, commas and open
/// brackets that are no part of a literal, where there are any.
fn breaks(text: &str, first: usize, rest: usize) -> Vec<usize> {
    let whole = text::width(text);
    if whole <= first {
        return vec![whole];
    }
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
    let refusals = model.spark.statement.as_ref().and_then(|statement| statement.sql.as_ref().err());
    for refusal in refusals.into_iter().flatten() {
        for said in text::wrap(&refusal.message, width.saturating_sub(2)) {
            lines.push(vec![piece(theme, Role::Text, &format!(" {said}"))]);
        }
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
        let pieces = vec![(text.to_owned(), Style::new())];
        let rows = wrapped(0, text, width).into_iter();
        rows.map(|row| row.of(&pieces).into_iter().map(|(part, _)| part).collect()).collect()
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
