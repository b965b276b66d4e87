//! The pack author's bench: what one does to a mapping pack beside loading it. Tests, evidence, proposals, effect of
//! an edit, edits that keep comments, life cycle, pySigma.
//!
//! Knows packs, rules and datasets, and no screen.
