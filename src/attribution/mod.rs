//! Why a rule did or did not match (`product.md` 9): funnel, predicates, nearest misses, cause.
//!
//! The cause of a rule is the first of these that holds:
//!
//! | cause | where |
//! |---|---|
//! | `bridge_gap` | the rule is not executable; its reason code says why |
//! | `matched` | an event satisfies it, and one could without `raw.*` |
//! | `matched_by_fallback` | an event satisfies it, and none could without `raw.*`: a bridge gap all the same |
//! | `missing_telemetry` | no event is in scope: of the routed classes, passing all filters of the route |
//! | `normalization_gap` | there are events in scope, and a field that the rule *needs* has no value in any of them; or the dataset has a column of the rule in another type than OCSF's |
//! | `bridge_gap` | such a field is read from `raw.*`, as OCSF has no home for it; or the condition cannot hold without `raw.*` |
//! | `rule_logic` | all others: what the rule needs is filled, and no event satisfies the condition |
//!
//! A rule needs a field where the condition cannot hold of any event while the field has no value: its predicates are
//! then settled (a comparison is false, a test for absence true), the others are left open, and the condition comes to
//! false under `and`, `or` and `not`. So a field in one branch of an `or` is not needed while another branch is open,
//! nor is one that only excludes events; a field whose absence is excluded (`not field: null`) is.
//!
//! The funnel counts class, route filters and the parts of the condition that stand under its top-level `and`, each
//! with those before it; whatever lies deeper, and a condition that is no conjunction, is counted alone within the
//! scope. A near miss is an event in scope that does not match; its distance is how few predicates would have to come
//! out differently, an alternative of an `or` counting where it is the nearest.

mod cause;
mod correlation;
mod coverage;
mod events;
mod funnel;
mod literals;
mod model;
mod numbers;
mod outline;
mod words;

use std::collections::BTreeMap;

use crate::backend::CompiledRule;
use crate::bridge::Plan;
use crate::evaluate::{Cancel, EvalError};
use crate::store::Store;

pub use coverage::{Counts, Coverage, FieldCount, LogSourceCount, Outcome, Unmatched, coverage};
pub use model::*;
use numbers::{Job, Numbers};
use outline::Outline;
pub use words::{Difference, Miss, describe, difference};

/// The share of its scope above which a rule is said to match more than a detection should.
pub const BROAD_SHARE: f64 = 0.1;

/// Events in scope below which a share says nothing.
pub const BROAD_EVENTS: u64 = 50;

/// Why a rule did or did not match. `event` asks about one event besides, by id.
///
/// # Errors
/// DuckDB refuses or fails; nobody waits any more. A column of another type is a finding, not an error.
pub fn attribute(
    store: &mut Store,
    rule: &CompiledRule,
    event: Option<&str>,
    cancel: &Cancel,
) -> Result<Attribution, EvalError> {
    let compilation = &rule.compilation;
    let mut attribution = Attribution {
        rule_id: compilation.rule.id().map(|id| id.0.clone()),
        path: compilation.rule.path.display().to_string(),
        title: compilation.rule.title(),
        finding: cause::refused(compilation),
        funnel: Vec::new(),
        nearest: Vec::new(),
        matches: Vec::new(),
        correlation: None,
        event: None,
    };
    match (&compilation.plan, &compilation.correlation, &rule.sql) {
        (Some(plan), _, _) => of_events(&mut attribution, store, plan, event, cancel)?,
        (None, Some(plan), Some(sql)) => {
            let (finding, parts) = correlation::attribute(store, plan, sql, cancel)?;
            attribution.finding = finding;
            attribution.correlation = Some(parts);
        }
        _ => {}
    }
    Ok(attribution)
}

fn of_events(
    attribution: &mut Attribution,
    store: &mut Store,
    plan: &Plan,
    event: Option<&str>,
    cancel: &Cancel,
) -> Result<(), EvalError> {
    let outline = Outline::new(&plan.predicate);
    let job = Job { plan, outline: &outline };
    let numbers = match numbers::of_one(store, job, cancel) {
        Ok(numbers) => numbers,
        Err(error) => {
            attribution.finding = cause::failed(plan, error)?;
            return Ok(());
        }
    };
    attribution.finding = cause::decide(plan, &outline, &numbers, store.schema());
    let common = events::common_values(store, job, &unsatisfied(&outline, &numbers), cancel)?;
    attribution.funnel = funnel::rows(plan, &outline, &numbers, common);
    if numbers.matches() > 0 {
        attribution.matches = events::matches(store, job, cancel)?;
    } else if numbers.scope.in_scope() > 0 {
        attribution.nearest = events::nearest(store, job, cancel)?;
    }
    if let Some(id) = event {
        attribution.event = events::one(store, job, id, cancel)?.map(|seen| event_finding(job, seen));
    }
    Ok(())
}

/// The predicates that have something to look at and hold of no event.
fn unsatisfied(outline: &Outline<'_>, numbers: &Numbers) -> Vec<usize> {
    let nodes = outline.predicates().map(|(at, _)| at);
    nodes
        .filter(|at| numbers.alone.get(*at) == Some(&0) && numbers.filled.get(at).is_some_and(|n| *n > 0))
        .collect()
}

fn event_finding(job: Job<'_>, seen: events::Seen) -> EventFinding {
    let scope = &job.plan.scope;
    let in_class = seen.class_uid.is_some_and(|class| scope.class_uids.iter().any(|c| c.0 == class));
    let passed = seen.filters.iter().all(|passes| *passes);
    let filters = scope.filters.iter().zip(&seen.filters);
    EventFinding {
        class_uid: seen.class_uid,
        in_class,
        filters: filters.map(|(filter, passes)| (words::describe_filter(filter), *passes)).collect(),
        matched: in_class && passed && seen.satisfies(job.outline),
        evidence: events::evidence(job.outline, &seen),
        failed: events::failures(job.outline, Outline::ROOT, true, &seen),
        event: seen.name,
    }
}

/// The cause of each rule, told as it comes, with its place in `rules`; each exactly once. The nearest misses and the
/// commonest values are left to [`attribute`]; rules of one scope share scans.
pub fn findings(
    store: &mut Store,
    rules: &[&CompiledRule],
    cancel: &Cancel,
    on_result: &mut dyn FnMut(usize, Result<Finding, EvalError>),
) {
    let plans: Vec<(usize, &Plan)> = rules
        .iter()
        .enumerate()
        .filter_map(|(index, rule)| Some((index, rule.compilation.plan.as_ref()?)))
        .collect();
    let outlines: Vec<Outline<'_>> = plans.iter().map(|(_, plan)| Outline::new(&plan.predicate)).collect();
    let jobs: Vec<Job<'_>> =
        plans.iter().zip(&outlines).map(|((_, plan), outline)| Job { plan, outline }).collect();
    let mut counted: BTreeMap<usize, Result<Numbers, EvalError>> = BTreeMap::new();
    numbers::of_many(store, &jobs, cancel, &mut |job, numbers| drop(counted.insert(job, numbers)));
    for (job, numbers) in counted {
        let (Some((index, plan)), Some(outline)) = (plans.get(job), outlines.get(job)) else { continue };
        let finding = match numbers {
            Ok(numbers) => Ok(cause::decide(plan, outline, &numbers, store.schema())),
            Err(error) => cause::failed(plan, error),
        };
        on_result(*index, finding);
    }
    for (index, rule) in rules.iter().enumerate().filter(|(_, rule)| rule.compilation.plan.is_none()) {
        let finding = match (&rule.compilation.correlation, &rule.sql) {
            (Some(plan), Some(sql)) => {
                correlation::attribute(store, plan, sql, cancel).map(|(finding, _)| finding)
            }
            _ => Ok(cause::refused(&rule.compilation)),
        };
        on_result(index, finding);
    }
}
