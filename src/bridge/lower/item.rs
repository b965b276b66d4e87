//! One item, `field|modifiers: values`, as tests.

use std::rc::Rc;
use std::sync::Arc;

use super::{FieldUse, Lowering, all, any};
use crate::bridge::diagnostic::{Code, Severity};
use crate::bridge::ir::{Expr, Predicate, Test};
use crate::bridge::language;
use crate::bridge::reason::ReasonCode;
use crate::bridge::resolve::ResolvedField;
use crate::bridge::settings::switch_on;
use crate::sigma::{Capability, Item, Modifier, ProblemKind, SigmaField, Span, Spanned};

/// A regular expression, with regular expressions off.
static REGEX_DISABLED: Code = Code {
    name: "regex_disabled",
    reason: Some(ReasonCode::UnsupportedRegex),
    severity: Severity::Error,
    summary: "regular expressions are off",
    explanation: "The specification leaves `re` out of the default subset, because a pattern means the same \
everywhere only within RE2. Often contains, startswith or endswith say the same. Capability `regex` switches it on: \
`--enable regex`, or `capabilities: [regex]` in pack.yaml.",
};

/// A modifier beyond the default subset.
static MODIFIER_DISABLED: Code = Code {
    name: "modifier_disabled",
    reason: Some(ReasonCode::UnsupportedModifier),
    severity: Severity::Error,
    summary: "a modifier outside the default subset",
    explanation: "The default subset has contains, startswith, endswith, all, cased, neq, exists and the \
comparisons of numbers. The message names the capability that switches this modifier on: `--enable NAME`, or \
`capabilities: [NAME]` in pack.yaml. What was on is recorded with the result.",
};

pub(super) static CODES: [&Code; 2] = [&REGEX_DISABLED, &MODIFIER_DISABLED];

/// Tests of which any has to hold, and the value that they come from.
pub(super) type Alternatives = (Vec<Test>, Span);

impl<'p> Lowering<'_, 'p> {
    pub(super) fn item(&mut self, item: &Item) -> Option<Expr> {
        let Some(field) = &item.field else {
            return self.keyword_item(item);
        };
        let source = self.field(field, item.span);
        let sound = self.is_sound(item);
        let supported = self.is_enabled(item);
        let (Ok(chain), Some(source), true, true) = (&item.chain, source, sound, supported) else {
            return None;
        };
        let alternatives = self.alternatives(item, chain, &source)?;
        let predicate = |test: Test, span: Span| {
            Expr::Predicate(Predicate {
                field: field.value.clone(),
                source: Arc::clone(&source.source),
                test,
                span,
            })
        };
        let others = others_exist(&alternatives, &field.value);
        let parts: Vec<Option<Expr>> = alternatives
            .into_iter()
            .map(|(mut tests, span)| match tests.len() {
                1 => tests.pop().map(|test| predicate(test, span)),
                _ => any(tests.into_iter().map(|test| Some(predicate(test, span))).collect()),
            })
            .collect();
        if chain.negated {
            let none = Expr::Not(Box::new(any(parts)?));
            let both = [predicate(Test::Exists, item.key_span)].into_iter().chain(others);
            return Some(Expr::And(both.chain([none]).collect()));
        }
        if chain.all { all(parts) } else { any(parts) }
    }

    /// Reports what the parser found wrong with the item. Unknown modifiers are reported with the rule.
    pub(super) fn is_sound(&mut self, item: &Item) -> bool {
        let problems = item.problems.iter().chain(item.chain.as_ref().err());
        let before = self.diagnostics.len();
        self.diagnostics.extend(
            problems
                .filter(|problem| problem.kind != ProblemKind::UnknownModifier)
                .map(|problem| language::diagnostic(problem, self.rule)),
        );
        self.diagnostics.len() == before
    }

    /// Whether every modifier of the item is switched on.
    pub(super) fn is_enabled(&mut self, item: &Item) -> bool {
        let off: Vec<(&Spanned<Modifier>, Capability)> = item
            .modifiers
            .iter()
            .filter_map(|modifier| Some((modifier, modifier.value.capability()?)))
            .filter(|(_, capability)| !self.enabled.contains(capability))
            .collect();
        let supported = off.is_empty();
        for (modifier, capability) in off {
            let code = if capability == Capability::Regex { &REGEX_DISABLED } else { &MODIFIER_DISABLED };
            let message = format!("`{}` is off", modifier.value.name());
            self.push(code, message, modifier.span, switch_on(capability));
        }
        supported
    }

    /// Resolves a field once, and notes where it is used: the field with what it is compared with.
    pub(super) fn field(&mut self, field: &Spanned<SigmaField>, used: Span) -> Option<Rc<ResolvedField<'p>>> {
        if let Some(known) = self.fields.get_mut(&field.value) {
            known.uses.push(used);
            return known.resolved.as_ref().ok().cloned();
        }
        let resolved = match self.resolver {
            Some(resolver) => resolver.resolve(field, self.rule).map_err(Some),
            None => Err(None),
        };
        if let Err(Some(diagnostic)) = &resolved {
            self.diagnostics.push(diagnostic.clone());
        }
        let found = resolved.as_ref().ok().cloned();
        self.fields.insert(field.value.clone(), FieldUse { resolved, uses: vec![used] });
        found
    }
}

/// That each field which `fieldref` names has a value: `neq` is a comparison, false where either side is NULL.
fn others_exist(alternatives: &[Alternatives], field: &SigmaField) -> Vec<Expr> {
    let tests = alternatives.iter().flat_map(|(tests, span)| tests.iter().map(move |test| (test, *span)));
    tests
        .filter_map(|(test, span)| match test {
            Test::OtherText { other, .. } | Test::OtherNumber(other) => {
                let (field, source) = (field.clone(), Arc::clone(other));
                Some(Expr::Predicate(Predicate { field, source, test: Test::Exists, span }))
            }
            _ => None,
        })
        .collect()
}
