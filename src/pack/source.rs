//! Where a pack comes from: a folder, one of those in the binary, or texts in memory.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::load::PackError;
use super::report::Report;
use crate::bridge::{Code, Severity};
use crate::sigma::Span;

/// The pack that is used where none is named.
pub const DEFAULT_PACK: &str = "ocsf-1.7.0";

/// The folder that packs are looked for in, under the working directory and in the binary.
const PACKS: &str = "mapping_packs";

/// Bytes of one file; a pack of a thousand aliases has a tenth of it.
const MAX_FILE: u64 = 4 << 20;

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/mapping_packs");

pub(crate) static PACK_NOT_FOUND: Code = Code {
    name: "pack_not_found",
    reason: None,
    severity: Severity::Error,
    summary: "no mapping pack has this name",
    explanation: "A pack is named by the path of its folder, by the name of a folder under mapping_packs/ in the \
                  working directory, or by the id of a pack that the binary carries; they are tried in this order.",
};

pub(crate) static PACK_UNREADABLE: Code = Code {
    name: "pack_unreadable",
    reason: None,
    severity: Severity::Error,
    summary: "a file of the mapping pack could not be read",
    explanation: "A pack has pack.yaml and routes.yaml, and its aliases in aliases/*.yaml. Each is a regular file \
                  of UTF-8 text of at most 4 MiB.",
};

/// Where a pack comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackSource {
    /// A folder on disk.
    Folder(PathBuf),
    /// The pack of this id in the binary.
    Embedded(String),
    /// The texts of the files by their paths below the pack, such as `aliases/dns.yaml`.
    Texts(BTreeMap<PathBuf, String>),
}

impl PackSource {
    /// The pack that `name_or_path` names: a path that exists, else a folder under `mapping_packs/`, else an
    /// embedded pack. Relative paths start at `search`.
    ///
    /// # Errors
    /// There is none of these; the finding lists the ids that are known.
    pub fn find(name_or_path: &str, search: &Path) -> Result<Self, PackError> {
        let packs = search.join(PACKS);
        let folders = [search.join(name_or_path), packs.join(name_or_path)];
        // An empty name joins to the folder itself, which is no pack.
        if let Some(folder) = folders.into_iter().find(|folder| !name_or_path.is_empty() && folder.exists()) {
            return Ok(Self::Folder(folder));
        }
        if embedded_ids().any(|id| id == name_or_path) {
            return Ok(Self::Embedded(name_or_path.to_owned()));
        }
        Err(not_found(name_or_path, &packs))
    }

    /// The folder, or the path that stands for it in messages about an embedded pack; empty for texts.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.clone(),
            Self::Embedded(id) => Path::new(PACKS).join(id),
            Self::Texts(_) => PathBuf::new(),
        }
    }
}

fn embedded_ids() -> impl Iterator<Item = &'static str> {
    EMBEDDED.dirs().filter_map(|folder| folder.path().to_str())
}

fn not_found(name: &str, packs: &Path) -> PackError {
    let mut known: Vec<String> = embedded_ids().map(str::to_owned).collect();
    let folders = fs::read_dir(packs).into_iter().flatten().flatten();
    known.extend(folders.filter(|e| e.path().is_dir()).map(|e| e.file_name().to_string_lossy().into_owned()));
    known.sort();
    known.dedup();
    let mut report = Report { path: PathBuf::from(name), ..Report::default() };
    let help = format!("known packs: {}", known.join(", "));
    report.raise(&PACK_NOT_FOUND, Span::START, format!("there is no mapping pack `{name}`"), Some(help));
    PackError { findings: report.findings }
}

/// The text of one of the pack's files; a failure is noted.
pub(super) fn read(source: &PackSource, file: &Path, report: &mut Report) -> Option<String> {
    report.path = source.root().join(file);
    let bytes = match source {
        PackSource::Folder(_) => read_file(&report.path),
        PackSource::Embedded(id) => embedded(id, file),
        PackSource::Texts(texts) => texts.get(file).map(|text| text.clone().into_bytes()).ok_or_else(missing),
    };
    let text =
        bytes.and_then(|bytes| String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8")));
    text.map_err(|error| {
        let message = format!("cannot read {}: {error}", file.display());
        report.raise(&PACK_UNREADABLE, Span::START, message, None);
    })
    .ok()
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if metadata.len() > MAX_FILE {
        return Err(io::Error::other("it is larger than 4 MiB"));
    }
    fs::read(path)
}

fn embedded(id: &str, file: &Path) -> io::Result<Vec<u8>> {
    let found = EMBEDDED.get_file(Path::new(id).join(file));
    found.map(|file| file.contents().to_vec()).ok_or_else(missing)
}

fn missing() -> io::Error {
    io::Error::from(io::ErrorKind::NotFound)
}

/// The alias files, in byte order of their names; a folder that cannot be read is noted. A pack may do without one.
pub(super) fn alias_files(source: &PackSource, report: &mut Report) -> Vec<PathBuf> {
    let names = match source {
        PackSource::Folder(folder) => names_in(&folder.join("aliases"), report),
        PackSource::Embedded(id) => {
            let folder = EMBEDDED.get_dir(Path::new(id).join("aliases"));
            let files = folder.into_iter().flat_map(Dir::files);
            files.filter_map(|file| file.path().file_name()).map(PathBuf::from).collect()
        }
        PackSource::Texts(texts) => {
            texts.keys().filter_map(|path| path.strip_prefix("aliases").ok()).map(Path::to_owned).collect()
        }
    };
    let mut files: Vec<_> = names.into_iter().filter(|name| is_yaml(name)).collect();
    files.sort();
    files.into_iter().map(|name| Path::new("aliases").join(name)).collect()
}

fn names_in(folder: &Path, report: &mut Report) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    match entries {
        Ok(entries) => entries.into_iter().map(|entry| PathBuf::from(entry.file_name())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            report.path = folder.to_owned();
            report.raise(&PACK_UNREADABLE, Span::START, format!("cannot read aliases: {error}"), None);
            Vec::new()
        }
    }
}

/// Editors put their own files, whose names begin with a dot, beside those that they edit.
fn is_yaml(name: &Path) -> bool {
    let hidden = name.to_string_lossy().starts_with('.');
    !hidden && name.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_folder_on_disk_wins_over_an_embedded_pack() {
        let folder = tempfile::tempdir().unwrap();
        let find = |name: &str| PackSource::find(name, folder.path());
        assert_eq!(find(DEFAULT_PACK).unwrap(), PackSource::Embedded(DEFAULT_PACK.into()));
        let own = folder.path().join("mapping_packs").join(DEFAULT_PACK);
        fs::create_dir_all(&own).unwrap();
        assert_eq!(find(DEFAULT_PACK).unwrap(), PackSource::Folder(own.clone()));
        assert_eq!(find("mapping_packs/ocsf-1.7.0").unwrap(), PackSource::Folder(own.clone()));
        assert_eq!(find(own.to_str().unwrap()).unwrap(), PackSource::Folder(own));
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("mapping_packs/mine")).unwrap();
        for name in ["other", "", "../../nope", "a\0b"] {
            let error = PackSource::find(name, folder.path()).unwrap_err();
            let [finding] = error.findings.as_slice() else { panic!("one finding") };
            assert_eq!(finding.code, &PACK_NOT_FOUND);
            assert_eq!(finding.help.as_deref(), Some("known packs: mine, ocsf-1.7.0"));
        }
    }
}
