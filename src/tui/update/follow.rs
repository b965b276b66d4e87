//! Events that are followed as they come: JSON Lines, of which whoever reads them tells what rules have matched.
//!
//! The dataset itself is asked for rows, where the selected rule has more than are shown, and for the counts of rules that
//! only a batch can tell.

use super::{Effect, dataset, report};
use crate::evaluate::Summary;
use crate::tui::model::{Model, Outcome, RuleKey};
use crate::tui::worker::Followed;

/// Asks for the counts of all rules as events come; `None` where they are not followed.
pub(super) fn request(model: &mut Model) -> Option<Effect> {
    if !model.dataset.is_followed() {
        return None;
    }
    let rules = model.rules.iter().filter(|entry| entry.is_executable() && entry.is_reported());
    let rules = rules.filter_map(|entry| Some((entry.key.clone(), entry.compiled.clone()?))).collect();
    model.generations.live += 1;
    let anew = std::mem::take(&mut model.live.anew);
    Some(Effect::Follow { generation: model.generations.live, rules, anew })
}

/// Ends the reading of events that have long been there; `None` where there is none.
pub(super) fn stop(model: &mut Model) -> Option<Effect> {
    model.work.reading.take()?;
    model.generations.live += 1;
    Some(Effect::Follow { generation: model.generations.live, rules: Vec::new(), anew: false })
}

/// Whether whoever follows the events tells all there is to tell of new ones.
pub(super) fn suffices(model: &Model) -> bool {
    let dataset = &model.dataset;
    dataset.is_followed() && dataset.error.is_none() && !model.rules.iter().any(|entry| entry.undecided)
}

/// Whether the count of a rule is that of whoever follows the events.
pub(super) fn is_followed(model: &mut Model, rule: &RuleKey) -> bool {
    model.dataset.is_followed() && model.entry_mut(rule).is_some_and(|entry| !entry.undecided)
}

/// The same, and what the dataset says of the rule is shown until it is counted.
pub(super) fn decides(model: &mut Model, rule: &RuleKey, summary: Summary) -> bool {
    let is_followed = is_followed(model, rule);
    if let Some(entry) = model.entry_mut(rule).filter(|entry| is_followed && !entry.outcome.is_fresh()) {
        entry.outcome = Outcome::Ran { summary, stale: true };
    }
    is_followed
}

/// There is more in the dataset that answers: what was asked of it may be otherwise.
pub(super) fn age(model: &mut Model) {
    model.rules.iter_mut().filter(|entry| entry.undecided).for_each(|entry| entry.outcome.age());
    model.matches.stale = model.matches.table.is_some();
    model.list.outdated = true;
}

/// Takes in what rules have matched.
pub(super) fn took(model: &mut Model, found: Followed) -> Vec<Effect> {
    let Followed { counts, lines, events, reading, left_out, anew } = found;
    model.work.reading = reading;
    model.live.lines = lines;
    model.notices.extend(left_out.map(|why| format!("left out: {why}")));
    if anew {
        return begun_anew(model);
    }
    if let Some(info) = model.dataset.info.as_mut().filter(|_| reading.is_none()) {
        info.events = info.events.max(events);
    }
    let mut undecided = false;
    let changed = !counts.is_empty();
    for (rule, summary) in counts {
        let Some(entry) = model.entry_mut(&rule) else { continue };
        match summary {
            Some(summary) => {
                entry.counted(Outcome::Ran { summary, stale: false }, lines);
                report::learn(model, &rule);
            }
            None if !entry.undecided => {
                entry.undecided = true;
                entry.outcome.age();
                undecided = true;
            }
            None => {}
        }
    }
    let mut effects = if changed { report::counts_changed(model) } else { Vec::new() };
    if undecided {
        effects.extend(dataset::changed(model));
    }
    effects.extend(catch_up(model));
    effects
}

/// The events are others: nothing is left that new matches could be told from.
fn begun_anew(model: &mut Model) -> Vec<Effect> {
    for entry in &mut model.rules {
        (entry.looked, entry.undecided) = (None, false);
    }
    model.matches.arrived.clear();
    dataset::age(model);
    dataset::open(model)
}

/// Opens the dataset anew where the selected rule has matches that are not in it yet.
pub(super) fn catch_up(model: &mut Model) -> Vec<Effect> {
    let is_behind = |model: &Model| {
        let lines = model.dataset.info.as_ref()?.lines?;
        let entry = model.entry().filter(|entry| !entry.undecided && entry.outcome.is_fresh())?;
        let table = model.table()?;
        Some(lines < model.live.lines && Some(table.summary.matches) != entry.matches())
    };
    if model.work.opening || is_behind(model) != Some(true) {
        return Vec::new();
    }
    dataset::open(model)
}
