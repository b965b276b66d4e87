//! `field|modifier|modifier: value`.

use super::modifier::{Chain, Modifier, Operator, TextMatch};
use super::problem::{Problem, ProblemKind};
use super::rule::{Item, SigmaField, Value};
use super::span::{Scalar, Spanned};
use super::suggest::nearest;
use super::text;
use super::yaml::{Node, NodeKind};

/// Reads an item. What counts whether the condition reaches it or not goes to `problems`.
pub(super) fn item(key: &Spanned<String>, node: &Node, source: &str, problems: &mut Vec<Problem>) -> Item {
    let (field, modifiers) = split(key, source);
    let unknown = modifiers.iter().filter_map(|modifier| modifier.as_ref().err());
    problems.extend(unknown.cloned());
    let unknown = modifiers.iter().find_map(|modifier| modifier.as_ref().err()).cloned();
    let modifiers: Vec<_> = modifiers.into_iter().filter_map(Result::ok).collect();
    let chain = match unknown {
        Some(problem) => Err(problem),
        None => Chain::new(&modifiers, key.span),
    };
    let (values, is_list) = match &node.kind {
        NodeKind::Sequence(items) => (items.iter().map(value).collect(), true),
        _ => (vec![value(node)], false),
    };
    let mut item = Item {
        field,
        modifiers,
        chain,
        values,
        is_list,
        problems: Vec::new(),
        key_span: key.span,
        span: key.span.to(node.span),
    };
    item.problems = value_problems(&item, node);
    problems.extend(unc_warnings(&item));
    item
}

/// A literal as YAML types it.
pub(super) fn value(node: &Node) -> Spanned<Value> {
    let value = match &node.kind {
        NodeKind::Null => Value::Null,
        NodeKind::Boolean(value) => Value::Boolean(*value),
        NodeKind::Integer(value) => Value::Integer(*value),
        NodeKind::Float(value) => Value::Float(*value),
        NodeKind::String(text) => Value::String(text.clone()),
        NodeKind::Sequence(_) | NodeKind::Mapping(_) => Value::Nested(node.type_name()),
    };
    Spanned::new(value, node.span)
}

/// The modifiers of a key that are read: with one more than there are, the chain is illegal whatever they say.
const MAX_MODIFIERS: usize = 32;

type Read = Result<Spanned<Modifier>, Problem>;

/// The field and the modifiers of a key, each at its place.
fn split(key: &Spanned<String>, source: &str) -> (Option<Spanned<SigmaField>>, Vec<Read>) {
    let scalar = Scalar::new(source, &key.value, key.span);
    let mut start = 0;
    let mut parts = key.value.split('|').map(|part| {
        let range = start..start + part.len();
        start = range.end + 1;
        (part, scalar.place(range))
    });
    let field = parts
        .next()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, span)| Spanned::new(SigmaField(name.to_owned()), span));
    let modifiers = parts.take(MAX_MODIFIERS).map(|(name, span)| match Modifier::from_name(name) {
        Some(modifier) => Ok(Spanned::new(modifier, span)),
        None => Err(unknown_modifier(name, span)),
    });
    (field, modifiers.collect())
}

fn unknown_modifier(name: &str, span: super::Span) -> Problem {
    if name.is_empty() {
        return Problem::new(ProblemKind::UnknownModifier, span, "a modifier is missing behind the `|`")
            .with_help("remove the `|`, or name a modifier behind it");
    }
    let problem =
        Problem::new(ProblemKind::UnknownModifier, span, format!("Sigma has no modifier called `{name}`"));
    let lower = name.trim().to_ascii_lowercase();
    if Modifier::from_name(&lower).is_some() {
        problem.with_help(format!("write `{lower}`"))
    } else if lower == "not" {
        problem.with_help("negate in the condition, or write `neq`")
    } else if let Some(near) = nearest(name, Modifier::names()) {
        problem.with_help(format!("did you mean `{near}`?"))
    } else {
        let names: Vec<_> = Modifier::names().filter(|name| name.len() > 1).collect();
        problem.with_help(format!("Sigma has: {}", names.join(", ")))
    }
}

fn value_problems(item: &Item, node: &Node) -> Vec<Problem> {
    let bad = |span, message: String| Problem::new(ProblemKind::BadValue, span, message);
    let mut problems = Vec::new();
    if item.is_list && item.values.is_empty() {
        let problem = bad(node.span, "the list of values is empty".to_owned());
        problems.push(problem.with_help("give it a value; for an absent field write `null`"));
    }
    for value in &item.values {
        match value.value {
            Value::Nested(what) => problems.push(bad(value.span, format!("{what} is no value of a field"))),
            Value::Null if item.is_list => problems.push(
                bad(value.span, "null stands in a list of values".to_owned())
                    .with_help("write a second selection with `field: null`, and `or` in the condition"),
            ),
            _ => {}
        }
    }
    if let Ok(chain) = &item.chain {
        problems.extend(chain_problem(item, chain, node));
    }
    problems
}

/// What the modifiers ask of the values.
fn chain_problem(item: &Item, chain: &Chain, node: &Node) -> Option<Problem> {
    if chain.operator == Operator::Exists
        && !matches!(item.values.as_slice(), [value] if is_boolean(&value.value))
    {
        let message = "`exists` takes `true` or `false`, once and without quotes";
        return Some(Problem::new(ProblemKind::BadValue, node.span, message));
    }
    if chain.all && item.values.len() == 1 {
        let all = item.modifiers.iter().find(|modifier| modifier.value == Modifier::All);
        let span = all.map_or(item.key_span, |modifier| modifier.span);
        let message = "`all` needs a list of two values or more";
        return Some(
            Problem::new(ProblemKind::IllegalChain, span, message).with_help("remove `all`, or add a value"),
        );
    }
    None
}

fn is_boolean(value: &Value) -> bool {
    matches!(value, Value::Boolean(_))
}

/// Warnings about values that look like UNC paths and lose a backslash.
fn unc_warnings(item: &Item) -> Vec<Problem> {
    let anchored = Operator::Match(TextMatch::Equals);
    let starts = Operator::Match(TextMatch::StartsWith);
    if !item.chain.as_ref().is_ok_and(|chain| chain.operator == anchored || chain.operator == starts) {
        return Vec::new();
    }
    let is_trap =
        |value: &&Spanned<Value>| matches!(&value.value, Value::String(text) if text::is_unc_trap(text));
    item.values
        .iter()
        .filter(is_trap)
        .map(|value| {
            let message = r"Sigma reads `\\` as one backslash, so this value begins with one only";
            Problem::new(ProblemKind::UncBackslashes, value.span, message)
                .with_help(r"write `\\\\` for two backslashes, `\` for one")
        })
        .collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::sigma::yaml;

    fn read(text: &str) -> (Item, Vec<Problem>) {
        let node = yaml::parse(text).unwrap().remove(0);
        let (key, value) = &node.entries()[0];
        let mut problems = Vec::new();
        let item = item(key, value, text, &mut problems);
        (item, problems)
    }

    /// The kind and the place of the one problem that only counts when the item is reached.
    fn bad_value(text: &str) -> (ProblemKind, String) {
        let (item, problems) = read(text);
        assert_eq!((item.problems.len(), problems), (1, vec![]), "{text}: {:?}", item.problems);
        (item.problems[0].kind, item.problems[0].span.slice(text).unwrap().to_owned())
    }

    #[test]
    fn parts_of_a_key_have_their_places() {
        let text = "'Image|endswith|all':\n  - 'a'\n  - 5\n";
        let (item, problems) = read(text);
        let slice = |span: super::super::Span| span.slice(text).unwrap();
        assert_eq!((problems, &item.problems), (vec![], &vec![]));
        assert_eq!(slice(item.field.as_ref().unwrap().span), "Image");
        let modifiers: Vec<_> = item.modifiers.iter().map(|m| (m.value, slice(m.span))).collect();
        assert_eq!(modifiers, [(Modifier::EndsWith, "endswith"), (Modifier::All, "all")]);
        assert_eq!(slice(item.key_span), "'Image|endswith|all'");
        assert_eq!(slice(item.span), text.trim_end());
        let values: Vec<_> = item.values.iter().map(|v| (v.value.clone(), slice(v.span))).collect();
        assert_eq!(values, [(Value::String("a".into()), "'a'"), (Value::Integer(5), "5")]);
    }

    #[test]
    fn a_key_without_a_field_makes_keywords() {
        let (item, problems) = read("'|all': [a, b]\n");
        assert_eq!((item.field, problems), (None, vec![]));
        assert!(item.chain.unwrap().all);
        assert_eq!(read("actor.id: x\n").0.field.unwrap().value, SigmaField("actor.id".into()));
    }

    #[test]
    fn values_keep_their_type() {
        let values = |text: &str| read(text).0.values.into_iter().map(|v| v.value).collect::<Vec<_>>();
        assert_eq!(values("A: '5'"), [Value::String("5".into())]);
        assert_eq!(values("A: 18446744073709551615"), [Value::Integer(i128::from(u64::MAX))]);
        assert_eq!(
            values("A: [1.5, true, yes]"),
            [Value::Float(1.5), Value::Boolean(true), Value::String("yes".into())]
        );
        assert_eq!(values("A:"), [Value::Null]);
    }

    #[test]
    fn values_that_no_item_takes_wait_for_the_condition() {
        use ProblemKind::{BadValue, IllegalChain};
        for (text, kind, place) in [
            ("A: []", BadValue, "[]"),
            ("A: {b: c}", BadValue, "{b: c}"),
            ("A: [x, [y]]", BadValue, "[y]"),
            ("A: [x, null]", BadValue, "null"),
            ("A|exists: 'true'", BadValue, "'true'"),
            ("A|exists: 1", BadValue, "1"),
            ("A|exists: [true, false]", BadValue, "[true, false]"),
            ("A|contains|all: x", IllegalChain, "all"),
            ("A|all: [x]", IllegalChain, "all"),
        ] {
            assert_eq!(bad_value(text), (kind, place.to_owned()), "{text}");
        }
        assert_eq!(read("A|exists: [true]").0.problems, []);
        assert_eq!(read("A: null").0.problems, []);
    }

    #[test]
    fn an_unknown_modifier_counts_everywhere() {
        for (text, place, help) in [
            ("A|Contains: x", "Contains", "write `contains`"),
            ("A|startwith: x", "startwith", "did you mean `startswith`?"),
            ("A|not: x", "not", "negate in the condition, or write `neq`"),
            ("A|contains|: x", "", "remove the `|`, or name a modifier behind it"),
        ] {
            let (item, problems) = read(text);
            assert_eq!(problems.len(), 1, "{text}");
            assert_eq!(problems[0].kind, ProblemKind::UnknownModifier);
            assert_eq!(problems[0].span.slice(text), Some(place));
            assert_eq!(problems[0].help.as_deref(), Some(help));
            assert_eq!(item.chain.as_ref(), Err(&problems[0]));
        }
    }

    #[test]
    fn an_endless_chain_is_illegal_and_cheap() {
        let (_, problems) = read(&format!("? A{}\n: x", "|".repeat(100_000)));
        assert_eq!(problems.len(), MAX_MODIFIERS);
        let (item, _) = read(&format!("? A{}\n: x", "|all".repeat(100_000)));
        assert_eq!(item.chain.unwrap_err().kind, ProblemKind::IllegalChain);
    }

    #[test]
    fn an_illegal_chain_stays_at_its_item() {
        let text = "A|contains|base64: x";
        let (item, problems) = read(text);
        assert_eq!(problems, []);
        assert_eq!(item.chain.unwrap_err().span.slice(text), Some("base64"));
    }

    #[test]
    fn unc_paths_are_warned_about() {
        for text in [r"A: '\\host\x'", r"A|startswith: '\\host'", r"A: ['x', '\\host']"] {
            let (_, problems) = read(text);
            assert_eq!(problems.len(), 1, "{text}");
            assert_eq!(problems[0].kind, ProblemKind::UncBackslashes);
            assert!(problems[0].kind.is_warning());
        }
        for text in [r"A|contains: '\\host'", r"A|re: '\\host'", r"A: '\\\\host'", r"A|endswith: '\\x.exe'"] {
            assert_eq!(read(text).1, [], "{text}");
        }
    }
}
