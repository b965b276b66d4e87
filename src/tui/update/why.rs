//! Why the selected rule did or did not match: asked for by hand. How often its fields are filled: asked for with it.

use std::sync::Arc;

use super::{Effect, navigate};
use crate::attribution::Attribution;
use crate::backend::CompiledRule;
use crate::tui::action::Motion;
use crate::tui::model::{Item, Model, Overlay, Pane, RuleEntry, RuleKey, WhyView};
use crate::tui::view::{self, Layout};

/// Opens the Why view on the line of the source's cursor, and asks for what is not known.
pub(super) fn show(model: &mut Model) -> Vec<Effect> {
    let from_source = model.focus == Pane::Source;
    model.overlay = Some(Overlay::Why(WhyView::default()));
    if model.why.fresh().is_none() {
        return ask(model);
    }
    begin(model, from_source);
    Vec::new()
}

/// Another rule is selected: what is under way is of no use, and an open view is about the new one.
pub(super) fn selected(model: &mut Model) -> Vec<Effect> {
    if matches!(model.overlay, Some(Overlay::Why(_))) {
        return ask(model);
    }
    call_off(model)
}

/// Rule, pack or data have changed.
pub(super) fn refresh(model: &mut Model) -> Vec<Effect> {
    model.why.stale = model.why.answer.is_some();
    let mut effects = request_fills(model);
    effects.extend(match &model.overlay {
        Some(Overlay::Why(_)) => ask(model),
        _ => call_off(model),
    });
    effects
}

/// Whether a rule is no longer what it was, so that another answer may be due.
pub(super) fn is_another(before: &RuleEntry, model: &Model) -> bool {
    let Some(now) = model.entry() else { return true };
    let fields = |entry: &RuleEntry| {
        let fields = entry.compiled.as_ref().map(|c| c.compilation.fields.iter());
        fields.into_iter().flatten().map(|f| (f.field.clone(), f.source.clone())).collect::<Vec<_>>()
    };
    let scope = |entry: &RuleEntry| {
        let scope = entry.compiled.as_ref()?.compilation.routing.scope.as_ref()?;
        Some((scope.class_uids.clone(), scope.filters.clone()))
    };
    before.rule.text != now.rule.text
        || before.sql_text() != now.sql_text()
        || before.reason() != now.reason()
        || fields(before) != fields(now)
        || scope(before) != scope(now)
}

fn ask(model: &mut Model) -> Vec<Effect> {
    let Some(rule) = wanted(model) else {
        let said = "no events: start with --parquet DIR to see why a rule matches or not".to_owned();
        model.why.answer = Some(Err(said));
        return call_off(model);
    };
    model.generations.why += 1;
    model.work.explaining = true;
    vec![Effect::Explain { generation: model.generations.why, rule: Some(rule) }]
}

fn call_off(model: &mut Model) -> Vec<Effect> {
    if !model.work.explaining {
        return Vec::new();
    }
    model.work.explaining = false;
    model.generations.why += 1;
    vec![Effect::Explain { generation: model.generations.why, rule: None }]
}

/// Asks how often the selected rule's fields are filled. Until that is known, what was known stays.
pub(super) fn request_fills(model: &mut Model) -> Vec<Effect> {
    model.generations.fills += 1;
    let routed = |rule: &CompiledRule| rule.compilation.routing.scope.is_some();
    let rule = wanted(model).filter(|(_, rule)| routed(rule));
    if rule.is_none() {
        model.fills = None;
    }
    vec![Effect::Fill { generation: model.generations.fills, rule }]
}

/// The selected rule, where there are events to ask about it.
fn wanted(model: &Model) -> Option<(RuleKey, Arc<CompiledRule>)> {
    let entry = model.entry().filter(|_| model.dataset.info.is_some())?;
    Some((entry.key.clone(), Arc::clone(entry.compiled.as_ref()?)))
}

/// It is known why the selected rule did or did not match.
pub(super) fn explained(model: &mut Model, found: Result<Arc<Attribution>, String>) {
    let first = model.why.known().is_none();
    model.work.explaining = false;
    model.why.answer = Some(found);
    model.why.stale = false;
    if first {
        begin(model, model.focus == Pane::Source);
    }
    clamp(model);
    navigate::settle(model);
}

/// Puts the cursor where it is of most use.
fn begin(model: &mut Model, from_source: bool) {
    let on_line = from_source.then(|| model.why.item_on(model.cursor_line)).flatten();
    let at = on_line.unwrap_or_else(|| model.why.item_to_begin_with());
    put(model, at);
}

fn clamp(model: &mut Model) {
    let last = model.why.items().len().saturating_sub(1);
    if let Some(Overlay::Why(open)) = &mut model.overlay {
        open.cursor = open.cursor.min(last);
    }
}

/// Puts the cursor on an item, and the source's cursor on its line.
fn put(model: &mut Model, at: usize) {
    let Some(Overlay::Why(open)) = &mut model.overlay else { return };
    (open.cursor, open.scroll) = (at, 0);
    if let Some(place) = model.why.items().get(at).and_then(Item::place) {
        model.cursor_line = place.line;
        navigate::follow(model);
        navigate::settle(model);
    }
}

/// Puts the cursor on what stands on the source's line, where anything does.
fn follow_source(model: &mut Model) {
    let at = model.why.item_on(model.cursor_line);
    if let (Some(Overlay::Why(open)), Some(at)) = (&mut model.overlay, at) {
        (open.cursor, open.scroll) = (at, 0);
    }
}

/// Moves the cursor, or scrolls the details.
pub(super) fn go(model: &mut Model, motion: Motion) -> Vec<Effect> {
    let Some(Overlay::Why(open)) = model.overlay else { return Vec::new() };
    let last = model.why.items().len().saturating_sub(1);
    match motion {
        Motion::Pages(_) | Motion::HalfPages(_) => {
            let (lines, page) = view::details_extent(model, open);
            let scroll = navigate::target(open.scroll, lines.saturating_sub(page), page, motion);
            model.overlay = Some(Overlay::Why(WhyView { scroll, ..open }));
        }
        _ if open.in_source && view::why_beside(model) => {
            let effects = navigate::move_in(model, Pane::Source, motion);
            follow_source(model);
            return effects;
        }
        _ => put(model, navigate::target(open.cursor, last, 1, motion)),
    }
    Vec::new()
}

/// Gives the keys to the source beside the view, or back.
pub(super) fn toggle_source(model: &mut Model) {
    if let Some(Overlay::Why(open)) = &mut model.overlay {
        open.in_source = !open.in_source;
    }
}

/// Leaves the view for the line of its cursor in the source.
pub(super) fn go_to_source(model: &mut Model) -> Vec<Effect> {
    model.focus = Pane::Source;
    let effects = close(model);
    navigate::settle(model);
    effects
}

pub(super) fn click(model: &mut Model, column: u16, row: u16) {
    let Some(Overlay::Why(open)) = model.overlay else { return };
    let body = Layout::of(model).body(Pane::Source);
    if let Some(at) = view::item_at(model, open, column, row) {
        put(model, at);
    } else if view::why_beside(model) && body.contains((column, row).into()) {
        let at = model.offset(Pane::Source).row + usize::from(row - body.y);
        model.cursor_line = view::line_at_row(model, body, at);
        navigate::settle(model);
        follow_source(model);
    }
}

/// Closes the view. What it has found out stays.
pub(super) fn close(model: &mut Model) -> Vec<Effect> {
    model.overlay = None;
    call_off(model)
}
