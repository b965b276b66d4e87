//! Rule files on disk: which there are, and what they hold. Whatever goes wrong becomes an unreadable rule.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::{DirEntry, WalkDir};

use super::document::Source;
use super::include::{self, RuleFile};
use super::problem::{Problem, ProblemKind};
use super::rule::Rule;
use super::span::{Position, Span};
use super::yaml::MAX_BYTES;

/// The rules of files and folders, in the order of [`load_files`] and of their documents.
#[must_use]
pub fn load(paths: &[PathBuf]) -> Vec<Rule> {
    let files = load_files(paths);
    let mut rules = Vec::with_capacity(files.iter().map(|file| file.rules.len()).sum());
    rules.extend(files.into_iter().flat_map(|file| file.rules));
    rules
}

/// Files and folders with their rules, in the order of [`rule_files`]. A file that another one includes gives its
/// rules there, and is not listed once more.
#[must_use]
pub fn load_files(paths: &[PathBuf]) -> Vec<RuleFile> {
    let mut seen = HashSet::new();
    let mut files: Vec<RuleFile> = Vec::new();
    for path in paths {
        let named = files_of(path).into_iter();
        let folder = folder_of(path);
        files.extend(named.filter(|file| seen.insert(file.clone())).map(|file| include::load(&file, folder)));
    }
    let including: Vec<(PathBuf, &RuleFile)> =
        files.iter().filter(|file| !file.includes.is_empty()).map(|file| (file.real(), file)).collect();
    if including.is_empty() {
        return files;
    }
    let stands_elsewhere = |file: &RuleFile| {
        let real = file.real();
        including.iter().any(|(other, by)| by.includes.contains(&real) && !file.includes.contains(other))
    };
    let kept: Vec<bool> = files.iter().map(|file| !stands_elsewhere(file)).collect();
    files.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(file, _)| file).collect()
}

/// The rule files that paths name: files as they are, folders with every `.yml` and `.yaml` file below them, in
/// byte order, without hidden ones (`.git`, `.#locks` of editors) and without regression cases (`x.test.yml`). What
/// cannot be listed is among them, so that reading it says why. No path stands twice.
#[must_use]
pub fn rule_files(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut seen = HashSet::new();
    paths.iter().flat_map(|path| files_of(path)).filter(|path| seen.insert(path.clone())).collect()
}

fn files_of(path: &Path) -> Vec<PathBuf> {
    if path.is_dir() { files_below(path, is_rule_file) } else { vec![path.to_path_buf()] }
}

/// Whether a file of a rule folder is one of its rule files, by its name.
#[must_use]
pub fn is_rule_file(path: &Path) -> bool {
    has_extension(path, &["yml", "yaml"]) && !is_case_file(path)
}

/// Whether a file holds regression cases of the rules beside it, by its name: `x.test.yml`, `.yaml` or `.json`.
#[must_use]
pub fn is_case_file(path: &Path) -> bool {
    let is_test = path.file_stem().is_some_and(|stem| has_extension(Path::new(stem), &["test"]));
    is_test && has_extension(path, &["yml", "yaml", "json"])
}

/// The case files below a folder, in byte order, without hidden ones.
#[must_use]
pub fn case_files(folder: &Path) -> Vec<PathBuf> {
    files_below(folder, is_case_file)
}

fn files_below(folder: &Path, wanted: fn(&Path) -> bool) -> Vec<PathBuf> {
    let visible = |entry: &DirEntry| entry.depth() == 0 || !is_hidden(entry.path());
    let mut files: Vec<PathBuf> = WalkDir::new(folder)
        .follow_links(true)
        .into_iter()
        .filter_entry(visible)
        .filter_map(|entry| match entry {
            Ok(entry) if entry.file_type().is_dir() || !wanted(entry.path()) => None,
            Ok(entry) => Some(entry.into_path()),
            Err(error) if error.loop_ancestor().is_some() => None,
            Err(error) => error.path().filter(|path| is_unlisted(path, wanted)).map(Path::to_path_buf),
        })
        .collect();
    files.sort_by(|one, other| one.as_os_str().as_encoded_bytes().cmp(other.as_os_str().as_encoded_bytes()));
    files
}

/// Whether what the walk failed on matters: a folder, or a link that is named like what is looked for.
fn is_unlisted(path: &Path, wanted: fn(&Path) -> bool) -> bool {
    path.is_dir() || (wanted(path) && !is_hidden(path))
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension().is_some_and(|found| extensions.iter().any(|one| found.eq_ignore_ascii_case(one)))
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// The rules of a file, or one unreadable rule that says why there are none. It may include files of its folder.
#[must_use]
pub fn load_file(path: &Path) -> Vec<Rule> {
    include::load(path, folder_of(path)).rules
}

/// A file of what `paths` name, loaded again. As in [`load_files`], it may include what lies below its rule folder.
#[must_use]
pub fn reload_file(path: &Path, paths: &[PathBuf]) -> RuleFile {
    let named = paths.iter().find(|named| path.starts_with(named));
    include::load(path, folder_of(named.map_or(path, PathBuf::as_path)))
}

/// The rule folder of what a user names: a folder itself, or the folder of a file.
pub(crate) fn folder_of(path: &Path) -> &Path {
    if path.is_dir() {
        return path;
    }
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

/// The text of a file, or the unreadable rule that stands for it.
pub(super) fn read_text(path: &Path) -> Result<String, Box<Rule>> {
    let bytes = read(path).map_err(|problem| unreadable(path, "", problem))?;
    String::from_utf8(bytes).map_err(|error| Box::new(not_utf8(path, &error)))
}

/// The bytes of a regular file, within the limit. Pipes and devices are refused: they may never end.
fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    let failed = |error: io::Error| {
        Problem::new(ProblemKind::Unreadable, Span::START, format!("the file cannot be read: {error}"))
    };
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a folder" } else { "not a regular file" };
        return match fs::read_dir(path) {
            Err(error) if metadata.is_dir() => Err(failed(error)),
            _ => Err(Problem::new(ProblemKind::Unreadable, Span::START, format!("this is {what}"))),
        };
    }
    let limit = MAX_BYTES as u64 + 1;
    // Room for the end of the file as well: it is read in one go, and its end is seen without asking for more.
    let room = metadata.len().min(limit) + 1;
    let mut bytes = Vec::with_capacity(usize::try_from(room).unwrap_or_default());
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() > MAX_BYTES {
        let message = format!("the file is larger than the {MAX_BYTES} bytes that are read");
        return Err(Problem::new(ProblemKind::Limit, Span::START, message).with_help("split the file"));
    }
    Ok(bytes)
}

fn not_utf8(path: &Path, error: &std::string::FromUtf8Error) -> Rule {
    let bytes = error.as_bytes();
    let valid = bytes.get(..error.utf8_error().valid_up_to()).unwrap_or_default();
    let start = Position::START.after(&String::from_utf8_lossy(valid));
    let problem =
        Problem::new(ProblemKind::Unreadable, Span { start, end: start }, "the file is not UTF-8 here");
    let help = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        "it is UTF-16; save it as UTF-8"
    } else {
        "save it as UTF-8"
    };
    unreadable(path, &String::from_utf8_lossy(bytes), problem.with_help(help))
}

fn unreadable(path: &Path, text: &str, problem: Problem) -> Rule {
    let source = Source { path: Arc::from(path), text: Arc::from(text) };
    source.unreadable(0, problem.span, problem)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::sigma::Body;

    const RULE: &[u8] = b"title: T\nlogsource: {category: c}\ndetection: {s: {A: x}, condition: s}\n";

    fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let below = |path: PathBuf| path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
        rule_files(&[folder.to_path_buf()]).into_iter().map(below).collect()
    }

    fn refused(path: &Path) -> Problem {
        let mut rules = load_file(path);
        assert!(matches!(rules[0].body, Body::Unreadable));
        rules.remove(0).problems.remove(0)
    }

    #[test]
    fn a_folder_is_listed_in_byte_order_of_its_paths() {
        let folder = folder(&[
            ("b.yml", RULE),
            ("a/z.YAML", RULE),
            ("a-b.yml", RULE),
            ("a/note.txt", b""),
            (".git/x.yml", b""),
            ("a/.#z.yml", b""),
            ("b.test.yml", b"cases: []"),
            ("a/z.Test.YAML", b"cases: []"),
            ("b.test.json", b"{}"),
        ]);
        assert_eq!(names(folder.path()), ["a-b.yml", "a/z.YAML", "b.yml"]);
        assert_eq!(load(&[folder.path().to_path_buf()]).len(), 3);
        let cases = ["a/z.Test.YAML", "b.test.json", "b.test.yml"].map(|name| folder.path().join(name));
        assert_eq!(case_files(folder.path()), cases);
    }

    #[test]
    fn a_file_that_is_named_is_read_whatever_it_is_called_and_once() {
        let folder = folder(&[("rule.txt", RULE), ("a.yml", RULE)]);
        let (text, rule) = (folder.path().join("rule.txt"), folder.path().join("a.yml"));
        let files = rule_files(&[text.clone(), rule.clone(), folder.path().to_path_buf(), text.clone()]);
        assert_eq!(files, [text, rule]);
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_nowhere_or_back_do_no_harm() {
        use std::os::unix::fs::symlink;
        let folder = folder(&[("a/a.yml", RULE)]);
        symlink(folder.path(), folder.path().join("a/back")).unwrap();
        symlink("/nowhere/at/all", folder.path().join("dangling.yml")).unwrap();
        symlink("user@host.1:2", folder.path().join(".#a.yml")).unwrap();
        assert_eq!(names(folder.path()), ["a/a.yml", "dangling.yml"]);
        assert_eq!(refused(&folder.path().join("dangling.yml")).kind, ProblemKind::Unreadable);
    }

    #[test]
    fn what_cannot_be_read_is_a_rule_that_says_why() {
        let huge = vec![b'a'; MAX_BYTES + 1];
        let folder = folder(&[
            ("bad.yml", b"title: T\nid: \xff\xfe\n"),
            ("wide.yml", b"\xff\xfet\0"),
            ("huge.yml", &huge),
            ("folder.yml/x.yml", RULE),
        ]);
        let problem = refused(&folder.path().join("bad.yml"));
        assert_eq!((problem.kind, problem.span.start.line), (ProblemKind::Unreadable, 2));
        assert_eq!(problem.span.start.column, 5);
        assert!(refused(&folder.path().join("wide.yml")).help.unwrap().contains("UTF-16"));
        assert_eq!(refused(&folder.path().join("huge.yml")).kind, ProblemKind::Limit);
        assert_eq!(refused(&folder.path().join("missing.yml")).kind, ProblemKind::Unreadable);
        assert_eq!(refused(&folder.path().join("folder.yml")).kind, ProblemKind::Unreadable);
        assert_eq!(load(&[folder.path().join("missing")]).len(), 1);
    }
}
