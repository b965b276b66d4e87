//! Discovery: from what the user named to the event files.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::{Dataset, Format, StoreError, TimeRange, pattern};

/// The file that holds a run's events where there is no Parquet.
const JSON_LINES_FILE: &str = "ocsf_events.jsonl";

impl Dataset {
    /// Finds the event files at `root`: a run folder (`normalized/ocsf_events/**/*.parquet`), any folder of
    /// Parquet, `ocsf_events.jsonl` where there is no Parquet, other JSON Lines where there is none of these, or one file by
    /// name. Or at everything that `root` matches as a pattern, where nothing has that very name; JSON Lines where no Parquet
    /// is among it.
    ///
    /// Names beginning with `.` or `_` are passed over below `root`, as writers keep unfinished work there.
    ///
    /// # Errors
    /// Nothing is there, or no events; a file is empty; the file system refuses.
    pub fn discover(root: &Path) -> Result<Self, StoreError> {
        let dataset = Self::find(root)?;
        for file in &dataset.files {
            refuse_empty(file)?;
        }
        Ok(dataset)
    }

    /// The event files, whatever is in them.
    pub(super) fn find(root: &Path) -> Result<Self, StoreError> {
        if pattern::is_pattern(root) {
            return Self::matching(root);
        }
        let metadata = std::fs::metadata(root).map_err(|source| unreadable(root, source))?;
        let (format, mut files) = if metadata.is_dir() { in_folder(root)? } else { named(root)? };
        files.sort_by(|a, b| bytes(a).cmp(bytes(b)));
        Ok(Self { root: root.to_path_buf(), files, format, range: TimeRange::default() })
    }

    /// The event files of everything that a pattern matches, each once.
    fn matching(pattern: &Path) -> Result<Self, StoreError> {
        let matched = pattern::matched(pattern)?;
        let (mut parquet, mut lines) = (BTreeMap::new(), BTreeMap::new());
        for path in &matched {
            let found = match Self::find(path) {
                Ok(found) => found,
                Err(StoreError::NoEvents { .. }) => continue,
                Err(error) => return Err(error),
            };
            let files = match found.format {
                Format::Parquet => &mut parquet,
                Format::JsonLines => &mut lines,
            };
            for file in found.files {
                let target = file.canonicalize().map_err(|source| unreadable(&file, source))?;
                files.entry(target).or_insert(file);
            }
        }
        if parquet.is_empty() && lines.is_empty() {
            let found = match matched.len() {
                0 => "nothing of that name".to_owned(),
                count => format!("{count} files and folders without events"),
            };
            return Err(StoreError::NoEvents { path: pattern.to_path_buf(), found });
        }
        let (format, files) =
            if parquet.is_empty() { (Format::JsonLines, lines) } else { (Format::Parquet, parquet) };
        let mut files: Vec<PathBuf> = files.into_values().collect();
        files.sort_by(|a, b| bytes(a).cmp(bytes(b)));
        Ok(Self { root: pattern::base(pattern), files, format, range: TimeRange::default() })
    }

    /// The same files, of whose events those within `range` are read.
    #[must_use]
    pub fn within(self, range: TimeRange) -> Self {
        Self { range, ..self }
    }
}

fn unreadable(path: &Path, source: std::io::Error) -> StoreError {
    match source.kind() {
        std::io::ErrorKind::NotFound => StoreError::Missing { path: path.to_path_buf() },
        _ => StoreError::Io { path: path.to_path_buf(), source },
    }
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_encoded_bytes()
}

fn refuse_empty(file: &Path) -> Result<(), StoreError> {
    let metadata = std::fs::metadata(file).map_err(|source| unreadable(file, source))?;
    if metadata.len() == 0 {
        return Err(StoreError::EmptyFile { path: file.to_path_buf() });
    }
    Ok(())
}

fn named(file: &Path) -> Result<(Format, Vec<PathBuf>), StoreError> {
    let Some(format) = format_of(file) else {
        let found = format!("a file of type '{}'", extension(file));
        return Err(StoreError::NoEvents { path: file.to_path_buf(), found });
    };
    Ok((format, vec![file.to_path_buf()]))
}

/// By the end of its name.
fn format_of(file: &Path) -> Option<Format> {
    match extension(file).as_str() {
        "parquet" => Some(Format::Parquet),
        "jsonl" | "ndjson" => Some(Format::JsonLines),
        _ => None,
    }
}

fn in_folder(root: &Path) -> Result<(Format, Vec<PathBuf>), StoreError> {
    let normalized = root.join("normalized");
    let base = if normalized.is_dir() { normalized } else { root.to_path_buf() };
    let contract = base.join("ocsf_events");
    for folder in [&contract, &base] {
        let files = files_below(folder, Format::Parquet)?;
        if !files.is_empty() {
            return Ok((Format::Parquet, files));
        }
    }
    let lines = base.join(JSON_LINES_FILE);
    if lines.is_file() {
        return Ok((Format::JsonLines, vec![lines]));
    }
    for folder in [&contract, &base] {
        let files = files_below(folder, Format::JsonLines)?;
        if !files.is_empty() {
            return Ok((Format::JsonLines, files));
        }
    }
    Err(StoreError::NoEvents { path: root.to_path_buf(), found: inventory(&base) })
}

/// The files of a format under a folder, each once, however many links lead to it; none where there is no folder.
fn files_below(folder: &Path, format: Format) -> Result<Vec<PathBuf>, StoreError> {
    let mut seen = BTreeMap::new();
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    for entry in walk(folder) {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) if error.loop_ancestor().is_some() => continue,
            Err(error) => return Err(walk_error(folder, error)),
        };
        if entry.file_type().is_file() && format_of(entry.path()) == Some(format) {
            let path = entry.into_path();
            let target = path.canonicalize().map_err(|source| unreadable(&path, source))?;
            seen.entry(target).or_insert(path);
        }
    }
    Ok(seen.into_values().collect())
}

fn walk(folder: &Path) -> impl Iterator<Item = walkdir::Result<DirEntry>> {
    let unfinished = |e: &DirEntry| e.depth() > 0 && e.file_name().as_encoded_bytes().starts_with(b"_");
    let hidden = |e: &DirEntry| e.depth() > 0 && e.file_name().as_encoded_bytes().starts_with(b".");
    WalkDir::new(folder)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(move |e| !unfinished(e) && !hidden(e))
}

fn walk_error(folder: &Path, error: walkdir::Error) -> StoreError {
    let path = error.path().unwrap_or(folder).to_path_buf();
    StoreError::Io { path, source: error.into() }
}

fn extension(path: &Path) -> String {
    path.extension().unwrap_or(OsStr::new("")).to_string_lossy().to_ascii_lowercase()
}

/// What a folder without events holds, in a few words.
fn inventory(folder: &Path) -> String {
    let mut names = BTreeSet::new();
    let mut files = 0_usize;
    for entry in walk(folder).filter_map(Result::ok).filter(|e| e.file_type().is_file()) {
        files += 1;
        if names.len() < 3 {
            names.insert(entry.file_name().to_string_lossy().into_owned());
        }
    }
    if files == 0 {
        return "no file at all".to_owned();
    }
    let examples: Vec<_> = names.iter().map(|n| format!("'{}'", n.escape_debug())).collect();
    let noun = if files == 1 { "file" } else { "files" };
    format!("{files} {noun}, such as {}", examples.join(", "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn touch(root: &Path, name: &str) {
        let path = root.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }

    fn names(dataset: &Dataset) -> Vec<String> {
        let relative = |f: &PathBuf| f.strip_prefix(&dataset.root).unwrap().to_string_lossy().into_owned();
        dataset.files.iter().map(relative).collect()
    }

    #[test]
    fn a_run_folder_yields_its_event_files_only() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), "raw/noise.parquet");
        touch(root.path(), "normalized/other.parquet");
        touch(root.path(), "normalized/ocsf_events/b/part-1.parquet");
        touch(root.path(), "normalized/ocsf_events/b-1/part-0.parquet");
        touch(root.path(), "normalized/ocsf_events/_temporary/part-9.parquet");
        let dataset = Dataset::discover(root.path()).unwrap();
        let expected =
            ["normalized/ocsf_events/b-1/part-0.parquet", "normalized/ocsf_events/b/part-1.parquet"];
        assert_eq!(names(&dataset), expected);
        let inside = Dataset::discover(&root.path().join("normalized")).unwrap();
        assert_eq!(names(&inside), ["ocsf_events/b-1/part-0.parquet", "ocsf_events/b/part-1.parquet"]);
    }

    #[test]
    fn json_lines_are_taken_where_there_is_no_parquet() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), "normalized/ocsf_events.jsonl");
        let dataset = Dataset::discover(root.path()).unwrap();
        assert_eq!(dataset.format, Format::JsonLines);
        touch(root.path(), "normalized/ocsf_events/p.PARQUET");
        assert_eq!(Dataset::discover(root.path()).unwrap().format, Format::Parquet);
    }

    #[test]
    fn many_files_of_lines_are_a_folder_or_a_pattern_of_them() {
        let root = tempfile::tempdir().unwrap();
        for name in ["day/a.jsonl", "day/b.ndjson", "day/_c.jsonl", "day/notes.txt"] {
            touch(root.path(), name);
        }
        let found = |name: &str| {
            Dataset::discover(&root.path().join(name)).map(|found| (found.format, names(&found)))
        };
        let both = vec!["a.jsonl".to_owned(), "b.ndjson".to_owned()];
        assert_eq!(found("day").unwrap(), (Format::JsonLines, both.clone()));
        assert_eq!(found("day/[ab].*").unwrap(), (Format::JsonLines, both));
        touch(root.path(), "day/d.parquet");
        assert_eq!(found("day").unwrap(), (Format::Parquet, vec!["d.parquet".to_owned()]));
        assert_eq!(found("day/*").unwrap(), (Format::Parquet, vec!["d.parquet".to_owned()]));
    }

    #[test]
    fn errors_say_what_is_there() {
        let root = tempfile::tempdir().unwrap();
        let missing = Dataset::discover(&root.path().join("no")).unwrap_err();
        assert!(missing.to_string().contains("no such file"), "{missing}");
        let empty = Dataset::discover(root.path()).unwrap_err();
        assert!(empty.to_string().contains("no file at all"), "{empty}");
        touch(root.path(), "events.csv");
        let other = Dataset::discover(root.path()).unwrap_err();
        assert!(other.to_string().contains("1 file, such as 'events.csv'"), "{other}");
        std::fs::write(root.path().join("z.parquet"), "").unwrap();
        let cut = Dataset::discover(root.path()).unwrap_err();
        assert!(matches!(cut, StoreError::EmptyFile { .. }), "{cut}");
    }

    #[test]
    fn a_pattern_names_what_it_matches() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), "runs/1/normalized/ocsf_events/a.parquet");
        touch(root.path(), "runs/2/normalized/b.parquet");
        touch(root.path(), "runs/3/raw/c.parquet");
        touch(root.path(), "runs/4/normalized/readme.txt");
        touch(root.path(), "runs/x[1]/d.parquet");
        let found = |pattern: &str| Dataset::discover(&root.path().join(pattern)).map(|found| names(&found));
        let both = ["1/normalized/ocsf_events/a.parquet", "2/normalized/b.parquet"];
        assert_eq!(found("runs/*/normalized").unwrap(), both);
        assert_eq!(found("runs/[12]").unwrap(), both);
        assert_eq!(found("runs/**/[ac].parquet").unwrap(), [both[0], "3/raw/c.parquet"]);
        assert_eq!(found("runs/{2,3}/*").unwrap().len(), 2);
        assert_eq!(found("runs/x[1]").unwrap(), ["d.parquet"]);
        assert!(matches!(found("runs/*/none"), Err(StoreError::NoEvents { .. })));
        assert!(matches!(found("runs/[a"), Err(StoreError::Pattern { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_to_each_file_once() {
        let root = tempfile::tempdir().unwrap();
        touch(root.path(), "a/p.parquet");
        std::os::unix::fs::symlink(root.path(), root.path().join("a/loop")).unwrap();
        std::os::unix::fs::symlink(root.path().join("a"), root.path().join("b")).unwrap();
        assert_eq!(names(&Dataset::discover(root.path()).unwrap()), ["a/p.parquet"]);
    }
}
