//! Field modifiers: their names, and the chains that Sigma allows.

/// A modifier by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are Sigma's")]
pub enum Modifier {
    Contains,
    StartsWith,
    EndsWith,
    All,
    Exists,
    Cased,
    Neq,
    Re,
    IgnoreCase,
    Multiline,
    DotAll,
    Lt,
    Lte,
    Gt,
    Gte,
    Windash,
    Base64,
    Base64Offset,
    Wide,
    Utf16,
    Utf16Le,
    Utf16Be,
    Cidr,
    FieldRef,
    Expand,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}

/// A legal chain of modifiers, in its normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// What is done to the value before it is compared, in order.
    pub transforms: Vec<Transform>,
    /// How it is compared.
    pub operator: Operator,
    /// `cased`: with case.
    pub cased: bool,
    /// `neq`: the field has a value, and it is none of these.
    pub negated: bool,
    /// `all`: every value, not any.
    pub all: bool,
}

/// A transform of the rule's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are Sigma's")]
pub enum Transform {
    Windash,
    Base64,
    Base64Offset,
    Utf16,
    Utf16Le,
    Utf16Be,
    Expand,
}

/// How a field is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// As text, number or boolean.
    Match(TextMatch),
    /// By a regular expression.
    Regex {
        /// `i`
        ignore_case: bool,
        /// `m`
        multiline: bool,
        /// `s`
        dot_all: bool,
    },
    /// By network.
    Cidr,
    /// By presence.
    Exists,
    /// With another field.
    FieldRef(TextMatch),
    /// By size.
    Compare(Comparison),
    /// By part of a timestamp.
    TimePart(TimePart),
}

/// Where the value has to stand in the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextMatch {
    /// It is the whole field.
    Equals,
    /// Anywhere.
    Contains,
    /// At the start.
    StartsWith,
    /// At the end.
    EndsWith,
}

/// A comparison of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are Sigma's")]
pub enum Comparison {
    Lt,
    Lte,
    Gt,
    Gte,
}

/// A part of a timestamp, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are Sigma's")]
pub enum TimePart {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Year,
}
