//! Fields that rules name and the pack does not resolve: where an alias is missing, and for how many rules.

use std::borrow::Borrow;
use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::backend::CompiledRule;
use crate::bridge::{FieldResolution, ReasonCode, Resolution, RoutedScope, Severity, Tokens};
use crate::pack::AliasScope;
use crate::sigma::text::{self, TextPart};
use crate::sigma::{Body, Detection, LogSource, Operator, Search, SigmaField, TextMatch, Value};

/// A field at a scope, usually without an alias there, and the rules that ask for it.
#[derive(Clone, Debug)]
pub struct Gap {
    /// The field.
    pub field: SigmaField,
    /// Where an alias for it would stand: the rules' category and product, or product and service.
    pub scope: AliasScope,
    /// What the rules are routed to, each scope once, in the order of the rules.
    pub routed: Vec<RoutedScope>,
    /// Indices of the rules that use the field, ascending.
    pub rules: Vec<usize>,
    /// Those of them that nothing else refuses: the alias alone unlocks them.
    pub unlocks: Vec<usize>,
    /// What the rules compare the field with, distinct, in byte order.
    pub literals: Vec<Literal>,
    /// Whether some alias to `raw.*` is there, which is not permitted.
    pub raw: bool,
}

/// A text that a rule looks for in a field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Literal {
    /// The text; of a value with wildcards, its longest part.
    pub text: String,
    /// Where in the field.
    pub position: TextMatch,
}

/// Every gap of a compiled set: those that unlock most rules first, then those that most rules use, then by
/// scope and field.
#[must_use]
pub fn gaps<R: Borrow<CompiledRule>>(compiled: &[R]) -> Vec<Gap> {
    let mut gaps = collected(compiled, |_, field| field.resolution == Resolution::Unmapped);
    gaps.sort_by_key(|gap| Reverse((gap.unlocks.len(), gap.rules.len())));
    gaps
}

/// What `rule` and the others of its scope ask of one of its fields, mapped or not; `None` where the rule is not
/// routed or has no such field.
#[must_use]
pub fn gap_of<R: Borrow<CompiledRule>>(
    compiled: &[R],
    rule: &CompiledRule,
    field: &SigmaField,
) -> Option<Gap> {
    let scope = scope_of(&rule.compilation.rule.logsource);
    let mut found = collected(compiled, |of, resolution| *of == scope && resolution.field == *field);
    found.pop()
}

fn collected<R: Borrow<CompiledRule>>(
    compiled: &[R],
    wanted: impl Fn(&AliasScope, &FieldResolution) -> bool,
) -> Vec<Gap> {
    let mut found: BTreeMap<(AliasScope, SigmaField), Gap> = BTreeMap::new();
    for (index, rule) in compiled.iter().enumerate() {
        collect(index, rule.borrow(), &wanted, &mut found);
    }
    let mut gaps: Vec<Gap> = found.into_values().collect();
    for gap in &mut gaps {
        gap.literals.sort();
        gap.literals.dedup();
    }
    gaps
}

fn collect(
    index: usize,
    rule: &CompiledRule,
    wanted: &impl Fn(&AliasScope, &FieldResolution) -> bool,
    found: &mut BTreeMap<(AliasScope, SigmaField), Gap>,
) {
    let compilation = &rule.compilation;
    let (Some(routed), Body::Event(detection)) = (&compilation.routing.scope, &compilation.rule.body) else {
        return;
    };
    let errors = || compilation.diagnostics.iter().filter(|d| d.code.severity == Severity::Error);
    let missing_alias = [Some(ReasonCode::UnmappedField), Some(ReasonCode::RawFallbackDisabled)];
    let only_aliases = errors().all(|d| missing_alias.contains(&d.code.reason));
    let unresolved = compilation.fields.iter().filter(|f| f.resolution == Resolution::Unmapped).count();
    let scope = scope_of(&compilation.rule.logsource);
    for resolution in compilation.fields.iter().filter(|field| wanted(&scope, field)) {
        let field = &resolution.field;
        let gap = found.entry((scope.clone(), field.clone())).or_insert_with(|| Gap {
            field: field.clone(),
            scope: scope.clone(),
            routed: Vec::new(),
            rules: Vec::new(),
            unlocks: Vec::new(),
            literals: Vec::new(),
            raw: errors().any(|d| d.code.reason == Some(ReasonCode::RawFallbackDisabled)),
        });
        gap.rules.push(index);
        if resolution.resolution == Resolution::Unmapped && unresolved == 1 && only_aliases {
            gap.unlocks.push(index);
        }
        if !gap.routed.iter().any(|other| other.place == routed.place) {
            gap.routed.push(RoutedScope::clone(routed));
        }
        literals(detection, field, &mut gap.literals);
    }
}

/// The narrowest scope that all rules of this category have in common: category and product, or product and
/// service where there is no category.
/// Where an alias for rules of a log source stands: at their category and product, or product and service.
#[must_use]
pub fn scope_of(logsource: &LogSource) -> AliasScope {
    let Tokens { category, product, service } = Tokens::of(logsource);
    let service = if category.is_none() { service } else { None };
    AliasScope { category, product, service }
}

fn literals(detection: &Detection, field: &SigmaField, found: &mut Vec<Literal>) {
    for selection in &detection.selections {
        collect_literals(&selection.search, field, found);
    }
}

fn collect_literals(search: &Search, field: &SigmaField, found: &mut Vec<Literal>) {
    match search {
        Search::AnyOf(entries, _) => {
            entries.iter().for_each(|entry| collect_literals(entry, field, found));
        }
        Search::AllOf(items, _) => {
            for item in items.iter().filter(|item| item.field.as_ref().is_some_and(|f| f.value == *field)) {
                let Ok(chain) = &item.chain else { continue };
                let Operator::Match(position) = chain.operator else { continue };
                if chain.transforms.is_empty() {
                    found.extend(item.values.iter().filter_map(|value| literal(&value.value, position)));
                }
            }
        }
        Search::Keywords(..) => {}
    }
}

fn literal(value: &Value, position: TextMatch) -> Option<Literal> {
    let exact = |text: String| Literal { text, position };
    match value {
        Value::String(written) => match text::literal(written) {
            Some(text) => (!text.is_empty()).then(|| exact(text)),
            None => longest_part(written).map(|text| Literal { text, position: TextMatch::Contains }),
        },
        Value::Integer(number) => Some(exact(number.to_string())),
        Value::Boolean(truth) => Some(exact(truth.to_string())),
        Value::Float(_) | Value::Null | Value::Nested(_) => None,
    }
}

fn longest_part(written: &str) -> Option<String> {
    let texts = text::parts(written).into_iter().filter_map(|part| match part {
        TextPart::Text(text) => Some(text),
        TextPart::AnyRun | TextPart::AnyOne => None,
    });
    texts.max_by_key(String::len)
}
