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

/// Takes what is typed as it is. Who has searched has found: the rule that is selected stays so.
pub(super) fn accept(model: &mut Model) {
    model.filter.editing = false;
    if model.filter.query.ranks() {
        model.filter.origin = None;
    }
}

/// Shows all rules again, and selects the one from before, unless another has been chosen since.
pub(super) fn drop(model: &mut Model) -> Vec<Effect> {
    let effects = set(model, String::new());
    model.filter.editing = false;
    model.filter.origin = None;
    navigate::settle(model);
    effects
}

/// Shows the rules that pass what is typed. The best answer to searched text is selected; else the rule from before stays
/// so while it is among them, or gives way to the nearest.
pub(super) fn typed(model: &mut Model) -> Vec<Effect> {
    model.filter.read();
    if model.filter.is_active() {
        // Who searches wants to see what is found.
        model.list.folds = Folds::all(true);
    }
    let origin = model.filter.origin.take().or_else(|| model.selected.clone());
    let by_rank = model.list.grouping == Grouping::Flat && model.list.order == Order::Path;
    let best_first = by_rank && model.filter.query.ranks();
    let effects = list::narrow(model, origin.as_ref(), best_first);
    let narrows = model.filter.editing || model.filter.is_active();
    model.filter.origin = origin.filter(|_| narrows);
    effects
}
