//! What is recalled is what would be found out, whatever happens to rules and files; and nothing else is believed.

use std::collections::HashSet;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use duckdb::Connection;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::backend::{self, CompiledRule};
use crate::bridge::Settings;
use crate::evaluate::{correlation_summary, summaries, windows};
use crate::pack::{self, DEFAULT_PACK, Pack, PackSource};
use crate::sigma::{self, Capability};
use crate::store::{Dataset, SessionSettings, TimeRange};

/// Longer than two changes of a file may be apart and show the same time.
const PATIENCE: Duration = Duration::from_millis(15);

/// Rules of a number, which is in their statements; the last is a correlation.
fn rules(number: u8) -> String {
    let event = |name: &str, detection: &str| {
        format!(
            "title: {name}\nname: {name}\nlogsource: {{ category: process_creation, product: windows }}\n\
             detection:\n    selection: {{ {detection} }}\n    condition: selection\n---\n"
        )
    };
    let correlation = "title: Burst\ncorrelation:\n    type: event_count\n    rules: [one]\n    group-by: [Computer]\n    \
                       timespan: 1m\n    generate: true\n    condition: { gte: 2 }\n";
    [
        event("one", &format!("Image|endswith: '{number}.exe'")),
        event("two", &format!("CommandLine|contains: 'c{number}'")),
        event("three", &format!("ProcessId|gte: {number}")),
        event("four", "Image|contains: 'nowhere'"),
        correlation.to_owned(),
    ]
    .concat()
}

struct World {
    folder: tempfile::TempDir,
    pack: Pack,
    range: TimeRange,
}

impl World {
    fn new() -> Self {
        let pack = pack::load(&PackSource::Embedded(DEFAULT_PACK.to_owned())).unwrap().pack;
        Self { folder: tempfile::tempdir().unwrap(), pack, range: TimeRange::default() }
    }

    fn part(&self, part: u8) -> PathBuf {
        self.folder.path().join(format!("part-{part}.parquet"))
    }

    /// Writes a part of as many events as `events`, which differ with it; their columns differ with `form`.
    fn write(&self, part: u8, events: u8, form: u8) {
        let time = ["BIGINT", "INTEGER"][usize::from(form & 1)];
        let process = ["INTEGER", "BIGINT", "VARCHAR"][usize::from(form % 3)];
        let command =
            if form & 2 == 0 { "'a c' || (n % 4) || ' ' || n AS \"process.cmd_line\"," } else { "" };
        let sql = format!(
            "SELECT 1007 AS class_uid, 1 AS activity_id, CAST(n * {events} * 1000 AS {time}) AS \"time\",
               'windows-sysmon' AS \"metadata.source_type\", {command}
               CAST(n AS {process}) AS \"process.pid\", 'C:\\' || (n % 3) || '.exe' AS \"process.file.path\",
               'h' || (n % 2) AS \"device.hostname\"
             FROM range({events}) t(n)"
        );
        let beside = self.folder.path().join("_beside");
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(&format!("COPY ({sql}) TO '{}' (FORMAT parquet)", beside.display()))
            .unwrap();
        // In its place every other time, so that the inode stays.
        if events.is_multiple_of(2) && self.part(part).exists() {
            std::fs::write(self.part(part), std::fs::read(&beside).unwrap()).unwrap();
        } else {
            std::fs::rename(beside, self.part(part)).unwrap();
        }
    }

    fn compiled(&self, number: u8) -> Vec<CompiledRule> {
        let file = self.folder.path().join("rules.yml");
        std::fs::write(&file, rules(number)).unwrap();
        let rules: Vec<_> = sigma::load(&[file]).into_iter().map(Arc::new).collect();
        let settings = Settings { capabilities: Capability::ALL.into_iter().collect(), raw_fallback: false };
        backend::compile(&rules, &self.pack, &settings)
    }

    fn open(&self) -> Option<Store> {
        let dataset = Dataset::discover(self.folder.path()).ok()?.within(self.range);
        Some(Store::open(dataset, SessionSettings::default()).unwrap())
    }

    /// What the rules of a number answer with the help of what is known, which has to be what they answer without.
    fn ask(&self, answers: &mut Answers, number: u8) -> Vec<Option<Summary>> {
        let Some(mut store) = self.open() else { return Vec::new() };
        let over = Over::of(&store, PATIENCE).unwrap();
        let compiled = self.compiled(number);
        let runnable: Vec<Runnable<'_>> = compiled.iter().map(|rule| Runnable::of(rule).unwrap()).collect();
        let recalled = answers.recall(&over, &runnable);
        let (mut events, mut found) = (Vec::new(), Vec::new());
        for rule in &runnable {
            match rule {
                Runnable::Event(plan, sql) => events.push((*plan, *sql)),
                Runnable::Correlation(plan, sql) => {
                    let windows = windows(&mut store, plan, sql, &Cancel::never());
                    let summary = windows.map(|windows| correlation_summary(&windows));
                    if let Ok(summary) = &summary {
                        answers.learn(&over, *rule, *summary);
                    }
                    found.push(summary);
                }
            }
        }
        let mut helped = vec![None; events.len()];
        answers.summaries_with((&mut store, &over), &events, &Cancel::never(), &mut |at, result| {
            assert!(helped[at].replace(result).is_none(), "answered twice");
        });
        let plain = summaries(&mut self.open().unwrap(), &events, &Cancel::never());
        let helped: Vec<_> = helped.into_iter().map(Option::unwrap).collect();
        assert_eq!(helped, plain);
        for (recalled, found) in recalled.iter().zip(plain.into_iter().chain(found)) {
            assert!(recalled.is_none_or(|recalled| found == Ok(recalled)), "{recalled:?} {found:?}");
        }
        recalled
    }

    /// Waits until all that was written has settled.
    fn settle(&self) {
        thread::sleep(PATIENCE * 2);
    }
}

#[derive(Clone, Debug)]
enum Step {
    Write {
        part: u8,
        events: u8,
        form: u8,
    },
    Remove {
        part: u8,
    },
    Settle,
    Rules {
        number: u8,
    },
    Range {
        since: Option<i64>,
    },
    /// The program ends and begins again.
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u8..4, 1_u8..40, 0_u8..6).prop_map(|(part, events, form)| Step::Write { part, events, form }),
        1 => (0_u8..4).prop_map(|part| Step::Remove { part }),
        4 => Just(Step::Settle),
        2 => (0_u8..3).prop_map(|number| Step::Rules { number }),
        1 => prop_oneof![Just(None), Just(Some(30_000)), Just(Some(60_000))].prop_map(|since| Step::Range { since }),
        1 => Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_answers_are_those_without_help(steps in vec(step(), 1..24)) {
        let mut world = World::new();
        let (mut answers, mut number) = (Answers::default(), 0);
        for step in steps {
            match step {
                Step::Write { part, events, form } => world.write(part, events, form),
                Step::Remove { part } => drop(std::fs::remove_file(world.part(part))),
                Step::Settle => world.settle(),
                Step::Rules { number: other } => number = other,
                Step::Range { since } => {
                    let since = since.map(|at| jiff::Timestamp::from_millisecond(at).unwrap());
                    world.range = TimeRange::new(since, None).unwrap();
                }
                Step::Restart => answers = Answers::read(&answers.written().unwrap()).unwrap(),
            }
            world.ask(&mut answers, number);
        }
    }
}

#[test]
fn what_was_answered_is_recalled_as_long_as_nothing_has_changed() {
    let world = World::new();
    world.write(0, 20, 0);
    world.write(1, 30, 0);
    world.settle();
    let mut answers = Answers::default();
    assert!(world.ask(&mut answers, 1).iter().all(Option::is_none));
    let mut answers = Answers::read(&answers.written().unwrap()).unwrap();
    assert!(world.ask(&mut answers, 1).iter().all(Option::is_some), "correlations among them");
    let other = world.ask(&mut answers, 2);
    assert_eq!(other.iter().map(Option::is_some).collect::<Vec<_>>(), [false, false, false, true, false]);
    // The same content, written anew, is not known to be the same.
    world.write(1, 30, 0);
    assert!(world.ask(&mut answers, 1).iter().all(Option::is_none));
}

#[test]
fn a_file_that_has_just_been_changed_is_read_each_time() {
    let world = World::new();
    let begun = Instant::now();
    world.write(0, 20, 0);
    let store = world.open().unwrap();
    // Without this the machine was too slow to say anything.
    let young = Over::of(&store, Duration::from_secs(60)).filter(|_| begun.elapsed().as_secs() < 60).unwrap();
    assert!(young.files.iter().all(|file| !file.settled));
    let mut answers = Answers::default();
    let compiled = world.compiled(1);
    answers.learn(&young, Runnable::of(&compiled[0]).unwrap(), Summary::default());
    assert!(answers.is_empty());
}

#[test]
fn only_new_files_are_read_for_what_is_known_of_the_others() {
    let world = World::new();
    world.write(0, 20, 0);
    world.write(1, 30, 0);
    world.settle();
    let compiled = world.compiled(1);
    let rules: Vec<_> = compiled
        .iter()
        .filter_map(|rule| match Runnable::of(rule) {
            Some(Runnable::Event(plan, sql)) => Some((plan, sql)),
            _ => None,
        })
        .collect();
    let mut answers = Answers::default();
    let ask = |answers: &mut Answers| {
        let mut store = world.open().unwrap();
        let over = Over::of(&store, PATIENCE).unwrap();
        let mut found = vec![Summary::default(); rules.len()];
        answers.summaries_with((&mut store, &over), &rules, &Cancel::never(), &mut |at, result| {
            found[at] = result.unwrap();
        });
        found
    };
    let before = ask(&mut answers);
    // An answer that the files do not give shows which of them are read.
    answers.known.values_mut().for_each(|answer| answer.summary.matches += 1_000);
    world.write(2, 10, 0);
    let part: Vec<u64> = {
        let alone = World::new();
        alone.write(2, 10, 0);
        let found = summaries(&mut alone.open().unwrap(), &rules, &Cancel::never());
        found.into_iter().map(|found| found.unwrap().matches).collect()
    };
    assert!(part.iter().sum::<u64>() > 0);
    let expected: Vec<u64> =
        before.iter().zip(&part).map(|(before, part)| before.matches + 1_000 + part).collect();
    for _ in 0..3 {
        assert_eq!(ask(&mut answers).iter().map(|found| found.matches).collect::<Vec<_>>(), expected);
        world.settle();
    }
    assert_eq!(answers.known.values().map(|answer| answer.set).collect::<HashSet<_>>().len(), 1);
}

#[test]
fn what_is_not_whole_or_not_ours_is_not_read() {
    let world = World::new();
    world.write(0, 20, 0);
    world.settle();
    let mut answers = Answers::default();
    world.ask(&mut answers, 1);
    let bytes = answers.written().unwrap();
    assert_eq!(Answers::read(&bytes).unwrap().known.len(), 5);
    assert!(Answers::read(b"").is_err());
    for end in 0..bytes.len() {
        assert!(Answers::read(&bytes[..end]).is_err(), "{end}");
    }
    for at in 0..bytes.len() {
        let mut other = bytes.clone();
        other[at] ^= 1;
        assert!(Answers::read(&other).is_err(), "{at}");
    }
}

#[test]
fn what_is_kept_is_bounded() {
    let world = World::new();
    world.write(0, 20, 0);
    world.settle();
    let over = Over::of(&world.open().unwrap(), PATIENCE).unwrap();
    let mut answers = Answers::default();
    let mut count = 0_u64;
    let mut keep = |answers: &mut Answers, many: usize| {
        for _ in 0..many {
            count += 1;
            let mut question = [0; 32];
            question[..8].copy_from_slice(&count.to_le_bytes());
            let set = [FileId(question)].into();
            answers.keep(&over, set, vec![(Question(question), Summary::default())]);
        }
    };
    keep(&mut answers, MOST_SETS + 10);
    assert!(answers.sets.len() <= MOST_SETS, "{}", answers.sets.len());
    assert!(answers.known.values().all(|answer| answer.set < answers.sets.len()));
    assert!(!answers.is_empty());
}
