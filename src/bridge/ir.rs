//! The middle form: what must hold of an event, with every meaning decided and no engine in sight.
//!
//! Every [`Test`] is two-valued: false where its field is NULL, and so true under [`Expr::Not`]
//! (specification, "Null and missing semantics"). On a LIST it holds when any element satisfies it.

use crate::ocsf::ClassUid;
use crate::pack::{Column, Computed};
use crate::sigma::{Comparison, SigmaField, Span, TextMatch};

/// What must hold of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// All hold; never empty.
    And(Vec<Expr>),
    /// Any holds; never empty.
    Or(Vec<Expr>),
    /// It does not hold.
    Not(Box<Expr>),
    /// A selection of the rule, under its name.
    Selection {
        /// The search identifier.
        name: String,
        /// Where the rule defines it.
        span: Span,
        /// What it says.
        body: Box<Expr>,
    },
    /// A test of one field.
    Predicate(Predicate),
}

/// A test of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicate {
    /// The field as the rule names it.
    pub field: SigmaField,
    /// Where its values are found.
    pub source: FieldExpr,
    /// What must hold of one.
    pub test: Test,
    /// The value, or the item, that it comes from.
    pub span: Span,
}

/// Where a field's values are found.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldExpr {
    /// In a column.
    Column(Column),
    /// Computed.
    Computed(Computed),
    /// In any of several places: as if they were one LIST. Two or more.
    AnyOf(Vec<FieldExpr>),
    /// Depending on the event's class, ascending; NULL in any other.
    PerClass(Vec<(ClassUid, FieldExpr)>),
}

/// A test of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// There is one. An empty LIST is one.
    Exists,
    /// There is none.
    Missing,
    /// Text, equal to one of these. Sorted by UTF-8 bytes, distinct; folded unless `cased`.
    TextIn {
        /// The literals.
        values: Vec<String>,
        /// With case.
        cased: bool,
    },
    /// Text, with the literal somewhere in it. Folded unless `cased`.
    Text {
        /// Where. Never [`TextMatch::Equals`].
        position: TextMatch,
        /// The literal.
        value: String,
        /// With case.
        cased: bool,
    },
    /// A number, equal to one of these. Sorted, distinct.
    NumberIn(Vec<Number>),
    /// A number, compared.
    Compare(Comparison, Number),
    /// A boolean, equal to one of these. Sorted, distinct.
    BooleanIn(Vec<bool>),
}

/// A number literal, exact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number within 64 bits, signed or unsigned.
    Integer(i128),
    /// Any other.
    Float(f64),
}
