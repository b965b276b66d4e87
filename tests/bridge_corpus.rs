//! The shipped pack over the corpus: every rule gets a verdict, every SQL is what an independent parser reads,
//! and every recorded attack is found by its rule.

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use sigma_ocsf_tui::backend::{self, CompiledRule};
use sigma_ocsf_tui::bridge::Settings;
use sigma_ocsf_tui::evaluate::{self, Cancel};
use sigma_ocsf_tui::pack::{self, DEFAULT_PACK, PackSource};
use sigma_ocsf_tui::sigma::{self, Capability, Rule};
use sigma_ocsf_tui::store::{Dataset, SessionSettings, Store};
use sqlparser::dialect::DuckDbDialect;
use sqlparser::parser::Parser;

/// The specification's default, with raw fallback, and with everything switched on.
fn default() -> Settings {
    Settings::default()
}

fn with_fallback() -> Settings {
    Settings { raw_fallback: true, ..default() }
}

fn with_all() -> Settings {
    Settings { raw_fallback: true, capabilities: Capability::ALL.into_iter().collect() }
}

fn compile(corpus: &Path, settings: &Settings) -> Vec<CompiledRule> {
    let rules: Vec<Arc<Rule>> = sigma::load(&[corpus.join("rules")]).into_iter().map(Arc::new).collect();
    let pack = pack::load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).expect("the shipped pack loads");
    backend::compile(&rules, &pack.pack, settings)
}

fn open(run: &Path) -> Store {
    let dataset = Dataset::discover(run).expect("the run is a dataset");
    Store::open(dataset, SessionSettings { threads: 1 }).expect("the run opens")
}

/// Counts by reason, as shown in a failure and noted in reviews.
fn reasons(compiled: &[CompiledRule]) -> BTreeMap<String, usize> {
    let mut reasons = BTreeMap::new();
    for rule in compiled {
        let reason = rule.compilation.reason().map_or("executable".to_owned(), |reason| reason.to_string());
        *reasons.entry(reason).or_default() += 1;
    }
    reasons
}

#[test]
fn every_rule_has_a_plan_or_a_reason() {
    let Some(corpus) = support::corpus() else { return };
    let compiled = compile(&corpus, &default());
    assert_eq!(compiled.len(), 3780);
    for rule in &compiled {
        let planned = rule.compilation.plan.is_some();
        assert_eq!(planned, rule.compilation.reason().is_none(), "{}", rule.compilation.rule.path.display());
        assert_eq!(planned, rule.sql.is_some());
    }
    insta::assert_yaml_snapshot!("corpus_reasons", reasons(&compiled));
    insta::assert_yaml_snapshot!(
        "corpus_reasons_with_fallback",
        reasons(&compile(&corpus, &with_fallback()))
    );
    insta::assert_yaml_snapshot!("corpus_reasons_with_all", reasons(&compile(&corpus, &with_all())));
}

/// The parser's trees are as deep as a long list of alternatives, and it walks them by recursion.
const STACK: usize = 256 << 20;

#[test]
fn every_sql_is_read_back_the_same_and_runs() {
    let Some(corpus) = support::corpus() else { return };
    let reader = std::thread::Builder::new().stack_size(STACK).spawn(move || read_back_and_run(&corpus));
    reader.expect("a thread starts").join().expect("every statement is read back and runs");
}

fn read_back_and_run(corpus: &Path) {
    let compiled = compile(corpus, &with_all());
    let mut store = open(&corpus.join("runs/regression"));
    let mut checked = 0;
    for rule in &compiled {
        let (Some(plan), Some(sql)) = (&rule.compilation.plan, &rule.sql) else { continue };
        let parse = |text: &str| Parser::parse_sql(&DuckDbDialect {}, text);
        let tree = parse(&sql.text).unwrap_or_else(|error| panic!("{error}\n{}", sql.text));
        let printed: Vec<String> = tree.iter().map(ToString::to_string).collect();
        assert_eq!(parse(&printed.join(";")).expect("what the parser prints parses"), tree, "{}", sql.text);
        assert_eq!(sql.text.lines().count(), sql.lines.len(), "{}", sql.text);
        evaluate::event_ids(&mut store, plan, sql, &Cancel::never()).unwrap_or_else(|error| {
            panic!("{}: {error}\n{}", rule.compilation.rule.path.display(), sql.text)
        });
        checked += 1;
    }
    println!("{checked} statements parsed, printed, parsed again and run");
    assert!(checked > 2000);
}

/// An entry of `expected.json`.
#[derive(Deserialize)]
struct Expected {
    min_matches: usize,
    event_ids: Vec<String>,
}

#[test]
fn every_executable_rule_finds_its_recorded_attack() {
    let Some(corpus) = support::corpus() else { return };
    insta::assert_yaml_snapshot!("regression_refused", attacks_refused(&corpus, &with_fallback()));
    insta::assert_yaml_snapshot!("regression_refused_with_all", attacks_refused(&corpus, &with_all()));
}

/// Runs the rules of `expected.json`; each that is executable has to find its attack. The rest by reason.
fn attacks_refused(corpus: &Path, settings: &Settings) -> BTreeMap<String, usize> {
    let run = corpus.join("runs/regression");
    let text = std::fs::read_to_string(run.join("expected.json")).expect("expected.json is readable");
    let expected: BTreeMap<String, Expected> =
        serde_json::from_str(&text).expect("expected.json is of its form");
    let compiled = compile(corpus, settings);
    let mut store = open(&run);
    let mut missed = Vec::new();
    let mut refused: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut matched = 0;
    for (id, expected) in &expected {
        let rule = compiled
            .iter()
            .find(|rule| rule.compilation.rule.id().is_some_and(|rule_id| rule_id.0 == *id))
            .unwrap_or_else(|| panic!("no rule has id {id}"));
        let title = rule.compilation.rule.title();
        let (Some(plan), Some(sql)) = (&rule.compilation.plan, &rule.sql) else {
            let refusal = rule.compilation.refusal().expect("a rule without a plan says why");
            let reason = rule.compilation.reason().map_or(String::new(), |reason| reason.to_string());
            refused.entry(reason).or_default().push(format!("{title}: {}", refusal.message));
            continue;
        };
        let ids = evaluate::event_ids(&mut store, plan, sql, &Cancel::never()).expect("the statement runs");
        let found = expected.event_ids.iter().filter(|id| ids.contains(id)).count();
        if found >= expected.min_matches {
            matched += 1;
        } else {
            missed.push(format!("{title}: {found} of {} events\n{}", expected.min_matches, sql.text));
        }
    }
    println!("{matched} of {} recorded attacks found; refused: {refused:#?}", expected.len());
    assert!(missed.is_empty(), "{}", missed.join("\n\n"));
    refused.into_iter().map(|(reason, rules)| (reason, rules.len())).collect()
}
