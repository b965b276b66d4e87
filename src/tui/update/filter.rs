//! Narrowing the rule list.

use super::{Effect, navigate, select};
use crate::tui::model::{Model, Pane, RuleEntry, RuleKey};

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
fn apply(model: &mut Model) -> Vec<Effect> {
    show(model, |_| false)
}

/// The rules have changed under the filter: shows those that pass, and the selected one even if it no longer
/// does, so that a rule does not vanish while it is being edited.
pub(super) fn reapply(model: &mut Model) -> Vec<Effect> {
    let selected = model.selected.clone();
    show(model, |entry| Some(&entry.key) == selected.as_ref())
}

fn show(model: &mut Model, also: impl Fn(&RuleEntry) -> bool) -> Vec<Effect> {
    let Model { rules, filter, visible, .. } = model;
    let shown = rules.iter().enumerate().filter(|(_, entry)| filter.passes(entry) || also(entry));
    *visible = shown.map(|(at, _)| at).collect();
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

/// One rule has another verdict: shows or hides it alone, as counts come by the thousand.
pub(super) fn reconsider(model: &mut Model, key: &RuleKey) {
    let Ok(index) = model.rules.binary_search_by(|entry| entry.key.cmp(key)) else { return };
    let passes = model.rules.get(index).is_some_and(|entry| model.filter.passes(entry));
    match model.visible.binary_search(&index) {
        Err(at) if passes => {
            model.visible.insert(at, index);
            model.position += usize::from(at <= model.position && model.visible.len() > 1);
        }
        Ok(at) if !passes && model.selected.as_ref() != Some(key) => {
            model.visible.remove(at);
            model.position -= usize::from(at < model.position);
        }
        _ => {}
    }
}
