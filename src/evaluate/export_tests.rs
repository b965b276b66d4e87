//! Matches as files, over a small dataset.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::sync::Arc;

use super::*;
use crate::backend::{self, CompiledRule};
use crate::bridge::Settings;
use crate::evaluate::{SortKey, match_rows, matches, whole_event};
use crate::pack::{self, DEFAULT_PACK, PackSource};
use crate::sigma;
use crate::store::{Dataset, SessionSettings};

const RULE: &str = r"title: One
logsource: { category: process_creation, product: windows }
detection:
    selection: { Image|endswith: '\one.exe', CommandLine|contains: 'x' }
    condition: selection
";

struct World {
    folder: tempfile::TempDir,
    store: Store,
    compiled: CompiledRule,
}

impl World {
    /// `events` that match, the later ones with the lower ids.
    fn new(events: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let lines: Vec<_> = (0..events).map(|n| event(n, events)).collect();
        fs::write(folder.path().join("ocsf_events.jsonl"), lines.join("\n")).unwrap();
        fs::write(folder.path().join("one.yml"), RULE).unwrap();
        let rules: Vec<_> = sigma::load(&[folder.path().join("one.yml")]).into_iter().map(Arc::new).collect();
        let pack = pack::load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).unwrap().pack;
        let compiled = backend::compile(&rules, &pack, &Settings::default()).pop().unwrap();
        let dataset = Dataset::discover(folder.path()).unwrap();
        let store = Store::open(dataset, SessionSettings::default()).unwrap();
        Self { folder, store, compiled }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn export(&mut self, format: ExportFormat, name: &str) -> Result<u64, ExportError> {
        let path = self.path(name);
        let export = Export { format, order: Order::default(), limit: None };
        let rule = Runnable::of(&self.compiled).unwrap();
        export.to_file(&mut self.store, rule, &path, false, &Cancel::never())
    }

    fn ids(&mut self, slice: Slice) -> Vec<String> {
        let rule = (self.compiled.compilation.plan.as_ref().unwrap(), self.compiled.sql.as_ref().unwrap());
        let rows = match_rows(&mut self.store, rule.0, rule.1, slice, &Cancel::never()).unwrap();
        rows.into_iter().map(|row| row.event_id).collect()
    }
}

fn event(n: usize, of: usize) -> String {
    let command = if n == 0 { "=cmd|' /c x'!A0".to_owned() } else { format!("x \"{n}\", ü") };
    let mut event = serde_json::json!({
        "class_uid": 1007, "activity_id": 1, "time": n * 60_000, "metadata.event_id": format!("e{:04}", of - n),
        "metadata.source_type": "windows-sysmon", "process.file.path": r"C:\ONE.exe", "process.cmd_line": command,
        "process.pid": n * 7 % 10,
    });
    if n.is_multiple_of(2) {
        event["device.hostname"] = "h".into();
    }
    event.to_string()
}

#[test]
fn csv_is_inert_quoted_and_whole() {
    let mut world = World::new(3);
    assert_eq!(world.export(ExportFormat::Csv, "m.csv").unwrap(), 3);
    let text = fs::read_to_string(world.path("m.csv")).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "metadata.event_id,time,host,process.file.path,process.cmd_line");
    assert_eq!(lines[1], r"e0003,1970-01-01T00:00:00.000Z,h,C:\ONE.exe,'=cmd|' /c x'!A0");
    assert_eq!(lines[2], r#"e0002,1970-01-01T00:01:00.000Z,,C:\ONE.exe,"x ""1"", ü""#);
}

#[test]
fn a_file_that_is_there_stays_as_it_is_and_nothing_is_left_behind() {
    let mut world = World::new(1);
    fs::write(world.path("m.jsonl"), "mine").unwrap();
    let refused = world.export(ExportFormat::JsonLines, "m.jsonl");
    assert!(matches!(refused, Err(ExportError::Exists(_))), "{refused:?}");
    assert_eq!(fs::read_to_string(world.path("m.jsonl")).unwrap(), "mine");
    assert!(matches!(world.export(ExportFormat::Csv, "no/m.csv"), Err(ExportError::Write { .. })));
    assert_eq!(fs::read_dir(world.folder.path()).unwrap().count(), 3);
}

#[test]
fn json_lines_hold_whole_events() {
    let mut world = World::new(2);
    world.export(ExportFormat::JsonLines, "m.jsonl").unwrap();
    let text = fs::read_to_string(world.path("m.jsonl")).unwrap();
    let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(first["process"]["pid"], 0);
    assert_eq!(first["metadata"]["event_id"], "e0002");
    let same = whole_event(&world.store, "e0002", Some(0), &Cancel::never()).unwrap();
    assert_eq!(same, Some(first));
    assert_eq!(whole_event(&world.store, "other", None, &Cancel::never()).unwrap(), None);
}

#[test]
fn parquet_is_a_dataset_in_which_the_rule_matches_the_same() {
    for events in [0, 5_u64] {
        let mut world = World::new(events.max(1) as usize);
        if events == 0 {
            world.compiled.sql.as_mut().unwrap().predicate = "false".to_owned();
        }
        assert_eq!(world.export(ExportFormat::Parquet, "it's [1].parquet").unwrap(), events);
        let dataset = Dataset::discover(&world.path("it's [1].parquet")).unwrap();
        let mut copy = Store::open(dataset, SessionSettings::default()).unwrap();
        assert_eq!(copy.schema().events, events);
        let plan = world.compiled.compilation.plan.as_ref().unwrap();
        let sql = world.compiled.sql.as_ref().unwrap();
        let found = matches(&mut copy, plan, sql, Slice::first(9), &Cancel::never()).unwrap();
        assert_eq!(found.summary.matches, events);
        let kept = |store: &Store, path: &str| store.schema().column(&OcsfPath(path.to_owned())).cloned();
        assert_eq!(kept(&copy, "process.pid"), kept(&world.store, "process.pid"));
    }
}

#[test]
fn slices_follow_each_other_in_any_order() {
    let mut world = World::new(20);
    let slice = |key, descending, first| Slice { order: Order { key, descending }, first, limit: 3 };
    assert_eq!(world.ids(slice(SortKey::Time, false, 0)), ["e0020", "e0019", "e0018"]);
    assert_eq!(world.ids(slice(SortKey::EventId, false, 3)), ["e0004", "e0005", "e0006"]);
    assert_eq!(world.ids(slice(SortKey::Time, true, 18)), ["e0019", "e0020"]);
    // NULL last either way: of twenty every other one has a host.
    assert_eq!(world.ids(slice(SortKey::Host, true, 9)), ["e0002", "e0019", "e0017"]);
}

#[test]
fn counts_by_the_minute_come_with_the_matches() {
    let mut world = World::new(4);
    let plan = world.compiled.compilation.plan.as_ref().unwrap();
    let sql = world.compiled.sql.as_ref().unwrap();
    let found =
        matches(&mut world.store, plan, sql, Slice { first: 90, ..Slice::first(3) }, &Cancel::never());
    let found = found.unwrap();
    assert_eq!((found.histogram.minutes, found.histogram.span()), (1, 4));
    assert_eq!((found.first, found.rows.len()), (1, 3));
}
