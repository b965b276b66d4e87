//! The rule language: positioned YAML, rules, values, modifiers, conditions. Knows no OCSF and no SQL.

mod capability;
mod chain;
mod collection;
mod condition;
mod correlation;
mod detection;
mod document;
mod include;
mod item;
mod load;
mod metadata;
mod modifier;
mod problem;
mod rule;
mod span;
pub(crate) mod suggest;
pub mod text;
mod write;
pub mod yaml;

pub use capability::Capability;
pub use collection::parse;
pub use condition::{Condition, Expression, Quantifier};
pub use correlation::{
    Bound, BoundOperator, BoundValue, Bounds, Correlation, CorrelationKind, FieldAlias, Timespan,
    WindowCondition,
};
pub use include::RuleFile;
pub(crate) use load::folder_of;
pub use load::{
    case_files, is_case_file, is_rule_file, load, load_file, load_files, reload_file, rule_files,
};
pub use modifier::{Chain, Comparison, Modifier, Operator, TextMatch, TimePart, Transform};
pub use problem::{Problem, ProblemKind};
pub use rule::*;
pub use span::{Position, Span, Spanned};
pub use write::write;
