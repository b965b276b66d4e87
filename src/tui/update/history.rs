//! What was written from the screen: taken back, and made again, the newest first.

use super::{Effect, bench, files_changed, filter, in_place, list};
use crate::tui::action::Changed;
use crate::tui::model::{FileOf, Model, Overlay, RuleKey, Written};
use crate::tui::worker::{Unwritten, Writing};

/// A change is in its file: closes what it was made in and reads the file anew.
pub(super) fn written(model: &mut Model, written: Result<Written, Unwritten>) -> Vec<Effect> {
    let written = match written {
        Ok(written) => written,
        Err(why) => {
            in_place::not_written(model, why);
            return Vec::new();
        }
    };
    let edit = &written.edit;
    let file = edit.path.file_name().unwrap_or_default().to_string_lossy();
    let is_new = edit.before.is_none() && written.of == FileOf::Rule;
    let place = if is_new { file.into_owned() } else { format!("{file}:{}", edit.line) };
    model.notices.push(format!("written to {place}; u takes it back"));
    if model.unsaved.as_ref().is_some_and(|unsaved| unsaved.writing) {
        model.unsaved = None;
    }
    let mut effects = match &model.overlay {
        Some(Overlay::Proposals(_) | Overlay::Edit(_) | Overlay::NewRule(_)) => bench::close(model),
        _ => Vec::new(),
    };
    if is_new {
        model.awaited = Some(RuleKey { path: edit.path.as_path().into(), document: 0 });
    }
    effects.extend(changed(model, &written));
    model.history.made(written);
    effects
}

/// Takes the last change back.
pub(super) fn undo(model: &mut Model) -> Vec<Effect> {
    if let Some(unsaved) = &model.unsaved {
        let name = unsaved.name();
        model.notices.push(format!("{name} is unsaved: Ctrl-s writes it, Esc drops it"));
        return Vec::new();
    }
    let last = model.history.done.pop();
    last.map(|written| Effect::Write(Box::new(Writing::Undo(written)))).into_iter().collect()
}

/// Makes the change again that was taken back last.
pub(super) fn redo(model: &mut Model) -> Vec<Effect> {
    let last = model.history.undone.pop();
    last.map(|written| Effect::Write(Box::new(Writing::Redo(written)))).into_iter().collect()
}

/// A change was taken back, or not.
pub(super) fn undone(model: &mut Model, undone: Result<Written, String>) -> Vec<Effect> {
    finished(model, undone, "is as it was; Ctrl-r redoes it", |model, written| {
        model.history.undone(written);
    })
}

/// A change was made again, or not.
pub(super) fn redone(model: &mut Model, redone: Result<Written, String>) -> Vec<Effect> {
    finished(model, redone, "is written again", |model, written| model.history.redone(written))
}

fn finished(
    model: &mut Model,
    outcome: Result<Written, String>,
    said: &str,
    keep: impl FnOnce(&mut Model, Written),
) -> Vec<Effect> {
    match outcome {
        Ok(written) => {
            let file = written.edit.path.file_name().unwrap_or_default().to_string_lossy();
            model.notices.push(format!("{file} {said}"));
            let effects = changed(model, &written);
            keep(model, written);
            effects
        }
        Err(error) => {
            model.notices.push(error);
            Vec::new()
        }
    }
}

/// Does not wait for the watcher, which may be slow or off.
fn changed(model: &mut Model, written: &Written) -> Vec<Effect> {
    let changed = match written.of {
        FileOf::Pack => Changed { pack: true, ..Changed::default() },
        FileOf::Rule => Changed { rules: [written.edit.path.clone()].into(), ..Changed::default() },
    };
    files_changed(model, changed)
}

/// Selects a rule that was written, once it is there.
pub(super) fn arrived(model: &mut Model) -> Vec<Effect> {
    let there = |key: &RuleKey| model.rules.binary_search_by(|entry| entry.key.cmp(key)).is_ok();
    match model.awaited.take_if(|key| there(key)) {
        Some(key) => {
            let mut effects = list::go_to(model, key);
            let is_shown =
                |at: &usize| model.rules.get(*at).map(|entry| &entry.key) == model.selected.as_ref();
            if !model.visible.iter().any(is_shown) {
                effects.extend(filter::set(model, String::new()));
            }
            effects
        }
        None => Vec::new(),
    }
}
