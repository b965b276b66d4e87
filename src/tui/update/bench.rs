//! The author's bench on the screen: proposals for a field, writing one and taking it back, changes since the baseline.

use std::sync::Arc;

use super::{Effect, list, navigate};
use crate::bridge::Resolution;
use crate::pack::AliasScope;
use crate::sigma::SigmaField;
use crate::tui::action::Motion;
use crate::tui::model::{
    Answer, Baseline, Bench, ChangesView, Model, Overlay, Pane, Proposals, RuleEntry, RuleKey, Said,
};
use crate::tui::view;
use crate::tui::worker::{Ask, NewAlias, Question, Writing};

/// Opens the proposals for the field on the cursor's line, else for the first one without an alias.
pub(super) fn propose(model: &mut Model) -> Vec<Effect> {
    let line = model.linked_line();
    let field = line.and_then(|line| field_on(model.entry()?, line));
    open(model, field.as_ref())
}

/// Opens the proposals for a field of the selected rule.
pub(super) fn propose_for(model: &mut Model, field: &SigmaField) -> Vec<Effect> {
    open(model, Some(field))
}

fn open(model: &mut Model, field: Option<&SigmaField>) -> Vec<Effect> {
    let Some(entry) = model.entry() else { return Vec::new() };
    let fields = fields(entry);
    if fields.is_empty() {
        return Vec::new();
    }
    let at = field.and_then(|field| fields.iter().position(|f| f == field)).unwrap_or(0);
    let rule = entry.key.clone();
    let answer = Answer::Waiting;
    model.overlay = Some(Overlay::Proposals(Proposals { rule, fields, at, answer, cursor: 0, said: None }));
    ask(model, Ask::Proposals)
}

/// Whether the selected rule has fields to propose anything for.
pub(crate) fn can_propose(model: &Model) -> bool {
    model.pack.loaded.is_some() && model.entry().is_some_and(|entry| !fields(entry).is_empty())
}

/// The rule's fields: those without an alias first, each part in byte order.
fn fields(entry: &RuleEntry) -> Vec<SigmaField> {
    let Some(compiled) = &entry.compiled else { return Vec::new() };
    if compiled.compilation.routing.scope.is_none() {
        return Vec::new();
    }
    let mut fields: Vec<_> = compiled.compilation.fields.iter().collect();
    fields.sort_by_key(|field| field.resolution != Resolution::Unmapped);
    fields.into_iter().map(|field| field.field.clone()).collect()
}

pub(super) fn field_on(entry: &RuleEntry, line: u32) -> Option<SigmaField> {
    let fields = &entry.compiled.as_ref()?.compilation.fields;
    let field = fields.iter().find(|field| field.uses.iter().any(|span| span.touches_line(line)))?;
    Some(field.field.clone())
}

/// Goes on to the next of the rule's fields.
pub(super) fn next_field(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Proposals(open)) = &mut model.overlay else { return Vec::new() };
    open.at = (open.at + 1) % open.fields.len().max(1);
    open.cursor = 0;
    open.said = None;
    open.answer = Answer::Waiting;
    ask(model, Ask::Proposals)
}

fn ask(model: &mut Model, ask: Ask) -> Vec<Effect> {
    let Some(question) = question(model, ask) else { return Vec::new() };
    model.generations.bench += 1;
    model.work.proposing = true;
    vec![Effect::Bench { generation: model.generations.bench, question: Some(Box::new(question)) }]
}

fn question(model: &Model, ask: Ask) -> Option<Question> {
    let Some(Overlay::Proposals(open)) = &model.overlay else { return None };
    let entry = model.rules.iter().find(|entry| entry.key == open.rule)?;
    Some(Question {
        pack: Arc::clone(model.pack.loaded.as_ref()?),
        compiled: model.rules.iter().filter_map(|entry| entry.compiled.clone()).collect(),
        rule: Arc::clone(entry.compiled.as_ref()?),
        field: open.field()?.clone(),
        ask,
    })
}

/// Tries the proposal under the cursor on all rules.
pub(super) fn try_out(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Proposals(open)) = &mut model.overlay else { return Vec::new() };
    let Some(target) = open.selected().map(|row| row.proposal.target.clone()) else { return Vec::new() };
    open.said = None;
    ask(model, Ask::TryOut(target))
}

/// Writes the proposal under the cursor into the pack.
pub(super) fn write(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Proposals(open)) = &mut model.overlay else { return Vec::new() };
    let (Answer::Ready(bench), Some(row)) = (&open.answer, open.selected()) else { return Vec::new() };
    if row.in_use {
        open.said = Some(Said::Failed("this is what the pack has".to_owned()));
        return Vec::new();
    }
    let (Ok(scope), Some(field), Some(pack)) =
        (AliasScope::parse(&bench.scope), open.field(), &model.pack.loaded)
    else {
        return Vec::new();
    };
    let target = row.proposal.target.clone();
    let alias = NewAlias { pack: Arc::clone(pack), scope, field: field.clone(), target, place: None };
    vec![Effect::Write(Box::new(Writing::Alias(Arc::new(alias))))]
}

pub(super) fn proposed(model: &mut Model, bench: Result<Bench, String>) {
    model.work.proposing = false;
    if let Some(Overlay::Proposals(open)) = &mut model.overlay {
        open.answer = bench.map_or_else(Answer::Failed, |bench| Answer::Ready(Arc::new(bench)));
        open.cursor = 0;
    }
}

pub(super) fn tried(model: &mut Model, outcome: Result<String, String>) {
    model.work.proposing = false;
    if let Some(Overlay::Proposals(open)) = &mut model.overlay {
        open.said = Some(outcome.map_or_else(Said::Failed, Said::Done));
    }
}

/// Closes what is shown over the panes, and calls off what it waits for.
pub(super) fn close(model: &mut Model) -> Vec<Effect> {
    model.overlay = None;
    if !model.work.proposing {
        return Vec::new();
    }
    model.work.proposing = false;
    model.generations.bench += 1;
    vec![Effect::Bench { generation: model.generations.bench, question: None }]
}

/// Moves the cursor of what is shown over the panes.
pub(super) fn move_cursor(model: &mut Model, motion: Motion) {
    let (lines, page) = view::overlay_extent(model);
    let at = match &model.overlay {
        Some(Overlay::Proposals(open)) => open.cursor,
        Some(Overlay::Changes(open)) => open.cursor,
        Some(Overlay::Event(open)) => open.cursor,
        Some(Overlay::Window(open)) => open.cursor,
        Some(Overlay::Coverage(open)) => open.stops().position(|stop| stop == open.cursor).unwrap_or(0),
        Some(Overlay::Palette(open)) => open.cursor,
        Some(Overlay::Welcome(open)) => open.cursor,
        Some(Overlay::NewRule(open)) => open.at,
        Some(Overlay::Export(_) | Overlay::Why(_) | Overlay::Edit(_)) | None => return,
    };
    move_to(model, navigate::target(at, lines.saturating_sub(1), page, motion));
}

/// Puts the cursor of what is shown over the panes on a line.
pub(super) fn move_to(model: &mut Model, line: usize) {
    match &mut model.overlay {
        Some(Overlay::Proposals(open)) => {
            open.cursor = line;
            open.said = None;
        }
        Some(Overlay::Changes(open)) => open.cursor = line,
        Some(Overlay::Event(open)) => open.cursor = line,
        Some(Overlay::Window(open)) => open.cursor = line,
        Some(Overlay::Coverage(open)) => {
            let stop = open.stops().nth(line);
            open.cursor = stop.unwrap_or(open.cursor);
        }
        Some(Overlay::Palette(open)) => open.cursor = line,
        Some(Overlay::Welcome(open)) => open.cursor = line,
        Some(Overlay::NewRule(open)) => {
            open.at = line;
            open.wanted = false;
            open.failed = None;
            open.propose_name();
        }
        Some(Overlay::Export(_) | Overlay::Why(_) | Overlay::Edit(_)) | None => {}
    }
}

/// Opens what has changed since the baseline.
pub(super) fn show_changes(model: &mut Model) {
    let changes = Arc::new(model.changes());
    model.overlay = Some(Overlay::Changes(ChangesView { changes, cursor: 0 }));
}

/// Rules, pack or counts have changed under the open changes.
pub(super) fn refresh_changes(model: &mut Model) {
    if !matches!(model.overlay, Some(Overlay::Changes(_))) {
        return;
    }
    let now = Arc::new(model.changes());
    if let Some(Overlay::Changes(open)) = &mut model.overlay {
        open.changes = now;
    }
    move_cursor(model, Motion::Lines(0));
}

/// Selects the rule under the cursor of the changes.
pub(super) fn go_to_change(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Changes(open)) = &model.overlay else { return Vec::new() };
    let statements = open.changes.packs.routes.len() + open.changes.packs.aliases.len();
    let rule = open.cursor.checked_sub(statements).and_then(|at| open.changes.rules.get(at));
    let Some(key) = rule.map(|rule| RuleKey { path: rule.path.as_path().into(), document: rule.document })
    else {
        return Vec::new();
    };
    if !model.rules.iter().any(|entry| entry.key == key) {
        return Vec::new();
    }
    model.overlay = None;
    model.focus = Pane::Source;
    list::go_to(model, key)
}

/// Measures changes from how things stand now.
pub(super) fn set_baseline(model: &mut Model) {
    model.baseline = Baseline::of(model);
    refresh_changes(model);
}
