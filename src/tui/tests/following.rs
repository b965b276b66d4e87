//! JSON Lines that grow while the screen is open: at every step it counts what a run over the same lines finds, whatever
//! is appended, written or removed meanwhile.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use super::fixtures;
use crate::bridge::Settings;
use crate::evaluate::{self, Cancel, Runnable, Summary};
use crate::pack::{self, PackSource};
use crate::sigma::Capability;
use crate::store::{Dataset, SessionSettings, Store, TimeRange};
use crate::tui::Options;
use crate::tui::action::{Action, Changed};
use crate::tui::event::Event;
use crate::tui::model::{Model, Outcome, RuleEntry};
use crate::tui::update::{Effect, start, update};
use crate::tui::worker::Workers;

/// Long enough for any machine; a test that passes never waits for it.
const DEADLINE: Duration = Duration::from_secs(120);

/// What a rule counts, or that it fails.
type Counts = BTreeMap<String, Result<Summary, ()>>;

/// The fixture's events, by time, without what they leave open.
fn events() -> Vec<Value> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/run");
    let store = Store::open(Dataset::discover(&root).unwrap(), SessionSettings::default()).unwrap();
    let sql = "SELECT CAST(to_json(event) AS VARCHAR) FROM ocsf_events AS event \
               ORDER BY \"time\", \"metadata.event_id\"";
    let lines: Vec<String> = store.select(sql, &Cancel::never(), |row| row.get(0)).unwrap();
    let filled = |line: &String| {
        let mut event: Value = serde_json::from_str(line).unwrap();
        event.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        event
    };
    lines.iter().map(filled).collect()
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() { copy(&path, &to) } else { drop(fs::copy(path, to).unwrap()) }
    }
}

/// A screen with its threads, over a folder of its own.
struct Desk {
    folder: tempfile::TempDir,
    model: Model,
    workers: Workers,
    events: Receiver<Event>,
    /// Lines that are complete.
    lines: u64,
}

impl Desk {
    fn new(rules: &str, first: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules").join(rules), &folder.path().join("rules"));
        fs::write(folder.path().join("events.jsonl"), first).unwrap();
        let options = Options {
            rules: vec![folder.path().join("rules")],
            dataset: Some(folder.path().join("events.jsonl")),
            range: TimeRange::default(),
            pack: PackSource::Embedded(pack::DEFAULT_PACK.to_owned()),
            settings: Settings { capabilities: Capability::ALL.into_iter().collect(), raw_fallback: true },
            threads: 1,
            theme: None,
            bell: false,
            title: false,
        };
        let (sender, events) = channel();
        let workers = Workers::start(options.clone(), &sender).unwrap();
        let mut model = Model::new((120, 40), fixtures::theme("dark"));
        model.open(&options);
        let lines = first.lines().count() as u64;
        let mut desk = Self { folder, model, workers, events, lines };
        let effects = start(&mut desk.model);
        desk.perform(effects);
        desk.settle();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn perform(&self, effects: Vec<Effect>) {
        effects.into_iter().for_each(|effect| self.workers.perform(effect));
    }

    fn act(&mut self, action: Action) {
        let effects = update(&mut self.model, action);
        self.perform(effects);
    }

    /// Waits until nothing is under way and every line has been asked every rule.
    fn settle(&mut self) {
        while !self.is_settled() {
            match self.events.recv_timeout(DEADLINE).unwrap() {
                Event::Report(report) => self.act(Action::Worker(report)),
                other => panic!("{other:?}"),
            }
        }
    }

    fn is_settled(&self) -> bool {
        let counted = |entry: &RuleEntry| !entry.is_executable() || !entry.is_reported() || entry.outcome.is_fresh();
        let model = &self.model;
        model.loaded
            && model.live.lines == self.lines
            && !model.work.is_under_way()
            && !model.dataset.due
            && model.rules.iter().all(counted)
    }

    /// Appends to the events; what watches them tells the screen.
    fn append(&mut self, text: &str, complete: usize) {
        let mut file = OpenOptions::new().append(true).open(self.path("events.jsonl")).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        self.lines += complete as u64;
        self.act(Action::FilesChanged(Changed { dataset: true, ..Changed::default() }));
    }

    fn write_rule(&mut self, path: &Path, text: Option<&str>) {
        match text {
            Some(text) => fs::write(path, text).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
        self.act(Action::FilesChanged(Changed { rules: [path.to_owned()].into(), ..Changed::default() }));
    }

    fn shown(&self) -> Counts {
        let runs = self.model.rules.iter().filter(|entry| entry.is_executable() && entry.is_reported());
        runs.map(|entry| {
            let outcome = match &entry.outcome {
                Outcome::Ran { summary, .. } => Ok(*summary),
                _ => Err(()),
            };
            (format!("{}:{}", entry.key.path.display(), entry.key.document), outcome)
        })
        .collect()
    }

    /// What a run finds over the complete lines.
    fn batch(&self) -> Counts {
        let text = fs::read_to_string(self.path("events.jsonl")).unwrap();
        let lines: Vec<&str> = text.lines().take(usize::try_from(self.lines).unwrap()).collect();
        let path = self.path("batch.jsonl");
        fs::write(&path, lines.join("\n")).unwrap();
        let mut store = Store::open(Dataset::discover(&path).unwrap(), SessionSettings::default()).unwrap();
        let cancel = Cancel::never();
        let runs = self.model.rules.iter().filter(|entry| entry.is_executable() && entry.is_reported());
        runs.map(|entry| {
            let counted = match Runnable::of(entry.compiled.as_ref().unwrap()) {
                Some(Runnable::Event(plan, sql)) => {
                    evaluate::summaries(&mut store, &[(plan, sql)], &cancel).remove(0)
                }
                Some(Runnable::Correlation(plan, sql)) => evaluate::windows(&mut store, plan, sql, &cancel)
                    .map(|windows| evaluate::correlation_summary(&windows)),
                None => panic!("{} runs", entry.title),
            };
            (format!("{}:{}", entry.key.path.display(), entry.key.document), counted.map_err(drop))
        })
        .collect()
    }

    fn assert_as_a_run(&self, when: &str) {
        let (shown, batch) = (self.shown(), self.batch());
        let wrong: Vec<_> = batch.iter().filter(|(rule, counted)| shown.get(*rule) != Some(counted)).collect();
        let shown: Vec<_> = wrong.iter().map(|(rule, _)| shown.get(*rule)).collect();
        assert!(wrong.is_empty(), "{when}, after {} lines: a run finds {wrong:#?}, the screen {shown:#?}", self.lines);
    }

    fn undecided(&self) -> usize {
        self.model.rules.iter().filter(|entry| entry.undecided).count()
    }
}

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

#[test]
fn lines_that_come_by_time_are_counted_as_a_run_counts_them() {
    let events = events();
    let step = events.len().div_ceil(6);
    let mut parts = events.chunks(step);
    let mut desk = Desk::new("", &lines(parts.next().unwrap()));
    desk.assert_as_a_run("at first");
    for part in parts {
        desk.append(&lines(part), part.len());
        desk.settle();
        desk.assert_as_a_run("behind a part");
    }
    assert_eq!(desk.undecided(), 0, "the dataset is asked for no count");
    let windows = desk.shown().iter().filter(|(rule, counted)| rule.contains("correlation") && counted.is_ok_and(|summary| summary.matches > 0)).count();
    assert!(windows > 3, "{windows} correlations fire");
}
