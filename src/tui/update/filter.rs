//! Narrowing the rule list.

use super::{Effect, navigate, select};
use crate::tui::model::{Model, Pane};

pub(super) fn edit(model: &mut Model) {
    model.filter.editing = true;
    model.focus = Pane::Rules;
    navigate::settle(model);
}

pub(super) fn type_text(model: &mut Model, text: &str) -> Vec<Effect> {
    if !model.filter.editing {
        return Vec::new();
    }
    model.filter.text.extend(text.chars().filter(|c| !c.is_control()));
    apply(model)
}

pub(super) fn erase(model: &mut Model) -> Vec<Effect> {
    model.filter.text.pop();
    apply(model)
}

pub(super) fn empty(model: &mut Model) -> Vec<Effect> {
    model.filter.text.clear();
    apply(model)
}

/// Shows the rules that pass. The selection stays where it can; it moves to the nearest that is shown.
pub(super) fn apply(model: &mut Model) -> Vec<Effect> {
    let Model { rules, filter, visible, .. } = model;
    *visible = rules.iter().enumerate().filter(|(_, entry)| filter.passes(entry)).map(|(at, _)| at).collect();
    let key_at = |model: &Model, at: &usize| model.rules.get(*at).map(|entry| entry.key.clone());
    let found = model.visible.iter().position(|at| key_at(model, at) == model.selected);
    if let (Some(position), Some(_)) = (found, &model.selected) {
        model.position = position;
        navigate::settle(model);
        return Vec::new();
    }
    model.position = model.position.min(model.visible.len().saturating_sub(1));
    let nearest = model.visible.get(model.position).and_then(|at| key_at(model, at));
    let gone = model.entry().is_none();
    let effects = if nearest.is_some() || gone { select(model, nearest) } else { Vec::new() };
    navigate::settle(model);
    effects
}
