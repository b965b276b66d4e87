//! What a field of the fixtures could be.

use std::collections::BTreeSet;

use crate::authoring::{Effect, Evidence, Origin, Proposal, Rejection, Sample};
use crate::ocsf::FieldType;
use crate::tui::model::{Bench, Proposed};

/// What `CallTrace` could be.
pub(super) fn bench() -> Bench {
    let evidence = |filled, holds, value: &str| Evidence {
        stored_as: "VARCHAR".to_owned(),
        filled,
        holds,
        samples: vec![Sample { value: value.to_owned(), events: filled / 2 }],
    };
    let proposal = |target: &str, likeness, evidence, rejected| Proposal {
        target: target.to_owned(),
        shown: target.to_owned(),
        field_type: FieldType::String,
        list: false,
        origins: BTreeSet::from([Origin::Dataset]),
        likeness,
        evidence,
        rejected,
    };
    let raw = evidence(9_000, 9, "C:\\Windows\\SYSTEM32\\ntdll.dll+9d4c4|UNKNOWN(\u{1b}[31m00)");
    let name = evidence(12, 0, "x.exe");
    let effect = Effect { unlocked: (0..18).collect(), with_fallback: 18, ..Effect::default() };
    let offered = proposal("raw.CallTrace", 1000, Some(raw), None);
    let rejected = proposal("process.cmd_line", 0, None, Some(Rejection::Empty));
    let other = proposal("process.name", 0, Some(name), Some(Rejection::NoLiteral));
    let row = |proposal, effect, matching| Proposed { proposal, in_use: false, effect, matching };
    Bench {
        scope: "process_access/windows".to_owned(),
        rules: 20,
        unlocks: 18,
        in_scope: Some(9_000),
        literals: 16,
        proposals: vec![
            row(offered, Some(effect), Some((3, 41))),
            row(rejected, None, None),
            row(other, None, None),
        ],
    }
}
