//! Both backends agree on every event, whatever the rule: on predicates of the middle form, and on rule text
//! through the whole compiler.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod agreement;
mod events;
mod funnels;
mod predicates;
mod rules;
mod scalars;
mod shared;
mod texts;

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sigma_ocsf_tui::bridge::ir::{Expr, FieldExpr, Predicate};
use sigma_ocsf_tui::pack::Target;
use sigma_ocsf_tui::sigma::{SigmaField, Span};

/// `PROPTEST_CASES` sets how many cases there are.
fn config() -> ProptestConfig {
    ProptestConfig { max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn predicates_hold_of_the_same_events(
        predicates in vec(predicates::expr(), 1..8),
        events in vec(events::event(), 1..24),
    ) {
        let plans: Vec<_> = predicates.into_iter().map(predicates::plan).collect();
        let plans: Vec<_> = plans.iter().collect();
        let found = agreement::differences(&plans, &events);
        prop_assert!(found.is_empty(), "{}", found.join("\n"));
    }

    #[test]
    fn an_expression_means_the_same_once_the_filters_of_the_route_are_known(
        (computed, filters) in scalars::chosen(),
        test in prop_oneof![predicates::text_test(), predicates::presence()],
        events in vec(events::event(), 1..24),
    ) {
        let specialised = match Target::Expr(computed.clone()).specialised(&filters).into_owned() {
            Target::Path(column) => FieldExpr::Column(column),
            Target::Expr(computed) => FieldExpr::Computed(computed),
            other => panic!("{other} is no single place"),
        };
        let [whole, specialised] = [FieldExpr::Computed(computed), specialised].map(|source| {
            let (field, test) = (SigmaField("f".to_owned()), test.clone());
            let predicate = Predicate { field, source: source.into(), test, span: Span::default() };
            let mut plan = predicates::plan(Expr::Predicate(predicate));
            Arc::make_mut(&mut plan.scope).filters = filters.clone();
            plan
        });
        let unlike = agreement::unlike(&whole, &specialised, &events);
        prop_assert!(unlike.is_empty(), "{}", unlike.join("\n"));
        let found = agreement::differences(&[&whole, &specialised], &events);
        prop_assert!(found.is_empty(), "{}", found.join("\n"));
    }

    #[test]
    fn rules_match_the_same_events(
        rules in vec(rules::rule(), 1..6),
        events in vec(events::event(), 1..24),
    ) {
        let compiled = rules::compiled(&rules);
        let plans: Vec<_> = compiled.iter().filter_map(|rule| rule.compilation.plan.as_ref()).collect();
        let found = agreement::differences(&plans, &events);
        prop_assert!(found.is_empty(), "{}\n{}", rules.join("\n---\n"), found.join("\n"));
    }
}

proptest! {
    // A case writes a file and opens a session.
    #![proptest_config(ProptestConfig { cases: config().cases.div_ceil(4), ..config() })]

    #[test]
    fn attribution_counts_what_the_interpreter_does(
        predicate in predicates::expr(),
        filters in funnels::filters(),
        events in vec(events::event(), 1..24),
    ) {
        let mut plan = predicates::plan(predicate);
        Arc::make_mut(&mut plan.scope).filters = filters;
        let found = funnels::differences(&plan, &events);
        prop_assert!(found.is_empty(), "{plan:#?}\n{}", found.join("\n"));
    }

    #[test]
    fn many_predicates_at_once_hold_of_the_same_events(
        predicates in vec(prop_oneof![predicates::expr(), shared::literals()], shared::ENOUGH..24),
        scopes in vec(funnels::filters(), 1..5),
        events in vec(events::event(), 1..24),
        are_rare in any::<bool>(),
    ) {
        let scopes = scopes.iter().cycle();
        let plans: Vec<_> =
            predicates.into_iter().zip(scopes).map(|(expr, filters)| shared::plan(expr, filters.clone())).collect();
        let events = if are_rare { shared::among_others(events) } else { events };
        let found = shared::differences(&plans.iter().collect::<Vec<_>>(), &events);
        prop_assert!(found.is_empty(), "{}", found.join("\n"));
    }

    #[test]
    fn many_rules_at_once_match_the_same_events(
        rules in vec(rules::rule(), shared::ENOUGH..16),
        events in vec(events::event(), 1..24),
    ) {
        let compiled = rules::compiled(&rules);
        let plans: Vec<_> = compiled.iter().filter_map(|rule| rule.compilation.plan.as_ref()).collect();
        let found = shared::differences(&plans, &events);
        prop_assert!(found.is_empty(), "{}\n{}", rules.join("\n---\n"), found.join("\n"));
    }
}

/// Otherwise the property of rules would say nothing.
#[test]
fn many_generated_rules_are_executable() {
    let mut runner = TestRunner::deterministic();
    let rules: Vec<String> =
        (0..200).map(|_| rules::rule().new_tree(&mut runner).unwrap().current()).collect();
    let compiled = rules::compiled(&rules);
    let reasons: Vec<_> = compiled.iter().filter_map(|rule| rule.compilation.reason()).collect();
    assert!(reasons.len() <= 60, "{} of 200 are refused: {reasons:?}", reasons.len());
}

/// Every code point that has another case, by either library.
#[test]
fn case_is_the_same_for_every_code_point() {
    let found = agreement::case_differences();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
