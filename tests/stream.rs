//! The real `stream`: what it finds is what `run` finds, however the events come and whatever happens to the process.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use duckdb::Connection;
use serde_json::Value;

/// How many streams are killed.
const KILLS: u32 = 50;

/// How often the fixture's events come, each time a day later.
const DAYS: i64 = 60;

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// With a small pack where rules start often.
fn small(program: &mut Command) -> &mut Command {
    program.args(["--pack", "windows-sysmon"])
}

fn program(command: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_sigma-ocsf-tui"));
    program.arg(command).arg(root().join("fixtures/rules")).args(["--enable", "all", "--raw-fallback"]);
    program
}

fn stream(events: &Path) -> Command {
    let mut program = program("stream");
    program.arg("--events").arg(events).args(["--allowed-lateness", "0", "--no-reload"]);
    program
}

fn ran(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The fixture's events as JSON Lines, by time.
fn events() -> Vec<Value> {
    let folder = root().join("fixtures/run/normalized");
    let file = tempfile::NamedTempFile::new().unwrap();
    let sql = format!(
        "COPY (SELECT * FROM read_parquet('{}/**/*.parquet', union_by_name = true) ORDER BY \"time\") TO '{}' (FORMAT json)",
        folder.display(),
        file.path().display()
    );
    Connection::open_in_memory().unwrap().execute_batch(&sql).unwrap();
    let text = fs::read_to_string(file.path()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// They again, `day` days later and under ids of their own.
fn of_day(events: &[Value], day: i64) -> String {
    let mut text = String::new();
    for event in events {
        let mut event = event.clone();
        event["time"] = (event["time"].as_i64().unwrap() + day * 86_400_000).into();
        event["metadata.event_id"] = format!("{}/{day}", event["metadata.event_id"].as_str().unwrap()).into();
        text += &format!("{event}\n");
    }
    text
}

fn ids(detections: &str) -> Vec<String> {
    let id = |line: &str| {
        let detection: Value = serde_json::from_str(line).unwrap();
        detection["detection_id"].as_str().unwrap().to_owned()
    };
    detections.lines().map(id).collect()
}

#[test]
fn it_finds_what_run_finds() {
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("events.jsonl");
    fs::write(&lines, events().iter().map(|event| format!("{event}\n")).collect::<String>()).unwrap();
    let found = stream(&lines).output().unwrap();
    ran(&found);
    let found = ids(&String::from_utf8(found.stdout).unwrap());
    let bundle = folder.path().join("bundle");
    let batch =
        program("run").arg("--parquet").arg(root().join("fixtures/run")).arg("--out").arg(&bundle).output();
    ran(&batch.unwrap());
    let expected = ids(&fs::read_to_string(bundle.join("detections/detections.jsonl")).unwrap());
    let set = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(set(&found), set(&expected));
    assert_eq!(found.len(), expected.len(), "none comes twice");
    assert!(!found.is_empty());
}

#[test]
fn lines_are_of_the_schema() {
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("events.jsonl");
    fs::write(&lines, of_day(&events(), 0)).unwrap();
    let found = stream(&lines).output().unwrap();
    ran(&found);
    let schema = fs::read_to_string(root().join("schemas/detection.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    for line in String::from_utf8(found.stdout).unwrap().lines() {
        let detection: Value = serde_json::from_str(line).unwrap();
        assert!(schema.is_valid(&detection), "{line}");
        assert_eq!(detection["extensions"]["bridge"]["backend"], "interpreter");
    }
}

#[test]
fn lines_that_are_no_events_are_named_and_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let lines = folder.path().join("events.jsonl");
    let events = of_day(&events(), 0);
    let first = events.lines().next().unwrap();
    let mut clash = self::events().into_iter().find(|event| event["class_uid"] == 1007).unwrap();
    clash["process.cmd_line"] = 7.into();
    let mut older = self::events().remove(0);
    older["metadata.version"] = "1.1.0".into();
    let long = "x".repeat(17 << 20);
    let none = format!("not json\n[1]\n\n{{\"time\": 1}}\n{long}\n");
    fs::write(&lines, format!("{none}{first}\n{clash}\n{older}\n{events}")).unwrap();
    let found = stream(&lines).output().unwrap();
    let told = String::from_utf8_lossy(&found.stderr).into_owned();
    assert_eq!(found.status.code(), Some(3), "{told}");
    for wanted in [
        "line 1: not JSON",
        "line 2: not an object",
        "line 4: no `class_uid`",
        "line 5: longer than 16 MiB",
        "`process.cmd_line` is a whole number, and rules count on string",
        "line 8: dataset_ocsf_version: OCSF version '1.1.0' in metadata.version",
        "1 events are of another OCSF version (dataset_ocsf_version)",
        "5 lines left out",
    ] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }
    assert!(!found.stdout.is_empty(), "the rest is asked all the same");
}

/// A stream that follows `events`, and is killed when the test ends, however it ends.
struct Following(Child);

impl Following {
    fn start(folder: &Path, more: &[&str]) -> Self {
        let mut program = program("stream");
        program.arg("--events").arg(folder.join("events.jsonl")).args([
            "--follow",
            "--allowed-lateness",
            "0",
        ]);
        program.arg("--out").arg(folder.join("out.jsonl")).args(more);
        Self(
            program.stderr(File::create(folder.join("told")).unwrap()).stdout(Stdio::null()).spawn().unwrap(),
        )
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait_for(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        sleep(Duration::from_millis(20));
    }
}

fn append(path: &Path, text: &str) {
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

#[test]
fn a_stream_killed_at_any_moment_loses_and_repeats_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("events.jsonl");
    let events = events();
    let days: Vec<String> = (0..DAYS).map(|day| of_day(&events, day)).collect();
    fs::write(&input, days.concat()).unwrap();
    let whole = folder.path().join("whole.jsonl");
    ran(&small(&mut stream(&input)).arg("--out").arg(&whole).output().unwrap());
    let begun = Instant::now();
    ran(&small(&mut stream(&input)).output().unwrap());
    let length = begun.elapsed();
    let (out, checkpoint) = (folder.path().join("out.jsonl"), folder.path().join("checkpoint"));
    let resumable = || {
        let mut program = stream(&input);
        small(&mut program).arg("--out").arg(&out).arg("--checkpoint").arg(&checkpoint);
        program.args(["--checkpoint-every", "5"]);
        program.stderr(Stdio::null());
        program
    };
    // The last days come one by one between the kills, the end of a line after its beginning.
    fs::write(&input, days[..DAYS as usize / 2].concat()).unwrap();
    let rest = days[DAYS as usize / 2..].concat();
    let mut given = 0;
    let mut places = BTreeSet::new();
    for kill in 0..KILLS {
        let mut child = resumable().spawn().unwrap();
        let next = (rest.len() * (kill as usize + 1) / KILLS as usize).min(rest.len());
        append(&input, &rest[given..next]);
        given = next;
        sleep(length * (kill * 37 % KILLS) / KILLS);
        let _ = child.kill();
        let _ = child.wait();
        places.insert(fs::read(&checkpoint).unwrap_or_default());
    }
    assert!(places.len() > 3, "kills fell on one place");
    ran(&resumable().output().unwrap());
    let (found, expected) = (fs::read_to_string(&out).unwrap(), fs::read_to_string(&whole).unwrap());
    assert!(expected.lines().count() > DAYS as usize);
    assert!(found == expected, "{} lines and not {}", found.lines().count(), expected.lines().count());
}

#[test]
fn it_follows_a_growing_file_through_rotation_and_takes_up_changed_rules() {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    fs::create_dir(&rules).unwrap();
    let rule =
        fs::read_to_string(root().join("fixtures/rules/windows/process_creation/whoami_by_any_name.yml"))
            .unwrap();
    fs::write(rules.join("whoami.yml"), &rule).unwrap();
    let (input, out, told) =
        (folder.path().join("events.jsonl"), folder.path().join("out.jsonl"), folder.path().join("told"));
    let events = events();
    append(&input, &of_day(&events, 0));
    let mut program = Command::new(env!("CARGO_BIN_EXE_sigma-ocsf-tui"));
    program.arg("stream").arg(&rules).arg("--events").arg(&input).arg("--follow").arg("--out").arg(&out);
    let child = program.stderr(File::create(&told).unwrap()).stdout(Stdio::null()).spawn().unwrap();
    let _following = Following(child);
    let detections = || fs::read_to_string(&out).map_or(0, |text| text.lines().count());
    wait_for("the first detection", || detections() == 1);
    append(&input, &of_day(&events, 1));
    wait_for("one more", || detections() == 2);
    fs::rename(&input, folder.path().join("events.jsonl.1")).unwrap();
    append(&input, &of_day(&events, 2));
    wait_for("one of the next file", || detections() == 3);
    let heard = |what: &str| fs::read_to_string(&told).unwrap().contains(what);
    assert!(heard("rotated or cut"));
    // Half a save changes nothing; a whole one does.
    fs::write(rules.join("whoami.yml"), "title: half\ndetection: {").unwrap();
    wait_for("the broken rule is told", || heard("the rules in force stay as they were"));
    append(&input, &of_day(&events, 3));
    wait_for("the old rule still finds", || detections() == 4);
    fs::write(rules.join("whoami.yml"), rule.replace("whoami", "nobody-at-all")).unwrap();
    wait_for("the changed rule is taken up", || heard("rules or pack changed\n"));
    append(&input, &of_day(&events, 4));
    append(&input, "not json\n");
    wait_for("the day is read", || heard("not JSON"));
    assert_eq!(detections(), 4, "the changed rule finds nothing");
}

#[test]
fn two_streams_cannot_share_a_checkpoint_and_no_output_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let input = folder.path().join("events.jsonl");
    fs::write(&input, of_day(&events(), 0)).unwrap();
    let checkpoint = folder.path().join("checkpoint");
    let _first = Following::start(folder.path(), &["--checkpoint", checkpoint.to_str().unwrap()]);
    wait_for("the first holds it", || checkpoint.exists());
    let second = stream(&input)
        .arg("--out")
        .arg(folder.path().join("other"))
        .arg("--checkpoint")
        .arg(&checkpoint)
        .output();
    let second = second.unwrap();
    assert_eq!(second.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&second.stderr).contains("another process is using this checkpoint"));
    let third = stream(&input).arg("--out").arg(folder.path().join("out.jsonl")).output().unwrap();
    assert_eq!(third.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&third.stderr).contains("is there already"));
}
