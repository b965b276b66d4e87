//! `--config FILE`: what it says holds, flags win over it, and the plans record what was in force.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{EVENTS, ended, json, place, plans};

const CALL_TRACE: &str = "fixtures/rules/windows/process_access";

/// A configuration file in `folder` with these lines under `detection.sigma.bridge`.
fn config(folder: &Path, bridge: &str) -> PathBuf {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join(CALL_TRACE);
    let file = folder.join("run.yaml");
    let text =
        format!("detection:\n  sigma:\n    rule_paths: ['{}']\n    bridge:\n{bridge}", rules.display());
    fs::write(&file, text).unwrap();
    file
}

fn settings(out: &Path) -> Value {
    let plan = plans(out).into_values().next().unwrap();
    assert_eq!(plan["backend"]["settings"], json(out.join("bundle.json"))["settings"]);
    plan["backend"]["settings"].clone()
}

fn ran(folder: &Path, file: &Path, more: &[&str]) -> PathBuf {
    let out = folder.join("out");
    let (file, target) = (file.to_str().unwrap(), out.to_str().unwrap());
    ended(0, &[&["run", "--config", file, "--parquet", EVENTS, "--out", target, "--force"], more].concat());
    out
}

#[test]
fn the_effective_values_are_in_the_plans() {
    let (folder, _) = place();
    let text = "      raw_fallback_enabled: true\n      compile_cache_dir: cache\n      mapping_pack_version: '0.2.0'\n";
    let version = json(
        ran(folder.path(), &config(folder.path(), "      fail_mode: fail_closed\n"), &[]).join("bundle.json"),
    );
    let version = version["mapping_pack"]["version"].as_str().unwrap();
    let file = config(folder.path(), &text.replace("0.2.0", version));
    let out = ran(folder.path(), &file, &[]);
    let found = settings(&out);
    assert_eq!(found["raw_fallback_enabled"], true);
    assert_eq!(found["fail_mode"], "fail_closed");
    assert_eq!(found["compile_cache_dir"], "cache");
    assert!(plans(&out).values().all(|plan| plan["executable"] == true));
    ended(0, &["verify", out.to_str().unwrap(), "--parquet", EVENTS, "--rules", CALL_TRACE]);
}

/// A pack whose policy permits `raw.*`: the configuration takes it away, and a flag gives it back.
#[test]
fn the_configuration_decides_on_fallback_and_flags_win() {
    let (folder, _) = place();
    let pack = folder.path().join("pack");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("mapping_packs/ocsf-1.7.0");
    for entry in walkdir::WalkDir::new(&shipped).into_iter().map(Result::unwrap) {
        let target = pack.join(entry.path().strip_prefix(&shipped).unwrap());
        match entry.file_type().is_dir() {
            true => fs::create_dir_all(target).unwrap(),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
    let manifest = fs::read_to_string(pack.join("pack.yaml")).unwrap();
    assert!(manifest.contains("enabled: false"), "{manifest}");
    fs::write(pack.join("pack.yaml"), manifest.replace("enabled: false", "enabled: true")).unwrap();
    // Told from the file's folder.
    let permitted = config(folder.path(), "      mapping_pack: pack\n");
    let out = ran(folder.path(), &permitted, &[]);
    assert_eq!(settings(&out)["raw_fallback_enabled"], true);
    let denied = config(folder.path(), "      mapping_pack: pack\n      raw_fallback_enabled: false\n");
    let out = ran(folder.path(), &denied, &[]);
    assert_eq!(settings(&out)["raw_fallback_enabled"], false);
    let reasons = |out: &Path| {
        plans(out).into_values().map(|plan| plan["non_executable"]["reason_code"].clone()).collect::<Vec<_>>()
    };
    assert!(reasons(&out).iter().all(|reason| reason == "raw_fallback_disabled"));
    let path = out.to_str().unwrap();
    ended(0, &["verify", path, "--rules", CALL_TRACE, "--pack", pack.to_str().unwrap()]);
    let out = ran(folder.path(), &denied, &["--raw-fallback"]);
    assert!(reasons(&out).iter().all(Value::is_null));
}

#[test]
fn rules_and_pack_on_the_command_line_win() {
    let (folder, _) = place();
    let file = config(folder.path(), "      mapping_pack: nowhere\n      mapping_pack_version: '99'\n");
    let path = file.to_str().unwrap();
    let (_, said) = ended(2, &["check", "--config", path]);
    assert!(said.contains("there is no mapping pack `nowhere`"), "{said}");
    let rule = "fixtures/rules/windows/process_creation/office_starts_shell.yml";
    let (printed, _) = ended(0, &["check", rule, "--config", path, "--pack", "ocsf-1.7.0"]);
    assert!(printed.contains("1 rules"), "{printed}");
    let file = config(folder.path(), "      mapping_pack_version: '99'\n");
    let (_, said) = ended(2, &["check", "--config", file.to_str().unwrap()]);
    assert!(said.contains("the configuration asks for 99"), "{said}");
}

#[test]
fn the_backend_is_chosen_and_a_flag_wins() {
    let (folder, _) = place();
    let file = config(folder.path(), "      backend: interpreter\n      raw_fallback_enabled: true\n");
    ended(0, &["check", "--config", file.to_str().unwrap(), "--parquet", EVENTS]);
    let backend = |out: &Path| json(out.join("bundle.json"))["backend"].clone();
    assert_eq!(backend(&ran(folder.path(), &file, &[])), "interpreter");
    assert_eq!(backend(&ran(folder.path(), &file, &["--backend", "duckdb_sql"])), "duckdb_sql");
    let file = config(folder.path(), "      backend: tenzir\n");
    let (_, said) = ended(2, &["check", "--config", file.to_str().unwrap()]);
    assert!(said.contains("run.yaml:5:16: ") && said.contains("tenzir"), "{said}");
}
