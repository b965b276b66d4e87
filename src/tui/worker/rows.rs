//! What is asked about the matches that are shown: other rows of them, one as a whole, all of them as a file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::query::Wanted;
use super::{Report, drafts};
use crate::bridge::Plan;
use crate::evaluate::{
    self, Cancel, EvalError, Export, ExportError, MatchedParts, Runnable, Slice, Window, WindowEvent,
};
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
    /// The events of a window, by what the table calls it.
    Window(String),
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

/// The events of a window of a correlation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WindowEvents {
    /// The first of them, by time.
    pub events: Vec<WindowEvent>,
    /// How many there are in all.
    pub of: usize,
    /// The titles of the rules that the correlation looks at, in the order that events name them.
    pub rules: Vec<String>,
}

/// A file of matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exported {
    /// The file.
    pub path: PathBuf,
    /// Matches in it.
    pub matches: u64,
}

/// Events of a window that are listed; an export has all their ids.
const LISTED: usize = 1_000;

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
                let parts = told(self.rules_of(store, id, *time, cancel))?;
                let event = event.and_then(|event| self.event(id, event, &parts?));
                Some(Report::Event { generation, event })
            }
            Rows::Window(name) => {
                let found = told(self.window(store, name, cancel))?;
                let gone = || "the dataset no longer has this window; r looks for all again".to_owned();
                let found = found.and_then(|found| found.ok_or_else(gone));
                Some(Report::Window { generation, found })
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
        match Runnable::of(&self.rule.1) {
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
        let at = match Runnable::of(&self.rule.1) {
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

    fn event(&self, id: &str, event: Option<Value>, rules: &[usize]) -> Result<WholeEvent, String> {
        let fields = event.ok_or("the dataset no longer has this event; r reads it again")?;
        let mut parts = MatchedParts::new();
        let plans: Vec<&Plan> = match Runnable::of(&self.rule.1) {
            Some(Runnable::Event(plan, _)) => vec![plan],
            Some(Runnable::Correlation(plan, _)) => {
                rules.iter().filter_map(|at| Some(&plan.rules.get(*at)?.plan)).collect()
            }
            None => Vec::new(),
        };
        for (path, found) in plans.into_iter().flat_map(|plan| evaluate::matched_parts(plan, &fields)) {
            let known = parts.entry(path).or_default();
            for (at, stretches) in found {
                known.entry(at).or_default().extend(stretches);
            }
        }
        let stretches = parts.values_mut().flat_map(BTreeMap::values_mut);
        stretches.for_each(|stretches| stretches.sort_by_key(|stretch| (stretch.start, stretch.end)));
        Ok(WholeEvent { event_id: id.to_owned(), fields, parts })
    }

    /// Of a correlation, its rules that an event matches.
    fn rules_of(
        &self,
        store: &mut Store,
        id: &str,
        time: Option<i64>,
        cancel: &Cancel,
    ) -> Result<Vec<usize>, EvalError> {
        let (Some(Runnable::Correlation(plan, _)), Some(time)) = (Runnable::of(&self.rule.1), time) else {
            return Ok(Vec::new());
        };
        let alone =
            Window { last_seen: time, group: Vec::new(), first_seen: time, event_ids: vec![id.to_owned()] };
        let found = evaluate::window_events(store, plan, &alone, 1, cancel)?;
        Ok(found.into_iter().next().map(|event| event.rules).unwrap_or_default())
    }

    /// The events of a window; `None` where there is none of that name any more. It is looked for anew, as a name of
    /// ids joined is no list of them.
    fn window(
        &self,
        store: &mut Store,
        name: &str,
        cancel: &Cancel,
    ) -> Result<Option<WindowEvents>, EvalError> {
        let Some(Runnable::Correlation(plan, sql)) = Runnable::of(&self.rule.1) else { return Ok(None) };
        let windows = evaluate::windows(store, plan, sql, cancel)?;
        let Some(window) = windows.iter().find(|window| evaluate::window_name(window) == name) else {
            return Ok(None);
        };
        let events = evaluate::window_events(store, plan, window, LISTED, cancel)?;
        let rules = plan.rules.iter().map(|rule| rule.title.clone()).collect();
        Ok(Some(WindowEvents { events, of: window.event_ids.len(), rules }))
    }

    fn export(
        &self,
        store: &mut Store,
        export: Export,
        path: &std::path::Path,
        cancel: &Cancel,
    ) -> Option<Result<Exported, String>> {
        let Some(rule) = Runnable::of(&self.rule.1) else {
            return Some(Err("the rule does not run as it stands".to_owned()));
        };
        match export.to_file(store, rule, path, false, cancel) {
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
