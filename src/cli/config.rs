//! `--config FILE`: the keys of a run's configuration that are this program's. Flags win over it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::backend::BackendId;
use crate::bundle::FailMode;
use crate::sigma::yaml::{self, MAX_BYTES};
use crate::sigma::{Problem, Span};

/// What the file says, as far as it does.
#[derive(Clone, Debug, Default)]
pub(super) struct Config {
    pub(super) rule_paths: Vec<PathBuf>,
    pub(super) backend: Option<BackendId>,
    pub(super) mapping_pack: Option<String>,
    pub(super) mapping_pack_version: Option<String>,
    pub(super) raw_fallback_enabled: Option<bool>,
    pub(super) fail_mode: FailMode,
    pub(super) compile_cache_dir: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    detection: Detection,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Detection {
    sigma: Sigma,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Sigma {
    rule_paths: Vec<PathBuf>,
    bridge: Bridge,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Bridge {
    backend: Option<Backend>,
    mapping_pack: Option<String>,
    mapping_pack_version: Option<String>,
    raw_fallback_enabled: Option<bool>,
    fail_mode: FailMode,
    compile_cache_dir: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Backend {
    DuckdbSql,
    Interpreter,
    SparkSql,
}

/// Reads the file that `--config` names. What is wrong with it is said with its place.
pub(super) fn read(path: &str) -> Result<Config, String> {
    let path = Path::new(path);
    let text = text(path).map_err(|error| format!("it cannot be read: {error}"))?;
    let file = parse(&text).map_err(|problem| {
        let help = problem.help.map_or(String::new(), |help| format!(" ({help})"));
        format!("{}:{}: {}{help}", path.display(), problem.span.start, problem.message)
    })?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let Sigma { rule_paths, bridge } = file.detection.sigma;
    Ok(Config {
        rule_paths: rule_paths.into_iter().map(|rules| folder.join(rules)).collect(),
        backend: bridge.backend.map(|backend| match backend {
            Backend::DuckdbSql => BackendId::DuckdbSql,
            Backend::Interpreter => BackendId::Interpreter,
            Backend::SparkSql => BackendId::SparkSql,
        }),
        mapping_pack: bridge.mapping_pack.map(|pack| beside(folder, pack)),
        mapping_pack_version: bridge.mapping_pack_version,
        raw_fallback_enabled: bridge.raw_fallback_enabled,
        fail_mode: bridge.fail_mode,
        compile_cache_dir: bridge.compile_cache_dir,
    })
}

/// Paths are told from the file's folder, as long as there is something; anything else is the id of a pack.
fn beside(folder: &Path, pack: String) -> String {
    let path = folder.join(&pack);
    if path.is_dir() { path.to_string_lossy().into_owned() } else { pack }
}

fn text(path: &Path) -> Result<String, std::io::Error> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    if metadata.len() > MAX_BYTES as u64 {
        return Err(std::io::Error::other("it is larger than a configuration can be"));
    }
    fs::read_to_string(path)
}

fn parse(text: &str) -> Result<File, Problem> {
    let documents = yaml::parse(text)?;
    match documents.as_slice() {
        [] => Ok(File::default()),
        [document] if document.is_null() => Ok(File::default()),
        [document] => yaml::from_node(document),
        [_, second, ..] => Err(several(second.span)),
    }
}

fn several(span: Span) -> Problem {
    Problem::new(
        crate::sigma::ProblemKind::Parse,
        span,
        "the file has several YAML documents, where one is expected",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn written(text: &str) -> Result<Config, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run.yaml");
        fs::write(&file, text).unwrap();
        read(file.to_str().unwrap())
    }

    #[test]
    fn every_key_is_read() {
        let config = written(
            "detection:\n  sigma:\n    rule_paths: [rules, more.yml]\n    bridge:\n      backend: interpreter\n      \
             mapping_pack: ocsf-1.7.0\n      mapping_pack_version: '1.2.0'\n      raw_fallback_enabled: false\n      \
             fail_mode: fail_closed\n      compile_cache_dir: cache\n",
        )
        .unwrap();
        assert!(config.rule_paths[0].ends_with("rules") && config.rule_paths[0].is_absolute());
        assert_eq!(config.backend, Some(BackendId::Interpreter));
        assert_eq!(config.mapping_pack.as_deref(), Some("ocsf-1.7.0"));
        assert_eq!(config.mapping_pack_version.as_deref(), Some("1.2.0"));
        assert_eq!(config.raw_fallback_enabled, Some(false));
        assert_eq!(config.compile_cache_dir.as_deref(), Some("cache"));
        assert!(written("").is_ok() && written("detection: {}\n").is_ok());
    }

    #[test]
    fn what_it_does_not_know_is_refused_where_it_stands() {
        for (text, place) in [
            ("detection:\n  sigma:\n    bridge:\n      mapping_pak: x\n", ":4:7: "),
            ("telemetry: {}\n", ":1:1: "),
            ("detection:\n  sigma:\n    bridge: {backend: tenzir}\n", ":3:23: "),
            ("detection:\n  sigma:\n    bridge: {fail_mode: open}\n", ":3:25: "),
            ("detection:\n  sigma:\n    bridge: {raw_fallback_enabled: 'yes'}\n", ":3:36: "),
            ("a: [", ":1:"),
            ("detection: {}\n---\na: 1\n", ":3:1: "),
        ] {
            let said = written(text).unwrap_err();
            assert!(said.contains(place), "{text:?}: {said}");
        }
        assert!(read("/nowhere/run.yaml").unwrap_err().contains("cannot be read"));
    }
}
