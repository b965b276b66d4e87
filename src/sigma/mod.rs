//! The rule language: positioned YAML, rules, values, modifiers, conditions. Knows no OCSF and no SQL.

mod capability;
mod condition;
mod modifier;
mod problem;
mod rule;
mod span;
pub mod yaml;

pub use capability::Capability;
pub use condition::{Condition, Expression, Quantifier};
pub use modifier::{Chain, Comparison, Modifier, Operator, TextMatch, TimePart, Transform};
pub use problem::{Problem, ProblemKind};
pub use rule::*;
pub use span::{Position, Span, Spanned};
