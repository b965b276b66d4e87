//! Order and groups of the rule list, and what keeps the cursor on its rule while they change.

use super::{Effect, navigate, select};
use crate::tui::model::list::{Folds, Grouping, Order, Row};
use crate::tui::model::{Model, RuleKey};

/// Shows what has changed in the list since the last frame, if anything has.
pub(crate) fn refresh(model: &mut Model) -> Vec<Effect> {
    if model.list.outdated { arrange(model, true) } else { Vec::new() }
}

/// Shows the rules that pass the filter; the selected one too if it is `kept`, so that a rule does not vanish while
/// it is being edited. The cursor stays on its rule or group, or goes to the nearest.
pub(super) fn arrange(model: &mut Model, kept: bool) -> Vec<Effect> {
    lay_out(model, kept);
    let effects = place_cursor(model);
    navigate::settle(model);
    effects
}

fn lay_out(model: &mut Model, kept: bool) {
    let Model { list, rules, baseline, filter, selected, .. } = model;
    let also = selected.as_ref().filter(|_| kept);
    model.visible = list.arrange(rules, baseline, &filter.query, also);
}

/// Shows the rules that pass the filter, and selects of these the first if that answers best, else the one that was
/// selected before, `origin`, or the nearest to it.
pub(super) fn narrow(model: &mut Model, origin: Option<&RuleKey>, best_first: bool) -> Vec<Effect> {
    lay_out(model, false);
    let at = origin.map(|key| model.rules.binary_search_by(|entry| entry.key.cmp(key)));
    let here = at.unwrap_or(Ok(0)).unwrap_or_else(|gone| gone);
    let wanted = match best_first {
        true => model.visible.first(),
        false => model.visible.iter().min_by_key(|index| index.abs_diff(here)),
    };
    let mut effects = Vec::new();
    if let Some(key) = wanted.and_then(|index| key_at(model, *index)) {
        model.list.on_group = None;
        effects.extend(select(model, Some(key)));
    }
    effects.extend(place_cursor(model));
    navigate::settle(model);
    effects
}

fn place_cursor(model: &mut Model) -> Vec<Effect> {
    if let Some(row) = model.list.on_group.as_ref().and_then(|key| row_of_group(model, key)) {
        model.position = row;
        return if model.entry().is_none() { select_first(model) } else { Vec::new() };
    }
    model.list.on_group = None;
    let selected = model.selected.clone().and_then(|key| index_of(model, &key));
    if let Some(row) = selected.and_then(|index| row_of_rule(model, index)) {
        model.position = row;
        return Vec::new();
    }
    if let Some(row) = selected.and_then(|index| row_of_folded(model, index)) {
        return navigate::select_at(model, row);
    }
    model.position = model.position.min(model.list.rows.len().saturating_sub(1));
    let from_here = model.list.rows.iter().skip(model.position);
    let nearest = from_here.chain(&model.list.rows).find_map(rule_at).and_then(|index| key_at(model, index));
    match nearest {
        Some(key) => {
            let row = index_of(model, &key).and_then(|index| row_of_rule(model, index));
            model.position = row.unwrap_or(model.position);
            select(model, Some(key))
        }
        None => {
            model.list.on_group = group_at(model, model.position);
            if model.entry().is_none() { select_first(model) } else { Vec::new() }
        }
    }
}

/// Selects some rule that is shown, be it in a folded group, so that the other panes have one.
fn select_first(model: &mut Model) -> Vec<Effect> {
    let key = model.visible.first().and_then(|index| key_at(model, *index));
    select(model, key)
}

fn rule_at(row: &Row) -> Option<usize> {
    match row {
        Row::Rule { index, .. } => Some(*index),
        Row::Group(_) => None,
    }
}

fn key_at(model: &Model, index: usize) -> Option<RuleKey> {
    model.rules.get(index).map(|entry| entry.key.clone())
}

fn index_of(model: &Model, key: &RuleKey) -> Option<usize> {
    model.rules.binary_search_by(|entry| entry.key.cmp(key)).ok()
}

/// The row of a rule: of several, the nearest to the cursor.
fn row_of_rule(model: &Model, index: usize) -> Option<usize> {
    let rows = model.list.rows.iter().enumerate().filter(|(_, row)| rule_at(row) == Some(index));
    rows.map(|(row, _)| row).min_by_key(|row| row.abs_diff(model.position))
}

fn row_of_group(model: &Model, key: &str) -> Option<usize> {
    model.list.rows.iter().position(|row| matches!(row, Row::Group(group) if group.key == key))
}

/// The header of the innermost group that shows, of those that a rule is in.
fn row_of_folded(model: &Model, index: usize) -> Option<usize> {
    if !model.visible.contains(&index) {
        return None;
    }
    let entry = model.rules.get(index)?;
    model.list.groups_of(entry, index).iter().rev().find_map(|key| row_of_group(model, key))
}

/// The group whose header stands at a row.
pub(super) fn group_at(model: &Model, row: usize) -> Option<String> {
    match model.list.rows.get(row)? {
        Row::Group(group) => Some(group.key.clone()),
        Row::Rule { .. } => None,
    }
}

/// Groups the rules; all groups folded but those of the selected rule.
pub(super) fn group_by(model: &mut Model, grouping: Grouping) -> Vec<Effect> {
    model.list.grouping = grouping;
    model.list.folds = Folds::all(model.filter.is_active());
    model.list.on_group = None;
    open_groups_of_selected(model);
    arrange(model, true)
}

fn open_groups_of_selected(model: &mut Model) {
    let Some(index) = model.selected.clone().and_then(|key| index_of(model, &key)) else { return };
    let Some(entry) = model.rules.get(index) else { return };
    for key in model.list.groups_of(entry, index) {
        model.list.folds.set(&key, true);
    }
}

pub(super) fn sort_by(model: &mut Model, order: Order) -> Vec<Effect> {
    model.list.order = order;
    arrange(model, true)
}

/// Opens or folds the group under the cursor, or that of the rule under it; with no word on which, the other way.
pub(super) fn fold(model: &mut Model, open: Option<bool>) -> Vec<Effect> {
    let here = model.list.rows.get(..=model.position).unwrap_or_default();
    let group = here.iter().rev().find_map(|row| match row {
        Row::Group(group) => Some(group),
        Row::Rule { .. } => None,
    });
    let Some(group) = group else { return Vec::new() };
    let (key, open) = (group.key.clone(), open.unwrap_or(!group.open));
    model.list.folds.set(&key, open);
    model.list.on_group = Some(key).filter(|_| !open || model.list.on_group.is_some());
    arrange(model, true)
}

/// Folds all groups, or opens them where they are folded.
pub(super) fn fold_all(model: &mut Model) -> Vec<Effect> {
    model.list.folds = Folds::all(!model.list.folds.open_by_default());
    arrange(model, true)
}

/// Selects a rule, wherever the list has it: out of its folded group; past the filter, without a row.
pub(super) fn go_to(model: &mut Model, key: RuleKey) -> Vec<Effect> {
    let effects = select(model, Some(key));
    model.filter.origin = None;
    model.list.on_group = None;
    open_groups_of_selected(model);
    let mut more = arrange(model, true);
    more.splice(0..0, effects);
    more
}
