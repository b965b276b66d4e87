//! The middle form: what must hold of an event, with every meaning decided and no engine in sight.
//!
//! Every [`Test`] is two-valued: false where its field is NULL, and so true under [`Expr::Not`]
//! (specification, "Null and missing semantics"). On a LIST it holds when any element satisfies it.

use std::sync::Arc;

use crate::ocsf::{ClassUid, OcsfPath};
use crate::pack::{Column, Computed};
use crate::sigma::{Comparison, SigmaField, Span, TextMatch, TimePart};

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
        /// Where the rule defines it; empty where a filter does, in another file.
        span: Span,
        /// What it says; wherever the condition names it again, the same.
        body: Arc<Expr>,
    },
    /// A test of one field.
    Predicate(Predicate),
}

/// A test of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Predicate {
    /// The field as the rule names it.
    pub field: SigmaField,
    /// Where its values are found, as in every test of the field.
    pub source: Arc<FieldExpr>,
    /// What must hold of one.
    pub test: Test,
    /// The value, or the item, that it comes from; empty where it is a filter's, in another file.
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
    /// Text of a shape that covers the whole value. Folded unless `cased`.
    Pattern {
        /// The shape; two texts never stand side by side.
        parts: Vec<PatternPart>,
        /// With case.
        cased: bool,
    },
    /// Text in which a regular expression finds something.
    Regex(Regex),
    /// Text that is an address inside the network.
    Network(Network),
    /// Text compared with the text of another field; false where either is NULL.
    OtherText {
        /// Where the other field's text has to stand.
        position: TextMatch,
        /// The other field, never a LIST.
        other: Arc<FieldExpr>,
        /// With case.
        cased: bool,
    },
    /// A number equal to that of another field, which is never a LIST; false where either is NULL.
    OtherNumber(Arc<FieldExpr>),
    /// A timestamp, a part of which in UTC is one of these. Sorted, distinct.
    TimePart {
        /// Which part; the week is ISO 8601's.
        part: TimePart,
        /// The numbers it may have.
        values: Vec<i64>,
    },
}

/// A part of a [`Test::Pattern`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternPart {
    /// This text.
    Text(String),
    /// Any run of characters, line breaks included, also none.
    AnyRun,
    /// Exactly one code point.
    AnyOne,
    /// Any of [`DASHES`].
    Dash,
}

/// The characters that stand for each other before a flag (`windash`).
pub const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// A regular expression within what RE2 and the `regex` crate agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regex {
    /// The expression; its Perl classes and word boundaries are ASCII.
    pub pattern: String,
    /// `i`
    pub ignore_case: bool,
    /// `m`: `^` and `$` match at lines.
    pub multiline: bool,
    /// `s`: the dot matches line breaks.
    pub dot_all: bool,
}

impl Regex {
    /// What reads its pattern, with its flags.
    pub(crate) fn parser(&self) -> regex_syntax::Parser {
        regex_syntax::ParserBuilder::new()
            .case_insensitive(self.ignore_case)
            .multi_line(self.multiline)
            .dot_matches_new_line(self.dot_all)
            .build()
    }
}

/// An IP network; its host bits are zero. IPv4 holds only IPv4 addresses, IPv6 only IPv6 ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// `a.b.c.d/length`
    V4(std::net::Ipv4Addr, u8),
    /// `a:b::/length`
    V6(std::net::Ipv6Addr, u8),
}

/// A number literal, exact.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole number within 64 bits, signed or unsigned.
    Integer(i128),
    /// Any other.
    Float(f64),
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Integer(number) => number.fmt(f),
            Self::Float(number) => number.fmt(f),
        }
    }
}

impl Number {
    /// Order of size; a whole number before an equal fraction, so that sorting is total.
    #[must_use]
    pub fn total_cmp(&self, other: &Self) -> std::cmp::Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Integer(a), Self::Float(b)) => (*a as f64).total_cmp(b).then(std::cmp::Ordering::Less),
            (Self::Float(a), Self::Integer(b)) => a.total_cmp(&(*b as f64)).then(std::cmp::Ordering::Greater),
        }
    }
}

impl Expr {
    /// How many tests it holds.
    #[must_use]
    pub fn tests(&self) -> usize {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().map(Self::tests).sum(),
            Self::Not(part) => part.tests(),
            Self::Selection { body, .. } => body.tests(),
            Self::Predicate(_) => 1,
        }
    }

    /// Calls `visit` with every test, in order.
    pub fn visit_predicates<'e>(&'e self, visit: &mut dyn FnMut(&'e Predicate)) {
        match self {
            Self::And(parts) | Self::Or(parts) => parts.iter().for_each(|part| part.visit_predicates(visit)),
            Self::Not(part) => part.visit_predicates(visit),
            Self::Selection { body, .. } => body.visit_predicates(visit),
            Self::Predicate(predicate) => visit(predicate),
        }
    }

    /// Calls `visit` with every column that it reads; those of a field that is tested several times in a row, once.
    pub fn visit_columns(&self, visit: &mut dyn FnMut(&Column)) {
        let mut last: Option<&Arc<FieldExpr>> = None;
        self.visit_predicates(&mut |predicate| {
            if !last.is_some_and(|last| Arc::ptr_eq(last, &predicate.source)) {
                predicate.source.visit_columns(visit);
            }
            last = Some(&predicate.source);
            if let Test::OtherText { other, .. } | Test::OtherNumber(other) = &predicate.test {
                other.visit_columns(visit);
            }
        });
    }
}

impl FieldExpr {
    /// The paths that it reads, each once, in order.
    #[must_use]
    pub fn paths(&self) -> Vec<OcsfPath> {
        let mut paths: Vec<OcsfPath> = Vec::new();
        self.visit_columns(&mut |column| {
            if !paths.contains(&column.path) {
                paths.push(column.path.clone());
            }
        });
        paths
    }

    /// Calls `visit` with every column that it reads.
    pub fn visit_columns(&self, visit: &mut dyn FnMut(&Column)) {
        match self {
            Self::Column(column) => visit(column),
            Self::Computed(computed) => computed.scalar.columns().into_iter().for_each(visit),
            Self::AnyOf(parts) => parts.iter().for_each(|part| part.visit_columns(visit)),
            Self::PerClass(parts) => parts.iter().for_each(|(_, part)| part.visit_columns(visit)),
        }
    }
}
