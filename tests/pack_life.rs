//! `pack new` and `pack release` by the real binary, from nothing to two releases.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What it printed and said below `folder`, and that it ended with `code`.
fn said(code: i32, folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigma-ocsf-tui"));
    command.current_dir(folder).stdin(Stdio::null()).env_remove("COLUMNS").arg("pack");
    let output = command.args(arguments).output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    said
}

#[test]
fn a_pack_from_nothing_to_its_second_release() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    insta::assert_snapshot!("pack_new", said(0, folder, &["new", "mine"]));
    assert!(said(2, folder, &["new", "mine"]).contains("mine is there already"));
    said(0, folder, &["validate", "mine", "--strict"]);
    said(0, folder, &["test", "mine", "--complete"]);
    let released = said(0, folder, &["release", "mine", "--bump", "minor", "--date", "2026-03-01"]);
    insta::assert_snapshot!("pack_release", released);
    insta::assert_snapshot!(
        "pack_release_changelog",
        fs::read_to_string(folder.join("mine/CHANGELOG.md")).unwrap()
    );
    assert!(said(0, folder, &["release", "mine", "--bump", "patch"]).contains("meaning:  unchanged"));
    fs::write(folder.join("mine/aliases/process.yaml"), "process_creation: {Image: process.file.path}\n")
        .unwrap();
    let before = fs::read_to_string(folder.join("mine/pack.yaml")).unwrap();
    assert!(said(1, folder, &["release", "mine", "--bump", "minor"]).contains("nothing stands under"));
    assert!(said(2, folder, &["release", "mine", "--bump", "minor", "--date", "March"]).contains("--date"));
    assert_eq!(fs::read_to_string(folder.join("mine/pack.yaml")).unwrap(), before);
}
