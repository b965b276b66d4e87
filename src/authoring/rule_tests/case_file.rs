//! `x.test.yml`: regression cases beside a rule, read and checked. JSON is read as the YAML that it is.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::model::{CaseEvents, Expected, Ids, RuleCase};
use crate::authoring::Failure;
use crate::pack::{self, PackPlace};
use crate::sigma::yaml::{self, Node, NodeKind};
use crate::sigma::{Problem, Span, Spanned};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    #[serde(rename = "cases")]
    _cases: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    #[serde(default)]
    rule: Option<String>,
    #[serde(rename = "events")]
    _events: IgnoredAny,
    #[serde(default, rename = "match")]
    _matching: IgnoredAny,
    #[serde(default, rename = "no_match")]
    _not: IgnoredAny,
    #[serde(default)]
    min_matches: Option<u64>,
}

/// Reads one file, and notes what is wrong with it.
struct Reader<'f> {
    path: &'f Path,
    /// The rule folder: what the file names lies below it.
    folder: &'f Path,
    wrong: Vec<Failure>,
}

/// The cases of a file whose rule folder is `folder`; else everything that is wrong with it.
pub(super) fn read(path: &Path, folder: &Path, text: &str) -> Result<Vec<RuleCase>, Vec<Failure>> {
    let mut reader = Reader { path, folder, wrong: Vec::new() };
    let cases = reader.cases(text).unwrap_or_default();
    match reader.wrong.is_empty() {
        true => Ok(cases),
        false => Err(reader.wrong),
    }
}

/// A failure to read something, in the words of a failed check.
pub(super) fn unreadable(path: &Path, span: Span, expected: &str, got: String) -> Failure {
    let place = PackPlace { path: path.into(), span };
    Failure { place, subject: "file".to_owned(), expected: expected.to_owned(), got }
}

impl Reader<'_> {
    fn refuse<T>(&mut self, span: Span, expected: &str, got: String) -> Option<T> {
        self.wrong.push(unreadable(self.path, span, expected, got));
        None
    }

    fn accept<T>(&mut self, read: Result<T, Problem>) -> Option<T> {
        read.or_else(|problem| {
            self.refuse(problem.span, "a file of regression cases", problem.message).ok_or(())
        })
        .ok()
    }

    fn cases(&mut self, text: &str) -> Option<Vec<RuleCase>> {
        let documents = self.accept(yaml::parse(text))?;
        let [document] = documents.as_slice() else {
            let got = format!("{} documents", documents.len());
            return self.refuse(Span::START, "one document with `cases`", got);
        };
        let _: CaseFile = self.accept(yaml::from_node(document))?;
        let entries = document.get("cases").map(Node::items).unwrap_or_default();
        let mut names = BTreeSet::new();
        let mut cases = Vec::new();
        for entry in entries {
            let Some(case) = self.case(entry) else { continue };
            if names.insert((case.rule.clone(), case.name.clone())) {
                cases.push(case);
            } else {
                self.refuse::<()>(entry.span.head(), "names that differ", format!("`{}` twice", case.name));
            }
        }
        Some(cases)
    }

    fn case(&mut self, node: &Node) -> Option<RuleCase> {
        let entry: Entry = self.accept(yaml::from_node(node))?;
        let events = self.events(node.get("events")?);
        let expected = self.expected(node, entry.min_matches);
        let (events, expected) = (events?, expected?);
        if let CaseEvents::Inline(events) = &events {
            self.named_events(&expected, events.iter().map(|(id, _)| id.as_str()).collect())?;
        }
        let place = PackPlace { path: self.path.into(), span: node.span };
        Some(RuleCase { name: entry.name, place, rule: entry.rule, events, expected })
    }

    fn events(&mut self, node: &Node) -> Option<CaseEvents> {
        match &node.kind {
            NodeKind::String(name) => self.file(name, node.span).map(CaseEvents::File),
            NodeKind::Sequence(events) if !events.is_empty() => self.inline(events),
            _ => {
                let got = node.type_name().to_owned();
                self.refuse(node.span, "`events`: a list of events, or the path of a file", got)
            }
        }
    }

    fn inline(&mut self, nodes: &[Node]) -> Option<CaseEvents> {
        let before = self.wrong.len();
        let mut events = Vec::new();
        let mut ids = BTreeSet::new();
        for (at, node) in nodes.iter().enumerate() {
            let mut event = match pack::read_event(node, self.path) {
                Ok(event) => event,
                Err(findings) => {
                    for finding in findings {
                        self.refuse::<()>(finding.span, "an event of OCSF", finding.message);
                    }
                    continue;
                }
            };
            let stated =
                ["metadata.event_id", "metadata.uid"].iter().find_map(|path| event.get(*path)?.as_str());
            let id = stated.map_or_else(|| (at + 1).to_string(), str::to_owned);
            event.insert("metadata.event_id".to_owned(), id.clone().into());
            if !ids.insert(id.clone()) {
                self.refuse::<()>(node.span.head(), "ids that differ", format!("two events `{id}`"));
            }
            events.push((id, event));
        }
        (self.wrong.len() == before).then_some(CaseEvents::Inline(events))
    }

    /// A file of events below the rule folder, links followed. Outside, one that exists and one that does not are
    /// told the same.
    fn file(&mut self, name: &str, span: Span) -> Option<PathBuf> {
        let expected = "a file of OCSF events (.jsonl, .parquet) below the rule folder";
        let named = Path::new(name);
        let plain = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        let path = self.path.parent().unwrap_or(self.folder).join(named);
        let below = named.components().all(plain) && lies_below(&path, self.folder);
        let is_events = named.extension().is_some_and(|found| {
            ["jsonl", "ndjson", "parquet"].iter().any(|one| found.eq_ignore_ascii_case(one))
        });
        match below && is_events {
            true => Some(path),
            false => self.refuse(span, expected, format!("`{name}`")),
        }
    }

    fn expected(&mut self, node: &Node, at_least: Option<u64>) -> Option<Expected> {
        let matching = self.ids(node.get("match"), "match");
        let not = self.ids(node.get("no_match"), "no_match");
        let (matching, not) = (matching?, not?);
        if matching.is_none() && not.is_none() && at_least.is_none() {
            return self.refuse(
                node.span.head(),
                "`match`, `no_match` or `min_matches`",
                "a case that asks nothing".to_owned(),
            );
        }
        let both = match (&matching, &not) {
            (Some(Ids::All), Some(_)) | (Some(_), Some(Ids::All)) => Some("all".to_owned()),
            (Some(Ids::These(one)), Some(Ids::These(other))) => {
                let twice = one.iter().find(|id| other.iter().any(|not| not.value == id.value));
                twice.map(|id| id.value.clone())
            }
            _ => None,
        };
        match both {
            Some(id) => self.refuse(
                node.span.head(),
                "an event to match or not",
                format!("`{id}` in `match` and `no_match`"),
            ),
            None => Some(Expected { matching, not, at_least, exactly: None }),
        }
    }

    /// The outer `None` for what is neither `all` nor a list of ids.
    fn ids(&mut self, node: Option<&Node>, key: &str) -> Option<Option<Ids>> {
        let Some(node) = node.filter(|node| !node.is_null()) else { return Some(None) };
        let expected = format!("`{key}`: `all`, or a list of event ids");
        match &node.kind {
            NodeKind::String(all) if all == "all" => Some(Some(Ids::All)),
            NodeKind::Sequence(items) if !items.is_empty() => {
                let id = |item: &Node| item.scalar_text().map(|value| Spanned { value, span: item.span });
                match items.iter().map(id).collect::<Option<Vec<_>>>() {
                    Some(ids) => Some(Some(Ids::These(ids))),
                    None => self.refuse(node.span, &expected, "a list of something else".to_owned()),
                }
            }
            _ => self.refuse(node.span, &expected, node.type_name().to_owned()),
        }
    }

    /// Every id that is named is one of an event.
    fn named_events(&mut self, expected: &Expected, ids: BTreeSet<&str>) -> Option<()> {
        let before = self.wrong.len();
        for named in [&expected.matching, &expected.not].into_iter().flatten() {
            let Ids::These(named) = named else { continue };
            for id in named.iter().filter(|id| !ids.contains(id.value.as_str())) {
                self.refuse::<()>(id.span, "the id of an event of the case", format!("`{}`", id.value));
            }
        }
        (self.wrong.len() == before).then_some(())
    }
}

/// Whether a path leads to something below a folder, links followed.
pub(super) fn lies_below(path: &Path, folder: &Path) -> bool {
    match (path.canonicalize(), folder.canonicalize()) {
        (Ok(path), Ok(folder)) => path.starts_with(folder),
        _ => false,
    }
}
