//! YAML 1.2 core, read once into a tree that knows where each node stands.
//!
//! Both YAML libraries stand behind this module: `saphyr-parser` reads events with positions, `serde_yaml`
//! carries the values into serde types.

mod bind;
mod block;
mod edit;
mod errors;
mod extent;
mod marks;
mod read;
mod scalar;
mod write;

use super::problem::Problem;
use super::span::{Span, Spanned};

pub use bind::from_node;
pub use edit::{NotIsolated, Token, replace, tokens};
pub use read::{MAX_BYTES, MAX_DEPTH, MAX_NODES};
pub use write::write;

/// A YAML node and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Where it stands. An alias stands where it is written, its children where the anchor is.
    pub span: Span,
}

/// What a YAML node is.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeKind {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number, exact.
    Integer(i128),
    /// Any other number.
    Float(f64),
    /// Text.
    String(String),
    /// A list.
    Sequence(Vec<Node>),
    /// A map, in source order, its keys distinct. A key that is another scalar stands for its text.
    Mapping(Vec<(Spanned<String>, Node)>),
}

/// The documents of a YAML text; none where it is empty.
///
/// # Errors
/// The first place where the text is not YAML ([`ProblemKind::Parse`](super::ProblemKind::Parse)) or where it
/// passes one of [`MAX_BYTES`], [`MAX_DEPTH`], [`MAX_NODES`] ([`ProblemKind::Limit`](super::ProblemKind::Limit)).
pub fn parse(text: &str) -> Result<Vec<Node>, Problem> {
    match read::documents(text) {
        (documents, None) => Ok(documents),
        (_, Some(problem)) => Err(problem),
    }
}

/// The documents of a YAML text that stand before its first error, and that error.
pub(crate) fn parse_leading(text: &str) -> (Vec<Node>, Option<Problem>) {
    read::documents(text)
}

impl Node {
    /// The value under `key`, where this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(k, _)| k.value == key).map(|(_, value)| value)
    }

    /// The key itself, where this is a map that has it.
    #[must_use]
    pub fn key(&self, key: &str) -> Option<&Spanned<String>> {
        self.entries().iter().find(|(k, _)| k.value == key).map(|(k, _)| k)
    }

    /// The text, where this is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::String(text) => Some(text),
            _ => None,
        }
    }

    /// The entries, in source order; none where this is no map.
    #[must_use]
    pub fn entries(&self) -> &[(Spanned<String>, Self)] {
        match &self.kind {
            NodeKind::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items, in source order; none where this is no list.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.kind {
            NodeKind::Sequence(items) => items,
            _ => &[],
        }
    }

    /// Whether it is `null`, `~` or nothing.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.kind == NodeKind::Null
    }

    /// What it is, in a word for messages.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            NodeKind::Null => "null",
            NodeKind::Boolean(_) => "a boolean",
            NodeKind::Integer(_) | NodeKind::Float(_) => "a number",
            NodeKind::String(_) => "text",
            NodeKind::Sequence(_) => "a list",
            NodeKind::Mapping(_) => "a map",
        }
    }

    /// The text of a scalar, as YAML would write it; `None` for null, lists and maps.
    #[must_use]
    pub fn scalar_text(&self) -> Option<String> {
        match &self.kind {
            NodeKind::String(text) => Some(text.clone()),
            NodeKind::Boolean(value) => Some(value.to_string()),
            NodeKind::Integer(value) => Some(value.to_string()),
            NodeKind::Float(value) => Some(value.to_string()),
            NodeKind::Null | NodeKind::Sequence(_) | NodeKind::Mapping(_) => None,
        }
    }

    /// The same value for `serde_yaml`. Whole numbers beyond its 64 bits become floats.
    #[must_use]
    pub fn to_value(&self) -> serde_yaml::Value {
        use serde_yaml::Value;
        match &self.kind {
            NodeKind::Null => Value::Null,
            NodeKind::Boolean(value) => Value::Bool(*value),
            NodeKind::Integer(value) => Value::Number(scalar::number(*value)),
            NodeKind::Float(value) => Value::Number((*value).into()),
            NodeKind::String(text) => Value::String(text.clone()),
            NodeKind::Sequence(items) => Value::Sequence(items.iter().map(Self::to_value).collect()),
            NodeKind::Mapping(entries) => Value::Mapping(
                entries
                    .iter()
                    .map(|(key, value)| (Value::String(key.value.clone()), value.to_value()))
                    .collect(),
            ),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod block_tests;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
