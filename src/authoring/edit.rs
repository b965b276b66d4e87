//! An alias written into its file: comments and order stay, and it can be taken back.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::file_edit::{FileEdit, FileError};
use crate::pack::{AliasScope, Pack, PackSource};
use crate::sigma::yaml::{self, Node};
use crate::sigma::{SigmaField, Span, Spanned};

/// Why an alias cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// The pack is no folder on disk.
    #[error(
        "{0} is part of the program; make a pack of your own: `sigma-ocsf-tui pack new my-pack --extends {0}`"
    )]
    NotOnDisk(String),
    /// A file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The field has an alias there.
    #[error("{path}:{line}: `{field}` has an alias here; change it by hand")]
    Taken {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u32,
        /// The field.
        field: SigmaField,
    },
    /// The scope is written as a flow map, or the file is no map of scopes.
    #[error("{path}:{line}: the aliases of `{scope}` do not stand one a line here; add it by hand")]
    Form {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u32,
        /// The scope.
        scope: AliasScope,
    },
}

/// How `field: target` at `scope` would be written: into the file of the pack's folder that has the scope, at its
/// place in the alphabet, or as a new scope in a file of its own.
///
/// # Errors
/// The pack is not on disk, a file cannot be read, or the place is taken or of another form.
pub fn plan_edit(
    source: &PackSource,
    pack: &Pack,
    scope: &AliasScope,
    field: &SigmaField,
    target: &str,
) -> Result<FileEdit, EditError> {
    let PackSource::Folder(folder) = source else {
        return Err(EditError::NotOnDisk(pack.manifest.id.clone()));
    };
    let line = format!("{}: {target}", key(&field.0));
    match file_of(folder, pack, scope) {
        Some(path) => {
            let before = read(&path)?;
            let (after, line) = insert(&path, &before, scope, field, &line)?;
            Ok(FileEdit { path, before: Some(before), after, line })
        }
        None => new_scope(folder, scope, &line),
    }
}

/// The file on disk in which the scope has its first alias: one of the pack's own, else of a pack that it extends.
fn file_of(folder: &Path, pack: &Pack, scope: &AliasScope) -> Option<PathBuf> {
    let files = || pack.aliases.get(scope).into_iter().flat_map(|aliases| aliases.values().flatten());
    let own = files().map(|alias| &*alias.place.path).find(|path| path.starts_with(folder));
    own.or_else(|| files().map(|alias| &*alias.place.path).find(|path| path.is_file())).map(Path::to_path_buf)
}

fn new_scope(folder: &Path, scope: &AliasScope, line: &str) -> Result<FileEdit, EditError> {
    let path = folder.join("aliases").join(format!("{}.yaml", file_name(scope)));
    let before = match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(FileError::Io { path, error }.into()),
    };
    let mut after = before.clone().unwrap_or_default();
    if !after.is_empty() {
        after.push_str(if after.ends_with('\n') { "\n" } else { "\n\n" });
    }
    let number = after.lines().count() + 2;
    after.push_str(&format!("{}:\n  {line}\n", key(&scope.to_string())));
    Ok(FileEdit { path, before, after, line: u32::try_from(number).unwrap_or(u32::MAX) })
}

/// The most telling part of a scope, as a file name: rules are hostile input.
fn file_name(scope: &AliasScope) -> String {
    let part = scope.category.as_ref().or(scope.service.as_ref()).or(scope.product.as_ref());
    let name: String = part
        .map_or("common", String::as_str)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' })
        .take(64)
        .collect();
    if name.is_empty() { "common".to_owned() } else { name }
}

/// The text with the line put in its place, and the number of that line.
fn insert(
    path: &Path,
    text: &str,
    scope: &AliasScope,
    field: &SigmaField,
    line: &str,
) -> Result<(String, u32), EditError> {
    let form =
        |span: Span| EditError::Form { path: path.to_owned(), line: span.start.line, scope: scope.clone() };
    let documents = yaml::parse(text).map_err(|problem| form(problem.span))?;
    let root = documents.first().ok_or_else(|| form(Span::START))?;
    let is_scope = |key: &Spanned<String>| AliasScope::parse(&key.value).is_ok_and(|found| found == *scope);
    let (name, fields) =
        root.entries().iter().find(|(key, _)| is_scope(key)).ok_or_else(|| form(Span::START))?;
    if let Some(taken) = fields.key(&field.0) {
        let line = taken.span.start.line;
        return Err(EditError::Taken { path: path.to_owned(), line, field: field.clone() });
    }
    let entries = fields.entries();
    let (Some((first, _)), true) = (entries.first(), is_block(name, fields)) else {
        return Err(form(name.span));
    };
    let indent = " ".repeat(usize::try_from(first.span.start.column).unwrap_or(1).saturating_sub(1));
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = match entries.iter().find(|(key, _)| key.value > field.0) {
        Some((next, _)) => above_comments(&lines, next.span.start.line),
        None => behind(&lines, entries.last().map_or(name.span, |(key, value)| key.span.to(value.span))),
    };
    let (head, tail) = lines.split_at(at.min(lines.len()));
    let mut after = head.concat();
    if !after.is_empty() && !after.ends_with('\n') {
        after.push('\n');
    }
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    after.push_str(&format!("{indent}{line}{ending}"));
    after.push_str(&tail.concat());
    Ok((after, u32::try_from(at + 1).unwrap_or(u32::MAX)))
}

/// Whether each alias of the scope begins a line of its own.
fn is_block(scope: &Spanned<String>, fields: &Node) -> bool {
    let mut above = scope.span.start.line;
    fields.entries().iter().all(|(key, _)| {
        let below = key.span.start.line > above;
        above = key.span.start.line;
        below
    })
}

/// The index of the line where the comment begins that stands directly above `line`, or of `line` itself.
fn above_comments(lines: &[&str], line: u32) -> usize {
    let mut at = usize::try_from(line).unwrap_or(1).saturating_sub(1);
    while at > 0 && lines.get(at - 1).is_some_and(|above| above.trim_start().starts_with('#')) {
        at -= 1;
    }
    at
}

/// The index of the line behind the last one that `span` has text on.
fn behind(lines: &[&str], span: Span) -> usize {
    let mut at = usize::try_from(span.end.line).unwrap_or(1);
    if span.end.column == 1 {
        at = at.saturating_sub(1);
    }
    while at > 1 && lines.get(at - 1).is_none_or(|line| line.trim().is_empty()) {
        at -= 1;
    }
    at
}

/// A key as YAML: plain where that is safe.
fn key(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'))
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off"
        );
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

pub(super) fn read(path: &Path) -> Result<String, FileError> {
    fs::read_to_string(path).map_err(|error| FileError::Io { path: path.to_owned(), error })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::pack;

    const PACK: &str = "id: p\nversion: 0.1.0\nocsf_version: 1.7.0\nraw_fallback: {prefixes: [raw.]}\n";
    const ROUTES: &str = "- logsource: {category: dns_query, product: windows}\n  classes: [4003]\n";

    struct Bench {
        folder: tempfile::TempDir,
    }

    impl Bench {
        fn new(aliases: &str) -> Self {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join("aliases")).unwrap();
            fs::write(folder.path().join("pack.yaml"), PACK).unwrap();
            fs::write(folder.path().join("routes.yaml"), ROUTES).unwrap();
            fs::write(folder.path().join("aliases/dns.yaml"), aliases).unwrap();
            Self { folder }
        }

        fn plan(&self, scope: &str, field: &str, target: &str) -> Result<FileEdit, EditError> {
            let source = PackSource::Folder(self.folder.path().to_owned());
            let pack = pack::load(&source).unwrap().pack;
            let scope = AliasScope::parse(scope).unwrap();
            plan_edit(&source, &pack, &scope, &SigmaField(field.to_owned()), target)
        }

        /// The alias file after the edit, which the pack has to load with.
        fn after(&self, field: &str, target: &str) -> String {
            let edit = self.plan("dns_query/windows", field, target).unwrap();
            edit.apply().unwrap();
            let written = fs::read_to_string(&edit.path).unwrap();
            let line = written.lines().nth(usize::try_from(edit.line).unwrap() - 1).unwrap();
            assert!(line.contains(field) && line.contains(target), "{line}");
            let pack = pack::load(&PackSource::Folder(self.folder.path().to_owned())).unwrap().pack;
            assert!(pack.aliases.values().any(|fields| fields.contains_key(&SigmaField(field.to_owned()))));
            edit.undo().unwrap();
            assert_eq!(Some(fs::read_to_string(&edit.path).unwrap()), edit.before);
            written
        }
    }

    #[test]
    fn an_alias_goes_to_its_place_in_the_alphabet_and_comments_stay_with_theirs() {
        let bench = Bench::new(
            "# What Sysmon 22 has.\ndns_query/windows:\n  Image: actor.process.file.path\n  # The name asked for.\n  \
             QueryName: query.hostname\n\n# Last words.\n",
        );
        assert_eq!(
            bench.after("ProcessGuid", "actor.process.uid"),
            "# What Sysmon 22 has.\ndns_query/windows:\n  Image: actor.process.file.path\n  ProcessGuid: \
             actor.process.uid\n  # The name asked for.\n  QueryName: query.hostname\n\n# Last words.\n"
        );
        assert_eq!(
            bench.after("QueryResults", "answers.rdata"),
            "# What Sysmon 22 has.\ndns_query/windows:\n  Image: actor.process.file.path\n  # The name asked for.\n  \
             QueryName: query.hostname\n  QueryResults: answers.rdata\n\n# Last words.\n"
        );
    }

    #[test]
    fn the_last_alias_may_span_lines_or_lack_its_line_break() {
        let bench = Bench::new("dns_query/windows:\n    Image:\n      path: actor.process.file.path");
        assert_eq!(
            bench.after("QueryName", "query.hostname"),
            "dns_query/windows:\n    Image:\n      path: actor.process.file.path\n    QueryName: query.hostname\n"
        );
        let bench = Bench::new("dns_query/windows:\r\n  QueryName: query.hostname\r\n");
        assert_eq!(
            bench.after("Image", "actor.process.file.path"),
            "dns_query/windows:\r\n  Image: actor.process.file.path\r\n  QueryName: query.hostname\r\n"
        );
    }

    #[test]
    fn a_scope_that_no_file_has_gets_one() {
        let bench = Bench::new("");
        let edit = bench.plan("dns_query/windows", "QueryName", "query.hostname").unwrap();
        assert!(edit.path.ends_with("aliases/dns_query.yaml") && edit.before.is_none());
        edit.apply().unwrap();
        assert_eq!(
            fs::read_to_string(&edit.path).unwrap(),
            "dns_query/windows:\n  QueryName: query.hostname\n"
        );
        edit.undo().unwrap();
        assert!(!edit.path.exists());
    }

    #[test]
    fn a_scope_of_a_hostile_rule_names_no_file_elsewhere() {
        for category in ["../../x", "/etc/passwd", "..", "", "a\0b"] {
            let scope = AliasScope { category: Some(category.to_owned()), ..AliasScope::default() };
            let name = file_name(&scope);
            assert!(!name.contains(['/', '.', '\0']) && !name.is_empty(), "{name}");
        }
    }

    #[test]
    fn what_cannot_be_done_line_by_line_is_left_to_the_author() {
        let flow = Bench::new("dns_query/windows: {Image: actor.process.file.path}\n");
        assert!(matches!(flow.plan("dns_query/windows", "A", "query.hostname"), Err(EditError::Form { .. })));
        let taken = Bench::new("dns_query/windows:\n  Image: actor.process.file.path\n");
        let again = taken.plan("dns_query/windows", "Image", "actor.process.name");
        assert!(matches!(again, Err(EditError::Taken { line: 2, .. })));
    }

    #[test]
    fn an_odd_field_is_quoted() {
        let bench = Bench::new("dns_query/windows:\n  Image: actor.process.file.path\n");
        let edit = bench.plan("dns_query/windows", "a: \u{7}b", "query.hostname").unwrap();
        edit.apply().unwrap();
        let text = fs::read_to_string(&edit.path).unwrap();
        assert!(text.contains(r#""a: \u0007b": query.hostname"#), "{text}");
    }
}
