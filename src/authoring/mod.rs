//! The pack author's bench: what one does to a mapping pack beside loading it. Tests, evidence, proposals, effect of
//! an edit, edits that keep comments, life cycle, pySigma. Also regression cases of rules.
//!
//! Knows packs, rules and datasets, and no screen.

mod cases;
mod diff;
mod edit;
mod effect;
mod evidence;
mod gap;
mod likeness;
mod proposal;
mod release;
mod rule_tests;
mod scaffold;
mod usage;

pub use cases::{CaseResult, CasesError, Failure, Suite, TestRun, Untested, run_cases};
pub use diff::{PackDiff, Ran, RuleChange, RuleDiff, Statement, pack_diff, rule_diff};
pub use edit::{AliasEdit, EditError, plan_edit};
pub use effect::{Effect, Trial, try_on_all, try_on_gap};
pub use evidence::{Evidence, Fills, Sample, Survey, alias_evidence, fills, survey};
pub use gap::{Gap, Literal, gap_of, gaps};
pub use proposal::{Origin, Proposal, Rejection, proposals};
pub use release::{Bump, Release, ReleaseError, plan_release};
pub use rule_tests::{
    CaseForm, HashedFile, RuleCaseResult, RuleSuite, RuleTestRun, SAVED_CASE, SaveError, SavedCase,
    Selection, save_case, test_rules,
};
pub use scaffold::{ScaffoldError, scaffold};
pub use usage::{FieldUse, RouteUse, usage};
