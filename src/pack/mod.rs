//! A mapping pack: routes, aliases, fallback policy, and the hash that names its meaning.
//!
//! Reads packs from disk or from the binary and validates them against the pinned catalog. Knows no rule, no
//! dataset and no SQL. `mapping_packs/README.md` describes the files.

mod aliases;
mod expression;
mod file;
mod filters;
mod hash;
mod load;
mod manifest;
mod model;
mod paths;
mod report;
mod routes;
mod scope;
mod source;
mod target;
mod targets;

pub(crate) use hash::meaning;
pub use load::{LoadedPack, PackError, load};
pub use model::*;
pub use scope::InvalidScope;
pub use source::{DEFAULT_PACK, PackSource};

use crate::bridge::Code;

/// Every kind of finding that a pack can give.
pub static CODES: &[&Code] = &[
    &source::PACK_NOT_FOUND,
    &source::PACK_UNREADABLE,
    &load::PACK_SYNTAX,
    &manifest::PACK_OCSF_VERSION,
    &manifest::PACK_VALUE,
    &routes::UNKNOWN_CLASS,
    &routes::BAD_ROUTE,
    &routes::DUPLICATE_ROUTE,
    &filters::BAD_FILTER,
    &filters::UNSUPPORTED_FILTER,
    &paths::UNKNOWN_PATH,
    &paths::AMBIGUOUS_TYPE,
    &aliases::BAD_SCOPE,
    &aliases::UNUSED_SCOPE,
    &aliases::BAD_ALIAS,
    &aliases::BAD_VALUES,
    &aliases::DUPLICATE_ALIAS,
    &targets::RAW_PREFIX,
    &targets::BAD_EXPRESSION,
];

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;
