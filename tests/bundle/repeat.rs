//! The same inputs give the same bytes.

use std::fs;
use std::process::Command;

use super::{EVENTS, EVERYTHING, RULES, assert_same, bundle, ended, files, place};

#[test]
fn two_runs_write_the_same_bytes() {
    let (_one, first) = place();
    let (_other, second) = place();
    bundle(&first, &EVERYTHING);
    bundle(&second, &EVERYTHING);
    let (first, second) = (files(&first), files(&second));
    assert!(first.len() > 100);
    assert_same(&first, &second);
}

#[test]
fn another_number_of_threads_changes_the_setting_and_nothing_else() {
    let (_one, first) = place();
    let (_other, second) = place();
    bundle(&first, &EVERYTHING);
    bundle(&second, &[&EVERYTHING[..], &["--threads", "4"]].concat());
    let (first, second) = (files(&first), files(&second));
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    let mut differing = 0;
    for (name, bytes) in first {
        let text = String::from_utf8(bytes).unwrap();
        let settled = text.replace("\"threads\": 1,\n", "\"threads\": 4,\n");
        differing += usize::from(settled != text && name != "bridge/mapping_pack_snapshot.json");
        let expected = if name == "bridge/mapping_pack_snapshot.json" { text } else { settled };
        assert_eq!(expected.into_bytes(), second[&name], "{name}");
    }
    // The plans, and the record of the run.
    assert_eq!(differing, 106 + 1);
}

/// Neither the folder that one works in nor the way to the rules is in a bundle.
#[test]
fn a_bundle_does_not_depend_on_where_things_lie() {
    let (folder, first) = place();
    bundle(&first, &[]);
    let root = env!("CARGO_MANIFEST_DIR");
    let copied = folder.path().join("elsewhere");
    let copied_to = |name: &str| copied.join(name).display().to_string();
    fs::create_dir(&copied).unwrap();
    for (from, to) in [(RULES, "the rules"), (EVENTS, "events")] {
        let done =
            Command::new("cp").args(["-R", &format!("{root}/{from}"), &copied_to(to)]).status().unwrap();
        assert!(done.success());
    }
    let second = folder.path().join("other/7");
    let out = second.to_str().unwrap();
    ended(0, &["run", &copied_to("the rules"), "--parquet", &copied_to("events"), "--out", out]);
    assert_same(&files(&first), &files(&second));
}

/// Both layouts of the same events give the same detections.
#[test]
fn the_layout_of_the_events_makes_no_difference() {
    let (_one, first) = place();
    let (_other, second) = place();
    bundle(&first, &EVERYTHING);
    let nested =
        ["run", RULES, "--parquet", "fixtures/run-nested/normalized", "--out", second.to_str().unwrap()];
    ended(0, &[&nested[..], &EVERYTHING].concat());
    let (mut first, mut second) = (files(&first), files(&second));
    assert_ne!(first.remove("bundle.json"), second.remove("bundle.json"), "it has the size of the files");
    assert_same(&first, &second);
}
