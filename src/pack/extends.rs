//! `extends`: the packs that a pack builds on, found and read, each once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component as Step, Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use super::files::{Place, embedded_ids};
use super::load::document;
use super::report::Report;
use super::source::{PACK_NOT_FOUND, PackSource};
use super::{Pack, Route, aliases, manifest, reach, routes};
use crate::bridge::{Code, Severity};
use crate::sigma::yaml;
use crate::sigma::{Spanned, suggest};

/// Packs that extend one another in a row.
const MAX_DEPTH: usize = 8;
/// Packs that one pack is made of.
const MAX_PACKS: usize = 64;

pub(crate) static BAD_EXTENDS: Code = Code {
    name: "pack_bad_extends",
    reason: None,
    severity: Severity::Error,
    summary: "`extends` has an entry that leads to no place where a pack may be",
    explanation: "An entry is the name of a folder beside the pack's own, or a path from the pack's folder that stays \
                  within the folder above it: `../base`, `../vendor/base`, `./parts/base`. At most 8 packs extend one \
                  another in a row, and a pack is made of at most 64.",
};

pub(crate) static EXTENDS_CYCLE: Code = Code {
    name: "pack_extends_cycle",
    reason: None,
    severity: Severity::Error,
    summary: "packs that extend each other in a circle",
    explanation: "What a pack says wins over what it extends. In a circle, each would win over itself. Move what they \
                  share into a pack that both extend.",
};

/// What one pack itself says, and which of the packs before it it builds on.
pub(super) struct Layer {
    /// Its own statements only.
    pub(super) pack: Arc<Pack>,
    /// Where its files are.
    pub(super) place: Place,
    /// The packs that it extends, and those that they do, by their places in the list.
    pub(super) reach: BTreeSet<usize>,
}

/// The pack and all that it extends; each after those that it extends.
pub(super) fn read(place: Place, report: &mut Report) -> Vec<Layer> {
    let mut reader = Reader { layers: Vec::new(), known: BTreeMap::new(), open: Vec::new(), report };
    reader.layer(place);
    reader.layers
}

/// The folders that a pack and all that it extends are read from, and those that a pack beside it would be read
/// from if it were there; of an archive, the file. Empty for a pack that is not on disk. Never fails: what cannot be
/// read leads nowhere.
#[must_use]
pub fn folders(source: &PackSource) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut ahead = match source {
        PackSource::Folder(folder) => vec![folder.clone()],
        PackSource::Archive(file) => return vec![file.clone()],
        PackSource::Embedded(_) | PackSource::Texts(_) => Vec::new(),
    };
    while let Some(folder) = ahead.pop() {
        if found.contains(&folder) || found.len() > MAX_PACKS {
            continue;
        }
        ahead.extend(entries(&folder).iter().filter_map(|name| way(name).ok()).map(|way| way.from(&folder)));
        found.push(folder);
    }
    found
}

/// The entries of `extends` in the pack of this folder.
fn entries(folder: &Path) -> Vec<String> {
    let text = Place::Folder(folder.to_owned()).text(Path::new("pack.yaml"));
    let documents = text.ok().and_then(|text| yaml::parse(&text).ok()).unwrap_or_default();
    documents.first().map(manifest::extends).unwrap_or_default().into_iter().map(|name| name.value).collect()
}

/// What tells the place of one pack from another's.
type Key = (&'static str, PathBuf);

fn key(place: &Place) -> Key {
    match place {
        Place::Folder(folder) => ("folder", folder.canonicalize().unwrap_or_else(|_| folder.clone())),
        Place::Embedded(id) => ("embedded", id.into()),
        Place::Texts(_) => ("texts", PathBuf::new()),
        Place::Member(_, folder) => ("member", folder.clone()),
    }
}

struct Reader<'r> {
    layers: Vec<Layer>,
    known: BTreeMap<Key, usize>,
    /// Those that are being read, from the outermost.
    open: Vec<Key>,
    report: &'r mut Report,
}

impl Reader<'_> {
    /// Reads a pack after those that it extends. Gives its place in the list.
    fn layer(&mut self, place: Place) -> usize {
        let own = key(&place);
        if let Some(known) = self.known.get(&own) {
            return *known;
        }
        self.open.push(own.clone());
        let mut pack = Pack::default();
        let mut reach = BTreeSet::new();
        if let Some(node) = document(&place, Path::new("pack.yaml"), self.report) {
            pack.manifest = manifest::read(&node, self.report).unwrap_or_default();
            let file = self.report.path.clone();
            for name in manifest::extends(&node) {
                self.report.path.clone_from(&file);
                if let Some(base) = self.extended(&place, &name) {
                    reach.extend(self.layers.get(base).map(|layer| layer.reach.clone()).unwrap_or_default());
                    reach.insert(base);
                }
            }
        }
        self.statements(&place, &mut pack, &reach);
        self.open.pop();
        self.layers.push(Layer { pack: Arc::new(pack), place, reach });
        self.known.insert(own, self.layers.len() - 1);
        self.layers.len() - 1
    }

    /// The pack that an entry of `extends` stands for, or a finding.
    fn extended(&mut self, from: &Place, name: &Spanned<String>) -> Option<usize> {
        let place = match beside(from, &name.value) {
            Ok(place) => place,
            Err(Refusal { code, message, help }) => {
                return self.report.refuse(code, name.span, message, help);
            }
        };
        let key = key(&place);
        if self.open.contains(&key) {
            let message = format!("`{}` extends this pack, or is it", name.value);
            return self.report.refuse(&EXTENDS_CYCLE, name.span, message, None);
        }
        if self.open.len() >= MAX_DEPTH || self.layers.len() >= MAX_PACKS {
            let message = format!("more than {MAX_DEPTH} packs in a row, or {MAX_PACKS} in all");
            let help = "let the pack extend those of them directly that it needs".to_owned();
            return self.report.refuse(&BAD_EXTENDS, name.span, message, help);
        }
        Some(self.layer(place))
    }

    /// Routes and aliases, checked together with those of the packs that this one extends.
    fn statements(&mut self, place: &Place, pack: &mut Pack, reach: &BTreeSet<usize>) {
        let file = Path::new("routes.yaml");
        let alias_files = place.yaml_files("aliases", self.report);
        let required = pack.manifest.extends.is_empty() && alias_files.is_empty();
        if (required || place.has(file))
            && let Some(node) = document(place, file, self.report)
        {
            pack.routes = routes::read(&node, self.report);
            let mut keywords = pack.manifest.keywords.clone();
            keywords.sort();
            pack.routes.iter_mut().for_each(|route| route.keywords.clone_from(&keywords));
        }
        let all = self.routes(&pack.routes, reach);
        let bases = || self.layers.iter().enumerate().filter(|(index, _)| reach.contains(index));
        let mut prefixes = pack.manifest.raw_fallback.prefixes.clone();
        prefixes.extend(bases().flat_map(|(_, base)| base.pack.manifest.raw_fallback.prefixes.clone()));
        let (whole, before) = (self.report.is_sound() && !all.is_empty(), self.report.findings.len());
        for file in alias_files {
            if let Some(node) = document(place, &file, self.report) {
                let checks = aliases::Checks { routes: &all, prefixes: &prefixes };
                aliases::read(&node, checks, &mut pack.aliases, self.report);
            }
        }
        if !whole {
            // Routes that were not understood, or are those of a pack that extends this one, may lead to what
            // seems unused.
            let mut noted = self.report.findings.split_off(before);
            noted.retain(|finding| finding.code != &aliases::UNUSED_SCOPE);
            self.report.findings.append(&mut noted);
        }
        if self.report.is_sound() {
            let bases: Vec<_> = bases().map(|(_, base)| &base.pack.aliases).collect();
            reach::check(&pack.aliases, &bases, &all, self.report);
        }
    }

    /// The routes that rules can take: a pack's own, and those of `reach` that no nearer one hides.
    fn routes(&self, own: &[Route], reach: &BTreeSet<usize>) -> Vec<Route> {
        let mut all = own.to_vec();
        // Backwards, what extends stands before what it extends.
        for base in reach.iter().rev().filter_map(|index| self.layers.get(*index)) {
            let hidden = |route: &&Route| all.iter().any(|nearer| routes::same_rules(nearer, route));
            let seen: Vec<_> = base.pack.routes.iter().filter(|route| !hidden(route)).cloned().collect();
            all.extend(seen);
        }
        all
    }
}

/// Why an entry of `extends` leads to no pack.
pub(super) struct Refusal {
    code: &'static Code,
    message: String,
    help: Option<String>,
}

/// The pack that `name` means in the `extends` of the pack at `from`.
pub(super) fn beside(from: &Place, name: &str) -> Result<Place, Refusal> {
    let way = way(name).map_err(|message| Refusal { code: &BAD_EXTENDS, message, help: None })?;
    if let Place::Folder(folder) = from {
        let folder = way.from(folder);
        if folder.is_dir() {
            return Ok(Place::Folder(folder));
        }
    }
    if let Place::Member(archive, folder) = from {
        // What was in the binary is at the top.
        let folders = [way.from(folder), way.path.clone()];
        let found = folders.into_iter().find(|folder| archive.files.contains_key(&folder.join("pack.yaml")));
        if let Some(folder) = found {
            return Ok(Place::Member(Rc::clone(archive), folder));
        }
    }
    let carries = |id: &&str| !way.inside && Path::new(id) == way.path && !matches!(from, Place::Member(..));
    let embedded = embedded_ids().find(carries);
    embedded.map(|id| Place::Embedded(id.to_owned())).ok_or_else(|| {
        let help = match suggest::nearest(name, embedded_ids()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("packs in the binary: {}", embedded_ids().collect::<Vec<_>>().join(", ")),
        };
        let message = format!("there is no mapping pack `{name}` to extend");
        Refusal { code: &PACK_NOT_FOUND, message, help: Some(help) }
    })
}

/// The way from a pack's folder to another pack.
pub(super) struct Way {
    /// Whether the path begins in the pack's folder, not in the folder above it.
    inside: bool,
    /// Plain names, at least one.
    path: PathBuf,
}

impl Way {
    pub(super) fn from(&self, folder: &Path) -> PathBuf {
        match (self.inside, folder.parent()) {
            (true, _) => folder.join(&self.path),
            (false, Some(above)) if folder.file_name().is_some() => above.join(&self.path),
            (false, _) => folder.join("..").join(&self.path),
        }
    }
}

/// Reads an entry of `extends`: a name, or a relative path.
pub(super) fn way(name: &str) -> Result<Way, String> {
    let path = Path::new(name);
    let relative = name.contains('/') || name == "." || name == "..";
    let mut way = Way { inside: relative, path: PathBuf::new() };
    if name.trim().is_empty() || name.contains(|c: char| c.is_control() || c == '\\') {
        return Err(format!("`{}` names no folder", name.escape_debug()));
    }
    for step in path.components() {
        match step {
            Step::Normal(part) => way.path.push(part),
            Step::CurDir => {}
            Step::ParentDir if way.path.pop() => {}
            Step::ParentDir if way.inside => way.inside = false,
            Step::ParentDir => return Err(format!("`{name}` leaves the folder that the pack lies in")),
            Step::RootDir | Step::Prefix(_) => return Err(format!("`{name}` is not a relative path")),
        }
    }
    match way.path.as_os_str().is_empty() {
        true => Err(format!("`{name}` names no other folder")),
        false => Ok(way),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn an_entry_stays_within_the_folder_above_the_pack() {
        let from = |name: &str| way(name).map(|way| way.from(Path::new("packs/own")));
        assert_eq!(from("base").unwrap(), Path::new("packs/base"));
        assert_eq!(from("../base").unwrap(), Path::new("packs/base"));
        assert_eq!(from("../vendor/base").unwrap(), Path::new("packs/vendor/base"));
        assert_eq!(from("./part").unwrap(), Path::new("packs/own/part"));
        assert_eq!(from("../own/../base").unwrap(), Path::new("packs/base"));
        for bad in
            ["", " ", ".", "..", "./", "../..", "../../packs/base", "/etc", "a\\b", "a\0b", "../", "a/.."]
        {
            assert!(way(bad).is_err(), "{bad:?}");
        }
        assert_eq!(way("base").unwrap().from(Path::new(".")), Path::new("./../base"));
        assert_eq!(way("base").unwrap().from(Path::new("own")), Path::new("base"));
    }
}
