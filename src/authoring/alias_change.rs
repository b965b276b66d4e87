//! An alias that is there, changed at its line.

use super::edit::{EditError, plan_edit, read};
use super::file_edit::FileEdit;
use crate::pack::{AliasScope, Pack, PackPlace, PackSource};
use crate::sigma::yaml::{self, Node};
use crate::sigma::{SigmaField, Span};

/// How the alias of `field` at `place` would be changed to `target`, which is YAML on one line: its file with that in
/// place of what stands behind the field. An alias that lies in no file of its own, as one of an extended pack in the
/// binary, is written into the pack as one of its own.
///
/// # Errors
/// The pack is not on disk, a file cannot be read, or the alias spans lines.
pub fn plan_change(
    source: &PackSource,
    pack: &Pack,
    place: &PackPlace,
    scope: &AliasScope,
    field: &SigmaField,
    target: &str,
) -> Result<FileEdit, EditError> {
    let on_disk = matches!(source, PackSource::Folder(_)) && place.path.is_file();
    if !on_disk {
        return plan_edit(source, pack, scope, field, target);
    }
    let before = read(&place.path)?;
    let line = place.span.start.line;
    let form = || EditError::Form { path: place.path.to_path_buf(), line, scope: scope.clone() };
    let span = value_span(&before, scope, field).ok_or_else(form)?;
    let head = before.get(..span.start.offset).ok_or_else(form)?;
    let tail = before.get(span.end.offset..).ok_or_else(form)?;
    let after = format!("{head}{target}{tail}");
    if !says(&after, scope, field, target) {
        return Err(form());
    }
    Ok(FileEdit { path: place.path.to_path_buf(), before: Some(before), after, line: span.start.line })
}

/// Where the target stands, where that is on one line.
fn value_span(text: &str, scope: &AliasScope, field: &SigmaField) -> Option<Span> {
    let documents = yaml::parse(text).ok()?;
    let span = target_of(&documents, scope, field)?.span;
    let written = span.slice(text)?;
    (!written.is_empty() && !written.contains(['\n', '\r']) && !written.starts_with('*')).then_some(span)
}

fn target_of<'n>(documents: &'n [Node], scope: &AliasScope, field: &SigmaField) -> Option<&'n Node> {
    let scopes = documents.first()?.entries().iter();
    let mut of_scope = scopes.filter(|(key, _)| AliasScope::parse(&key.value).is_ok_and(|is| is == *scope));
    of_scope.find_map(|(_, fields)| fields.get(&field.0))
}

/// Whether the file has this target for the field.
fn says(text: &str, scope: &AliasScope, field: &SigmaField, target: &str) -> bool {
    let (Ok(after), Ok(wanted)) = (yaml::parse(text), yaml::parse(target)) else { return false };
    let found = target_of(&after, scope, field).map(Node::to_value);
    found.is_some() && found == wanted.first().map(Node::to_value)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::fs;

    use super::*;
    use crate::pack;

    const PACK: &str = "id: p\nversion: 0.1.0\nocsf_version: 1.7.0\nraw_fallback: {prefixes: [raw.]}\n";
    const ROUTES: &str = "- logsource: {category: dns_query, product: windows}\n  classes: [4003]\n";

    /// The alias file with `target` for `QueryName`, and the file as it was once that is taken back.
    fn changed(aliases: &str, target: &str) -> Result<String, EditError> {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("aliases")).unwrap();
        fs::write(folder.path().join("pack.yaml"), PACK).unwrap();
        fs::write(folder.path().join("routes.yaml"), ROUTES).unwrap();
        fs::write(folder.path().join("aliases/dns.yaml"), aliases).unwrap();
        let source = PackSource::Folder(folder.path().to_owned());
        let pack = pack::load(&source).unwrap().pack;
        let scope = AliasScope::parse("dns_query/windows").unwrap();
        let field = SigmaField("QueryName".to_owned());
        let place = &pack.aliases[&scope][&field][0].place;
        let edit = plan_change(&source, &pack, place, &scope, &field, target)?;
        edit.apply().unwrap();
        let after = fs::read_to_string(&edit.path).unwrap();
        pack::load(&source).unwrap();
        edit.undo().unwrap();
        assert_eq!(fs::read_to_string(&edit.path).unwrap(), aliases);
        Ok(after)
    }

    #[test]
    fn only_the_target_changes() {
        let file = "# c\r\n\"dns_query/windows\":\r\n  QueryName: query.hostname # asked\r\n  Image: actor.process.file.path\r\n";
        assert_eq!(changed(file, "query.type").unwrap(), file.replace("query.hostname", "query.type"));
        let flow = "dns_query/windows: {QueryName: {path: query.hostname}, Image: actor.process.file.path}\n";
        assert_eq!(
            changed(flow, "{path: query.type}").unwrap(),
            flow.replace("query.hostname", "query.type")
        );
    }

    #[test]
    fn what_spans_lines_or_would_mean_something_else_is_left_to_the_author() {
        let block = "dns_query/windows:\n  QueryName:\n    path: query.hostname\n    literal: string\n";
        let left = changed(block, "query.type");
        assert!(matches!(left, Err(EditError::Form { .. })), "{left:?}");
        let file = "dns_query/windows:\n  QueryName: query.hostname\n";
        for hostile in ["query.type\nx: y", "*x", "[", ""] {
            assert!(changed(file, hostile).is_err(), "{hostile}");
        }
    }
}
