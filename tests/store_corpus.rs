//! The corpus's recorded runs, dotted and nested, through the store.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "store_support/rules.rs"]
mod rules;

use std::path::{Path, PathBuf};
use std::time::Instant;

use rules::{open, rule};
use sigma_ocsf_tui::evaluate::{Cancel, event_ids, matches, summaries};
use sigma_ocsf_tui::ocsf::FieldType;
use sigma_ocsf_tui::store::{EventIdSource, Store};

const CMD_LINE: (&str, FieldType, bool) = ("process.cmd_line", FieldType::String, false);
const POWERSHELL: &str = "coalesce(contains(lower(\"process.cmd_line\"), 'powershell'), false)";

/// A recorded run of the corpus, where the corpus is at hand.
fn corpus_run(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let corpus = std::env::var_os("SIGMA_OCSF_CORPUS").map_or(beside, PathBuf::from);
    let run = corpus.join("runs").join(name);
    if run.is_dir() {
        return Some(run);
    }
    println!("skipped: no corpus at '{}'; set SIGMA_OCSF_CORPUS", corpus.display());
    None
}

#[test]
fn both_runs_answer_the_same_plan() {
    for (run, events, expected, in_scope) in [("regression", 116, 3, 69), ("mordor", 556_588, 24, 254_974)] {
        let Some(root) = corpus_run(run) else { return };
        let started = Instant::now();
        let mut store = open(&root);
        let opened = started.elapsed();
        assert_eq!(store.schema().events, events);
        assert_eq!(store.schema().event_id, EventIdSource::EventId);
        let (plan, sql) = rule(1007, POWERSHELL, &[CMD_LINE]);
        let started = Instant::now();
        let table =
            matches(&mut store, &plan, &sql, sigma_ocsf_tui::evaluate::Slice::first(500), &Cancel::never())
                .unwrap();
        println!("{run}: open {opened:?}, matches {:?}", started.elapsed());
        let started = Instant::now();
        let ids = event_ids(&mut store, &plan, &sql, &Cancel::never()).unwrap();
        println!("{run}: event ids {:?}", started.elapsed());
        compare_batched_with_single(&mut store);
        assert_eq!(ids.len(), expected, "{run}");
        assert_eq!(table.summary.matches, expected as u64, "{run}");
        assert_eq!(table.rows.len(), expected, "{run}");
        assert_eq!(table.in_scope, Some(in_scope), "{run}");
    }
}

/// A hundred rules in shared scans count as each of them does alone.
fn compare_batched_with_single(store: &mut Store) {
    let contains = |n: usize| format!("coalesce(contains(lower(\"process.cmd_line\"), '{:02x}'), false)", n);
    let rules: Vec<_> = (0..100).map(|n| rule(1007, &contains(n), &[CMD_LINE])).collect();
    let rules: Vec<_> = rules.iter().map(|(plan, sql)| (plan, sql)).collect();
    let started = Instant::now();
    let batched = summaries(store, &rules, &Cancel::never());
    println!("100 rules batched {:?}", started.elapsed());
    let started = Instant::now();
    for (rule, batched) in rules.iter().zip(&batched).step_by(10) {
        let alone = summaries(store, std::slice::from_ref(rule), &Cancel::never());
        assert_eq!(alone[0], *batched);
    }
    println!("10 rules alone {:?}", started.elapsed());
}
