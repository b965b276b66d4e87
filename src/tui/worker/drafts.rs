//! New rules, drafted beside the screen.

use std::path::Path;
use std::sync::Arc;

use super::Report;
use crate::authoring::{self, Template};
use crate::backend::CompiledRule;
use crate::evaluate::{self, Cancel, EvalError, WholeEvent};
use crate::pack::Pack;
use crate::store::Store;
use crate::tui::model::Drafted;

/// What new rules are made of.
#[derive(Clone, Debug)]
pub(crate) struct ToDraft {
    /// The rule.
    pub rule: Arc<CompiledRule>,
    /// The pack in use.
    pub pack: Arc<Pack>,
    /// Whether an event is looked for elsewhere.
    pub event: bool,
}

impl ToDraft {
    /// All new rules that need no event; where there is none, why the one that does is missing.
    pub(super) fn answer(&self, generation: u64) -> Report {
        let templates = Template::ALL.into_iter();
        let wanted = templates.filter(|template| *template != Template::Event || !self.event);
        let drafts = wanted.map(|template| (template, drafted(template, &self.rule, None, &self.pack)));
        Report::Drafted { generation, drafts: drafts.collect() }
    }
}

/// The rule that matches an event, by its id; `None` where nobody waits for it.
pub(super) fn of_event(
    generation: u64,
    rule: &CompiledRule,
    id: &str,
    pack: &Pack,
    store: &Store,
    cancel: &Cancel,
) -> Option<Report> {
    let found = match evaluate::whole_events(store, &[id.to_owned()], cancel) {
        Err(EvalError::Cancelled) => return None,
        found => found.map_err(|error| error.to_string()),
    };
    let draft = found.and_then(|events| drafted(Template::Event, rule, events.first(), pack));
    Some(Report::Drafted { generation, drafts: vec![(Template::Event, draft)] })
}

fn drafted(
    template: Template,
    rule: &CompiledRule,
    event: Option<&WholeEvent>,
    pack: &Pack,
) -> Result<Drafted, String> {
    let draft = authoring::draft(template, rule, event, pack).map_err(|error| error.to_string())?;
    let folder = rule.compilation.rule.path.parent().unwrap_or(Path::new("."));
    Ok(Drafted { name: draft.file_name(folder), text: draft.text })
}
