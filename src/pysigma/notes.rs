//! The findings of an import or an export, collected, and the codes that they have.

use std::path::{Path, PathBuf};

use crate::bridge::{Code, Diagnostic, Severity};
use crate::sigma::Span;

pub(crate) static SYNTAX: Code = Code {
    name: "pysigma_syntax",
    reason: None,
    severity: Severity::Error,
    summary: "the file is not a pySigma processing pipeline",
    explanation: "A pipeline is one YAML map with `transformations`: a list of items, each with a `type` that pySigma \
                  knows and the keys that this type takes. pySigma refuses such a file, too.",
};

pub(crate) static CONDITION: Code = Code {
    name: "pysigma_condition",
    reason: None,
    severity: Severity::Warning,
    summary: "an item whose condition only the rule itself answers",
    explanation: "A pack decides by a rule's log source. Conditions on its tags, its attributes, its fields or its \
                  values are not carried; what the item would change is left out, so that rules which need it are \
                  refused and never run without it.",
};

pub(crate) static TRANSFORMATION: Code = Code {
    name: "pysigma_transformation",
    reason: None,
    severity: Severity::Warning,
    summary: "a transformation that a mapping pack has no counterpart for",
    explanation: "The fields whose values it changes get no alias: rules would look for other values than the \
                  pipeline does. What only shapes the query or its output is left out without an effect on aliases.",
};

pub(crate) static UNKNOWN_TARGET: Code = Code {
    name: "pysigma_unknown_target",
    reason: None,
    severity: Severity::Warning,
    summary: "a field is mapped to what the routed OCSF classes do not have",
    explanation: "The targets of a pipeline may be those of any schema. Only paths that the pinned OCSF catalog has in \
                  a class of the route, and `raw.*`, become aliases; rules that use the others are refused as \
                  unmapped_field.",
};

pub(crate) static UNROUTED: Code = Code {
    name: "pysigma_unrouted",
    reason: None,
    severity: Severity::Warning,
    summary: "a log source that the pipeline names, and gives no OCSF class",
    explanation: "A route needs classes: an `add_condition` on `class_uid` for the log source gives them. It also names \
                  a category, or a service. Without a route, none of the fields of the log source are carried.",
};

pub(crate) static FILTER: Code = Code {
    name: "pysigma_filter",
    reason: None,
    severity: Severity::Warning,
    summary: "an added condition or a filter that the other side cannot state",
    explanation: "A route without the condition would look at more events than was meant, so the route is left out: \
                  its rules are refused. A filter of a route has a path that its classes have, and a value of that \
                  path's type; of wildcards, one `*` at either end.",
};

pub(crate) static SCOPE: Code = Code {
    name: "pysigma_scope",
    reason: None,
    severity: Severity::Warning,
    summary: "a field that the pipeline takes back for a narrower log source",
    explanation: "An alias holds for all rules of its scope, narrower log sources included. Where the pipeline leaves \
                  the field out for one of these, the wider alias is left out as well.",
};

pub(crate) static KEYWORDS: Code = Code {
    name: "pysigma_keywords",
    reason: None,
    severity: Severity::Warning,
    summary: "searches without a field are not carried",
    explanation: "What a search without a field looks through is stated once for a whole pack, under `keywords` in \
                  pack.yaml, and in a pipeline by a mapping of the empty field name. Neither becomes the other; an \
                  exported pipeline refuses such rules.",
};

pub(crate) static COMPUTED: Code = Code {
    name: "pysigma_computed",
    reason: None,
    severity: Severity::Warning,
    summary: "an alias is computed, and a pipeline maps names only",
    explanation: "An expression has no name that a query could use. The exported pipeline fails on the field with \
                  detection_item_failure, so that no rule is converted without it.",
};

pub(crate) static PER_CLASS: Code = Code {
    name: "pysigma_per_class",
    reason: None,
    severity: Severity::Warning,
    summary: "an alias depends on the event's class in a way that names cannot say",
    explanation: "In a query, all names hold for all events. Targets for each class are exported where no class has \
                  the path of another; else the pipeline fails on the field.",
};

pub(crate) static VALUES: Code = Code {
    name: "pysigma_values",
    reason: None,
    severity: Severity::Warning,
    summary: "an alias translates values in a way that a pipeline cannot",
    explanation: "A value map is exported where every literal of a rule is translated or refused, to text or whole \
                  numbers, and where a kept one cannot be taken for a translated one. Else the pipeline fails on the \
                  field.",
};

pub(crate) static ANY_OF: Code = Code {
    name: "pysigma_any_of",
    reason: None,
    severity: Severity::Warning,
    summary: "several paths for one field, which a pipeline asks one by one",
    explanation: "Here, several paths are one list of values: `all` may find them in different ones, and `neq` holds \
                  if none has the value. A query of pySigma asks each path by itself: `all` of one, `neq` of any. \
                  Comparisons with null fail in the exported pipeline.",
};

pub(crate) static WHEN: Code = Code {
    name: "pysigma_when",
    reason: None,
    severity: Severity::Warning,
    summary: "a route's `when` has a literal that a pipeline cannot compare",
    explanation: "Literals of `when` are exported if they are letters, digits, blanks, `_`, `-`, `.` or `/`. A route \
                  with others is left out of the pipeline, and its rules fail, also where a wider route would take \
                  them.",
};

pub(crate) static UNRESOLVED: Code = Code {
    name: "pysigma_unresolved",
    reason: None,
    severity: Severity::Warning,
    summary: "an alias that refuses its rules here, and fails in the pipeline",
    explanation: "Two aliases answer for the field, the route's classes lack the target, or it needs raw fallback that \
                  is not permitted. With `--raw-fallback`, permitted raw.* paths are exported.",
};

/// Findings about one file or one pack.
#[derive(Default)]
pub(super) struct Notes {
    path: PathBuf,
    findings: Vec<Diagnostic>,
}

impl Notes {
    pub(super) fn about(path: &Path) -> Self {
        Self { path: path.to_owned(), findings: Vec::new() }
    }

    /// Notes a finding about the file.
    pub(super) fn raise(&mut self, code: &'static Code, span: Span, message: impl Into<String>) {
        self.at(self.path.clone(), code, span, message);
    }

    /// Notes a finding about another file. One that was noted is not noted again.
    pub(super) fn at(&mut self, path: PathBuf, code: &'static Code, span: Span, message: impl Into<String>) {
        let finding = Diagnostic { code, message: message.into(), path, span, help: None };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    pub(super) fn is_sound(&self) -> bool {
        self.findings.iter().all(|finding| finding.code.severity != Severity::Error)
    }

    /// All findings, by file and place.
    pub(super) fn into_findings(mut self) -> Vec<Diagnostic> {
        self.findings.sort_by(|a, b| (&a.path, a.span.start).cmp(&(&b.path, b.span.start)));
        self.findings
    }
}
