//! A release of a pack: what it has to be before, and what its files say then.
//!
//! `CHANGELOG.md` has a heading for each release, newest first, that names the pack's hash:
//! `## 1.2.0 — 2026-03-01 — sha256:…`. What comes next is gathered under `## Unreleased`.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::civil::Date;

use super::{CasesError, Suite, run_cases};
use crate::bridge::Diagnostic;
use crate::pack::{self, PackError, PackSource};
use crate::sigma::Span;
use crate::sigma::yaml;

/// Which part of the version goes up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bump {
    /// Rules that ran may be refused, or match otherwise.
    Major,
    /// More rules run.
    Minor,
    /// The same rules run, better.
    Patch,
}

/// A release, not yet written.
#[derive(Clone, Debug)]
pub struct Release {
    /// The new version.
    pub version: String,
    /// The hash of the pack at that version.
    pub sha256: String,
    /// Whether the pack means something else than at the last release; true for the first one.
    pub changed: bool,
    files: [(PathBuf, String); 2],
}

/// Why there is no release.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The pack does not load.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The pack loads with findings.
    #[error("the pack has {} warnings; `pack validate --strict` shows them", .0.len())]
    Warnings(Vec<Diagnostic>),
    /// Its tests do not run.
    #[error(transparent)]
    Cases(#[from] CasesError),
    /// Its tests fail, or leave something out.
    #[error(
        "failed cases: {failed}; routes and aliases without a case: {untested}; `pack test --complete` shows them"
    )]
    Tests {
        /// Cases that fail.
        failed: usize,
        /// Routes and aliases that no case exercises.
        untested: usize,
    },
    /// The version is not of the form that is counted up.
    #[error("the version `{0}` is not major.minor.patch")]
    Version(String),
    /// The changes are not written down.
    #[error("{path}: the pack has changed since its last release, and nothing stands under `## Unreleased`")]
    Unwritten {
        /// The change log.
        path: PathBuf,
    },
    /// The last release is not the version that pack.yaml has.
    #[error(
        "{path}: the last release is {released}, and pack.yaml has {version}; the release sets the version"
    )]
    Ahead {
        /// The change log.
        path: PathBuf,
        /// The version of its newest release.
        released: String,
        /// That of pack.yaml.
        version: String,
    },
    /// A file cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// Checks a pack, and makes what its files say as the next version.
///
/// # Errors
/// The pack has findings, a test fails or leaves something out, or the changes are not written down.
pub fn plan_release(folder: &Path, bump: Bump, date: Option<Date>) -> Result<Release, ReleaseError> {
    let source = PackSource::Folder(folder.to_owned());
    let loaded = pack::load(&source)?;
    if !loaded.warnings.is_empty() {
        return Err(ReleaseError::Warnings(loaded.warnings));
    }
    tested(&source)?;
    let (manifest, log) = (folder.join("pack.yaml"), folder.join("CHANGELOG.md"));
    let log_text = read_or_empty(&log)?;
    let version = &loaded.pack.manifest.version;
    let next = bumped(version, bump).ok_or_else(|| ReleaseError::Version(version.clone()))?;
    let last = last_release(&log_text);
    if let Some(last) = last.filter(|last| last.version != *version) {
        let (path, released) = (log, last.version.to_owned());
        return Err(ReleaseError::Ahead { path, released, version: version.clone() });
    }
    let changed = last.and_then(|last| last.sha256) != Some(&loaded.pack.sha256);
    if changed && unreleased(&log_text).trim().is_empty() {
        return Err(ReleaseError::Unwritten { path: log });
    }
    let sha256 = pack::sha256_at_version(&loaded.pack, &next);
    let text = read(&manifest)?;
    let manifest_text = with_version(&text, &next).ok_or_else(|| ReleaseError::Version(version.clone()))?;
    let released = released(&log_text, &heading(&next, date, &sha256));
    Ok(Release { version: next, sha256, changed, files: [(manifest, manifest_text), (log, released)] })
}

impl Release {
    /// Writes both files, or neither.
    ///
    /// # Errors
    /// One of them cannot be written; then neither is.
    pub fn write(&self) -> Result<(), ReleaseError> {
        let [manifest, log] = &self.files;
        let before = read(&manifest.0)?;
        let beside = [beside(manifest)?, beside(log)?];
        let [new_manifest, new_log] = beside;
        let failed = |path: &Path, error: io::Error| ReleaseError::File { path: path.to_owned(), error };
        new_manifest.persist(&manifest.0).map_err(|error| failed(&manifest.0, error.error))?;
        if let Err(error) = new_log.persist(&log.0) {
            self::beside(&(manifest.0.clone(), before))?
                .persist(&manifest.0)
                .map_err(|error| failed(&manifest.0, error.error))?;
            return Err(failed(&log.0, error.error));
        }
        Ok(())
    }
}

/// A file beside another, with its text to be.
fn beside((path, text): &(PathBuf, String)) -> Result<tempfile::NamedTempFile, ReleaseError> {
    let made = || {
        let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
        if let Ok(metadata) = fs::metadata(path) {
            file.as_file().set_permissions(metadata.permissions())?;
        }
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        Ok(file)
    };
    made().map_err(|error| ReleaseError::File { path: path.clone(), error })
}

fn tested(source: &PackSource) -> Result<(), ReleaseError> {
    let run = run_cases(source)?;
    let (failed, untested) = (run.suites.iter().map(Suite::failed).sum(), run.untested.len());
    match (failed, untested) {
        (0, 0) => Ok(()),
        _ => Err(ReleaseError::Tests { failed, untested }),
    }
}

fn read(path: &Path) -> Result<String, ReleaseError> {
    fs::read_to_string(path).map_err(|error| ReleaseError::File { path: path.to_owned(), error })
}

fn read_or_empty(path: &Path) -> Result<String, ReleaseError> {
    match read(path) {
        Err(ReleaseError::File { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
            Ok("# Changes\n".to_owned())
        }
        text => text,
    }
}

fn bumped(version: &str, bump: Bump) -> Option<String> {
    let parts: Vec<u64> = version.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [major, minor, patch] = <[u64; 3]>::try_from(parts).ok()?;
    let (major, minor, patch) = match bump {
        Bump::Major => (major.checked_add(1)?, 0, 0),
        Bump::Minor => (major, minor.checked_add(1)?, 0),
        Bump::Patch => (major, minor, patch.checked_add(1)?),
    };
    Some(format!("{major}.{minor}.{patch}"))
}

/// pack.yaml with another version and all else as it is.
fn with_version(text: &str, version: &str) -> Option<String> {
    let document = yaml::parse(text).ok()?.into_iter().next()?;
    let Span { start, end } = document.get("version")?.span;
    Some(format!("{}{version}{}", text.get(..start.offset)?, text.get(end.offset..)?))
}

/// A release that a change log names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Released<'t> {
    version: &'t str,
    sha256: Option<&'t str>,
}

const UNRELEASED: &str = "## Unreleased";

/// The newest release of a change log.
fn last_release(log: &str) -> Option<Released<'_>> {
    let heading =
        log.lines().filter_map(|line| line.strip_prefix("## ")).find(|name| name.trim() != "Unreleased")?;
    let mut parts = heading.split_whitespace();
    let version = parts.next()?;
    Some(Released { version, sha256: parts.find_map(|part| part.strip_prefix("sha256:")) })
}

/// What stands under `## Unreleased`.
fn unreleased(log: &str) -> String {
    let below = log.lines().skip_while(|line| line.trim_end() != UNRELEASED).skip(1);
    below.take_while(|line| !line.starts_with("## ")).collect::<Vec<_>>().join("\n")
}

fn heading(version: &str, date: Option<Date>, sha256: &str) -> String {
    let date = date.map(|date| format!(" — {date}")).unwrap_or_default();
    format!("## {version}{date} — sha256:{sha256}")
}

/// The change log with what was unreleased under its heading; with a heading of nothing where there was none.
fn released(log: &str, heading: &str) -> String {
    let mut lines: Vec<&str> = log.lines().collect();
    let unreleased = lines.iter().position(|line| line.trim_end() == UNRELEASED);
    match unreleased {
        Some(at) => drop(lines.splice(at..=at, [UNRELEASED, "", heading])),
        None => {
            let at = lines.iter().position(|line| line.starts_with("## ")).unwrap_or(lines.len());
            let nothing = [UNRELEASED, "", heading, "", "- The same routes and aliases.", ""];
            drop(lines.splice(at..at, nothing));
        }
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::authoring::scaffold;

    fn begun() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let pack = folder.path().join("mine");
        scaffold(&pack, &[]).unwrap();
        (folder, pack)
    }

    fn file(pack: &Path, name: &str) -> String {
        fs::read_to_string(pack.join(name)).unwrap()
    }

    fn edit(pack: &Path, name: &str, from: &str, to: &str) {
        let text = file(pack, name);
        assert!(text.contains(from), "{text}");
        fs::write(pack.join(name), text.replace(from, to)).unwrap();
    }

    #[test]
    fn a_release_sets_the_version_and_names_the_hash_that_the_pack_has_then() {
        let (_folder, pack) = begun();
        let release = plan_release(&pack, Bump::Minor, Some("2026-03-01".parse().unwrap())).unwrap();
        assert!(file(&pack, "pack.yaml").contains("version: 0.0.0  #"), "nothing is written yet");
        release.write().unwrap();
        assert!(file(&pack, "pack.yaml").contains("version: 0.1.0  # `pack release` sets it\n"));
        let loaded = pack::load(&PackSource::Folder(pack.clone())).unwrap().pack;
        assert_eq!((loaded.manifest.version.as_str(), &loaded.sha256), ("0.1.0", &release.sha256));
        let expected = format!(
            "# Changes\n\n## Unreleased\n\n## 0.1.0 — 2026-03-01 — sha256:{}\n\n- First routes and aliases.\n",
            release.sha256
        );
        assert_eq!(file(&pack, "CHANGELOG.md"), expected);
    }

    #[test]
    fn a_change_has_to_be_written_down_and_no_change_need_not() {
        let (_folder, pack) = begun();
        plan_release(&pack, Bump::Minor, None).unwrap().write().unwrap();
        let same = plan_release(&pack, Bump::Patch, None).unwrap();
        assert!(!same.changed);
        edit(&pack, "routes.yaml", "value: windows-sysmon", "value: windows-other");
        edit(&pack, "tests/process.yaml", "windows-sysmon", "windows-other");
        let unwritten = plan_release(&pack, Bump::Patch, None);
        assert!(matches!(unwritten, Err(ReleaseError::Unwritten { .. })));
        edit(&pack, "CHANGELOG.md", "## Unreleased\n", "## Unreleased\n\n- Another source.\n");
        let release = plan_release(&pack, Bump::Major, None).unwrap();
        assert_eq!((release.version.as_str(), release.changed), ("1.0.0", true));
    }

    #[test]
    fn what_is_not_sound_or_not_tested_is_not_released() {
        let (_folder, pack) = begun();
        edit(&pack, "tests/process.yaml", "windows-sysmon", "windows-other");
        assert!(matches!(plan_release(&pack, Bump::Patch, None), Err(ReleaseError::Tests { failed: 1, .. })));
        fs::remove_file(pack.join("tests/process.yaml")).unwrap();
        let untested = plan_release(&pack, Bump::Patch, None);
        assert!(matches!(untested, Err(ReleaseError::Tests { failed: 0, untested: 2 })));
        edit(&pack, "pack.yaml", "version: 0.0.0", "version: next");
        assert!(plan_release(&pack, Bump::Patch, None).is_err());
        edit(&pack, "routes.yaml", "1007", "1");
        assert!(matches!(plan_release(&pack, Bump::Patch, None), Err(ReleaseError::Pack(_))));
    }

    #[test]
    fn a_version_that_was_set_by_hand_is_refused() {
        let (_folder, pack) = begun();
        plan_release(&pack, Bump::Minor, None).unwrap().write().unwrap();
        edit(&pack, "pack.yaml", "version: 0.1.0", "version: 0.2.0");
        assert!(matches!(plan_release(&pack, Bump::Minor, None), Err(ReleaseError::Ahead { .. })));
    }

    #[test]
    fn versions_count_up() {
        assert_eq!(bumped("1.2.3", Bump::Major).as_deref(), Some("2.0.0"));
        assert_eq!(bumped("1.2.3", Bump::Minor).as_deref(), Some("1.3.0"));
        assert_eq!(bumped("1.2.3", Bump::Patch).as_deref(), Some("1.2.4"));
        for odd in ["1.2", "1.2.x", "", "1.2.3.4", "18446744073709551615.0.0"] {
            assert_eq!(bumped(odd, Bump::Major), None, "{odd}");
        }
    }
}
