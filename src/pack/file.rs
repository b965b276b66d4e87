//! The shapes of a pack's files, as serde reads them. What the values mean is checked elsewhere.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{FilterOp, Otherwise};
use crate::ocsf::FieldType;

/// `pack.yaml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ManifestFile {
    pub(super) id: String,
    pub(super) version: String,
    pub(super) ocsf_version: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) extends: Vec<String>,
    #[serde(default)]
    pub(super) raw_fallback: RawFallbackFile,
    #[serde(default)]
    pub(super) capabilities: Vec<String>,
    #[serde(default)]
    pub(super) placeholders: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub(super) keywords: Vec<String>,
    #[serde(default)]
    pub(super) backend: BackendFile,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawFallbackFile {
    pub(super) enabled: bool,
    pub(super) prefixes: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BackendFile {
    pub(super) threads: Option<u32>,
}

/// An entry of `routes.yaml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteFile {
    pub(super) logsource: LogsourceFile,
    #[serde(default)]
    pub(super) when: BTreeMap<String, OneOrMany>,
    pub(super) classes: Vec<u32>,
    #[serde(default, rename = "filters")]
    pub(super) _filters: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LogsourceFile {
    pub(super) category: Option<String>,
    pub(super) product: Option<String>,
    pub(super) service: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a literal or a list of literals")]
pub(super) enum OneOrMany {
    One(Literal),
    Many(Vec<Literal>),
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected text, a whole number or a boolean")]
pub(super) enum Literal {
    Integer(i64),
    Boolean(bool),
    Text(String),
}

/// An entry of a route's `filters`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FilterFile {
    pub(super) path: String,
    pub(super) op: FilterOp,
    #[serde(default)]
    pub(super) value: serde_json::Value,
    pub(super) notes: Option<String>,
}

/// An alias that is more than a path.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct AliasFile {
    pub(super) path: Option<String>,
    pub(super) expr: Option<String>,
    pub(super) any_of: Option<IgnoredAny>,
    pub(super) per_class: Option<IgnoredAny>,
    #[serde(rename = "type")]
    pub(super) field_type: Option<FieldType>,
    pub(super) values: BTreeMap<String, serde_json::Value>,
    pub(super) otherwise: Option<Otherwise>,
    pub(super) literal: Option<FieldType>,
    pub(super) classes: Vec<u32>,
}

/// A target within `any_of` or `per_class`, where it is more than a path.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TargetFile {
    pub(super) path: Option<String>,
    pub(super) expr: Option<String>,
    pub(super) any_of: Option<IgnoredAny>,
}
