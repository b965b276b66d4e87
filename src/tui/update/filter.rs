//! Narrowing the rule list.

use super::{Effect, list, navigate};
use crate::tui::model::list::{Folds, Grouping, Order};
use crate::tui::model::{Model, Pane};

pub(super) fn edit(model: &mut Model) {
    model.filter.editing = true;
    model.focus = Pane::Rules;
    navigate::settle(model);
}

/// Shows the rules that pass `text`.
pub(super) fn set(model: &mut Model, text: String) -> Vec<Effect> {
    model.filter.input = text.into();
    typed(model)
}

/// Shows the rules that pass what is typed. The selection goes to the best answer to searched text; else it stays
/// where it can, and moves to the nearest that is shown.
pub(super) fn typed(model: &mut Model) -> Vec<Effect> {
    model.filter.read();
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
