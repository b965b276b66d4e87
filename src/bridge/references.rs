//! How rules refer to each other: by id first, then by name.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::diagnostic::{Code, Diagnostic, Severity};
use super::reason::ReasonCode;
use crate::sigma::{Body, Rule, Spanned};

/// Two rules of one id.
static DUPLICATE_RULE_ID: Code = Code {
    name: "duplicate_rule_id",
    reason: Some(ReasonCode::BackendCompileError),
    severity: Severity::Error,
    summary: "two rules of the set have the same id",
    explanation: "Plans, detections and references name a rule by its id, so that two rules of one id cannot be \
told apart. All but the first are refused, and so is a correlation or filter that refers to the id. Give each rule an \
id of its own.",
};

/// Two rules of one name.
static DUPLICATE_RULE_NAME: Code = Code {
    name: "duplicate_rule_name",
    reason: Some(ReasonCode::BackendCompileError),
    severity: Severity::Error,
    summary: "two rules of the set have the same name",
    explanation: "`name` is what correlations and filters may call a rule, so that two rules of one name cannot be \
told apart. All but the first are refused, and so is a correlation or filter that refers to the name. Give each rule \
a name of its own, or refer to its id.",
};

/// A reference to no rule of the set.
static UNKNOWN_RULE: Code = Code {
    name: "unknown_rule",
    reason: Some(ReasonCode::BackendCompileError),
    severity: Severity::Error,
    summary: "a correlation or filter refers to a rule that is not in the set",
    explanation: "A reference is the `id` or the `name` of a rule among those that were loaded together, compared \
with case; a title is none. Load the rule too, or correct the reference. A filter whose references are partly \
unknown still narrows the rules that it does name.",
};

/// The codes of this file.
pub(crate) static CODES: [&Code; 3] = [&DUPLICATE_RULE_ID, &DUPLICATE_RULE_NAME, &UNKNOWN_RULE];

/// The rules that can be referred to, by id and by name.
pub(super) struct References<'r> {
    ids: BTreeMap<&'r str, Vec<usize>>,
    names: BTreeMap<&'r str, Vec<usize>>,
}

impl<'r> References<'r> {
    /// Event rules and correlations; a filter cannot be referred to.
    pub(super) fn new(rules: &'r [Arc<Rule>]) -> Self {
        let mut references = Self { ids: BTreeMap::new(), names: BTreeMap::new() };
        let referable = |rule: &Rule| matches!(rule.body, Body::Event(_) | Body::Correlation(_));
        for (index, rule) in rules.iter().enumerate().filter(|(_, rule)| referable(rule)) {
            if let Some(id) = rule.id() {
                references.ids.entry(&id.0).or_default().push(index);
            }
            if let Some(name) = &rule.metadata.name {
                references.names.entry(&name.value).or_default().push(index);
            }
        }
        references
    }

    /// The rule that `from` calls `named`, by its place in the set.
    pub(super) fn resolve(&self, named: &Spanned<String>, from: &Rule) -> Result<usize, Diagnostic> {
        let text = named.value.as_str();
        let finding = |code, message, help: &str| Diagnostic {
            code,
            message,
            path: from.path.to_path_buf(),
            span: named.span,
            help: Some(help.to_owned()),
        };
        match (self.ids.get(text).map(Vec::as_slice), self.names.get(text).map(Vec::as_slice)) {
            (Some([index]), _) | (None, Some([index])) => Ok(*index),
            (Some(_), _) => {
                let message = format!("DUPLICATE_RULE_ID: several rules have the id `{text}`");
                Err(finding(&DUPLICATE_RULE_ID, message, "give each rule an id of its own"))
            }
            (None, Some([_, ..])) => {
                let message = format!("DUPLICATE_RULE_NAME: several rules are called `{text}`");
                Err(finding(&DUPLICATE_RULE_NAME, message, "refer to the rule by its id"))
            }
            (None, None | Some([])) => {
                let message = format!("UNKNOWN_RULE: no rule of this set has the id or name `{text}`");
                Err(finding(&UNKNOWN_RULE, message, "load that rule too, or correct the reference"))
            }
        }
    }
}

/// The finding of each rule whose id or name an earlier rule has.
pub(super) fn duplicates(rules: &[Arc<Rule>]) -> Vec<(usize, Diagnostic)> {
    let ids = repeated(rules, &DUPLICATE_RULE_ID, "id", |rule| {
        rule.metadata.id.as_ref().map(|id| Spanned::new(id.value.0.as_str(), id.span))
    });
    let names = repeated(rules, &DUPLICATE_RULE_NAME, "name", |rule| {
        rule.metadata.name.as_ref().map(|name| Spanned::new(name.value.as_str(), name.span))
    });
    [ids, names].concat()
}

fn repeated<'r>(
    rules: &'r [Arc<Rule>],
    code: &'static Code,
    what: &str,
    key: impl Fn(&'r Rule) -> Option<Spanned<&'r str>>,
) -> Vec<(usize, Diagnostic)> {
    let mut first: BTreeMap<&str, &Rule> = BTreeMap::new();
    let mut findings = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let Some(key) = key(rule) else { continue };
        let Some(earlier) = first.get(key.value) else {
            first.insert(key.value, rule);
            continue;
        };
        let diagnostic = Diagnostic {
            code,
            message: format!(
                "{}: `{}` is also the {what} of {}:{}",
                code.name.to_ascii_uppercase(),
                key.value,
                earlier.path.display(),
                earlier.span.start.line
            ),
            path: rule.path.to_path_buf(),
            span: key.span,
            help: Some(format!("give this rule {what} of its own", what = article(what))),
        };
        findings.push((index, diagnostic));
    }
    findings
}

fn article(what: &str) -> String {
    let article = if what.starts_with('i') { "an" } else { "a" };
    format!("{article} {what}")
}
