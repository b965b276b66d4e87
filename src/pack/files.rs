//! The files of one pack: in a folder, in the binary, or as texts in memory.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use include_dir::{Dir, include_dir};

use super::archive::Archive;
use super::report::Report;
use super::source::{PACKS, PackSource};
use crate::bridge::{Code, Severity};
use crate::sigma::Span;

/// Bytes of one file; a pack of a thousand aliases has a tenth of it.
pub(super) const MAX_FILE: u64 = 4 << 20;

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/mapping_packs");

pub(crate) static PACK_UNREADABLE: Code = Code {
    name: "pack_unreadable",
    reason: None,
    severity: Severity::Error,
    summary: "a file of the mapping pack could not be read",
    explanation: "A pack has pack.yaml and routes.yaml, its aliases in aliases/*.yaml and its tests in tests/*.yaml. \
                  Each is a regular file of UTF-8 text of at most 4 MiB.",
};

/// Where the files of one pack are.
#[derive(Clone, Debug)]
pub(super) enum Place {
    Folder(PathBuf),
    Embedded(String),
    Texts(Rc<BTreeMap<PathBuf, String>>),
    /// A folder of an archive.
    Member(Rc<Archive>, PathBuf),
}

impl Place {
    /// The place of a source; what is wrong with an archive is noted.
    pub(super) fn of(source: &PackSource, report: &mut Report) -> Option<Self> {
        match source {
            PackSource::Folder(folder) => Some(Self::Folder(folder.clone())),
            PackSource::Embedded(id) => Some(Self::Embedded(id.clone())),
            PackSource::Texts(texts) => Some(Self::Texts(Rc::new(texts.clone()))),
            PackSource::Archive(path) => Archive::open(path, report).map(Self::archive),
        }
    }

    /// The pack that an archive was made of.
    pub(super) fn archive(archive: Archive) -> Self {
        let root = archive.root.clone();
        Self::Member(Rc::new(archive), root)
    }
}

/// The ids of the packs in the binary.
pub(super) fn embedded_ids() -> impl Iterator<Item = &'static str> {
    EMBEDDED.dirs().filter_map(|folder| folder.path().to_str())
}

impl Place {
    /// The folder, or the path that stands for it in messages about an embedded pack; empty for texts.
    pub(super) fn root(&self) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.clone(),
            Self::Embedded(id) => Path::new(PACKS).join(id),
            Self::Texts(_) => PathBuf::new(),
            Self::Member(archive, folder) => archive.path.join(folder),
        }
    }

    /// Whether the pack has this file.
    pub(super) fn has(&self, file: &Path) -> bool {
        match self {
            Self::Folder(folder) => folder.join(file).exists(),
            Self::Embedded(id) => EMBEDDED.get_file(Path::new(id).join(file)).is_some(),
            Self::Texts(texts) => texts.contains_key(file),
            Self::Member(archive, folder) => archive.files.contains_key(&folder.join(file)),
        }
    }

    /// The text of one of the pack's files; a failure is noted.
    pub(super) fn read(&self, file: &Path, report: &mut Report) -> Option<String> {
        report.path = self.root().join(file).into();
        self.text(file)
            .map_err(|error| {
                let message = format!("cannot read {}: {error}", file.display());
                report.raise(&PACK_UNREADABLE, Span::START, message, None);
            })
            .ok()
    }

    /// The text of one of the pack's files.
    pub(super) fn text(&self, file: &Path) -> io::Result<String> {
        let bytes = match self {
            Self::Folder(folder) => read_file(&folder.join(file)),
            Self::Embedded(id) => embedded(id, file),
            Self::Texts(texts) => return texts.get(file).cloned().ok_or_else(missing),
            Self::Member(archive, folder) => {
                return archive.files.get(&folder.join(file)).cloned().ok_or_else(missing);
            }
        };
        bytes.and_then(|bytes| String::from_utf8(bytes).map_err(|_| io::Error::other("it is not UTF-8")))
    }

    /// The YAML files of one of the pack's folders, `aliases` or `tests`, in byte order of their names; one that cannot
    /// be read is noted. A pack may do without.
    pub(super) fn yaml_files(&self, inner: &str, report: &mut Report) -> Vec<PathBuf> {
        let names = match self {
            Self::Folder(folder) => names_in(&folder.join(inner), report),
            Self::Embedded(id) => {
                let folder = EMBEDDED.get_dir(Path::new(id).join(inner));
                let files = folder.into_iter().flat_map(Dir::files);
                files.filter_map(|file| file.path().file_name()).map(PathBuf::from).collect()
            }
            Self::Texts(texts) => names_among(texts, Path::new(inner)),
            Self::Member(archive, folder) => names_among(&archive.files, &folder.join(inner)),
        };
        let mut files: Vec<_> = names.into_iter().filter(|name| is_yaml(name)).collect();
        files.sort();
        files.into_iter().map(|name| Path::new(inner).join(name)).collect()
    }
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

fn names_among(files: &BTreeMap<PathBuf, String>, folder: &Path) -> Vec<PathBuf> {
    let within = files.keys().filter(|path| path.parent() == Some(folder));
    within.filter_map(|path| path.file_name()).map(PathBuf::from).collect()
}

fn names_in(folder: &Path, report: &mut Report) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>);
    match entries {
        Ok(entries) => entries.into_iter().map(|entry| PathBuf::from(entry.file_name())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            report.path = folder.into();
            let name = folder.file_name().unwrap_or_default().to_string_lossy();
            report.raise(&PACK_UNREADABLE, Span::START, format!("cannot read {name}: {error}"), None);
            Vec::new()
        }
    }
}

/// Editors put their own files, whose names begin with a dot, beside those that they edit.
fn is_yaml(name: &Path) -> bool {
    let hidden = name.to_string_lossy().starts_with('.');
    !hidden && name.extension().is_some_and(|extension| extension == "yaml" || extension == "yml")
}
