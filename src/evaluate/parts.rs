//! Which parts of an event satisfy tests of a plan: what to point at in a match.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::Value;

use crate::backend::interpreter::find_regex;
use crate::bridge::Plan;
use crate::bridge::ir::{Expr, PatternPart, Predicate, Test};
use crate::ocsf::OcsfPath;
use crate::sigma::{Span, TextMatch, text};

/// By column: for each of its values that satisfies a test, its place in the list (0 where the column is none), and
/// the stretches of its text, in bytes. The whole value where a test is about all of it.
pub type MatchedParts = BTreeMap<OcsfPath, BTreeMap<usize, Vec<Range<usize>>>>;

/// The parts of an event, nested as [`super::whole_event`] gives it, that satisfy tests of `plan` which are not
/// negated. Tests that compare columns, and computed ones, are left out: they have no one place.
#[must_use]
pub fn matched_parts(plan: &Plan, event: &Value) -> MatchedParts {
    let mut parts = MatchedParts::new();
    visit(&plan.predicate, &mut |predicate| {
        for path in predicate.source.paths() {
            let Some(value) = lookup(event, path.as_str()) else { continue };
            let elements = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
            for (at, element) in elements.iter().enumerate() {
                let found = satisfied(&predicate.test, element);
                if !found.is_empty() {
                    parts.entry(path.clone()).or_default().entry(at).or_default().extend(found);
                }
            }
        }
    });
    for ranges in parts.values_mut().flat_map(BTreeMap::values_mut) {
        ranges.sort_by_key(|range| (range.start, range.end));
        ranges.dedup();
    }
    parts
}

/// Where the rule has those tests of `plan` that a row satisfies, by its values as text; tests as for [`matched_parts`].
#[must_use]
pub fn satisfied_places<'v>(plan: &Plan, value: impl Fn(&OcsfPath) -> Option<&'v str>) -> Vec<Span> {
    // A rule may have a thousand tests of one column.
    let mut folded: BTreeMap<OcsfPath, Option<(&'v str, String)>> = BTreeMap::new();
    let mut places = Vec::new();
    visit(&plan.predicate, &mut |predicate| {
        // The test of a filter stands in another file.
        let is_here = predicate.span.start != predicate.span.end;
        let holds = |path: OcsfPath| {
            let with_case = value(&path);
            let both = folded.entry(path).or_insert_with(|| with_case.map(|text| (text, text::fold(text))));
            both.as_ref().is_some_and(|(text, folded)| as_text(&predicate.test, text, folded))
        };
        if is_here && predicate.source.paths().into_iter().any(holds) {
            places.push(predicate.span);
        }
    });
    places
}

/// Whether a value satisfies a test, where all that is left of it is its text, and that without case.
fn as_text(test: &Test, text: &str, folded: &str) -> bool {
    let compared = |cased: bool| if cased { text } else { folded };
    match test {
        Test::NumberIn(wanted) => wanted.iter().any(|number| number.to_string() == text),
        Test::BooleanIn(wanted) => wanted.iter().any(|truth| truth.to_string() == text),
        Test::TextIn { values, cased } => values.iter().any(|value| value == compared(*cased)),
        Test::Text { position, value, cased } => match position {
            TextMatch::Contains => compared(*cased).contains(value),
            TextMatch::StartsWith => compared(*cased).starts_with(value),
            TextMatch::EndsWith => compared(*cased).ends_with(value),
            TextMatch::Equals => compared(*cased) == value,
        },
        Test::Pattern { parts, cased } => {
            let mut rest = Some(compared(*cased));
            for part in parts {
                if let PatternPart::Text(sought) = part {
                    rest = rest.and_then(|rest| rest.split_once(sought.as_str())).map(|(_, after)| after);
                }
            }
            rest.is_some()
        }
        Test::Regex(regex) => find_regex(regex, text).is_some(),
        _ => false,
    }
}

fn visit(expr: &Expr, seen: &mut dyn FnMut(&Predicate)) {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| visit(part, seen)),
        Expr::Not(_) => {}
        Expr::Selection { body, .. } => visit(body, seen),
        Expr::Predicate(predicate) => seen(predicate),
    }
}

/// The value at a dotted path, also where a part of the path is one name.
fn lookup<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let object = value.as_object()?;
    if let Some(found) = object.get(path) {
        return Some(found);
    }
    let (head, rest) = path.split_once('.')?;
    lookup(object.get(head)?, rest)
}

fn satisfied(test: &Test, value: &Value) -> Vec<Range<usize>> {
    match value {
        Value::String(text) => in_text(test, text),
        Value::Number(number) => {
            let text = number.to_string();
            let equal =
                matches!(test, Test::NumberIn(wanted) if wanted.iter().any(|n| n.to_string() == text));
            if equal { whole(&text) } else { Vec::new() }
        }
        Value::Bool(truth) => {
            let equal = matches!(test, Test::BooleanIn(wanted) if wanted.contains(truth));
            if equal { whole(&truth.to_string()) } else { Vec::new() }
        }
        _ => Vec::new(),
    }
}

fn whole(text: &str) -> Vec<Range<usize>> {
    std::iter::once(0..text.len()).collect()
}

fn in_text(test: &Test, value: &str) -> Vec<Range<usize>> {
    match test {
        Test::TextIn { values, cased } => {
            let folded = Folded::new(value, *cased);
            if values.contains(&folded.text) { whole(value) } else { Vec::new() }
        }
        Test::Text { position, value: sought, cased } => {
            let folded = Folded::new(value, *cased);
            let at = match position {
                TextMatch::Contains => folded.text.find(sought.as_str()),
                TextMatch::StartsWith => folded.text.starts_with(sought.as_str()).then_some(0),
                TextMatch::EndsWith if folded.text.ends_with(sought.as_str()) => {
                    Some(folded.text.len() - sought.len())
                }
                TextMatch::EndsWith | TextMatch::Equals => None,
            };
            at.map(|at| folded.original(at..at + sought.len())).into_iter().collect()
        }
        Test::Pattern { parts, cased } => in_order(parts, &Folded::new(value, *cased)),
        Test::Regex(regex) => find_regex(regex, value).into_iter().collect(),
        _ => Vec::new(),
    }
}

/// Where the texts of a pattern stand, one after the other; none where not all do.
fn in_order(parts: &[PatternPart], folded: &Folded) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    for part in parts {
        let PatternPart::Text(sought) = part else { continue };
        let Some(at) = folded.text.get(from..).and_then(|rest| rest.find(sought.as_str())) else {
            return Vec::new();
        };
        from += at + sought.len();
        found.push(folded.original(from - sought.len()..from));
    }
    found
}

/// A text as it is compared, and where each byte of it comes from.
struct Folded {
    text: String,
    /// For each byte of `text`, and its end, the byte of the original character.
    origins: Vec<usize>,
}

impl Folded {
    fn new(original: &str, cased: bool) -> Self {
        let mut folded = Self { text: String::new(), origins: Vec::new() };
        for (at, c) in original.char_indices() {
            let mut buffer = [0; 4];
            let c = &*c.encode_utf8(&mut buffer);
            folded.text.push_str(&if cased { c.to_owned() } else { text::fold(c) });
            folded.origins.resize(folded.text.len(), at);
        }
        folded.origins.push(original.len());
        folded
    }

    /// The stretch of the original that a stretch of the text comes from.
    fn original(&self, range: Range<usize>) -> Range<usize> {
        let at = |byte: usize| self.origins.get(byte).or(self.origins.last()).copied().unwrap_or(0);
        at(range.start)..at(range.end)
    }
}

#[cfg(test)]
#[allow(clippy::single_range_in_vec_init, reason = "one stretch is what is expected")]
mod tests {
    use super::*;

    fn text_test(position: TextMatch, value: &str) -> Test {
        Test::Text { position, value: value.to_owned(), cased: false }
    }

    #[test]
    fn a_literal_is_found_where_the_value_has_it_without_case() {
        let value = "C:\\Temp\\Ümlaut.EXE -F";
        let found = in_text(&text_test(TextMatch::Contains, ".exe"), value);
        assert_eq!(found.iter().map(|r| &value[r.clone()]).collect::<Vec<_>>(), [".EXE"]);
        assert_eq!(in_text(&text_test(TextMatch::StartsWith, "c:\\"), value), [0..3]);
        assert!(in_text(&text_test(TextMatch::EndsWith, ".exe"), value).is_empty());
    }

    #[test]
    fn the_texts_of_a_pattern_are_found_in_their_order() {
        let text = |t: &str| PatternPart::Text(t.to_owned());
        let parts = vec![text("a"), PatternPart::AnyRun, text("b"), PatternPart::AnyRun, text("a")];
        assert_eq!(in_text(&Test::Pattern { parts, cased: true }, "a b a"), [0..1, 2..3, 4..5]);
    }

    #[test]
    fn paths_are_followed_through_objects_and_whole_names() {
        let event = serde_json::json!({"a": {"b.c": 1}, "d": {"e": [2]}});
        assert_eq!(lookup(&event, "a.b.c"), Some(&Value::from(1)));
        assert_eq!(lookup(&event, "d.e"), Some(&serde_json::json!([2])));
        assert_eq!(lookup(&event, "d.f"), None);
    }
}
