//! A new rule: chosen, named, written beside the selected one.

use std::sync::Arc;

use super::{Effect, matches};
use crate::authoring::{NewFile, Template};
use crate::tui::model::{Drafted, Input, Model, NewRule, Overlay, Pane};
use crate::tui::worker::{Rows, ToDraft, Writing};

/// Whether there is a rule to make another one of.
pub(crate) fn can_open(model: &Model) -> bool {
    model.pack.loaded.is_some() && model.entry().is_some_and(|entry| entry.compiled.is_some())
}

/// Opens the choice, and asks for what each template gives. Among the matches, the event comes first to mind.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let Some(entry) = model.entry() else { return Vec::new() };
    let (Some(compiled), Some(pack)) = (entry.compiled.clone(), model.pack.loaded.clone()) else {
        return Vec::new();
    };
    let rule = entry.key.clone();
    let event = model.matched_row().filter(|_| compiled.compilation.plan.is_some());
    let event = event.map(|row| Rows::Draft(row.event_id.clone(), Arc::clone(&pack)));
    let from_event = event.and_then(|asked| matches::rows_wanted(model, asked));
    let is_event = |template| template == Template::Event;
    let among_matches = model.focus == Pane::Matches && from_event.is_some();
    let at = Template::ALL.into_iter().position(is_event).filter(|_| among_matches).unwrap_or(0);
    let drafts = Default::default();
    model.overlay = Some(Overlay::NewRule(NewRule {
        rule,
        at,
        name: Input::default(),
        named: false,
        drafts,
        wanted: false,
        failed: None,
    }));
    model.generations.draft += 1;
    let generation = model.generations.draft;
    let event = from_event.is_some();
    let mut effects = vec![Effect::Draft { generation, wanted: ToDraft { rule: compiled, pack, event } }];
    effects.extend(from_event.map(|wanted| Effect::Rows { generation, wanted }));
    effects
}

/// What templates give. One that is waited for is written.
pub(super) fn drafted(model: &mut Model, drafts: Vec<(Template, Result<Drafted, String>)>) -> Vec<Effect> {
    let Some(Overlay::NewRule(open)) = &mut model.overlay else { return Vec::new() };
    for (template, draft) in drafts {
        let places = Template::ALL.into_iter().zip(&mut open.drafts);
        places.filter(|(known, _)| *known == template).for_each(|(_, place)| *place = Some(draft.clone()));
    }
    open.propose_name();
    if open.wanted { write(model) } else { Vec::new() }
}

/// Writes the rule; where its draft is on its way, once that is there.
pub(super) fn write(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::NewRule(open)) = &mut model.overlay else { return Vec::new() };
    open.wanted = open.draft().is_none();
    match open.draft() {
        Some(Ok(draft)) => {
            let folder = open.rule.path.parent().unwrap_or(&open.rule.path).to_path_buf();
            let file = NewFile { folder, name: open.name.text().to_owned(), text: draft.text.clone() };
            open.failed = None;
            vec![Effect::Write(Box::new(Writing::New(file)))]
        }
        Some(Err(_)) | None => Vec::new(),
    }
}
