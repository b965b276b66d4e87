//! SigmaHQ's form: a rule's `regression_tests_path` names an `info.yml`, whose entries name files of raw logs.
//!
//! Raw logs (EVTX, JSON of Windows events) are no OCSF events, and nothing here makes them such. What can be run is an
//! entry whose data has OCSF events beside it, of the same stem; every other one is skipped, and says so.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::case_file::{lies_below, unreadable};
use super::model::{CaseEvents, Expected, RuleCase};
use crate::authoring::Failure;
use crate::pack::PackPlace;
use crate::sigma::yaml::{self, Node};
use crate::sigma::{Problem, Rule, Span};

/// The rule's key that names its `info.yml`.
const KEY: &str = "regression_tests_path";

/// The folder of all regression data, beside or above the rules. A rule names no file outside.
const DATA: &str = "regression_data";

/// What the OCSF events beside raw logs end in, the first that there is being taken.
const OCSF: [&str; 4] = ["ocsf.jsonl", "ocsf.parquet", "jsonl", "parquet"];

/// Other keys mean nothing here, and there may be others still.
#[derive(Deserialize)]
struct Info {
    #[serde(default)]
    rule_metadata: Vec<RuleMetadata>,
    #[serde(rename = "regression_tests_info")]
    _entries: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct RuleMetadata {
    id: String,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    match_count: Option<u64>,
    path: String,
}

/// What a rule's `regression_tests_path` leads to.
pub(super) enum Named {
    /// Nothing that can be read: why not.
    Skipped { place: PackPlace, why: String },
    /// A file, with its text and each of its cases.
    File { path: PathBuf, text: String, cases: Vec<Entered> },
}

/// An entry of an `info.yml`.
pub(super) enum Entered {
    Case(RuleCase),
    Skipped { name: String, place: PackPlace, why: String },
    Unreadable(Vec<Failure>),
}

/// What the rule names; `None` where it names nothing.
pub(super) fn of_rule(rule: &Rule) -> Option<Named> {
    let node = rule.metadata.custom.get(KEY)?;
    let place = PackPlace { path: Arc::clone(&rule.path), span: node.span };
    let skipped = |why: String| Some(Named::Skipped { place: place.clone(), why });
    let Some(named) = node.as_str().filter(|named| is_data(named)) else {
        return skipped(format!("`{KEY}` names no file below `{DATA}/`"));
    };
    let Some((root, path)) = find(&rule.path, named) else {
        return skipped(format!("`{named}` is neither beside the rule's folders nor above them"));
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let cases = read(rule, &root, &path, &text);
            Some(Named::File { path, text, cases })
        }
        Err(error) => skipped(format!("`{named}` cannot be read: {error}")),
    }
}

fn is_data(named: &str) -> bool {
    let path = Path::new(named);
    path.starts_with(DATA) && path.components().all(|part| matches!(part, Component::Normal(_)))
}

/// The file below the nearest of the rule's folders that has it, with that folder.
fn find(rule: &Path, named: &str) -> Option<(PathBuf, PathBuf)> {
    // As the user spells it, where that leads there: reports are then the same wherever the rules are.
    let absolute = std::path::absolute(rule).ok()?;
    let roots = rule.ancestors().skip(1).chain(absolute.ancestors().skip(1)).map(Path::to_path_buf);
    roots.map(|root| (root.join(named), root)).find_map(|(path, root)| {
        (path.is_file() && lies_below(&path, &root.join(DATA))).then_some((root, path))
    })
}

fn read(rule: &Rule, root: &Path, path: &Path, text: &str) -> Vec<Entered> {
    let wrong = |problem: Problem| {
        Entered::Unreadable(vec![unreadable(path, problem.span, "an info.yml of SigmaHQ", problem.message)])
    };
    let document = match yaml::parse(text) {
        Ok(mut documents) if documents.len() == 1 => documents.remove(0),
        Ok(documents) => {
            let got = format!("{} documents", documents.len());
            return vec![Entered::Unreadable(vec![unreadable(path, Span::START, "one document", got)])];
        }
        Err(problem) => return vec![wrong(problem)],
    };
    let info: Info = match yaml::from_node(&document) {
        Ok(info) => info,
        Err(problem) => return vec![wrong(problem)],
    };
    let own = rule.id().map(|id| id.0.as_str());
    if !info.rule_metadata.is_empty() && !info.rule_metadata.iter().any(|one| Some(one.id.as_str()) == own) {
        let span = document.get("rule_metadata").map_or(Span::START, |node| node.span);
        let got = own.map_or("a rule without an id".to_owned(), |id| format!("`{id}` is not among them"));
        return vec![Entered::Unreadable(vec![unreadable(
            path,
            span,
            "the rule's id in `rule_metadata`",
            got,
        )])];
    }
    let entries = document.get("regression_tests_info").map(Node::items).unwrap_or_default();
    entries.iter().map(|node| entry(node, root, path).unwrap_or_else(wrong)).collect()
}

fn entry(node: &Node, root: &Path, path: &Path) -> Result<Entered, Problem> {
    let Entry { name, kind, match_count, path: data } = yaml::from_node(node)?;
    let place = PackPlace { path: path.into(), span: node.span };
    let kind = kind.map_or_else(String::new, |kind| format!(" ({kind})"));
    let Some(events) = is_data(&data).then(|| ocsf(&root.join(&data), root)).flatten() else {
        let why =
            format!("not OCSF: `{data}`{kind} has no events of the same stem beside it (.jsonl, .parquet)");
        return Ok(Entered::Skipped { name, place, why });
    };
    let at_least = match_count.is_none().then_some(1);
    let expected = Expected { exactly: match_count, at_least, ..Expected::default() };
    Ok(Entered::Case(RuleCase { name, place, rule: None, events: CaseEvents::File(events), expected }))
}

/// The file of OCSF events with the stem of the data, which may be the data itself.
fn ocsf(data: &Path, root: &Path) -> Option<PathBuf> {
    let beside = OCSF.iter().map(|extension| data.with_extension(extension));
    beside.into_iter().find(|path| path.is_file() && lies_below(path, &root.join(DATA)))
}
