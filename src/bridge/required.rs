//! Which values of a field a rule requires: what has to be known before a route may narrow its events.

use std::collections::{BTreeMap, BTreeSet};

use crate::sigma::{
    Detection, Expression, Item, Operator, Quantifier, Search, Selection, SigmaField, TextMatch, Value, text,
};

/// The values, as folded text, of which every event that satisfies the rule has one in `field`; `None` where it may
/// have any other as well.
pub(super) fn required(detection: &Detection, field: &SigmaField) -> Option<BTreeSet<String>> {
    let mut reading = Reading { detection, field, selections: BTreeMap::new() };
    let conditions = detection.conditions.iter().map(|condition| condition.expression.as_ref().ok());
    any(conditions.map(|expression| reading.expression(expression?)))
}

struct Reading<'r> {
    detection: &'r Detection,
    field: &'r SigmaField,
    /// What each selection requires, which a condition may name many times.
    selections: BTreeMap<&'r str, Option<BTreeSet<String>>>,
}

impl<'r> Reading<'r> {
    fn expression(&mut self, expression: &'r Expression) -> Option<BTreeSet<String>> {
        let detection = self.detection;
        match expression {
            Expression::And(parts) => all(parts.iter().map(|part| self.expression(part))),
            Expression::Or(parts) => any(parts.iter().map(|part| self.expression(part))),
            // What must not be leaves everything else.
            Expression::Not(_) => None,
            Expression::Identifier(name) => self.selection(detection.selection(&name.value)?),
            Expression::Quantified(quantifier, pattern) => {
                let parts = detection.reached_by(&pattern.value).into_iter();
                let parts = parts.map(|selection| self.selection(selection));
                match quantifier {
                    Quantifier::Any => any(parts),
                    Quantifier::All => all(parts),
                }
            }
        }
    }

    fn selection(&mut self, selection: &'r Selection) -> Option<BTreeSet<String>> {
        if let Some(known) = self.selections.get(selection.name.value.as_str()) {
            return known.clone();
        }
        let found = self.search(&selection.search);
        self.selections.insert(&selection.name.value, found.clone());
        found
    }

    fn search(&self, search: &Search) -> Option<BTreeSet<String>> {
        match search {
            Search::AllOf(items, _) => all(items.iter().map(|item| self.item(item))),
            Search::AnyOf(entries, _) => any(entries.iter().map(|entry| self.search(entry))),
            Search::Keywords(..) => None,
        }
    }

    fn item(&self, item: &Item) -> Option<BTreeSet<String>> {
        let chain = item.chain.as_ref().ok()?;
        let equals = chain.operator == Operator::Match(TextMatch::Equals)
            && chain.transforms.is_empty()
            && !chain.negated;
        if !equals || item.field.as_ref().is_none_or(|field| field.value != *self.field) {
            return None;
        }
        item.values.iter().map(|value| literal(&value.value)).collect()
    }
}

/// All parts hold: each of those that require anything would do; what they have in common is the least.
fn all(parts: impl Iterator<Item = Option<BTreeSet<String>>>) -> Option<BTreeSet<String>> {
    parts.flatten().reduce(|one, other| one.intersection(&other).cloned().collect())
}

/// Any part holds: without one that requires nothing, it is all that any of them requires.
fn any(parts: impl Iterator<Item = Option<BTreeSet<String>>>) -> Option<BTreeSet<String>> {
    let parts: Option<Vec<_>> = parts.collect();
    Some(parts?.into_iter().flatten().collect())
}

/// A value that stands for itself, as folded text; `None` where it has wildcards, or is none.
fn literal(value: &Value) -> Option<String> {
    match value {
        Value::String(written) => text::literal(written).map(text::folded),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(truth) => Some(truth.to_string()),
        Value::Float(_) | Value::Null | Value::Nested(_) => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::sigma::{self, Body};

    /// What a rule of these selections requires of `Code`.
    fn of(detection: &str) -> Option<Vec<String>> {
        let indented = detection.replace('\n', "\n  ");
        let text = format!("title: t\nlogsource: {{service: s}}\ndetection:\n  {indented}\n");
        let rules = sigma::parse(std::path::Path::new("r.yml"), &text);
        let Body::Event(detection) = &rules.first().unwrap().body else { panic!("{text}") };
        let found = required(detection, &SigmaField("Code".to_owned()));
        found.map(|values| values.into_iter().collect())
    }

    fn some(values: &[&str]) -> Option<Vec<String>> {
        Some(values.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_every_match_has_is_required() {
        assert_eq!(of("a: {Code: 1}\ncondition: a"), some(&["1"]));
        assert_eq!(of("a: {Code: [1, 'X']}\ncondition: a"), some(&["1", "x"]));
        assert_eq!(of("a: {Code: 1}\nb: {Other: 2}\ncondition: a and b"), some(&["1"]));
        assert_eq!(of("a: {Code: 1}\nb: {Code: 2}\ncondition: a or b"), some(&["1", "2"]));
        assert_eq!(of("a: [{Code: 1}, {Code: 2, Other: 3}]\ncondition: a"), some(&["1", "2"]));
        assert_eq!(of("s_a: {Code: 1}\ns_b: {Code: 2}\ncondition: 1 of s_*"), some(&["1", "2"]));
        assert_eq!(of("s_a: {Code: 1}\ns_b: {Other: 2}\ncondition: all of s_*"), some(&["1"]));
        assert_eq!(of("a: {Code: 1}\nf: {Code: 9}\ncondition: a and not f"), some(&["1"]));
    }

    #[test]
    fn what_some_matches_lack_is_not() {
        assert_eq!(of("a: {Other: 1}\nf: {Code: 1}\ncondition: a and not f"), None);
        assert_eq!(of("a: {Code: 1}\nb: {Other: 2}\ncondition: a or b"), None);
        assert_eq!(of("a: [{Code: 1}, {Other: 2}]\ncondition: a"), None);
        assert_eq!(of("a: {Code: 1}\nb: {Code: 2}\ncondition: not a"), None);
        assert_eq!(of("a: {Code|contains: 1}\ncondition: a"), None);
        assert_eq!(of("a: {Code|neq: 1}\ncondition: a"), None);
        assert_eq!(of("a: {Code: '4*'}\ncondition: a"), None);
        assert_eq!(of("a: {Code: null}\ncondition: a"), None);
        assert_eq!(of("a: ['1']\ncondition: a"), None);
    }
}
