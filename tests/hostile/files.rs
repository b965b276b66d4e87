//! Files and names that are made to lead elsewhere, or nowhere, or on for ever.

#![cfg(unix)]

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::Command;

use serde_json::Value;

use super::{Scene, ids, reason, rule, write_events};

const RULE: &str = "  s: {CommandLine: a}\n  condition: s";

/// Names that a shell, a glob, SQL or a terminal would take for something else.
const NAMES: [&str; 16] = [
    "it's",
    "say \"hi\"",
    "*",
    "[a]",
    "a?b{c,d}",
    "two\nlines",
    "a b",
    "-rf",
    "--format",
    "größe-日本-🦦",
    "\u{1b}]0;owned\u{7}",
    "\u{202e}gpj",
    "back\\slash",
    "$HOME",
    "a=b",
    "'); DROP TABLE x; --",
];

fn of_file<'a>(rules: &'a [Value], end: &str) -> &'a Value {
    rules
        .iter()
        .find(|rule| rule["path"].as_str().unwrap().ends_with(end))
        .unwrap_or_else(|| panic!("{end}: {rules:#?}"))
}

#[test]
fn rules_are_read_whatever_their_names() {
    let scene = Scene::with_events(&["a", "b"]);
    for name in NAMES {
        scene.write(format!("rules/{name}/{name}.yml"), rule(RULE));
    }
    let rules = scene.check();
    assert_eq!(rules.len(), NAMES.len());
    assert!(rules.iter().all(|rule| ids(rule) == ["e0"]));
    fs::write(scene.path("rules").join(OsStr::from_bytes(b"\xff\xfe.yml")), rule(RULE)).unwrap();
    assert_eq!(scene.check().len(), NAMES.len() + 1);
}

#[test]
fn a_path_with_leading_dashes_is_named_after_two() {
    let scene = Scene::new();
    scene.write("--format.yml", rule(RULE));
    let output = scene.run(&["check", "--", "--format.yml"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("1 rules"));
}

#[test]
fn events_are_read_whatever_their_names() {
    for name in NAMES {
        let scene = Scene::new();
        scene.write("rules/rule.yml", rule(RULE));
        write_events(&scene.path("plain.parquet"), &["b", "a"]);
        fs::create_dir_all(scene.path(format!("events/{name}"))).unwrap();
        fs::rename(scene.path("plain.parquet"), scene.path(format!("events/{name}/{name}.parquet"))).unwrap();
        // Beside it, what a glob would take as well.
        fs::write(scene.path(format!("events/{name}/decoy.txt")), "no Parquet").unwrap();
        let output = scene.run(&["check", "rules", "--parquet", "events", "--event-ids"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.chars().all(|c| c == '\n' || !c.is_control()), "{name:?}: {said:?}");
        match output.status.code() {
            Some(0) => assert_eq!(ids(&scene.check()[0]), ["e1"], "{name:?}"),
            code => assert_eq!(code, Some(3), "{name:?}: {said}"),
        }
    }
}

#[test]
fn what_is_no_rule_file_is_said_to_be_none() {
    let scene = Scene::with_events(&["a"]);
    scene.write("rules/sound.yml", rule(RULE));
    scene.write("rules/bytes.yml", b"title: \xff\n");
    scene.write("rules/wide.yml", b"\xff\xfet\0i\0t\0l\0e\0");
    scene.write("rules/nul.yml", "title: a\0b\n");
    scene.write("rules/empty.yml", "");
    scene.write("rules/huge.yml", vec![b'#'; 5 << 20]);
    scene.write("rules/line.yml", format!("title: {}\n", "a".repeat(1 << 20)));
    scene.write("rules/folder.yml/inner.yml", rule(RULE));
    symlink(scene.path("rules"), scene.path("rules/loop")).unwrap();
    symlink(scene.path("rules/self.yml"), scene.path("rules/self.yml")).unwrap();
    symlink("/etc/passwd", scene.path("rules/passwd.yml")).unwrap();
    symlink("/dev/zero", scene.path("rules/zero.yml")).unwrap();
    assert!(Command::new("mkfifo").arg(scene.path("rules/pipe.yml")).status().unwrap().success());
    let rules = scene.check();
    for sound in ["sound.yml", "inner.yml"] {
        assert_eq!(ids(of_file(&rules, sound)), ["e0"]);
    }
    for broken in ["bytes", "wide", "nul", "empty", "huge", "line", "self", "passwd", "zero", "pipe"] {
        let broken = of_file(&rules, &format!("/{broken}.yml"));
        assert_eq!(reason(broken), "backend_compile_error");
    }
    assert_eq!(rules.len(), 12, "{:?}", rules.iter().map(|rule| &rule["path"]).collect::<Vec<_>>());
    let shown = serde_json::to_string(&rules).unwrap();
    assert!(!shown.contains("/bin/"), "the text of a file that is no rule stays there");
}

#[test]
fn parquet_that_is_none_is_a_data_error() {
    let whole = Scene::with_events(&["a"; 1000]);
    let whole = fs::read(whole.path("events/part.parquet")).unwrap();
    let mut torn = whole.clone();
    torn.splice(4..60, [0xff; 56]);
    let mut lying = whole.clone();
    let length = lying.len() - 8;
    lying[length..length + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let cut = whole[..whole.len() / 2].to_vec();
    for (what, bytes) in [
        ("empty", vec![]),
        ("text", b"a,b\n1,2\n".to_vec()),
        ("cut", cut),
        ("lying", lying),
        ("magic", b"PAR1PAR1".to_vec()),
    ] {
        let scene = Scene::new();
        scene.write("rules/rule.yml", rule(RULE));
        scene.write("events/part.parquet", &bytes);
        let output = scene.run(&["check", "rules", "--parquet", "events"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{what}: {said}");
        assert!(said.contains("part.parquet"), "{what}: {said}");
    }
    let scene = Scene::new();
    scene.write("rules/rule.yml", rule(RULE));
    scene.write("events/part.parquet", &torn);
    let output = scene.run(&["check", "rules", "--parquet", "events", "--format", "json"]);
    if output.status.code() == Some(0) {
        let document: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_ne!(document["rules"][0]["verdict"], "no_match", "what cannot be read is no verdict");
    }
}

#[test]
fn events_are_no_pipe_and_no_loop() {
    let scene = Scene::with_events(&["a"]);
    scene.write("rules/rule.yml", rule(RULE));
    symlink(scene.path("events"), scene.path("events/loop")).unwrap();
    assert!(Command::new("mkfifo").arg(scene.path("events/pipe.parquet")).status().unwrap().success());
    assert_eq!(ids(&scene.check()[0]), ["e0"]);
    for path in ["events/pipe.parquet", "rules/rule.yml", "/dev/zero", "/dev/null"] {
        assert_eq!(scene.run(&["check", "rules", "--parquet", path]).status.code(), Some(3), "{path}");
    }
}
