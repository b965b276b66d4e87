//! `pack test`: the tests of a pack, as text, as JSON or as JUnit XML.

use std::io::{self, Write};
use std::path::Path;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::super::json::write_json;
use super::junit;
use crate::authoring::{CaseResult, CasesError, Failure, Suite, TestRun, Untested, run_cases};
use crate::cli::CliError;
use crate::cli::text::one_line;
use crate::cli::workspace::findings;
use crate::pack::{DEFAULT_PACK, PackPlace, PackSource};

#[derive(Debug, Args)]
pub(in crate::cli) struct TestArgs {
    /// The pack: a folder, or an id.
    #[arg(value_name = "DIR|ID", default_value = DEFAULT_PACK)]
    pack: String,
    /// Routes and aliases that no case exercises fail, too.
    #[arg(long)]
    complete: bool,
    /// How to write the results.
    #[arg(long, value_enum, default_value_t)]
    format: TestFormat,
}

/// How the results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum TestFormat {
    /// Text for people.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// JUnit XML, for build servers.
    Junit,
}

pub(super) fn run(args: &TestArgs) -> Result<(), CliError> {
    let source = PackSource::find(&args.pack, Path::new("."))
        .map_err(|error| CliError::Configuration(findings(&error.findings)))?;
    let run = run_cases(&source).map_err(refusal)?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.format {
        TestFormat::Human => human(&mut out, &run)?,
        TestFormat::Json => {
            write_json(&mut out, &RunReport::from(&run))?;
        }
        TestFormat::Junit => junit::write(&mut out, &run, args.complete)?,
    }
    out.flush()?;
    gate(&run, args.complete)
}

fn refusal(error: CasesError) -> CliError {
    match error {
        CasesError::Pack(error) => CliError::Configuration(findings(&error.findings)),
        CasesError::Events(_) | CasesError::Store(_) => CliError::Data(error.to_string()),
    }
}

fn gate(run: &TestRun, complete: bool) -> Result<(), CliError> {
    let failed: usize = run.suites.iter().map(Suite::failed).sum();
    let untested = if complete { run.untested.len() } else { 0 };
    match failed + untested {
        0 => Ok(()),
        _ => Err(CliError::Gate(format!(
            "failed cases: {failed}; routes and aliases without a case: {untested}"
        ))),
    }
}

fn human(out: &mut impl Write, run: &TestRun) -> io::Result<()> {
    for suite in &run.suites {
        for (case, failure) in failures(suite) {
            let Failure { place, subject, expected, got } = failure;
            let (name, subject) = (one_line(&case.name), one_line(subject));
            let against = against(suite);
            writeln!(out, "{}: {name}: {subject}{against}", shown(place))?;
            writeln!(out, "  expected: {}", one_line(expected))?;
            writeln!(out, "  got:      {}", one_line(got))?;
        }
    }
    for Untested { place, what } in &run.untested {
        writeln!(out, "{}: no case exercises {}", shown(place), one_line(what))?;
    }
    for suite in &run.suites {
        let (cases, checks, failed) = (suite.cases.len(), suite.checks(), suite.failed());
        let (name, against) = (one_line(&suite.tests_of), against(suite));
        writeln!(out, "{name}{against}: cases {cases}, checks {checks}, failed cases {failed}")?;
    }
    writeln!(out, "routes and aliases without a case: {}", run.untested.len())
}

fn failures(suite: &Suite) -> impl Iterator<Item = (&CaseResult, &Failure)> {
    suite.cases.iter().flat_map(|case| case.failures.iter().map(move |failure| (case, failure)))
}

/// Says which pack the tests ran against, where it is another one.
pub(super) fn against(suite: &Suite) -> String {
    match suite.pack == suite.tests_of {
        true => String::new(),
        false => format!(" (in {})", one_line(&suite.pack)),
    }
}

/// Where something stands, as editors open it.
pub(in crate::cli) fn shown(place: &PackPlace) -> String {
    format!("{}:{}", one_line(&place.path.display().to_string()), place.span.start)
}

#[derive(Serialize)]
struct RunReport<'r> {
    failed: usize,
    suites: Vec<SuiteReport<'r>>,
    untested: Vec<UntestedReport<'r>>,
}

#[derive(Serialize)]
struct SuiteReport<'r> {
    tests_of: &'r str,
    pack: &'r str,
    sha256: &'r str,
    checks: usize,
    failed: usize,
    cases: Vec<CaseReport<'r>>,
}

#[derive(Serialize)]
struct CaseReport<'r> {
    name: &'r str,
    #[serde(flatten)]
    place: PlaceReport,
    checks: usize,
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
struct UntestedReport<'r> {
    #[serde(flatten)]
    place: PlaceReport,
    what: &'r str,
}

#[derive(Serialize)]
struct PlaceReport {
    path: String,
    line: u32,
    column: u32,
}

impl From<&PackPlace> for PlaceReport {
    fn from(place: &PackPlace) -> Self {
        let start = place.span.start;
        Self { path: place.path.display().to_string(), line: start.line, column: start.column }
    }
}

impl<'r> From<&'r TestRun> for RunReport<'r> {
    fn from(run: &'r TestRun) -> Self {
        let untested = run.untested.iter();
        Self {
            failed: run.suites.iter().map(Suite::failed).sum(),
            suites: run.suites.iter().map(suite_report).collect(),
            untested: untested
                .map(|untested| UntestedReport { place: (&untested.place).into(), what: &untested.what })
                .collect(),
        }
    }
}

fn suite_report(suite: &Suite) -> SuiteReport<'_> {
    SuiteReport {
        tests_of: &suite.tests_of,
        pack: &suite.pack,
        sha256: &suite.sha256,
        checks: suite.checks(),
        failed: suite.failed(),
        cases: suite.cases.iter().map(case_report).collect(),
    }
}

fn case_report(case: &CaseResult) -> CaseReport<'_> {
    let failures = case.failures.iter().map(|Failure { place, subject, expected, got }| FailureReport {
        place: place.into(),
        subject,
        expected,
        got,
    });
    CaseReport {
        name: &case.name,
        place: (&case.place).into(),
        checks: case.checks,
        failures: failures.collect(),
    }
}
