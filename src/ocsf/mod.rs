//! The pinned OCSF schema: classes, the paths that each has, and their types.
//!
//! Knows no rule, no pack, no dataset.

mod catalog;
mod text;

use std::fmt;

pub use catalog::Catalog;

/// The OCSF version that the embedded catalog describes.
pub const OCSF_VERSION: &str = "1.7.0";

/// A dot-delimited attribute path, such as `process.parent_process.cmd_line`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct OcsfPath(pub String);

/// The `class_uid` of an OCSF event class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct ClassUid(pub u32);

impl OcsfPath {
    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the path lies outside OCSF, in the source's own fields.
    #[must_use]
    pub fn is_raw(&self) -> bool {
        self.0 == "raw_json" || self.0.starts_with("raw.")
    }
}

impl fmt::Display for OcsfPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ClassUid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The type of a value, as comparisons see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FieldType {
    /// Text.
    String,
    /// A whole number, 32 or 64 bits.
    Integer,
    /// A number with a fraction.
    Float,
    /// `true` or `false`.
    Boolean,
    /// Milliseconds since 1970, UTC, as BIGINT.
    Timestamp,
}

impl FieldType {
    /// As packs and messages write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Integer => "integer",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Timestamp => "timestamp",
        }
    }
}

/// What a path is in a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// The type of its values.
    pub field_type: FieldType,
    /// Whether a LIST lies on the way, the last step included, so that an event may have several values.
    pub list: bool,
    /// Whether OCSF has deprecated it.
    pub deprecated: bool,
}
