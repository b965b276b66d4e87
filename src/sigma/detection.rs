//! The `detection` block: selections, conditions, and whether the one fits the other.

use std::collections::BTreeMap;

use super::condition::{Condition, Expression, MAX_LENGTH};
use super::item;
use super::problem::{Problem, ProblemKind};
use super::rule::{Detection, Search, Selection};
use super::span::Spanned;
use super::suggest::nearest;
use super::yaml::{Node, NodeKind};

/// The selections of a rule that are read. Conditions may reach each of them many times.
const MAX_SELECTIONS: usize = 1000;

/// Reads a `detection` block, or another `block` of this form, that stands in `source`.
pub(super) fn detection(block: &str, node: &Node, source: &str, problems: &mut Vec<Problem>) -> Detection {
    if !matches!(node.kind, NodeKind::Mapping(_)) {
        let message = format!("`{block}` takes a map of selections, not {}", node.type_name());
        problems.push(Problem::new(ProblemKind::Parse, node.span, message));
    }
    let mut detection =
        Detection { selections: Vec::new(), conditions: Vec::new(), timeframe: None, span: node.span };
    for (key, value) in node.entries() {
        match key.value.as_str() {
            "condition" => detection.conditions = conditions(value, source, problems),
            "timeframe" => detection.timeframe = Some(timeframe(key, value, problems)),
            _ if detection.selections.len() == MAX_SELECTIONS => {
                let message = format!("the rule has more than {MAX_SELECTIONS} selections");
                problems.push(Problem::new(ProblemKind::Limit, key.span, message));
                return detection;
            }
            _ => detection.selections.push(Selection {
                name: key.clone(),
                search: search(value, source, problems),
                span: key.span.to(value.span),
            }),
        }
    }
    if node.get("condition").is_none() {
        let message = format!("`{block}` has no `condition`");
        problems.push(
            Problem::new(ProblemKind::Parse, node.span.head(), message)
                .with_help(missing_condition(&detection)),
        );
    }
    check_names(&detection, problems);
    detection
}

fn missing_condition(detection: &Detection) -> String {
    match detection.selections.as_slice() {
        [only] => format!("add `condition: {}`", only.name.value),
        _ => "add a condition over its selections, such as `condition: selection`".to_owned(),
    }
}

fn conditions(node: &Node, source: &str, problems: &mut Vec<Problem>) -> Vec<Condition> {
    let written = match &node.kind {
        NodeKind::Sequence(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    if written.is_empty() {
        problems.push(Problem::new(ProblemKind::Parse, node.span, "the list of conditions is empty"));
    }
    if written.len() > 1 && written.iter().filter_map(Node::as_str).map(str::len).sum::<usize>() > MAX_LENGTH
    {
        let message = format!("the conditions together have more than {MAX_LENGTH} bytes");
        problems.push(Problem::new(ProblemKind::Limit, node.span, message));
        return Vec::new();
    }
    let mut conditions = Vec::new();
    for node in written {
        let Some(text) = node.scalar_text() else {
            let message = format!("`condition` takes text, not {}", node.type_name());
            problems.push(Problem::new(ProblemKind::Parse, node.span, message));
            continue;
        };
        let condition = Condition::new(Spanned::new(text, node.span), source);
        problems.extend(condition.expression.as_ref().err().cloned());
        conditions.push(condition);
    }
    conditions
}

fn timeframe(key: &Spanned<String>, value: &Node, problems: &mut Vec<Problem>) -> Spanned<String> {
    let message = "`timeframe` relates several events, which an event rule cannot";
    problems.push(
        Problem::new(ProblemKind::UnsupportedCondition, key.span.to(value.span), message)
            .with_help("write a correlation rule with a `timespan`"),
    );
    Spanned::new(value.scalar_text().unwrap_or_default(), value.span)
}

fn search(node: &Node, source: &str, problems: &mut Vec<Problem>) -> Search {
    match &node.kind {
        NodeKind::Mapping(entries) => {
            if entries.is_empty() {
                problems.push(empty(node, "map"));
            }
            let item = |(key, value)| item::item(key, value, source, problems);
            Search::AllOf(entries.iter().map(|(key, value)| (key, value)).map(item).collect(), node.span)
        }
        NodeKind::Sequence(items) => {
            if items.is_empty() {
                problems.push(empty(node, "list"));
            }
            list(node, items, source, problems)
        }
        NodeKind::Null => {
            problems.push(empty(node, "selection"));
            Search::AnyOf(Vec::new(), node.span)
        }
        _ => Search::Keywords(vec![item::value(node)], node.span),
    }
}

fn empty(node: &Node, what: &str) -> Problem {
    Problem::new(
        ProblemKind::Parse,
        node.span,
        format!("this {what} is empty, so it says nothing to look for"),
    )
    .with_help("give it a field and a value, or remove it")
}

/// A list is OR. Scalars that stand side by side are one run of keywords.
fn list(node: &Node, items: &[Node], source: &str, problems: &mut Vec<Problem>) -> Search {
    let is_scalar = |node: &Node| !matches!(node.kind, NodeKind::Sequence(_) | NodeKind::Mapping(_));
    if !items.is_empty() && items.iter().all(is_scalar) {
        return Search::Keywords(items.iter().map(item::value).collect(), node.span);
    }
    let alternatives = items
        .chunk_by(|one, next| is_scalar(one) && is_scalar(next))
        .filter_map(|run| match run {
            [first, .., last] => {
                Some(Search::Keywords(run.iter().map(item::value).collect(), first.span.to(last.span)))
            }
            [only] if is_scalar(only) => Some(Search::Keywords(vec![item::value(only)], only.span)),
            [only] => Some(search(only, source, problems)),
            [] => None,
        })
        .collect();
    Search::AnyOf(alternatives, node.span)
}

/// How many unknown names of a rule are reported, and how many of its own are compared with one.
const MAX_MISSING: usize = 32;

/// Reports names that the rule does not have, and patterns that reach nothing, each name once.
fn check_names(detection: &Detection, problems: &mut Vec<Problem>) {
    let mut missing = BTreeMap::new();
    let parsed = detection.conditions.iter().filter_map(|condition| condition.expression.as_ref().ok());
    for leaf in parsed.flat_map(Expression::leaves) {
        match leaf {
            Expression::Identifier(name) if detection.selection(&name.value).is_none() => {
                missing.entry(name.value.as_str()).or_insert_with(|| {
                    missing_name(detection, name, format!("no selection is called `{}`", name.value))
                });
            }
            Expression::Quantified(_, pattern) if detection.reached_by(&pattern.value).is_empty() => {
                missing.entry(pattern.value.as_str()).or_insert_with(|| {
                    missing_name(detection, pattern, format!("`{}` reaches no selection", pattern.value))
                });
            }
            _ => {}
        }
        if missing.len() == MAX_MISSING {
            break;
        }
    }
    problems.extend(missing.into_values());
}

fn missing_name(detection: &Detection, name: &Spanned<String>, message: String) -> Problem {
    let names = || detection.selections.iter().map(|selection| selection.name.value.as_str());
    let problem = Problem::new(ProblemKind::MissingIdentifier, name.span, message);
    if let Some(near) = nearest(&name.value, names().take(MAX_MISSING)) {
        return problem.with_help(format!("did you mean `{near}`?"));
    }
    let known: Vec<_> = names().take(8).collect();
    match known.as_slice() {
        [] => problem.with_help("the rule has no selection"),
        known => problem.with_help(format!("it has: {}", known.join(", "))),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::sigma::yaml;

    fn read(text: &str) -> (Detection, Vec<Problem>) {
        let mut problems = Vec::new();
        let detection = detection("detection", &yaml::parse(text).unwrap()[0], text, &mut problems);
        (detection, problems)
    }

    fn refused(text: &str) -> (ProblemKind, String, Problem) {
        let (_, mut problems) = read(text);
        assert_eq!(problems.len(), 1, "{problems:?}");
        let problem = problems.remove(0);
        (problem.kind, problem.span.slice(text).unwrap().to_owned(), problem)
    }

    /// The shape of a search, without its values.
    fn shape(search: &Search) -> String {
        match search {
            Search::AllOf(items, _) => format!("all{}", items.len()),
            Search::AnyOf(parts, _) => {
                format!("any[{}]", parts.iter().map(shape).collect::<Vec<_>>().join(" "))
            }
            Search::Keywords(words, _) => format!("words{}", words.len()),
        }
    }

    #[test]
    fn the_forms_of_a_selection() {
        for (value, expected) in [
            ("{A: 1, B: 2}", "all2"),
            ("[{A: 1}, {B: 2, C: 3}]", "any[all1 all2]"),
            ("[one, 2, three]", "words3"),
            ("one", "words1"),
            (
                "[one, two, {A: 1}, three, [four, {B: 1}], [five]]",
                "any[words2 all1 words1 any[words1 all1] words1]",
            ),
        ] {
            let (detection, problems) = read(&format!("s: {value}\ncondition: s\n"));
            assert_eq!(problems, [], "{value}");
            assert_eq!(shape(&detection.selections[0].search), expected, "{value}");
        }
    }

    #[test]
    fn an_empty_selection_is_refused() {
        for value in ["{}", "[]", "[{}]", "[a, []]", ""] {
            assert_eq!(refused(&format!("s: {value}\ncondition: s\n")).0, ProblemKind::Parse, "{value}");
        }
    }

    #[test]
    fn conditions_of_a_list_are_alternatives() {
        let (detection, problems) = read("a: x\nb: y\ncondition:\n  - a\n  - not b\n");
        assert_eq!((detection.conditions.len(), problems), (2, vec![]));
        assert_eq!(refused("a: x\ncondition: []\n").0, ProblemKind::Parse);
        assert_eq!(refused("a: x\ncondition: {a: b}\n").0, ProblemKind::Parse);
        assert_eq!(refused("a: x\ncondition:\n").0, ProblemKind::Parse);
    }

    #[test]
    fn names_are_checked_against_the_selections() {
        let (kind, place, problem) = refused("selection: x\ncondition: 'selektion and selection'\n");
        assert_eq!((kind, &*place), (ProblemKind::MissingIdentifier, "selektion"));
        assert_eq!(problem.help.as_deref(), Some("did you mean `selection`?"));
        assert_eq!(refused("sel_a: x\ncondition: 1 of SEL_*\n").1, "SEL_*");
        assert_eq!(refused("_hidden: x\ncondition: 1 of them\n").1, "them");
        assert_eq!(read("_hidden: x\ncondition: 1 of _*\n").1, []);
    }

    #[test]
    fn a_missing_condition_is_named_with_the_way_out() {
        let (kind, _, problem) = refused("sel:\n  A: 1\n");
        assert_eq!((kind, problem.help.as_deref()), (ProblemKind::Parse, Some("add `condition: sel`")));
    }

    #[test]
    fn selections_are_limited() {
        let many: String = (0..=MAX_SELECTIONS).map(|index| format!("s{index}: x\n")).collect();
        assert_eq!(refused(&format!("{many}condition: 1 of them\n")).0, ProblemKind::Limit);
        let long = format!("s: x\ncondition: [{}]\n", ["s"; 3].join(&format!("{}, ", " or s".repeat(9000))));
        assert_eq!(refused(&long).0, ProblemKind::Limit);
    }

    #[test]
    fn an_unknown_name_is_reported_once_and_not_without_end() {
        let (_, problems) = read("s: x\ncondition: nope or nope or s\n");
        assert_eq!(problems.len(), 1);
        let many: Vec<_> = (0..500).map(|index| format!("n{index}")).collect();
        assert_eq!(read(&format!("s: x\ncondition: {}\n", many.join(" or "))).1.len(), MAX_MISSING);
    }

    #[test]
    fn a_timeframe_is_no_selection() {
        let (kind, place, _) = refused("s: x\ntimeframe: 5m\ncondition: s\n");
        assert_eq!((kind, &*place), (ProblemKind::UnsupportedCondition, "timeframe: 5m"));
    }

    #[test]
    fn them_leaves_out_hidden_selections() {
        let (detection, _) = read("a: x\n_b: x\nc: x\ncondition: a\n");
        let reached = |pattern: &str| -> Vec<&str> {
            detection.reached_by(pattern).into_iter().map(|selection| &*selection.name.value).collect()
        };
        assert_eq!(reached("them"), ["a", "c"]);
        assert_eq!(reached("*"), ["a", "c"]);
        assert_eq!(reached("_*"), ["_b"]);
        assert_eq!(reached("C"), Vec::<&str>::new());
    }
}
