//! Every fixture rule over the fixture run: the funnel is what the interpreter counts, and every rule has a cause.

use std::path::Path;
use std::sync::Arc;

use sigma_ocsf_tui::attribution::{self, Attribution, Cause, FunnelRow, RowKind};
use sigma_ocsf_tui::backend::{self, CompiledRule};
use sigma_ocsf_tui::bridge::ir::{Expr, Predicate, Test};
use sigma_ocsf_tui::bridge::{Plan, Settings};
use sigma_ocsf_tui::evaluate::{self, Cancel};
use sigma_ocsf_tui::pack::{self, DEFAULT_PACK, PackSource};
use sigma_ocsf_tui::sigma::{self, Body, Capability, Rule, Span};
use sigma_ocsf_tui::store::{Dataset, SessionSettings, Store};

use crate::world::findings;

fn fixtures() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn compile() -> Vec<CompiledRule> {
    let rules: Vec<Arc<Rule>> = sigma::load(&[fixtures().join("rules")]).into_iter().map(Arc::new).collect();
    let pack = pack::load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).unwrap();
    let settings = Settings { capabilities: Capability::ALL.into_iter().collect(), raw_fallback: true };
    backend::compile(&rules, &pack.pack, &settings)
}

fn store(run: &str) -> Store {
    let dataset = Dataset::discover(&fixtures().join(run)).unwrap();
    Store::open(dataset, SessionSettings::default()).unwrap()
}

fn explain(store: &mut Store, rule: &CompiledRule) -> Attribution {
    attribution::attribute(store, rule, None, &Cancel::never()).unwrap()
}

/// What the interpreter has to count for a row.
struct Expected<'r> {
    what: String,
    plan: Plan,
    counted: Option<u64>,
    row: &'r FunnelRow,
}

fn expected<'r>(plan: &Plan, predicate: Expr, row: &'r FunnelRow, counted: Option<u64>) -> Expected<'r> {
    Expected { what: row.label.clone(), plan: Plan { predicate, ..plan.clone() }, counted, row }
}

fn anything(plan: &Plan) -> Expr {
    let mut first = None;
    predicates(&plan.predicate, &mut |predicate| {
        first.get_or_insert_with(|| predicate.clone());
    });
    let predicate = first.unwrap();
    let with = |test| Expr::Predicate(Predicate { test, ..predicate.clone() });
    Expr::Or(vec![with(Test::Exists), with(Test::Missing)])
}

fn predicates(expr: &Expr, visit: &mut dyn FnMut(&Predicate)) {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|part| predicates(part, visit)),
        Expr::Not(part) => predicates(part, visit),
        Expr::Selection { body, .. } => predicates(body, visit),
        Expr::Predicate(predicate) => visit(predicate),
    }
}

fn conjuncts(expr: &Expr) -> Vec<Expr> {
    match expr {
        Expr::And(parts) => parts.iter().flat_map(conjuncts).collect(),
        other => vec![other.clone()],
    }
}

fn assert_funnel(store: &mut Store, rule: &CompiledRule, plan: &Plan, rows: &[FunnelRow]) {
    let title = rule.compilation.rule.title();
    let mut all: Vec<Expected<'_>> = Vec::new();
    let is_route = |row: &&FunnelRow| matches!(row.kind, RowKind::Class | RowKind::Filter);
    let mut route = rows.iter().filter(is_route);
    for length in 0..=plan.scope.filters.len() {
        let mut narrower = plan.clone();
        Arc::make_mut(&mut narrower.scope).filters.truncate(length);
        let row = route.next().unwrap();
        all.push(expected(&narrower, anything(plan), row, Some(row.events)));
    }
    let is_step = |row: &&FunnelRow| row.cumulative && !is_route(row) && row.kind != RowKind::Condition;
    let steps: Vec<&FunnelRow> = rows.iter().filter(is_step).collect();
    let parts = conjuncts(&plan.predicate);
    assert_eq!(steps.len(), parts.len(), "{title}");
    for (at, row) in steps.into_iter().enumerate() {
        all.push(expected(plan, Expr::And(parts[..=at].to_vec()), row, Some(row.events)));
        all.push(expected(plan, parts[at].clone(), row, row.alone));
    }
    let mut shown = rows.iter().filter(|row| row.kind == RowKind::Predicate);
    predicates(&plan.predicate, &mut |predicate| {
        let row = shown.next().unwrap();
        // A filter's predicates stand in another file.
        assert_eq!(row.place.is_some(), predicate.span != Span::default(), "{title}: {}", row.label);
        assert!(row.filled.is_some(), "{title}: {}", row.label);
        all.push(expected(plan, Expr::Predicate(predicate.clone()), row, row.alone));
    });
    assert!(shown.next().is_none(), "{title}");
    let condition = rows.last().unwrap();
    assert_eq!(condition.kind, RowKind::Condition);
    all.push(expected(plan, plan.predicate.clone(), condition, Some(condition.events)));
    let plans: Vec<&Plan> = all.iter().map(|expected| &expected.plan).collect();
    let found = evaluate::interpreted_summaries(store, &plans, &Cancel::never());
    for (expected, found) in all.iter().zip(found) {
        assert_eq!(
            expected.counted,
            Some(found.unwrap().matches),
            "{title}: {}: {:?}",
            expected.what,
            expected.row
        );
    }
}

#[test]
fn funnels_are_what_the_interpreter_counts() {
    let mut store = store("run");
    let mut funnels = 0;
    for rule in compile() {
        let Some(plan) = &rule.compilation.plan else { continue };
        let found = explain(&mut store, &rule);
        assert_funnel(&mut store, &rule, plan, &found.funnel);
        funnels += 1;
    }
    assert!(funnels > 40, "{funnels}");
}

#[test]
fn the_condition_counts_what_evaluation_matches() {
    let mut store = store("run");
    for rule in compile() {
        let found = explain(&mut store, &rule);
        let (compilation, never) = (&rule.compilation, Cancel::never());
        let matches = match (&compilation.plan, &compilation.correlation, &rule.sql) {
            (Some(plan), _, Some(sql)) => {
                evaluate::summaries(&mut store, &[(plan, sql)], &never).remove(0).unwrap().matches
            }
            (_, Some(plan), Some(sql)) => {
                evaluate::windows(&mut store, plan, sql, &never).unwrap().len() as u64
            }
            _ => 0,
        };
        assert_eq!(found.finding.matches, matches, "{}", found.title);
        let matched = matches!(found.finding.cause, Cause::Matched | Cause::MatchedByFallback);
        assert_eq!(matched, matches > 0, "{}", found.title);
        assert_eq!(found.finding.reason_code.is_some(), !compilation.is_executable(), "{}", found.title);
        assert!(!found.finding.explanation.is_empty(), "{}", found.title);
    }
}

#[test]
fn many_rules_at_once_have_the_causes_that_each_has_alone() {
    let mut store = store("run");
    let rules = compile();
    let together = findings(&mut store, &rules.iter().collect::<Vec<_>>());
    for (rule, finding) in rules.iter().zip(together) {
        assert_eq!(explain(&mut store, rule).finding, finding, "{}", rule.compilation.rule.title());
    }
}

#[test]
fn the_layout_makes_no_difference() {
    let (mut dotted, mut nested) = (store("run"), store("run-nested"));
    for rule in compile() {
        assert_eq!(explain(&mut dotted, &rule), explain(&mut nested, &rule));
    }
}

fn rule_names(rule: &CompiledRule, selection: &str) -> bool {
    let Body::Event(detection) = &rule.compilation.rule.body else { return false };
    detection.selection(selection).is_some()
}

#[test]
fn matches_are_explained_by_what_stands_in_rule_and_event() {
    let mut store = store("run");
    let mut stretches = 0;
    for rule in compile() {
        let found = explain(&mut store, &rule);
        for reason in &found.matches {
            for evidence in &reason.evidence {
                let of_filter = evidence.selection.as_deref().is_some_and(|name| !rule_names(&rule, name));
                let place = evidence.place.filter(|place| place.line > 0 && place.line <= place.end_line);
                assert!(place.is_some() || of_filter, "{}: {evidence:?}", found.title);
                if let (Some(value), Some((from, to))) = (&evidence.value, evidence.found) {
                    assert!(from <= to && to <= value.chars().count(), "{}: {evidence:?}", found.title);
                    stretches += 1;
                }
            }
        }
        for near in &found.nearest {
            assert!(
                near.distance > 0 && near.failed.len() as u64 == near.distance,
                "{}: {near:?}",
                found.title
            );
        }
    }
    assert!(stretches > 50, "{stretches}");
}
