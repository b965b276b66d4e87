//! A rule asked of a case's events, by both backends, and what the case says of the answer.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Map, Value};

use super::model::{CaseEvents, Expected, HashedFile, Ids, RuleCase};
use crate::authoring::Failure;
use crate::authoring::cases::{Answer, Answers, CasesError, event_line, scope_only};
use crate::backend::{BackendId, CompiledRule};
use crate::bridge::{CorrelationPlan, Plan};
use crate::bundle::canonical;
use crate::evaluate::{self, Cancel, EvalError};
use crate::ocsf::OCSF_VERSION;
use crate::pack::PackPlace;
use crate::sigma::Span;
use crate::store::{Dataset, SessionSettings, Store, StoreError};

/// What the backends say of a case's events.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The ids of all events.
    all: BTreeSet<String>,
    /// Those that match, or are of a window, by `duckdb_sql`.
    pub(super) matched: BTreeSet<String>,
    /// Matches, or windows.
    matches: u64,
    /// Those that the rule's route does not take, as far as that was asked.
    out_of_scope: BTreeSet<String>,
    /// What the interpreter says otherwise: the subject, and what both say.
    disagreements: Vec<(String, String)>,
}

/// What came of asking.
#[derive(Debug)]
pub(super) enum Outcome {
    Found(Found),
    /// The rule is refused, or could not be run.
    Failed(String),
    /// The events are no OCSF events: why not.
    NotOcsf(String),
}

/// Asks each rule of the events of its case. The outcomes are in the order given.
pub(super) fn ask(cases: &[(&CompiledRule, &RuleCase)]) -> Result<Vec<Outcome>, CasesError> {
    // Single events of all cases are looked at together, as each dataset costs a session of DuckDB.
    let mut questions: Vec<(usize, &str, &Plan, Map<String, Value>)> = Vec::new();
    for (at, (rule, case)) in cases.iter().enumerate() {
        if let (Some(plan), CaseEvents::Inline(events)) = (&rule.compilation.plan, &case.events) {
            questions
                .extend(events.iter().map(|(id, event)| (at, id.as_str(), plan, with_class(event, rule))));
        }
    }
    let asked: Vec<_> = questions.iter().map(|(_, _, plan, event)| (*plan, event)).collect();
    let mut known = Answers::default();
    let answers = known.ask(&asked)?;
    let scopes: Vec<_> = questions.iter().map(|(_, _, plan, event)| (scope_only(plan), event)).collect();
    let missed = scopes.iter().zip(&answers).filter(|(_, answer)| **answer == Answer::Matches(false));
    let missed: Vec<_> = missed.map(|((plan, event), _)| (plan, *event)).collect();
    let mut in_scope = known.ask(&missed)?.into_iter();
    let mut inline: BTreeMap<usize, Outcome> = BTreeMap::new();
    for ((at, id, ..), answer) in questions.iter().zip(answers) {
        let missed = answer == Answer::Matches(false);
        let outcome = inline.entry(*at).or_insert_with(|| Outcome::Found(Found::default()));
        note(outcome, id, answer);
        if missed
            && in_scope.next() == Some(Answer::Matches(false))
            && let Outcome::Found(found) = outcome
        {
            found.out_of_scope.insert((*id).to_owned());
        }
    }
    let outcomes = cases.iter().enumerate().map(|(at, (rule, case))| match inline.remove(&at) {
        Some(outcome) => Ok(outcome),
        None => by_dataset(rule, case),
    });
    outcomes.collect()
}

/// An event that states no class is of the first one that the rule is routed to.
fn with_class(event: &Map<String, Value>, rule: &CompiledRule) -> Map<String, Value> {
    let mut event = event.clone();
    let scope = rule.compilation.routing.scope.as_ref();
    if let Some(class) = scope.and_then(|scope| scope.class_uids.first()) {
        event.entry("class_uid").or_insert_with(|| class.0.into());
    }
    event
}

fn note(outcome: &mut Outcome, id: &str, answer: Answer) {
    let Outcome::Found(found) = outcome else { return };
    let matches = match answer {
        Answer::Matches(matches) => matches,
        Answer::Disagree(matches) => {
            found.disagreements.push(disagreement(id, matches));
            matches
        }
        Answer::Failed(error) => {
            *outcome = Outcome::Failed(error);
            return;
        }
    };
    found.all.insert(id.to_owned());
    if matches {
        found.matched.insert(id.to_owned());
        found.matches += 1;
    }
}

fn disagreement(id: &str, by_sql: bool) -> (String, String) {
    let [sql, interpreter] = BackendId::BUILT_IN.map(BackendId::as_str);
    let (one, other) = if by_sql { (sql, interpreter) } else { (interpreter, sql) };
    (format!("event {id}"), format!("a match by {one}, and none by {other}"))
}

fn by_dataset(rule: &CompiledRule, case: &RuleCase) -> Result<Outcome, CasesError> {
    if let Some(finding) = rule.compilation.refusal() {
        return Ok(Outcome::Failed(format!("refused as {}: {}", finding.code.name, finding.message)));
    }
    match &case.events {
        CaseEvents::File(path) => Ok(of_file(rule, path)),
        CaseEvents::Inline(events) => {
            let folder = tempfile::tempdir()?;
            let file = folder.path().join("events.jsonl");
            fs::write(&file, events.iter().map(|(_, event)| event_line(event)).collect::<String>())?;
            Ok(of_file(rule, &file))
        }
    }
}

fn of_file(rule: &CompiledRule, path: &Path) -> Outcome {
    let opened = Dataset::discover(path).and_then(|found| Store::open(found, SessionSettings::default()));
    let mut store = match opened {
        Ok(store) => store,
        Err(error @ StoreError::RequiredColumn { .. }) => return Outcome::NotOcsf(error.to_string()),
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    let cancel = Cancel::never();
    match evaluate::version_mismatch(&mut store, OCSF_VERSION, &cancel) {
        Ok(None) => {}
        Ok(Some(finding)) => return Outcome::Failed(finding.message),
        Err(error) => return Outcome::Failed(error.to_string()),
    }
    match found(rule, &mut store, &cancel) {
        Ok(Some(found)) => Outcome::Found(found),
        Ok(None) => Outcome::Failed("it is a filter, which has no matches of its own".to_owned()),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

fn found(rule: &CompiledRule, store: &mut Store, cancel: &Cancel) -> Result<Option<Found>, EvalError> {
    let Some(sql) = &rule.sql else { return Ok(None) };
    let mut found = match (&rule.compilation.plan, &rule.compilation.correlation) {
        (Some(plan), _) => {
            let by_sql = evaluate::event_ids(store, plan, sql, cancel)?;
            let by_interpreter = evaluate::interpreted_event_ids(store, plan, cancel)?;
            of_ids(by_sql, by_interpreter)
        }
        (None, Some(plan)) => {
            let by_sql = evaluate::windows(store, plan, sql, cancel)?;
            of_windows(plan, store, by_sql, cancel)?
        }
        (None, None) => return Ok(None),
    };
    found.all = evaluate::all_event_ids(store, cancel)?.into_iter().collect();
    Ok(Some(found))
}

fn of_ids(by_sql: Vec<String>, by_interpreter: Vec<String>) -> Found {
    let matches = by_sql.len() as u64;
    let matched: BTreeSet<String> = by_sql.into_iter().collect();
    let other: BTreeSet<String> = by_interpreter.into_iter().collect();
    let disagreements =
        matched.symmetric_difference(&other).map(|id| disagreement(id, matched.contains(id))).collect();
    Found { matched, matches, disagreements, ..Found::default() }
}

fn of_windows(
    plan: &CorrelationPlan,
    store: &Store,
    by_sql: Vec<evaluate::Window>,
    cancel: &Cancel,
) -> Result<Found, EvalError> {
    let by_interpreter = evaluate::interpreted_windows(store, plan, cancel)?;
    let [sql, interpreter] = BackendId::BUILT_IN.map(BackendId::as_str);
    let differ = by_sql != by_interpreter;
    let got = format!("{} by {sql}, {} by {interpreter}", by_sql.len(), by_interpreter.len());
    let disagreements = differ.then(|| ("windows".to_owned(), format!("windows that differ: {got}")));
    let matches = by_sql.len() as u64;
    let matched = by_sql.into_iter().flat_map(|window| window.event_ids).collect();
    Ok(Found { matched, matches, disagreements: disagreements.into_iter().collect(), ..Found::default() })
}

/// What of a case does not hold, and how many things it asked.
pub(super) fn judge(case: &RuleCase, found: &Found) -> (usize, Vec<Failure>) {
    let Expected { matching, not, at_least, exactly } = &case.expected;
    let mut checks = 1;
    let mut failures: Vec<Failure> = Vec::new();
    let mut fail = |subject: String, expected: String, got: String, place| {
        failures.push(Failure { place, subject, expected, got });
    };
    for (subject, got) in &found.disagreements {
        let same = "the same by both backends".to_owned();
        fail(subject.clone(), same, got.clone(), case.place.clone());
    }
    for (ids, should) in [(matching, true), (not, false)] {
        let Some(ids) = ids else { continue };
        for (id, span) in asked(ids, found) {
            checks += 1;
            let place = PackPlace { span: span.unwrap_or(case.place.span), ..case.place.clone() };
            let said = |matches| if matches { "match" } else { "no match" }.to_owned();
            let why =
                if found.out_of_scope.contains(id) { ": the rule's route does not take it" } else { "" };
            match (found.all.contains(id), found.matched.contains(id)) {
                (false, _) => {
                    fail(format!("event {id}"), said(should), "there is no such event".to_owned(), place)
                }
                (true, matches) if matches != should => {
                    fail(format!("event {id}"), said(should), said(matches) + why, place);
                }
                (true, _) => {}
            }
        }
    }
    for (wanted, holds, word) in [
        (at_least, at_least.is_none_or(|least| found.matches >= least), "at least "),
        (exactly, exactly.is_none_or(|exact| found.matches == exact), ""),
    ] {
        let Some(wanted) = wanted else { continue };
        checks += 1;
        if !holds {
            let expected = format!("{word}{wanted}");
            fail("matches".to_owned(), expected, found.matches.to_string(), case.place.clone());
        }
    }
    (checks, failures)
}

type Asked<'a> = Vec<(&'a str, Option<Span>)>;

fn asked<'a>(ids: &'a Ids, found: &'a Found) -> Asked<'a> {
    match ids {
        Ids::All => found.all.iter().map(|id| (id.as_str(), None)).collect(),
        Ids::These(ids) => ids.iter().map(|id| (id.value.as_str(), Some(id.span))).collect(),
    }
}

/// The file that a case reads beside its own, with its bytes' hash.
pub(super) fn events_file(case: &RuleCase) -> io::Result<Option<HashedFile>> {
    let CaseEvents::File(path) = &case.events else { return Ok(None) };
    let sha256 = canonical::sha256(&fs::read(path)?);
    Ok(Some(HashedFile { path: path.clone(), sha256 }))
}
