//! The SQL of correlations, the plain evaluator and the stream agree on random streams of events: ties in time, NULL groups
//! and values, events that several rules match, correlations of correlations.

mod stream;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use sigma_ocsf_tui::backend::correlation_oracle::{self, Datum, EventReader};
use sigma_ocsf_tui::backend::{self, CompiledRule, Window};
use sigma_ocsf_tui::bridge::ir::FieldExpr;
use sigma_ocsf_tui::bridge::{CorrelationPlan, Settings};
use sigma_ocsf_tui::evaluate::{self, Cancel};
use sigma_ocsf_tui::sigma::{self, Capability, Rule};
use sigma_ocsf_tui::store::{Dataset, SessionSettings, Store};
use support::vectors::{self, Vector, VectorPack};

/// Rules of which the last matches what the first does, and more.
const RULES: [(&str, &str); 3] = [("one", "['1']"), ("two", "['2']"), ("odd", "['1', '3']")];

/// The field names stand for columns of these types.
const TYPES: [(&str, &str); 5] =
    [("A", "string"), ("U", "string"), ("W", "integer"), ("V", "integer"), ("F", "float")];

type Event = BTreeMap<String, serde_json::Value>;

fn event() -> impl Strategy<Value = Event> {
    let text = |values: &'static [&'static str]| prop_oneof![1 => Just(serde_json::Value::Null), 6 => prop::sample::select(values).prop_map(Into::into)];
    let number = prop_oneof![1 => Just(serde_json::Value::Null), 4 => (-3..6_i64).prop_map(Into::into)];
    let fraction = prop_oneof![
        1 => Just(serde_json::Value::Null),
        4 => (-8..16_i64).prop_map(|quarters| (quarters as f64 / 4.0).into()),
    ];
    let time = (-20..20_i64).prop_map(|half_seconds| (half_seconds * 500).into());
    (text(&["1", "2", "3"]), text(&["a", "A", "b"]), number.clone(), number, fraction, time).prop_map(
        |(a, u, w, v, f, time)| {
            [("A", a), ("U", u), ("W", w), ("V", v), ("F", f), ("time", time)]
                .into_iter()
                .map(|(field, value)| (field.to_owned(), value))
                .collect()
        },
    )
}

/// The block of a correlation called `name` over some of `rules`, in some order.
fn correlation(name: &'static str, rules: Vec<&'static str>) -> impl Strategy<Value = String> {
    let count = rules.len();
    let rules = (Just(rules).prop_shuffle(), 1..=count).prop_map(|(mut rules, keep)| {
        rules.truncate(keep);
        rules
    });
    let groups = prop::sample::select(vec!["[]", "U", "[U]", "[U]", "[U, W]"]);
    let bound = (prop::sample::select(vec!["gt", "gte", "lt", "lte", "eq", "neq"]), 0..5_i64);
    let kinds = prop::sample::select(vec![
        ("event_count", ""),
        ("event_count", ""),
        ("value_count", ", field: U"),
        ("value_count", ", field: [U, V]"),
        ("temporal", ""),
        ("temporal", "none"),
        ("temporal", "expression"),
        ("temporal_ordered", ""),
        ("temporal_ordered", "none"),
        ("temporal_ordered", "none"),
        ("value_sum", ", field: V"),
        ("value_sum", ", field: F"),
        ("value_avg", ", field: F"),
        ("value_avg", ", field: V"),
        ("value_median", ", field: V"),
        ("value_percentile", ", field: F, percentile: 25"),
        ("value_percentile", ", field: V, percentile: 90"),
        ("value_percentile", ", field: V, percentile: 100"),
    ]);
    let is_inner = name != "inner";
    (rules, groups, bound, kinds, 1..9_i64, any::<bool>()).prop_map(
        move |(rules, groups, (operator, bound), (kind, form), seconds, negated)| {
            // A window has no values but its keys, so what refers to `inner` asks for no others.
            let over_inner = is_inner && rules.contains(&"inner");
            let (kind, form) =
                if over_inner && form.contains("field") { ("event_count", "") } else { (kind, form) };
            let groups = if name == "inner" || over_inner { "[U]" } else { groups };
            let condition = match form {
                "none" => String::new(),
                "expression" => {
                    let not = if negated { "not " } else { "" };
                    format!("    condition: {} or {not}({})\n", rules[0], rules.join(" and "))
                }
                field => format!("    condition: {{{operator}: {bound}{field}}}\n"),
            };
            format!(
                "title: {name}\nname: {name}\ncorrelation:\n    type: {kind}\n    rules: [{}]\n    \
                 group-by: {groups}\n    timespan: {seconds}s\n{condition}",
                rules.join(", ")
            )
        },
    )
}

/// Two correlations: one over rules, and one over rules and perhaps the first.
fn correlations() -> impl Strategy<Value = (String, String)> {
    (
        correlation("inner", vec!["one", "two", "odd"]),
        correlation("outer", vec!["one", "two", "odd", "inner"]),
    )
}

fn vector(events: Vec<Event>) -> Vector {
    let types = TYPES.iter().map(|(field, kind)| ((*field).to_owned(), (*kind).to_owned())).collect();
    Vector {
        placeholders: BTreeMap::new(),
        id: "stream".to_owned(),
        area: String::new(),
        rule: String::new(),
        event: Event::new(),
        events,
        types,
        capabilities: Vec::new(),
        pack: VectorPack::default(),
        expect: serde_json::Value::Null,
        why: String::new(),
    }
}

fn compile(vector: &Vector, correlations: &[&str]) -> Vec<CompiledRule> {
    let mut text = String::new();
    for (name, values) in RULES {
        text.push_str(&format!(
            "title: {name}\nname: {name}\nlogsource: {{category: test}}\ndetection:\n    s: {{A: {values}}}\n    \
             condition: s\n---\n"
        ));
    }
    text.push_str(&correlations.join("\n---\n"));
    let rules: Vec<Arc<Rule>> =
        sigma::parse(Path::new("rules.yml"), &text).into_iter().map(Arc::new).collect();
    let settings = Settings { capabilities: [Capability::Correlation].into(), raw_fallback: false };
    backend::compile(&rules, &vectors::pack(vector), &settings)
}

fn datum(value: &serde_json::Value) -> Option<Datum> {
    match value {
        serde_json::Value::String(text) => Some(Datum::Text(text.clone())),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(number) => Some(Datum::Integer(number)),
            None => number.as_f64().map(Datum::Float),
        },
        _ => None,
    }
}

fn by_oracle(plan: &CorrelationPlan, events: &[Event]) -> Vec<Window> {
    let matched: Vec<Vec<usize>> = plan
        .rules
        .iter()
        .map(|rule| {
            let (_, values) =
                RULES.iter().find(|(name, _)| *name == rule.title).expect("it is one of the rules");
            let matches = |event: &Event| event["A"].as_str().is_some_and(|a| values.contains(a));
            (0..events.len()).filter(|at| matches(&events[*at])).collect()
        })
        .collect();
    let reader = EventReader {
        id: &|at: &usize| format!("stream#{at}"),
        time: &|at: &usize| events[*at]["time"].as_i64(),
        value: &|at: &usize, field: &FieldExpr| {
            let FieldExpr::Column(column) = field else { panic!("{field:?} is no column") };
            let name = column.path.as_str().rsplit('.').next().expect("a path has a last part");
            datum(&events[*at][name])
        },
    };
    correlation_oracle::windows(plan, &matched, &reader)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn sql_and_oracle_agree(
        events in prop::collection::vec(event(), 0..40),
        correlations in prop::collection::vec(correlations(), 12),
    ) {
        let vector = vector(events);
        let folder = tempfile::tempdir().expect("a temporary folder");
        vectors::write_events(std::slice::from_ref(&vector), &folder.path().join("events.parquet"));
        let dataset = Dataset::discover(folder.path()).expect("the events are a dataset");
        let mut store = Store::open(dataset, SessionSettings { threads: 1 }).expect("the dataset opens");
        for (inner, outer) in &correlations {
            for rule in compile(&vector, &[inner, outer]).iter().skip(RULES.len()) {
                let found = &rule.compilation.diagnostics;
                prop_assert!(found.is_empty(), "{inner}{outer}{found:?}");
                let (Some(plan), Some(sql)) = (&rule.compilation.correlation, &rule.sql) else {
                    return Err(TestCaseError::fail("it has no plan"));
                };
                let by_sql = evaluate::windows(&mut store, plan, sql, &Cancel::never());
                let by_sql = by_sql.map_err(|e| TestCaseError::fail(format!("{e}\n{}", sql.text)))?;
                prop_assert_eq!(by_sql, by_oracle(plan, &vector.events), "{}{}\n{}", inner, outer, sql.text);
            }
        }
    }
}
