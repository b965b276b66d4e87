//! YAML 1.2 core, read once into a tree that knows where each node stands.
//!
//! Both YAML libraries stand behind this module: `saphyr-parser` reads events with positions, `serde_yaml`
//! carries the values into serde types and writes YAML.

use super::span::{Span, Spanned};

/// A YAML node and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Where it stands.
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
    /// A map, in source order, its keys distinct.
    Mapping(Vec<(Spanned<String>, Node)>),
}
