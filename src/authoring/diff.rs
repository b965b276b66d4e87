//! What an edit changed: routes and aliases between two packs, verdicts, SQL and matches between two compiled sets.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use serde_json::json;

use crate::backend::CompiledRule;
use crate::bridge::ReasonCode;
use crate::pack::{AliasScope, Pack, Route, RouteFilter, alias_yaml};

/// A route or an alias that is not the same in two packs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// What it is about: a log source with its `when`, or a scope with a field.
    pub key: String,
    /// What the first pack says; `None` where it says nothing.
    pub before: Option<String>,
    /// What the second says.
    pub after: Option<String>,
}

/// What two packs say differently. Comments, order of files and notes are no difference.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PackDiff {
    /// Routes, by log source.
    pub routes: Vec<Statement>,
    /// Aliases, by scope and field.
    pub aliases: Vec<Statement>,
}

/// What became of a rule between two compilations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum RuleChange {
    /// It is there only in the second set.
    Added,
    /// It is there only in the first set.
    Removed,
    /// It was refused and can run.
    NewlyExecutable {
        /// Whether only through `raw.*`.
        fallback_used: bool,
    },
    /// It could run and is refused.
    NewlyRefused {
        /// Why.
        reason: Option<ReasonCode>,
    },
    /// It is refused as before, for another reason.
    OtherReason {
        /// Why it was refused.
        before: Option<ReasonCode>,
        /// Why it is now.
        after: Option<ReasonCode>,
    },
    /// It runs as before, with other SQL.
    OtherSql {
        /// Whether it reads `raw.*` now.
        fallback_used: bool,
    },
}

/// A rule of which the verdict, the SQL or the number of matches differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleDiff {
    /// The file.
    pub path: PathBuf,
    /// Which document of the file, from 0.
    pub document: usize,
    /// The rule's title.
    pub title: String,
    /// What became of it; `None` where only its matches differ.
    #[serde(flatten)]
    pub change: Option<RuleChange>,
    /// How many events it matched before; `None` where it did not run.
    pub matches_before: Option<u64>,
    /// How many it matches after.
    pub matches_after: Option<u64>,
}

/// A compiled rule and how many events it matched, where it ran.
pub type Ran<'a> = (&'a CompiledRule, Option<u64>);

/// What two packs say differently.
#[must_use]
pub fn pack_diff(before: &Pack, after: &Pack) -> PackDiff {
    PackDiff {
        routes: statements(&routes(before), &routes(after)),
        aliases: statements(&aliases(before), &aliases(after)),
    }
}

/// What became of the rules of a set, by file and place in it.
#[must_use]
pub fn rule_diff<'a>(
    before: impl IntoIterator<Item = Ran<'a>>,
    after: impl IntoIterator<Item = Ran<'a>>,
) -> Vec<RuleDiff> {
    let key = |ran: &Ran<'a>| (Arc::clone(&ran.0.compilation.rule.path), ran.0.compilation.rule.document);
    // Hashed, as comparing thousands of paths takes long; what is found is sorted.
    let mut both: HashMap<_, (Option<Ran<'_>>, Option<Ran<'_>>)> = HashMap::new();
    before.into_iter().for_each(|ran| both.entry(key(&ran)).or_default().0 = Some(ran));
    after.into_iter().for_each(|ran| both.entry(key(&ran)).or_default().1 = Some(ran));
    let mut found: Vec<RuleDiff> =
        both.into_values().filter_map(|(before, after)| differ(before, after)).collect();
    found.sort_by(|one, other| (&one.path, one.document).cmp(&(&other.path, other.document)));
    found
}

fn differ(before: Option<Ran<'_>>, after: Option<Ran<'_>>) -> Option<RuleDiff> {
    let change = match (before, after) {
        (None, None) => return None,
        (None, Some(_)) => Some(RuleChange::Added),
        (Some(_), None) => Some(RuleChange::Removed),
        (Some((before, _)), Some((after, _))) if std::ptr::eq(before, after) => None,
        (Some((before, _)), Some((after, _))) => change(before, after),
    };
    let (matches_before, matches_after) =
        (before.and_then(|(_, matches)| matches), after.and_then(|(_, matches)| matches));
    if change.is_none() && matches_before == matches_after {
        return None;
    }
    let rule = &after.or(before)?.0.compilation.rule;
    Some(RuleDiff {
        path: rule.path.to_path_buf(),
        document: rule.document,
        title: rule.title(),
        change,
        matches_before,
        matches_after,
    })
}

fn change(before: &CompiledRule, after: &CompiledRule) -> Option<RuleChange> {
    let (one, other) = (&before.compilation, &after.compilation);
    match (one.is_executable(), other.is_executable()) {
        (false, true) => Some(RuleChange::NewlyExecutable { fallback_used: other.fallback_used() }),
        (true, false) => Some(RuleChange::NewlyRefused { reason: other.reason() }),
        (false, false) if one.reason() != other.reason() => {
            Some(RuleChange::OtherReason { before: one.reason(), after: other.reason() })
        }
        (true, true) if text(before) != text(after) => {
            Some(RuleChange::OtherSql { fallback_used: other.fallback_used() })
        }
        _ => None,
    }
}

fn text(rule: &CompiledRule) -> Option<&str> {
    rule.sql.as_ref().map(|sql| sql.text.as_str())
}

fn statements(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<Statement> {
    let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
    keys.sort();
    keys.dedup();
    keys.into_iter()
        .map(|key| (key, before.get(key), after.get(key)))
        .filter(|(_, before, after)| before != after)
        .map(|(key, before, after)| Statement {
            key: key.clone(),
            before: before.cloned(),
            after: after.cloned(),
        })
        .collect()
}

/// Each route under its log source. Two that say the same of it stand in their order.
fn routes(pack: &Pack) -> BTreeMap<String, String> {
    let mut routes: BTreeMap<String, String> = BTreeMap::new();
    for route in &pack.routes {
        let text = routes.entry(route_key(route)).or_default();
        if !text.is_empty() {
            text.push_str("; ");
        }
        text.push_str(&route_text(route));
    }
    routes
}

fn route_key(route: &Route) -> String {
    let Route { category, product, service, .. } = route.clone();
    let mut key = AliasScope { category, product, service }.to_string();
    for (field, literals) in &route.when {
        let literals: Vec<&str> = literals.iter().map(String::as_str).collect();
        key.push_str(&format!(" when {field} in {}", literals.join(", ")));
    }
    key
}

fn route_text(route: &Route) -> String {
    let classes: Vec<String> = route.class_uids.iter().map(ToString::to_string).collect();
    let filters: Vec<String> = route.filters.iter().map(filter_text).collect();
    match filters.is_empty() {
        true => classes.join(", "),
        false => format!("{} where {}", classes.join(", "), filters.join(" and ")),
    }
}

fn filter_text(filter: &RouteFilter) -> String {
    json!({"path": filter.path, "op": filter.op, "value": filter.value}).to_string()
}

/// Each alias under its scope and field. Two answers at one scope stand in their order.
fn aliases(pack: &Pack) -> BTreeMap<String, String> {
    let mut aliases = BTreeMap::new();
    for (scope, fields) in &pack.aliases {
        for (field, answers) in fields {
            let answers: Vec<String> = answers.iter().map(alias_yaml).collect();
            aliases.insert(format!("{scope} {field}"), answers.join("; "));
        }
    }
    aliases
}
