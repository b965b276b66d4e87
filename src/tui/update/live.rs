//! New matches: what has been looked at, telling of more, and keeping the cursor on its row while rows come in.

use std::collections::BTreeSet;

use super::{Effect, list, matches};
use crate::tui::model::{Model, Pane};
use crate::tui::worker::Rows;

/// The selected rule is left: what has come is seen. Not so while a filter is typed, as each letter selects another.
pub(super) fn leave(model: &mut Model) {
    if model.filter.editing {
        return;
    }
    let Some(key) = model.selected.clone() else { return };
    if let Some(entry) = model.entry_mut(&key).filter(|entry| entry.arrived() > 0) {
        entry.look();
        model.list.outdated = true;
    }
}

/// All that has come is seen.
pub(super) fn see_all(model: &mut Model) -> Vec<Effect> {
    for entry in &mut model.rules {
        entry.look();
    }
    model.matches.arrived.clear();
    let effects = list::arrange(model, true);
    model.live.told = model.list.totals.arrived;
    effects
}

/// Asks which of the selected rule's matches have come since it was last looked at, where any can have.
pub(super) fn request(model: &Model) -> Option<Effect> {
    let entry = model.entry().filter(|entry| entry.is_executable())?;
    let since = entry.looked.filter(|looked| looked.at < model.dataset.moment())?.at;
    let rule = (entry.key.clone(), entry.compiled.clone()?);
    Some(Effect::Arrivals { generation: model.generations.matches, rule, since })
}

pub(super) fn arrived(model: &mut Model, ids: BTreeSet<String>) {
    model.matches.arrived = ids;
}

/// Tells of matches that have come since the last time.
pub(super) fn tell(model: &mut Model) -> Option<Effect> {
    let arrived = model.list.totals.arrived;
    let more = arrived > model.live.told;
    model.live.told = arrived;
    (more && model.live.bell).then_some(Effect::Bell)
}

pub(super) fn toggle_bell(model: &mut Model) {
    model.live.bell = !model.live.bell;
    let said = if model.live.bell { "the bell rings at new matches" } else { "the bell is silent" };
    model.notices.push(said.to_owned());
}

/// The row under the cursor, by its id, and how far down the pane it stands.
pub(super) fn anchor(model: &Model) -> Option<(String, usize)> {
    let row = model.matched_row()?;
    let down = model.matches.cursor.saturating_sub(model.offset(Pane::Matches).row);
    Some((row.event_id.clone(), down))
}

/// Puts the cursor back on that row, and the row back where it stood; asks for its place where it is not at hand.
pub(super) fn keep_place(model: &mut Model, anchor: Option<(String, usize)>) -> Vec<Effect> {
    let Some(anchor) = anchor else { return Vec::new() };
    let nothing_left = model.table().is_none_or(|table| table.rows.is_empty());
    if nothing_left || go_to(model, &anchor) {
        return Vec::new();
    }
    let asked = Rows::Around(matches::around(model), anchor.0.clone());
    let Some(wanted) = matches::rows_wanted(model, asked) else { return Vec::new() };
    model.matches.anchor = Some(anchor);
    model.generations.rows += 1;
    model.work.matching = true;
    vec![Effect::Rows { generation: model.generations.rows, wanted }]
}

/// Other rows are there: the one whose place was asked for is among them, unless it is no match any more.
pub(super) fn rows_arrived(model: &mut Model) {
    if let Some(anchor) = model.matches.anchor.take() {
        go_to(model, &anchor);
    }
}

fn go_to(model: &mut Model, (id, down): &(String, usize)) -> bool {
    let at = model.table().and_then(|table| {
        let at = table.rows.iter().position(|row| row.event_id == *id)?;
        Some(table.first + at)
    });
    let Some(at) = at else { return false };
    model.matches.cursor = at;
    model.offset_mut(Pane::Matches).row = at.saturating_sub(*down);
    true
}
