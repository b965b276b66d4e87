//! Rules over lines that grow: joined at any place, their windows closed or open, and what they leave to a batch.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs::{self, OpenOptions};
use std::io::Write;

use super::super::counting::HELD_OPEN;
use super::*;
use crate::backend;
use crate::bridge::Settings;
use crate::pack::{self, DEFAULT_PACK, PackSource};
use crate::sigma::{self, Capability};

const EVENT: &str = r"title: One
name: one
logsource: { category: process_creation, product: windows }
detection:
    selection: { Image|endswith: '\one.exe' }
    condition: selection
";

const BURST: &str = "title: Three in a second
correlation:
    type: event_count
    rules: [one]
    group-by: [Image]
    timespan: 1s
    condition: { gte: 3 }
    generate: true
";

/// The rules of documents, by title.
fn compiled(documents: &[&str]) -> Vec<Arc<CompiledRule>> {
    let pack = pack::load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).unwrap().pack;
    let settings = Settings { capabilities: Capability::ALL.into_iter().collect(), raw_fallback: true };
    let rules: Vec<_> =
        sigma::parse(Path::new("rules.yml"), &documents.join("---\n")).into_iter().map(Arc::new).collect();
    let compiled = backend::compile(&rules, &pack, &settings);
    for rule in &compiled {
        assert!(rule.compilation.is_executable(), "{:?}", rule.compilation.diagnostics);
    }
    compiled.into_iter().map(Arc::new).collect()
}

/// An event of each time.
fn events(times: impl IntoIterator<Item = i64>) -> String {
    let event = |time: i64| {
        let event = serde_json::json!({
            "class_uid": 1007, "activity_id": 1, "time": time, "metadata.event_id": format!("e{time}"),
            "metadata.source_type": "windows-sysmon", "process.file.path": r"C:\one.exe",
            "device.hostname": "host",
        });
        format!("{event}\n")
    };
    times.into_iter().map(event).collect()
}

struct Lines {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

impl Lines {
    fn new(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        fs::write(&path, text).unwrap();
        Self { _folder: folder, path }
    }

    fn append(&self, text: &str) {
        OpenOptions::new().append(true).open(&self.path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn live(&self, rules: &[Arc<CompiledRule>]) -> Live {
        let mut live = Live::open(std::slice::from_ref(&self.path), TimeRange::default()).unwrap();
        live.follow(rules.to_vec()).unwrap();
        live
    }
}

/// Reads all there is; the counts of all rules.
fn settled(live: &mut Live) -> Vec<Option<u64>> {
    while live.step().unwrap() == Step::Read {}
    assert_eq!(live.reading(), None);
    live.counts(true).into_iter().map(|count| count.summary.map(|summary| summary.matches)).collect()
}

/// An event each 400 ms: of three of them each one ends a window, but for the first two.
fn steady(count: i64) -> impl Iterator<Item = i64> {
    (0..count).map(|at| at * 400)
}

#[test]
fn windows_that_are_closed_for_room_and_those_that_are_open_are_all_counted() {
    // Of the second correlation more is held than is kept open.
    let rules = compiled(&[EVENT, BURST, &BURST.replace("1s", "1h")]);
    let lines = Lines::new("");
    let mut live = lines.live(&rules);
    let all: Vec<i64> = steady(HELD_OPEN as i64 + 700).collect();
    for part in all.chunks(2_300) {
        lines.append(&events(part.iter().copied()));
        while live.step().unwrap() == Step::Read {}
    }
    let (many, windows) = (Some(all.len() as u64), Some(all.len() as u64 - 2));
    assert_eq!(settled(&mut live), [many, windows, windows]);
    assert!(live.settled.engine.closed.is_some(), "windows were closed");
    let summary = live.counts(true).remove(1).summary.unwrap();
    assert_eq!((summary.first_seen, summary.last_seen), (Some(0), all.last().copied()));
}

#[test]
fn rules_that_come_later_are_asked_of_what_was_there_and_join() {
    let (one, both) = (compiled(&[EVENT]), compiled(&[EVENT, BURST]));
    let lines = Lines::new(&events(steady(3_000)));
    let mut live = lines.live(&one);
    assert_eq!(settled(&mut live), [Some(3_000)]);
    live.follow(both.clone()).unwrap();
    assert!(live.reading().is_some());
    live.step().unwrap();
    lines.append(&events((3_000..3_010).map(|at| at * 400)));
    assert_eq!(
        settled(&mut live),
        [Some(3_010), Some(3_008)],
        "windows that cross the place where it joined are there"
    );
    live.follow(both.iter().rev().cloned().collect()).unwrap();
    assert_eq!(live.reading(), None, "nothing is read again for another order");
    assert_eq!(settled(&mut live), [Some(3_008), Some(3_010)]);
    let edited = compiled(&[&EVENT.replace("one.exe", "two.exe")]);
    live.follow(edited).unwrap();
    lines.append(&events([9_000_000]).replace("one.exe", "two.exe"));
    assert_eq!(settled(&mut live), [Some(1)]);
    assert_eq!(live.progress().lines, 3_011);
}

#[test]
fn what_comes_late_is_for_a_batch_to_count_once_windows_are_closed() {
    let rules = compiled(&[EVENT, BURST]);
    let lines = Lines::new(&events(steady(100)));
    let mut live = lines.live(&rules);
    settled(&mut live);
    lines.append(&events([1]));
    assert_eq!(settled(&mut live), [Some(101), Some(99)], "few events are held in any order");
    lines.append(&events((100..100 + HELD_OPEN as i64).map(|at| at * 10_000)));
    assert_eq!(settled(&mut live)[1], Some(99));
    lines.append(&events([2]));
    assert_eq!(settled(&mut live), [Some(102 + HELD_OPEN as u64), None]);
}

#[test]
fn a_field_of_another_type_is_for_a_batch_to_judge_wherever_it_stands() {
    let rules = compiled(&[EVENT, BURST]);
    let lines = Lines::new(&events([1]));
    let mut live = lines.live(&rules);
    assert_eq!(settled(&mut live), [Some(1), Some(0)]);
    lines.append(&events([2]).replace("1007", "4001").replace("\"C:\\\\one.exe\"", "7"));
    assert_eq!(settled(&mut live), [None, None]);
}

#[test]
fn a_last_line_without_its_end_is_asked_once_it_is_whole_and_only_once() {
    let rules = compiled(&[EVENT]);
    let lines = Lines::new(events([1, 2]).trim_end());
    let mut live = lines.live(&rules);
    assert_eq!(settled(&mut live), [Some(2)]);
    let third = events([3]);
    let (half, rest) = third.split_at(30);
    lines.append(&format!("\n{half}"));
    assert_eq!(settled(&mut live), [Some(2)]);
    lines.append(rest);
    assert_eq!(settled(&mut live), [Some(3)]);
    assert_eq!(live.progress().lines, 3);
}

#[test]
fn lines_that_are_no_events_are_told_and_the_others_counted() {
    let rules = compiled(&[EVENT]);
    let lines = Lines::new(&format!("{}{{\"no\": \n\n{}", events([1]), events([2])));
    let mut live = lines.live(&rules);
    assert_eq!(settled(&mut live), [Some(2)]);
    let Progress { left_out, why, .. } = live.progress();
    assert_eq!((*left_out, why.as_ref().unwrap().starts_with("line 2: not JSON")), (1, true), "{why:?}");
}

#[test]
fn a_file_that_is_cut_or_put_in_the_place_of_another_begins_anew() {
    let rules = compiled(&[EVENT]);
    let lines = Lines::new(&events([1, 2, 3]));
    let mut live = lines.live(&rules);
    settled(&mut live);
    fs::write(&lines.path, events([4])).unwrap();
    assert_eq!(live.step().unwrap(), Step::Replaced);
}
