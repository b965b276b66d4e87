//! JSON Lines that grow while the screen is open: at every step it counts what a run over the same lines finds, whatever
//! is appended, written or removed meanwhile.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use super::fixtures::{self, Screen};
use crate::bridge::Settings;
use crate::evaluate::{self, Cancel, Runnable, Summary};
use crate::pack::{self, PackSource};
use crate::sigma::Capability;
use crate::store::{Dataset, SessionSettings, Store, TimeRange};
use crate::tui::Options;
use crate::tui::action::{Action, Changed};
use crate::tui::event::Event;
use crate::tui::model::{Model, Outcome, RuleEntry};
use crate::tui::places::Places;
use crate::tui::update::{Effect, start, update};
use crate::tui::worker::{Followed, Report, Workers};

/// Long enough for any machine; a test that passes never waits for it.
const DEADLINE: Duration = Duration::from_secs(40);

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
        if path.is_dir() { copy(&path, &to) } else { assert!(fs::copy(path, to).is_ok()) }
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
        copy(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules").join(rules),
            &folder.path().join("rules"),
        );
        fs::write(folder.path().join("events.jsonl"), first).unwrap();
        let options = Options {
            rules: vec![folder.path().join("rules")],
            dataset: Some(folder.path().join("events.jsonl")),
            range: TimeRange::default(),
            pack: PackSource::Embedded(pack::DEFAULT_PACK.to_owned()),
            settings: Settings { capabilities: Capability::ALL.into_iter().collect(), raw_fallback: true },
            threads: 1,
            cache: true,
            theme: None,
            bell: false,
            title: false,
        };
        let (sender, events) = channel();
        let workers = Workers::start(options.clone(), &Places::default(), &sender).unwrap();
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
            match self.events.recv_timeout(DEADLINE) {
                Ok(Event::Report(report)) => self.act(Action::Worker(report)),
                Ok(other) => panic!("{other:?}"),
                Err(_) => panic!("nothing comes any more: {}", self.state()),
            }
        }
    }

    fn state(&self) -> String {
        let Model { dataset, work, live, notices, .. } = &self.model;
        let open: Vec<_> = self.model.rules.iter().filter(|entry| !is_counted(entry)).collect();
        let open: Vec<_> = open.iter().map(|entry| (&entry.title, entry.undecided, &entry.outcome)).collect();
        format!("{dataset:?}\n{work:?}\n{live:?} of {}\n{notices:?}\n{open:?}", self.lines)
    }

    fn is_settled(&self) -> bool {
        let model = &self.model;
        model.loaded
            && model.live.lines == self.lines
            && !model.work.is_under_way()
            && !model.dataset.due
            && model.rules.iter().all(is_counted)
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
        let wrong: Vec<_> =
            batch.iter().filter(|(rule, counted)| shown.get(*rule) != Some(counted)).collect();
        let shown: Vec<_> = wrong.iter().map(|(rule, _)| shown.get(*rule)).collect();
        assert!(
            wrong.is_empty(),
            "{when}, after {} lines: a run finds {wrong:#?}, the screen {shown:#?}",
            self.lines
        );
    }

    fn undecided(&self) -> usize {
        self.model.rules.iter().filter(|entry| entry.undecided).count()
    }
}

fn is_counted(entry: &RuleEntry) -> bool {
    !entry.is_executable() || !entry.is_reported() || entry.outcome.is_fresh()
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
    let windows = desk
        .shown()
        .iter()
        .filter(|(rule, counted)| {
            rule.contains("correlation") && counted.is_ok_and(|summary| summary.matches > 0)
        })
        .count();
    assert!(windows > 3, "{windows} correlations fire");
}

/// A rule that is written anew again and again.
const PROBE: &str = "title: Probe
logsource: { category: process_creation, product: windows }
detection: { selection: { Image|contains: 'TEXT' }, condition: selection }
";

/// Numbers in an order that looks like none, the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }
}

/// Writes, changes or removes a rule.
fn change_a_rule(desk: &mut Desk, chance: &mut Chance) {
    let correlations = ["repeated_refused_logons.yml", "discovery_burst.yml", "burst_then_outbound.yml"];
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules/correlation");
    let name = correlations[chance.below(correlations.len())];
    let (path, text) =
        (desk.path("rules/correlation").join(name), fs::read_to_string(from.join(name)).unwrap());
    match chance.below(4) {
        0 => desk.write_rule(&path, Some(&text)),
        1 => desk.write_rule(&path, Some(&text.replace("timespan: ", "timespan: 1"))),
        2 if path.exists() => desk.write_rule(&path, None),
        _ => {
            let texts = ["e", "\\\\cmd", "system32", "no such text"];
            let probe = PROBE.replace("TEXT", texts[chance.below(texts.len())]);
            desk.write_rule(&desk.path("rules/probe.yml"), Some(&probe));
        }
    }
}

fn any_schedule(seed: u64, by_time: bool) {
    let mut chance = Chance(seed);
    let mut events = events();
    if !by_time {
        (1..events.len()).rev().for_each(|at| events.swap(at, chance.below(at + 1)));
    }
    let mut left = events.as_slice();
    let (first, others) = left.split_at(2);
    left = others;
    let mut desk = Desk::new("", &lines(first));
    let mut half = String::new();
    while !left.is_empty() || !half.is_empty() {
        let when = format!("seed {seed}");
        match chance.below(5) {
            0 => change_a_rule(&mut desk, &mut chance),
            1 if half.is_empty() => {
                let line = lines(&left[..1]);
                let (begun, rest) = line.split_at(1 + chance.below(line.len() - 2));
                desk.append(begun, 0);
                (half, left) = (rest.to_owned(), &left[1..]);
            }
            _ => {
                let (part, others) = left.split_at(left.len().min(1 + chance.below(8)));
                let complete = part.len() + usize::from(!half.is_empty());
                desk.append(&(std::mem::take(&mut half) + &lines(part)), complete);
                left = others;
            }
        }
        if half.is_empty() && chance.below(3) == 0 {
            desk.settle();
            desk.assert_as_a_run(&when);
        }
    }
    desk.settle();
    desk.assert_as_a_run(&format!("seed {seed}, at the end"));
}

#[test]
fn whatever_is_appended_and_written_in_between_the_counts_are_those_of_a_run() {
    (1..=3).for_each(|seed| any_schedule(seed, true));
}

#[test]
fn lines_may_come_in_any_order() {
    any_schedule(4, false);
}

#[test]
fn an_answer_to_an_older_question_is_dropped_and_reading_is_stopped() {
    let mut screen = Screen::new((120, 40));
    screen.model.dataset.info.as_mut().unwrap().lines = Some(3);
    screen.model.generations.live = 7;
    let rule = screen.model.rules[0].key.clone();
    let told = |screen: &mut Screen, generation, matches, reading| {
        let counts = vec![(rule.clone(), Some(fixtures::summary(matches)))];
        let found = Followed { counts, lines: 4, events: 4, reading, ..Followed::default() };
        drop(update(&mut screen.model, Action::Worker(Report::Followed { generation, found })));
        screen.model.rules[0].matches()
    };
    let before = screen.model.rules[0].matches();
    assert_eq!(told(&mut screen, 6, 2_000, None), before);
    assert_eq!(told(&mut screen, 7, 2_000, Some((1, 2))), Some(2_000));
    assert_eq!(screen.model.rules[0].arrived(), 2_000 - before.unwrap());
    assert!(screen.model.work.is_under_way());
    let effects = update(&mut screen.model, Action::Clear);
    assert!(
        matches!(&effects[0], Effect::Follow { generation: 8, rules, .. } if rules.is_empty()),
        "{effects:?}"
    );
    assert!(screen.model.work.reading.is_none() && screen.model.work.stopped.is_some());
    assert_eq!(told(&mut screen, 7, 3_000, None), Some(2_000));
}
