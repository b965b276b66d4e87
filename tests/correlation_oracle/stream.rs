//! What a stream finds, event by event, is what the statement finds over all of them.

use std::collections::BTreeSet;
use std::path::Path;

use duckdb::Connection;
use proptest::prelude::*;
use sigma_ocsf_tui::backend::CompiledRule;
use sigma_ocsf_tui::evaluate::{self, Cancel};
use sigma_ocsf_tui::store::{Dataset, SessionSettings, Store};

use super::support::vectors::{self, engine};
use super::{RULES, compile, correlations, event, vector};

/// What a window is known by: the plan that fired, its end and its events.
type Window = (String, String, Vec<String>);

/// The events as lines, in the order of their numbers.
fn lines(folder: &Path) -> Vec<String> {
    let [from, to] = ["events.parquet", "events.jsonl"].map(|name| folder.join(name).display().to_string());
    let connection = Connection::open_in_memory().expect("DuckDB opens");
    connection
        .execute_batch(&format!("COPY (SELECT * FROM read_parquet('{from}')) TO '{to}' (FORMAT json)"))
        .expect("the events are written");
    let text = std::fs::read_to_string(to).expect("they are there");
    text.lines().map(str::to_owned).collect()
}

fn time(line: &str) -> i64 {
    let event: serde_json::Value = serde_json::from_str(line).expect("an event is JSON");
    event["time"].as_i64().expect("it has a time")
}

fn windows(detections: &[Vec<u8>]) -> BTreeSet<Window> {
    let parse =
        |line: &Vec<u8>| -> serde_json::Value { serde_json::from_slice(line).expect("a line is JSON") };
    let detections = detections.iter().map(parse).filter(|detection| !detection["group"].is_null());
    detections
        .map(|detection| {
            let ids = detection["event_ids"].as_array().expect("it has ids").iter();
            let ids = ids.map(|id| id.as_str().expect("an id is text").to_owned()).collect();
            let [title, end] = ["rule_title", "last_seen_utc"].map(|key| detection[key].to_string());
            (title, end, ids)
        })
        .collect()
}

/// Feeds lines to an engine, which is kept as JSON and made anew before each of `restarts`.
fn run(
    compiled: &[CompiledRule],
    vector: &vectors::Vector,
    lines: &[String],
    restarts: &BTreeSet<usize>,
    lateness: u32,
) -> (Vec<Vec<u8>>, u64) {
    let mut detections = Vec::new();
    let mut running = engine(compiled, vector, lateness);
    let mut late = 0;
    for (at, line) in lines.iter().enumerate() {
        if restarts.contains(&at) {
            let state = serde_json::to_string(&running.state()).expect("a state is JSON");
            late += running.figures().late;
            running = engine(compiled, vector, lateness);
            let anew = running.restore(serde_json::from_str(&state).expect("it reads back"));
            assert!(anew.is_empty(), "{anew:?}");
        }
        let emit = &mut |line: &[u8]| detections.push(line.to_vec());
        running.line(line.as_bytes(), at as u64 + 1, emit).expect("it is an event");
    }
    running.finish(&mut |line| detections.push(line.to_vec()));
    (detections, late + running.figures().late)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_fires_where_the_statement_does(
        events in prop::collection::vec(event(), 0..40),
        jitter in prop::collection::vec(0..3000_i64, 40),
        restarts in prop::collection::btree_set(0..40_usize, 0..4),
        correlations in prop::collection::vec(correlations(), 6),
    ) {
        let vector = vector(events);
        let folder = tempfile::tempdir().expect("a temporary folder");
        vectors::write_events(std::slice::from_ref(&vector), &folder.path().join("events.parquet"));
        // Each comes at most 3 s after one that is younger.
        let mut lines: Vec<(i64, String)> = lines(folder.path())
            .into_iter()
            .zip(jitter)
            .map(|(line, late)| (time(&line) + late, line))
            .collect();
        lines.sort();
        let lines: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
        std::fs::remove_file(folder.path().join("events.jsonl")).expect("it is there");
        let dataset = Dataset::discover(folder.path()).expect("the events are a dataset");
        let mut store = Store::open(dataset, SessionSettings { threads: 1 }).expect("the dataset opens");
        for (inner, outer) in &correlations {
            let compiled = compile(&vector, &[inner, outer]);
            let (detections, late) = run(&compiled, &vector, &lines, &restarts, 3000);
            prop_assert_eq!(late, 0);
            let mut expected = BTreeSet::new();
            for rule in compiled.iter().skip(RULES.len()).filter(|rule| rule.compilation.reported) {
                let (Some(plan), Some(sql)) = (&rule.compilation.correlation, &rule.sql) else { continue };
                let found = evaluate::windows(&mut store, plan, sql, &Cancel::never());
                for window in found.map_err(|error| TestCaseError::fail(error.to_string()))? {
                    let end = jiff::Timestamp::from_millisecond(window.last_seen).expect("a time of the test");
                    let title = serde_json::Value::from(rule.compilation.rule.title()).to_string();
                    expected.insert((title, format!("\"{end:.3}\""), window.event_ids));
                }
            }
            prop_assert_eq!(windows(&detections), expected, "{}{}", inner, outer);
            let (whole, _) = run(&compiled, &vector, &lines, &BTreeSet::new(), 3000);
            prop_assert_eq!(detections, whole, "a restart changes nothing");
        }
    }
}
