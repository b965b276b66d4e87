//! A mapping pack as a pySigma processing pipeline that fails where the pack would refuse.
//!
//! First the state `ocsf_route` says which route a rule takes: the narrowest is set last. Then fields get their OCSF
//! names with a mark before them, which no field of Sigma has; a field without it fails, and the mark is taken away.
//! The conditions of the route come last, so that nothing renames them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::export_items::{self as items, Group};
use super::lowered::{Lowered, lower};
use super::notes::{ANY_OF, KEYWORDS, Notes, UNRESOLVED, WHEN};
use super::tree::{Entry, entry, integer, list, map, text, texts};
use crate::bridge::{Diagnostic, Resolver, RoutedScope, Settings, Tokens, UNMAPPED_FIELD};
use crate::pack::{AliasScope, Pack, Route};
use crate::sigma::yaml::{self, Node};
use crate::sigma::{SigmaField, Span, Spanned};

/// Pipelines for a product come at 10, those for a format at 20 (pySigma's conventions).
const PRIORITY: i32 = 20;

/// A pipeline made of a pack.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The pipeline as YAML.
    pub text: String,
    /// How many routes it has.
    pub routes: usize,
    /// How many fields it maps, counted for each route.
    pub mapped: usize,
    /// How many fields it fails on though the pack has an alias, counted for each route.
    pub failing: usize,
    /// What it does not carry, or not as it is: warnings, by file and place.
    pub findings: Vec<Diagnostic>,
}

/// Makes a pipeline of a pack, with `raw.*` where the pack or `settings` permit it.
#[must_use]
pub fn export(pack: &Pack, settings: &Settings) -> Exported {
    let mut export = Export { pack, settings, notes: Notes::default(), mapped: 0, failing: 0 };
    let routes = numbered(pack);
    let mut all = items::beginning(&pack.manifest.placeholders);
    all.extend(items::routing(&routes));
    for route in routes.iter().filter(|route| !items::is_carried(&route.route.when)) {
        let place = &route.route.place;
        let message = format!("the route {} has a literal under `when` that is not carried", route.name);
        export.notes.at(place.path.to_path_buf(), &WHEN, place.span, message);
    }
    for group in export.groups(&routes) {
        all.extend(items::of_group(&group));
    }
    all.extend(items::unmapped());
    all.extend(routes.iter().flat_map(items::conditions));
    if !pack.manifest.keywords.is_empty() {
        let root = pack.components.last().map(|own| own.root.join("pack.yaml")).unwrap_or_default();
        let message = "`keywords` is not carried: searches without a field fail in the pipeline";
        export.notes.at(root, &KEYWORDS, Span::START, message);
    }
    Exported {
        text: yaml::write(&map(head(pack, all))),
        routes: routes.len(),
        mapped: export.mapped,
        failing: export.failing,
        findings: export.notes.into_findings(),
    }
}

fn head(pack: &Pack, all: Vec<Node>) -> Vec<Entry> {
    let manifest = &pack.manifest;
    let name = format!("{} {} to OCSF {}", manifest.id, manifest.version, manifest.ocsf_version);
    let mut entries = vec![entry("name", text(&name)), entry("priority", integer(PRIORITY))];
    if !manifest.placeholders.is_empty() {
        let vars = manifest.placeholders.iter().map(|(name, values)| entry(name, texts(values)));
        entries.push(entry("vars", map(vars.collect())));
    }
    entries.push(entry("transformations", list(all)));
    entries
}

/// A route and what the pipeline's state calls it.
pub(super) struct Numbered<'p> {
    pub(super) name: String,
    pub(super) route: &'p Route,
}

/// The routes from the widest to the narrowest.
fn numbered(pack: &Pack) -> Vec<Numbered<'_>> {
    let mut routes: Vec<&Route> = pack.routes.iter().collect();
    routes.sort_by_key(|route| specificity(route));
    let name = |(at, route): (usize, &'_ Route)| format!("{} #{}", tokens(route).text(), at + 1);
    routes
        .iter()
        .copied()
        .enumerate()
        .map(|(at, route)| Numbered { name: name((at, route)), route })
        .collect()
}

/// As the router has it: category first, then the number of things that a route asks for.
pub(super) fn specificity(route: &Route) -> (bool, usize) {
    let named = [&route.category, &route.product, &route.service].into_iter().flatten().count();
    (route.category.is_some(), named + route.when.len())
}

fn tokens(route: &Route) -> Tokens {
    Tokens {
        category: route.category.clone(),
        product: route.product.clone(),
        service: route.service.clone(),
    }
}

struct Export<'p> {
    pack: &'p Pack,
    settings: &'p Settings,
    notes: Notes,
    mapped: usize,
    failing: usize,
}

type Table = BTreeMap<SigmaField, Lowered>;

impl Export<'_> {
    /// The fields of all routes; routes that have the same ones together. Narrower log sources come first.
    fn groups(&mut self, routes: &[Numbered<'_>]) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for route in routes.iter().filter(|route| items::is_carried(&route.route.when)) {
            for (logsource, fields) in self.tables(route.route) {
                let narrower = (logsource != tokens(route.route)).then_some(logsource);
                let same = |group: &&mut Group| group.logsource == narrower && group.fields == fields;
                match groups.iter_mut().find(same) {
                    Some(group) => group.routes.push(route.name.clone()),
                    None => {
                        groups.push(Group { logsource: narrower, routes: vec![route.name.clone()], fields })
                    }
                }
            }
        }
        groups.retain(|group| !group.fields.is_empty());
        groups.sort_by_key(|group| std::cmp::Reverse(group.logsource.as_ref().map_or(0, named)));
        groups
    }

    /// The fields for the log source of a route, and those that differ for narrower ones that a scope names.
    fn tables(&mut self, route: &Route) -> Vec<(Tokens, Table)> {
        let tables: Vec<(Tokens, Table)> = self
            .log_sources(route)
            .into_iter()
            .map(|logsource| {
                let table = self.table(route, &logsource);
                (logsource, table)
            })
            .collect();
        let differs = |logsource: &Tokens, field: &SigmaField, own: &Lowered| {
            let mut wider = tables.iter().filter(|(other, _)| other != logsource && covers(other, logsource));
            *logsource == tokens(route) || wider.any(|(_, table)| table.get(field) != Some(own))
        };
        let mut kept = Vec::new();
        for (logsource, table) in &tables {
            let mut own = table.clone();
            own.retain(|field, lowered| differs(logsource, field, lowered));
            self.failing += own.values().filter(|lowered| **lowered == Lowered::Fails).count();
            self.mapped += own.values().filter(|lowered| **lowered != Lowered::Fails).count();
            kept.push((logsource.clone(), own));
        }
        kept
    }

    /// The route's log source, and the narrower ones that scopes of aliases tell apart.
    fn log_sources(&self, route: &Route) -> Vec<Tokens> {
        let mut found = vec![tokens(route)];
        loop {
            let scopes = self.pack.aliases.keys();
            let mut joined = scopes.flat_map(|scope| found.iter().filter_map(|own| join(own, scope)));
            match joined.find(|joined| !found.contains(joined) && !self.is_of_another(joined, route)) {
                Some(joined) => found.push(joined),
                None => return found,
            }
        }
    }

    /// Whether all rules of this log source take a narrower route.
    fn is_of_another(&self, logsource: &Tokens, route: &Route) -> bool {
        self.pack.routes.iter().any(|other| {
            other.when.is_empty()
                && covers(&tokens(other), logsource)
                && specificity(other) > specificity(route)
        })
    }

    fn table(&mut self, route: &Route, logsource: &Tokens) -> Table {
        let scope = RoutedScope {
            logsource: tokens(route).text(),
            class_uids: route.class_uids.clone(),
            filters: route.filters.clone(),
            keywords: route.keywords.clone(),
            place: route.place.clone(),
        };
        let resolver = Resolver::new(self.pack, self.settings, logsource.clone(), Arc::new(scope));
        let Tokens { category, product, service } = logsource;
        let applies =
            |scope: &AliasScope| scope.applies(category.as_deref(), product.as_deref(), service.as_deref());
        let fields: BTreeSet<&SigmaField> = self
            .pack
            .aliases
            .iter()
            .filter(|(scope, _)| applies(scope))
            .flat_map(|(_, fields)| fields.keys())
            .collect();
        fields
            .into_iter()
            .filter_map(|field| Some((field.clone(), self.lowered(field, &resolver, route)?)))
            .collect()
    }

    /// `None` where the pack has the field for none of the route's classes, so that it fails as any other.
    fn lowered(&mut self, field: &SigmaField, resolver: &Resolver<'_>, route: &Route) -> Option<Lowered> {
        let mention = Spanned::new(field.clone(), Span::START);
        let resolved = match resolver.resolve(&mention, Path::new("")) {
            Ok(resolved) => resolved,
            Err(finding) if finding.code == &UNMAPPED_FIELD => return None,
            Err(finding) => {
                let place = &route.place;
                self.notes.at(place.path.to_path_buf(), &UNRESOLVED, place.span, finding.message);
                return Some(Lowered::Fails);
            }
        };
        let place = &resolved.alias.place;
        match lower(&resolved, &route.class_uids) {
            Ok(lowered) => {
                if matches!(&lowered, Lowered::Named { paths, .. } if paths.len() > 1) {
                    let message = format!("`{field}` has several paths, which pySigma asks one by one");
                    self.notes.at(place.path.to_path_buf(), &ANY_OF, place.span, message);
                }
                Some(lowered)
            }
            Err(code) => {
                let message = format!("`{field}` is {}, and fails in the pipeline", resolved.told.expr);
                self.notes.at(place.path.to_path_buf(), code, place.span, message);
                Some(Lowered::Fails)
            }
        }
    }
}

fn named(logsource: &Tokens) -> usize {
    [&logsource.category, &logsource.product, &logsource.service].into_iter().flatten().count()
}

/// Whether all that `wide` names is in `narrow`.
fn covers(wide: &Tokens, narrow: &Tokens) -> bool {
    let scope = AliasScope {
        category: wide.category.clone(),
        product: wide.product.clone(),
        service: wide.service.clone(),
    };
    scope.applies(narrow.category.as_deref(), narrow.product.as_deref(), narrow.service.as_deref())
}

/// The log source with what the scope names; `None` where the two contradict each other.
fn join(own: &Tokens, scope: &AliasScope) -> Option<Tokens> {
    let pairs =
        [(&own.category, &scope.category), (&own.product, &scope.product), (&own.service, &scope.service)];
    let agree = pairs.iter().all(|(own, other)| own.is_none() || other.is_none() || own == other);
    let [category, product, service] = pairs.map(|(own, other)| own.clone().or_else(|| other.clone()));
    agree.then_some(Tokens { category, product, service })
}
