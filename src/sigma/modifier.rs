//! Field modifiers: their names, and what a chain of them says.

use super::capability::Capability;

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

/// Every modifier under its name, and under its long name where it has one.
const NAMES: [(&str, Modifier); 34] = [
    ("contains", Modifier::Contains),
    ("startswith", Modifier::StartsWith),
    ("endswith", Modifier::EndsWith),
    ("all", Modifier::All),
    ("exists", Modifier::Exists),
    ("cased", Modifier::Cased),
    ("neq", Modifier::Neq),
    ("re", Modifier::Re),
    ("i", Modifier::IgnoreCase),
    ("m", Modifier::Multiline),
    ("s", Modifier::DotAll),
    ("lt", Modifier::Lt),
    ("lte", Modifier::Lte),
    ("gt", Modifier::Gt),
    ("gte", Modifier::Gte),
    ("windash", Modifier::Windash),
    ("base64", Modifier::Base64),
    ("base64offset", Modifier::Base64Offset),
    ("wide", Modifier::Wide),
    ("utf16", Modifier::Utf16),
    ("utf16le", Modifier::Utf16Le),
    ("utf16be", Modifier::Utf16Be),
    ("cidr", Modifier::Cidr),
    ("fieldref", Modifier::FieldRef),
    ("expand", Modifier::Expand),
    ("minute", Modifier::Minute),
    ("hour", Modifier::Hour),
    ("day", Modifier::Day),
    ("week", Modifier::Week),
    ("month", Modifier::Month),
    ("year", Modifier::Year),
    ("ignorecase", Modifier::IgnoreCase),
    ("multiline", Modifier::Multiline),
    ("dotall", Modifier::DotAll),
];

impl Modifier {
    /// The modifier of that name, which is in lower case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, modifier)| modifier)
    }

    /// Its name; the short one where it has two.
    #[must_use]
    pub fn name(self) -> &'static str {
        NAMES.into_iter().find(|(_, modifier)| *modifier == self).map_or("", |(name, _)| name)
    }

    /// Every name that a modifier may have.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        NAMES.into_iter().map(|(name, _)| name)
    }

    /// What has to be switched on for it; `None` where it always works.
    #[must_use]
    pub fn capability(self) -> Option<Capability> {
        match self {
            Self::Re | Self::IgnoreCase | Self::Multiline | Self::DotAll => Some(Capability::Regex),
            Self::Windash => Some(Capability::Windash),
            Self::Base64 | Self::Base64Offset => Some(Capability::Base64),
            Self::Wide | Self::Utf16 | Self::Utf16Le | Self::Utf16Be => Some(Capability::Utf16),
            Self::Cidr => Some(Capability::Cidr),
            Self::FieldRef => Some(Capability::Fieldref),
            Self::Expand => Some(Capability::Expand),
            Self::Minute | Self::Hour | Self::Day | Self::Week | Self::Month | Self::Year => {
                Some(Capability::TimestampParts)
            }
            Self::Contains | Self::StartsWith | Self::EndsWith | Self::All | Self::Exists | Self::Cased => {
                None
            }
            Self::Neq | Self::Lt | Self::Lte | Self::Gt | Self::Gte => None,
        }
    }
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

impl Comparison {
    /// As mathematics and SQL write it.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Lt => "<",
            Self::Lte => "<=",
            Self::Gt => ">",
            Self::Gte => ">=",
        }
    }
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

impl TimePart {
    /// As rules, plans and DuckDB name it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for name in Modifier::names() {
            let modifier = Modifier::from_name(name);
            assert_eq!(modifier.map(Modifier::name).and_then(Modifier::from_name), modifier, "{name}");
        }
        assert_eq!(Modifier::from_name("ignorecase").map(Modifier::name), Some("i"));
        assert_eq!(Modifier::from_name("Contains"), None);
        assert_eq!(Modifier::from_name("not"), None);
        assert_eq!(Modifier::from_name(""), None);
    }
}
