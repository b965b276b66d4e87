//! Where a pack comes from: a folder, an archive, the binary, or texts in memory.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::files::embedded_ids;
use super::load::PackError;
use super::report::Report;
use crate::bridge::{Code, Severity};
use crate::sigma::Span;

/// The pack that is used where none is named.
pub const DEFAULT_PACK: &str = "ocsf-1.7.0";

/// The folder that packs are looked for in, under the working directory and in the binary.
pub(super) const PACKS: &str = "mapping_packs";

pub(crate) static PACK_NOT_FOUND: Code = Code {
    name: "pack_not_found",
    reason: None,
    severity: Severity::Error,
    summary: "no mapping pack has this name",
    explanation: "A pack is named by the path of its folder or archive, by the name of a folder under mapping_packs/ in the \
                  working directory, or by the id of a pack that the binary carries; they are tried in this order. \
                  `extends` names the folder of another pack beside its own, or the id of one in the binary.",
};

/// Where a pack comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PackSource {
    /// A folder on disk.
    Folder(PathBuf),
    /// The pack of this id in the binary.
    Embedded(String),
    /// The texts of the files by their paths below the pack, such as `aliases/dns.yaml`. It extends packs in the
    /// binary only.
    Texts(BTreeMap<PathBuf, String>),
    /// A file that [`build`](super::build) made, with all packs that the pack extends.
    Archive(PathBuf),
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
            return Ok(if folder.is_file() { Self::Archive(folder) } else { Self::Folder(folder) });
        }
        if embedded_ids().any(|id| id == name_or_path) {
            return Ok(Self::Embedded(name_or_path.to_owned()));
        }
        Err(not_found(name_or_path, &packs))
    }
}

impl PackSource {
    /// The folder or the archive, or the path that stands for it in places of an embedded pack; empty for texts.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        match self {
            Self::Folder(path) | Self::Archive(path) => path.clone(),
            Self::Embedded(id) => Path::new(PACKS).join(id),
            Self::Texts(_) => PathBuf::new(),
        }
    }
}

fn not_found(name: &str, packs: &Path) -> PackError {
    let mut known: Vec<String> = embedded_ids().map(str::to_owned).collect();
    let folders = fs::read_dir(packs).into_iter().flatten().flatten();
    known.extend(folders.filter(|e| e.path().is_dir()).map(|e| e.file_name().to_string_lossy().into_owned()));
    known.sort();
    known.dedup();
    let mut report = Report { path: Path::new(name).into(), ..Report::default() };
    let help = format!("known packs: {}", known.join(", "));
    report.raise(&PACK_NOT_FOUND, Span::START, format!("there is no mapping pack `{name}`"), Some(help));
    PackError { findings: report.findings, warnings: Vec::new() }
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
            let help = finding.help.as_deref().unwrap();
            assert!(
                help.starts_with("known packs: ") && help.contains(" mine,") && help.contains(" ocsf-1.7.0,")
            );
        }
    }
}
