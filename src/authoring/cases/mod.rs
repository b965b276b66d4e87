//! The tests of a pack, run: each event against rules made for it, on both backends.

mod check;
mod coverage;
mod dataset;
mod rules;
mod twin;

use crate::pack::{self, Pack, PackError, PackPlace, PackSource, TestCase, TestedPack};
use crate::store::StoreError;
use check::Checker;
use coverage::Exercised;

pub use coverage::Untested;
pub(super) use dataset::{Answer, Answers, event_line, scope_only};

/// What came of the tests of a pack and of those that it extends.
#[derive(Clone, Debug)]
pub struct TestRun {
    /// The tests of one pack after the other.
    pub suites: Vec<Suite>,
    /// Routes and aliases that no case exercises, in the order of the packs and of their files.
    pub untested: Vec<Untested>,
}

/// The tests of one pack, run against it or against a pack that extends it.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The id of the pack that the tests stand in.
    pub tests_of: String,
    /// The id of the pack that they ran against.
    pub pack: String,
    /// Its hash.
    pub sha256: String,
    /// What came of each case, in source order.
    pub cases: Vec<CaseResult>,
}

/// What came of a case.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: PackPlace,
    /// How many things were asked of it.
    pub checks: usize,
    /// Those that do not hold.
    pub failures: Vec<Failure>,
}

/// Something that a pack does not do as its test says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Where the test says so.
    pub place: PackPlace,
    /// What it is about: the field, or `rule`.
    pub subject: String,
    /// What should be.
    pub expected: String,
    /// What is.
    pub got: String,
}

impl Suite {
    /// How many cases have a failure.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.cases.iter().filter(|case| !case.failures.is_empty()).count()
    }

    /// How many things were asked.
    #[must_use]
    pub fn checks(&self) -> usize {
        self.cases.iter().map(|case| case.checks).sum()
    }
}

/// Why the tests of a pack did not run.
#[derive(Debug, thiserror::Error)]
pub enum CasesError {
    /// The pack does not load, or a test cannot be read.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// The events could not be written where DuckDB reads them.
    #[error("the events of the tests could not be written: {0}")]
    Events(#[from] std::io::Error),
    /// DuckDB does not read the events.
    #[error("the events of the tests could not be read: {0}")]
    Store(#[from] StoreError),
}

/// Runs the tests of a pack and of each pack that it extends: each against the pack that they stand in, and those of
/// the extended ones against this pack, too. The suites of a pack come before those of what extends it.
///
/// # Errors
/// A pack does not load, a test cannot be read, or the events cannot be stored for DuckDB.
pub fn run_cases(source: &PackSource) -> Result<TestRun, CasesError> {
    let packs = pack::tested(source)?;
    let mut run = TestRun { suites: Vec::new(), untested: Vec::new() };
    let Some(own) = packs.last() else { return Ok(run) };
    let (mut exercised, mut known) = (Exercised::new(), Answers::default());
    for TestedPack { pack, cases, .. } in &packs {
        run.suites.push(suite(pack, pack, cases, &mut exercised, &mut known)?);
        if pack.sha256 != own.pack.sha256 && !cases.is_empty() {
            run.suites.push(suite(pack, &own.pack, cases, &mut exercised, &mut known)?);
        }
    }
    run.untested = untested(own, &packs, &exercised);
    Ok(run)
}

/// Runs `cases`, which stand in `tests_of`, against `pack`, and adds what they exercise of it.
fn suite(
    tests_of: &Pack,
    pack: &Pack,
    cases: &[TestCase],
    exercised: &mut Exercised,
    known: &mut Answers,
) -> Result<Suite, CasesError> {
    let mut checker = Checker::new(pack);
    cases.iter().for_each(|case| checker.case(case));
    let (cases, places) = checker.finish(known)?;
    exercised.extend(places.iter().map(coverage::key));
    Ok(Suite {
        tests_of: tests_of.manifest.id.clone(),
        pack: pack.manifest.id.clone(),
        sha256: pack.sha256.clone(),
        cases,
    })
}

/// What the tests leave out. A pack without routes, which is for others to extend, is tested by these: all of it by
/// one that only gathers packs, and as much as they need by the rest.
fn untested(own: &TestedPack, packs: &[TestedPack], exercised: &Exercised) -> Vec<Untested> {
    let states_routes = |TestedPack { pack, root, .. }: &TestedPack| {
        pack.routes.iter().any(|route| coverage::is_in(&route.place, root))
    };
    let gathers = !own.pack.routes.is_empty() && !states_routes(own);
    let asked = packs.iter().filter(|pack| gathers || states_routes(pack));
    asked.flat_map(|asked| coverage::untested(&asked.pack, &asked.root, exercised)).collect()
}
