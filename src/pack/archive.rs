//! A pack and all that it extends in one file: a gzipped tar of texts, the same bytes for the same texts.
//!
//! Each pack has its folder; where one extends another, the way between their folders is that of `extends`, and packs
//! of the binary are at the top. `archive.json` names the folder of the pack that was built. An archive may come
//! from anywhere, so that nothing of it is written to disk, and what `pack build` would not have made is refused.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use serde::{Deserialize, Serialize};

use super::files::MAX_FILE;
use super::report::Report;
use crate::bridge::{Code, Severity};
use crate::sigma::Span;

/// Bytes of the tar, unpacked; a hundred times the packs in the binary.
const MAX_UNPACKED: u64 = 32 << 20;
/// Files.
const MAX_FILES: usize = 4096;

const INDEX: &str = "archive.json";

pub(crate) static BAD_ARCHIVE: Code = Code {
    name: "pack_bad_archive",
    reason: None,
    severity: Severity::Error,
    summary: "a file that is not a mapping pack as `pack build` makes them",
    explanation: "An archive is a gzipped tar of at most 32 MiB and 4096 files, each a regular file of UTF-8 text of at \
                  most 4 MiB under a plain relative name that stands once. Links, folders, absolute names and `..` are \
                  refused. Make it anew with `pack build`.",
};

/// The files of an archive, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Archive {
    /// The file; empty where there is none yet.
    pub(super) path: PathBuf,
    /// The folder of the pack that it was made of.
    pub(super) root: PathBuf,
    pub(super) files: BTreeMap<PathBuf, String>,
}

/// `archive.json`
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Index {
    /// The version of this form: 1.
    format: u32,
    /// The folder of the pack.
    pack: String,
}

impl Archive {
    /// Reads an archive; what is wrong with it is noted.
    pub(super) fn open(path: &Path, report: &mut Report) -> Option<Self> {
        report.path = path.into();
        let bytes = read_file(path).map_err(|error| format!("cannot read the archive: {error}"));
        let archive = bytes.and_then(|bytes| Self::unpack(&bytes));
        let archive =
            archive.map_err(|message| report.raise(&BAD_ARCHIVE, Span::START, message, None)).ok()?;
        Some(Self { path: path.to_owned(), ..archive })
    }

    /// The archive that these bytes are, or why they are none.
    pub(super) fn unpack(bytes: &[u8]) -> Result<Self, String> {
        let mut unpacked = Vec::new();
        let mut decoder = GzDecoder::new(bytes).take(MAX_UNPACKED + 1);
        decoder.read_to_end(&mut unpacked).map_err(|error| format!("it is not gzipped: {error}"))?;
        if unpacked.len() as u64 > MAX_UNPACKED {
            return Err("unpacked, it is larger than 32 MiB".to_owned());
        }
        let mut files = BTreeMap::new();
        let mut tar = tar::Archive::new(unpacked.as_slice());
        for entry in tar.entries().map_err(not_tar)? {
            let mut entry = entry.map_err(not_tar)?;
            let name = plain_name(&entry.path_bytes())?;
            if entry.header().entry_type() != tar::EntryType::Regular {
                return Err(format!("`{name}` is not a regular file"));
            }
            if entry.size() > MAX_FILE || files.len() >= MAX_FILES {
                return Err(format!("`{name}` is larger than 4 MiB, or one of more than {MAX_FILES} files"));
            }
            let mut text = String::new();
            entry.read_to_string(&mut text).map_err(|_| format!("`{name}` is not UTF-8, or is cut off"))?;
            if files.insert(PathBuf::from(&name), text).is_some() {
                return Err(format!("`{name}` stands there twice"));
            }
        }
        let index = files.remove(Path::new(INDEX)).ok_or_else(|| format!("it has no {INDEX}"))?;
        let index: Index = serde_json::from_str(&index).map_err(|error| format!("{INDEX}: {error}"))?;
        if index.format != 1 {
            return Err(format!("{INDEX}: format {} is not known, only 1", index.format));
        }
        Ok(Self { path: PathBuf::new(), root: plain_name(index.pack.as_bytes())?.into(), files })
    }

    /// The bytes of the archive: names sorted, times and owners zero.
    pub(super) fn pack(&self) -> io::Result<Vec<u8>> {
        let index = Index { format: 1, pack: self.root.display().to_string() };
        let mut files = self.files.clone();
        files.insert(INDEX.into(), serde_json::to_string(&index)? + "\n");
        let mut tar = tar::Builder::new(Vec::new());
        for (name, text) in &files {
            let mut header = tar::Header::new_ustar();
            header.set_entry_type(tar::EntryType::Regular);
            header.set_mode(0o644);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(0);
            header.set_size(text.len() as u64);
            tar.append_data(&mut header, name, text.as_bytes())?;
        }
        let mut gzip = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::best());
        gzip.write_all(&tar.into_inner()?)?;
        gzip.finish()
    }
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    match metadata.is_file() && metadata.len() <= MAX_UNPACKED {
        true => fs::read(path),
        false => Err(io::Error::other("it is not a regular file of at most 32 MiB")),
    }
}

fn not_tar(error: io::Error) -> String {
    format!("it is not a tar: {error}")
}

/// A relative name of plain parts, which means the same on every system.
fn plain_name(bytes: &[u8]) -> Result<String, String> {
    let name = str::from_utf8(bytes).map_err(|_| "a name in it is not UTF-8".to_owned())?;
    let odd = |c: char| c.is_control() || matches!(c, '\\' | ':');
    let plain = |part: &str| !matches!(part, "" | "." | "..");
    match !name.contains(odd) && name.split('/').all(plain) {
        true => Ok(name.to_owned()),
        false => Err(format!("`{}` is not a plain relative name", name.escape_debug())),
    }
}
