//! What a pack means together with the packs that it extends.
//!
//! A statement of a pack hides those of the packs that it extends, however it came to extend them. Packs of which
//! neither extends the other agree, or there is a finding.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use super::extends::Layer;
use super::report::Report;
use super::routes::{DUPLICATE_ROUTE, same_rules};
use super::{
    Alias, AliasScope, Column, Component, Fields, Manifest, Pack, PackPlace, RawFallback, Route, aliases,
    hash, ties,
};
use crate::bridge::{Code, Severity};
use crate::sigma::{SigmaField, Span};

pub(crate) static EXTENDS_CONFLICT: Code = Code {
    name: "pack_extends_conflict",
    reason: None,
    severity: Severity::Error,
    summary: "two extended packs give one placeholder different values",
    explanation: "Neither of the two packs extends the other, so that none of them wins. State the placeholder in the \
                  pack that extends both: what it says itself wins.",
};

/// One pack of all layers, of which the last is the pack that is loaded.
pub(super) fn merged(layers: &[Layer], report: &mut Report) -> Pack {
    let Some(own) = layers.last() else { return Pack::default() };
    report.path = own.place.root().join("pack.yaml").into();
    let manifest = manifest(&own.pack.manifest, layers, report);
    let routes = routes(layers, report);
    ties::check(&routes, report);
    let mut pack = Pack {
        manifest,
        routes,
        aliases: all_aliases(layers, report),
        components: layers.iter().map(component).collect(),
        sha256: String::new(),
    };
    pack.sha256 = hash::sha256(&pack);
    pack
}

fn component(layer: &Layer) -> Component {
    let Manifest { id, version, .. } = &layer.pack.manifest;
    let (id, version, own) = (id.clone(), version.clone(), Arc::clone(&layer.pack));
    Component { id, version, root: layer.place.root(), own, sha256: OnceLock::new() }
}

/// What `answers` of several layers remains: those that no layer hides which extends theirs.
fn visible<T>(layers: &[Layer], answers: Vec<(usize, T)>, same: impl Fn(&T, &T) -> bool) -> Vec<T> {
    let hidden = |index: usize, answer: &T| {
        answers.iter().any(|(by, other)| {
            layers.get(*by).is_some_and(|layer| layer.reach.contains(&index)) && same(other, answer)
        })
    };
    let keep: Vec<bool> = answers.iter().map(|(index, answer)| !hidden(*index, answer)).collect();
    answers.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|((_, answer), _)| answer).collect()
}

fn manifest(own: &Manifest, layers: &[Layer], report: &mut Report) -> Manifest {
    let manifests = || layers.iter().map(|layer| &layer.pack.manifest);
    let mut prefixes = own.raw_fallback.prefixes.clone();
    let mut keywords = own.keywords.clone();
    for other in manifests() {
        prefixes.extend(
            other.raw_fallback.prefixes.iter().filter(|p| !prefixes.contains(p)).cloned().collect::<Vec<_>>(),
        );
        keywords.extend(other.keywords.iter().filter(|k| !keywords.contains(k)).cloned().collect::<Vec<_>>());
    }
    if layers.len() > 1 {
        prefixes.sort();
        keywords.sort();
    }
    Manifest {
        capabilities: manifests().flat_map(|manifest| manifest.capabilities.clone()).collect(),
        placeholders: placeholders(layers, report),
        raw_fallback: RawFallback { enabled: own.raw_fallback.enabled, prefixes },
        keywords,
        ..own.clone()
    }
}

fn placeholders(layers: &[Layer], report: &mut Report) -> BTreeMap<String, Vec<String>> {
    let mut merged = BTreeMap::new();
    let manifests = || layers.iter().map(|layer| &layer.pack.manifest);
    let names: BTreeSet<&String> = manifests().flat_map(|manifest| manifest.placeholders.keys()).collect();
    for name in names {
        let answers = manifests().enumerate();
        let answers = answers.filter_map(|(index, m)| Some((index, (&m.id, m.placeholders.get(name)?))));
        let answers = visible(layers, answers.collect(), |_, _| true);
        let Some((first, values)) = answers.first() else { continue };
        if let Some((other, _)) = answers.iter().find(|(_, other)| other != values) {
            let message = format!("packs `{first}` and `{other}` give `%{name}%` different values");
            let help = Some(format!("state `{name}` under `placeholders` here"));
            report.raise(&EXTENDS_CONFLICT, Span::START, message, help);
        }
        merged.insert(name.clone(), (*values).clone());
    }
    merged
}

fn routes(layers: &[Layer], report: &mut Report) -> Vec<Route> {
    let all = layers.iter().enumerate();
    let all = all.flat_map(|(index, layer)| layer.pack.routes.iter().map(move |route| (index, route)));
    let all: Vec<(usize, &Route)> = all.collect();
    let mut merged: Vec<Route> = Vec::new();
    for route in visible(layers, all.clone(), |a, b| same_rules(a, b)) {
        match merged.iter().find(|other| same_rules(other, route)) {
            // Two of one file have their finding already.
            Some(other) if other.place.path == route.place.path => {}
            Some(other) if (&other.class_uids, &other.filters) == (&route.class_uids, &route.filters) => {
                continue;
            }
            Some(other) => {
                let message = format!("this route takes the same rules as {}", at(&other.place));
                report.path.clone_from(&route.place.path);
                let help = "state the route in the pack that extends both".to_owned();
                report.raise(&DUPLICATE_ROUTE, route.place.span, message, Some(help));
            }
            None => {}
        }
        let stated_in = all.iter().find(|(_, other)| std::ptr::eq(*other, route)).map(|(index, _)| *index);
        let keywords = stated_in.map_or(Vec::new(), |index| keywords(layers, index));
        merged.push(Route { keywords, ..route.clone() });
    }
    merged
}

/// Where a search without a field looks, for the routes of one layer: what the packs name that have a part in them.
fn keywords(layers: &[Layer], of: usize) -> Vec<Column> {
    let below = |index: usize| layers.get(of).is_some_and(|layer| layer.reach.contains(&index));
    let concerned = layers.iter().enumerate();
    let concerned =
        concerned.filter(|(index, layer)| *index == of || below(*index) || layer.reach.contains(&of));
    let mut columns: Vec<Column> = Vec::new();
    for column in concerned.flat_map(|(_, layer)| &layer.pack.manifest.keywords) {
        if !columns.contains(column) {
            columns.push(column.clone());
        }
    }
    columns.sort();
    columns
}

fn all_aliases(layers: &[Layer], report: &mut Report) -> BTreeMap<AliasScope, Fields> {
    let mut answers: BTreeMap<(&AliasScope, &SigmaField), Vec<(usize, &Alias)>> = BTreeMap::new();
    for (index, layer) in layers.iter().enumerate() {
        for (scope, fields) in &layer.pack.aliases {
            for (field, aliases) in fields {
                let known = answers.entry((scope, field)).or_default();
                known.extend(aliases.iter().map(|alias| (index, alias)));
            }
        }
    }
    let mut merged: BTreeMap<AliasScope, Fields> = BTreeMap::new();
    for ((scope, field), answers) in answers {
        let overlap = |a: &&Alias, b: &&Alias| aliases::overlap(&a.class_uids, &b.class_uids);
        let mut kept: Vec<(usize, &Alias)> = Vec::new();
        for answer in
            visible(layers, answers.iter().map(|(i, a)| (*i, (*i, *a))).collect(), |a, b| overlap(&a.1, &b.1))
        {
            match kept.iter().find(|other| other.0 != answer.0 && overlap(&other.1, &answer.1)) {
                Some((_, other)) if agree(other, answer.1) => continue,
                Some((_, other)) => {
                    let message = format!("`{field}` has another alias at `{scope}`: {}", at(&other.place));
                    report.path.clone_from(&answer.1.place.path);
                    let help = "state the alias in the pack that extends both".to_owned();
                    report.raise(&aliases::DUPLICATE_ALIAS, answer.1.place.span, message, Some(help));
                }
                None => {}
            }
            kept.push(answer);
        }
        let kept = kept.into_iter().map(|(_, alias)| alias.clone()).collect();
        merged.entry(scope.clone()).or_default().insert(field.clone(), kept);
    }
    merged
}

/// Whether two aliases say the same, wherever they stand.
fn agree(a: &Alias, b: &Alias) -> bool {
    let of = |alias: &Alias| (alias.otherwise, alias.literal);
    of(a) == of(b) && (&a.target, &a.values, &a.class_uids) == (&b.target, &b.values, &b.class_uids)
}

fn at(place: &PackPlace) -> String {
    format!("{}:{}", place.path.display(), place.span.start)
}
