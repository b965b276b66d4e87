//! `coverage RULES`: what a set of rules covers, and why rules match nothing. Its document is a contract:
//! `schemas/rule-coverage.schema.json`.

use std::collections::BTreeMap;
use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use super::json::write_json;
use super::report::Head;
use super::text::one_line;
use super::workspace::Workspace;
use super::{CliError, Format, Inputs};
use crate::attribution::{self, Counts, Coverage, FieldCount, Finding, Outcome};
use crate::backend::{CompiledRule, Sql};
use crate::bridge::{Plan, ReasonCode};
use crate::evaluate::{self, Cancel, EvalError, Summary};
use crate::store::{self, Store};
use crate::tui::text::{bar_text, count, fit, pad, pad_left};

/// Entries of a ranking that are shown to people.
const SHOWN: usize = 12;

/// Columns of a bar.
const BAR: usize = 20;

#[derive(Debug, Args)]
pub(super) struct CoverageArgs {
    #[command(flatten)]
    inputs: Inputs,
    /// Say of each executable rule that matched nothing why it did not.
    #[arg(long, requires = "parquet")]
    attribute: bool,
    /// How to write the result.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Document {
    #[serde(flatten)]
    head: Head,
    /// Whether the rules were run on events, and whether causes were asked for.
    ran: bool,
    attributed: bool,
    #[serde(flatten)]
    coverage: Coverage,
}

pub(super) fn run(args: &CoverageArgs) -> Result<(), CliError> {
    store::verify_duckdb_version().map_err(|error| CliError::Configuration(error.to_string()))?;
    let workspace = args.inputs.compile()?;
    let mut store = args.inputs.open_store(workspace.threads)?;
    let outcomes = match &mut store {
        Some(store) => outcomes(store, &workspace.compiled),
        None => vec![Outcome::NotRun; workspace.compiled.len()],
    };
    let findings = match &mut store {
        Some(store) if args.attribute => findings(store, &workspace, &outcomes)?,
        _ => BTreeMap::new(),
    };
    let coverage = attribution::coverage(&workspace.compiled, &outcomes, &findings);
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.format {
        Format::Json => {
            let head = Head::new(&workspace);
            let document = Document { head, ran: store.is_some(), attributed: args.attribute, coverage };
            write_json(&mut out, &document)?;
        }
        Format::Human => human(&mut out, &coverage, store.is_some())?,
    }
    Ok(out.flush()?)
}

/// What each rule that reports came to.
fn outcomes(store: &mut Store, rules: &[CompiledRule]) -> Vec<Outcome> {
    let runnable: Vec<(usize, &Plan, &Sql)> = rules
        .iter()
        .enumerate()
        .filter(|(_, rule)| rule.compilation.reported)
        .filter_map(|(index, rule)| Some((index, rule.compilation.plan.as_ref()?, rule.sql.as_ref()?)))
        .collect();
    let pairs: Vec<(&Plan, &Sql)> = runnable.iter().map(|(_, plan, sql)| (*plan, *sql)).collect();
    let summaries = evaluate::summaries(store, &pairs, &Cancel::never());
    let mut outcomes = vec![Outcome::NotRun; rules.len()];
    for ((index, ..), summary) in runnable.iter().zip(summaries) {
        if let Some(slot) = outcomes.get_mut(*index) {
            *slot = outcome(summary);
        }
    }
    for (rule, slot) in rules.iter().zip(&mut outcomes) {
        if let (Some(plan), Some(sql), true) =
            (&rule.compilation.correlation, &rule.sql, rule.compilation.reported)
        {
            let windows = evaluate::windows(store, plan, sql, &Cancel::never());
            *slot = outcome(windows.map(|windows| evaluate::correlation_summary(&windows)));
        }
    }
    outcomes
}

fn outcome(summary: Result<Summary, EvalError>) -> Outcome {
    match summary {
        Ok(summary) => Outcome::Ran(summary.matches),
        Err(error) if error.is_compile() => Outcome::Failed(ReasonCode::BackendCompileError),
        Err(_) => Outcome::Failed(ReasonCode::BackendEvalError),
    }
}

/// The cause of each rule that ran and matched nothing, by its place.
fn findings(
    store: &mut Store,
    workspace: &Workspace,
    outcomes: &[Outcome],
) -> Result<BTreeMap<usize, Finding>, CliError> {
    let silent = workspace.compiled.iter().enumerate().zip(outcomes);
    let silent: Vec<(usize, &CompiledRule)> =
        silent.filter(|(_, outcome)| **outcome == Outcome::Ran(0)).map(|(rule, _)| rule).collect();
    let rules: Vec<&CompiledRule> = silent.iter().map(|(_, rule)| *rule).collect();
    let mut findings = BTreeMap::new();
    let mut failure = None;
    attribution::findings(
        store,
        &rules,
        &Cancel::never(),
        &mut |at, finding| match (silent.get(at), finding) {
            (Some((index, _)), Ok(finding)) => drop(findings.insert(*index, finding)),
            (Some((_, rule)), Err(error)) => {
                let path = rule.compilation.rule.path.display();
                failure.get_or_insert_with(|| CliError::Data(format!("{path}: {error}")));
            }
            (None, _) => {}
        },
    );
    failure.map_or(Ok(findings), Err)
}

fn human(out: &mut impl Write, coverage: &Coverage, ran: bool) -> io::Result<()> {
    let totals = coverage.totals;
    bar(out, "rules", totals.rules, totals.rules)?;
    bar(out, "executable", totals.executable, totals.rules)?;
    bar(out, "fallback used", totals.fallback_used, totals.rules)?;
    if ran {
        bar(out, "matched", totals.matched, totals.rules)?;
    }
    bar(out, "not executable", totals.non_executable, totals.rules)?;
    for (reason, rules) in &coverage.reasons {
        bar(out, &format!("  {reason}"), *rules, totals.rules)?;
    }
    ranking(out, "unmapped fields", coverage.unmapped_fields.iter().map(|f| (f.field.as_str(), f.rules)))?;
    let mut away: Vec<&FieldCount> = coverage.unmapped_fields.iter().filter(|f| f.alone > 0).collect();
    away.sort_by_key(|field| std::cmp::Reverse(field.alone));
    ranking(out, "one alias away", away.iter().map(|f| (f.field.as_str(), f.alone)))?;
    let sources = coverage.unrouted_logsources.iter().map(|s| (s.logsource.as_str(), s.rules));
    ranking(out, "unrouted log sources", sources)?;
    table(out, "category", &coverage.categories)?;
    table(out, "technique", &coverage.techniques)?;
    causes(out, coverage)
}

fn bar(out: &mut impl Write, label: &str, rules: u64, of: u64) -> io::Result<()> {
    writeln!(out, "{} {} {}", pad(label, 24), bar_text(rules, of, BAR), pad_left(&count(rules), 9))
}

fn ranking<'t>(
    out: &mut impl Write,
    title: &str,
    entries: impl Iterator<Item = (&'t str, u64)>,
) -> io::Result<()> {
    let entries: Vec<(&str, u64)> = entries.collect();
    if entries.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title}")?;
    for (name, rules) in entries.iter().take(SHOWN) {
        writeln!(out, "  {} {}", pad_left(&count(*rules), 7), one_line(name))?;
    }
    match entries.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => writeln!(out, "          and {} more", count(more as u64)),
    }
}

fn table(out: &mut impl Write, title: &str, counted: &BTreeMap<String, Counts>) -> io::Result<()> {
    let mut rows: Vec<(&String, &Counts)> = counted.iter().collect();
    rows.sort_by_key(|(_, counts)| std::cmp::Reverse(counts.rules));
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{} {:>9} {:>11} {:>9}", pad(title, 32), "rules", "executable", "matched")?;
    for (name, counts) in rows.iter().take(SHOWN) {
        let (rules, executable, matched) =
            (count(counts.rules), count(counts.executable), count(counts.matched));
        writeln!(out, "{} {rules:>9} {executable:>11} {matched:>9}", pad(name, 32))?;
    }
    match rows.len().saturating_sub(SHOWN) {
        0 => Ok(()),
        more => writeln!(out, "and {} more", count(more as u64)),
    }
}

/// Why rules matched nothing: counts, then each rule with its cause, by cause.
fn causes(out: &mut impl Write, coverage: &Coverage) -> io::Result<()> {
    if coverage.unmatched.is_empty() {
        return Ok(());
    }
    let total = coverage.unmatched.len() as u64;
    writeln!(out, "\nmatched nothing")?;
    for cause in attribution::Cause::ALL {
        if let Some(rules) = coverage.causes.get(cause.as_str()) {
            bar(out, &format!("  {}", cause.words()), *rules, total)?;
        }
    }
    ranking(
        out,
        "fields needed and empty",
        coverage.empty_fields.iter().map(|f| (f.field.as_str(), f.rules)),
    )?;
    for cause in attribution::Cause::ALL {
        let of_cause = coverage.unmatched.iter().filter(|rule| rule.finding.cause == cause);
        for (index, rule) in of_cause.enumerate() {
            if index == 0 {
                writeln!(out, "\n{}", cause.words())?;
            }
            writeln!(out, "  {}  {}", fit(&rule.title, 60), one_line(&rule.path))?;
            writeln!(out, "      {}", one_line(&rule.finding.explanation))?;
        }
    }
    Ok(())
}
