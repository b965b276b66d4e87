//! From a pack and all that it extends to one archive.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::archive::{Archive, BAD_ARCHIVE};
use super::extends::{beside, way};
use super::files::Place;
use super::report::Report;
use super::source::PackSource;
use super::{PackError, load, manifest};
use crate::sigma::Span;
use crate::sigma::yaml;

/// An archive of a pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The file's bytes, the same whenever the packs are.
    pub bytes: Vec<u8>,
    /// SHA-256 of the bytes, lower-case hexadecimal.
    pub file_sha256: String,
    /// SHA-256 over the pack's meaning, [`Pack::sha256`](super::Pack::sha256); loading the archive gives it again.
    pub pack_sha256: String,
    /// How many files are in it, of the packs.
    pub files: usize,
}

/// Makes one archive of a pack and all that it extends: manifests, routes, aliases, tests and the text about them.
/// Other files are left out.
///
/// # Errors
/// The pack does not load, or two of its packs would have one place in the archive.
pub fn build(source: &PackSource) -> Result<Built, PackError> {
    let pack = load(source)?.pack;
    let mut report = Report {
        path: super::folders(source).into_iter().next().unwrap_or_default().into(),
        ..Report::default()
    };
    let place = Place::of(source, &mut report);
    let archive = place.and_then(|place| collect(place, &pack.manifest.id, &mut report));
    let bytes = archive.as_ref().map(Archive::pack).transpose();
    let refused = |mut report: Report, message: String| {
        report.raise(&BAD_ARCHIVE, Span::START, message, None);
        PackError { findings: report.findings, warnings: Vec::new() }
    };
    let (archive, bytes) = match (archive, bytes) {
        (Some(archive), Ok(Some(bytes))) => (archive, bytes),
        (_, Err(error)) => return Err(refused(report, format!("the archive cannot be made: {error}"))),
        _ => return Err(refused(report, "the archive cannot be made".to_owned())),
    };
    // What it is worth is what comes out of it.
    let again = match Archive::unpack(&bytes) {
        Ok(again) => super::load::finish(Some(Place::archive(again)), Report::default())?.pack,
        Err(message) => return Err(refused(report, message)),
    };
    if again.sha256 != pack.sha256 {
        return Err(refused(report, "the archive would not mean what the pack means".to_owned()));
    }
    let digest = Sha256::digest(&bytes);
    let file_sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Built { bytes, file_sha256, pack_sha256: pack.sha256, files: archive.files.len() })
}

/// The files of all packs, each pack under its folder in the archive.
fn collect(place: Place, id: &str, report: &mut Report) -> Option<Archive> {
    let root = root_name(&place, id);
    let mut files: BTreeMap<PathBuf, String> = BTreeMap::new();
    let mut ahead = vec![(place, root.clone())];
    let mut done: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
    while let Some((place, folder)) = ahead.pop() {
        let from = place.root();
        match done.get(&folder) {
            Some(other) if *other == from => continue,
            Some(other) => {
                let (other, from) = (other.display(), from.display());
                let message = format!("{from} and {other} would both be `{}`", folder.display());
                return report.refuse(&BAD_ARCHIVE, Span::START, message, None);
            }
            None => {}
        }
        for file in pack_files(&place, report) {
            files.insert(folder.join(&file), place.text(&file).ok()?);
        }
        ahead.extend(extended(&place, &folder));
        done.insert(folder, from);
    }
    Some(Archive { path: PathBuf::new(), root, files })
}

/// The folder's own name, so that packs beside it find it; the id where there is none.
fn root_name(place: &Place, id: &str) -> PathBuf {
    let folder = match place {
        Place::Folder(folder) => folder.canonicalize().unwrap_or_else(|_| folder.clone()),
        Place::Embedded(id) => id.into(),
        Place::Texts(_) => id.into(),
        Place::Member(_, folder) => return folder.clone(),
    };
    folder.file_name().map_or_else(|| id.into(), PathBuf::from)
}

/// The packs that the one at `place` extends, each with its folder in the archive.
fn extended(place: &Place, folder: &Path) -> Vec<(Place, PathBuf)> {
    let text = place.text(Path::new("pack.yaml")).unwrap_or_default();
    let documents = yaml::parse(&text).unwrap_or_default();
    let names = documents.first().map(manifest::extends).unwrap_or_default();
    let found = names.iter().filter_map(|name| {
        let (base, way) = (beside(place, &name.value).ok()?, way(&name.value).ok()?);
        let folder = match &base {
            Place::Embedded(id) => id.into(),
            Place::Member(_, folder) => folder.clone(),
            Place::Folder(_) | Place::Texts(_) => way.from(folder),
        };
        Some((base, folder))
    });
    found.collect()
}

fn pack_files(place: &Place, report: &mut Report) -> Vec<PathBuf> {
    let single = ["CHANGELOG.md", "README.md", "pack.yaml", "routes.yaml"].map(PathBuf::from);
    let mut files: Vec<_> = single.into_iter().filter(|file| place.has(file)).collect();
    files.extend(place.yaml_files("aliases", report));
    files.extend(place.yaml_files("tests", report));
    files
}
