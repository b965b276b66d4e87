//! What a regression case says, as read, and what came of it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::authoring::Failure;
use crate::pack::PackPlace;
use crate::sigma::{Rule, Spanned};

/// A regression case, not yet run.
#[derive(Clone, Debug)]
pub(super) struct RuleCase {
    pub(super) name: String,
    pub(super) place: PackPlace,
    /// The rule's id, name or title, where the case says.
    pub(super) rule: Option<String>,
    pub(super) events: CaseEvents,
    pub(super) expected: Expected,
}

/// Where the events of a case are.
#[derive(Clone, Debug)]
pub(super) enum CaseEvents {
    /// In the case, each with its id.
    Inline(Vec<(String, Map<String, Value>)>),
    /// In a file of OCSF events.
    File(PathBuf),
}

/// What has to come of the events.
#[derive(Clone, Debug, Default)]
pub(super) struct Expected {
    pub(super) matching: Option<Ids>,
    pub(super) not: Option<Ids>,
    /// Matches, or windows of a correlation, at the least.
    pub(super) at_least: Option<u64>,
    /// Matches, or windows of a correlation, to the number.
    pub(super) exactly: Option<u64>,
}

/// Events of a case.
#[derive(Clone, Debug)]
pub(super) enum Ids {
    All,
    These(Vec<Spanned<String>>),
}

/// The form that a case is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseForm {
    /// `x.test.yml` beside `x.yml`.
    Beside,
    /// An entry of the `info.yml` that a rule's `regression_tests_path` names, as SigmaHQ has them.
    Sigmahq,
}

impl CaseForm {
    /// As reports write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Beside => "beside",
            Self::Sigmahq => "sigmahq",
        }
    }
}

/// A file with its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashedFile {
    /// The file.
    pub path: PathBuf,
    /// SHA-256 of its bytes, in lower-case hexadecimal.
    pub sha256: String,
}

/// What came of a regression case.
#[derive(Clone, Debug)]
pub struct RuleCaseResult {
    /// Its name.
    pub name: String,
    /// The form that it is written in.
    pub form: CaseForm,
    /// Where it stands; in the rule, where the file that the rule names is not there.
    pub place: PackPlace,
    /// The hash of the file that it stands in.
    pub sha256: String,
    /// The file of its events, where they are in one of their own.
    pub events: Option<HashedFile>,
    /// How many things were asked.
    pub checks: usize,
    /// The events that match, or that are of a window; in byte order.
    pub matched: BTreeSet<String>,
    /// What does not hold.
    pub failures: Vec<Failure>,
    /// Why it was not run; `None` where it was.
    pub skipped: Option<String>,
}

/// The regression cases of one rule.
#[derive(Clone, Debug)]
pub struct RuleSuite {
    /// The rule; `None` for a case file that belongs to no rule.
    pub rule: Option<Arc<Rule>>,
    /// The file of the rule, or the case file without one.
    pub file: HashedFile,
    /// What came of each case: those beside the rule in byte order of their files and as written, then SigmaHQ's.
    pub cases: Vec<RuleCaseResult>,
}

/// What came of the regression cases of a set of rules.
#[derive(Clone, Debug, Default)]
pub struct RuleTestRun {
    /// By rule, in the order of the rules; case files without a rule last.
    pub suites: Vec<RuleSuite>,
    /// How many rules have no case at all.
    pub without_cases: usize,
}

impl RuleTestRun {
    /// All cases.
    pub fn cases(&self) -> impl Iterator<Item = &RuleCaseResult> {
        self.suites.iter().flat_map(|suite| &suite.cases)
    }
}

impl RuleCaseResult {
    /// Whether it was run, and something does not hold.
    #[must_use]
    pub fn failed(&self) -> bool {
        !self.failures.is_empty()
    }
}
