//! From literals and patterns to the plainest test that says them.

use std::collections::BTreeSet;

use super::item::Alternatives;
use crate::bridge::ir::{Number, PatternPart, Test};
use crate::bridge::literal::Literal;
use crate::sigma::text::{self, TextPart};
use crate::sigma::{Span, TextMatch};

impl From<TextPart> for PatternPart {
    fn from(part: TextPart) -> Self {
        match part {
            TextPart::Text(text) => Self::Text(text),
            TextPart::AnyRun => Self::AnyRun,
            TextPart::AnyOne => Self::AnyOne,
        }
    }
}

/// A pattern that has to stand at `position`, as the plainest test that says it.
pub(super) fn positioned(parts: Vec<PatternPart>, position: TextMatch, cased: bool) -> Test {
    match parts.as_slice() {
        [] => literal_test(Literal::Text(String::new()), position, cased),
        [PatternPart::Text(text)] => literal_test(Literal::Text(text.clone()), position, cased),
        _ => {
            let before = matches!(position, TextMatch::Contains | TextMatch::EndsWith);
            let behind = matches!(position, TextMatch::Contains | TextMatch::StartsWith);
            let mut whole: Vec<PatternPart> = before.then_some(PatternPart::AnyRun).into_iter().collect();
            whole.extend(parts);
            whole.extend(behind.then_some(PatternPart::AnyRun));
            pattern(whole, cased)
        }
    }
}

/// A pattern over the whole value: runs in a row are one, texts folded unless with case.
pub(super) fn pattern(mut parts: Vec<PatternPart>, cased: bool) -> Test {
    parts.dedup_by(|next, before| *next == PatternPart::AnyRun && *before == PatternPart::AnyRun);
    if !cased {
        for part in &mut parts {
            if let PatternPart::Text(run) = part {
                *run = text::folded(std::mem::take(run));
            }
        }
    }
    Test::Pattern { parts, cased }
}

pub(super) fn literal_test(literal: Literal, position: TextMatch, cased: bool) -> Test {
    match literal {
        Literal::Number(number) => Test::NumberIn(vec![number]),
        Literal::Boolean(truth) => Test::BooleanIn(vec![truth]),
        Literal::Text(value) => {
            let value = if cased { value } else { text::folded(value) };
            match position {
                TextMatch::Equals => Test::TextIn { values: vec![value], cased },
                position => Test::Text { position, value, cased },
            }
        }
    }
}

/// Alternatives with all memberships of one kind joined into the first.
pub(super) fn joined(alternatives: Vec<Alternatives>) -> Vec<Alternatives> {
    let mut texts: BTreeSet<String> = BTreeSet::new();
    let mut numbers: Vec<Number> = Vec::new();
    let mut booleans: BTreeSet<bool> = BTreeSet::new();
    let mut place: Option<(Span, Test)> = None;
    let mut others = Vec::new();
    for (tests, span) in alternatives {
        for test in tests {
            match &test {
                Test::TextIn { values, .. } => texts.extend(values.iter().cloned()),
                Test::NumberIn(values) => numbers.extend(values),
                Test::BooleanIn(values) => booleans.extend(values),
                _ => {
                    others.push((vec![test], span));
                    continue;
                }
            }
            place = Some(place.map_or((span, test.clone()), |(first, kind)| (first.to(span), kind)));
        }
    }
    numbers.sort_by(Number::total_cmp);
    numbers.dedup();
    let membership = place.map(|(span, kind)| {
        let test = match kind {
            Test::NumberIn(_) => Test::NumberIn(numbers),
            Test::BooleanIn(_) => Test::BooleanIn(booleans.into_iter().collect()),
            Test::TextIn { cased, .. } => Test::TextIn { values: texts.into_iter().collect(), cased },
            other => other,
        };
        (vec![test], span)
    });
    membership.into_iter().chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span() -> Span {
        Span::default()
    }

    fn text_in(values: &[&str]) -> Test {
        Test::TextIn { values: values.iter().map(|v| (*v).to_owned()).collect(), cased: false }
    }

    #[test]
    fn memberships_are_joined_sorted_and_distinct() {
        let one = |value: &str| (vec![text_in(&[value])], span());
        let joined = joined(vec![one("b"), one("a"), one("b")]);
        assert_eq!(joined, [(vec![text_in(&["a", "b"])], span())]);
    }

    #[test]
    fn a_pattern_without_wildcards_is_a_literal() {
        let parts = vec![PatternPart::Text("Ab".to_owned())];
        assert_eq!(positioned(parts, TextMatch::Equals, false), text_in(&["ab"]));
    }

    #[test]
    fn a_pattern_is_anchored_where_the_modifier_says() {
        let parts = vec![PatternPart::AnyRun, PatternPart::Text("B".to_owned())];
        let Test::Pattern { parts, .. } = positioned(parts, TextMatch::EndsWith, false) else {
            panic!("a wildcard makes a pattern");
        };
        assert_eq!(parts, [PatternPart::AnyRun, PatternPart::Text("b".to_owned())]);
    }
}
