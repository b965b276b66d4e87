//! Keywords: searches without a field, over the text of the routed classes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Lowering, all, any};
use crate::bridge::diagnostic::{Code, Severity};
use crate::bridge::ir::{Expr, FieldExpr, PatternPart, Predicate, Test};
use crate::bridge::literal;
use crate::bridge::reason::ReasonCode;
use crate::bridge::settings::switch_on;
use crate::ocsf::{Catalog, FieldType, OcsfPath};
use crate::pack::Column;
use crate::sigma::{Capability, Item, Operator, SigmaField, Span, Spanned, TextMatch, Value, text};

/// A search without a field, with keywords off.
static KEYWORDS_DISABLED: Code = Code {
    name: "keywords_disabled",
    reason: Some(ReasonCode::UnsupportedOperator),
    severity: Severity::Error,
    summary: "keywords, a search without a field",
    explanation: "A keyword asks whether some text of the event contains it. Over normalised events, which text \
that is has to be said: the pack's `keywords:`, else every text of the routed classes. So keywords are outside the \
default subset. Name the field that holds the text, or switch on capability `keywords`.",
};

/// Keywords where nothing could hold them.
static KEYWORDS_NOWHERE: Code = Code {
    name: "keywords_nowhere",
    reason: Some(ReasonCode::UnsupportedOperator),
    severity: Severity::Error,
    summary: "none of the pack's keyword columns is in the routed classes",
    explanation: "The pack's `keywords:` lists the columns that keywords search. The routed classes have none of \
them, so that no event could ever match. Add a text column of these classes to the list.",
};

/// Keywords compared in a way that keywords do not have.
static KEYWORD_MODIFIER: Code = Code {
    name: "keyword_modifier",
    reason: Some(ReasonCode::UnsupportedModifier),
    severity: Severity::Error,
    summary: "a modifier that keywords do not take",
    explanation: "A keyword is sought anywhere in a text, without regard to case. `all` asks for every keyword, \
`contains` says what holds anyway, `cased` regards case. Other modifiers need a field.",
};

pub(super) static CODES: [&Code; 3] = [&KEYWORDS_DISABLED, &KEYWORDS_NOWHERE, &KEYWORD_MODIFIER];

impl Lowering<'_, '_> {
    /// `'|all': [...]` and the like.
    pub(super) fn keyword_item(&mut self, item: &Item) -> Option<Expr> {
        let sound = self.is_sound(item);
        let supported = self.is_enabled(item);
        let chain = item.chain.as_ref().ok()?;
        let plain = matches!(chain.operator, Operator::Match(TextMatch::Equals | TextMatch::Contains))
            && chain.transforms.is_empty()
            && !chain.negated;
        if !plain {
            let message = "a modifier that keywords do not take".to_owned();
            self.push(&KEYWORD_MODIFIER, message, item.key_span, "name the field".to_owned());
            return None;
        }
        let lowered = self.cased_keywords(&item.values, chain.all, chain.cased);
        if sound && supported { lowered } else { None }
    }

    /// Keywords of which any, or under `every` each, has to occur in some text.
    pub(super) fn keywords(&mut self, values: &[Spanned<Value>], every: bool) -> Option<Expr> {
        self.cased_keywords(values, every, false)
    }

    fn cased_keywords(&mut self, values: &[Spanned<Value>], every: bool, cased: bool) -> Option<Expr> {
        let span = values.first()?.span.to(values.last()?.span);
        if !self.enabled.contains(&Capability::Keywords) {
            let message = "a search without a field is off".to_owned();
            let help = format!("name the field that holds the text; {}", switch_on(Capability::Keywords));
            self.push(&KEYWORDS_DISABLED, message, span, help);
            return None;
        }
        let tests: Vec<Option<(Test, Span)>> =
            values.iter().map(|value| Some((self.keyword(value, cased)?, value.span))).collect();
        let source = Arc::new(self.searched(span)?);
        let parts = tests
            .into_iter()
            .map(|test| {
                let (test, span) = test?;
                let field = SigmaField("keyword".to_owned());
                Some(Expr::Predicate(Predicate { field, source: Arc::clone(&source), test, span }))
            })
            .collect();
        if every { all(parts) } else { any(parts) }
    }

    fn keyword(&mut self, keyword: &Spanned<Value>, cased: bool) -> Option<Test> {
        let Value::String(raw) = &keyword.value else {
            let message = "a keyword is text".to_owned();
            self.push(&literal::TYPE_CLASH, message, keyword.span, "quote it".to_owned());
            return None;
        };
        let folded = |text: String| if cased { text } else { text::folded(text) };
        if let Some(value) = text::literal(raw) {
            return Some(Test::Text { position: TextMatch::Contains, value: folded(value), cased });
        }
        let parts = self.pattern_parts(raw, keyword.span)?;
        let mut anywhere = vec![PatternPart::AnyRun];
        anywhere.extend(parts);
        anywhere.push(PatternPart::AnyRun);
        Some(super::shape::pattern(anywhere, cased))
    }

    /// The texts that keywords are sought in: those that the pack names, else all of the routed classes.
    fn searched(&mut self, span: Span) -> Option<FieldExpr> {
        let scope = &self.resolver?.scope;
        let catalog = Catalog::pinned();
        let mut columns: BTreeMap<OcsfPath, Column> = BTreeMap::new();
        for class in &scope.class_uids {
            let found: Vec<Column> = if scope.keywords.is_empty() {
                let leaves = catalog.text_leaves(*class);
                leaves.into_iter().map(|(path, list)| text_column(path, list)).collect()
            } else {
                let named = scope.keywords.iter();
                named
                    .filter(|column| column.path.is_raw() || catalog.resolve(*class, &column.path).is_some())
                    .cloned()
                    .collect()
            };
            columns.extend(found.into_iter().map(|column| (column.path.clone(), column)));
        }
        let mut sources: Vec<FieldExpr> = columns.into_values().map(FieldExpr::Column).collect();
        if sources.is_empty() {
            let message = "the routed classes have none of the pack's keyword columns".to_owned();
            let help = "add a text column of these classes to `keywords:` in pack.yaml".to_owned();
            self.push(&KEYWORDS_NOWHERE, message, span, help);
        }
        match sources.len() {
            0 | 1 => sources.pop(),
            _ => Some(FieldExpr::AnyOf(sources)),
        }
    }
}

fn text_column(path: OcsfPath, list: bool) -> Column {
    Column { path, field_type: FieldType::String, list }
}
