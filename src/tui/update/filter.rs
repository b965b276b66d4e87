//! Narrowing the rule list.

use super::{Effect, list, navigate};
use crate::tui::model::list::{Folds, Grouping, Order};
use crate::tui::model::{Model, Pane};
use crate::tui::text::type_into;

pub(super) fn edit(model: &mut Model) {
    model.filter.editing = true;
    model.focus = Pane::Rules;
    navigate::settle(model);
}

pub(super) fn type_text(model: &mut Model, text: &str) -> Vec<Effect> {
    if !model.filter.editing {
        return Vec::new();
    }
    let mut typed = model.filter.text.clone();
    type_into(&mut typed, text);
    set(model, typed)
}

pub(super) fn erase(model: &mut Model) -> Vec<Effect> {
    let mut typed = model.filter.text.clone();
    typed.pop();
    set(model, typed)
}

pub(super) fn empty(model: &mut Model) -> Vec<Effect> {
    set(model, String::new())
}

/// Shows the rules that pass `text`. The selection goes to the best answer to searched text; else it stays where it
/// can, and moves to the nearest that is shown.
pub(super) fn set(model: &mut Model, text: String) -> Vec<Effect> {
    model.filter.set(text);
    if model.filter.is_active() {
        // Who searches wants to see what is found.
        model.list.folds = Folds::all(true);
    }
    let mut effects = list::arrange(model, false);
    let list = &model.list;
    if model.filter.query.ranks() && list.grouping == Grouping::Flat && list.order == Order::Path {
        effects.extend(navigate::select_at(model, 0));
    }
    effects
}
