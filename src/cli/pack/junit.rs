//! The tests of packs as JUnit XML.

use std::io::{self, Write};

use super::test::{against, shown};
use crate::authoring::{self, CaseResult, TestRun, Untested};
use crate::cli::junit::{self, Case, Failure, Suite};
use crate::cli::text::one_line;

/// A suite for each pack, and one of what no case exercises, whose entries fail where all has to be tested.
pub(super) fn write(out: &mut impl Write, run: &TestRun, complete: bool) -> io::Result<()> {
    let mut suites: Vec<_> = run.suites.iter().map(suite).collect();
    if complete && !run.untested.is_empty() {
        let cases = run.untested.iter().map(not_tested).collect();
        suites.push(Suite { name: "untested".to_owned(), cases });
    }
    junit::write(out, &suites)
}

fn suite(suite: &authoring::Suite) -> Suite {
    let name = format!("{}{}", one_line(&suite.tests_of), against(suite));
    Suite { name, cases: suite.cases.iter().map(case).collect() }
}

fn case(case: &CaseResult) -> Case {
    let file = one_line(&case.place.path.display().to_string()).into_owned();
    Case {
        name: one_line(&case.name).into_owned(),
        place: Some((file, case.place.span.start.line)),
        failures: case.failures.iter().map(failure).collect(),
        skipped: None,
    }
}

/// What does not hold, as JUnit has it.
pub(in crate::cli) fn failure(failure: &authoring::Failure) -> Failure {
    let authoring::Failure { place, subject, expected, got } = failure;
    let (subject, expected, got) = (one_line(subject), one_line(expected), one_line(got));
    Failure { message: format!("{subject}: expected {expected}, got {got}"), place: shown(place) }
}

fn not_tested(Untested { place, what }: &Untested) -> Case {
    let what = one_line(what).into_owned();
    let failure = Failure { message: format!("no case exercises {what}"), place: shown(place) };
    Case { name: what, place: None, failures: vec![failure], skipped: None }
}
