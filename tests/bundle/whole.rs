//! A bundle is whole or not there, whatever its run is ended by; and nothing that is no bundle is ever replaced.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{EVENTS, RULES, assert_same, bundle, ended, files, place, program};

/// How many runs are killed in each test.
const KILLS: u32 = 25;

/// Enough rules for a bundle to grow over many moments.
const FEW: &str = "fixtures/rules/windows/process_creation";

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    names
}

fn spawned(out: &Path, more: &[&str]) -> Child {
    let mut command = program();
    command
        .args(["run", FEW, "--parquet", EVENTS, "--out", out.to_str().unwrap()])
        .args(more)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().unwrap()
}

fn small_bundle(out: &Path, more: &[&str]) {
    let fixed = ["run", FEW, "--parquet", EVENTS, "--out", out.to_str().unwrap()];
    ended(0, &[&fixed, more].concat());
}

/// How long a run takes here and now, so that kills are spread over all of it.
fn length_of_a_run(out: &Path) -> Duration {
    let started = Instant::now();
    small_bundle(out, &[]);
    started.elapsed()
}

/// Kills run after run, each a little later in its life, and looks at what is there.
fn kill_at_many_moments(out: &Path, more: &[&str], length: Duration, mut look: impl FnMut()) {
    for moment in 0..KILLS {
        let mut child = spawned(out, more);
        thread::sleep(length * (moment + 1) / KILLS);
        // It may have ended by itself.
        let _ = child.kill();
        child.wait().unwrap();
        look();
    }
}

#[test]
fn a_killed_run_leaves_a_whole_bundle_or_none() {
    let (_folder, reference) = place();
    let length = length_of_a_run(&reference);
    let expected = files(&reference);
    let (folder, out) = place();
    let (mut none, mut whole) = (0, 0);
    kill_at_many_moments(&out, &[], length, || {
        if out.exists() {
            assert_same(&files(&out), &expected);
            fs::remove_dir_all(&out).unwrap();
            whole += 1;
        } else {
            none += 1;
        }
    });
    assert!(none > 0, "none of {whole} runs was killed in time");
    small_bundle(&out, &[]);
    assert_same(&files(&out), &expected);
    assert_eq!(names(&folder.path().join("runs")), ["7"], "what killed runs have left is cleared away");
}

#[test]
fn a_killed_replacement_leaves_the_old_bundle_or_the_new_one() {
    let (folder, out) = place();
    let length = length_of_a_run(&out);
    let old = files(&out);
    let (_other, reference) = place();
    small_bundle(&reference, &["--threads", "2"]);
    let new = files(&reference);
    assert!(old != new);
    let mut kept = 0;
    kill_at_many_moments(&out, &["--threads", "2", "--force"], length, || {
        let found = files(&out);
        assert!(found == old || found == new, "{:?}", found.keys());
        kept += usize::from(found == old);
    });
    assert!(kept > 0, "no run was killed in time");
    small_bundle(&out, &["--threads", "2", "--force"]);
    assert_same(&files(&out), &new);
    assert_eq!(names(&folder.path().join("runs")), ["7"]);
}

#[test]
fn a_bundle_is_replaced_with_force_only() {
    let (folder, out) = place();
    bundle(&out, &[]);
    let old = files(&out);
    let arguments = ["run", RULES, "--parquet", EVENTS, "--out", out.to_str().unwrap(), "--run-id", "x"];
    let (_, said) = ended(2, &arguments);
    assert!(said.contains("there is a bundle at") && said.contains("--force"), "{said}");
    assert_same(&files(&out), &old);
    ended(0, &[&arguments[..], &["--force"]].concat());
    assert!(files(&out) != old);
    assert_eq!(names(&folder.path().join("runs")), ["7"]);
}

/// Above all a run folder with its events.
#[test]
fn what_is_no_bundle_is_never_replaced() {
    let (folder, out) = place();
    fs::create_dir_all(out.join("normalized")).unwrap();
    fs::write(out.join("normalized/events"), "precious").unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "precious").unwrap();
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&out, &link).unwrap();
    for target in [&out, &file, &link] {
        for force in [&[][..], &["--force"]] {
            let target = target.to_str().unwrap();
            let (_, said) =
                ended(2, &[&["run", RULES, "--parquet", EVENTS, "--out", target], force].concat());
            assert!(said.contains("is no bundle"), "{said}");
        }
    }
    assert_eq!(fs::read_to_string(out.join("normalized/events")).unwrap(), "precious");
    assert_eq!(names(folder.path()), ["file", "link", "runs"]);
    assert_eq!(names(&folder.path().join("runs")), ["7"]);
}

#[test]
fn an_empty_folder_is_taken_and_a_run_that_cannot_be_leaves_nothing() {
    let (folder, out) = place();
    fs::create_dir_all(&out).unwrap();
    bundle(&out, &[]);
    assert!(out.join("bundle.json").exists());
    let nothing = folder.path().join("none/7");
    let target = nothing.to_str().unwrap();
    ended(2, &["run", RULES, "--out", target]);
    ended(3, &["run", RULES, "--parquet", "nowhere", "--out", target]);
    ended(2, &["run", "--parquet", EVENTS, "--out", target]);
    ended(2, &["run", RULES, "--parquet", EVENTS, "--out", target, "--run-time", "yesterday"]);
    ended(2, &["run", RULES, "--parquet", EVENTS, "--out", ".."]);
    assert!(!folder.path().join("none").exists());
}

/// The hidden folder of a run that lives is not cleared away by another; that of a dead one is, with its bundle in it.
#[test]
fn leftovers_are_told_from_runs_that_live() {
    let (folder, out) = place();
    let runs = folder.path().join("runs");
    let dead = runs.join(".7.partial-1");
    let (alive, other) = (runs.join(".7.partial-2"), runs.join(".7.partial-notes"));
    for folder in [&dead, &alive, &other, &runs.join(".8.partial-1")] {
        fs::create_dir_all(folder.join("bridge")).unwrap();
    }
    let held = fs::File::open(&alive).unwrap();
    rustix::fs::flock(&held, rustix::fs::FlockOperation::LockExclusive).unwrap();
    bundle(&out, &[]);
    assert_eq!(names(&runs), [".7.partial-2", ".7.partial-notes", ".8.partial-1", "7"]);
}

/// Where folders cannot be exchanged, a kill between two renames leaves the old bundle aside; the next run brings it
/// back.
#[test]
fn a_bundle_that_was_put_aside_is_brought_back() {
    let (folder, out) = place();
    bundle(&out, &[]);
    let old = files(&out);
    fs::rename(&out, folder.path().join("runs/.7.replaced")).unwrap();
    let (_, said) = ended(2, &["run", RULES, "--parquet", EVENTS, "--out", out.to_str().unwrap()]);
    assert!(said.contains("there is a bundle at"), "{said}");
    assert_same(&files(&out), &old);
    assert_eq!(names(&folder.path().join("runs")), ["7"]);
}
