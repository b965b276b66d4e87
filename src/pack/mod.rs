//! A mapping pack: routes, aliases, fallback policy, and the hash that names its meaning.
//!
//! Reads packs from disk or from the binary and validates them against the pinned catalog. Knows no rule, no
//! dataset and no SQL. `mapping_packs/README.md` describes the files.

mod aliases;
mod archive;
mod build;
mod case_event;
mod cases;
mod expression;
mod extends;
mod file;
mod files;
mod filters;
mod hash;
mod load;
mod manifest;
mod merge;
mod model;
mod paths;
mod reach;
mod report;
mod routes;
mod scalar;
mod scope;
mod source;
mod specialise;
mod target;
mod targets;
mod ties;
mod trial;

pub use build::{Built, build};
pub(crate) use case_event::event as read_event;
pub use cases::{CaseCheck, Expected, FieldCase, FieldExpected, TestCase, TestedPack, cases, tested};
pub use extends::folders;
pub(crate) use hash::meaning;
pub use load::{LoadedPack, PackError, load, session_threads};
pub use model::*;
pub use scope::InvalidScope;
pub use source::{DEFAULT_PACK, PackSource};
pub use trial::{alias_yaml, sha256_at_version, with_alias};

use crate::bridge::Code;

/// Every kind of finding that a pack can give.
pub static CODES: &[&Code] = &[
    &source::PACK_NOT_FOUND,
    &files::PACK_UNREADABLE,
    &archive::BAD_ARCHIVE,
    &extends::BAD_EXTENDS,
    &extends::EXTENDS_CYCLE,
    &merge::EXTENDS_CONFLICT,
    &load::PACK_SYNTAX,
    &manifest::PACK_OCSF_VERSION,
    &manifest::PACK_VALUE,
    &routes::UNKNOWN_CLASS,
    &routes::BAD_ROUTE,
    &routes::DUPLICATE_ROUTE,
    &filters::BAD_FILTER,
    &filters::UNSUPPORTED_FILTER,
    &filters::UNPINNED_FILTER,
    &ties::ROUTES_TIE,
    &paths::UNKNOWN_PATH,
    &paths::AMBIGUOUS_TYPE,
    &aliases::BAD_SCOPE,
    &aliases::UNUSED_SCOPE,
    &aliases::BAD_ALIAS,
    &aliases::BAD_VALUES,
    &aliases::OPEN_VALUES,
    &aliases::NO_EFFECT,
    &reach::NOT_IN_ROUTE,
    &reach::SHADOWED_ALIAS,
    &aliases::DUPLICATE_ALIAS,
    &targets::RAW_PREFIX,
    &targets::BAD_EXPRESSION,
    &cases::BAD_TEST,
];

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod archive_tests;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod extension_tests;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
