//! From the rule's searches and condition to the middle form. Every meaning is decided here: NULL, case, types,
//! lists of values. What cannot be expressed becomes a diagnostic, never a changed meaning.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::diagnostic::{Code, Diagnostic, Severity};
use super::ir::{Expr, Number, Predicate, Test};
use super::literal::{self, Literal, Misfit};
use super::reason::ReasonCode;
use super::resolve::{ResolvedField, Resolver};
use crate::ocsf::FieldType;
use crate::sigma::{
    Capability, Chain, Comparison, Detection, Expression, Item, Modifier, Operator, Quantifier, Search,
    Selection, SigmaField, Span, Spanned, TextMatch, Value, text,
};

/// A regular expression, with regular expressions off.
static REGEX_DISABLED: Code = Code {
    name: "regex_disabled",
    reason: Some(ReasonCode::UnsupportedRegex),
    severity: Severity::Error,
    summary: "regular expressions are off",
    explanation: "The specification leaves `re` out of the default subset, because a pattern means the same \
everywhere only within RE2. Often contains, startswith or endswith say the same. Capability `regex` switches it on.",
};

/// A modifier beyond the default subset.
static MODIFIER_DISABLED: Code = Code {
    name: "modifier_disabled",
    reason: Some(ReasonCode::UnsupportedModifier),
    severity: Severity::Error,
    summary: "a modifier outside the default subset",
    explanation: "The default subset has contains, startswith, endswith, all, cased, neq, exists and the \
comparisons of numbers. The message names the capability that stands for this modifier. A capability is switched \
on by the pack (`capabilities:` in pack.yaml) or by `--enable`, and is recorded with the result.",
};

/// A search without a field.
static KEYWORDS_DISABLED: Code = Code {
    name: "keywords_disabled",
    reason: Some(ReasonCode::UnsupportedOperator),
    severity: Severity::Error,
    summary: "keywords, a search without a field",
    explanation: "A keyword asks whether some text of the event contains it. Over normalised events, which text \
that is has to be said, so keywords are outside the default subset. Name the field that holds the text, or switch \
on capability `keywords`.",
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
pub(crate) static CODES: [&Code; 5] =
    [&REGEX_DISABLED, &MODIFIER_DISABLED, &KEYWORDS_DISABLED, &UNREACHED_SELECTION, &EXPANSION_LIMIT];

/// Tests that a condition may expand to.
const MAX_TESTS: usize = 10_000;

/// The lowering of one rule: what it reads, and what it has found so far.
pub(crate) struct Lowering<'p> {
    /// `None` where the rule is unrouted: fields then stay unresolved, and the rest is checked all the same.
    pub(crate) resolver: Option<&'p Resolver<'p>>,
    pub(crate) enabled: &'p BTreeSet<Capability>,
    pub(crate) rule: &'p Path,
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) fields: BTreeMap<SigmaField, FieldUse<'p>>,
    selections: BTreeMap<String, Option<Expr>>,
    tests: usize,
}

/// A field of the rule: what it is, and where the rule uses it.
pub(crate) struct FieldUse<'p> {
    pub(crate) resolved: Result<ResolvedField<'p>, Option<Diagnostic>>,
    pub(crate) uses: Vec<Span>,
}

impl<'p> Lowering<'p> {
    pub(crate) fn new(
        resolver: Option<&'p Resolver<'p>>,
        enabled: &'p BTreeSet<Capability>,
        rule: &'p Path,
    ) -> Self {
        Self {
            resolver,
            enabled,
            rule,
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
            let mut scratch = Lowering::new(self.resolver, self.enabled, self.rule);
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
            let body = self.search(&selection.search).map(Box::new);
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
            Search::Keywords(_, span) => self.keywords(*span),
        }
    }

    fn keywords(&mut self, span: Span) -> Option<Expr> {
        let help = "name the field that holds the text; capability `keywords` stands for this".to_owned();
        self.push(&KEYWORDS_DISABLED, "a search without a field".to_owned(), span, help);
        None
    }

    fn item(&mut self, item: &Item) -> Option<Expr> {
        let Some(field) = &item.field else {
            return self.keywords(item.span);
        };
        let source = self.field(field);
        let problems = item.problems.iter().chain(item.chain.as_ref().err());
        let found: Vec<Diagnostic> = problems
            .filter(|problem| problem.kind != crate::sigma::ProblemKind::UnknownModifier)
            .map(|problem| super::language::diagnostic(problem, self.rule))
            .collect();
        let sound = found.is_empty();
        self.diagnostics.extend(found);
        let supported = self.capabilities(item);
        let (Ok(chain), Some(source), true, true) = (&item.chain, source, sound, supported) else {
            return None;
        };
        self.tests(item, &field.value, chain, &source)
    }

    /// Resolves a field once, and notes the use.
    fn field(&mut self, field: &Spanned<SigmaField>) -> Option<ResolvedField<'p>> {
        let (resolver, diagnostics) = (self.resolver, &mut self.diagnostics);
        let entry = self.fields.entry(field.value.clone()).or_insert_with(|| {
            let resolved = match resolver {
                Some(resolver) => resolver.resolve(&field.value, field.span).map_err(Some),
                None => Err(None),
            };
            if let Err(Some(diagnostic)) = &resolved {
                diagnostics.push(diagnostic.clone());
            }
            FieldUse { resolved, uses: Vec::new() }
        });
        entry.uses.push(field.span);
        entry.resolved.as_ref().ok().cloned()
    }

    /// Whether every modifier of the item is within what is switched on.
    fn capabilities(&mut self, item: &Item) -> bool {
        let off: Vec<(&Spanned<Modifier>, Capability)> = item
            .modifiers
            .iter()
            .filter_map(|modifier| Some((modifier, modifier.value.capability()?)))
            .collect();
        let supported = off.is_empty();
        for (modifier, capability) in off {
            let code = match capability {
                Capability::Regex => &REGEX_DISABLED,
                _ => &MODIFIER_DISABLED,
            };
            let message = format!("`{}` is outside the default subset", modifier.value.name());
            let help = format!("capability `{capability}` stands for it");
            self.push(code, message, modifier.span, help);
        }
        supported
    }

    fn tests(
        &mut self,
        item: &Item,
        field: &SigmaField,
        chain: &Chain,
        source: &ResolvedField<'p>,
    ) -> Option<Expr> {
        let predicate = |test: Test, span: Span| {
            Expr::Predicate(Predicate { field: field.clone(), source: source.source.clone(), test, span })
        };
        let tests: Vec<(Test, Span)> = match (chain.operator, item.values.as_slice()) {
            (Operator::Exists, [Spanned { value: Value::Boolean(wanted), span }]) => {
                vec![(if *wanted { Test::Exists } else { Test::Missing }, *span)]
            }
            (Operator::Match(TextMatch::Equals), [Spanned { value: Value::Null, span }]) => {
                vec![(Test::Missing, *span)]
            }
            (Operator::Match(TextMatch::Equals), values) => self.equals(values, chain, source)?,
            (Operator::Match(position), values) => self.positions(values, position, chain, source)?,
            (Operator::Compare(comparison), values) => self.compares(values, comparison, source)?,
            _ => return None,
        };
        let mut parts = tests.into_iter().map(|(test, span)| Some(predicate(test, span))).collect();
        if chain.negated {
            let none = Expr::Not(Box::new(any(parts)?));
            return Some(Expr::And(vec![predicate(Test::Exists, item.key_span), none]));
        }
        if chain.all { all(std::mem::take(&mut parts)) } else { any(parts) }
    }

    /// Equality: one membership test, or under `all` one test a value.
    fn equals(
        &mut self,
        values: &[Spanned<Value>],
        chain: &Chain,
        source: &ResolvedField<'p>,
    ) -> Option<Vec<(Test, Span)>> {
        let literals = self.literals(values, source, true)?;
        if chain.all {
            let tests =
                literals.into_iter().map(|(literal, span)| (membership(vec![literal], chain.cased), span));
            return Some(tests.collect());
        }
        let (first, last) = (values.first()?.span, values.last()?.span);
        let literals = literals.into_iter().map(|(literal, _)| literal).collect();
        Some(vec![(membership(literals, chain.cased), first.to(last))])
    }

    fn positions(
        &mut self,
        values: &[Spanned<Value>],
        position: TextMatch,
        chain: &Chain,
        source: &ResolvedField<'p>,
    ) -> Option<Vec<(Test, Span)>> {
        if source.field_type != FieldType::String {
            let span = values.first()?.span;
            let message =
                format!("a part of text is sought in a field that is {}", source.field_type.as_str());
            let help = "compare by equality, or map the field to a string".to_owned();
            self.push(&literal::TYPE_CLASH, message, span, help);
            return None;
        }
        let literals = self.literals(values, source, false)?;
        let tests = literals.into_iter().filter_map(|(literal, span)| match literal {
            Literal::Text(value) => {
                let value = if chain.cased { value } else { text::fold(&value) };
                Some((Test::Text { position, value, cased: chain.cased }, span))
            }
            Literal::Number(_) | Literal::Boolean(_) => None,
        });
        Some(tests.collect())
    }

    fn compares(
        &mut self,
        values: &[Spanned<Value>],
        comparison: Comparison,
        source: &ResolvedField<'p>,
    ) -> Option<Vec<(Test, Span)>> {
        let literals = self.literals(values, source, false)?;
        let mut tests = Vec::new();
        for (literal, span) in literals {
            if let Literal::Number(number) = literal {
                tests.push((Test::Compare(comparison, number), span));
            } else {
                let message = "only numbers compare by size".to_owned();
                let help = "write a number, and map the field to a number".to_owned();
                self.push(&literal::TYPE_CLASH, message, span, help);
            }
        }
        (tests.len() == values.len()).then_some(tests)
    }

    /// The values as literals of the field's type; every misfit is reported.
    fn literals(
        &mut self,
        values: &[Spanned<Value>],
        source: &ResolvedField<'p>,
        equality: bool,
    ) -> Option<Vec<(Literal, Span)>> {
        let mut literals = Vec::new();
        for value in values {
            match literal::fit(&value.value, source.field_type, source.alias, equality) {
                Ok(literal) => literals.push((literal, value.span)),
                Err(Misfit { code, message, help }) => self.push(code, message, value.span, help),
            }
        }
        (literals.len() == values.len()).then_some(literals)
    }

    fn push(&mut self, code: &'static Code, message: String, span: Span, help: String) {
        let path = self.rule.to_path_buf();
        self.diagnostics.push(Diagnostic { code, message, path, span, help: Some(help) });
    }
}

/// Membership in literals of one type: sorted, distinct, folded unless with case.
fn membership(literals: Vec<Literal>, cased: bool) -> Test {
    let mut texts = BTreeSet::new();
    let mut numbers: Vec<Number> = Vec::new();
    let mut booleans = BTreeSet::new();
    for literal in literals {
        match literal {
            Literal::Text(value) => drop(texts.insert(if cased { value } else { text::fold(&value) })),
            Literal::Number(number) => numbers.push(number),
            Literal::Boolean(truth) => drop(booleans.insert(truth)),
        }
    }
    if !numbers.is_empty() {
        numbers.sort_by(Number::total_cmp);
        numbers.dedup();
        Test::NumberIn(numbers)
    } else if !booleans.is_empty() {
        Test::BooleanIn(booleans.into_iter().collect())
    } else {
        Test::TextIn { values: texts.into_iter().collect(), cased }
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
