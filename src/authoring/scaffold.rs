//! A new mapping pack: the files to begin with, which are sound and tested.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::ocsf::OCSF_VERSION;

/// Why a pack could not be begun.
#[derive(Debug, thiserror::Error)]
pub enum ScaffoldError {
    /// There is something already.
    #[error("{0} is there already, and not an empty folder; name another one")]
    Occupied(PathBuf),
    /// The folder's name is to be the pack's id, and is none.
    #[error(
        "`{0}` is no id of a pack: name the folder with a-z, 0-9, `-`, `_` and `.`, beginning with a letter"
    )]
    Name(String),
    /// The file system refuses.
    #[error("{path}: {error}")]
    Io {
        /// The folder.
        path: PathBuf,
        /// What it says.
        error: io::Error,
    },
}

/// Makes the folder of a new pack, all of it or nothing. The folder's name is the pack's id. Gives its files, relative to
/// it, in byte order. With `extends`, it builds on these packs, and has no routes of its own.
///
/// # Errors
/// The folder is not empty, its name is no id, or it cannot be written.
pub fn scaffold(folder: &Path, extends: &[String]) -> Result<Vec<PathBuf>, ScaffoldError> {
    let id = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if !is_id(&id) {
        return Err(ScaffoldError::Name(id));
    }
    let is_free = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if !is_free {
        return Err(ScaffoldError::Occupied(folder.to_owned()));
    }
    let files = if extends.is_empty() { files(&id) } else { extending(&id, extends) };
    make(folder, &files).map_err(|error| ScaffoldError::Io { path: folder.to_owned(), error })?;
    Ok(files.into_iter().map(|(name, _)| PathBuf::from(name)).collect())
}

fn is_id(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.'))
}

/// Everything is written beside the folder first, and then takes its name.
fn make(folder: &Path, files: &[(&str, String)]) -> io::Result<()> {
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(above)?;
    let beside = tempfile::Builder::new().prefix(".pack-").tempdir_in(above)?;
    let pack = beside.path().join("pack");
    for (name, text) in files {
        let file = pack.join(name);
        fs::create_dir_all(file.parent().unwrap_or(&pack))?;
        fs::write(file, text)?;
    }
    match fs::remove_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(&pack, folder)
}

fn files(id: &str) -> Vec<(&'static str, String)> {
    let aliases = "# scope → field → where in OCSF its values are\nprocess_creation/windows:\n  Image: process.file.path\n";
    vec![
        ("CHANGELOG.md", "# Changes\n\n## Unreleased\n\n- First routes and aliases.\n".to_owned()),
        ("README.md", format!("# {id}\n\nWhich sources it is for, and what it says of them.\n")),
        ("aliases/process.yaml", aliases.to_owned()),
        ("pack.yaml", manifest(id)),
        ("routes.yaml", ROUTES.to_owned()),
        ("tests/process.yaml", TESTS.to_owned()),
    ]
}

/// A pack that says otherwise, or more, than those that it extends.
fn extending(id: &str, extends: &[String]) -> Vec<(&'static str, String)> {
    let names: Vec<String> =
        extends.iter().map(|name| serde_json::Value::from(name.as_str()).to_string()).collect();
    let manifest = format!("{}\nextends: [{}]\n", manifest(id).trim_end(), names.join(", "));
    let aliases = "# scope → field → where in OCSF its values are. What stands here wins over the packs that are extended.\n";
    vec![
        ("CHANGELOG.md", "# Changes\n\n## Unreleased\n\n- Extends what it builds on.\n".to_owned()),
        ("README.md", format!("# {id}\n\nWhat it says otherwise than the packs that it extends, and why.\n")),
        ("aliases/own.yaml", aliases.to_owned()),
        ("pack.yaml", manifest),
    ]
}

fn manifest(id: &str) -> String {
    format!(
        "id: {id}\n\
         version: 0.0.0  # `pack release` sets it\n\
         ocsf_version: {OCSF_VERSION}\n\
         description: What it is for.\n\
         \n\
         # Fields of the source that OCSF has no place for; off unless a session permits them.\n\
         raw_fallback:\n  enabled: false\n  prefixes: [raw.]\n"
    )
}

const ROUTES: &str = "\
# Which events a rule's log source is. A filter on metadata.source_type tells the producers apart.
- logsource: {category: process_creation, product: windows}
  classes: [1007]
  filters:
    - {path: activity_id, op: eq, value: 1}
    - {path: metadata.source_type, op: eq, value: windows-sysmon}
";

const TESTS: &str = "\
- name: a process creation
  logsource: {category: process_creation, product: windows}
  event:
    class_uid: 1007
    activity_id: 1
    metadata.source_type: windows-sysmon
    process.file.path: 'C:\\Windows\\System32\\whoami.exe'
  fields:
    Image: {value: '\\whoami.exe', modifier: endswith, not: '\\cmd.exe', path: process.file.path}
";

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::authoring::run_cases;
    use crate::pack::{self, PackSource};

    #[test]
    fn a_pack_that_extends_has_what_the_others_have() {
        let folder = tempfile::tempdir().unwrap();
        let pack = folder.path().join("own");
        scaffold(&pack, &["linux".to_owned()]).unwrap();
        let loaded = pack::load(&PackSource::Folder(pack)).unwrap();
        let base = pack::load(&PackSource::Embedded("linux".to_owned())).unwrap();
        assert_eq!(loaded.warnings, []);
        assert_eq!(loaded.pack.routes.len(), base.pack.routes.len());
    }

    #[test]
    fn a_new_pack_is_sound_and_tested() {
        let folder = tempfile::tempdir().unwrap();
        let pack = folder.path().join("below/my-pack");
        scaffold(&pack, &[]).unwrap();
        let source = PackSource::Folder(pack.clone());
        assert_eq!(pack::load(&source).unwrap().warnings, []);
        let run = run_cases(&source).unwrap();
        assert_eq!((run.suites[0].failed(), run.suites[0].checks(), run.untested), (0, 4, vec![]));
        let beside: Vec<_> = fs::read_dir(pack.parent().unwrap()).unwrap().collect();
        assert_eq!(beside.len(), 1, "nothing else is left");
    }

    #[test]
    fn what_is_there_stays() {
        let folder = tempfile::tempdir().unwrap();
        let pack = folder.path().join("mine");
        fs::create_dir(&pack).unwrap();
        scaffold(&pack, &[]).unwrap();
        fs::write(pack.join("README.md"), "mine").unwrap();
        assert!(matches!(scaffold(&pack, &[]), Err(ScaffoldError::Occupied(_))));
        assert!(matches!(scaffold(&pack.join("README.md"), &[]), Err(ScaffoldError::Name(_))));
        assert_eq!(fs::read_to_string(pack.join("README.md")).unwrap(), "mine");
        for name in ["Mine", "my pack", "1st", ".."] {
            assert!(
                matches!(scaffold(&folder.path().join(name), &[]), Err(ScaffoldError::Name(_))),
                "{name}"
            );
        }
    }
}
