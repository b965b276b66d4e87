//! The parts of the language that are off unless switched on by name.

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
