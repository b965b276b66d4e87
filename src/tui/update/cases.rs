//! Rows of the matches as a regression case: marking them, and having the case written.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Effect, navigate};
use crate::authoring::SavedCase;
use crate::tui::action::Motion;
use crate::tui::model::{Model, Pane};
use crate::tui::text::count;
use crate::tui::worker::ToSave;

/// Whether there is a row under the cursor.
pub(crate) fn has_row(model: &Model) -> bool {
    model.focus == Pane::Matches && row(model).is_some()
}

fn row(model: &Model) -> Option<&str> {
    model.matched_row().map(|row| row.event_id.as_str())
}

/// Marks the row under the cursor, or takes its mark away, and goes on to the next one.
pub(super) fn mark(model: &mut Model) -> Vec<Effect> {
    let Some(id) = row(model).map(str::to_owned) else { return Vec::new() };
    if !model.matches.marked.remove(&id) {
        model.matches.marked.insert(id);
    }
    navigate::move_in(model, Pane::Matches, Motion::Lines(1))
}

/// Has the marked rows written as a case; where none is marked, the one under the cursor.
pub(super) fn save(model: &mut Model) -> Vec<Effect> {
    let mut rows = model.matches.marked.clone();
    if rows.is_empty() {
        rows.extend(row(model).map(str::to_owned));
    }
    save_rows(model, rows).into_iter().collect()
}

fn save_rows(model: &Model, rows: BTreeSet<String>) -> Option<Effect> {
    let rule = Arc::clone(model.entry()?.compiled.as_ref()?);
    (!rows.is_empty()).then_some(Effect::SaveCase(ToSave { rule, rows }))
}

/// The case is in its file, or is not.
pub(super) fn saved(model: &mut Model, saved: Result<SavedCase, String>) {
    let notice = match saved {
        Ok(SavedCase { path, name, events, .. }) => {
            model.matches.marked.clear();
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            let noun = if events == 1 { "event" } else { "events" };
            format!("{} {noun} saved in {file} as `{name}`", count(events as u64))
        }
        Err(error) => format!("no case saved: {error}"),
    };
    model.notices.push(notice);
}
