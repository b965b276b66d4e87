//! From the rule's searches and condition to the middle form. Every meaning is decided here: NULL, case, types,
//! lists of values. What cannot be expressed becomes a diagnostic, never a changed meaning.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

mod encode;
mod expand;
mod item;
mod keywords;
mod network;
mod regex;
mod regex_size;
mod shape;
mod value;

use super::diagnostic::{Code, Diagnostic, Severity};
use super::ir::Expr;
use super::literal::Misfit;
use super::reason::ReasonCode;
use super::resolve::{ResolvedField, Resolver};
use crate::pack::Pack;
use crate::sigma::{
    Capability, Detection, Expression, Quantifier, Rule, Search, Selection, SigmaField, Span,
};

/// Something is wrong with a selection that the condition does not reach.
static UNREACHED_SELECTION: Code = Code {
    name: "unreached_selection",
    reason: None,
    severity: Severity::Warning,
    summary: "a selection that the condition does not reach would be refused",
    explanation: "Only what the condition reaches decides whether a rule is executable. This selection is not \
reached, and could not be executed if it were. Name it in the condition and mend it, or remove it.",
};

/// The rule expands to too many tests.
static EXPANSION_LIMIT: Code = Code {
    name: "expansion_limit",
    reason: Some(ReasonCode::BackendCompileError),
    severity: Severity::Error,
    summary: "the condition expands to more than 10,000 tests",
    explanation: "A selection counts each time that the condition reaches it. Past the limit no engine would \
answer in useful time. Factor the condition, or split the rule.",
};

/// The codes of this file.
static OWN_CODES: [&Code; 2] = [&UNREACHED_SELECTION, &EXPANSION_LIMIT];

/// The codes of this folder.
pub(crate) fn codes() -> impl Iterator<Item = &'static Code> {
    OWN_CODES.into_iter().chain(item::CODES).chain(keywords::CODES).chain(expand::CODES).chain(value::CODES)
}

/// Tests that a condition may expand to.
const MAX_TESTS: usize = 10_000;

/// The lowering of one rule: what it reads, and what it has found so far.
pub(crate) struct Lowering<'r, 'p> {
    /// `None` where the rule is unrouted: fields then stay unresolved, and the rest is checked all the same.
    pub(crate) resolver: Option<&'r Resolver<'p>>,
    pub(crate) enabled: &'r BTreeSet<Capability>,
    pub(crate) pack: &'p Pack,
    pub(crate) rule: &'r Path,
    /// The text of the rule's file, for literals as they were written.
    pub(crate) text: &'r str,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) fields: BTreeMap<SigmaField, FieldUse<'p>>,
    selections: BTreeMap<String, Option<Expr>>,
    tests: usize,
}

/// A field of the rule: what it is, and where the rule uses it.
pub(crate) struct FieldUse<'p> {
    pub(crate) resolved: Result<Rc<ResolvedField<'p>>, Option<Diagnostic>>,
    pub(crate) uses: Vec<Span>,
}

impl<'r, 'p> Lowering<'r, 'p> {
    pub(crate) fn new(
        resolver: Option<&'r Resolver<'p>>,
        enabled: &'r BTreeSet<Capability>,
        pack: &'p Pack,
        rule: &'r Rule,
    ) -> Self {
        Self {
            resolver,
            enabled,
            pack,
            rule: &rule.path,
            text: &rule.text,
            diagnostics: Vec::new(),
            fields: BTreeMap::new(),
            selections: BTreeMap::new(),
            tests: 0,
        }
    }

    /// Lowers the conditions of `detection`, which are alternatives. `None` where any part is refused.
    pub(crate) fn detection(&mut self, detection: &Detection) -> Option<Expr> {
        let conditions: Vec<Option<Expr>> = detection
            .conditions
            .iter()
            .map(|condition| {
                let expression = condition.expression.as_ref().ok()?;
                self.expression(expression, detection)
            })
            .collect();
        if self.tests > MAX_TESTS {
            let message =
                format!("LIMIT: the condition expands to {} tests, {MAX_TESTS} are allowed", self.tests);
            let span = detection.conditions.first().map_or(detection.span, |c| c.text.span);
            self.push(&EXPANSION_LIMIT, message, span, "split the rule".to_owned());
            return None;
        }
        any(conditions)
    }

    /// What is wrong with the selections that no condition reached, as warnings.
    pub(crate) fn unreached(&mut self, detection: &Detection) -> Vec<Diagnostic> {
        let mut warnings = Vec::new();
        let unreached = detection.selections.iter().filter(|s| !self.selections.contains_key(&s.name.value));
        for selection in unreached {
            let mut scratch = self.scratch();
            scratch.search(&selection.search);
            warnings.extend(scratch.diagnostics.into_iter().map(|found| Diagnostic {
                code: &UNREACHED_SELECTION,
                message: format!(
                    "the condition does not reach `{}`; if it did: {}: {}",
                    selection.name.value, found.code.name, found.message
                ),
                ..found
            }));
        }
        warnings
    }

    /// A lowering of the same rule that has found nothing yet.
    fn scratch(&self) -> Lowering<'r, 'p> {
        Lowering {
            diagnostics: Vec::new(),
            fields: BTreeMap::new(),
            selections: BTreeMap::new(),
            tests: 0,
            ..*self
        }
    }

    fn expression(&mut self, expression: &Expression, detection: &Detection) -> Option<Expr> {
        match expression {
            Expression::And(parts) => all(self.expressions(parts, detection)),
            Expression::Or(parts) => any(self.expressions(parts, detection)),
            Expression::Not(part) => Some(Expr::Not(Box::new(self.expression(part, detection)?))),
            Expression::Identifier(name) => self.selection(detection.selection(&name.value)?),
            Expression::Quantified(quantifier, pattern) => {
                let reached = detection.reached_by(&pattern.value);
                let parts: Vec<Option<Expr>> = reached.into_iter().map(|s| self.selection(s)).collect();
                match quantifier {
                    Quantifier::Any => any(parts),
                    Quantifier::All => all(parts),
                }
            }
        }
    }

    fn expressions(&mut self, parts: &[Expression], detection: &Detection) -> Vec<Option<Expr>> {
        parts.iter().map(|part| self.expression(part, detection)).collect()
    }

    /// Lowers a selection once; its findings are not repeated when the condition reaches it again.
    fn selection(&mut self, selection: &Selection) -> Option<Expr> {
        let name = &selection.name.value;
        if !self.selections.contains_key(name) {
            let body = self.search(&selection.search).map(Arc::new);
            let lowered = body.map(|body| Expr::Selection { name: name.clone(), span: selection.span, body });
            self.selections.insert(name.clone(), lowered);
        }
        let tests = self.selections.get(name)?.as_ref()?.tests();
        self.tests = self.tests.saturating_add(tests);
        if self.tests > MAX_TESTS { None } else { self.selections.get(name).cloned().flatten() }
    }

    fn search(&mut self, search: &Search) -> Option<Expr> {
        match search {
            Search::AllOf(items, _) => all(items.iter().map(|item| self.item(item)).collect()),
            Search::AnyOf(entries, _) => any(entries.iter().map(|entry| self.search(entry)).collect()),
            Search::Keywords(values, _) => self.keywords(values, false),
        }
    }

    fn refuse(&mut self, misfit: Misfit, span: Span) {
        self.push(misfit.code, misfit.message, span, misfit.help);
    }

    fn push(&mut self, code: &'static Code, message: String, span: Span, help: String) {
        let path = self.rule.to_path_buf();
        self.diagnostics.push(Diagnostic { code, message, path, span, help: Some(help) });
    }
}

fn all(parts: Vec<Option<Expr>>) -> Option<Expr> {
    join(parts, Expr::And)
}

fn any(parts: Vec<Option<Expr>>) -> Option<Expr> {
    join(parts, Expr::Or)
}

/// `None` where any part is refused, or there is none.
fn join(parts: Vec<Option<Expr>>, connective: fn(Vec<Expr>) -> Expr) -> Option<Expr> {
    let mut parts: Vec<Expr> = parts.into_iter().collect::<Option<_>>()?;
    match parts.len() {
        0 | 1 => parts.pop(),
        _ => Some(connective(parts)),
    }
}
