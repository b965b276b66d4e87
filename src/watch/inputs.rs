//! Which folders to watch for the inputs, and which input an event is about.

use std::path::{Path, PathBuf};

use notify::event::{CreateKind, EventKind, ModifyKind, RemoveKind};
use notify::{Event, RecursiveMode};

use super::snapshot::Snapshot;
use super::system::Wanted;
use super::{Changes, Inputs};
use crate::sigma::is_rule_file;

/// The inputs, as the system names them.
pub(super) struct WatchedInputs {
    roots: Vec<Root>,
}

struct Root {
    kind: Kind,
    /// As the user spells it.
    given: PathBuf,
    /// As events spell it: absolute, its folder without links.
    resolved: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rules,
    Pack,
    Dataset,
    Extra,
}

impl WatchedInputs {
    pub(super) fn new(inputs: Inputs) -> Self {
        let of = |kind, paths: Vec<PathBuf>| {
            paths.into_iter().map(move |given| Root { kind, resolved: resolve(&given), given })
        };
        let roots = of(Kind::Rules, inputs.rules)
            .chain(of(Kind::Pack, inputs.pack))
            .chain(of(Kind::Dataset, inputs.dataset.into_iter().collect()))
            .chain(of(Kind::Extra, inputs.extra))
            .collect();
        Self { roots }
    }

    /// Each folder with all below it, and the nearest folder above each input, where its own coming and going
    /// is seen.
    pub(super) fn wanted(&self) -> Wanted {
        let mut wanted = Wanted::new();
        for root in &self.roots {
            if root.resolved.is_dir() {
                wanted.insert(root.resolved.clone(), RecursiveMode::Recursive);
            }
            if let Some(above) = root.resolved.ancestors().skip(1).find(|folder| folder.is_dir()) {
                wanted.entry(above.to_path_buf()).or_insert(RecursiveMode::NonRecursive);
            }
        }
        wanted
    }

    /// What there is of the inputs now.
    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot::take(self.roots.iter().map(|root| root.resolved.as_path()))
    }

    /// Whether an event may be about an input. Most in the folders above the inputs are not; nor are those on editors'
    /// own files beside rules.
    pub(super) fn concern(&self, event: &Event) -> bool {
        let concerns = |path: &PathBuf| self.roots.iter().any(|root| root.concerns(path, event.kind));
        event.need_rescan() || event.paths.iter().any(concerns)
    }

    /// Notes what an event on `path` may have changed. Tells whether an input, or a folder above or within one, came or
    /// went, so that the folders to watch may be others now.
    pub(super) fn note(&self, path: &Path, kind: EventKind, changes: &mut Changes) -> bool {
        let mut moved = false;
        for root in &self.roots {
            if let Ok(below) = path.strip_prefix(&root.resolved) {
                root.note_below(below, path, kind, changes);
                moved |= below.as_os_str().is_empty() || is_new_folder(path, kind);
            } else if root.resolved.starts_with(path) {
                root.note_all(changes);
                moved = true;
            }
        }
        moved
    }
}

impl Root {
    fn concerns(&self, path: &Path, kind: EventKind) -> bool {
        match path.strip_prefix(&self.resolved) {
            Ok(below) if self.kind == Kind::Rules && !below.as_os_str().is_empty() => {
                let was_folder = kind == EventKind::Remove(RemoveKind::Folder) || path.extension().is_none();
                is_rule_file(path) || was_folder || path.is_dir()
            }
            Ok(_) => true,
            Err(_) => self.resolved.starts_with(path),
        }
    }

    /// An event on the input itself, or somewhere below it.
    fn note_below(&self, below: &Path, path: &Path, kind: EventKind, changes: &mut Changes) {
        if self.kind != Kind::Rules {
            self.note_all(changes);
        } else if below.as_os_str().is_empty() {
            if !path.is_dir() && (path.exists() || is_rule_file(path)) {
                changes.rules.insert(self.given.clone());
            } else {
                changes.rescan = true;
            }
        } else if kind == EventKind::Remove(RemoveKind::Folder) || path.is_dir() {
            changes.rescan = true;
        } else if is_rule_file(path) {
            changes.rules.insert(self.given.join(below));
        } else if may_be_folder(kind) && !path.exists() && path.extension().is_none() {
            // A folder, perhaps, that was renamed to somewhere else.
            changes.rescan = true;
        }
    }

    fn note_all(&self, changes: &mut Changes) {
        match self.kind {
            Kind::Rules => changes.rescan = true,
            Kind::Pack => changes.pack = true,
            Kind::Dataset => changes.dataset = true,
            Kind::Extra => changes.extra = true,
        }
    }
}

/// Whether a folder has come. The system's watcher tells of it before it watches it: what is put into it meanwhile is
/// seen by nobody, unless it is looked into after it has been watched anew.
fn is_new_folder(path: &Path, kind: EventKind) -> bool {
    matches!(kind, EventKind::Create(_) | EventKind::Modify(ModifyKind::Name(_))) && path.is_dir()
}

/// Whether an event may be about a folder. Editors try out whether they may write, with a file of some name that they
/// remove again.
fn may_be_folder(kind: EventKind) -> bool {
    let of_file = matches!(
        kind,
        EventKind::Create(CreateKind::File)
            | EventKind::Remove(RemoveKind::File)
            | EventKind::Modify(ModifyKind::Data(_))
            | EventKind::Access(_)
    );
    !of_file
}

/// The absolute path, links above the last step resolved as far as there is something. The last step is not, so
/// that a link which is made to point elsewhere is seen.
fn resolve(given: &Path) -> PathBuf {
    let absolute = std::path::absolute(given).unwrap_or_else(|_| given.to_path_buf());
    if absolute.file_name().is_none() {
        return absolute.canonicalize().unwrap_or(absolute);
    }
    for above in absolute.ancestors().skip(1) {
        if let (Ok(folder), Ok(rest)) = (above.canonicalize(), absolute.strip_prefix(above)) {
            return folder.join(rest);
        }
    }
    absolute
}
