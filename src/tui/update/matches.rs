//! The table of matches: which stretch of its rows is there, and in what order.

use std::sync::Arc;

use super::{Effect, navigate};
use crate::evaluate::{self, MatchRow, Order, Slice};
use crate::ocsf::OcsfPath;
use crate::tui::model::{Model, Pane, Satisfied};
use crate::tui::view;
use crate::tui::worker::{Rows, RowsWanted};

/// Rows that are there at once.
pub(crate) const ROWS: usize = 500;

/// Rows before the first one shown.
const BEFORE: usize = 200;

/// Rows behind the last one shown, as long as nobody has moved on from the first: of a rule that was only just selected the
/// rows that are seen come soonest where no others are read.
const AHEAD: usize = 32;

/// The rows around those that are shown.
pub(super) fn wanted(model: &Model) -> Slice {
    let shown = model.offset(Pane::Matches).row;
    let limit = if shown == 0 { view::rows_shown(model).saturating_add(AHEAD).min(ROWS) } else { ROWS };
    Slice { order: model.matches.order, first: shown.saturating_sub(BEFORE), limit }
}

/// Asks for the rows that are shown and not there, once.
pub(super) fn fill(model: &mut Model) -> Vec<Effect> {
    let Some(table) = model.table().filter(|_| model.matches.anchor.is_none()) else { return Vec::new() };
    let rows = usize::try_from(table.summary.matches).unwrap_or(usize::MAX);
    let shown = model.offset(Pane::Matches).row;
    let end = (shown + view::rows_shown(model)).min(rows);
    let there = table.first..table.first + table.rows.len();
    if shown >= end || (there.contains(&shown) && end <= there.end) {
        return Vec::new();
    }
    ask(model)
}

/// As many rows as there are at once, around one whose place is not known.
pub(super) fn around(model: &Model) -> Slice {
    Slice { order: model.matches.order, first: BEFORE, limit: ROWS }
}

fn ask(model: &mut Model) -> Vec<Effect> {
    let slice = wanted(model);
    if model.matches.asked == Some(slice) {
        return Vec::new();
    }
    let Some(wanted) = rows_wanted(model, Rows::Slice(slice)) else { return Vec::new() };
    model.matches.asked = Some(slice);
    model.generations.rows += 1;
    model.work.matching = true;
    vec![Effect::Rows { generation: model.generations.rows, wanted }]
}

/// Finds out what the row under the cursor satisfies, while the matches have the keys: once for each row.
pub(super) fn judge(model: &mut Model) {
    if model.focus != Pane::Matches {
        return;
    }
    model.matches.satisfied = judged(model);
}

fn judged(model: &Model) -> Option<Satisfied> {
    let rule = model.entry()?.compiled.as_ref()?;
    let (table, row) = (model.table()?, model.matched_row()?);
    let known = model.matches.satisfied.as_ref();
    if known.is_some_and(|known| Arc::ptr_eq(&known.rule, rule) && known.row == *row) {
        return known.cloned();
    }
    let value = |path: &OcsfPath| {
        let at = table.columns.iter().position(|column| column == path)?;
        row.values.get(at)?.as_deref()
    };
    let places = evaluate::satisfied_places(rule.compilation.plan.as_ref()?, value);
    Some(Satisfied { rule: Arc::clone(rule), row: row.clone(), places })
}

/// A question about the matches that are shown; `None` where the rule no longer runs, or nothing could answer.
pub(super) fn rows_wanted(model: &Model, asked: Rows) -> Option<RowsWanted> {
    model.dataset.info.as_ref()?;
    let entry = model.entry().filter(|entry| entry.is_executable())?;
    Some(RowsWanted { rule: (entry.key.clone(), entry.compiled.clone()?), asked })
}

/// The table itself has been asked for anew: rows of the old one are no longer waited for.
pub(super) fn forget_asked(model: &mut Model) {
    model.matches.asked = None;
    model.matches.anchor = None;
    model.generations.rows += 1;
}

pub(super) fn arrived(model: &mut Model, slice: Slice, rows: Result<Vec<MatchRow>, String>) {
    model.work.matching = false;
    match rows {
        Ok(rows) => {
            if let Some(table) = &mut model.matches.table {
                let table = Arc::make_mut(table);
                table.first = slice.first;
                table.rows = rows;
            }
        }
        Err(error) => model.notices.push(error),
    }
    super::live::rows_arrived(model);
    navigate::settle(model);
}

pub(super) fn sort_next(model: &mut Model) -> Vec<Effect> {
    let Some(columns) = model.table().map(|table| table.columns.len()) else { return Vec::new() };
    let key = model.matches.order.key.step(1, columns);
    sort(model, Order { key, descending: false })
}

pub(super) fn sort_reverse(model: &mut Model) -> Vec<Effect> {
    let order = model.matches.order;
    sort(model, Order { descending: !order.descending, ..order })
}

/// Sorted anew, the table is shown from its first row.
fn sort(model: &mut Model, order: Order) -> Vec<Effect> {
    if model.table().is_none() {
        return Vec::new();
    }
    model.matches.order = order;
    model.matches.cursor = 0;
    model.offset_mut(Pane::Matches).row = 0;
    ask(model)
}
