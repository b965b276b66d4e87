//! Rule files on disk: which there are, and what they hold. Whatever goes wrong becomes an unreadable rule.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::{DirEntry, WalkDir};

use super::collection::parse;
use super::document::Source;
use super::problem::{Problem, ProblemKind};
use super::rule::Rule;
use super::span::{Position, Span};
use super::yaml::MAX_BYTES;

/// The rules of files and folders, in the order of [`rule_files`] and of their documents.
#[must_use]
pub fn load(paths: &[PathBuf]) -> Vec<Rule> {
    rule_files(paths).iter().flat_map(|path| load_file(path)).collect()
}

/// The rule files that paths name: files as they are, folders with every `.yml` and `.yaml` file below them, in
/// byte order, without hidden ones (`.git`, `.#locks` of editors). What cannot be listed is among them, so that
/// reading it says why. No path stands twice.
#[must_use]
pub fn rule_files(paths: &[PathBuf]) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    paths
        .iter()
        .flat_map(|path| if path.is_dir() { files_below(path) } else { vec![path.clone()] })
        .filter(|path| seen.insert(path.clone()))
        .collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let visible = |entry: &DirEntry| entry.depth() == 0 || !is_hidden(entry.path());
    let mut files: Vec<PathBuf> = WalkDir::new(folder)
        .follow_links(true)
        .into_iter()
        .filter_entry(visible)
        .filter_map(|entry| match entry {
            Ok(entry) if entry.file_type().is_dir() || !is_yaml(entry.path()) => None,
            Ok(entry) => Some(entry.into_path()),
            Err(error) if error.loop_ancestor().is_some() => None,
            Err(error) => error.path().filter(|path| is_unlisted(path)).map(Path::to_path_buf),
        })
        .collect();
    files.sort_by(|one, other| one.as_os_str().as_encoded_bytes().cmp(other.as_os_str().as_encoded_bytes()));
    files
}

/// Whether what the walk failed on matters: a folder, or a link that is named like a rule.
fn is_unlisted(path: &Path) -> bool {
    path.is_dir() || (is_yaml(path) && !is_hidden(path))
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        extension.eq_ignore_ascii_case("yml") || extension.eq_ignore_ascii_case("yaml")
    })
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// The rules of a file, or one unreadable rule that says why there are none.
#[must_use]
pub fn load_file(path: &Path) -> Vec<Rule> {
    match read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => parse(path, &text),
            Err(error) => vec![not_utf8(path, &error)],
        },
        Err(problem) => vec![unreadable(path, "", problem)],
    }
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
    let mut bytes = Vec::new();
    let limit = MAX_BYTES as u64 + 1;
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
