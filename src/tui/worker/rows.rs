//! What is asked about the matches that are shown: other rows of them, one as a whole, all of them as a file.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::query::{Runnable, Wanted, runnable};
use super::{Report, drafts};
use crate::evaluate::{self, Cancel, EvalError, Export, ExportError, MatchedParts, Slice};
use crate::pack::Pack;
use crate::store::Store;

/// Something about a rule's matches.
#[derive(Clone, Debug)]
pub(crate) struct RowsWanted {
    /// The rule.
    pub rule: Wanted,
    /// What of them.
    pub asked: Rows,
}

/// What is asked about a rule's matches.
#[derive(Clone, Debug)]
pub(crate) enum Rows {
    /// Other rows.
    Slice(Slice),
    /// The rows around one, by its id, where its place is not known: as many before it as the slice begins with.
    Around(Slice, String),
    /// One event, by its id and time.
    Event(String, Option<i64>),
    /// A new rule that matches one of them, by its id.
    Draft(String, Arc<Pack>),
    /// All of them, as a file.
    Export(Box<(Export, PathBuf)>),
}

/// An event with all that it holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct WholeEvent {
    /// Its id.
    pub event_id: String,
    /// Its fields, nested by dotted path.
    pub fields: Value,
    /// What of it satisfies tests of the rule.
    pub parts: MatchedParts,
}

/// A file of matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exported {
    /// The file.
    pub path: PathBuf,
    /// Matches in it.
    pub matches: u64,
}

impl RowsWanted {
    /// The answer; `None` where nobody waits for it.
    pub(super) fn answer(&self, generation: u64, store: &mut Store, cancel: &Cancel) -> Option<Report> {
        match &self.asked {
            Rows::Slice(slice) => {
                let rows = told(self.slice(store, *slice, cancel))?;
                Some(Report::Rows { generation, slice: *slice, rows })
            }
            Rows::Around(slice, id) => {
                let (slice, rows) = told(self.around(store, *slice, id, cancel))?
                    .map_or_else(|error| (*slice, Err(error)), |(slice, rows)| (slice, Ok(rows)));
                Some(Report::Rows { generation, slice, rows })
            }
            Rows::Event(id, time) => {
                let event = told(evaluate::whole_event(store, id, *time, cancel))?;
                let event = event.and_then(|event| self.event(id, event));
                Some(Report::Event { generation, event })
            }
            Rows::Draft(id, pack) => drafts::of_event(generation, &self.rule.1, id, pack, store, cancel),
            Rows::Export(wanted) => self.export(store, wanted.0, &wanted.1, cancel).map(Report::Exported),
        }
    }

    fn slice(
        &self,
        store: &mut Store,
        slice: Slice,
        cancel: &Cancel,
    ) -> Result<Vec<evaluate::MatchRow>, EvalError> {
        match runnable(&self.rule.1) {
            Some(Runnable::Event(plan, sql)) => evaluate::match_rows(store, plan, sql, slice, cancel),
            Some(Runnable::Correlation(plan, sql)) => {
                Ok(evaluate::window_rows(&evaluate::windows(store, plan, sql, cancel)?, slice))
            }
            None => Ok(Vec::new()),
        }
    }

    fn around(
        &self,
        store: &mut Store,
        slice: Slice,
        id: &str,
        cancel: &Cancel,
    ) -> Result<(Slice, Vec<evaluate::MatchRow>), EvalError> {
        let at = match runnable(&self.rule.1) {
            Some(Runnable::Event(plan, sql)) => evaluate::row_of(store, (plan, sql), slice, id, cancel)?,
            Some(Runnable::Correlation(plan, sql)) => {
                let windows = evaluate::windows(store, plan, sql, cancel)?;
                let all = Slice { first: 0, limit: windows.len(), ..slice };
                evaluate::window_rows(&windows, all).iter().position(|row| row.event_id == id)
            }
            None => None,
        };
        let slice = Slice { first: at.unwrap_or(0).saturating_sub(slice.first), ..slice };
        Ok((slice, self.slice(store, slice, cancel)?))
    }

    fn event(&self, id: &str, event: Option<Value>) -> Result<WholeEvent, String> {
        let fields = event.ok_or("the dataset no longer has this event; r reads it again")?;
        let plan = self.rule.1.compilation.plan.as_ref();
        let parts = plan.map(|plan| evaluate::matched_parts(plan, &fields)).unwrap_or_default();
        Ok(WholeEvent { event_id: id.to_owned(), fields, parts })
    }

    fn export(
        &self,
        store: &mut Store,
        export: Export,
        path: &std::path::Path,
        cancel: &Cancel,
    ) -> Option<Result<Exported, String>> {
        let Some(Runnable::Event(plan, sql)) = runnable(&self.rule.1) else {
            return Some(Err("only matches of an event rule can be exported".to_owned()));
        };
        match export.to_file(store, (plan, sql), path, false, cancel) {
            Ok(matches) => Some(Ok(Exported { path: path.to_path_buf(), matches })),
            Err(ExportError::Eval(EvalError::Cancelled)) => None,
            Err(error) => Some(Err(error.to_string())),
        }
    }
}

fn told<T>(found: Result<T, EvalError>) -> Option<Result<T, String>> {
    match found {
        Err(EvalError::Cancelled) => None,
        found => Some(found.map_err(|error| error.to_string())),
    }
}
