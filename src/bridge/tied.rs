//! Which rules of a set have to be compiled together, and which each for itself.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{correlate, filters};
use crate::sigma::{Body, Rule};

/// For each rule, whether what is said of it depends on more than itself, the pack, the settings and the filters that
/// narrow it: it is a correlation or a filter, one of these names it, or another rule has its id or its name.
///
/// [`compile`](super::compile) says the same of a rule in a part of the set as in the whole, as long as all tied rules
/// are in the part.
#[must_use]
pub fn tied(rules: &[Arc<Rule>]) -> Vec<bool> {
    let named: HashSet<&str> = rules.iter().flat_map(|rule| names_in(rule)).collect();
    let mut stated: HashMap<(bool, &str), usize> = HashMap::with_capacity(2 * rules.len());
    for key in rules.iter().flat_map(|rule| called(rule)) {
        *stated.entry(key).or_default() += 1;
    }
    let is_tied = |rule: &Arc<Rule>| {
        matches!(rule.body, Body::Correlation(_) | Body::Filter(_))
            || called(rule).any(|key| named.contains(key.1) || stated.get(&key).is_some_and(|of| *of > 1))
    };
    rules.iter().map(is_tied).collect()
}

/// The filters that narrow a rule, of those of its set, in the order of the set.
#[must_use]
pub fn narrowing<'r>(filters: &[&'r Arc<Rule>], rule: &Rule) -> Vec<&'r Arc<Rule>> {
    match &rule.body {
        Body::Event(_) => filters.iter().copied().filter(|filter| filters::narrows(filter, rule)).collect(),
        _ => Vec::new(),
    }
}

/// What a rule calls other rules.
fn names_in(rule: &Rule) -> Vec<&str> {
    match &rule.body {
        Body::Correlation(correlation) => {
            let named = correlate::condition_names(correlation).into_iter();
            correlation.rules.iter().chain(named).map(|name| name.value.as_str()).collect()
        }
        Body::Filter(filter) => filter.rules.iter().map(|name| name.value.as_str()).collect(),
        Body::Event(_) | Body::Unreadable => Vec::new(),
    }
}

/// Its id and its name.
fn called(rule: &Rule) -> impl Iterator<Item = (bool, &str)> {
    let id = rule.id().map(|id| (true, id.0.as_str()));
    let name = rule.metadata.name.as_ref().map(|name| (false, name.value.as_str()));
    id.into_iter().chain(name)
}
