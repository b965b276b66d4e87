//! Which file the user's editor is opened at, and what follows once it is closed.

use std::path::{Path, PathBuf};

use super::{Effect, resize};
use crate::bridge::FieldResolution;
use crate::pack::PackPlace;
use crate::tui::model::{Model, RuleEntry};

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EditorPlace {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: u32,
}

/// The selected rule, at the line of the cursor.
pub(super) fn rule(model: &mut Model) -> Vec<Effect> {
    let line = model.cursor_line;
    let place = model.entry().map(|entry| EditorPlace { path: entry.key.path.to_path_buf(), line });
    place.map(Effect::OpenEditor).into_iter().collect()
}

/// The pack: at the alias of the field under the source's cursor, or else at the rule's route.
pub(super) fn pack(model: &mut Model) -> Vec<Effect> {
    let line = model.linked_line();
    let place = model.entry().and_then(|entry| pack_place(entry, line));
    match place {
        Some(place) if place.path.is_file() => {
            let line = place.span.start.line.max(1);
            vec![Effect::OpenEditor(EditorPlace { path: place.path.to_path_buf(), line })]
        }
        place => {
            model.notices.push(no_file(place.as_ref().map(|place| &*place.path)));
            Vec::new()
        }
    }
}

fn no_file(path: Option<&Path>) -> String {
    match path.filter(|path| !path.as_os_str().is_empty()) {
        Some(_) => "this pack is within the program; copy it with 'pack new', and name the copy with --pack"
            .to_owned(),
        None => "the rule has no route, so the pack has no line for it".to_owned(),
    }
}

fn pack_place(entry: &RuleEntry, line: Option<u32>) -> Option<PackPlace> {
    let compilation = &entry.compiled.as_ref()?.compilation;
    let is_on = |field: &&FieldResolution| {
        line.is_some_and(|line| field.uses.iter().any(|span| span.touches_line(line)))
    };
    let alias = compilation.fields.iter().find(is_on).and_then(|field| field.place.clone());
    alias.or_else(|| Some(compilation.routing.scope.as_ref()?.place.clone()))
}

/// The editor has ended, or could not be started. The watcher sees what it has written.
pub(crate) fn opened(model: &mut Model, size: (u16, u16), ended: Result<(), String>) {
    resize(model, size);
    if let Err(error) = ended {
        model.notices.push(error);
    }
}
