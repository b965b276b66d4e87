//! A regression case, made of rows of the matches on the session's thread.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::authoring::{self, SAVED_CASE, SavedCase, Selection};
use crate::backend::CompiledRule;
use crate::evaluate::{self, Cancel, EvalError};
use crate::store::Store;

/// Rows of the matches that become a case.
#[derive(Clone, Debug)]
pub(crate) struct ToSave {
    /// The rule.
    pub rule: Arc<CompiledRule>,
    /// What the table calls the rows: events, or windows of a correlation.
    pub rows: BTreeSet<String>,
}

impl ToSave {
    /// Writes the case.
    pub(super) fn save(&self, store: Option<&mut Store>) -> Result<SavedCase, String> {
        let store = store.ok_or_else(|| "the dataset is not open".to_owned())?;
        let cancel = Cancel::never();
        let matching = self.events(store, &cancel).map_err(|error| error.to_string())?;
        let rule = &self.rule.compilation.rule;
        let selection = Selection { rule, name: SAVED_CASE, matching: &matching, not: &[] };
        authoring::save_case(store, &selection, &cancel).map_err(|error| error.to_string())
    }

    /// The events of the rows. A window is known by its events, and they are asked for anew.
    fn events(&self, store: &mut Store, cancel: &Cancel) -> Result<Vec<String>, EvalError> {
        let (Some(plan), Some(sql)) = (&self.rule.compilation.correlation, &self.rule.sql) else {
            return Ok(self.rows.iter().cloned().collect());
        };
        let windows = evaluate::windows(store, plan, sql, cancel)?.into_iter();
        let marked = windows.filter(|window| self.rows.contains(&evaluate::window_name(window)));
        let events: BTreeSet<String> = marked.flat_map(|window| window.event_ids).collect();
        Ok(events.into_iter().collect())
    }
}
