//! What workers say. An answer to anything but the newest request is dropped here.

use std::sync::Arc;

use super::{
    Effect, bench, cases, coverage, dataset, follow, history, in_place, list, live, navigate, new_rule,
    request_colours, request_matches, run, why,
};
use crate::evaluate::{MatchTable, Summary};
use crate::tui::keymap::{self, Keymap};
use crate::tui::memory;
use crate::tui::model::{self, Loaded, Model, Outcome, PackState, RuleEntry, RuleKey};
use crate::tui::worker::{PackReport, Report};

pub(super) fn accept(model: &mut Model, report: Report) -> Vec<Effect> {
    let newest = model.generations;
    let effects = match report {
        Report::Compiled { generation, rules, pack, gone, refused } if generation == newest.compile => {
            model.gone = gone;
            in_place::tried(model, refused);
            compiled(model, rules, pack)
        }
        Report::Dataset { generation, opened, change, unfinished } if generation == newest.dataset => {
            dataset::opened(model, opened, change, &unfinished)
        }
        Report::Matches { generation, rule, table } if generation == newest.matches => {
            matches(model, rule, table)
        }
        Report::Arrived { generation, ids } if generation == newest.matches => {
            live::arrived(model, ids);
            Vec::new()
        }
        Report::Rows { generation, slice, rows } if generation == newest.rows => {
            super::matches::arrived(model, slice, rows);
            Vec::new()
        }
        Report::Event { generation, event } if generation == newest.event => {
            super::event::arrived(model, event)
        }
        Report::Window { generation, found } if generation == newest.event => {
            super::window::arrived(model, found);
            Vec::new()
        }
        Report::Exported(exported) => {
            super::export::ended(model, exported);
            Vec::new()
        }
        Report::Summary { generation, rule, summary } if generation == newest.summaries => {
            counted(model, &rule, summary);
            dataset::open_if_ripe(model)
        }
        Report::Recalled { generation, counts } if generation == newest.summaries => {
            recalled(model, counts);
            dataset::open_if_ripe(model)
        }
        Report::Followed { generation, found } if generation == newest.live => follow::took(model, found),
        Report::SummariesDone { generation } if generation == newest.summaries => {
            model.work.running = None;
            let mut effects = counts_changed(model);
            effects.extend(dataset::open_if_due(model));
            effects
        }
        Report::Gaps { generation, away } if generation == newest.gaps => {
            coverage::found(model, away);
            Vec::new()
        }
        Report::Proposed { generation, bench } if generation == newest.bench => {
            bench::proposed(model, bench);
            Vec::new()
        }
        Report::Tried { generation, outcome } if generation == newest.bench => {
            bench::tried(model, outcome);
            Vec::new()
        }
        Report::Explained { generation, found } if generation == newest.why => {
            why::explained(model, found);
            Vec::new()
        }
        Report::Filled { generation, fills } if generation == newest.fills => {
            model.fills = fills;
            navigate::settle(model);
            Vec::new()
        }
        Report::Written(written) => history::written(model, written),
        Report::Undone(undone) => history::undone(model, undone),
        Report::Redone(redone) => history::redone(model, redone),
        Report::Drafted { generation, drafts } if generation == newest.draft => {
            new_rule::drafted(model, drafts)
        }
        Report::SparkSays { generation, said } if generation == newest.spark => {
            model.spark.running = Some(said);
            Vec::new()
        }
        Report::SparkEnded { generation, outcome } if generation == newest.spark => {
            super::spark::ended(model, outcome);
            Vec::new()
        }
        Report::Saved(saved) => {
            cases::saved(model, saved);
            Vec::new()
        }
        Report::Highlighted(highlighted) => {
            model.highlights.insert(highlighted);
            Vec::new()
        }
        Report::Keys { keymap, findings } => {
            rebound(model, keymap, &findings);
            Vec::new()
        }
        Report::Notice(notice) => {
            model.notices.push(notice);
            Vec::new()
        }
        _ => Vec::new(),
    };
    in_place::refresh(model);
    if !model.work.is_under_way() {
        model.work.mentioned = false;
    }
    effects
}

/// What follows from other counts.
pub(super) fn counts_changed(model: &mut Model) -> Vec<Effect> {
    let mut effects = list::arrange(model, true);
    bench::refresh_changes(model);
    coverage::recount(model);
    effects.extend(live::tell(model));
    effects
}

/// Takes over keys; what was wrong with the file before is forgotten. Of what is wrong with it now, the first is shown.
fn rebound(model: &mut Model, keymap: Option<Keymap>, findings: &[keymap::Finding]) {
    model.notices.retain(|notice| !notice.starts_with(keymap::FILE));
    model.notices.extend(findings.iter().rev().map(ToString::to_string));
    if let Some(keymap) = keymap {
        model.keymap = keymap;
    }
}

/// Takes over the rules: what has not changed keeps its outcome, the selection stays on its rule.
fn compiled(model: &mut Model, rules: Vec<Loaded>, pack: PackReport) -> Vec<Effect> {
    model.work.compiling = false;
    model.loaded = true;
    model.pack =
        PackState { info: pack.info, loaded: pack.loaded, errors: pack.errors, warnings: pack.warnings };
    let selected = model.entry().cloned();
    let first = model.rules.is_empty();
    let (entries, stayed) = model::succeed(std::mem::take(&mut model.rules), rules);
    model.list.learn(&stayed, &entries);
    model.rules = entries;
    dataset::note_absence(model);
    if first {
        bench::set_baseline(model);
    }
    bench::refresh_changes(model);
    let mut effects = list::arrange(model, true);
    if let Some(key) = memory::wanted_rule(model) {
        effects.extend(list::go_to(model, key));
    }
    effects.extend(coverage::refresh(model));
    effects.extend(refresh_selected(model, selected.as_ref()));
    effects.extend(history::arrived(model));
    // Before the matches are asked for: most counts may be known, and are told in a moment.
    effects.splice(0..0, run::request(model));
    effects
}

/// The selected rule may have another text, or other SQL.
fn refresh_selected(model: &mut Model, before: Option<&RuleEntry>) -> Vec<Effect> {
    let (Some(before), Some(now)) = (before, model.entry()) else { return Vec::new() };
    if before.key != now.key {
        return Vec::new();
    }
    let same_text = before.rule.text == now.rule.text;
    let same_sql = before.sql_text() == now.sql_text();
    let executable = now.is_executable();
    let mut effects = Vec::new();
    if !same_sql || !now.outcome.is_fresh() {
        model.matches.stale = model.matches.table.is_some();
        if !executable && model.entry().is_some_and(|entry| entry.last_good.is_none()) {
            model.matches.table = None;
        }
        effects.extend(request_matches(model));
    }
    if !same_text {
        let had_cursor = model.cursor_line;
        match model.entry().map(RuleEntry::is_unreadable) {
            Some(true) => navigate::to_first_finding(model),
            _ => model.cursor_line = had_cursor,
        }
    }
    if why::is_another(before, model) {
        effects.extend(why::refresh(model));
    }
    navigate::settle(model);
    effects.extend(request_colours(model));
    effects
}

fn matches(model: &mut Model, rule: RuleKey, table: Result<MatchTable, String>) -> Vec<Effect> {
    model.work.matching = false;
    let mut anchor = None;
    match table {
        Ok(table) => {
            let summary = table.summary;
            if !follow::decides(model, &rule, summary) {
                took(model, &rule, Outcome::Ran { summary, stale: false });
            }
            anchor = live::anchor(model);
            learn(model, &rule);
            model.matches.table = Some(Arc::new(table));
            model.matches.stale = false;
            model.matches.error = None;
        }
        Err(error) => {
            if !follow::is_followed(model, &rule) {
                took(model, &rule, Outcome::Failed(error.clone()));
            }
            model.matches.error = Some(error);
            model.matches.stale = true;
        }
    }
    model.list.outdated = true;
    model.matches.rule = Some(rule);
    let mut effects = live::keep_place(model, anchor);
    navigate::settle(model);
    effects.extend(follow::catch_up(model));
    effects
}

fn took(model: &mut Model, rule: &RuleKey, outcome: Outcome) {
    let moment = model.dataset.moment();
    if let Some(entry) = model.entry_mut(rule) {
        entry.counted(outcome, moment);
    }
}

fn counted(model: &mut Model, rule: &RuleKey, summary: Result<Summary, String>) {
    if let Some((done, of)) = &mut model.work.running {
        *done = (*done + 1).min(*of);
    }
    let outcome = match summary {
        Ok(summary) => Outcome::Ran { summary, stale: false },
        Err(message) => Outcome::Failed(message),
    };
    took(model, rule, outcome);
    learn(model, rule);
    model.list.outdated = true;
}

/// Takes in the counts of many rules at once.
fn recalled(model: &mut Model, counts: Vec<(RuleKey, Summary)>) {
    if let Some((done, of)) = &mut model.work.running {
        *done = (*done + counts.len()).min(*of);
    }
    let moment = model.dataset.moment();
    let Model { rules, baseline, .. } = model;
    let mut next = 0;
    for (rule, summary) in counts {
        // Mostly the next one: to look for it takes longer than all else.
        let at = match rules.get(next) {
            Some(entry) if entry.key == rule => Ok(next),
            _ => rules.binary_search_by(|entry| entry.key.cmp(&rule)),
        };
        if let Some((at, entry)) = at.ok().and_then(|at| Some((at, rules.get_mut(at)?))) {
            entry.counted(Outcome::Ran { summary, stale: false }, moment);
            next = at + 1;
        }
    }
    baseline.learn_all(rules);
    model.list.outdated = true;
}

/// The baseline takes the first count that a rule has.
pub(super) fn learn(model: &mut Model, rule: &RuleKey) {
    let Model { rules, baseline, .. } = model;
    if let Some(entry) = rules.binary_search_by(|entry| entry.key.cmp(rule)).ok().and_then(|at| rules.get(at))
    {
        baseline.learn(entry);
    }
}
