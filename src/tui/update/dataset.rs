//! The dataset: when it is opened anew, and what follows from what is there then.

use std::time::Duration;

use super::{Effect, follow, matches, request_matches, run, why};
use crate::store::Unfinished;
use crate::tui::model::{DatasetChange, DatasetInfo, Model, Outcome};
use crate::tui::text;

/// Bytes of what is said of a file that is not read yet.
const SAID: usize = 200;

/// What a run is given before it is called off for what has arrived.
const RUN: Duration = Duration::from_secs(2);

/// The files have changed. An opening that is under way ends first, or writers that never rest would call off each before
/// it is done.
///
/// Of lines that have come, whoever follows them tells.
pub(super) fn changed(model: &mut Model) -> Vec<Effect> {
    if follow::suffices(model) {
        return Vec::new();
    }
    if model.work.opening || (model.dataset.info.is_some() && model.work.running.is_some()) {
        model.dataset.due = true;
        return open_if_ripe(model);
    }
    open(model)
}

/// What has changed is taken in, during a run once that has got somewhere: beyond the rules that each run begins with, so
/// that it gets to its last ones, as it goes on with those that wait the longest.
pub(super) fn open_if_ripe(model: &mut Model) -> Vec<Effect> {
    let Some((done, _)) = model.work.running.filter(|_| !model.work.opening) else { return Vec::new() };
    let ripe = done > model.work.leading && model.work.run_elapsed >= RUN;
    if ripe { open_if_due(model) } else { Vec::new() }
}

/// Opens it anew.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    model.dataset.due = false;
    if model.dataset.root.is_none() {
        return Vec::new();
    }
    model.generations.dataset += 1;
    model.work.opening = true;
    vec![Effect::OpenDataset { generation: model.generations.dataset }]
}

/// A run has ended: what changed meanwhile is taken in.
pub(super) fn open_if_due(model: &mut Model) -> Vec<Effect> {
    if model.dataset.due { open(model) } else { Vec::new() }
}

/// All that is known of the rules' matches may be otherwise by now.
pub(super) fn age(model: &mut Model) {
    model.rules.iter_mut().for_each(|entry| entry.outcome.age());
    model.matches.stale = model.matches.table.is_some();
    model.list.outdated = true;
}

/// What differs between the files is said when it is found, and not again with each part that arrives.
fn tell_drift(model: &mut Model, info: &DatasetInfo) {
    let before = model.dataset.info.as_ref().map_or(&[][..], |info| &info.drift);
    let told: Vec<String> = info.drift.iter().rev().filter(|said| !before.contains(said)).cloned().collect();
    model.notices.extend(told);
}

/// Without events no rule will run: each says so, and waits for nothing.
pub(super) fn note_absence(model: &mut Model) {
    let dataset = &model.dataset;
    if dataset.info.is_some() || (dataset.root.is_some() && dataset.error.is_none()) {
        return;
    }
    for entry in model.rules.iter_mut().filter(|entry| entry.outcome == Outcome::NotRun) {
        entry.outcome = Outcome::NoEvents;
    }
    model.list.outdated = true;
}

pub(super) fn opened(
    model: &mut Model,
    opened: Result<DatasetInfo, String>,
    change: DatasetChange,
    unfinished: &[Unfinished],
) -> Vec<Effect> {
    model.work.opening = false;
    tell_unfinished(model, unfinished);
    let info = match opened {
        Ok(info) => info,
        Err(error) => {
            model.dataset.error = Some(error);
            age(model);
            note_absence(model);
            // What was asked of the dataset was called off when it was opened anew.
            let work = &mut model.work;
            (work.running, work.matching, work.explaining) = (None, false, false);
            matches::forget_asked(model);
            // No run is left that could take in at its end what has changed meanwhile.
            return open_if_due(model);
        }
    };
    tell_drift(model, &info);
    model.dataset.info = Some(info);
    model.dataset.error = None;
    if change != DatasetChange::None {
        model.dataset.opened = model.generations.dataset;
        if change == DatasetChange::Grown && model.dataset.is_followed() {
            follow::age(model);
        } else {
            age(model);
        }
    }
    if change == DatasetChange::Other {
        // Nothing is left that new matches could be told from.
        model.rules.iter_mut().for_each(|entry| entry.looked = None);
        model.matches.arrived.clear();
    }
    let mut effects = Vec::new();
    if model.matches.stale || model.entry().is_some_and(|entry| !entry.outcome.is_fresh()) {
        effects.extend(request_matches(model));
    }
    effects.extend(run::request(model));
    if change != DatasetChange::None {
        effects.extend(why::refresh(model));
    }
    if model.work.running.is_none() {
        effects.extend(open_if_due(model));
    }
    effects
}

/// Names the first file that is not read yet, once for as long as it is so.
fn tell_unfinished(model: &mut Model, unfinished: &[Unfinished]) {
    let said = unfinished.first().map(|file| {
        let name = file.path.file_name().unwrap_or(file.path.as_os_str()).to_string_lossy();
        let why = text::clip(&file.why, SAID);
        let more = match unfinished.len() {
            1 => String::new(),
            files => format!("; {} more", files - 1),
        };
        format!("not read yet: {name}: {why}{more}")
    });
    if said != model.dataset.unfinished {
        let before = std::mem::replace(&mut model.dataset.unfinished, said.clone());
        model.notices.retain(|notice| Some(notice) != before.as_ref());
        model.notices.extend(said);
    }
}
