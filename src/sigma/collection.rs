//! The documents of a file as rules: `action: global`, `reset` and `repeat` of rule collections are carried
//! out on the tree, so every part of a rule still points at where it is written. `action: include` puts the rules
//! of another file in its place.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::document::{Source, action};
use super::problem::{Problem, ProblemKind};
use super::rule::Rule;
use super::span::{Span, Spanned};
use super::yaml::{self, Node, NodeKind};

/// The rules of a file's text, one for each document that is one. A text without any gives one unreadable rule.
/// A text stands in no folder, so that `action: include` is refused.
#[must_use]
pub fn parse(path: &Path, text: &str) -> Vec<Rule> {
    parse_with(path, text, &mut |filename| {
        let message = "`action: include` needs a rule folder to look in";
        let problem = Problem::new(ProblemKind::Collection, filename.span, message);
        Err(problem.with_help("load the rule from a file"))
    })
}

/// Gives the rules of the file that an `include` names, or says why there are none.
pub(super) type Include<'i> = dyn FnMut(&Spanned<String>) -> Result<Vec<Rule>, Problem> + 'i;

/// As [`parse`], with the files that the text includes.
pub(super) fn parse_with(path: &Path, text: &str, include: &mut Include<'_>) -> Vec<Rule> {
    let source = Source { path: Arc::from(path), text: Arc::from(text) };
    let (documents, error) = yaml::parse_leading(text);
    let count = documents.len();
    let mut collection =
        Collection { source: &source, include, global: None, previous: None, nodes: 0, rules: Vec::new() };
    for (index, document) in documents.into_iter().enumerate() {
        collection.document(index, document);
    }
    let mut rules = collection.rules;
    if let Some(error) = error {
        rules.push(source.unreadable(count, error.span, error));
    } else if rules.is_empty() {
        rules.push(source.unreadable(0, Span::START, no_rule(count)));
    }
    rules
}

fn no_rule(documents: usize) -> Problem {
    if documents == 0 {
        Problem::new(ProblemKind::Parse, Span::START, "the file holds no rule")
            .with_help("begin with `title: …`")
    } else {
        Problem::new(
            ProblemKind::Collection,
            Span::START,
            "the file has `action` documents only, and no rule",
        )
        .with_help("add a rule behind `---`")
    }
}

struct Collection<'a, 'i> {
    source: &'a Source,
    include: &'a mut Include<'i>,
    /// The keys of every `global` document since the last `reset`.
    global: Option<Node>,
    /// The last event rule, with what it had from `global`.
    previous: Option<Node>,
    /// The nodes that merging has written so far.
    nodes: usize,
    rules: Vec<Rule>,
}

impl Collection<'_, '_> {
    fn document(&mut self, index: usize, document: Node) {
        let span = document.span;
        let rule = match document.get("action").map(|_| action(&document)) {
            None => self.plain(index, document),
            Some(Some("global")) => self.add_global(index, document),
            Some(Some("reset")) => {
                self.global = None;
                None
            }
            Some(Some("repeat")) => Some(self.repeat(index, document)),
            Some(Some("include")) => self.include(index, &document),
            Some(Some("correlation")) => Some(self.source.rule(index, span, &document)),
            Some(other) => Some(self.refuse_action(index, &document, other)),
        };
        self.rules.extend(rule);
    }

    fn plain(&mut self, index: usize, document: Node) -> Option<Rule> {
        let span = document.span;
        if document.get("correlation").is_some() || document.get("filter").is_some() {
            return Some(self.source.rule(index, span, &document));
        }
        let document = match &self.global {
            Some(global) if matches!(document.kind, NodeKind::Mapping(_)) => {
                if let Err(problem) = within_limits(&mut self.nodes, span, &[global, &document]) {
                    return Some(self.source.unreadable(index, span, problem));
                }
                merged(document, global.clone())
            }
            _ => document,
        };
        let rule = self.source.rule(index, span, &document);
        self.previous = Some(document);
        Some(rule)
    }

    fn add_global(&mut self, index: usize, document: Node) -> Option<Rule> {
        let span = document.span;
        let document = without_action(document);
        self.global = Some(match self.global.take() {
            None => document,
            Some(global) => match within_limits(&mut self.nodes, span, &[&global, &document]) {
                Ok(()) => merged(global, document),
                Err(problem) => return Some(self.source.unreadable(index, span, problem)),
            },
        });
        None
    }

    fn repeat(&mut self, index: usize, document: Node) -> Rule {
        let span = document.span;
        let Some(previous) = &self.previous else {
            let message = "`action: repeat` has no rule before it to repeat";
            let problem = Problem::new(ProblemKind::Collection, action_span(&document), message);
            return self.source.unreadable(index, span, problem.with_help("put the rule before it"));
        };
        if let Err(problem) = within_limits(&mut self.nodes, span, &[previous, &document]) {
            return self.source.unreadable(index, span, problem);
        }
        let repeated = merged(previous.clone(), without_action(document));
        let rule = self.source.rule(index, span, &repeated);
        self.previous = Some(repeated);
        rule
    }

    /// Adds the rules of another file as that file has them: what is global here stays here.
    fn include(&mut self, index: usize, document: &Node) -> Option<Rule> {
        let filename = document.get("filename").and_then(|node| Some((node.as_str()?, node.span)));
        let included = match filename {
            Some((filename, span)) => (self.include)(&Spanned::new(filename.to_owned(), span)),
            None => Err(Problem::new(
                ProblemKind::Collection,
                action_span(document),
                "`action: include` names no `filename`",
            )
            .with_help("add `filename: …`, relative to this file")),
        };
        match included {
            Ok(rules) => {
                self.rules.extend(rules);
                None
            }
            Err(problem) => Some(self.source.unreadable(index, document.span, problem)),
        }
    }

    fn refuse_action(&self, index: usize, document: &Node, action: Option<&str>) -> Rule {
        let span = action_span(document);
        let problem = match action {
            Some(other) => Problem::new(
                ProblemKind::Collection,
                span,
                format!("`{other}` is not an action of a collection"),
            )
            .with_help("one of: global, reset, repeat, include, correlation"),
            None => Problem::new(ProblemKind::Collection, span, "`action` takes a word")
                .with_help("one of: global, reset, repeat, include, correlation"),
        };
        self.source.unreadable(index, document.span, problem)
    }
}

fn action_span(document: &Node) -> Span {
    document.get("action").map_or(document.span, |node| node.span)
}

fn without_action(mut document: Node) -> Node {
    if let NodeKind::Mapping(entries) = &mut document.kind {
        entries.retain(|(key, _)| key.value != "action");
    }
    document
}

/// `base` updated deeply with `update`, which wins where both have a key.
fn merged(base: Node, update: Node) -> Node {
    match (base.kind, update.kind) {
        (NodeKind::Mapping(mut entries), NodeKind::Mapping(updates)) => {
            let places: HashMap<String, usize> =
                entries.iter().enumerate().map(|(place, (key, _))| (key.value.clone(), place)).collect();
            for (key, value) in updates {
                match places.get(&key.value).and_then(|place| entries.get_mut(*place)) {
                    Some(entry) if is_map(&entry.1) && is_map(&value) => {
                        let empty = Node { kind: NodeKind::Null, span: entry.1.span };
                        entry.1 = merged(std::mem::replace(&mut entry.1, empty), value);
                    }
                    Some(entry) => *entry = (key, value),
                    None => entries.push((key, value)),
                }
            }
            Node { kind: NodeKind::Mapping(entries), span: base.span }
        }
        (_, kind) => Node { kind, span: update.span },
    }
}

fn is_map(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Mapping(_))
}

/// Counts what a merge writes; a file may hold few nodes and still ask for very many.
fn within_limits(written: &mut usize, span: Span, parts: &[&Node]) -> Result<(), Problem> {
    if *written <= yaml::MAX_NODES {
        *written += parts.iter().map(|part| weight(part)).sum::<usize>();
    }
    if *written <= yaml::MAX_NODES {
        return Ok(());
    }
    let message = format!("merging the collections of this file makes over {} nodes", yaml::MAX_NODES);
    Err(Problem::new(ProblemKind::Limit, span, message).with_help("split the file"))
}

/// The nodes of a tree; long text counts for more.
fn weight(node: &Node) -> usize {
    let own = 1 + node.as_str().map_or(0, |text| text.len() / 64);
    let items: usize = node.items().iter().map(weight).sum();
    let entries: usize = node.entries().iter().map(|(key, value)| key.value.len() / 64 + weight(value)).sum();
    own + items + entries
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::sigma::{Body, CorrelationKind, Search, Value};

    const RULE: &str = "title: T\nlogsource: {category: c}\ndetection:\n  s: {A: x}\n  condition: s\n";

    fn read(text: &str) -> Vec<Rule> {
        parse(Path::new("rules/r.yml"), text)
    }

    /// The kind of the first error of each rule.
    fn errors(text: &str) -> Vec<Option<ProblemKind>> {
        let error = |rule: &Rule| rule.problems.iter().map(|p| p.kind).find(|kind| !kind.is_warning());
        read(text).iter().map(error).collect()
    }

    fn values(rule: &Rule) -> Vec<(String, Value)> {
        let Body::Event(detection) = &rule.body else { panic!("no event rule: {rule:?}") };
        let items = detection.selections.iter().flat_map(|selection| match &selection.search {
            Search::AllOf(items, _) => items.as_slice(),
            _ => &[],
        });
        items
            .map(|item| (item.field.as_ref().unwrap().value.0.clone(), item.values[0].value.clone()))
            .collect()
    }

    fn text(value: &str) -> Value {
        Value::String(value.into())
    }

    #[test]
    fn each_document_is_a_rule() {
        let rules = read(&format!("{RULE}---\n{RULE}---\n"));
        assert_eq!(rules.len(), 2);
        assert_eq!((rules[1].document, rules[1].span.start.line), (1, 7));
        assert_eq!(rules[1].metadata.title.as_ref().unwrap().span.start.line, 7);
        assert_eq!(errors(&format!("{RULE}---\n{RULE}")), [None, None]);
    }

    #[test]
    fn a_text_without_a_rule_is_one_unreadable_rule() {
        for text in ["", "\n", "---\n", "# note\n", "~", "[]", "text", "a: [", "a: b"] {
            let rules = read(text);
            assert_eq!(rules.len(), 1, "{text:?}");
            assert!(matches!(rules[0].body, Body::Unreadable), "{text:?}");
            assert_eq!(errors(text), [Some(ProblemKind::Parse)], "{text:?}");
            assert_eq!(rules[0].title(), "r.yml");
        }
        assert_eq!(errors("action: global\ntitle: T\n"), [Some(ProblemKind::Collection)]);
    }

    #[test]
    fn an_error_leaves_the_documents_before_it() {
        let rules = read(&format!("{RULE}---\ntitle: 'x\n"));
        assert_eq!(errors(&format!("{RULE}---\ntitle: 'x\n")), [None, Some(ProblemKind::Parse)]);
        assert_eq!((rules[1].document, rules[1].problems[0].span.start.line), (1, 7));
    }

    #[test]
    fn a_global_document_wins_and_merges_deeply() {
        let rules = read(&format!(
            "action: global\ntitle: G\ndetection:\n  s: {{B: global}}\nlevel: high\n---\n{RULE}---\n{RULE}"
        ));
        assert_eq!(rules.len(), 2);
        for rule in &rules {
            assert_eq!(rule.title(), "G");
            assert_eq!(rule.metadata.level.as_ref().unwrap().span.start.line, 5);
            assert_eq!(values(rule), [("A".into(), text("x")), ("B".into(), text("global"))]);
            assert!(rule.metadata.custom.is_empty());
            assert_eq!(rule.problems, []);
        }
        assert_eq!(rules[1].document, 2);
    }

    #[test]
    fn a_reset_ends_what_was_global() {
        let text = format!("action: global\ntitle: G\n---\naction: reset\n---\n{RULE}");
        assert_eq!(read(&text).iter().map(Rule::title).collect::<Vec<_>>(), ["T"]);
        let text = format!("action: global\ntitle: G\n---\naction: global\nlevel: low\n---\n{RULE}");
        let rules = read(&text);
        assert_eq!((&*rules[0].title(), rules[0].metadata.level.is_some()), ("G", true));
    }

    #[test]
    fn a_repeat_updates_the_rule_before_it() {
        let rules = read(&format!("{RULE}---\naction: repeat\ntitle: R\ndetection: {{s: {{A: y}}}}\n"));
        assert_eq!(rules.iter().map(Rule::title).collect::<Vec<_>>(), ["T", "R"]);
        assert_eq!(values(&rules[1]), [("A".into(), text("y"))]);
        assert_eq!(rules[1].logsource.category.as_ref().unwrap().span.start.line, 2);
        assert_eq!(errors("action: repeat\ntitle: R\n"), [Some(ProblemKind::Collection)]);
    }

    #[test]
    fn correlations_and_filters_are_left_alone() {
        let rules = read(
            "action: global\nlevel: high\n---\ntitle: C\ncorrelation:\n  type: temporal\n  rules: [a, b]\n  \
             timespan: 5m\n---\ntitle: F\nlogsource: {category: c}\nfilter:\n  rules: any\n  s: {A: x}\n  \
             condition: not s\n---\naction: correlation\nname: old\ntype: temporal\nrule: [a]\ntimespan: 30s\n",
        );
        assert!(
            rules.iter().all(|rule| rule.metadata.level.is_none() && rule.problems.is_empty()),
            "{rules:?}"
        );
        let [Body::Correlation(new), Body::Filter(filter), Body::Correlation(old)] =
            [&rules[0].body, &rules[1].body, &rules[2].body]
        else {
            panic!("{rules:?}")
        };
        assert_eq!((new.rules.len(), new.kind.as_ref().unwrap().value), (2, CorrelationKind::Temporal));
        assert!(filter.rules.is_empty());
        assert_eq!((old.rules.len(), old.kind.as_ref().unwrap().value), (1, CorrelationKind::Temporal));
    }

    #[test]
    fn missing_parts_are_errors() {
        for text in [
            "logsource: {category: c}\ndetection: {s: {A: x}, condition: s}",
            "title:\nlogsource: {category: c}\ndetection: {s: {A: x}, condition: s}",
            "title: T\ndetection: {s: {A: x}, condition: s}",
            "title: T\nlogsource: {category: c}",
            "title: T\nlogsource: {category: c}\ndetection: {s: {A: x}}",
            "title: T\nlogsource: {category: c}\ndetection:\n",
            "title: T\nlogsource: {category: c}\ndetection: {s: {A: x}, condition: s}\nfilter: {}",
            "correlation: {rules: [a], timespan: 5m}",
            "correlation: {type: event_count, timespan: 5m}",
            "correlation: {type: event_count, rules: [a]}",
            "correlation: {type: event_cuont, rules: [a], timespan: 5m}",
            "correlation: {type: event_count, rules: [a], timespan: 10}",
            "correlation: {type: event_count, rules: [a], timespan: 0s}",
            "correlation: {type: event_count, rules: [a], timespan: s}",
            "logsource: {category: c}\nfilter: {rules: any, condition: s}",
            "logsource: {category: c}\nfilter: {s: {A: x}, condition: s}",
            "filter: {rules: any, s: {A: x}, condition: s}",
        ] {
            assert_eq!(errors(text), [Some(ProblemKind::Parse)], "{text}");
        }
        assert_eq!(errors("correlation: {type: temporal, timespan: 5m, condition: a and b}"), [None]);
    }

    #[test]
    fn other_actions_are_refused() {
        for text in
            ["action: include\nfilename: x.yml\n", "action: frobnicate\n", "action: [a]\n", "action:\n"]
        {
            assert_eq!(errors(text), [Some(ProblemKind::Collection)], "{text}");
        }
    }

    #[test]
    fn merging_is_limited() {
        let list = vec!["x"; 5000].join(", ");
        let text = format!("action: global\nfields: [{list}]\n---\n{}", format!("{RULE}---\n").repeat(100));
        let limited = errors(&text).iter().filter(|error| **error == Some(ProblemKind::Limit)).count();
        assert!(limited > 50, "{limited}");
    }

    proptest::proptest! {
        #[test]
        fn any_text_gives_a_rule(text in "\\PC*") {
            proptest::prop_assert!(!read(&text).is_empty());
        }

        #[test]
        fn a_damaged_rule_gives_a_rule(
            cut in 0..400usize, length in 0..20usize, put in "[-|:*?\\[\\]{}&'\"#\n\t \\\\0a_é\u{1b}]{0,6}",
        ) {
            let mut chars: Vec<char> = WHOLE.chars().collect();
            let start = cut.min(chars.len());
            let end = (start + length).min(chars.len());
            chars.splice(start..end, put.chars());
            let text: String = chars.into_iter().collect();
            let rules = read(&text);
            proptest::prop_assert!(!rules.is_empty());
            for problem in rules.iter().flat_map(|rule| &rule.problems) {
                proptest::prop_assert!(problem.span.slice(&text).is_some());
                proptest::prop_assert!(!problem.message.contains(char::is_control));
            }
        }
    }

    const WHOLE: &str = r"title: Whole
id: 7aa7009a-28b9-4344-8c1f-159489a390df
tags: [attack.t1059]
logsource:
    category: process_creation
detection:
    sel_a:
        Image|endswith:
            - '\cmd.exe'
            - '\host'
        CommandLine|contains|all: ['a', 'b']
    sel_b:
        - one
        - '|all': [x, y]
    _hidden:
        A|re|i: '^a.*$'
        B|exists: true
    condition: 1 of sel_* and not (_hidden or sel_b)
level: high
";
}
