//! Mapping packs and pySigma's processing pipelines, each from the other.
//!
//! What one side cannot say is listed with its place, and fails closed on the other: an imported pack refuses the
//! rules that need it, an exported pipeline fails on them. Follows the pipeline format of pySigma 1.5.

mod apply;
mod carry;
mod export;
mod export_items;
mod expression;
mod import;
mod lowered;
mod notes;
mod pack_files;
mod pipeline;
mod read;
mod tree;

pub use export::{Exported, export};
pub use import::{ImportError, Imported, import};

use crate::bridge::Code;

/// Every kind of finding that an import or an export can give.
pub static CODES: &[&Code] = &[
    &notes::SYNTAX,
    &notes::CONDITION,
    &notes::TRANSFORMATION,
    &notes::UNKNOWN_TARGET,
    &notes::UNROUTED,
    &notes::FILTER,
    &notes::SCOPE,
    &notes::KEYWORDS,
    &notes::COMPUTED,
    &notes::PER_CLASS,
    &notes::VALUES,
    &notes::ANY_OF,
    &notes::WHEN,
    &notes::UNRESOLVED,
];
