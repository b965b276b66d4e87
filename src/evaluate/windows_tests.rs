//! Windows of a correlation: their events, and the files that they are written to.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::backend::{self, CompiledRule, Sql};
use crate::bridge::{CorrelationPlan, Settings};
use crate::pack::{self, DEFAULT_PACK, PackSource};
use crate::sigma::{self, Capability};
use crate::store::{Dataset, SessionSettings, Store};

const RULES: &str = r"title: One
name: one
logsource: { category: process_creation, product: windows }
detection:
    selection: { Image|endswith: '\one.exe' }
    condition: selection
---
title: Two
name: two
logsource: { category: process_creation, product: windows }
detection:
    selection: { CommandLine|contains: 'second' }
    condition: selection
---
title: Burst
correlation:
    type: event_count
    rules: [one, two]
    group-by: [Computer]
    timespan: 1m
    condition: { gte: 2 }
";

struct World {
    folder: tempfile::TempDir,
    store: Store,
    compiled: CompiledRule,
}

impl World {
    /// Two hosts, the second one with a name that a spreadsheet would run; bursts of three and of two events.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let event = |id: &str, time: i64, host: &str, command: &str| {
            json!({
                "class_uid": 1007, "activity_id": 1, "time": time, "metadata.event_id": id, "device.hostname": host,
                "device.name": host,
                "metadata.source_type": "windows-sysmon", "process.file.path": r"C:\one.exe",
                "process.cmd_line": command,
            })
            .to_string()
        };
        let events = [
            event("b", 1_000, "h1", "first"),
            event("a", 2_000, "h1", "second"),
            event("c", 3_000, "h1", "third"),
            event("d", 600_000, "=h2", "second"),
            event("e", 601_000, "=h2", "other"),
            event("f", 900_000, "h3", "alone"),
        ];
        fs::write(folder.path().join("ocsf_events.jsonl"), events.join("\n")).unwrap();
        fs::write(folder.path().join("rules.yml"), RULES).unwrap();
        let rules = sigma::load(&[folder.path().join("rules.yml")]).into_iter().map(Arc::new);
        let rules: Vec<_> = rules.collect();
        let pack = pack::load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).unwrap().pack;
        let settings = Settings { capabilities: Capability::ALL.into_iter().collect(), raw_fallback: false };
        let compiled = backend::compile(&rules, &pack, &settings).pop().unwrap();
        assert_eq!(compiled.compilation.diagnostics, [], "the correlation runs");
        let dataset = Dataset::discover(folder.path()).unwrap();
        let store = Store::open(dataset, SessionSettings::default()).unwrap();
        Self { folder, store, compiled }
    }

    fn plan(&self) -> (CorrelationPlan, Sql) {
        match Runnable::of(&self.compiled).unwrap() {
            Runnable::Correlation(plan, sql) => (plan.clone(), sql.clone()),
            Runnable::Event(..) => panic!("an event rule"),
        }
    }

    fn windows(&mut self) -> Vec<Window> {
        let (plan, sql) = self.plan();
        windows(&mut self.store, &plan, &sql, &Cancel::never()).unwrap()
    }

    fn export(&mut self, format: ExportFormat, order: Order) -> (u64, PathBuf) {
        let path = self.folder.path().join(format!("windows.{}", format.extension()));
        let export = Export { format, order, limit: None };
        let rule = Runnable::of(&self.compiled).unwrap();
        let written = export.to_file(&mut self.store, rule, &path, true, &Cancel::never()).unwrap();
        (written, path)
    }
}

#[test]
fn the_events_of_a_window_say_which_rules_they_match() {
    let mut world = World::new();
    let (plan, _) = world.plan();
    let window = world.windows().into_iter().find(|window| window.event_ids.len() == 3).unwrap();
    let found = window_events(&mut world.store, &plan, &window, 10, &Cancel::never()).unwrap();
    let told: Vec<_> =
        found.iter().map(|event| (event.event_id.as_str(), event.time, event.rules.clone())).collect();
    let expected = [("b", Some(1_000), vec![0]), ("a", Some(2_000), vec![0, 1]), ("c", Some(3_000), vec![0])];
    assert_eq!(told, expected, "by time, not by id");
    assert!(found.iter().all(|event| event.host.as_deref() == Some("h1")));
    let first = window_events(&mut world.store, &plan, &window, 1, &Cancel::never()).unwrap();
    assert_eq!(first.len(), 1);
    let gone = Window { event_ids: vec!["z".to_owned()], ..window };
    assert_eq!(window_events(&mut world.store, &plan, &gone, 9, &Cancel::never()).unwrap(), []);
}

#[test]
fn csv_has_group_times_number_and_ids_and_runs_nothing() {
    let mut world = World::new();
    let all = world.windows();
    let (written, path) = world.export(ExportFormat::Csv, Order::default());
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!((written, lines.len()), (all.len() as u64, all.len() + 1));
    assert_eq!(lines[0], "group_by.Computer,first_seen,last_seen,events,event_ids");
    let last = "'=h2,1970-01-01T00:10:00.000Z,1970-01-01T00:10:01.000Z,2,\"d, e\"";
    assert_eq!(lines[lines.len() - 1], last);
}

#[test]
fn json_lines_and_parquet_have_the_same_windows_in_the_order_that_is_asked_for() {
    let mut world = World::new();
    let most_first = Order { key: SortKey::Column(1), descending: true };
    let (written, path) = world.export(ExportFormat::JsonLines, most_first);
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(written, lines.len() as u64);
    assert_eq!(
        lines[0],
        json!({
            "group_by": { "Computer": "h1" }, "first_seen": 1_000, "last_seen": 3_000, "events": 3,
            "event_ids": ["a", "b", "c"],
        })
    );
    let (written, path) = world.export(ExportFormat::Parquet, most_first);
    assert_eq!(written, lines.len() as u64);
    let reader = duckdb::Connection::open_in_memory().unwrap();
    let asked = format!(
        "SELECT \"group_by.Computer\", first_seen, last_seen, events, array_to_string(event_ids, '+') \
         FROM read_parquet('{}')",
        path.display()
    );
    let row: (String, i64, i64, i64, String) = reader
        .query_row(&asked, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))
        .unwrap();
    assert_eq!(row, ("h1".to_owned(), 1_000, 3_000, 3, "a+b+c".to_owned()));
}
