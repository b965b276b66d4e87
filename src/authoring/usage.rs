//! What the statements of a pack are for: the rules that use each route and each alias, and what a dataset has there.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::evidence::{Evidence, survey};
use crate::backend::CompiledRule;
use crate::bridge::RoutedScope;
use crate::evaluate::{Cancel, EvalError};
use crate::pack::PackPlace;
use crate::store::Store;

/// A route and the rules that it takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RouteUse {
    /// Its log source, as `category/product/service`.
    pub logsource: String,
    /// The file, and the line from 1.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// Rules that it takes.
    pub rules: usize,
    /// Those of them that are executable.
    pub executable: usize,
    /// Events in its scope; `None` without a dataset.
    pub events: Option<u64>,
    /// The fields that its rules name, by field.
    pub fields: Vec<FieldUse>,
}

/// A field that the rules of a route name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FieldUse {
    /// The field.
    pub field: String,
    /// The path or expression that it is found in; empty where it has no alias.
    pub target: String,
    /// Rules of the route that name it.
    pub rules: usize,
    /// What the dataset has in each of its columns that any event of the scope fills, by path.
    pub evidence: BTreeMap<String, Evidence>,
}

/// What each route of a compiled set is for: those that take most rules first, then by log source and place.
///
/// # Errors
/// DuckDB fails, or nobody waits any more.
pub fn usage(
    compiled: &[CompiledRule],
    mut store: Option<&mut Store>,
    cancel: &Cancel,
) -> Result<Vec<RouteUse>, EvalError> {
    let mut by_route: BTreeMap<(String, u32), Vec<&CompiledRule>> = BTreeMap::new();
    for rule in compiled {
        if let Some(scope) = &rule.compilation.routing.scope {
            by_route.entry(key(&scope.place)).or_default().push(rule);
        }
    }
    let mut uses = Vec::new();
    for ((path, line), rules) in by_route {
        let Some(scope) = rules.iter().find_map(|rule| rule.compilation.routing.scope.as_ref()) else {
            continue;
        };
        let (events, fields) = fields(&rules, scope, store.as_deref_mut(), cancel)?;
        let executable = rules.iter().filter(|rule| rule.compilation.is_executable()).count();
        let logsource = scope.logsource.clone();
        uses.push(RouteUse { logsource, path, line, rules: rules.len(), executable, events, fields });
    }
    uses.sort_by(|one, other| {
        let order =
            |of: &RouteUse| (std::cmp::Reverse(of.rules), of.logsource.clone(), of.path.clone(), of.line);
        order(one).cmp(&order(other))
    });
    Ok(uses)
}

fn key(place: &PackPlace) -> (String, u32) {
    (place.path.display().to_string(), place.span.start.line)
}

fn fields(
    rules: &[&CompiledRule],
    scope: &RoutedScope,
    store: Option<&mut Store>,
    cancel: &Cancel,
) -> Result<(Option<u64>, Vec<FieldUse>), EvalError> {
    let survey = match store {
        Some(store) => Some(survey(store, std::slice::from_ref(scope), &[], cancel)?),
        None => None,
    };
    let mut named: BTreeMap<(&str, &str), (usize, BTreeSet<&str>)> = BTreeMap::new();
    for field in rules.iter().flat_map(|rule| &rule.compilation.fields) {
        let entry = named.entry((&field.field.0, &field.expr)).or_default();
        entry.0 += 1;
        entry.1.extend(field.columns.iter().map(|path| path.as_str()));
    }
    let found = |columns: BTreeSet<&str>| -> BTreeMap<String, Evidence> {
        let columns = columns.into_iter().filter_map(|path| {
            let evidence = survey.as_ref()?.columns.get(&crate::ocsf::OcsfPath(path.to_owned()))?;
            Some((path.to_owned(), evidence.clone()))
        });
        columns.collect()
    };
    let fields = named.into_iter().map(|((field, target), (rules, columns))| FieldUse {
        field: field.to_owned(),
        target: target.to_owned(),
        rules,
        evidence: found(columns),
    });
    let fields = fields.collect();
    Ok((survey.as_ref().map(|survey| survey.in_scope), fields))
}
