//! A small edit in place: typed, tried unsaved on everything that the panes show, then written or dropped.

use std::sync::Arc;

use super::{Effect, bench, navigate, recompile};
use crate::authoring::{self, FileEdit};
use crate::pack::{AliasScope, alias_yaml};
use crate::sigma::{ProblemKind, SigmaField};
use crate::tui::model::{
    Baseline, EditLine, EditOf, Model, Overlay, Pane, RuleLine, Said, Trial, Unsaved, Warning,
};
use crate::tui::view;
use crate::tui::worker::{NewAlias, Unwritten, Writing};

/// Whether there is something to edit where the keys go.
pub(crate) fn can_begin(model: &Model) -> bool {
    match model.focus {
        Pane::Source => model.entry().is_some(),
        Pane::Route => !fields(model).is_empty(),
        Pane::Rules | Pane::Sql | Pane::Matches => false,
    }
}

/// Opens what is under the cursor: in the source a value of the line, in the route the alias of a field.
pub(super) fn begin(model: &mut Model) {
    match begun(model) {
        Ok(Some(of)) => {
            let said = match &of {
                EditOf::Rule(line) => line.said(),
                EditOf::Alias { alias, .. } => &alias.target,
            };
            let input = said.to_owned().into();
            model.overlay = Some(Overlay::Edit(EditLine { of, input, trying: false, failed: None }));
            show(model);
        }
        Ok(None) => {}
        Err(why) => model.notices.push(why),
    }
}

fn begun(model: &Model) -> Result<Option<EditOf>, String> {
    let of = match model.focus {
        Pane::Source => rule_line(model)?.map(EditOf::Rule),
        Pane::Route => {
            let fields = fields(model);
            let here = model.entry().and_then(|entry| bench::field_on(entry, model.cursor_line));
            let at = here.and_then(|here| fields.iter().position(|field| *field == here)).unwrap_or(0);
            alias(model, fields, at)
        }
        Pane::Rules | Pane::Sql | Pane::Matches => None,
    };
    match (&model.unsaved, &of) {
        (Some(unsaved), Some(of)) if !goes_on(unsaved, of) => {
            Err(format!("{} is unsaved: Ctrl-s writes it, Esc drops it", unsaved.name()))
        }
        _ => Ok(of),
    }
}

/// Whether an edit adds to what is tried. One thing is tried at a time.
fn goes_on(unsaved: &Unsaved, of: &EditOf) -> bool {
    match (&unsaved.trial, of) {
        (Trial::Rule(edit), EditOf::Rule(line)) => *edit.path == *line.key.path,
        (Trial::Alias(tried), EditOf::Alias { alias, .. }) => {
            (&tried.scope, &tried.field) == (&alias.scope, &alias.field)
        }
        _ => false,
    }
}

fn rule_line(model: &Model) -> Result<Option<RuleLine>, String> {
    let Some(entry) = model.entry() else { return Ok(None) };
    if entry.rule.problems.iter().any(|problem| problem.kind == ProblemKind::Unreadable) {
        return Err("this file is no text that can be edited here; e opens it in the editor".to_owned());
    }
    Ok(RuleLine::new(entry.key.clone(), Arc::clone(&entry.rule.text), model.cursor_line))
}

/// The fields of the selected rule, where they are looked up at all, in the order that the route pane has them.
fn fields(model: &Model) -> Vec<SigmaField> {
    let compiled = model.entry().and_then(|entry| entry.compiled.as_ref());
    let compilation = compiled.map(|compiled| &compiled.compilation);
    let routed = compilation.filter(|compilation| compilation.routing.scope.is_some());
    let fields = routed.into_iter().flat_map(|compilation| &compilation.fields);
    fields.map(|field| field.field.clone()).collect()
}

/// The alias of a field as it stands, or where one would.
fn alias(model: &Model, fields: Vec<SigmaField>, at: usize) -> Option<EditOf> {
    let field = fields.get(at)?.clone();
    let tried = model.unsaved.as_ref().and_then(Unsaved::alias).filter(|alias| alias.field == field);
    if let Some(tried) = tried {
        return Some(EditOf::Alias { alias: Box::new(tried.clone()), fields, at });
    }
    let pack = Arc::clone(model.pack.loaded.as_ref()?);
    let compilation = &model.entry()?.compiled.as_ref()?.compilation;
    let found = compilation.fields.iter().find(|known| known.field == field)?;
    let standing = found.place.as_ref().zip(AliasScope::parse(&found.scope).ok());
    let alias = match standing {
        Some((place, scope)) => {
            let aliases = pack.aliases.get(&scope).and_then(|aliases| aliases.get(&field));
            let here = aliases.into_iter().flatten().find(|alias| alias.place.is_on_line_of(place));
            let target = here.map(alias_yaml).unwrap_or_default();
            NewAlias { pack, scope, field, target, place: Some(place.clone()) }
        }
        None => {
            let scope = authoring::scope_of(&compilation.rule.logsource);
            NewAlias { pack, scope, field, target: String::new(), place: None }
        }
    };
    Some(EditOf::Alias { alias: Box::new(alias), fields, at })
}

/// Goes on to another part of the line, or to the alias of another field.
pub(super) fn step(model: &mut Model, forward: bool) {
    let Some(Overlay::Edit(edit)) = &mut model.overlay else { return };
    let by = |of: usize| if forward { 1 } else { of.saturating_sub(1) };
    match &mut edit.of {
        EditOf::Rule(line) => match line.step(edit.input.text(), by(line.parts.len())) {
            Ok(()) => {
                edit.input = line.said().to_owned().into();
                edit.failed = None;
            }
            Err(error) => edit.failed = Some(error.to_string()),
        },
        EditOf::Alias { alias, .. } if alias.target != edit.input.text().trim() => {
            edit.failed = Some("Enter tries this alias first, Esc drops it".to_owned());
        }
        EditOf::Alias { fields, at, .. } => {
            let (fields, at) = (fields.clone(), (*at + by(fields.len())) % fields.len().max(1));
            if let Some(EditOf::Alias { alias, fields, at }) = alias(model, fields, at) {
                let input = alias.target.clone().into();
                let of = EditOf::Alias { alias, fields, at };
                model.overlay = Some(Overlay::Edit(EditLine { of, input, trying: false, failed: None }));
            }
        }
    }
    show(model);
}

/// Scrolls the pane to where the edit is.
fn show(model: &mut Model) {
    if let Some(row) = view::edited_alias_row(model) {
        let page = usize::from(view::Layout::of(model).body(Pane::Route).height);
        let offset = model.offset_mut(Pane::Route);
        // Its notes below, where there is room for them; itself in any case.
        offset.row = offset.row.max((row + 3).saturating_sub(page)).min(row);
    }
    navigate::settle(model);
}

/// Tries what is typed.
pub(super) fn try_out(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Edit(edit)) = &mut model.overlay else { return Vec::new() };
    let typed = edit.input.text();
    let trial = match &edit.of {
        EditOf::Rule(line) => match line.with(typed) {
            Ok(text) => Some(Ok((text, line.key.clone(), line.line))),
            Err(error) => {
                edit.failed = Some(error.to_string());
                return Vec::new();
            }
        },
        EditOf::Alias { .. } if typed.trim().is_empty() => {
            edit.failed = Some("write a path such as process.cmd_line, or {expr: …}".to_owned());
            return Vec::new();
        }
        EditOf::Alias { alias, .. } if typed.trim() == alias.target => None,
        EditOf::Alias { alias, .. } => {
            Some(Err(NewAlias { target: typed.trim().to_owned(), ..(**alias).clone() }))
        }
    };
    match trial {
        Some(Ok((text, key, line))) => try_rule(model, &text, &key.path, line),
        Some(Err(alias)) => begin_trial(model, Trial::Alias(Arc::new(alias))),
        None => {
            model.overlay = None;
            Vec::new()
        }
    }
}

fn try_rule(model: &mut Model, text: &str, path: &std::path::Path, line: u32) -> Vec<Effect> {
    let Some(entry) = model.entry() else { return Vec::new() };
    if *entry.rule.text == *text {
        model.overlay = None;
        return Vec::new();
    }
    let tried = model.unsaved.as_ref().and_then(Unsaved::rule);
    let before = tried.map_or(Some(entry.rule.text.to_string()), |edit| edit.before.clone());
    if before.as_deref() == Some(text) {
        model.overlay = None;
        return drop_trial(model);
    }
    let edit = FileEdit { path: path.to_path_buf(), before, after: text.to_owned(), line };
    begin_trial(model, Trial::Rule(Arc::new(edit)))
}

/// The panes will show it; how things stood is remembered from before the first one.
fn begin_trial(model: &mut Model, trial: Trial) -> Vec<Effect> {
    let before = match model.unsaved.take() {
        Some(unsaved) => unsaved.before,
        None => Baseline::of(model),
    };
    model.unsaved = Some(Unsaved { trial, before, effect: "…".to_owned(), writing: false, warned: None });
    if let Some(Overlay::Edit(edit)) = &mut model.overlay {
        edit.trying = true;
        edit.failed = None;
    }
    recompile(model)
}

/// The rules are compiled with what is tried, or without it and why.
pub(super) fn tried(model: &mut Model, refused: Option<String>) {
    if let Some(Overlay::Edit(edit)) = &mut model.overlay
        && edit.trying
    {
        edit.trying = false;
        edit.failed.clone_from(&refused);
        if refused.is_none() {
            model.overlay = None;
        }
    }
    if let Some(why) = refused {
        model.unsaved = None;
        model.notices.push(format!("not tried: {why}"));
    }
}

/// Says anew what the trial does.
pub(super) fn refresh(model: &mut Model) {
    if let Some(effect) = model.trial_effect()
        && let Some(unsaved) = &mut model.unsaved
    {
        unsaved.effect = effect;
    }
}

/// Closes the line that is typed; what is being tried of it is dropped as well.
pub(super) fn close(model: &mut Model) -> Vec<Effect> {
    match model.overlay.take() {
        Some(Overlay::Edit(edit)) if edit.trying => drop_trial(model),
        _ => Vec::new(),
    }
}

/// Shows everything as it is on disk again.
pub(super) fn drop_trial(model: &mut Model) -> Vec<Effect> {
    match model.unsaved.take() {
        Some(unsaved) => {
            model.notices.push(format!("{} is as it was", unsaved.name()));
            recompile(model)
        }
        None => Vec::new(),
    }
}

/// Writes what is tried, after trying what is still being typed.
pub(super) fn save(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    if matches!(&model.overlay, Some(Overlay::Edit(edit)) if !edit.trying) {
        effects = try_out(model);
        if matches!(&model.overlay, Some(Overlay::Edit(edit)) if edit.failed.is_some()) {
            return effects;
        }
    }
    let Some(unsaved) = model.unsaved.as_mut().filter(|unsaved| !unsaved.writing) else { return effects };
    unsaved.writing = true;
    let writing = match &unsaved.trial {
        Trial::Rule(edit) => Writing::Rule(Arc::clone(edit), unsaved.warned == Some(Warning::Broken)),
        Trial::Alias(alias) => Writing::Alias(Arc::clone(alias)),
    };
    effects.push(Effect::Write(Box::new(writing)));
    effects
}

/// It was not written: says why, where it was asked for.
pub(super) fn not_written(model: &mut Model, why: Unwritten) {
    let writing = model.unsaved.as_mut().filter(|unsaved| unsaved.writing);
    let why = match (why, writing) {
        (Unwritten::Broken(why), Some(unsaved)) => {
            unsaved.writing = false;
            unsaved.warned = Some(Warning::Broken);
            format!("not written, the rule would not be read ({why}); Ctrl-s again writes it all the same")
        }
        (Unwritten::Broken(why) | Unwritten::Because(why), writing) => {
            if let Some(unsaved) = writing {
                unsaved.writing = false;
            }
            why
        }
    };
    match &mut model.overlay {
        Some(Overlay::Proposals(open)) => open.said = Some(Said::Failed(why)),
        Some(Overlay::Edit(edit)) => edit.failed = Some(why),
        Some(Overlay::NewRule(open)) => open.failed = Some(why),
        _ => model.notices.push(why),
    }
}

/// Leaves, unless something would be lost that was not said yet.
pub(super) fn quit(model: &mut Model) -> Vec<Effect> {
    match &mut model.unsaved {
        Some(unsaved) if unsaved.warned != Some(Warning::Lost) => {
            unsaved.warned = Some(Warning::Lost);
            let name = unsaved.name();
            model.notices.push(format!("{name} is unsaved: Ctrl-s writes it, leaving again drops it"));
            Vec::new()
        }
        _ => vec![Effect::Quit],
    }
}
