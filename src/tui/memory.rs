//! What the screen remembers of a workspace between its runs: one small YAML file in `<state>/workspaces`, named by the
//! SHA-256 of what was opened.
//!
//! A file that cannot be read, is not what this program writes, or was made for another workspace is left aside: nothing
//! depends on it. No path outside the state folder is written or followed because a file says so.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Options;
use super::model::list::{Folds, Grouping, Order};
use super::model::{Arrangement, Model, Pane, RuleKey, Splits};
use super::places::Places;
use crate::bundle::canonical;
use crate::pack::PackSource;

/// The form of the file; another is left aside.
const VERSION: u8 = 1;

/// Bytes that a file may have: many times what the longest command line makes of it.
const LONGEST: u64 = 256 * 1024;

/// Workspaces that are looked at for the recent ones.
const MOST: usize = 1_000;

/// A workspace that was open before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recent {
    /// Rule files, and folders of them.
    pub rules: Vec<PathBuf>,
    /// The mapping pack.
    pub pack: PackSource,
    /// The dataset.
    pub dataset: Option<PathBuf>,
    /// When it was left.
    pub last_used: Timestamp,
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Remembered {
    version: u8,
    last_used: String,
    workspace: Workspace,
    screen: Screen,
}

/// What is open, by canonical paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Workspace {
    rules: Vec<PathBuf>,
    #[serde(with = "serde_yaml::with::singleton_map")]
    pack: PackPlace,
    dataset: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PackPlace {
    Folder(PathBuf),
    Archive(PathBuf),
    Shipped(String),
}

/// How the screen was left.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Screen {
    layout: Arrangement,
    zoomed: bool,
    splits: Splits,
    grouping: Grouping,
    sort: Order,
    focus: Option<Pane>,
    selected: Option<Selected>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Selected {
    path: PathBuf,
    document: usize,
}

impl Workspace {
    /// `None` where there is nothing to come back to.
    fn of(options: &Options) -> Option<Self> {
        let pack = match &options.pack {
            PackSource::Folder(path) => PackPlace::Folder(canonical_path(path)),
            PackSource::Archive(path) => PackPlace::Archive(canonical_path(path)),
            PackSource::Embedded(id) => PackPlace::Shipped(id.clone()),
            PackSource::Texts(_) => return None,
        };
        let rules: Vec<_> = options.rules.iter().map(|path| canonical_path(path)).collect();
        let dataset = options.dataset.as_deref().map(canonical_path);
        (!rules.is_empty() || dataset.is_some()).then_some(Self { rules, pack, dataset })
    }

    /// The name of its file; `None` where a path is not Unicode.
    fn file_name(&self) -> Option<String> {
        let mut rules: Vec<_> = self.rules.iter().map(|path| path.to_str()).collect::<Option<_>>()?;
        rules.sort_unstable();
        rules.dedup();
        let pack = match &self.pack {
            PackPlace::Folder(path) => json!({ "folder": path.to_str()? }),
            PackPlace::Archive(path) => json!({ "archive": path.to_str()? }),
            PackPlace::Shipped(id) => json!({ "shipped": id }),
        };
        let dataset = self.dataset.as_deref().map(|path| path.to_str().ok_or(())).transpose().ok()?;
        let document = json!({ "rules": rules, "pack": pack, "dataset": dataset });
        Some(format!("{}.yaml", canonical::hash(&document)))
    }
}

fn canonical_path(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_path_buf())
}

fn folder(places: &Places) -> Option<PathBuf> {
    Some(places.state.as_ref()?.join("workspaces"))
}

/// Puts the screen as it was left when this was last open. What cannot be used is said in a notice.
pub(super) fn recall(places: &Places, options: &Options, model: &mut Model) {
    let file = || {
        let workspace = Workspace::of(options)?;
        let path = folder(places)?.join(workspace.file_name()?);
        path.symlink_metadata().is_ok().then_some((workspace, path))
    };
    let Some((workspace, path)) = file() else { return };
    match read(&path) {
        Ok(found) if found.workspace.file_name() == workspace.file_name() => put(found.screen, model),
        Ok(_) => model.notices.push(set_aside(&path, "it is of another workspace")),
        Err(why) => model.notices.push(set_aside(&path, &why)),
    }
}

fn set_aside(path: &Path, why: &str) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("how the screen was left is not known: {why}; workspaces/{name} is written anew on leaving")
}

fn put(screen: Screen, model: &mut Model) {
    let Screen { layout, zoomed, splits, grouping, sort, focus, selected } = screen;
    model.panes.arrangement = layout;
    model.panes.splits = splits;
    model.zoomed = zoomed;
    model.list.grouping = grouping;
    model.list.folds = Folds::all(false);
    model.list.order = sort;
    model.focus = focus.unwrap_or(model.focus);
    model.wanted = selected.map(|selected| (selected.path, selected.document));
}

/// The rule that was selected when the workspace was last left, where it is still there.
pub(super) fn wanted_rule(model: &mut Model) -> Option<RuleKey> {
    let (path, document) = model.wanted.take()?;
    let is_it = |key: &RuleKey| key.document == document && absolute(&key.path) == path;
    model.rules.iter().map(|entry| &entry.key).find(|key| is_it(key)).cloned()
}

/// Without asking the disk: there may be thousands of rules.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

fn read(path: &Path) -> Result<Remembered, String> {
    let is_file = path.symlink_metadata().map_err(|error| error.to_string())?.is_file();
    if !is_file {
        return Err("it is no file".to_owned());
    }
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text));
    read.map_err(|error| error.to_string())?;
    if text.len() as u64 > LONGEST {
        return Err(format!("it is longer than {LONGEST} bytes"));
    }
    let found: Remembered = serde_yaml::from_str(&text).map_err(|error| error.to_string())?;
    if found.version != VERSION {
        return Err(format!("it is of version {}, this program's is {VERSION}", found.version));
    }
    Ok(found)
}

/// Remembers how the screen was left, whole or not at all.
///
/// # Errors
/// The file cannot be written.
pub(super) fn keep(places: &Places, options: &Options, model: &Model) -> io::Result<()> {
    let Some((workspace, folder)) = Workspace::of(options).zip(folder(places)) else { return Ok(()) };
    let Some(name) = workspace.file_name() else { return Ok(()) };
    let selected = model.selected.as_ref();
    let remembered = Remembered {
        version: VERSION,
        last_used: Timestamp::now().to_string(),
        workspace,
        screen: Screen {
            layout: model.panes.arrangement,
            zoomed: model.zoomed,
            splits: model.panes.splits.clone(),
            grouping: model.list.grouping,
            sort: model.list.order,
            focus: Some(model.focus),
            selected: selected
                .map(|key| Selected { path: absolute(&key.path), document: key.document })
                // A name that YAML cannot hold is not worth losing the rest for.
                .filter(|selected| selected.path.to_str().is_some()),
        },
    };
    let text = serde_yaml::to_string(&remembered).map_err(io::Error::other)?;
    fs::create_dir_all(&folder)?;
    let mut file = tempfile::NamedTempFile::new_in(&folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(folder.join(name))?;
    Ok(())
}

/// The workspaces that were open before, the newest first.
pub(crate) fn recent(places: &Places) -> Vec<Recent> {
    let entries = folder(places).and_then(|folder| fs::read_dir(folder).ok()).into_iter().flatten();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut found: Vec<_> = paths.take(MOST).filter_map(|path| of_file(&path)).collect();
    found.sort_by(|a, b| b.last_used.cmp(&a.last_used).then_with(|| a.rules.cmp(&b.rules)));
    found
}

fn of_file(path: &Path) -> Option<Recent> {
    let found = read(path).ok()?;
    if path.file_name()?.to_str()? != found.workspace.file_name()? {
        return None;
    }
    let Workspace { rules, pack, dataset } = found.workspace;
    let pack = match pack {
        PackPlace::Folder(path) => PackSource::Folder(path),
        PackPlace::Archive(path) => PackSource::Archive(path),
        PackPlace::Shipped(id) => PackSource::Embedded(id),
    };
    Some(Recent { rules, pack, dataset, last_used: found.last_used.parse().ok()? })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
#[path = "memory_tests.rs"]
mod tests;
