//! The parts of the language that are off unless switched on by name.

use std::fmt;

/// A part of the rule language that is off unless switched on by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// `base64`, `base64offset`
    Base64,
    /// `cidr`
    Cidr,
    /// Correlation rules.
    Correlation,
    /// `expand`
    Expand,
    /// `fieldref`
    Fieldref,
    /// Filter rules.
    Filters,
    /// Searches without a field.
    Keywords,
    /// `re`
    Regex,
    /// `minute` to `year`
    TimestampParts,
    /// `wide`, `utf16`, `utf16le`, `utf16be`
    Utf16,
    /// Unescaped `*` and `?` in values.
    Wildcards,
    /// `windash`
    Windash,
}

impl Capability {
    /// Every capability, in byte order of their names.
    pub const ALL: [Self; 12] = [
        Self::Base64,
        Self::Cidr,
        Self::Correlation,
        Self::Expand,
        Self::Fieldref,
        Self::Filters,
        Self::Keywords,
        Self::Regex,
        Self::TimestampParts,
        Self::Utf16,
        Self::Wildcards,
        Self::Windash,
    ];

    /// Its name in packs and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Cidr => "cidr",
            Self::Correlation => "correlation",
            Self::Expand => "expand",
            Self::Fieldref => "fieldref",
            Self::Filters => "filters",
            Self::Keywords => "keywords",
            Self::Regex => "regex",
            Self::TimestampParts => "timestamp_parts",
            Self::Utf16 => "utf16",
            Self::Wildcards => "wildcards",
            Self::Windash => "windash",
        }
    }

    /// The capability of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.as_str() == name)
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_lead_back() {
        assert!(Capability::ALL.is_sorted_by_key(|capability| capability.as_str()));
        assert!(Capability::ALL.is_sorted());
        for capability in Capability::ALL {
            assert_eq!(Capability::from_name(capability.as_str()), Some(capability));
            assert_eq!(serde_yaml::to_string(&capability).unwrap().trim(), capability.as_str());
        }
        assert_eq!(Capability::from_name("Regex"), None);
    }
}
