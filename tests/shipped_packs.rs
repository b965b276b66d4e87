//! Every pack under `mapping_packs/`: it loads without a finding, and its tests pass and leave nothing out.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sigma_ocsf_tui::authoring::run_cases;
use sigma_ocsf_tui::pack::{self, PackSource};

fn packs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mapping_packs");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut packs: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    packs.sort();
    assert!(!packs.is_empty());
    packs
}

#[test]
fn every_shipped_pack_loads_without_a_finding() {
    let mut found = Vec::new();
    for folder in packs() {
        let findings = match pack::load(&PackSource::Folder(folder)) {
            Ok(loaded) => loaded.warnings,
            Err(error) => [error.findings, error.warnings].concat(),
        };
        let lines = findings.iter().map(|f| format!("{}:{}: {}", f.path.display(), f.span.start, f.message));
        found.extend(lines);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_shipped_pack_passes_its_tests_and_leaves_nothing_out() {
    let mut wrong = Vec::new();
    let mut packs = packs();
    // The run of a pack holds those of the packs that it extends, so that the widest come first.
    packs.sort_by_key(|folder| {
        let loaded = pack::load(&PackSource::Folder(folder.clone()));
        Reverse(loaded.map_or(0, |loaded| loaded.pack.components.len()))
    });
    let mut ran = BTreeSet::new();
    for folder in packs {
        if ran.contains(folder.file_name().unwrap().to_str().unwrap()) {
            continue;
        }
        let run = match run_cases(&PackSource::Folder(folder)) {
            Ok(run) => run,
            Err(error) => {
                wrong.push(error.to_string());
                continue;
            }
        };
        for suite in &run.suites {
            ran.insert(suite.tests_of.clone());
            for failure in suite.cases.iter().flat_map(|case| &case.failures) {
                let (place, in_pack) = (&failure.place, &suite.pack);
                let (path, start) = (place.path.display(), place.span.start);
                let (subject, expected, got) = (&failure.subject, &failure.expected, &failure.got);
                wrong.push(format!("{path}:{start}: {subject} in {in_pack}: {expected}; got {got}"));
            }
        }
        let untested = run.untested.iter();
        wrong.extend(
            untested
                .map(|u| format!("{}:{}: no case: {}", u.place.path.display(), u.place.span.start, u.what)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
