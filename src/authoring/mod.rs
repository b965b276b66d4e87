//! The pack author's bench: what one does to a mapping pack beside loading it. Tests, evidence, proposals, effect of
//! an edit, edits that keep comments, life cycle, pySigma. Also regression cases of rules.
//!
//! Knows packs, rules and datasets, and no screen.

mod alias_change;
mod cases;
mod diff;
mod edit;
mod effect;
mod evidence;
mod file_edit;
mod gap;
mod likeness;
mod new_rule;
mod proposal;
mod release;
mod rule_tests;
mod scaffold;
mod usage;

pub use alias_change::plan_change;
pub use cases::{CaseResult, CasesError, Failure, Suite, TestRun, Untested, run_cases};
pub use diff::{PackDiff, Ran, RuleChange, RuleDiff, Statement, pack_diff, rule_diff};
pub use edit::{EditError, plan_edit};
pub use effect::{Effect, Trial, try_on_all, try_on_gap};
pub use evidence::{Evidence, Fills, Sample, Survey, alias_evidence, fills, survey};
pub use file_edit::{FileEdit, FileError};
pub use gap::{Gap, Literal, gap_of, gaps, scope_of};
pub use new_rule::{Draft, DraftError, NewFile, NewFileError, Template, draft};
pub use proposal::{Origin, Proposal, Rejection, proposals};
pub use release::{Bump, Release, ReleaseError, plan_release};
pub use rule_tests::{
    CaseForm, HashedFile, RuleCaseResult, RuleSuite, RuleTestRun, SAVED_CASE, SaveError, SavedCase,
    Selection, save_case, test_rules,
};
pub use scaffold::{ScaffoldError, scaffold};
pub use usage::{FieldUse, RouteUse, usage};
