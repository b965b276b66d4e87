//! The run of all rules over the dataset: what is counted first, and stopping it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::{Effect, follow};
use crate::backend::CompiledRule;
use crate::tui::model::list::Row;
use crate::tui::model::{Model, Pane, RuleEntry, RuleKey};
use crate::tui::view::{self, Layout};

/// Asks for the counts of all rules whose count is not what it would be now: those on the screen first, then those
/// whose count is of the earliest opening of the dataset, so that each gets its turn however often it is opened.
pub(super) fn request(model: &mut Model) -> Vec<Effect> {
    // Who has stopped one asks for the next, too.
    if model.dataset.info.is_none() || model.work.stopped.is_some() {
        return Vec::new();
    }
    let followed = follow::request(model);
    let shown = shown(model);
    let is_followed = followed.is_some();
    let due: Vec<(usize, &RuleEntry)> = model
        .rules
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.is_executable() && entry.is_reported() && !entry.outcome.is_fresh())
        .filter(|(_, entry)| !is_followed || entry.undecided)
        .collect();
    let earliest = due.iter().map(|(_, entry)| entry.counted_at).min().unwrap_or(0);
    let (leading, others): (Vec<_>, Vec<_>) = due.into_iter().partition(|(index, _)| shown.contains(index));
    let (earlier, later): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|(_, entry)| entry.counted_at == earliest);
    let (first, leading_rules) = (leading.len() + earlier.len(), leading.len());
    let rules: Vec<(RuleKey, Arc<CompiledRule>)> = [leading, earlier, later]
        .into_iter()
        .flatten()
        .filter_map(|(_, entry)| Some((entry.key.clone(), Arc::clone(entry.compiled.as_ref()?))))
        .collect();
    model.work.running = (!rules.is_empty()).then_some((0, rules.len()));
    model.work.leading = leading_rules;
    followed.into_iter().chain([summarize(model, rules, first)]).collect()
}

/// The rules that the list shows, by their places.
fn shown(model: &Model) -> BTreeSet<usize> {
    let area = view::list_area(model, Layout::of(model).body(Pane::Rules));
    let rows = model.list.rows.iter().skip(model.offset(Pane::Rules).row).take(usize::from(area.height));
    rows.filter_map(|row| match row {
        Row::Rule { index, .. } => Some(*index),
        Row::Group(_) => None,
    })
    .collect()
}

/// Ends the run where it is. What has been counted stays.
pub(super) fn stop(model: &mut Model) -> Vec<Effect> {
    let follow = follow::stop(model);
    let running = model.work.running.take();
    let Some(progress) = running.or_else(|| follow.is_some().then(|| counted(model))) else {
        return Vec::new();
    };
    model.work.stopped = Some(progress);
    // Its last answers are no longer waited for, and nothing else is asked in its place.
    follow.into_iter().chain([summarize(model, Vec::new(), 0)]).collect()
}

/// How many rules have a count that holds, of those that can have one.
fn counted(model: &Model) -> (usize, usize) {
    let rules = || model.rules.iter().filter(|entry| entry.is_executable() && entry.is_reported());
    (rules().filter(|entry| entry.outcome.is_fresh()).count(), rules().count())
}

fn summarize(model: &mut Model, rules: Vec<(RuleKey, Arc<CompiledRule>)>, first: usize) -> Effect {
    model.generations.summaries += 1;
    // Told anew with the next frame.
    model.work.run_elapsed = Duration::ZERO;
    Effect::Summarize { generation: model.generations.summaries, rules, first }
}
