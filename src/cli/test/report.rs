//! The document of `test --format json`. A contract: its schema is `schemas/rule-test-report.schema.json`.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Serialize;

use super::Totals;
use crate::authoring::{Failure, HashedFile, RuleCaseResult, RuleSuite, RuleTestRun};
use crate::cli::report::Head;
use crate::cli::workspace::Workspace;
use crate::pack::PackPlace;

#[derive(Serialize)]
pub(super) struct TestReport<'r> {
    #[serde(flatten)]
    head: Head,
    totals: TotalsReport,
    suites: Vec<SuiteReport<'r>>,
}

#[derive(Serialize)]
struct TotalsReport {
    cases: usize,
    passed: usize,
    failed: usize,
    skipped: usize,
    rules_without_cases: usize,
}

#[derive(Serialize)]
struct SuiteReport<'r> {
    rule_id: Option<&'r str>,
    title: Option<String>,
    file: FileReport<'r>,
    cases: Vec<CaseReport<'r>>,
}

#[derive(Serialize)]
struct FileReport<'r> {
    path: String,
    sha256: &'r str,
}

#[derive(Serialize)]
struct CaseReport<'r> {
    name: &'r str,
    form: &'static str,
    #[serde(flatten)]
    place: PlaceReport,
    sha256: &'r str,
    events: Option<FileReport<'r>>,
    outcome: &'static str,
    reason: Option<&'r str>,
    checks: usize,
    matched: &'r BTreeSet<String>,
    failures: Vec<FailureReport<'r>>,
}

#[derive(Serialize)]
struct FailureReport<'r> {
    #[serde(flatten)]
    place: PlaceReport,
    subject: &'r str,
    expected: &'r str,
    got: &'r str,
}

#[derive(Serialize)]
struct PlaceReport {
    path: String,
    line: u32,
    column: u32,
}

impl<'r> TestReport<'r> {
    pub(super) fn new(workspace: &Workspace, run: &'r RuleTestRun) -> Self {
        let Totals { cases, failed, skipped } = Totals::of(run);
        let passed = cases - failed - skipped;
        let totals = TotalsReport { cases, passed, failed, skipped, rules_without_cases: run.without_cases };
        Self { head: Head::new(workspace), totals, suites: run.suites.iter().map(suite).collect() }
    }
}

fn suite(suite: &RuleSuite) -> SuiteReport<'_> {
    SuiteReport {
        rule_id: suite.rule.as_ref().and_then(|rule| rule.id()).map(|id| id.0.as_str()),
        title: suite.rule.as_ref().map(|rule| rule.title()),
        file: file(&suite.file),
        cases: suite.cases.iter().map(case).collect(),
    }
}

fn file(file: &HashedFile) -> FileReport<'_> {
    FileReport { path: shown(&file.path), sha256: &file.sha256 }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn case(case: &RuleCaseResult) -> CaseReport<'_> {
    let outcome = match (case.failed(), &case.skipped) {
        (true, _) => "failed",
        (false, Some(_)) => "skipped",
        (false, None) => "passed",
    };
    CaseReport {
        name: &case.name,
        form: case.form.as_str(),
        place: (&case.place).into(),
        sha256: &case.sha256,
        events: case.events.as_ref().map(file),
        outcome,
        reason: case.skipped.as_deref(),
        checks: case.checks,
        matched: &case.matched,
        failures: case.failures.iter().map(failure).collect(),
    }
}

fn failure(Failure { place, subject, expected, got }: &Failure) -> FailureReport<'_> {
    FailureReport { place: place.into(), subject, expected, got }
}

impl From<&PackPlace> for PlaceReport {
    fn from(place: &PackPlace) -> Self {
        let start = place.span.start;
        Self { path: shown(&place.path), line: start.line, column: start.column }
    }
}
