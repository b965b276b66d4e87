//! Single events: which predicates hold of each, with the values they look at, and what that amounts to.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::literals::found_at;
use super::model::{EventName, Evidence, Failure, MatchReason, NearMiss, Place, ValueCount};
use super::numbers::{Job, where_scope};
use super::outline::{Node, Outline};
use super::words::{Miss, describe, difference, excluded};
use crate::backend::duckdb_sql::{RELATION, pieces};
use crate::bridge::ir::{PatternPart, Predicate, Test};
use crate::evaluate::{Cancel, EvalError, host};
use crate::sigma::text;
use crate::store::Store;
use crate::store::sql_text::string;

/// Events that are shown.
pub(super) const SHOWN: usize = 5;

/// Events among which the nearest that differ are chosen.
const CANDIDATES: usize = 200;

/// Values of a field that are named.
const COMMON: usize = 5;

/// Longest value that is fetched, in code points.
const VALUE_LIMIT: usize = 4096;

/// Longest common value, in code points.
const COMMON_LIMIT: usize = 256;

/// Between the values of a LIST as they are fetched.
const SEPARATOR: char = '\u{1f}';

/// Literals of a membership test, and words of a literal, that are looked for as hints.
const HINTED: usize = 8;

/// Code points of a word that tells something.
const GIST: usize = 4;

/// An event, with what its predicates come to.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) name: EventName,
    pub(super) class_uid: Option<u32>,
    /// Whether it passes each filter of the route.
    pub(super) filters: Vec<bool>,
    /// By node: whether the predicate holds, and the values of its field.
    predicates: BTreeMap<usize, (bool, Vec<String>)>,
}

impl Seen {
    fn holds(&self, at: usize) -> bool {
        self.predicates.get(&at).is_some_and(|(holds, _)| *holds)
    }

    fn values(&self, at: usize) -> &[String] {
        self.predicates.get(&at).map_or(&[], |(_, values)| values)
    }

    pub(super) fn satisfies(&self, outline: &Outline<'_>) -> bool {
        outline.holds(Outline::ROOT, &|at| self.holds(at))
    }
}

/// The nearest misses, no two of them alike: fewest wrong predicates first, then those with more of the rule's text in
/// their values, then by time and id.
pub(super) fn nearest(store: &mut Store, job: Job<'_>, cancel: &Cancel) -> Result<Vec<NearMiss>, EvalError> {
    let query = Query { where_: where_scope(job.plan), order: Order::Nearest, limit: CANDIDATES };
    let mut found: Vec<NearMiss> = Vec::new();
    for seen in fetch(store, job, &query, cancel)? {
        let near = near_miss(job.outline, &seen);
        let alike = |other: &NearMiss| other.failed == near.failed;
        if near.distance > 0 && !found.iter().any(alike) {
            found.push(near);
        }
        if found.len() == SHOWN {
            break;
        }
    }
    Ok(found)
}

fn near_miss(outline: &Outline<'_>, seen: &Seen) -> NearMiss {
    let failed = failures(outline, Outline::ROOT, true, seen);
    NearMiss { event: seen.name.clone(), distance: failed.len() as u64, failed }
}

/// The first matches by time and id, each with what let it in.
pub(super) fn matches(
    store: &mut Store,
    job: Job<'_>,
    cancel: &Cancel,
) -> Result<Vec<MatchReason>, EvalError> {
    let query = Query { where_: where_scope(job.plan), order: Order::Matches, limit: SHOWN };
    let seen = fetch(store, job, &query, cancel)?;
    let reason = |seen: Seen| MatchReason { evidence: evidence(job.outline, &seen), event: seen.name };
    Ok(seen.into_iter().map(reason).collect())
}

/// The event of an id, in scope or not.
pub(super) fn one(
    store: &mut Store,
    job: Job<'_>,
    id: &str,
    cancel: &Cancel,
) -> Result<Option<Seen>, EvalError> {
    let where_ = format!("\"metadata.event_id\" = {}", string(id));
    let query = Query { where_, order: Order::Time, limit: 1 };
    Ok(fetch(store, job, &query, cancel)?.into_iter().next())
}

/// Which events, in which order.
struct Query {
    where_: String,
    order: Order,
    limit: usize,
}

#[derive(Clone, Copy)]
enum Order {
    Nearest,
    Matches,
    Time,
}

fn fetch(store: &mut Store, job: Job<'_>, query: &Query, cancel: &Cancel) -> Result<Vec<Seen>, EvalError> {
    let mut sources: Vec<String> = Vec::new();
    let mut nodes: Vec<(usize, usize)> = Vec::new();
    let mut columns = vec![
        "\"metadata.event_id\" AS id".to_owned(),
        "\"time\" AS event_time".to_owned(),
        format!("{} AS host", host(store)),
    ];
    columns.push("\"class_uid\" AS class".to_owned());
    for (place, filter) in job.plan.scope.filters.iter().enumerate() {
        columns.push(format!("coalesce({}, false) AS f{place}", pieces::route_filter(filter)));
    }
    for (at, predicate) in job.outline.predicates() {
        let values = pieces::values(&predicate.source);
        let place = sources.iter().position(|known| *known == values).unwrap_or_else(|| {
            sources.push(values);
            sources.len() - 1
        });
        nodes.push((at, place));
        columns.push(format!("{} AS c{at}", pieces::predicate(predicate)));
    }
    for (place, values) in sources.iter().enumerate() {
        let text = format!("array_to_string({values}, chr({}))", u32::from(SEPARATOR));
        columns.push(format!("CASE WHEN len({values}) > 0 THEN left({text}, {VALUE_LIMIT}) END AS v{place}"));
    }
    let (which, order) = ordered(job.outline, &nodes, query.order);
    let sql = format!(
        "SELECT *\nFROM (SELECT\n  {}\nFROM {RELATION}\nWHERE {})\nWHERE {which}\nORDER BY {order}event_time NULLS LAST, id\nLIMIT {}",
        columns.join(",\n  "),
        query.where_,
        query.limit
    );
    let (filters, predicates) = (job.plan.scope.filters.len(), nodes.len());
    store.narrowed(&job.plan.columns, |store| {
        let seen = store.select(&sql, cancel, |row| {
            let values = (0..sources.len()).map(|place| row.get(4 + filters + predicates + place));
            let values = values.collect::<Result<Vec<Option<String>>, _>>()?;
            let of = |place: usize| values.get(place).cloned().flatten();
            let split = |text: String| text.split(SEPARATOR).map(str::to_owned).collect::<Vec<_>>();
            let mut found = BTreeMap::new();
            for (index, (at, place)) in nodes.iter().enumerate() {
                found.insert(*at, (row.get(4 + filters + index)?, of(*place).map(split).unwrap_or_default()));
            }
            Ok(Seen {
                name: EventName { id: row.get(0)?, time: row.get(1)?, host: row.get(2)? },
                class_uid: row.get(3)?,
                filters: (0..filters).map(|place| row.get(4 + place)).collect::<Result<_, _>>()?,
                predicates: found,
            })
        })?;
        Ok(seen)
    })
}

/// Which rows, and what they are ordered by before time and id.
fn ordered(outline: &Outline<'_>, nodes: &[(usize, usize)], order: Order) -> (String, String) {
    let name = |at: usize| format!("c{at}");
    let condition = outline.sql(Outline::ROOT, &name);
    match order {
        Order::Time => ("true".to_owned(), String::new()),
        Order::Matches => (condition, String::new()),
        Order::Nearest => {
            let values: BTreeMap<usize, usize> = nodes.iter().copied().collect();
            let hints = hints(outline, Outline::ROOT, true, &values)
                .map_or_else(String::new, |h| format!("{h} DESC, "));
            (format!("NOT {condition}"), format!("{}, {hints}", distance(outline, Outline::ROOT, true)))
        }
    }
}

/// How few predicates would have to come out differently for a node to hold, or not to, as SQL.
fn distance(outline: &Outline<'_>, at: usize, wanted: bool) -> String {
    let of = |parts: &[usize]| -> Vec<String> {
        parts.iter().map(|part| distance(outline, *part, wanted)).collect()
    };
    match outline.nodes.get(at) {
        Some(Node::All(parts)) if wanted => format!("({})", of(parts).join(" + ")),
        Some(Node::Any(parts)) if !wanted => format!("({})", of(parts).join(" + ")),
        Some(Node::All(parts) | Node::Any(parts)) => format!("least({})", of(parts).join(", ")),
        Some(Node::Not(part)) => distance(outline, *part, !wanted),
        Some(Node::Selection { body, .. }) => distance(outline, *body, wanted),
        Some(Node::Predicate(_)) if wanted => format!("CASE WHEN c{at} THEN 0 ELSE 1 END"),
        Some(Node::Predicate(_)) | None => format!("CASE WHEN c{at} THEN 1 ELSE 0 END"),
    }
}

/// How many words of their literals the values of failed predicates have, as SQL; `None` where no literal has any.
fn hints(outline: &Outline<'_>, at: usize, wanted: bool, values: &BTreeMap<usize, usize>) -> Option<String> {
    let of = |parts: &[usize]| -> Vec<String> {
        parts.iter().filter_map(|part| hints(outline, *part, wanted, values)).collect()
    };
    let joined = |parts: Vec<String>, all: bool| match parts.is_empty() {
        true => None,
        false if all => Some(format!("({})", parts.join(" + "))),
        false => Some(format!("greatest({})", parts.join(", "))),
    };
    match outline.nodes.get(at)? {
        Node::All(parts) => joined(of(parts), wanted),
        Node::Any(parts) => joined(of(parts), !wanted),
        Node::Not(part) => hints(outline, *part, !wanted, values),
        Node::Selection { body, .. } => hints(outline, *body, wanted, values),
        Node::Predicate(predicate) if wanted => {
            let value = values.get(&at)?;
            let literals: Vec<String> = gists(&predicate.test)
                .iter()
                .map(|words| {
                    let held = |word: &String| {
                        format!("CAST(contains(lower(v{value}), {}) AS INTEGER)", string(word))
                    };
                    words.iter().map(held).collect::<Vec<_>>().join(" + ")
                })
                .collect();
            let best = format!("greatest({}, 0)", literals.join(", "));
            (!literals.is_empty())
                .then(|| format!("CASE WHEN c{at} OR v{value} IS NULL THEN 0 ELSE {best} END"))
        }
        Node::Predicate(_) => None,
    }
}

/// The literals that a test compares texts with.
fn literals(test: &Test) -> Vec<&str> {
    match test {
        Test::TextIn { values, .. } => values.iter().map(String::as_str).collect(),
        Test::Text { value, .. } => vec![value],
        Test::Pattern { parts, .. } => parts
            .iter()
            .filter_map(|part| if let PatternPart::Text(text) = part { Some(text.as_str()) } else { None })
            .collect(),
        _ => Vec::new(),
    }
}

/// How many code points at the start of a value are those of a literal, whatever their case.
fn shared_start(test: &Test, value: &str) -> usize {
    let value = text::fold(value);
    let shared = |literal: &&str| {
        text::fold(literal).chars().zip(value.chars()).take_while(|(wanted, found)| wanted == found).count()
    };
    literals(test).iter().map(shared).max().unwrap_or(0)
}

/// For each literal of a test its words, folded: what a value that is meant has even where something is off.
fn gists(test: &Test) -> Vec<Vec<String>> {
    if matches!(test, Test::TextIn { values, .. } if values.len() > HINTED) {
        return Vec::new();
    }
    let words = |literal: &&str| -> Vec<String> {
        let words = literal.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().count() >= GIST);
        words.take(HINTED).map(text::fold).collect()
    };
    literals(test).iter().map(words).filter(|words| !words.is_empty()).collect()
}

/// The predicates that would have to come out differently for a node to hold, or not to: as few as can be, and of
/// equally many those that miss least.
pub(super) fn failures(outline: &Outline<'_>, at: usize, wanted: bool, seen: &Seen) -> Vec<Failure> {
    let (parts, all) = match outline.nodes.get(at) {
        Some(Node::All(parts)) => (parts, wanted),
        Some(Node::Any(parts)) => (parts, !wanted),
        Some(Node::Not(part)) => return failures(outline, *part, !wanted, seen),
        Some(Node::Selection { body, .. }) => return failures(outline, *body, wanted, seen),
        Some(Node::Predicate(predicate)) if seen.holds(at) != wanted => {
            return vec![failure(outline, at, predicate, wanted, seen)];
        }
        Some(Node::Predicate(_)) | None => return Vec::new(),
    };
    let each = parts.iter().map(|part| failures(outline, *part, wanted, seen));
    if all {
        return each.flatten().collect();
    }
    let misses = |failed: &[Failure]| -> Vec<Miss> { failed.iter().map(|f| f.difference.miss).collect() };
    let best = each.min_by_key(|failed| (failed.len(), misses(failed))).unwrap_or_default();
    let alternatives = parts.len().saturating_sub(1);
    best.into_iter()
        .map(|failure| Failure { alternatives: failure.alternatives + alternatives, ..failure })
        .collect()
}

fn failure(outline: &Outline<'_>, at: usize, predicate: &Predicate, wanted: bool, seen: &Seen) -> Failure {
    let values = seen.values(at);
    let (value, difference) = if wanted {
        // Of several values, such as the hashes of a file, the one that begins as the rule's does is meant.
        let each = values.iter().map(|value| (value, difference(predicate, Some(value))));
        each.min_by_key(|(value, found)| (found.miss, Reverse(shared_start(&predicate.test, value))))
            .map_or_else(
                || (None, difference(predicate, None)),
                |(value, found)| (Some(value.clone()), found),
            )
    } else {
        let value = holding(&predicate.test, values);
        (value.cloned(), excluded(predicate, value.map(String::as_str)))
    };
    Failure {
        selection: outline.selection_of(at).map(|(name, _)| name.to_owned()),
        predicate: describe(predicate),
        place: Place::of(predicate.span),
        value,
        difference,
        alternatives: 0,
    }
}

/// The first value that satisfies the test, else the first.
fn holding<'v>(test: &Test, values: &'v [String]) -> Option<&'v String> {
    values.iter().find(|value| found_at(test, value).is_some()).or_else(|| values.first())
}

/// The predicates that hold of an event and that the condition asks for, as far as they lead to its truth.
pub(super) fn evidence(outline: &Outline<'_>, seen: &Seen) -> Vec<Evidence> {
    let mut nodes = Vec::new();
    collect_evidence(outline, Outline::ROOT, true, seen, &mut nodes);
    let held = nodes.into_iter().filter_map(|at| Some((at, outline.predicate(at)?)));
    held.map(|(at, predicate)| {
        let value = holding(&predicate.test, seen.values(at));
        Evidence {
            selection: outline.selection_of(at).map(|(name, _)| name.to_owned()),
            predicate: describe(predicate),
            place: Place::of(predicate.span),
            value: value.cloned(),
            found: value
                .and_then(|value| found_at(&predicate.test, value))
                .map(|found| (found.start, found.end)),
        }
    })
    .collect()
}

fn collect_evidence(outline: &Outline<'_>, at: usize, wanted: bool, seen: &Seen, found: &mut Vec<usize>) {
    if outline.holds(at, &|at| seen.holds(at)) != wanted {
        return;
    }
    match outline.nodes.get(at) {
        Some(Node::All(parts) | Node::Any(parts)) => {
            parts.iter().for_each(|part| collect_evidence(outline, *part, wanted, seen, found));
        }
        Some(Node::Not(part)) => collect_evidence(outline, *part, !wanted, seen, found),
        Some(Node::Selection { body, .. }) => collect_evidence(outline, *body, wanted, seen, found),
        // What is excluded and does not hold is no evidence.
        Some(Node::Predicate(_)) if wanted => found.push(at),
        Some(Node::Predicate(_)) | None => {}
    }
}

/// The commonest values in scope of the fields of `nodes`, by node, in one statement.
pub(super) fn common_values(
    store: &mut Store,
    job: Job<'_>,
    nodes: &[usize],
    cancel: &Cancel,
) -> Result<BTreeMap<usize, Vec<ValueCount>>, EvalError> {
    let mut sources: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for at in nodes {
        if let Some(predicate) = job.outline.predicate(*at) {
            sources.entry(pieces::values(&predicate.source)).or_default().push(*at);
        }
    }
    if sources.is_empty() {
        return Ok(BTreeMap::new());
    }
    let numbers: Vec<String> = (0..sources.len()).map(|place| place.to_string()).collect();
    let lists: Vec<&str> = sources.keys().map(String::as_str).collect();
    let sql = format!(
        "SELECT k, left(v, {COMMON_LIMIT}), count(*) AS n\nFROM (SELECT k, unnest(vs) AS v FROM (SELECT\n  \
         unnest([{}]) AS k,\n  unnest([{}]) AS vs\nFROM {RELATION}\nWHERE {}))\nGROUP BY k, v\n\
         QUALIFY row_number() OVER (PARTITION BY k ORDER BY n DESC, v) <= {COMMON}\nORDER BY k, n DESC, v",
        numbers.join(", "),
        lists.join(",\n    "),
        where_scope(job.plan)
    );
    let rows = store.narrowed(&job.plan.columns, |store| -> Result<_, EvalError> {
        Ok(store.select(&sql, cancel, |row| {
            Ok((row.get::<_, usize>(0)?, ValueCount { value: row.get(1)?, events: row.get(2)? }))
        })?)
    })?;
    let by_source: Vec<&Vec<usize>> = sources.values().collect();
    let mut common: BTreeMap<usize, Vec<ValueCount>> = BTreeMap::new();
    for (source, value) in rows {
        for at in by_source.get(source).into_iter().flat_map(|nodes| nodes.iter()) {
            common.entry(*at).or_default().push(value.clone());
        }
    }
    Ok(common)
}
