//! The threads, over real files: what is asked last is answered, and everything ends.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::*;
use crate::authoring::FileEdit;
use crate::backend::CompiledRule;
use crate::bridge::Settings;
use crate::evaluate::Runnable;
use crate::evaluate::answers::{Answers, Over, SETTLES};
use crate::pack::{DEFAULT_PACK, PackSource};
use crate::store::{Dataset, Store};
use crate::tui::action::Changed;
use crate::tui::model::Trial;

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
        Self::over(folder, "ocsf_events.jsonl")
    }

    fn over(folder: &Path, dataset: &str) -> Self {
        Self::keeping(folder, dataset, &Places::default(), true)
    }

    fn keeping(folder: &Path, dataset: &str, places: &Places, cache: bool) -> Self {
        let (sender, events) = channel();
        let options = Options {
            rules: vec![folder.join("rules")],
            dataset: Some(folder.join(dataset)),
            range: crate::store::TimeRange::default(),
            pack: PackSource::Embedded(DEFAULT_PACK.to_owned()),
            settings: Settings::default(),
            threads: 1,
            theme: None,
            bell: false,
            title: false,
            cache,
        };
        Self { workers: Workers::start(options, places, &sender).unwrap(), events }
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

    fn compile(&self, generation: u64, changed: Changed) -> (Vec<Loaded>, Vec<PathBuf>) {
        self.workers.perform(Effect::Compile { generation, changed, trial: None });
        self.wait(|report| match report {
            Report::Compiled { generation: of, rules, gone, .. } if of == generation => Some((rules, gone)),
            _ => None,
        })
    }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("rules")).unwrap();
    fs::write(folder.path().join("rules/one.yml"), RULE).unwrap();
    let events = [event(1, r"C:\one.exe"), event(2, r"C:\two.exe"), event(3, r"D:\ONE.exe")].join("\n");
    fs::write(folder.path().join("ocsf_events.jsonl"), events).unwrap();
    folder
}

fn runnable(rules: &[Loaded]) -> Vec<(RuleKey, Arc<CompiledRule>)> {
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
    bench.workers.perform(Effect::Summarize { generation: 1, rules: wanted.clone(), first: 0 });
    bench.workers.perform(Effect::Match { generation: 2, rule: sliced(&wanted) });
    let table = bench.wait(|report| match report {
        Report::Matches { generation: 2, table, .. } => Some(table.unwrap()),
        _ => None,
    });
    assert_eq!(table.rows.iter().map(|row| row.event_id.as_str()).collect::<Vec<_>>(), ["1", "3"]);
    // The count may have been interrupted for that; it is taken up again.
    bench.workers.perform(Effect::Summarize { generation: 3, rules: wanted, first: 0 });
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
        bench.workers.perform(Effect::Summarize { generation, rules: wanted.clone(), first: 0 });
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
    let same = |(one, other): (&Loaded, &Loaded)| {
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
    let titles = |rules: &[Loaded]| rules.iter().map(|(rule, _)| rule.title()).collect::<Vec<_>>();
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

#[test]
fn a_text_is_tried_while_the_file_stays_then_written_and_taken_back_in_order() {
    let folder = folder();
    let bench = Bench::new(folder.path());
    bench.compile(1, everything());
    let path = folder.path().join("rules/one.yml");
    let edit = |before: &str, after: &str| {
        let (before, after) = (Some(before.to_owned()), after.to_owned());
        Arc::new(FileEdit { path: path.clone(), before, after, line: 4 })
    };
    let two = RULE.replace("one.exe", "two.exe");
    let trial = Some(Trial::Rule(edit(RULE, &two)));
    bench.workers.perform(Effect::Compile { generation: 2, changed: Changed::default(), trial });
    let tried = bench.wait(|report| match report {
        Report::Compiled { generation: 2, rules, refused, .. } => Some((rules, refused)),
        _ => None,
    });
    assert_eq!(&*tried.0[0].0.text, two);
    assert!(tried.0[0].1.as_ref().unwrap().sql.as_ref().unwrap().text.contains("two.exe"));
    assert_eq!(fs::read_to_string(&path).unwrap(), RULE);
    // Without the trial it is as it was.
    assert_eq!(&*bench.compile(3, Changed::default()).0[0].0.text, RULE);

    let write = |writing| bench.workers.perform(Effect::Write(Box::new(writing)));
    let written = || {
        bench.wait(|report| match report {
            Report::Written(written) => Some(written),
            _ => None,
        })
    };
    let broken = edit(RULE, "title: [");
    write(Writing::Rule(Arc::clone(&broken), false));
    assert!(matches!(written(), Err(Unwritten::Broken(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), RULE);
    write(Writing::Rule(broken, true));
    let first = written().unwrap();
    let second = edit("title: [", &two);
    write(Writing::Rule(second, false));
    let second = written().unwrap();
    // Asked for one on the heels of the other.
    write(Writing::Undo(second));
    write(Writing::Undo(first));
    for _ in 0..2 {
        let undone = bench.wait(|report| match report {
            Report::Undone(undone) => Some(undone),
            _ => None,
        });
        undone.unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), RULE);
}

#[test]
fn an_alias_is_tried_on_the_pack_or_said_to_be_none() {
    let folder = folder();
    let bench = Bench::new(folder.path());
    bench.compile(1, everything());
    let pack = Arc::new(crate::pack::load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).unwrap().pack);
    let tried = |generation, target: &str| {
        let alias = NewAlias {
            pack: Arc::clone(&pack),
            scope: crate::pack::AliasScope::parse("process_creation/windows").unwrap(),
            field: crate::sigma::SigmaField("Image".to_owned()),
            target: target.to_owned(),
            place: None,
        };
        let trial = Some(Trial::Alias(Arc::new(alias)));
        bench.workers.perform(Effect::Compile { generation, changed: Changed::default(), trial });
        bench.wait(|report| match report {
            Report::Compiled { generation: of, rules, refused, .. } if of == generation => {
                Some((rules[0].1.as_ref().unwrap().sql.as_ref().unwrap().text.clone(), refused))
            }
            _ => None,
        })
    };
    let (sql, refused) = tried(2, "process.cmd_line");
    assert!(sql.contains("process.cmd_line") && refused.is_none());
    let (sql, refused) = tried(3, "no.such.path");
    assert!(sql.contains("process.file.path") && refused.unwrap().contains("no.such.path"));
}

/// Opens the dataset of a folder, and gives what is said of it.
fn opened(bench: &Bench, generation: u64) -> (DatasetInfo, DatasetChange, Vec<String>) {
    bench.workers.perform(Effect::OpenDataset { generation });
    bench.wait(|report| match report {
        Report::Dataset { generation: of, opened, change, unfinished } if of == generation => {
            Some((opened.unwrap(), change, unfinished.into_iter().map(|file| file.why).collect()))
        }
        _ => None,
    })
}

#[test]
fn parts_that_arrive_are_told_apart_and_those_that_are_not_complete_are_waited_for() {
    let folder = folder();
    let part =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/run/normalized/ocsf_events/part-0000.parquet");
    let target = |name: &str| folder.path().join("events").join(name);
    fs::create_dir(folder.path().join("events")).unwrap();
    fs::copy(&part, target("a.parquet")).unwrap();
    let rule = "title: All\nlogsource: { category: process_creation, product: windows }\n\
                detection: { s: { Image|exists: true }, condition: s }\n";
    fs::write(folder.path().join("rules/one.yml"), rule).unwrap();
    let bench = Bench::over(folder.path(), "events");
    let (rules, _) = bench.compile(1, everything());
    let rule = runnable(&rules).remove(0);
    let (first, change, _) = opened(&bench, 1);
    assert_eq!((first.files, change), (1, DatasetChange::Other));
    let whole = fs::read(&part).unwrap();
    fs::write(target("b.parquet"), &whole[..whole.len() / 2]).unwrap();
    fs::write(target("c.parquet"), b"PAR1\xff\xff\xff\xff\x04\0\0\0PAR1").unwrap();
    let (info, change, unfinished) = opened(&bench, 2);
    assert_eq!((info, change, unfinished.len()), (first.clone(), DatasetChange::None, 2));
    let (_, change, unfinished) = opened(&bench, 3);
    assert_eq!(
        (change, unfinished.len()),
        (DatasetChange::None, 2),
        "what stays as it is is not tried again"
    );
    fs::write(target("b.parquet"), &whole).unwrap();
    let (info, change, unfinished) = opened(&bench, 4);
    assert_eq!((info.events, info.files), (2 * first.events, 2));
    assert_eq!((change, unfinished.len()), (DatasetChange::Grown, 1));
    let arrived = |since: u64| {
        bench.workers.perform(Effect::Arrivals { generation: since, rule: rule.clone(), since });
        bench.wait(|report| match report {
            Report::Arrived { generation, ids } if generation == since => Some(ids),
            _ => None,
        })
    };
    assert!(!arrived(1).is_empty() && arrived(4).is_empty());
    fs::remove_file(target("a.parquet")).unwrap();
    assert_eq!(opened(&bench, 5).1, DatasetChange::Other);
}

#[test]
fn lines_that_arrive_are_told_apart_and_one_that_is_being_written_is_waited_for() {
    let folder = folder();
    let lines = folder.path().join("ocsf_events.jsonl");
    let bench = Bench::new(folder.path());
    let (rules, _) = bench.compile(1, everything());
    let rule = runnable(&rules).remove(0);
    let (first, change, _) = opened(&bench, 1);
    assert_eq!((first.events, change), (3, DatasetChange::Other));
    let (fourth, fifth) = (event(4, r"E:\one.exe"), event(5, r"E:\two.exe"));
    let old = fs::read_to_string(&lines).unwrap();
    fs::write(&lines, format!("{old}\n{}", &fourth[..20])).unwrap();
    let (info, change, unfinished) = opened(&bench, 2);
    assert_eq!((info.events, change, unfinished.len()), (3, DatasetChange::None, 1));
    fs::write(&lines, format!("{old}\n{fourth}\n{fifth}\n")).unwrap();
    let (info, change, unfinished) = opened(&bench, 3);
    assert_eq!((info.events, change, unfinished.len()), (5, DatasetChange::Grown, 0));
    let arrived = |since: u64| {
        bench.workers.perform(Effect::Arrivals { generation: since, rule: rule.clone(), since });
        bench.wait(|report| match report {
            Report::Arrived { generation, ids } if generation == since => Some(ids),
            _ => None,
        })
    };
    // The first and the third event match as well, and were there before.
    assert_eq!(arrived(3), BTreeSet::from(["4".to_owned()]), "behind the third line");
    assert!(arrived(4).is_empty() && arrived(5).is_empty());
    fs::write(&lines, format!("{old}\n")).unwrap();
    assert_eq!(opened(&bench, 4).1, DatasetChange::Other, "it was cut");
}

/// How many matches are told of the first rule.
fn counted(bench: &Bench, generation: u64, rules: &[(RuleKey, Arc<CompiledRule>)]) -> u64 {
    bench.workers.perform(Effect::Summarize { generation, rules: rules.to_vec(), first: 0 });
    let mut told = Vec::new();
    bench.wait(|report| match report {
        Report::Summary { generation: of, rule, summary } if of == generation => {
            told.push((rule, summary.unwrap()));
            None
        }
        Report::Recalled { generation: of, counts } if of == generation => {
            told.extend(counts);
            None
        }
        Report::SummariesDone { generation: of } if of == generation => Some(()),
        _ => None,
    });
    let first = told.iter().filter(|(rule, _)| *rule == rules[0].0);
    let matches: Vec<u64> = first.map(|(_, summary)| summary.matches).collect();
    assert_eq!(matches.len(), 1, "told once");
    matches[0]
}

#[test]
fn answers_are_taken_from_those_that_were_kept_unless_told_otherwise() {
    let folder = folder();
    fs::write(folder.path().join("rules/one.yml"), RULE.replace(r"\one.exe", ".exe")).unwrap();
    let dataset = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/run/normalized");
    let places = Places { config: None, state: Some(folder.path().join("state")) };
    let place = Place::of(&places, Path::new(dataset)).unwrap();
    let begin = |cache| {
        let bench = Bench::keeping(folder.path(), dataset, &places, cache);
        let wanted = runnable(&bench.compile(1, everything()).0);
        opened(&bench, 1);
        (bench, wanted)
    };
    let (bench, wanted) = begin(true);
    let matches = counted(&bench, 1, &wanted);
    assert!(matches > 0 && place.read().is_empty());
    drop(bench);
    assert!(!place.read().is_empty(), "written on leaving");

    // A wrong answer shows where answers come from.
    let store =
        Store::open(Dataset::discover(Path::new(dataset)).unwrap(), SessionSettings::default()).unwrap();
    let mut wrong = Answers::default();
    let summary = Summary { matches: 4711, first_seen: None, last_seen: None };
    wrong.learn(&Over::of(&store, SETTLES).unwrap(), Runnable::of(&wanted[0].1).unwrap(), summary);
    place.write(&wrong).unwrap();
    let wrong = place.read();
    let (bench, wanted) = begin(true);
    assert_eq!(counted(&bench, 1, &wanted), 4711);
    let (without, wanted) = begin(false);
    assert_eq!(counted(&without, 1, &wanted), matches);
    drop(without);
    assert_eq!(place.read(), wrong, "left alone");
    bench.workers.perform(Effect::Forget);
    assert_eq!(counted(&bench, 2, &wanted), matches);
    drop(bench);
    assert!(place.read() != wrong);
}
