//! The SQL of the selected rule, or why there is none.
//!
//! ```text
//!  4 SQL  duckdb_sql
//!    WHERE "class_uid" = 1007
//!      -- selection_img
//!  ▌   AND ends_with(lower("process.file.path"), '\certutil.exe')
//! ```

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::findings::findings;
use super::link::{About, Link, link};
use super::paint::{self, PaneLine, piece};
use super::symbols;
use crate::backend::Sql;
use crate::bridge::Severity;
use crate::tui::highlight::Language;
use crate::tui::model::{Model, Offset, Pane, RuleEntry};
use crate::tui::text;
use crate::tui::theme::Role;

pub(super) fn title(model: &Model) -> PaneLine {
    let theme = &model.theme;
    let Some(entry) = model.entry() else { return Vec::new() };
    if entry.is_executable() {
        vec![piece(theme, Role::TextDim, "duckdb_sql")]
    } else if entry.last_good.is_some() {
        vec![piece(theme, Role::Error, "stale: last good")]
    } else {
        vec![piece(theme, Role::TextDim, "not compiled")]
    }
}

pub(super) fn draw(buffer: &mut Buffer, body: Rect, model: &Model) {
    let (width, height) = (usize::from(body.width), usize::from(body.height));
    let offset = model.offset(Pane::Sql);
    let first = offset.row.min(row_count(model, width).saturating_sub(height));
    let shown = lines(model, width, first..first + height);
    paint::scrolled(buffer, body, &model.theme, &shown, Offset { row: 0, ..offset });
    paint::cursor(buffer, body, model, Pane::Sql, model.sql_cursor);
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

/// Lines that there are to scroll through.
pub(super) fn row_count(model: &Model, width: usize) -> usize {
    match (sql(model), model.entry()) {
        (Some(sql), _) => sql.text.lines().count(),
        (None, Some(entry)) => reasons(model, entry, width).len(),
        (None, None) => 0,
    }
}

/// The lines that say where the rule looks: those after SELECT and FROM.
fn scope_lines(sql: &Sql) -> Range<usize> {
    const HEAD: usize = 2;
    HEAD..HEAD + sql.scope.lines().count()
}

/// The first line that belongs to `link`.
pub(super) fn first_in(model: &Model, link: &Link) -> Option<usize> {
    let sql = sql(model)?;
    (0..sql.lines.len()).find(|line| link.has(&about_line(sql, *line)))
}

/// Those of `wanted`: a statement may have many more than are shown.
pub(super) fn lines(model: &Model, width: usize, wanted: Range<usize>) -> Vec<PaneLine> {
    let Some(entry) = model.entry() else { return Vec::new() };
    match sql(model) {
        Some(sql) => sql_lines(model, sql, entry.last_good.is_some(), wanted),
        None => reasons(model, entry, width).into_iter().skip(wanted.start).take(wanted.len()).collect(),
    }
}

fn sql_lines(model: &Model, sql: &Sql, stale: bool, wanted: Range<usize>) -> Vec<PaneLine> {
    let theme = &model.theme;
    let highlighted = model.highlights.get(Language::Sql, &sql.text);
    let link = link(model);
    let mut lines = Vec::new();
    for (index, line) in sql.text.lines().enumerate().skip(wanted.start).take(wanted.len()) {
        let roles = highlighted.and_then(|h| h.lines.get(index));
        let mut pieces = paint::highlighted(theme, line, roles);
        let marked = link.has(&about_line(sql, index));
        for piece in pieces.iter_mut().filter(|_| stale || marked) {
            let role = if stale { Role::Stale } else { Role::Linked };
            piece.1 = theme.style(role);
        }
        let mark = if marked && !stale { symbols::LINKED.glyph } else { " " };
        pieces.insert(0, piece(theme, Role::Linked, mark));
        lines.push(pieces);
    }
    lines
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
