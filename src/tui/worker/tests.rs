//! The threads, over real files: what is asked last is answered, and everything ends.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::*;
use crate::bridge::Settings;
use crate::pack::{DEFAULT_PACK, PackSource};
use crate::tui::action::Changed;

/// Long enough for any machine; a test that passes never waits for it.
const DEADLINE: Duration = Duration::from_secs(60);

const RULE: &str = r"title: One
logsource: { category: process_creation, product: windows }
detection:
    selection: { Image|endswith: '\one.exe' }
    condition: selection
";

fn event(id: u32, image: &str) -> String {
    serde_json::json!({
        "class_uid": 1007, "activity_id": 1, "time": id, "metadata.event_id": id.to_string(),
        "metadata.source_type": "windows-sysmon", "process.file.path": image,
    })
    .to_string()
}

struct Bench {
    workers: Workers,
    events: Receiver<Event>,
}

impl Bench {
    fn new(folder: &Path) -> Self {
        let (sender, events) = channel();
        let options = Options {
            rules: vec![folder.join("rules")],
            dataset: Some(folder.join("ocsf_events.jsonl")),
            pack: PackSource::Embedded(DEFAULT_PACK.to_owned()),
            settings: Settings::default(),
            threads: 1,
            theme: None,
        };
        Self { workers: Workers::start(options, &sender).unwrap(), events }
    }

    /// The first report that `wanted` takes.
    fn wait<T>(&self, mut wanted: impl FnMut(Report) -> Option<T>) -> T {
        loop {
            match self.events.recv_timeout(DEADLINE).unwrap() {
                Event::Report(report) => {
                    if let Some(found) = wanted(report) {
                        return found;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }

    fn compile(&self, generation: u64, changed: Changed) -> (Vec<Compiled>, Vec<PathBuf>) {
        self.workers.perform(Effect::Compile { generation, changed });
        self.wait(|report| match report {
            Report::Compiled { generation: of, rules, gone, .. } if of == generation => Some((rules, gone)),
            _ => None,
        })
    }
}

type Compiled = (Arc<Rule>, Option<Arc<CompiledRule>>);

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("rules")).unwrap();
    fs::write(folder.path().join("rules/one.yml"), RULE).unwrap();
    let events = [event(1, r"C:\one.exe"), event(2, r"C:\two.exe"), event(3, r"D:\ONE.exe")].join("\n");
    fs::write(folder.path().join("ocsf_events.jsonl"), events).unwrap();
    folder
}

fn runnable(rules: &[Compiled]) -> Vec<(RuleKey, Arc<CompiledRule>)> {
    rules.iter().map(|(rule, made)| (RuleKey::of(rule), Arc::clone(made.as_ref().unwrap()))).collect()
}

/// The first rule, and the first of its matches.
fn sliced(rules: &[(RuleKey, Arc<CompiledRule>)]) -> Option<((RuleKey, Arc<CompiledRule>), Slice)> {
    rules.first().cloned().map(|rule| (rule, Slice::first(500)))
}

fn everything() -> Changed {
    Changed { rescan: true, pack: true, ..Changed::default() }
}

#[test]
fn a_rule_is_loaded_compiled_found_and_counted() {
    let folder = folder();
    let bench = Bench::new(folder.path());
    let (rules, _) = bench.compile(1, everything());
    let wanted = runnable(&rules);
    bench.workers.perform(Effect::OpenDataset { generation: 1 });
    let info = bench.wait(|report| match report {
        Report::Dataset { opened, .. } => Some(opened.unwrap()),
        _ => None,
    });
    assert_eq!(info.events, 3);
    bench.workers.perform(Effect::Summarize { generation: 1, rules: wanted.clone() });
    bench.workers.perform(Effect::Match { generation: 2, rule: sliced(&wanted) });
    let table = bench.wait(|report| match report {
        Report::Matches { generation: 2, table, .. } => Some(table.unwrap()),
        _ => None,
    });
    assert_eq!(table.rows.iter().map(|row| row.event_id.as_str()).collect::<Vec<_>>(), ["1", "3"]);
    // The count may have been interrupted for that; it is taken up again.
    bench.workers.perform(Effect::Summarize { generation: 3, rules: wanted });
    bench.wait(|report| matches!(report, Report::SummariesDone { generation: 3 }).then_some(()));
}

#[test]
fn a_rule_is_explained_and_its_fields_are_counted() {
    let folder = folder();
    let bench = Bench::new(folder.path());
    let (rules, _) = bench.compile(1, everything());
    let wanted = runnable(&rules).into_iter().next();
    bench.workers.perform(Effect::OpenDataset { generation: 1 });
    bench.wait(|report| matches!(report, Report::Dataset { .. }).then_some(()));
    bench.workers.perform(Effect::Fill { generation: 1, rule: wanted.clone() });
    let fills = bench.wait(|report| match report {
        Report::Filled { generation: 1, fills } => Some(fills.unwrap()),
        _ => None,
    });
    assert_eq!((fills.in_scope, fills.fields.values().copied().collect::<Vec<_>>()), (3, vec![3]));
    bench.workers.perform(Effect::Explain { generation: 2, rule: wanted });
    let found = bench.wait(|report| match report {
        Report::Explained { generation: 2, found } => Some(found.unwrap()),
        _ => None,
    });
    assert_eq!((found.finding.matches, found.matches.len()), (2, 2));
}

#[test]
fn many_requests_at_once_end_with_the_last_one_answered() {
    let folder = folder();
    let bench = Bench::new(folder.path());
    let (rules, _) = bench.compile(1, everything());
    let wanted = runnable(&rules);
    bench.workers.perform(Effect::OpenDataset { generation: 1 });
    bench.wait(|report| matches!(report, Report::Dataset { .. }).then_some(()));
    for generation in 1..=200 {
        bench.workers.perform(Effect::Summarize { generation, rules: wanted.clone() });
        bench.workers.perform(Effect::Match { generation, rule: sliced(&wanted) });
    }
    let (mut found, mut counted) = (false, false);
    bench.wait(|report| {
        found |= matches!(report, Report::Matches { generation: 200, .. });
        counted |= matches!(report, Report::SummariesDone { generation: 200 });
        (found && counted).then_some(())
    });
}

#[test]
fn changed_rules_are_read_again_and_a_lost_folder_keeps_its_rules() {
    let folder = folder();
    let bench = Bench::new(folder.path());
    bench.compile(1, everything());
    let (one, two) = (folder.path().join("rules/one.yml"), folder.path().join("rules/two.yml"));
    fs::rename(&one, &two).unwrap();
    let changed = Changed { rules: [one, two.clone()].into(), ..Changed::default() };
    let (rules, _) = bench.compile(2, changed);
    assert_eq!(rules.iter().map(|(rule, _)| rule.path.to_path_buf()).collect::<Vec<_>>(), [two]);
    fs::remove_dir_all(folder.path().join("rules")).unwrap();
    let (rules, gone) = bench.compile(3, everything());
    assert_eq!((rules.len(), gone.len()), (1, 1));
    assert_eq!(rules[0].0.title(), "One");
}

#[test]
fn what_is_read_again_and_says_the_same_is_the_same_rule() {
    let folder = folder();
    let bench = Bench::new(folder.path());
    let rescan = Changed { rescan: true, ..Changed::default() };
    let (before, _) = bench.compile(1, everything());
    let (after, _) = bench.compile(2, rescan.clone());
    let same = |(one, other): (&Compiled, &Compiled)| {
        let compiled = one.1.as_ref().zip(other.1.as_ref());
        Arc::ptr_eq(&one.0, &other.0) && compiled.is_some_and(|(one, other)| Arc::ptr_eq(one, other))
    };
    assert_eq!((before.len(), after.len()), (1, 1));
    assert!(same((&before[0], &after[0])));
    fs::write(folder.path().join("rules/one.yml"), RULE.replace("title: One", "title: Other")).unwrap();
    let (changed, _) = bench.compile(3, rescan);
    assert_eq!(changed[0].0.title(), "Other");
    assert!(!same((&after[0], &changed[0])));
}

#[test]
fn an_included_file_stands_once_and_is_followed() {
    let folder = folder();
    let rules = folder.path().join("rules");
    fs::write(rules.join("all.yml"), "action: include\nfilename: one.yml\n").unwrap();
    let bench = Bench::new(folder.path());
    let titles = |rules: &[Compiled]| rules.iter().map(|(rule, _)| rule.title()).collect::<Vec<_>>();
    let (loaded, _) = bench.compile(1, everything());
    let before = titles(&loaded);
    assert_eq!(before.len(), 1, "{before:?}");
    fs::write(rules.join("one.yml"), RULE.replace(&before[0], "Renamed")).unwrap();
    let changed = Changed { rules: [rules.join("one.yml")].into(), ..Changed::default() };
    let (loaded, _) = bench.compile(2, changed);
    assert_eq!(titles(&loaded), ["Renamed"]);
}

#[test]
fn marked_rows_become_a_case_beside_the_rule_which_is_no_rule_itself() {
    let folder = folder();
    let bench = Bench::new(folder.path());
    let (rules, _) = bench.compile(1, everything());
    let rule = Arc::clone(rules[0].1.as_ref().unwrap());
    let saved = |rows: &[&str]| {
        let rows = rows.iter().map(|id| (*id).to_owned()).collect();
        bench.workers.perform(Effect::SaveCase(ToSave { rule: Arc::clone(&rule), rows }));
        bench.wait(|report| if let Report::Saved(saved) = report { Some(saved) } else { None })
    };
    assert_eq!(saved(&["1"]).unwrap_err(), "the dataset is not open");
    bench.workers.perform(Effect::OpenDataset { generation: 1 });
    bench.wait(|report| matches!(report, Report::Dataset { .. }).then_some(()));
    let case = saved(&["1", "3"]).unwrap();
    assert_eq!((case.path, case.events), (folder.path().join("rules/one.test.yml"), 2));
    assert!(saved(&["9"]).unwrap_err().contains("0 events of the id `9`"));
    let (rules, _) = bench.compile(2, everything());
    assert_eq!(rules.len(), 1);
}
