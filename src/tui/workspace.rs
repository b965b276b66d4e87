//! What the screen can be opened on: rules, events and a pack; and the demo, which this program carries.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use include_dir::{Dir, DirEntry, include_dir};

use super::Options;
use super::memory::Recent;
use crate::pack::PackSource;

static RULES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/rules/windows");
static EVENTS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/fixtures/run");

/// A pack of the user's own: what it adds to the shipped one can be tried out in the demo.
const PACK: &str = "\
id: demo
version: 0.1.0
ocsf_version: 1.7.0
description: The shipped pack, with room for aliases of your own.
extends: [ocsf-1.7.0]
";

/// Rules, and what they are compiled with and run on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Workspace {
    /// Rule files, and folders of them.
    pub rules: Vec<PathBuf>,
    /// The dataset.
    pub dataset: Option<PathBuf>,
    /// The mapping pack.
    pub pack: Option<PackSource>,
}

impl From<Recent> for Workspace {
    fn from(Recent { rules, pack, dataset, .. }: Recent) -> Self {
        Self { rules, dataset, pack: Some(pack) }
    }
}

impl Workspace {
    /// What the options name.
    pub(crate) fn of(options: &Options) -> Self {
        Self {
            rules: options.rules.clone(),
            dataset: options.dataset.clone(),
            pack: Some(options.pack.clone()),
        }
    }

    /// Whether there is nothing to show.
    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.dataset.is_none()
    }

    /// The options with this in place of what they name.
    pub(crate) fn options(self, options: &Options) -> Options {
        let Self { rules, dataset, pack } = self;
        Options { rules, dataset, pack: pack.unwrap_or_else(|| options.pack.clone()), ..options.clone() }
    }
}

/// Puts the demo into `folder`, or into a temporary one where there is none. Files that are there are left alone: they
/// may have been edited.
///
/// # Errors
/// The folder cannot be written.
pub(crate) fn demo(folder: Option<&Path>) -> io::Result<Workspace> {
    let folder = match folder {
        Some(folder) => folder.join("demo"),
        None => tempfile::tempdir()?.keep(),
    };
    let (rules, events, pack) = (folder.join("rules"), folder.join("run"), folder.join("pack"));
    unpack(&RULES, &rules)?;
    unpack(&EVENTS, &events)?;
    fs::create_dir_all(&pack)?;
    write_new(&pack.join("pack.yaml"), PACK.as_bytes())?;
    Ok(Workspace { rules: vec![rules], dataset: Some(events), pack: Some(PackSource::Folder(pack)) })
}

fn unpack(from: &Dir<'_>, into: &Path) -> io::Result<()> {
    fs::create_dir_all(into)?;
    for entry in from.entries() {
        let Some(name) = entry.path().file_name() else { continue };
        match entry {
            DirEntry::Dir(folder) => unpack(folder, &into.join(name))?,
            DirEntry::File(file) => write_new(&into.join(name), file.contents())?,
        }
    }
    Ok(())
}

/// Writes a file that is not there yet, whole or not at all.
fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut beside = tempfile::NamedTempFile::new_in(folder)?;
    io::Write::write_all(&mut beside, content)?;
    match beside.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::store::Dataset;
    use crate::{backend, bridge, pack, sigma};

    #[test]
    fn the_demo_is_small_loads_and_keeps_edits() {
        let state = tempfile::tempdir().unwrap();
        let opened = demo(Some(state.path())).unwrap();
        let loaded = pack::load(opened.pack.as_ref().unwrap()).unwrap();
        let rules: Vec<_> = sigma::load(&opened.rules).into_iter().map(std::sync::Arc::new).collect();
        let compiled = backend::compile(&rules, &loaded.pack, &bridge::Settings::default());
        let executable = compiled.iter().filter(|rule| rule.sql.is_some()).count();
        assert!(
            executable > 40 && executable < rules.len(),
            "most of the {} run, some are refused",
            rules.len()
        );
        assert_eq!(Dataset::discover(opened.dataset.as_ref().unwrap()).unwrap().files.len(), 1);

        let edited = opened.rules[0].join("dns_query/marsh_feed_name.yml");
        fs::write(&edited, "title: Mine\n").unwrap();
        assert_eq!(demo(Some(state.path())).unwrap(), opened);
        assert_eq!(fs::read_to_string(edited).unwrap(), "title: Mine\n");
    }

    #[test]
    fn the_demo_weighs_little() {
        fn bytes(folder: &Dir<'_>) -> usize {
            let below = folder.dirs().map(bytes).sum::<usize>();
            below + folder.files().map(|file| file.contents().len()).sum::<usize>()
        }
        assert!(bytes(&RULES) + bytes(&EVENTS) < 128 * 1024);
    }
}
