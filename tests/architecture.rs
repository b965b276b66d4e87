//! The shape of the house, held by reading its text: which room may know which, who may speak, and the pins.

use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

/// The rooms of `src/`, which are modules of the crate.
const ROOMS: [&str; 16] = [
    "sigma",
    "ocsf",
    "pack",
    "bridge",
    "backend",
    "store",
    "evaluate",
    "stream",
    "attribution",
    "bundle",
    "report",
    "authoring",
    "pysigma",
    "watch",
    "tui",
    "cli",
];

/// The longest that a source file may be, in lines.
const LONGEST_FILE: usize = 600;

/// A source file: its path below the crate, and its lines without comments.
struct Source {
    path: String,
    lines: Vec<String>,
    /// How many lines it has with them.
    length: usize,
}

impl Source {
    fn room(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside.split(['/', '.']).next().unwrap_or_default()
    }

    /// The lines before the tests of the file, with their numbers.
    fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.lines.iter().map(String::as_str);
        lines
            .take_while(|line| !line.starts_with("#[cfg(test)]"))
            .enumerate()
            .map(|(at, line)| (at + 1, line))
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn sources() -> Vec<Source> {
    let files = WalkDir::new(root().join("src")).sort_by_file_name().into_iter();
    files
        .map(|entry| entry.expect("src/ can be read").into_path())
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .map(|path| {
            let text = read(&path);
            let lines: Vec<_> = text.lines().map(without_comment).collect();
            let inside = path.strip_prefix(root()).expect("it lies in the crate");
            let path = inside.to_string_lossy().replace('\\', "/");
            Source { path, length: lines.len(), lines }
        })
        .collect()
}

fn without_comment(line: &str) -> String {
    if line.trim_start().starts_with("//") { String::new() } else { line.to_owned() }
}

/// The rooms that a text names by `crate::` or by climbing out of its own, and `duckdb`, the library.
fn arrows(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices("::") {
        let before = identifier_before(&text[..at]);
        let after = &text[at + 2..];
        match before {
            "crate" | "super" | "sigma_ocsf_tui" => found.extend(heads(after)),
            "duckdb" => found.push("duckdb"),
            _ => {}
        }
    }
    found.retain(|name| *name == "duckdb" || ROOMS.contains(name));
    found
}

fn identifier_before(text: &str) -> &str {
    let start = text.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
    text.get(start..).unwrap_or_default()
}

fn identifier(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    &text[..end]
}

/// The first name of what follows a `::`, or of each entry where a group follows.
fn heads(text: &str) -> Vec<&str> {
    let Some(group) = text.strip_prefix('{') else { return vec![identifier(text)] };
    let mut depth = 0;
    let mut heads = vec![identifier(group)];
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => heads.push(identifier(&group[at + 1..])),
            _ => {}
        }
    }
    heads
}

fn may_not_know(room: &str) -> Vec<&'static str> {
    match room {
        "sigma" | "ocsf" => ROOMS.into_iter().filter(|other| *other != room).chain(["duckdb"]).collect(),
        "bridge" => vec!["store", "duckdb"],
        "backend" => vec!["store"],
        "tui" => vec!["duckdb"],
        "attribution" | "bundle" | "report" | "authoring" | "pysigma" | "stream" => {
            vec!["duckdb", "tui", "cli"]
        }
        _ => vec![],
    }
}

#[test]
fn no_room_knows_what_it_must_not_know() {
    let mut wrong = Vec::new();
    for source in sources() {
        let forbidden = may_not_know(source.room());
        let text = source.lines.join("\n");
        let found = arrows(&text).into_iter().filter(|name| forbidden.contains(name));
        wrong.extend(found.map(|name| format!("{} → {name}", source.path)));
    }
    assert!(wrong.is_empty(), "forbidden arrows:\n{}", wrong.join("\n"));
}

#[test]
fn arrows_are_found_however_they_are_written() {
    assert_eq!(arrows("use crate::store::Store;"), ["store"]);
    assert_eq!(
        arrows("use crate::{ocsf::{ClassUid, FieldType}, pack, sigma::Span};"),
        ["ocsf", "pack", "sigma"]
    );
    assert_eq!(arrows("use crate::{\n    tui::View,\n};"), ["tui"]);
    assert_eq!(arrows("let x = super::super::backend::compile();"), ["backend"]);
    assert_eq!(arrows("fn f(c: &duckdb::Connection)"), ["duckdb"]);
    assert!(arrows("use super::span::Span; use crate::Error; my_crate::store::x()").is_empty());
}

/// Fails where a line before the tests holds one of `words`, in a file that `excused` does not name.
fn assert_nobody_says(words: &[&str], excused: &[&str]) {
    let mut wrong = Vec::new();
    for source in sources() {
        if excused.iter().any(|prefix| source.path.starts_with(prefix)) {
            continue;
        }
        for (number, line) in source.product_lines() {
            if words.iter().any(|word| line.contains(word)) {
                wrong.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_theme_names_colours() {
    assert_nobody_says(&["Color::", "style::Color"], &["src/tui/theme/"]);
}

#[test]
fn only_the_commands_print_and_exit() {
    let words = ["println!", "print!(", "dbg!(", "process::exit", "process::abort"];
    assert_nobody_says(
        &words,
        &["src/tui/tests/frames.rs", "src/cli/", "src/main.rs", "src/tui/terminal.rs"],
    );
}

#[test]
fn files_have_one_subject_each() {
    let long = sources().into_iter().filter(|source| source.length > LONGEST_FILE);
    let long: Vec<_> = long.map(|source| format!("{}: {} lines", source.path, source.length)).collect();
    assert!(long.is_empty(), "over {LONGEST_FILE} lines:\n{}", long.join("\n"));
}

#[test]
fn every_file_says_what_it_owns() {
    let silent =
        sources().into_iter().map(|source| source.path).filter(|path| !read(path).starts_with("//!"));
    assert_eq!(silent.collect::<Vec<_>>(), Vec::<String>::new(), "these do not open with //!");
}

/// The pin that SUPPORTED_VERSIONS.md states for `what`.
fn pin(what: &str) -> String {
    let page = read("SUPPORTED_VERSIONS.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let mut pins = rows.filter(|(name, _)| *name == what);
    let (_, rest) = pins.next().unwrap_or_else(|| panic!("SUPPORTED_VERSIONS.md has no row for {what}"));
    rest.split(" | ").next().unwrap_or_default().to_owned()
}

#[test]
fn duckdb_is_pinned_to_one_version_everywhere() {
    let duckdb = pin("DuckDB");
    assert_eq!(sigma_ocsf_tui::store::DUCKDB_VERSION, format!("v{duckdb}"));

    let wrapper = pin("crate `duckdb`");
    assert!(read("Cargo.toml").contains(&format!("duckdb = {{ version = \"{wrapper}\"")));
    // The crate writes DuckDB 1.5.6 as 10506 in its second number.
    let numbers: Vec<u32> = duckdb.split('.').map(|n| n.parse().expect("a number")).collect();
    let [major, minor, patch] = numbers[..] else { panic!("{duckdb} has three numbers") };
    assert!(wrapper.starts_with(&format!("=1.{}.", major * 10_000 + minor * 100 + patch)));

    let package = pin("prebuilt DuckDB package");
    assert!(package.starts_with(&format!("{duckdb}-")));
    assert!(read("x").contains(&format!("DUCKDB_PACKAGE_VERSION={package}\n")));
}

#[test]
fn spark_is_pinned_to_one_version_everywhere() {
    let spark = pin("Spark");
    assert_eq!(sigma_ocsf_tui::backend::spark_sql::SPARK_VERSION, spark);
    let package = pin("package `pyspark`");
    assert!(package.starts_with(&format!("{spark}.")));
    assert!(read("tests/spark/requirements.txt").contains(&format!("pyspark=={package}\n")));
}

#[test]
fn ocsf_and_rust_are_pinned_to_one_version_everywhere() {
    assert_eq!(sigma_ocsf_tui::ocsf::OCSF_VERSION, pin("OCSF"));
    assert!(read("Cargo.toml").contains(&format!("rust-version = \"{}\"", pin("Rust (MSRV)"))));
}
