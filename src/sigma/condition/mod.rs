//! The condition of a rule: a small language over the names of selections.

mod lex;
mod parse;

use super::problem::Problem;
use super::span::{Scalar, Spanned};

pub(crate) use parse::MAX_LENGTH;

/// A condition: its text, and what it says or why it says nothing.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The text as written.
    pub text: Spanned<String>,
    /// The parsed expression.
    pub expression: Result<Expression, Problem>,
}

impl Condition {
    /// Reads a condition that stands in `source`.
    pub(crate) fn new(text: Spanned<String>, source: &str) -> Self {
        let expression = parse::expression(&Scalar::new(source, &text.value, text.span));
        Self { text, expression }
    }
}

/// A condition, parsed. Names are not yet looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// All hold. Two or more.
    And(Vec<Expression>),
    /// Any holds. Two or more.
    Or(Vec<Expression>),
    /// It does not hold.
    Not(Box<Expression>),
    /// A selection by name.
    Identifier(Spanned<String>),
    /// `1 of pattern`, `all of them` and the like.
    Quantified(Quantifier, Spanned<String>),
}

/// How many of the selections that a pattern reaches have to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// `1 of`, `any of`.
    Any,
    /// `all of`.
    All,
}

impl Expression {
    /// The names and the patterns in it, from left to right.
    #[must_use]
    pub fn leaves(&self) -> Vec<&Self> {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().flat_map(Self::leaves).collect(),
            Self::Not(inner) => inner.leaves(),
            Self::Identifier(_) | Self::Quantified(..) => vec![self],
        }
    }
}
