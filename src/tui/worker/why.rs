//! Why a rule did or did not match, and how often its fields are filled. Answered on the session's thread.

use std::sync::Arc;

use super::Report;
use crate::attribution;
use crate::authoring;
use crate::backend::CompiledRule;
use crate::evaluate::{Cancel, EvalError};
use crate::store::Store;

/// The answer; `None` where nobody waits for it any more.
pub(super) fn explain(
    generation: u64,
    rule: &CompiledRule,
    store: &mut Store,
    cancel: &Cancel,
) -> Option<Report> {
    let found = match attribution::attribute(store, rule, None, cancel) {
        Err(EvalError::Cancelled) => return None,
        found => found.map(Arc::new).map_err(|error| error.to_string()),
    };
    Some(Report::Explained { generation, found })
}

/// Likewise. What cannot be counted shows where the rule is run.
pub(super) fn fill(
    generation: u64,
    rule: &CompiledRule,
    store: &mut Store,
    cancel: &Cancel,
) -> Option<Report> {
    match authoring::fills(store, &rule.compilation, cancel) {
        Err(EvalError::Cancelled) => None,
        fills => Some(Report::Filled { generation, fills: fills.ok().flatten() }),
    }
}
