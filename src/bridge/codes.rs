//! Every diagnostic code of the bridge, for `reason CODE` and for the test that each has a fixture.

use super::diagnostic::Code;
use super::{correlate, filters, language, literal, lower, references, resolve, route};

/// All codes that a rule's findings can have, by name.
#[must_use]
pub fn codes() -> Vec<&'static Code> {
    let mut codes: Vec<&'static Code> = vec![
        &route::UNROUTED_LOGSOURCE,
        &route::AMBIGUOUS_ROUTING,
        &resolve::UNMAPPED_FIELD,
        &resolve::RAW_FALLBACK_DISABLED,
        &resolve::AMBIGUOUS_FIELD_ALIAS,
    ];
    codes.extend(language::CODES);
    codes.extend(literal::CODES);
    codes.extend(lower::codes());
    codes.extend(correlate::CODES);
    codes.extend(filters::CODES);
    codes.extend(references::CODES);
    codes.sort_by_key(|code| code.name);
    codes
}
