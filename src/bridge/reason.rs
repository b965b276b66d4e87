//! Why a rule is not executable, in the specification's own words.

use std::fmt;

/// The specification's reason codes, in the order in which the most specific one of a rule is chosen
/// (`sigma_semantics.md` 9). Parse errors stand first although their code is `backend_compile_error`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// No route for the rule's log source.
    UnroutedLogsource,
    /// Two answers for a field at one scope.
    AmbiguousFieldAlias,
    /// A field that only `raw.*` has, where fallback is not permitted.
    RawFallbackDisabled,
    /// A field that nothing maps.
    UnmappedField,
    /// A regular expression that is off or not RE2.
    UnsupportedRegex,
    /// A modifier that is off or does not exist.
    UnsupportedModifier,
    /// An operator that is off or cannot be expressed.
    UnsupportedOperator,
    /// A value of a type that its field does not take.
    UnsupportedValueType,
    /// The rule could not be read, or no plan could be made.
    BackendCompileError,
    /// The plan failed while it ran.
    BackendEvalError,
}

impl ReasonCode {
    /// All of them, in order.
    pub const ALL: [Self; 10] = [
        Self::UnroutedLogsource,
        Self::AmbiguousFieldAlias,
        Self::RawFallbackDisabled,
        Self::UnmappedField,
        Self::UnsupportedRegex,
        Self::UnsupportedModifier,
        Self::UnsupportedOperator,
        Self::UnsupportedValueType,
        Self::BackendCompileError,
        Self::BackendEvalError,
    ];

    /// As the specification spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnroutedLogsource => "unrouted_logsource",
            Self::AmbiguousFieldAlias => "ambiguous_field_alias",
            Self::RawFallbackDisabled => "raw_fallback_disabled",
            Self::UnmappedField => "unmapped_field",
            Self::UnsupportedRegex => "unsupported_regex",
            Self::UnsupportedModifier => "unsupported_modifier",
            Self::UnsupportedOperator => "unsupported_operator",
            Self::UnsupportedValueType => "unsupported_value_type",
            Self::BackendCompileError => "backend_compile_error",
            Self::BackendEvalError => "backend_eval_error",
        }
    }
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
