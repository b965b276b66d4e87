//! Regression cases that travel with rules: found, read, run on both backends, and written.

mod ask;
mod case_file;
mod model;
mod save;
mod sigmahq;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{CasesError, Failure};
use crate::backend::CompiledRule;
use crate::bundle::canonical::sha256;
use crate::pack::PackPlace;
use crate::sigma::{self, Span};
use ask::Outcome;
use case_file::unreadable;
use model::RuleCase;
use sigmahq::{Entered, Named};

pub use model::{CaseForm, HashedFile, RuleCaseResult, RuleSuite, RuleTestRun};
pub use save::{SAVED_CASE, SaveError, SavedCase, Selection, save_case};

/// Runs the regression cases of rules: those beside them, below `roots`, and those that they name in SigmaHQ's way.
/// `compiled` are the rules of `roots`, all of them.
///
/// # Errors
/// The events of the cases cannot be stored for DuckDB.
pub fn test_rules(roots: &[PathBuf], compiled: &[CompiledRule]) -> Result<RuleTestRun, CasesError> {
    let mut gathered = Gathered { compiled, suites: BTreeMap::new(), open: Vec::new() };
    for (path, folder) in case_files(roots) {
        gathered.beside(&path, &folder);
    }
    for at in 0..compiled.len() {
        gathered.named(at);
    }
    gathered.run()
}

/// The case files of what the user named, each with its rule folder, each once: all below a folder, and those beside
/// a file or in its `tests` folder.
fn case_files(roots: &[PathBuf]) -> Vec<(PathBuf, PathBuf)> {
    let mut files: Vec<(PathBuf, PathBuf)> = Vec::new();
    for root in roots {
        let folder = sigma::folder_of(root);
        let found = if root.is_dir() { sigma::case_files(root) } else { beside_file(root, folder) };
        for path in found {
            if !files.iter().any(|(known, _)| *known == path) {
                files.push((path, folder.to_path_buf()));
            }
        }
    }
    files
}

fn beside_file(rule: &Path, folder: &Path) -> Vec<PathBuf> {
    let stem = rule.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let names = ["json", "yaml", "yml"].map(|extension| format!("{stem}.test.{extension}"));
    let folders = [folder.to_path_buf(), folder.join("tests")];
    let paths = folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
    paths.filter(|path| path.is_file()).collect()
}

/// Whether a rule file is one that the cases of `case_file` may be about.
fn is_beside(rule: &Path, case_file: &Path) -> bool {
    let without = |path: &Path| path.with_extension("");
    let stem = without(&without(case_file));
    let mut places = vec![stem.clone()];
    if let (Some(folder), Some(name)) = (stem.parent(), stem.file_name())
        && folder.file_name().is_some_and(|folder| folder == "tests")
    {
        places.push(folder.parent().unwrap_or(Path::new("")).join(name));
    }
    places.contains(&without(rule))
}

/// Where a result stands: at a rule, or at a case file that belongs to none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SuiteOf {
    Rule(usize),
    File(PathBuf, String),
}

/// Cases and results on their way to suites.
struct Gathered<'r> {
    compiled: &'r [CompiledRule],
    suites: BTreeMap<SuiteOf, Vec<RuleCaseResult>>,
    /// Cases to run: the rule's index, the place of the result among its suite's.
    open: Vec<(usize, usize, RuleCase)>,
}

impl Gathered<'_> {
    /// Reads a case file.
    fn beside(&mut self, path: &Path, folder: &Path) {
        let bytes = std::fs::read(path);
        let hash = bytes.as_ref().map_or_else(|_| String::new(), |bytes| sha256(bytes));
        let text = bytes.map(String::from_utf8);
        let rules: Vec<usize> = self.rules_beside(path);
        let orphan = SuiteOf::File(path.to_path_buf(), hash.clone());
        let suite = rules.first().map_or(orphan, |at| SuiteOf::Rule(*at));
        let about = |name: &str, failures| {
            let place = PackPlace { path: path.into(), span: Span::START };
            result(name.to_owned(), CaseForm::Beside, place, &hash, failures)
        };
        let refused = |failures| about(&path.file_name().unwrap_or_default().to_string_lossy(), failures);
        let cases = match text {
            Ok(Ok(text)) => case_file::read(path, folder, &text),
            Ok(Err(_)) => Err(vec![unreadable(path, Span::START, "UTF-8", "other bytes".to_owned())]),
            Err(error) => Err(vec![unreadable(path, Span::START, "a file of cases", error.to_string())]),
        };
        let cases = match cases {
            Ok(_) if rules.is_empty() => {
                let got = "none".to_owned();
                let failures =
                    vec![unreadable(path, Span::START, "a rule file of the same stem beside it", got)];
                return self.add(suite, refused(failures));
            }
            Ok(cases) => cases,
            Err(failures) => return self.add(suite, refused(failures)),
        };
        for case in cases {
            let blank = result(case.name.clone(), CaseForm::Beside, case.place.clone(), &hash, Vec::new());
            match self.rule_of(&case, &rules) {
                Ok(at) => self.open(at, blank, case),
                Err(failure) => self.add(suite.clone(), RuleCaseResult { failures: vec![*failure], ..blank }),
            }
        }
    }

    /// Indices of the rules that a case file stands beside.
    fn rules_beside(&self, path: &Path) -> Vec<usize> {
        let rules = self.compiled.iter().enumerate();
        rules.filter(|(_, rule)| is_beside(&rule.compilation.rule.path, path)).map(|(at, _)| at).collect()
    }

    /// The rule that a case is about: the one it names, or the only one whose matches count by themselves.
    fn rule_of(&self, case: &RuleCase, rules: &[usize]) -> Result<usize, Box<Failure>> {
        let compilation = |at: &usize| self.compiled.get(*at).map(|rule| &rule.compilation);
        let found: Vec<usize> = match &case.rule {
            Some(name) => {
                let is_it = |at: &&usize| compilation(at).is_some_and(|found| found.rule.is_called(name));
                rules.iter().filter(is_it).copied().collect()
            }
            None if rules.len() == 1 => rules.to_vec(),
            None => {
                let reported = |at: &&usize| compilation(at).is_some_and(|found| found.reported);
                rules.iter().filter(reported).copied().collect()
            }
        };
        match (found.as_slice(), &case.rule) {
            ([at], _) => Ok(*at),
            (found, name) => Err(Box::new(Failure {
                place: case.place.clone(),
                subject: "rule".to_owned(),
                expected: "one rule, by its id, name or title".to_owned(),
                got: match name {
                    Some(name) => format!("{} called `{name}`", found.len()),
                    None => format!("{} rules in the file, and the case names none", rules.len()),
                },
            })),
        }
    }

    /// Reads what a rule names as its `regression_tests_path`.
    fn named(&mut self, at: usize) {
        let Some(rule) = self.compiled.get(at).map(|rule| Arc::clone(&rule.compilation.rule)) else { return };
        let blank =
            |name: String, place, hash: &str| result(name, CaseForm::Sigmahq, place, hash, Vec::new());
        match sigmahq::of_rule(&rule) {
            None => {}
            Some(Named::Skipped { place, why }) => {
                let hash = sha256(rule.text.as_bytes());
                let case = blank("regression_tests_path".to_owned(), place, &hash);
                self.add(SuiteOf::Rule(at), RuleCaseResult { skipped: Some(why), ..case });
            }
            Some(Named::File { path, text, cases }) => {
                let hash = sha256(text.as_bytes());
                let start = PackPlace { path: path.into(), span: Span::START };
                for entered in cases {
                    match entered {
                        Entered::Case(case) => {
                            self.open(at, blank(case.name.clone(), case.place.clone(), &hash), case);
                        }
                        Entered::Skipped { name, place, why } => {
                            let case = blank(name, place, &hash);
                            self.add(SuiteOf::Rule(at), RuleCaseResult { skipped: Some(why), ..case });
                        }
                        Entered::Unreadable(failures) => {
                            let case = blank("info.yml".to_owned(), start.clone(), &hash);
                            self.add(SuiteOf::Rule(at), RuleCaseResult { failures, ..case });
                        }
                    }
                }
            }
        }
    }

    fn add(&mut self, suite: SuiteOf, result: RuleCaseResult) {
        self.suites.entry(suite).or_default().push(result);
    }

    fn open(&mut self, rule: usize, blank: RuleCaseResult, case: RuleCase) {
        let results = self.suites.entry(SuiteOf::Rule(rule)).or_default();
        self.open.push((rule, results.len(), case));
        results.push(blank);
    }

    /// Runs what is open.
    fn run(mut self) -> Result<RuleTestRun, CasesError> {
        let asked = self.open.iter().filter_map(|(at, _, case)| Some((self.compiled.get(*at)?, case)));
        let outcomes = ask::ask(&asked.collect::<Vec<_>>())?;
        for ((rule, at, case), outcome) in self.open.iter().zip(outcomes) {
            let results = self.suites.get_mut(&SuiteOf::Rule(*rule));
            if let Some(result) = results.and_then(|results| results.get_mut(*at)) {
                settle(result, case, outcome);
            }
        }
        let with_cases = self.suites.keys().filter(|suite| matches!(suite, SuiteOf::Rule(_))).count();
        let suites = self.suites.into_iter().filter_map(|(of, cases)| suite(self.compiled, of, cases));
        Ok(RuleTestRun { suites: suites.collect(), without_cases: self.compiled.len() - with_cases })
    }
}

fn result(
    name: String,
    form: CaseForm,
    place: PackPlace,
    sha256: &str,
    failures: Vec<Failure>,
) -> RuleCaseResult {
    let sha256 = sha256.to_owned();
    RuleCaseResult {
        name,
        form,
        place,
        sha256,
        events: None,
        checks: 0,
        matched: Default::default(),
        failures,
        skipped: None,
    }
}

fn settle(result: &mut RuleCaseResult, case: &RuleCase, outcome: Outcome) {
    let failed = |got: String| Failure {
        place: case.place.clone(),
        subject: "rule".to_owned(),
        expected: "it runs on the events".to_owned(),
        got,
    };
    match ask::events_file(case) {
        Ok(file) => result.events = file,
        Err(error) => result.failures.push(failed(error.to_string())),
    }
    match outcome {
        Outcome::Found(found) => {
            let (checks, failures) = ask::judge(case, &found);
            result.checks = checks;
            result.failures.extend(failures);
            result.matched = found.matched;
        }
        Outcome::NotOcsf(why) if result.form == CaseForm::Sigmahq => {
            result.skipped = Some(format!("not OCSF: {why}"));
        }
        Outcome::NotOcsf(error) | Outcome::Failed(error) => {
            result.checks = 1;
            result.failures.push(failed(error));
        }
    }
}

fn suite(compiled: &[CompiledRule], of: SuiteOf, cases: Vec<RuleCaseResult>) -> Option<RuleSuite> {
    let (rule, file) = match of {
        SuiteOf::Rule(at) => {
            let rule = Arc::clone(&compiled.get(at)?.compilation.rule);
            let file = HashedFile { path: rule.path.to_path_buf(), sha256: sha256(rule.text.as_bytes()) };
            (Some(rule), file)
        }
        SuiteOf::File(path, sha256) => (None, HashedFile { path, sha256 }),
    };
    Some(RuleSuite { rule, file, cases })
}
