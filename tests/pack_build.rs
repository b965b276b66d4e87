//! `pack build`: what it writes, what it says of it, and that `--pack` takes it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sha2::{Digest, Sha256};

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigma-ocsf-tui"));
    command.args(arguments).current_dir(folder).output().expect("it starts")
}

/// A folder with a pack that extends the shipped one.
fn scene() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pack = folder.path().join("own");
    fs::create_dir(&pack).expect("it can be made");
    let manifest = "id: own\nversion: 1.0.0\nocsf_version: 1.7.0\nextends: [ocsf-1.7.0]\n";
    fs::write(pack.join("pack.yaml"), manifest).expect("it can be written");
    folder
}

fn rules() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules/windows")
}

#[test]
fn a_built_pack_is_told_by_its_hashes_and_used_like_the_folder() {
    let scene = scene();
    let built = run(scene.path(), &["pack", "build", "own", "--out", "own.tar.gz", "--format", "json"]);
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let report: serde_json::Value = serde_json::from_slice(&built.stdout).expect("it is JSON");
    let bytes = fs::read(scene.path().join("own.tar.gz")).expect("it was written");
    let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(report["file_sha256"], hash.as_str());
    assert_eq!(report["bytes"], bytes.len());
    let again = run(scene.path(), &["pack", "build", "own.tar.gz", "--out", "again.tar.gz"]);
    let said = String::from_utf8(again.stdout).expect("it is text");
    assert!(said.contains(&format!("file sha256  {hash}")), "{said}");
    assert!(said.contains(report["pack_sha256"].as_str().expect("it is text")), "{said}");
    let rules = rules().display().to_string();
    // Findings, which are indented, name the files that the pack was read from.
    let check = |pack: &str| {
        let said = run(scene.path(), &["check", &rules, "--pack", pack]).stdout;
        let said = String::from_utf8(said).expect("it is text");
        said.lines().filter(|line| !line.starts_with(' ')).map(str::to_owned).collect::<Vec<_>>()
    };
    assert!(
        check("own").iter().any(|line| line.contains(" executable · ") && !line.contains(" 0 executable"))
    );
    assert_eq!(check("own"), check("own.tar.gz"));
    let names: Vec<_> = fs::read_dir(scene.path()).expect("it is there").flatten().collect();
    assert_eq!(names.len(), 3, "nothing else is left behind");
}

#[test]
fn what_cannot_be_built_leaves_the_file_as_it_was() {
    let scene = scene();
    fs::write(scene.path().join("own.tar.gz"), "before").expect("it can be written");
    fs::write(scene.path().join("own/routes.yaml"), "[").expect("it can be written");
    let built = run(scene.path(), &["pack", "build", "own", "--out", "own.tar.gz"]);
    assert_eq!(built.status.code(), Some(2));
    assert_eq!(fs::read(scene.path().join("own.tar.gz")).expect("it is there"), b"before");
    let nowhere = run(scene.path(), &["pack", "build", "ocsf-1.7.0", "--out", "none/own.tar.gz"]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("none/own.tar.gz"));
    let refused = run(scene.path(), &["check", &rules().display().to_string(), "--pack", "own.tar.gz"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("pack_bad_archive"));
}
