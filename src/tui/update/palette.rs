//! The command palette: every action by name.

use super::{Effect, update};
use crate::tui::command::{COMMANDS, Command};
use crate::tui::model::{Model, Overlay, Palette, list};
use crate::tui::text::type_into;

/// Opens it, for the commands whose names begin with `family`.
pub(super) fn open(model: &mut Model, family: &'static str) {
    model.overlay = Some(Overlay::Palette(Palette { family, ..Palette::default() }));
    search(model);
}

pub(super) fn type_text(model: &mut Model, text: &str) {
    if let Some(Overlay::Palette(open)) = &mut model.overlay {
        type_into(&mut open.typed, text);
        search(model);
    }
}

pub(super) fn erase(model: &mut Model) {
    if let Some(Overlay::Palette(open)) = &mut model.overlay {
        open.typed.pop();
        search(model);
    }
}

/// The commands that answer to what is typed, the best first.
fn search(model: &mut Model) {
    let Some(Overlay::Palette(open)) = &mut model.overlay else { return };
    let typed = open.typed.trim().to_lowercase();
    let mut found: Vec<(u32, usize)> = COMMANDS
        .iter()
        .enumerate()
        .filter(|(_, command)| command.is_named() && command.name.starts_with(open.family))
        .filter_map(|(at, command)| Some((answer(command, &typed)?, at)))
        .collect();
    found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
    open.found = found.into_iter().map(|(_, at)| at).collect();
    open.cursor = 0;
}

/// How well a command answers: each word by name, fuzzily, or by an occurrence in what it does.
fn answer(command: &Command, typed: &str) -> Option<u32> {
    let (name, doc) = (command.name.replace('_', " "), command.doc.to_lowercase());
    let of_word = |word| list::score(&name, word).or_else(|| doc.contains(word).then_some(0));
    typed.split([' ', '_']).filter(|word| !word.is_empty()).map(of_word).sum()
}

/// Closes it and does what the command under the cursor does.
pub(super) fn run(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Palette(open)) = &model.overlay else { return Vec::new() };
    let command = open.found.get(open.cursor).and_then(|at| COMMANDS.get(*at));
    let Some(command) = command else { return Vec::new() };
    model.overlay = None;
    if (command.available)(model) { update(model, (command.action)()) } else { Vec::new() }
}
