//! A pipeline applied to a log source: what becomes of each field that it names, whatever rule of it uses them.
//!
//! Conditions that only a rule answers are neither true nor false here. What they would change is lost, never
//! guessed.

use std::collections::{BTreeMap, BTreeSet};

use super::notes::{CONDITION, Notes, TRANSFORMATION};
use super::pipeline::*;
use crate::bridge::Code;
use crate::sigma::yaml::Node;
use crate::sigma::{Span, Spanned};

/// What the pipeline makes of rules of one log source.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// The pipeline fails on them, or does with them what cannot be carried.
    pub(super) refused: bool,
    /// What each field is called in the end.
    pub(super) fields: BTreeMap<String, Slot>,
    /// The conditions that it adds.
    pub(super) added: Vec<Added>,
}

/// A field on its way through the pipeline.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot {
    /// What it is called now; several where any of them may match.
    pub(super) names: Vec<String>,
    /// Where it was named last; `None` where nothing did.
    pub(super) named_at: Option<Span>,
    /// Whether it is left out.
    pub(super) lost: bool,
    /// What its values are converted to.
    pub(super) conversion: Option<Conversion>,
    /// Literal → what is looked for.
    pub(super) values: Vec<(Spanned<String>, Node)>,
    applied: BTreeSet<String>,
}

/// An `add_condition`.
#[derive(Clone, Debug)]
pub(super) struct Added {
    pub(super) span: Span,
    pub(super) negated: bool,
    pub(super) parts: Vec<AddedPart>,
}

/// One of its fields.
#[derive(Clone, Debug)]
pub(super) struct AddedPart {
    pub(super) slot: Slot,
    /// Behind the field's name, as in `contains`.
    pub(super) modifiers: Vec<String>,
    pub(super) value: Node,
    pub(super) span: Span,
}

/// Applies `pipeline` to rules of `logsource` that may use any of `fields`.
pub(super) fn apply(
    pipeline: &Pipeline,
    logsource: &LogSource,
    fields: &BTreeSet<String>,
    notes: &mut Notes,
) -> Outcome {
    let slots = fields.iter().map(|field| {
        let slot = Slot { names: vec![field.clone()], ..Slot::default() };
        (field.clone(), slot)
    });
    let outcome = Outcome { fields: slots.collect(), ..Outcome::default() };
    let mut run = Run {
        logsource: logsource.clone(),
        state: BTreeMap::new(),
        applied: BTreeMap::new(),
        outcome,
        notes,
    };
    run.items(&pipeline.items);
    run.outcome
}

struct Run<'n> {
    logsource: LogSource,
    /// `None` for a value that is not known.
    state: BTreeMap<String, Option<String>>,
    /// Items by id, and whether they were surely applied.
    applied: BTreeMap<String, Option<bool>>,
    outcome: Outcome,
    notes: &'n mut Notes,
}

impl Run<'_> {
    fn items(&mut self, items: &[Item]) {
        for item in items {
            let truth = match item.rule.conditions.is_empty() {
                true => Some(true),
                false => item.rule.truth(|condition| self.rule_truth(condition)),
            };
            if truth == Some(false) {
                continue;
            }
            if truth.is_none() {
                let message = format!("whether `{}` applies is not said by the log source alone", item.kind);
                self.notes.raise(&CONDITION, item.rule.span, message);
            }
            self.item(item, truth == Some(true));
            if let Some(id) = &item.id {
                self.applied.insert(id.clone(), truth);
            }
        }
    }

    fn rule_truth(&self, condition: &RuleCondition) -> Option<bool> {
        match condition {
            RuleCondition::LogSource(wanted) => Some(
                wanted.iter().zip(&self.logsource).all(|(wanted, own)| wanted.is_none() || wanted == own),
            ),
            RuleCondition::Applied(id) => self.applied.get(id).copied().unwrap_or(Some(false)),
            RuleCondition::State(test) => self.state_truth(test),
            RuleCondition::Constant(truth) => Some(*truth),
            RuleCondition::Uses(_) | RuleCondition::Content => None,
        }
    }

    fn state_truth(&self, test: &StateTest) -> Option<bool> {
        let Some(value) = self.state.get(&test.key) else { return Some(false) };
        let equal = value.as_ref()? == test.value.as_ref()?;
        match test.op.as_str() {
            "eq" => Some(equal),
            "ne" => Some(!equal),
            _ => None,
        }
    }

    fn item(&mut self, item: &Item, surely: bool) {
        match &item.transformation {
            Transformation::AddCondition { conditions, negated, template } => {
                self.add(item, conditions, *negated, *template, surely);
            }
            Transformation::ChangeLogSource(to) if surely => self.logsource.clone_from(to),
            Transformation::SetState(key, value) => {
                let value = value.clone().filter(|_| surely);
                self.state.insert(key.clone(), value);
            }
            Transformation::RuleFailure if surely => self.outcome.refused = true,
            Transformation::RuleFailure => self.may_fail(item),
            Transformation::ChangeLogSource(_) => self.outcome.refused = true,
            Transformation::Nest(items) => self.nest(item, items, surely),
            Transformation::AsPacksDo => {}
            Transformation::Placeholders { .. } | Transformation::ChangesPlaceholders => {}
            Transformation::ChangesOutput => self.not_carried(item, "it shapes the output"),
            Transformation::Mapping(_)
            | Transformation::PrefixMapping(_)
            | Transformation::Prefix(_)
            | Transformation::Suffix(_)
            | Transformation::MapString(_)
            | Transformation::Convert(_)
            | Transformation::ItemFailure
            | Transformation::ChangesRules => self.on_fields(item, surely),
        }
    }

    fn not_carried(&mut self, item: &Item, why: &str) {
        self.note(&TRANSFORMATION, item.span, format!("`{}` is not carried: {why}", item.kind));
    }

    fn note(&mut self, code: &'static Code, span: Span, message: String) {
        self.notes.raise(code, span, message);
    }

    fn add(
        &mut self,
        item: &Item,
        conditions: &[(Spanned<String>, Node)],
        negated: bool,
        template: bool,
        surely: bool,
    ) {
        let parts = conditions.iter().map(|(key, value)| {
            let mut words = key.value.split('|').map(str::to_owned);
            let name = words.next().unwrap_or_default();
            let slot = Slot {
                names: vec![name],
                lost: !surely || template,
                applied: item.id.clone().into_iter().collect(),
                ..Slot::default()
            };
            AddedPart { slot, modifiers: words.collect(), value: value.clone(), span: key.span }
        });
        let added = Added { span: item.span, negated, parts: parts.collect() };
        self.outcome.added.push(added);
    }

    /// A failure that depends on which fields a rule uses is one of those fields.
    fn may_fail(&mut self, item: &Item) {
        let used: Option<Vec<&String>> = item
            .rule
            .conditions
            .iter()
            .filter(|(_, condition)| self.rule_truth(condition).is_none())
            .map(|(_, condition)| match condition {
                RuleCondition::Uses(field) => Some(field),
                _ => None,
            })
            .collect();
        let simple = !item.rule.negated && !matches!(item.rule.link, Link::Expression(_));
        match used {
            Some(used) if simple => {
                for field in used {
                    if let Some(slot) = self.outcome.fields.get_mut(field) {
                        slot.lost = true;
                    }
                }
            }
            _ => self.outcome.refused = true,
        }
    }

    /// Nested items have a state of their own, which is added to the outer one in the end.
    fn nest(&mut self, item: &Item, items: &[Item], surely: bool) {
        if !surely {
            self.outcome.refused = true;
            self.not_carried(item, "nested items apply together, or not at all");
            return;
        }
        let outer = std::mem::take(&mut self.state);
        self.items(items);
        let inner = std::mem::replace(&mut self.state, outer);
        self.state.extend(inner);
    }

    fn on_fields(&mut self, item: &Item, surely: bool) {
        let is_refusal = matches!(item.transformation, Transformation::ItemFailure);
        if is_refusal && item.values == Some(ValueConditions::NoNumber) {
            // A pack refuses them where the literals are converted.
            return;
        }
        if is_refusal && item.values == Some(ValueConditions::Null) {
            self.not_carried(item, "the pack compares these fields with null, and the pipeline does not");
            return;
        }
        let mut fields = std::mem::take(&mut self.outcome.fields);
        let mut added = std::mem::take(&mut self.outcome.added);
        let conditions = added.iter_mut().flat_map(|added| &mut added.parts).map(|part| &mut part.slot);
        let is_known = surely;
        let surely = surely && item.values.is_none();
        let mut lost = false;
        for slot in fields.values_mut().chain(conditions).filter(|slot| !slot.lost) {
            self.on_slot(item, slot, surely);
            lost |= slot.lost;
        }
        self.outcome.fields = fields;
        self.outcome.added = added;
        // Of a condition that is not known, there is a finding.
        if lost && is_known && !(is_refusal && surely) {
            let why = match item.values {
                Some(_) => "it applies to some values only; the fields that it is for are left out",
                None => "the fields that it is for are left out",
            };
            self.not_carried(item, why);
        }
    }

    fn on_slot(&self, item: &Item, slot: &mut Slot, surely: bool) {
        let mut names = Vec::new();
        let mut touched = false;
        for name in std::mem::take(&mut slot.names) {
            let gate = item.field.truth(|condition| self.field_truth(condition, &name, slot));
            let renamed = renamed(&item.transformation, &name);
            let concerned = gate != Some(false) && renamed.as_ref() != Some(&None);
            slot.lost |= concerned && (gate.is_none() || !surely);
            touched |= concerned;
            match renamed {
                Some(Some(new)) if concerned => {
                    slot.named_at = place_of(item, &name);
                    slot.lost |= new.is_empty();
                    names.extend(new);
                }
                _ => names.push(name),
            }
        }
        slot.names = names;
        if !touched {
            return;
        }
        slot.applied.extend(item.id.clone());
        match &item.transformation {
            Transformation::ItemFailure | Transformation::ChangesRules => slot.lost = true,
            Transformation::Convert(conversion) => slot.convert(*conversion),
            Transformation::MapString(values) => slot.map(values),
            _ => {}
        }
    }

    fn field_truth(&self, condition: &FieldCondition, name: &str, slot: &Slot) -> Option<bool> {
        match condition {
            FieldCondition::Named { fields, negated } => {
                Some(fields.iter().any(|field| field == name) != *negated)
            }
            FieldCondition::Matched { patterns, negated } => {
                let matches = patterns.iter().map(|pattern| Some(pattern.as_ref()?.is_match(name)));
                super::expression::any(matches).map(|matches| matches != *negated)
            }
            FieldCondition::Applied(id) => Some(slot.applied.contains(id)),
            FieldCondition::State(test) => self.state_truth(test),
        }
    }
}

impl Slot {
    fn convert(&mut self, conversion: Conversion) {
        // Text that is made of what a value map gives stays what it gave.
        if self.values.is_empty() || conversion == Conversion::Number {
            self.conversion = Some(conversion);
        }
    }

    fn map(&mut self, values: &[(Spanned<String>, Node)]) {
        self.lost |= !self.values.is_empty() || self.conversion == Some(Conversion::Number);
        self.values = values.to_vec();
    }
}

/// The new names, where the transformation renames: `Some(None)` where not this one.
#[expect(clippy::option_option, reason = "whether it renames at all, and whether this name")]
fn renamed(transformation: &Transformation, name: &str) -> Option<Option<Vec<String>>> {
    match transformation {
        Transformation::Mapping(names) => {
            Some(names.iter().find(|(from, _)| from.value == name).map(|(_, to)| to.clone()))
        }
        Transformation::PrefixMapping(prefixes) => {
            let found = prefixes.iter().find_map(|(from, to)| Some((name.strip_prefix(&from.value)?, to)));
            Some(found.map(|(rest, to)| to.iter().map(|prefix| format!("{prefix}{rest}")).collect()))
        }
        Transformation::Prefix(prefix) => Some(Some(vec![format!("{prefix}{name}")])),
        Transformation::Suffix(suffix) => Some(Some(vec![format!("{name}{suffix}")])),
        _ => None,
    }
}

/// Where the name stands in a mapping, or the item where it has none.
fn place_of(item: &Item, name: &str) -> Option<Span> {
    let key = match &item.transformation {
        Transformation::Mapping(names) => names.iter().find(|(from, _)| from.value == name),
        _ => None,
    };
    Some(key.map_or(item.span, |(from, _)| from.span))
}
