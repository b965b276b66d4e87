//! A pySigma processing pipeline as a mapping pack, and what of it a pack cannot carry.
//!
//! The pipeline is applied to every log source that it tells apart. One that gets OCSF classes becomes a route, with
//! aliases for what its fields are called in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::apply::{Outcome, apply};
use super::carry::{self, Carried, Filter};
use super::notes::{Notes, SCOPE, SYNTAX, TRANSFORMATION, UNROUTED};
use super::pack_files;
use super::pipeline::*;
use super::read;
use crate::bridge::Diagnostic;
use crate::ocsf::ClassUid;
use crate::sigma::Span;

/// The log sources that a pipeline may tell apart.
const MAX_LOG_SOURCES: usize = 1024;
/// Log sources times fields times items, above which a pipeline is not looked at.
const MAX_WORK: usize = 200_000_000;

/// A pack made of a pipeline.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The pack's files, by their paths below it.
    pub files: BTreeMap<PathBuf, String>,
    /// How many routes it has. Without one, it has no aliases either, and is of no use.
    pub routes: usize,
    /// How many aliases it has.
    pub aliases: usize,
    /// What was not carried: warnings, by place.
    pub findings: Vec<Diagnostic>,
}

/// A file that is no pipeline.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{} finding(s) in the pipeline", .findings.len())]
pub struct ImportError {
    /// All findings, by place; never empty.
    pub findings: Vec<Diagnostic>,
}

/// A log source that the pipeline gives OCSF classes.
pub(super) struct Routed {
    pub(super) logsource: LogSource,
    /// Where a condition names it.
    span: Option<Span>,
    pub(super) classes: Vec<ClassUid>,
    pub(super) filters: Vec<Filter>,
    pub(super) aliases: BTreeMap<String, Carried>,
}

/// Why a log source has no route.
enum NoRoute {
    /// Rules of it would run over no event: they are of several log sources, with different classes.
    NoEvents,
    /// Its rules fail in the pipeline, or the pack cannot say where they look.
    LeftOut,
}

/// Reads the pipeline `text`, which stands at `path`, into a pack with this id.
///
/// # Errors
/// It is not YAML, or not a pipeline that pySigma would take.
pub fn import(text: &str, path: &Path, id: &str) -> Result<Imported, ImportError> {
    let mut notes = Notes::about(path);
    let Some(pipeline) = read::read(text, &mut notes) else {
        return Err(ImportError { findings: notes.into_findings() });
    };
    let candidates = log_sources(&pipeline.items);
    let fields = fields(&pipeline.items);
    let work = candidates.len() * fields.len().max(1) * size(&pipeline.items);
    if candidates.len() > MAX_LOG_SOURCES || work > MAX_WORK {
        notes.raise(&SYNTAX, Span::START, "the pipeline tells too many log sources, fields and items apart");
        return Err(ImportError { findings: notes.into_findings() });
    }
    let mut routed = Vec::new();
    let mut unrouted = Vec::new();
    for (logsource, span) in candidates {
        let outcome = apply(&pipeline, &logsource, &fields, &mut notes);
        match route(&logsource, span, &outcome, &mut notes) {
            Ok(route) => routed.push(route),
            Err(NoRoute::NoEvents) => {}
            Err(NoRoute::LeftOut) => unrouted.push((logsource, span)),
        }
    }
    take_back(&mut routed, &unrouted, &mut notes);
    let routed = without_repetition(routed);
    let placeholders = placeholders(&pipeline, &mut notes);
    let name = pipeline.name.unwrap_or_else(|| read::file_name(path));
    let scopes = scopes(&routed);
    let aliases = scopes.values().map(BTreeMap::len).sum();
    let files =
        pack_files::files(&pack_files::Contents { id, name: &name, placeholders, routed: &routed, scopes });
    Ok(Imported { files, routes: routed.len(), aliases, findings: notes.into_findings() })
}

/// The log sources that conditions name, with the place of one, and those that satisfy several of them.
fn log_sources(items: &[Item]) -> BTreeMap<LogSource, Option<Span>> {
    let mut named = BTreeMap::from([([None, None, None], None)]);
    collect_log_sources(items, &mut named);
    let mut ahead: Vec<LogSource> = named.keys().cloned().collect();
    while let Some(own) = ahead.pop() {
        let joined: BTreeSet<LogSource> = named.keys().filter_map(|other| join(&own, other)).collect();
        for joined in joined {
            if named.len() > MAX_LOG_SOURCES {
                return named;
            }
            if !named.contains_key(&joined) {
                named.insert(joined.clone(), None);
                ahead.push(joined);
            }
        }
    }
    named
}

fn collect_log_sources(items: &[Item], named: &mut BTreeMap<LogSource, Option<Span>>) {
    for item in items {
        for (_, condition) in &item.rule.conditions {
            if let RuleCondition::LogSource(logsource) = condition {
                named.entry(logsource.clone()).or_insert(Some(item.rule.span));
            }
        }
        if let Transformation::Nest(items) = &item.transformation {
            collect_log_sources(items, named);
        }
    }
}

/// The log source that names what both name; `None` where they contradict each other.
fn join(one: &LogSource, other: &LogSource) -> Option<LogSource> {
    let agree = one.iter().zip(other).all(|(a, b)| a.is_none() || b.is_none() || a == b);
    agree.then(|| {
        std::array::from_fn(|at| one.get(at).cloned().flatten().or_else(|| other.get(at).cloned().flatten()))
    })
}

/// The fields that the pipeline names.
fn fields(items: &[Item]) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    for item in items {
        match &item.transformation {
            Transformation::Mapping(names) => fields.extend(names.iter().map(|(from, _)| from.value.clone())),
            Transformation::Nest(items) => fields.extend(self::fields(items)),
            _ => {}
        }
        for (_, condition) in &item.field.conditions {
            if let FieldCondition::Named { fields: named, .. } = condition {
                fields.extend(named.iter().cloned());
            }
        }
    }
    fields
}

/// What there is to do for one field.
fn size(items: &[Item]) -> usize {
    let of = |item: &Item| match &item.transformation {
        Transformation::Nest(items) => size(items),
        Transformation::Mapping(names) | Transformation::PrefixMapping(names) => names.len(),
        _ => 1,
    };
    items.iter().map(|item| of(item) + item.field.conditions.len() + item.rule.conditions.len()).sum()
}

fn route(
    logsource: &LogSource,
    span: Option<Span>,
    outcome: &Outcome,
    notes: &mut Notes,
) -> Result<Routed, NoRoute> {
    if outcome.refused {
        return Err(NoRoute::LeftOut);
    }
    let classes = match carry::classes(&outcome.added, notes) {
        Some(classes) if classes.is_empty() && span.is_none() => return Err(NoRoute::NoEvents),
        classes => classes.unwrap_or_default(),
    };
    let [category, _, service] = logsource;
    // A scope of aliases is written with slashes, and `*` for any.
    let is_writable = |part: &String| {
        !part.is_empty() && part != "*" && !part.contains('/') && !part.contains(char::is_control)
    };
    let is_routable =
        (category.is_some() || service.is_some()) && logsource.iter().flatten().all(is_writable);
    if classes.is_empty() || !is_routable {
        if let Some(span) = span {
            let name = pack_files::scope_text(logsource);
            let message = match is_routable {
                true => format!("`{name}` gets no class by a condition on class_uid"),
                false => {
                    format!("`{name}` can be no route: it names no category and no service, or not by words")
                }
            };
            notes.raise(&UNROUTED, span, message);
        }
        return Err(NoRoute::LeftOut);
    }
    let filters = carry::filters(&outcome.added, &classes, notes).ok_or(NoRoute::LeftOut)?;
    let aliases = outcome.fields.iter().filter_map(|(field, slot)| {
        carry::alias(field, slot, &classes, notes).map(|alias| (field.clone(), alias))
    });
    let aliases = aliases.collect();
    Ok(Routed { logsource: logsource.clone(), span, classes, filters, aliases })
}

/// Whether `wide` is for all rules of `narrow`, and others.
fn is_wider(wide: &LogSource, narrow: &LogSource) -> bool {
    wide != narrow && wide.iter().zip(narrow).all(|(wide, narrow)| wide.is_none() || wide == narrow)
}

/// Leaves out what would hold for a narrower log source, too, where the pipeline says otherwise.
fn take_back(routed: &mut Vec<Routed>, unrouted: &[(LogSource, Option<Span>)], notes: &mut Notes) {
    routed.retain(|route| {
        let narrower = unrouted.iter().find(|(other, _)| is_wider(&route.logsource, other));
        if let Some((narrower, span)) = narrower {
            let (wide, narrow) = (pack_files::scope_text(&route.logsource), pack_files::scope_text(narrower));
            let message =
                format!("`{wide}` is left out: the pipeline has no place for its rules of `{narrow}`");
            notes.raise(&SCOPE, span.or(route.span).unwrap_or(Span::START), message);
        }
        narrower.is_none()
    });
    let known: Vec<(LogSource, BTreeSet<String>)> =
        routed.iter().map(|r| (r.logsource.clone(), r.aliases.keys().cloned().collect())).collect();
    for route in routed {
        let logsource = &route.logsource;
        route.aliases.retain(|field, alias| {
            let narrower =
                known.iter().find(|(other, fields)| is_wider(logsource, other) && !fields.contains(field));
            if let Some((narrower, _)) = narrower {
                let (wide, narrow) = (pack_files::scope_text(logsource), pack_files::scope_text(narrower));
                let message = format!("`{field}` of `{wide}` is left out: `{narrow}` does not have it");
                notes.raise(&SCOPE, alias.span, message);
            }
            narrower.is_none()
        });
    }
}

/// The routes without those that say what all wider ones say.
fn without_repetition(routed: Vec<Routed>) -> Vec<Routed> {
    let says_the_same = |one: &Routed, other: &Routed| {
        let agree = |(field, alias): (&String, &Carried)| {
            other.aliases.get(field).is_some_and(|other| other.agrees(alias))
        };
        (&one.classes, &one.filters) == (&other.classes, &other.filters)
            && one.aliases.len() == other.aliases.len()
            && one.aliases.iter().all(agree)
    };
    let repeats = |route: &Routed| {
        let mut wider = routed.iter().filter(|other| is_wider(&other.logsource, &route.logsource)).peekable();
        wider.peek().is_some() && wider.all(|other| says_the_same(route, other))
    };
    let repeated: BTreeSet<LogSource> =
        routed.iter().filter(|route| repeats(route)).map(|route| route.logsource.clone()).collect();
    routed.into_iter().filter(|route| !repeated.contains(&route.logsource)).collect()
}

/// The aliases by scope, each at the widest where it says the same for all rules.
fn scopes(routed: &[Routed]) -> BTreeMap<LogSource, BTreeMap<String, Carried>> {
    let mut scopes: BTreeMap<LogSource, BTreeMap<String, Carried>> = BTreeMap::new();
    for route in routed {
        for (field, alias) in &route.aliases {
            let same = |other: &Routed| other.aliases.get(field).is_some_and(|other| other.agrees(alias));
            let wider: Vec<&Routed> =
                routed.iter().filter(|other| is_wider(&other.logsource, &route.logsource)).collect();
            if !wider.is_empty() && wider.into_iter().all(same) {
                continue;
            }
            let everywhere = routed.len() > 1 && routed.iter().all(same);
            let scope = if everywhere { [None, None, None] } else { route.logsource.clone() };
            scopes.entry(scope).or_default().insert(field.clone(), alias.clone());
        }
    }
    scopes
}

/// The placeholders of the pack: variables that `value_placeholders` puts in for all rules.
fn placeholders(pipeline: &Pipeline, notes: &mut Notes) -> BTreeMap<String, Vec<String>> {
    let mut filled = BTreeMap::new();
    for item in &pipeline.items {
        let is_free =
            item.rule.conditions.is_empty() && item.field.conditions.is_empty() && item.values.is_none();
        match &item.transformation {
            Transformation::Placeholders { include, exclude } if is_free => {
                let wanted = |name: &String| {
                    include.as_ref().is_none_or(|include| include.contains(name)) && !exclude.contains(name)
                };
                let values = pipeline.vars.iter().filter(|(name, _)| wanted(&name.value));
                filled.extend(values.map(|(name, values)| (name.value.clone(), values.clone())));
            }
            Transformation::Placeholders { .. } | Transformation::ChangesPlaceholders => {
                let message = format!("`{}` is not carried: rules with placeholders are refused", item.kind);
                notes.raise(&TRANSFORMATION, item.span, message);
            }
            _ => {}
        }
    }
    for (name, _) in pipeline.vars.iter().filter(|(name, _)| !filled.contains_key(&name.value)) {
        let message =
            format!("the variable `{}` is not carried: no value_placeholders puts it in", name.value);
        notes.raise(&TRANSFORMATION, name.span, message);
    }
    filled
}
