//! From files to a [`Pack`]: reads all of them, and reports all that is wrong at once.

use std::path::Path;

use super::files::Place;
use super::report::Report;
use super::source::PackSource;
use super::{Pack, extends, manifest, merge};
use crate::bridge::{Code, Diagnostic, Severity};
use crate::sigma::Span;
use crate::sigma::yaml::{self, Node, NodeKind};

pub(crate) static PACK_SYNTAX: Code = Code {
    name: "pack_syntax",
    reason: None,
    severity: Severity::Error,
    summary: "a file of the mapping pack is not YAML of the form that it has to have",
    explanation: "mapping_packs/README.md shows every form. Unknown and duplicate keys are refused, so that a \
                  misspelt key is never silently without effect.",
};

/// A pack that can be used, and what is odd about it.
#[derive(Clone, Debug)]
pub struct LoadedPack {
    /// The pack.
    pub pack: Pack,
    /// Findings for which nothing is refused, by file and place.
    pub warnings: Vec<Diagnostic>,
}

/// Why a pack cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", self.text())]
pub struct PackError {
    /// All errors, by file and place; never empty.
    pub findings: Vec<Diagnostic>,
    /// Findings for which nothing is refused, likewise.
    pub warnings: Vec<Diagnostic>,
}

impl PackError {
    fn text(&self) -> String {
        let lines = self
            .findings
            .iter()
            .map(|finding| format!("{}:{}: {}", finding.path.display(), finding.span.start, finding.message));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Reads and validates a pack, and the packs that it extends.
///
/// # Errors
/// A file is missing or cannot be read, is not of the form that it has to have, or says something that cannot hold
/// in the pinned OCSF version. Every error is found, not only the first.
pub fn load(source: &PackSource) -> Result<LoadedPack, PackError> {
    let mut report = Report::default();
    let place = Place::of(source, &mut report);
    finish(place, report)
}

/// Threads of a session, as the pack states them; 1 where its manifest cannot be read. Reads nothing else of the pack.
#[must_use]
pub fn session_threads(source: &PackSource) -> u32 {
    let mut report = Report::default();
    let manifest = Place::of(source, &mut report)
        .and_then(|place| document(&place, Path::new("pack.yaml"), &mut report))
        .and_then(|node| manifest::read(&node, &mut report));
    manifest.map_or(1, |manifest| manifest.backend.threads)
}

/// Reads the pack at a place, if there is one, and gives all that is wrong with it.
pub(super) fn finish(place: Option<Place>, mut report: Report) -> Result<LoadedPack, PackError> {
    let layers = place.map(|place| extends::read(place, &mut report)).unwrap_or_default();
    let pack = merge::merged(&layers, &mut report);
    let mut findings = report.findings;
    findings.sort_by(|a, b| (&a.path, a.span.start).cmp(&(&b.path, b.span.start)));
    let (errors, warnings): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| finding.code.severity == Severity::Error);
    match errors.is_empty() {
        true => Ok(LoadedPack { pack, warnings }),
        false => Err(PackError { findings: errors, warnings }),
    }
}

/// The one YAML document of a file; null where the file says nothing.
pub(super) fn document(place: &Place, file: &Path, report: &mut Report) -> Option<Node> {
    let text = place.read(file, report)?;
    let mut documents = report.accept(&PACK_SYNTAX, yaml::parse(&text))?.into_iter();
    let first = documents.next().unwrap_or(Node { kind: NodeKind::Null, span: Span::START });
    match documents.next() {
        None => Some(first),
        Some(second) => {
            let message = "the file has several YAML documents, where one is expected".to_owned();
            report.refuse(&PACK_SYNTAX, second.span, message, None)
        }
    }
}
