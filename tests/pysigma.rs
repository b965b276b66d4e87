//! `pack import` and `pack export --pysigma` by the real binary: what they write, what they list, what they refuse.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use sigma_ocsf_tui::bridge::Settings;
use sigma_ocsf_tui::pack::{self, Pack, PackSource, Target};
use sigma_ocsf_tui::pysigma;

const PIPELINE: &str = "fixtures/pysigma/ocsf.yml";
const PACK: &str = "fixtures/pysigma/pack";

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sigma-ocsf-tui"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).stdin(Stdio::null()).env_remove("COLUMNS");
    command.arg("pack").args(arguments).output().unwrap()
}

/// What it printed and said, and that it ended with `code`.
fn said(code: i32, arguments: &[&str]) -> [String; 2] {
    let Output { status, stdout, stderr } = run(arguments);
    let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(status.code(), Some(code), "{stdout}{stderr}");
    [stdout, stderr]
}

/// All files below a folder, one after the other.
fn texts(folder: &Path) -> String {
    let files = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    let text = |entry: walkdir::DirEntry| {
        let path = entry.path().strip_prefix(folder).unwrap().display().to_string();
        format!("--- {path}\n{}", fs::read_to_string(entry.path()).unwrap())
    };
    files.map(text).collect()
}

fn load(folder: &Path) -> Pack {
    pack::load(&PackSource::Folder(folder.to_owned())).unwrap().pack
}

#[test]
fn an_imported_pack_is_sound_and_its_tests_hold() {
    let scene = tempfile::tempdir().unwrap();
    let out = scene.path().join("imported");
    let folder = out.to_str().unwrap();
    let [stdout, stderr] = said(0, &["import", PIPELINE, "--out", folder]);
    insta::assert_snapshot!("import", stdout.replace(folder, "OUT"));
    assert_eq!(stderr, "");
    insta::assert_snapshot!("imported_pack", texts(&out));
    assert_eq!(said(0, &["validate", folder, "--strict"])[0], "the pack is sound\n");
    assert!(said(0, &["test", folder])[0].contains("failed cases 0"));
    assert_eq!(fs::read_dir(scene.path()).unwrap().count(), 1, "nothing else is left behind");
}

#[test]
fn an_exported_pipeline_maps_routes_filters_and_fails_on_the_rest() {
    let [stdout, stderr] = said(0, &["export", PACK, "--pysigma"]);
    insta::assert_snapshot!("export", stdout);
    insta::assert_snapshot!("export_findings", stderr);
    let scene = tempfile::tempdir().unwrap();
    let out = scene.path().join("pipeline.yml");
    let arguments = ["export", PACK, "--pysigma", "--out", out.to_str().unwrap(), "--format", "json"];
    let report: Value = serde_json::from_str(&said(0, &arguments)[0]).unwrap();
    assert_eq!(fs::read_to_string(&out).unwrap(), stdout);
    let findings = report["not_carried"].as_array().unwrap();
    assert_eq!(findings.len(), stderr.lines().count() - 1);
    assert!(findings.iter().all(|finding| finding["line"].as_u64() > Some(0)));
}

#[test]
fn raw_fields_are_exported_where_they_are_permitted() {
    let with = said(0, &["export", PACK, "--pysigma", "--raw-fallback"])[0].clone();
    assert!(with.contains("OriginalFileName: ocsf::raw.OriginalFileName"));
    let without = said(0, &["export", PACK, "--pysigma"])[0].clone();
    assert!(!without.contains("ocsf::raw."));
}

/// Scope and field → its path, or its paths; each where it is nothing but names.
fn names(pack: &Pack, logsources: &[&str]) -> BTreeMap<(String, String), BTreeSet<String>> {
    let mut names = BTreeMap::new();
    let scopes = pack.aliases.iter().filter(|(scope, _)| logsources.contains(&scope.to_string().as_str()));
    for (scope, fields) in scopes {
        for (field, alias) in fields.iter().flat_map(|(field, all)| all.iter().map(move |a| (field, a))) {
            let is_names = match &alias.target {
                Target::Path(_) => true,
                Target::AnyOf(parts) => parts.iter().all(|part| matches!(part, Target::Path(_))),
                Target::Expr(_) | Target::PerClass(_) => false,
            };
            if is_names && alias.values.is_empty() {
                let paths = alias.target.columns().iter().map(|column| column.path.to_string()).collect();
                names.insert((scope.to_string(), field.0.clone()), paths);
            }
        }
    }
    names
}

#[test]
fn what_goes_out_comes_back() {
    let scene = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| scene.path().join(name));
    said(0, &["import", PIPELINE, "--out", first.to_str().unwrap()]);
    let pipeline = scene.path().join("pipeline.yml");
    let out = pipeline.to_str().unwrap();
    said(0, &["export", first.to_str().unwrap(), "--pysigma", "--raw-fallback", "--out", out]);
    said(0, &["import", out, "--out", second.to_str().unwrap()]);
    let [before, after] = [load(&first), load(&second)];
    let logsources = ["process_creation/windows", "network_connection/windows", "*"];
    let [names_before, names_after] = [&before, &after].map(|pack| names(pack, &logsources));
    assert!(names_before.len() >= 8, "{names_before:?}");
    assert_eq!(names_before, names_after);
    let routes = |pack: &Pack| -> Vec<_> {
        let of =
            |route: &pack::Route| (route.category.clone(), route.class_uids.clone(), route.filters.clone());
        pack.routes.iter().map(of).collect()
    };
    assert_eq!(routes(&before), routes(&after));
    assert_eq!(before.manifest.placeholders, after.manifest.placeholders);
}

#[test]
fn what_no_pipeline_is_leaves_nothing_behind() {
    let scene = tempfile::tempdir().unwrap();
    let out = scene.path().join("out");
    let out = out.to_str().unwrap();
    let [stdout, stderr] = said(2, &["import", "fixtures/pysigma/broken.yml", "--out", out]);
    assert_eq!(stdout, "");
    insta::assert_snapshot!("import_broken", stderr);
    for arguments in [
        &["import", "no-such-file.yml", "--out", out][..],
        &["import", "fixtures", "--out", out],
        &["import", PIPELINE, "--out", PACK],
        &["import", PIPELINE, "--out", ".."],
        &["import", PIPELINE],
        &["export", "no-such-pack", "--pysigma"],
        &["export", PACK],
    ] {
        said(2, arguments);
    }
    said(1, &["import", PIPELINE, "--strict", "--out", out]);
    assert_eq!(fs::read_dir(scene.path()).unwrap().count(), 0);
}

fn import(text: &str) -> Result<pysigma::Imported, pysigma::ImportError> {
    pysigma::import(text, Path::new("pipeline.yml"), "own")
}

#[test]
fn hostile_pipelines_are_refused_or_harmless() {
    let many: String = (0..200)
        .map(|n| format!("  - {{type: rule_failure, message: m, rule_conditions: [{{type: logsource, category: c{n}}}, {{type: logsource, product: p{n}}}, {{type: logsource, service: s{n}}}]}}\n"))
        .collect();
    let deep = format!("transformations: {}", "[{type: nest, items: ".repeat(200));
    for text in [
        "",
        "- a",
        "a: b",
        "transformations: x",
        "transformations: [x]",
        "--- {}\n--- {}",
        "transformations: [{type: field_name_mapping}]",
        "transformations: [{type: field_name_mapping, mapping: {a: {b: c}}}]",
        &format!("transformations:\n{many}"),
        &deep,
    ] {
        let error = import(text).unwrap_err();
        assert!(error.findings.iter().all(|finding| finding.code.name == "pysigma_syntax"), "{text:.60}");
    }
    let routed = |mapping: &str, more: &str| {
        format!(
            "name: \"a`\\e[31m|b\"\ntransformations:\n  - {{type: field_name_mapping, mapping: {{{mapping}}}}}\n{more}  \
             - {{type: add_condition, conditions: {{class_uid: 1007}}, rule_conditions: [{{type: logsource, \
             category: '../x', product: '/etc/passwd'}}]}}\n"
        )
    };
    let pattern = "  - {type: case, field_name_conditions: [{type: include_fields, mode: re, fields: ['(a{1,1000}){1,1000}']}]}\n";
    for text in [
        routed("Image: process.file.path", ""),
        routed("\"a\\e[31m\": \"process.file.path\\e[2J\"", ""),
        routed("Image: [], User: process.user.name", ""),
        routed("Image: process.file.path", pattern),
        routed("'Image|re': process.file.path", ""),
    ] {
        let imported = import(&text).unwrap();
        let inside = |path: &PathBuf| !path.is_absolute() && !path.to_string_lossy().contains("..");
        assert!(imported.files.keys().all(inside), "{:?}", imported.files.keys());
        assert!(imported.files["README.md".as_ref() as &Path].chars().all(|c| c == '\n' || !c.is_control()));
        let loaded = pack::load(&PackSource::Texts(imported.files));
        assert!(imported.routes == 0 || loaded.is_ok(), "{:?}\n{text}", loaded.err());
    }
}

#[test]
fn a_transformation_of_all_values_leaves_all_fields_out() {
    let pipeline = "transformations:
  - {type: field_name_mapping, mapping: {Image: process.file.path}}
  - {type: replace_string, regex: a, replacement: b}
  - {type: add_condition, conditions: {class_uid: 1007}, rule_conditions: [{type: logsource, category: process_creation}]}
";
    let imported = import(pipeline).unwrap();
    assert_eq!((imported.routes, imported.aliases), (1, 0));
    assert_eq!(imported.findings.len(), 1, "{:?}", imported.findings);
}

#[test]
fn conditions_by_state_item_and_changed_log_source_are_followed() {
    let pipeline = "transformations:
  - {type: set_state, key: k, val: 1, rule_conditions: [{type: logsource, category: process_creation}]}
  - {type: nest, items: [{id: n, type: field_name_mapping, mapping: {Image: x}}]}
  - {type: field_name_prefix_mapping, mapping: {x: process.file.path}, field_name_conditions: [{type: processing_item_applied, processing_item_id: n}]}
  - {type: change_logsource, service: sysmon, rule_conditions: [{type: processing_state, key: k, val: 1}]}
  - {type: add_condition, conditions: {class_uid: 1007}, rule_conditions: [{type: logsource, service: sysmon}]}
  - {type: rule_failure, message: m, rule_cond_not: true, rule_conditions: [{type: processing_state, key: k, val: 1}]}
";
    let imported = import(pipeline).unwrap();
    assert_eq!((imported.routes, imported.aliases), (1, 1), "{:?}", imported.findings);
    let aliases = &imported.files["aliases/process_creation.yaml".as_ref() as &Path];
    assert!(aliases.contains("Image: process.file.path"), "{aliases}");
}

#[test]
fn the_same_pack_gives_the_same_pipeline() {
    let pack = load(&Path::new(env!("CARGO_MANIFEST_DIR")).join(PACK));
    let export = || pysigma::export(&pack, &Settings::default()).text;
    assert_eq!(export(), export());
}
