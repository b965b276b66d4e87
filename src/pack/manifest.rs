//! `pack.yaml`

use std::collections::BTreeSet;

use super::file::ManifestFile;
use super::load::PACK_SYNTAX;
use super::report::{Report, span_of};
use super::{BackendDefaults, Column, Manifest, RawFallback};
use crate::bridge::{Code, Severity};
use crate::ocsf::{Catalog, FieldType, OCSF_VERSION, OcsfPath};
use crate::sigma::yaml::{self, Node};
use crate::sigma::{Capability, Span, Spanned};

pub(crate) static PACK_OCSF_VERSION: Code = Code {
    name: "pack_ocsf_version",
    reason: None,
    severity: Severity::Error,
    summary: "the mapping pack is for another OCSF version",
    explanation: "Paths and types are checked against the one OCSF version that the tool is pinned to. A pack for \
                  another version may name paths that are not there or mean something else.",
};

pub(crate) static PACK_VALUE: Code = Code {
    name: "pack_value",
    reason: None,
    severity: Severity::Error,
    summary: "pack.yaml has a value that its key does not take",
    explanation: "The id and the version are not empty; a fallback prefix begins with `raw.`; capabilities are known \
                  by name; a session has at least one thread.",
};

/// What `pack.yaml` says, but for `extends`.
pub(super) fn read(node: &Node, report: &mut Report) -> Option<Manifest> {
    let file: ManifestFile = report.accept(&PACK_SYNTAX, yaml::from_node(node))?;
    let at = |keys: &[&str]| span_of(node, keys);
    if file.ocsf_version != OCSF_VERSION {
        let message =
            format!("the pack is for OCSF {}, and the catalog is {OCSF_VERSION}", file.ocsf_version);
        report.raise(&PACK_OCSF_VERSION, at(&["ocsf_version"]), message, None);
    }
    for (key, value) in [("id", &file.id), ("version", &file.version)] {
        if value.trim().is_empty() {
            report.raise(&PACK_VALUE, at(&[key]), format!("`{key}` is empty"), None);
        }
    }
    for prefix in file.raw_fallback.prefixes.iter().filter(|prefix| !prefix.starts_with("raw.")) {
        let help = Some("fallback reaches the source's own fields only".to_owned());
        let message = format!("the prefix `{prefix}` does not begin with `raw.`");
        report.raise(&PACK_VALUE, at(&["raw_fallback", "prefixes"]), message, help);
    }
    let threads = file.backend.threads.unwrap_or(1);
    if threads == 0 {
        report.raise(&PACK_VALUE, at(&["backend", "threads"]), "a session needs a thread".to_owned(), None);
    }
    let keywords = keyword_columns(&file.keywords, at(&["keywords"]), report);
    Some(Manifest {
        extends: file.extends,
        placeholders: file.placeholders,
        keywords,
        capabilities: capabilities(&file.capabilities, at(&["capabilities"]), report),
        id: file.id,
        version: file.version,
        ocsf_version: file.ocsf_version,
        description: file.description,
        raw_fallback: RawFallback {
            enabled: file.raw_fallback.enabled,
            prefixes: file.raw_fallback.prefixes,
        },
        backend: BackendDefaults { threads },
    })
}

/// The packs that `extends` names, each with its place.
pub(super) fn extends(node: &Node) -> Vec<Spanned<String>> {
    let items = node.get("extends").map(Node::items).unwrap_or_default();
    items.iter().filter_map(|item| Some(Spanned::new(item.as_str()?.to_owned(), item.span))).collect()
}

fn capabilities(names: &[String], span: Span, report: &mut Report) -> BTreeSet<Capability> {
    let mut known = BTreeSet::new();
    for name in names {
        match Capability::from_name(name) {
            Some(capability) => drop(known.insert(capability)),
            None => {
                let all: Vec<_> = Capability::ALL.iter().map(|capability| capability.as_str()).collect();
                let help = Some(format!("capabilities are: {}", all.join(", ")));
                report.raise(&PACK_VALUE, span, format!("there is no capability `{name}`"), help);
            }
        }
    }
    known
}

/// Keywords are sought in text, so that each has to be a text of some class.
fn keyword_columns(paths: &[String], span: Span, report: &mut Report) -> Vec<Column> {
    let catalog = Catalog::pinned();
    let mut columns = Vec::new();
    for path in paths {
        let path = OcsfPath(path.clone());
        let found = catalog.classes().find_map(|(class, _)| catalog.resolve(class, &path));
        match found {
            Some(attribute) if attribute.field_type == FieldType::String => {
                columns.push(Column { path, field_type: FieldType::String, list: attribute.list });
            }
            _ => {
                let message = format!("`{path}` is no text of any class, and keywords are sought in text");
                report.raise(&PACK_VALUE, span, message, None);
            }
        }
    }
    columns
}
