//! Which scopes hold events, and which of these are read together: one reading of what routes tell for all of them.

use std::collections::BTreeMap;

use super::super::summaries::Job;
use super::super::{Cancel, EvalError};
use crate::bridge::RoutedScope;
use crate::ocsf::ClassUid;
use crate::store::Store;
use crate::store::sql_text::identifier;

/// Scopes up to which each is read by itself.
const FEW: usize = 3;

/// Of the events of classes, how many times there are events in all from which on their scopes are read together: to tell
/// them from the others costs more than their columns.
const RARE: u64 = 4;

/// How many events a row of the reading stands for.
const EVENTS: &str = "sigma_ocsf_tui.events";

/// Rules by how they are answered.
#[derive(Default)]
pub(in super::super) struct Grouped<'a> {
    /// Those in whose scope no event lies.
    pub(in super::super) without_events: Vec<Job<'a>>,
    /// Those whose scopes are read together; rules of one scope are next to one another.
    pub(in super::super) together: Vec<Vec<Job<'a>>>,
}

/// Where nothing is told of the scopes, each is read by itself.
pub(in super::super) fn grouped<'a>(
    store: &mut Store,
    by_scope: BTreeMap<&'a str, Vec<Job<'a>>>,
    cancel: &Cancel,
) -> Grouped<'a> {
    let told = told(store, &by_scope, cancel).unwrap_or_default();
    let mut grouped = Grouped::default();
    let mut together: BTreeMap<(&[ClassUid], Option<&str>), Vec<Job<'a>>> = BTreeMap::new();
    for (scope, jobs) in by_scope {
        let told = told.get(scope);
        if told.is_some_and(|told| told.events == 0) {
            grouped.without_events.extend(jobs);
            continue;
        }
        let classes = jobs.first().map_or(&[][..], |job| &job.plan.scope.class_uids);
        let by_itself = (!told.is_some_and(|told| told.are_classes_rare)).then_some(scope);
        together.entry((classes, by_itself)).or_default().extend(jobs);
    }
    grouped.together = together.into_values().collect();
    grouped
}

/// What is told of a scope.
struct Told {
    /// How many events lie in it.
    events: u64,
    are_classes_rare: bool,
}

/// Of all scopes, or of none.
fn told<'a>(
    store: &mut Store,
    by_scope: &BTreeMap<&'a str, Vec<Job<'a>>>,
    cancel: &Cancel,
) -> Option<BTreeMap<&'a str, Told>> {
    let scopes: Vec<(&'a str, &Job<'a>)> = by_scope
        .iter()
        .filter_map(|(scope, jobs)| Some((*scope, jobs.first()?)))
        .filter(|(scope, _)| !scope.trim().is_empty())
        .collect();
    if scopes.len() < FEW {
        return None;
    }
    let mut columns = BTreeMap::new();
    for (_, job) in &scopes {
        for filter in &job.plan.scope.filters {
            if let Some(column_type) = job.plan.columns.get(&filter.path) {
                columns.insert(filter.path.clone(), *column_type);
            }
        }
    }
    // Events are many, but what routes tell them by is nearly always the same.
    let mut told: Vec<String> = columns.keys().map(|path| identifier(path.as_str())).collect();
    if !columns.keys().any(|path| path.as_str().eq_ignore_ascii_case("class_uid")) {
        told.push(identifier("class_uid"));
    }
    let events = identifier(EVENTS);
    let of = |condition: &str| {
        format!("CAST(coalesce(sum(CASE WHEN {condition}\n THEN {events} END), 0) AS UBIGINT)")
    };
    let counts = scopes.iter().flat_map(|(scope, job)| [of(scope), of(&classes(&job.plan.scope))]);
    let sql = format!(
        "SELECT {},\n{}\nFROM (SELECT {}, count(*) AS {events} FROM ocsf_events GROUP BY ALL)",
        of("true"),
        counts.collect::<Vec<_>>().join(",\n"),
        told.join(", ")
    );
    let counted = store.narrowed(&columns, |store| -> Result<_, EvalError> {
        let row = |row: &duckdb::Row<'_>| (0..=2 * scopes.len()).map(|at| row.get::<_, u64>(at)).collect();
        Ok(store.select(&sql, cancel, row)?)
    });
    let counts: Vec<u64> = counted.ok()?.into_iter().next()?;
    let (all, counts) = counts.split_first()?;
    let (counts, _) = counts.as_chunks();
    let told = counts.iter().map(|[events, of_classes]| Told {
        events: *events,
        are_classes_rare: of_classes.saturating_mul(RARE) <= *all,
    });
    Some(scopes.iter().map(|(scope, _)| *scope).zip(told).collect())
}

fn classes(scope: &RoutedScope) -> String {
    let classes: Vec<String> = scope.class_uids.iter().map(|class| class.0.to_string()).collect();
    match classes.is_empty() {
        true => "true".to_owned(),
        false => format!("{} IN ({})", identifier("class_uid"), classes.join(", ")),
    }
}
