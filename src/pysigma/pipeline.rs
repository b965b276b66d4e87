//! A pySigma processing pipeline as data: what its YAML says, with the place of each item.

use super::expression::{self, Expression};
use crate::sigma::yaml::Node;
use crate::sigma::{Span, Spanned};

/// A pattern of Python's `re` for what `convert_type` takes for a number.
pub(super) const NUMBER: &str = r"^-?[0-9]+(?:\.[0-9]+)?\Z";

/// A pipeline.
#[derive(Debug, Default)]
pub(super) struct Pipeline {
    pub(super) name: Option<String>,
    /// `vars`: name → values.
    pub(super) vars: Vec<(Spanned<String>, Vec<String>)>,
    /// `transformations`, in order.
    pub(super) items: Vec<Item>,
}

/// An item of `transformations`.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) id: Option<String>,
    pub(super) span: Span,
    /// `type`, as written.
    pub(super) kind: String,
    pub(super) transformation: Transformation,
    /// `rule_conditions`
    pub(super) rule: Group<RuleCondition>,
    /// `field_name_conditions`
    pub(super) field: Group<FieldCondition>,
    /// `detection_item_conditions`, which look at values.
    pub(super) values: Option<ValueConditions>,
}

/// Conditions on a rule's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueConditions {
    /// `is_null` alone, not negated.
    Null,
    /// Some value is no [`NUMBER`], as an exported pipeline asks before it converts.
    NoNumber,
    /// Any others.
    Others,
}

/// Conditions of one kind, and how they are joined.
#[derive(Debug)]
pub(super) struct Group<C> {
    pub(super) conditions: Vec<(String, C)>,
    pub(super) link: Link,
    pub(super) negated: bool,
    pub(super) span: Span,
}

/// How conditions are joined.
#[derive(Debug)]
pub(super) enum Link {
    All,
    Any,
    Expression(Expression),
}

impl<C> Group<C> {
    /// What the conditions come to; `None` where `of` does not know it of one that decides.
    pub(super) fn truth(&self, of: impl Fn(&C) -> Option<bool>) -> Option<bool> {
        let mut truths = self.conditions.iter().map(|(_, condition)| of(condition));
        let truth = match &self.link {
            Link::All => expression::all(&mut truths),
            Link::Any => expression::any(&mut truths),
            Link::Expression(expression) => expression.truth(&|name| {
                let named = self.conditions.iter().find(|(own, _)| own == name);
                named.and_then(|(_, condition)| of(condition))
            }),
        };
        truth.map(|truth| truth != self.negated)
    }
}

/// `category`, `product`, `service`; lower case.
pub(super) type LogSource = [Option<String>; 3];

/// A condition on the rule.
#[derive(Debug)]
pub(super) enum RuleCondition {
    /// `logsource`
    LogSource(LogSource),
    /// `processing_item_applied`
    Applied(String),
    /// `processing_state`
    State(StateTest),
    /// `is_sigma_rule`, `is_sigma_correlation_rule`
    Constant(bool),
    /// `contains_field`, `contains_detection_item`: the rule uses this field.
    Uses(String),
    /// `tag`, `rule_attribute`
    Content,
}

/// A condition on a field's name.
#[derive(Debug)]
pub(super) enum FieldCondition {
    /// `include_fields` with `mode: plain`; `exclude_fields` if `negated`.
    Named { fields: Vec<String>, negated: bool },
    /// The same with `mode: re`, matched from the start of the name. `None` is one that cannot be read here.
    Matched { patterns: Vec<Option<regex::Regex>>, negated: bool },
    /// `processing_item_applied`
    Applied(String),
    /// `processing_state`
    State(StateTest),
}

/// A test of the pipeline's state.
#[derive(Debug)]
pub(super) struct StateTest {
    pub(super) key: String,
    pub(super) value: Option<String>,
    /// `eq` or `ne`; others are not decided here.
    pub(super) op: String,
}

/// What an item does.
#[derive(Debug)]
pub(super) enum Transformation {
    /// `field_name_mapping`
    Mapping(Vec<(Spanned<String>, Vec<String>)>),
    /// `field_name_prefix_mapping`
    PrefixMapping(Vec<(Spanned<String>, Vec<String>)>),
    /// `field_name_prefix`
    Prefix(String),
    /// `field_name_suffix`
    Suffix(String),
    /// `add_condition`
    AddCondition { conditions: Vec<(Spanned<String>, Node)>, negated: bool, template: bool },
    /// `change_logsource`
    ChangeLogSource(LogSource),
    /// `set_state`; `None` for a value that is no scalar.
    SetState(String, Option<String>),
    /// `map_string`
    MapString(Vec<(Spanned<String>, Node)>),
    /// `convert_type`
    Convert(Conversion),
    /// `value_placeholders`; `None` is all that are not excluded.
    Placeholders { include: Option<Vec<String>>, exclude: Vec<String> },
    /// `rule_failure`
    RuleFailure,
    /// `detection_item_failure`
    ItemFailure,
    /// `strict_field_mapping_failure`, and `case`: what packs do anyway.
    AsPacksDo,
    /// `nest`
    Nest(Vec<Item>),
    /// It changes what rules look for: `drop_detection_item`, `replace_string`, …
    ChangesRules,
    /// It changes where no field is named: placeholders that packs do not fill.
    ChangesPlaceholders,
    /// It changes nothing that rules look for: `add_field`, `set_custom_attribute`, …
    ChangesOutput,
}

/// What `convert_type` makes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Conversion {
    Text,
    Number,
}
