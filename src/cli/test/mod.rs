//! `test RULES`: the regression cases that travel with rules, run on both backends; and `--save`, which writes one.

mod report;

use std::io::{self, Write};

use clap::Args;

use super::json::write_json;
use super::junit;
use super::pack::{TestFormat, junit_failure, shown};
use super::text::one_line;
use super::{CliError, Inputs};
use crate::authoring::{self, RuleCaseResult, RuleSuite, RuleTestRun, SaveError, Selection};
use crate::backend::CompiledRule;
use crate::evaluate::Cancel;
use crate::store;
use report::TestReport;

#[derive(Debug, Args)]
pub(super) struct TestArgs {
    #[command(flatten)]
    inputs: Inputs,
    /// Cases that cannot be run fail, too, and so do rules that have none between them.
    #[arg(long)]
    strict: bool,
    /// How to write the results.
    #[arg(long, value_enum, default_value_t)]
    format: TestFormat,
    #[command(flatten)]
    saving: Saving,
}

#[derive(Debug, Args)]
struct Saving {
    /// Write a case of events of --parquet beside the rule, in place of running cases.
    #[arg(long, requires = "parquet")]
    save: bool,
    /// An event that has to match, by its id; of a correlation, one that is of a window.
    #[arg(long, value_name = "ID", num_args = 1.., requires = "save")]
    event: Vec<String>,
    /// An event that must not match.
    #[arg(long, value_name = "ID", num_args = 1.., requires = "save")]
    no_match: Vec<String>,
    /// The rule, by its id, name or title, where RULES are several.
    #[arg(long, value_name = "RULE", requires = "save")]
    rule: Option<String>,
    /// What the case is called.
    #[arg(long, value_name = "NAME", requires = "save", default_value = authoring::SAVED_CASE)]
    name: String,
}

pub(super) fn run(args: &TestArgs) -> Result<(), CliError> {
    store::verify_duckdb_version().map_err(|error| CliError::Configuration(error.to_string()))?;
    if args.saving.save {
        return save(args);
    }
    let workspace = args.inputs.compile()?;
    let run = authoring::test_rules(args.inputs.rule_paths(), &workspace.compiled);
    let run = run.map_err(|error| CliError::Data(error.to_string()))?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.format {
        TestFormat::Human => human(&mut out, &run)?,
        TestFormat::Json => {
            let report = TestReport::new(&workspace, &run);
            write_json(&mut out, &report)?;
        }
        TestFormat::Junit => junit::write(&mut out, &suites(&run, args.strict))?,
    }
    out.flush()?;
    gate(&run, args.strict)
}

/// How many cases there are, and what came of them.
#[derive(Clone, Copy)]
struct Totals {
    cases: usize,
    failed: usize,
    skipped: usize,
}

impl Totals {
    fn of(run: &RuleTestRun) -> Self {
        let count = |is: fn(&&RuleCaseResult) -> bool| run.cases().filter(is).count();
        Self {
            cases: run.cases().count(),
            failed: count(|case| case.failed()),
            skipped: count(|case| !case.failed() && case.skipped.is_some()),
        }
    }
}

fn gate(run: &RuleTestRun, strict: bool) -> Result<(), CliError> {
    let Totals { cases, failed, skipped } = Totals::of(run);
    let lacks = strict && (skipped > 0 || cases == 0);
    match failed == 0 && !lacks {
        true => Ok(()),
        false => Err(CliError::Gate(format!("cases: {cases}; failed: {failed}; skipped: {skipped}"))),
    }
}

fn human(out: &mut impl Write, run: &RuleTestRun) -> io::Result<()> {
    for suite in &run.suites {
        for case in &suite.cases {
            let name = one_line(&case.name);
            for failure in &case.failures {
                writeln!(out, "{}: {name}: {}", shown(&failure.place), one_line(&failure.subject))?;
                writeln!(out, "  expected: {}", one_line(&failure.expected))?;
                writeln!(out, "  got:      {}", one_line(&failure.got))?;
            }
            if let Some(why) = &case.skipped {
                writeln!(out, "{}: {name}: skipped", shown(&case.place))?;
                writeln!(out, "  {}", one_line(why))?;
            }
        }
    }
    for suite in &run.suites {
        let failed = suite.cases.iter().filter(|case| case.failed()).count();
        let skipped = suite.cases.iter().filter(|case| case.skipped.is_some()).count();
        let checks: usize = suite.cases.iter().map(|case| case.checks).sum();
        let (name, cases) = (title(suite), suite.cases.len());
        writeln!(out, "{name}: cases {cases}, checks {checks}, failed {failed}, skipped {skipped}")?;
    }
    let Totals { cases, failed, skipped } = Totals::of(run);
    let without = run.without_cases;
    writeln!(out, "cases: {cases}; failed: {failed}; skipped: {skipped}; rules without a case: {without}")
}

/// What a suite is called: its rule, or its file.
fn title(suite: &RuleSuite) -> String {
    match &suite.rule {
        Some(rule) => one_line(&rule.title()).into_owned(),
        None => one_line(&suite.file.path.display().to_string()).into_owned(),
    }
}

fn suites(run: &RuleTestRun, strict: bool) -> Vec<junit::Suite> {
    let case = |case: &RuleCaseResult| {
        let mut failures: Vec<_> = case.failures.iter().map(junit_failure).collect();
        let mut skipped = case.skipped.as_deref().map(|why| one_line(why).into_owned());
        if strict && let Some(why) = skipped.take() {
            failures.push(junit::Failure { message: format!("skipped: {why}"), place: shown(&case.place) });
        }
        let file = one_line(&case.place.path.display().to_string()).into_owned();
        let place = Some((file, case.place.span.start.line));
        junit::Case { name: one_line(&case.name).into_owned(), place, failures, skipped }
    };
    let suite = |suite: &RuleSuite| junit::Suite {
        name: title(suite),
        cases: suite.cases.iter().map(case).collect(),
    };
    run.suites.iter().map(suite).collect()
}

fn save(args: &TestArgs) -> Result<(), CliError> {
    let workspace = args.inputs.compile()?;
    let Saving { event, no_match, rule, name, .. } = &args.saving;
    let rule = &chosen(&workspace.compiled, rule.as_deref())?.compilation.rule;
    let Some(store) = args.inputs.open_store(workspace.threads)? else {
        return Err(CliError::Configuration("`--save` needs events: --parquet PATH".to_owned()));
    };
    let selection = Selection { rule, name, matching: event, not: no_match };
    let saved = authoring::save_case(&store, &selection, &Cancel::never()).map_err(|error| match error {
        SaveError::Events(_) => CliError::Data(error.to_string()),
        _ => CliError::Configuration(error.to_string()),
    })?;
    let mut out = io::stdout().lock();
    let (path, name) = (saved.path.display().to_string(), one_line(&saved.name).into_owned());
    writeln!(out, "{}: case `{name}`, events {}", one_line(&path), saved.events)?;
    if !saved.left_out.is_empty() {
        let paths: Vec<_> = saved.left_out.iter().map(|path| path.as_str()).collect();
        writeln!(out, "  left out, as OCSF has no such value: {}", one_line(&paths.join(", ")))?;
    }
    Ok(())
}

/// The rule that is called so, or the only one whose matches count by themselves.
fn chosen<'w>(compiled: &'w [CompiledRule], name: Option<&str>) -> Result<&'w CompiledRule, CliError> {
    let found: Vec<_> = match name {
        Some(name) => compiled.iter().filter(|rule| rule.compilation.rule.is_called(name)).collect(),
        None => compiled.iter().filter(|rule| rule.compilation.reported).collect(),
    };
    match found.as_slice() {
        [rule] => Ok(rule),
        found => Err(CliError::Configuration(format!(
            "{} rules to choose from: name one by its id, name or title, with --rule",
            found.len()
        ))),
    }
}
