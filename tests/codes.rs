//! The diagnostic codes: each explained in the same style, and each raised by a fixture that shows when.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sigma_ocsf_tui::backend::{self, BackendId, CompiledRule, spark_sql};
use sigma_ocsf_tui::bridge::{self, Code, Diagnostic, Settings};
use sigma_ocsf_tui::evaluate::{self, Cancel};
use sigma_ocsf_tui::ocsf::OCSF_VERSION;
use sigma_ocsf_tui::pack::{self, DEFAULT_PACK, Pack, PackSource};
use sigma_ocsf_tui::pysigma;
use sigma_ocsf_tui::sigma::{self, Capability, Rule};
use sigma_ocsf_tui::store::{Dataset, SessionSettings, Store};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn all_codes() -> Vec<&'static Code> {
    let mut codes = bridge::codes();
    codes.extend(pack::CODES);
    codes.extend(pysigma::CODES);
    codes.extend(spark_sql::CODES);
    codes.extend(evaluate::codes());
    codes
}

#[test]
fn names_are_stable_words_and_stand_once() {
    let mut seen = BTreeSet::new();
    for code in all_codes() {
        assert!(seen.insert(code.name), "two codes are named {}", code.name);
        let word = |word: &str| {
            !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        };
        assert!(code.name.split('_').all(word), "{} is not snake_case", code.name);
    }
}

#[test]
fn summaries_are_phrases_and_explanations_sentences() {
    const NAMES: [&str; 4] = ["DuckDB ", "OCSF ", "Sigma ", "Spark "];
    for code in all_codes() {
        let Code { name, summary, explanation, .. } = code;
        let begins =
            summary.starts_with(|c: char| !c.is_uppercase()) || NAMES.iter().any(|n| summary.starts_with(n));
        assert!(begins && !summary.ends_with('.'), "{name}: {summary}");
        assert!(summary.chars().count() <= 90, "{name}: the summary is longer than a line");
        assert!(explanation.ends_with('.') && !explanation.contains("  "), "{name}: {explanation}");
    }
}

#[test]
fn every_code_has_a_fixture() {
    let mut raised = BTreeSet::new();
    raised.extend(of_rules());
    raised.extend(of_packs());
    raised.extend(of_spark());
    raised.extend(of_data());
    raised.extend(of_pipelines());
    let lacking: Vec<&str> =
        all_codes().iter().map(|code| code.name).filter(|name| !raised.contains(name)).collect();
    assert!(lacking.is_empty(), "no fixture raises {lacking:?}");
}

/// What compiling the fixture rules finds, in every way that there is to compile them.
fn of_rules() -> BTreeSet<&'static str> {
    let shipped = load(&PackSource::Embedded(DEFAULT_PACK.to_owned()));
    let everything = Settings { capabilities: BTreeSet::from(Capability::ALL), raw_fallback: true };
    let paths = [fixtures().join("rules"), fixtures().join("rules/missing.yml")];
    let rules: Vec<Arc<Rule>> = sigma::load(&paths).into_iter().map(Arc::new).collect();
    let mut compiled = backend::compile(&rules, &shipped, &Settings::default());
    compiled.extend(backend::compile(&rules, &shipped, &everything));
    for own in ["ambiguous", "pitfalls"] {
        let pack = load(&PackSource::Folder(fixtures().join("packs").join(own)));
        compiled.extend(backend::compile(&rules, &pack, &everything));
    }
    names(compiled.iter().flat_map(|rule| &rule.compilation.diagnostics))
}

/// What compiling for Spark finds beside.
fn of_spark() -> BTreeSet<&'static str> {
    let paths = [fixtures().join("spark/rules")];
    let rules: Vec<Arc<Rule>> = sigma::load(&paths).into_iter().map(Arc::new).collect();
    let pack = load(&PackSource::Folder(fixtures().join("spark/pack")));
    let compiled = backend::compile_for(BackendId::SparkSql, &rules, &pack, &Settings::default());
    names(compiled.iter().flat_map(|rule| &rule.compilation.diagnostics))
}

fn load(source: &PackSource) -> Pack {
    pack::load(source).expect("the pack loads").pack
}

fn names<'a>(findings: impl IntoIterator<Item = &'a Diagnostic>) -> BTreeSet<&'static str> {
    findings.into_iter().map(|finding| finding.code.name).collect()
}

/// What loading the broken packs finds. Each is named after the one fault that it has.
fn of_packs() -> BTreeSet<&'static str> {
    let unknown = PackSource::find("no-such-pack", &fixtures()).expect_err("there is none");
    let mut found = names(&unknown.findings);
    let no_archive = PackSource::Archive(fixtures().join("packs/answers/pack.yaml"));
    found.extend(names(&pack::load(&no_archive).expect_err("it is none").findings));
    for folder in fs::read_dir(fixtures().join("packs/broken")).expect("it is there") {
        let folder = folder.expect("it can be read").path();
        let source = PackSource::Folder(folder.clone());
        let mut findings = match pack::load(&source) {
            Ok(loaded) => loaded.warnings,
            Err(error) => [error.findings, error.warnings].concat(),
        };
        findings.extend(pack::cases(&source).err().into_iter().flat_map(|error| error.findings));
        let codes = names(&findings);
        let name = folder.file_name().expect("a folder has a name").to_string_lossy().into_owned();
        assert_eq!(codes.iter().copied().collect::<Vec<_>>(), [name]);
        found.extend(codes);
    }
    found
}

/// What becoming a pack, or a pipeline of pySigma, finds.
fn of_pipelines() -> BTreeSet<&'static str> {
    let folder = fixtures().join("pysigma");
    let mut found = BTreeSet::new();
    for file in ["ocsf.yml", "broken.yml"] {
        let path = folder.join(file);
        let text = fs::read_to_string(&path).expect("it can be read");
        found.extend(match pysigma::import(&text, &path, "own") {
            Ok(imported) => names(&imported.findings),
            Err(error) => names(&error.findings),
        });
    }
    let pack = load(&PackSource::Folder(folder.join("pack")));
    found.extend(names(&pysigma::export(&pack, &Settings::default()).findings));
    found
}

/// What running a sound rule finds over events that are at fault, or with SQL that is.
fn of_data() -> BTreeSet<&'static str> {
    let event = "SELECT 1007::INTEGER AS class_uid, 5::BIGINT AS \"time\"";
    let (_folder, mut sound) = dataset(event);
    let (_other, mut typed) = dataset(&format!("{event}, 7 AS \"process.file.path\""));
    let (folder, mut gone) = dataset(event);
    fs::remove_file(folder.path().join("events.parquet")).expect("it is there");
    let rule = rule();
    let mut nonsense = rule.clone();
    let sql = nonsense.sql.as_mut().expect("it has a plan");
    sql.predicate = "no_such_function()".to_owned();
    let (_third, mut older) = dataset(&format!("{event}, '1.1.0' AS \"metadata.version\""));
    let mismatch = evaluate::version_mismatch(&mut older, OCSF_VERSION, &Cancel::never());
    let mismatch = mismatch.expect("it can be read").expect("it is of another version").code.name;
    [mismatch, fault(&mut typed, &rule), fault(&mut gone, &rule), fault(&mut sound, &nonsense)].into()
}

fn rule() -> CompiledRule {
    let pack = load(&PackSource::Embedded(DEFAULT_PACK.to_owned()));
    let rule = sigma::load_file(&fixtures().join("rules/refused/duplicate_id_first.yml")).remove(0);
    backend::compile(&[Arc::new(rule)], &pack, &Settings::default()).remove(0)
}

fn dataset(select: &str) -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("events.parquet").display().to_string().replace('\'', "''");
    let connection = duckdb::Connection::open_in_memory().expect("DuckDB starts");
    connection
        .execute_batch(&format!("COPY ({select}) TO '{file}' (FORMAT parquet)"))
        .expect("it can be written");
    let dataset = Dataset::discover(folder.path()).expect("the events are there");
    let store = Store::open(dataset, SessionSettings { threads: 1 }).expect("the events can be read");
    (folder, store)
}

fn fault(store: &mut Store, rule: &CompiledRule) -> &'static str {
    let (plan, sql) = (rule.compilation.plan.as_ref(), rule.sql.as_ref());
    let pair = (plan.expect("it has a plan"), sql.expect("it has SQL"));
    let error = evaluate::summaries(store, &[pair], &Cancel::never()).remove(0).expect_err("it cannot run");
    error.diagnostic(Path::new("rule.yml"), rule.compilation.rule.span).code.name
}
