//! Patterns in the name of a dataset: `runs/*/normalized`, `lake/**/date=2026-03-*`.

use std::path::{Path, PathBuf};

use globset::GlobBuilder;
use walkdir::WalkDir;

use super::StoreError;

/// What a pattern is made of, and no usual name.
const SPECIAL: [char; 4] = ['*', '?', '[', '{'];

/// A name with a pattern in it, where nothing of that very name is there.
pub(super) fn is_pattern(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.contains(SPECIAL)) && !path.exists()
}

/// Where to look for changes of what the user named.
pub(crate) fn watched(root: &Path) -> PathBuf {
    if is_pattern(root) { base(root) } else { root.to_path_buf() }
}

/// The folder above the first wildcard.
pub(super) fn base(pattern: &Path) -> PathBuf {
    let plain = |part: &std::path::Component<'_>| !part.as_os_str().to_string_lossy().contains(SPECIAL);
    let base: PathBuf = pattern.components().take_while(plain).collect();
    if base.as_os_str().is_empty() { PathBuf::from(".") } else { base }
}

/// The files and folders that a pattern matches, in byte order: `*` stays within a name, `**` does not. What lies within
/// a folder that matches is not asked.
pub(super) fn matched(pattern: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let base = base(pattern);
    let text = pattern.to_string_lossy();
    let refused = |error: globset::Error| StoreError::Pattern {
        path: pattern.to_path_buf(),
        why: error.kind().to_string(),
    };
    let glob = GlobBuilder::new(&text).literal_separator(true).build().map_err(refused)?;
    let matcher = glob.compile_matcher();
    // Others match at one depth only.
    let below = pattern
        .components()
        .count()
        .saturating_sub(base.components().filter(|c| c.as_os_str() != ".").count());
    let depth = if text.contains("**") || text.contains('{') { usize::MAX } else { below };
    let mut walk =
        WalkDir::new(&base).min_depth(1).max_depth(depth).follow_links(true).sort_by_file_name().into_iter();
    let mut found = Vec::new();
    while let Some(entry) = walk.next() {
        // What cannot be looked into holds nothing that could be read.
        let Ok(entry) = entry else { continue };
        let path = entry.path().strip_prefix("./").unwrap_or(entry.path());
        if matcher.is_match(path) {
            if entry.file_type().is_dir() {
                walk.skip_current_dir();
            }
            found.push(entry.into_path());
        }
    }
    Ok(found)
}
