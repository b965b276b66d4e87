//! The command palette: every action by name.

use super::{Effect, update};
use crate::tui::action::Action;
use crate::tui::command::COMMANDS;
use crate::tui::model::{Found, Model, Overlay, Palette, list};

/// Opens it, for the commands whose names begin with `family`.
pub(super) fn open(model: &mut Model, family: &'static str) {
    model.help = None;
    model.overlay = Some(Overlay::Palette(Palette { family, ..Palette::default() }));
    search(model);
}

/// The commands that answer to what is typed, the best first.
pub(super) fn search(model: &mut Model) {
    let Some(Overlay::Palette(open)) = &mut model.overlay else { return };
    let typed = open.typed.text().trim().to_lowercase();
    let commands = COMMANDS
        .iter()
        .enumerate()
        .filter(|(_, command)| command.is_named() && command.name.starts_with(open.family))
        .filter_map(|(at, command)| Some((answer(command.name, command.doc, &typed)?, Found::Command(at))));
    let is_command = |name: &str| COMMANDS.iter().any(|command| command.name == name);
    let own = model.own_themes.iter().map(|theme| (format!("theme_{}", theme.name), theme));
    let themes = own.filter(|(name, _)| name.starts_with(open.family) && !is_command(name)).filter_map(
        |(name, theme)| Some((answer(&name, &theme.description, &typed)?, Found::Theme(theme.clone()))),
    );
    let mut found: Vec<_> = commands.chain(themes).collect();
    found.sort_by_key(|(score, found)| (std::cmp::Reverse(*score), is_motion(found)));
    open.found = found.into_iter().map(|(_, found)| found).collect();
    open.cursor = 0;
}

/// Whether it only moves, which nobody does by name: such commands come last.
fn is_motion(found: &Found) -> bool {
    let Found::Command(at) = found else { return false };
    let moves = |action| matches!(action, Action::Move(_) | Action::Pan(_) | Action::PanHome);
    COMMANDS.get(*at).is_some_and(|command| moves((command.action)()))
}

/// How well a command answers: each word by name, fuzzily, or by an occurrence in what it does.
fn answer(name: &str, doc: &str, typed: &str) -> Option<u32> {
    let (name, doc) = (name.replace('_', " "), doc.to_lowercase());
    let of_word = |word| list::score(&name, word).or_else(|| doc.contains(word).then_some(0));
    typed.split([' ', '_']).filter(|word| !word.is_empty()).map(of_word).sum()
}

/// Closes it and does what the command under the cursor does.
pub(super) fn run(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Palette(open)) = &model.overlay else { return Vec::new() };
    let Some(found) = open.found.get(open.cursor).cloned() else { return Vec::new() };
    model.overlay = None;
    match found {
        Found::Command(at) => match COMMANDS.get(at).filter(|command| (command.available)(model)) {
            Some(command) => update(model, (command.action)()),
            None => Vec::new(),
        },
        Found::Theme(theme) => update(model, Action::UseTheme(theme.name.into())),
    }
}
