//! `check RULES`: a verdict for every rule, as text or as one JSON document.

use std::collections::BTreeSet;
use std::io::{self, Write};

use clap::{Args, ValueEnum};

use super::gate::{self, FAIL_ON_HELP, Gate, Gates};
use super::json::write_json;
use super::report::{DatasetReport, DiagnosticReport, Outcome, Report, RuleReport};
use super::text::{one_line, time};
use super::workspace::Workspace;
use super::{CliError, Inputs, annotate, sarif};
use crate::backend::{BackendId, CompiledRule, Sql};
use crate::bridge::{CorrelationPlan, Plan, Severity};
use crate::bundle::{self, RuleFacts};
use crate::evaluate::{self, Cancel, EvalError, Matched, Verdict};
use crate::sigma::Rule;
use crate::store::{self, Store};
use crate::tui::text::count;

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    inputs: Inputs,
    /// List the ids of the matched events, sorted, with each rule.
    #[arg(long)]
    event_ids: bool,
    /// What the rules are compiled for, and evaluated by; all give the same events [default: duckdb_sql].
    #[arg(long, value_enum)]
    backend: Option<BackendId>,
    /// Fail, with exit code 1, on a condition: non-executable>N, a reason, fallback, no-match, new-since BUNDLE.
    #[arg(long, value_name = "CONDITION", value_parser = gate::gate, long_help = FAIL_ON_HELP)]
    fail_on: Vec<Gate>,
    /// How to write the result.
    #[arg(long, value_enum, default_value_t)]
    format: CheckFormat,
}

/// How `check` writes its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum CheckFormat {
    /// Text for people.
    #[default]
    Human,
    /// One JSON document.
    Json,
    /// The findings as SARIF 2.1.0.
    Sarif,
    /// The findings as annotations of a GitHub workflow.
    Github,
}

pub(super) fn run(args: &CheckArgs) -> Result<(), CliError> {
    store::verify_duckdb_version().map_err(|error| CliError::Configuration(error.to_string()))?;
    let gates = Gates::read(&args.fail_on, args.inputs.parquet.is_some())?;
    let backend = args.backend.or(args.inputs.configured_backend()).unwrap_or_default();
    let engine = Engine::of(backend, args.inputs.parquet.is_some())?;
    let workspace = args.inputs.compile_for(backend)?;
    let store = args.inputs.open_store(workspace.threads)?;
    let dataset = store.as_ref().map(DatasetReport::of);
    let outcomes = match store {
        Some(store) => Evaluator { store, engine }.outcomes(&workspace, args.event_ids),
        None => workspace.compiled.iter().map(|_| Outcome::NotRun).collect(),
    };
    let report = Report::new(&workspace, dataset, outcomes);
    let mut out = io::BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match args.format {
        CheckFormat::Json => write_json(&mut out, &report)?,
        CheckFormat::Sarif => write_json(&mut out, &sarif::document(&report))?,
        CheckFormat::Github => annotate::write(&mut out, &report)?,
        CheckFormat::Human => human(&mut out, &workspace, &report)?,
    }
    out.flush()?;
    let held = gates.hold(&facts(args, &workspace, &report));
    // The program ends here: what it holds goes with it, and need not be given back piece by piece.
    std::mem::forget((workspace, report));
    held
}

/// The report as gates see it.
fn facts(args: &CheckArgs, workspace: &Workspace, report: &Report) -> Vec<RuleFacts> {
    let rules: Vec<&Rule> = workspace.compiled.iter().map(|rule| &*rule.compilation.rule).collect();
    let names = bundle::plan_names(&rules, &args.inputs.rule_roots());
    let ran = |rule: &RuleReport| {
        let verdicts = [Verdict::Matched, Verdict::NoMatch];
        verdicts.iter().any(|verdict| rule.verdict == verdict.as_str()).then_some(rule.matches)
    };
    let fact = |(rule, name): (&RuleReport, String)| RuleFacts {
        name,
        title: rule.title.clone(),
        reason: rule.reason_code,
        fallback_used: rule.fallback_used,
        matches: ran(rule),
    };
    report.rules.iter().zip(names).map(fact).collect()
}

/// What evaluates plans within this program.
#[derive(Clone, Copy)]
enum Engine {
    Duckdb,
    Interpreter,
}

impl Engine {
    /// What evaluates the backend's plans, where there is anything to evaluate them over.
    fn of(backend: BackendId, has_events: bool) -> Result<Self, CliError> {
        match backend {
            BackendId::SparkSql if has_events => {
                let message = "`check` compiles for spark_sql and runs nothing there; leave --parquet out, or use \
                               `run --backend spark_sql`";
                Err(CliError::Configuration(message.to_owned()))
            }
            BackendId::DuckdbSql | BackendId::SparkSql => Ok(Self::Duckdb),
            BackendId::Interpreter => Ok(Self::Interpreter),
        }
    }
}

/// An open dataset, and what evaluates plans over it.
struct Evaluator {
    store: Store,
    engine: Engine,
}

impl Evaluator {
    /// Runs every rule that reports. Those without a plan are not run, nor those that only a correlation asks for.
    fn outcomes(&mut self, workspace: &Workspace, event_ids: bool) -> Vec<Outcome> {
        let runnable: Vec<(usize, &Plan, &Sql)> = workspace
            .compiled
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.compilation.reported)
            .filter_map(|(index, rule)| Some((index, rule.compilation.plan.as_ref()?, rule.sql.as_ref()?)))
            .collect();
        let found = self.matched(&runnable);
        let mut outcomes: Vec<Outcome> = workspace.compiled.iter().map(|_| Outcome::NotRun).collect();
        for ((index, plan, sql), matched) in runnable.into_iter().zip(found) {
            let ran = matched.and_then(|matched| self.ran(plan, sql, matched, event_ids));
            let (Some(slot), Some(rule)) = (outcomes.get_mut(index), workspace.compiled.get(index)) else {
                continue;
            };
            *slot = ran.unwrap_or_else(|error| failed(rule, &error));
        }
        for (rule, slot) in workspace.compiled.iter().zip(&mut outcomes) {
            if let (Some(plan), Some(sql)) = (&rule.compilation.correlation, &rule.sql)
                && rule.compilation.reported
            {
                let ran = self.correlation(plan, sql, event_ids);
                *slot = ran.unwrap_or_else(|error| failed(rule, &error));
            }
        }
        outcomes
    }

    /// A correlation's matches are windows; their events together are its event ids.
    fn correlation(
        &mut self,
        plan: &CorrelationPlan,
        sql: &Sql,
        event_ids: bool,
    ) -> Result<Outcome, EvalError> {
        let cancel = Cancel::never();
        let windows = match self.engine {
            Engine::Duckdb => evaluate::windows(&mut self.store, plan, sql, &cancel)?,
            Engine::Interpreter => evaluate::interpreted_windows(&self.store, plan, &cancel)?,
        };
        let summary = evaluate::correlation_summary(&windows);
        let ids: BTreeSet<String> = windows.into_iter().flat_map(|window| window.event_ids).collect();
        let event_ids = if event_ids { ids.into_iter().collect() } else { Vec::new() };
        Ok(Outcome::Ran { summary, event_ids })
    }

    fn matched(&mut self, runnable: &[(usize, &Plan, &Sql)]) -> Vec<Result<Matched, EvalError>> {
        let cancel = Cancel::never();
        match self.engine {
            Engine::Duckdb => {
                let pairs: Vec<(&Plan, &Sql)> = runnable.iter().map(|(_, plan, sql)| (*plan, *sql)).collect();
                evaluate::matched(&mut self.store, &pairs, &cancel)
            }
            Engine::Interpreter => {
                let plans: Vec<&Plan> = runnable.iter().map(|(_, plan, _)| *plan).collect();
                let summaries = evaluate::interpreted_summaries(&self.store, &plans, &cancel);
                let matched = |summary| Matched { summary, events: None };
                summaries.into_iter().map(|summary| summary.map(matched)).collect()
            }
        }
    }

    fn ran(
        &mut self,
        plan: &Plan,
        sql: &Sql,
        Matched { summary, events }: Matched,
        event_ids: bool,
    ) -> Result<Outcome, EvalError> {
        let wanted = event_ids && summary.matches > 0;
        let event_ids = match (self.engine, events) {
            _ if !wanted => Vec::new(),
            (_, Some(events)) => {
                let mut ids: Vec<String> = events.into_iter().map(|(id, _)| id).collect();
                ids.sort_unstable();
                ids
            }
            (Engine::Duckdb, None) => evaluate::event_ids(&mut self.store, plan, sql, &Cancel::never())?,
            (Engine::Interpreter, None) => {
                evaluate::interpreted_event_ids(&self.store, plan, &Cancel::never())?
            }
        };
        Ok(Outcome::Ran { summary, event_ids })
    }
}

fn failed(rule: &CompiledRule, error: &EvalError) -> Outcome {
    Outcome::Failed(error.diagnostic(&rule.compilation.rule.path, rule.compilation.rule.span))
}

/// Findings and matches, a rule at a time, then the totals. Rules that ran and matched nothing are only counted.
fn human(out: &mut impl Write, workspace: &Workspace, report: &Report) -> Result<(), CliError> {
    for warning in &workspace.pack.warnings {
        write_diagnostic(out, &DiagnosticReport::from(warning))?;
    }
    for rule in &report.rules {
        write_rule(out, rule)?;
    }
    let totals = &report.totals;
    writeln!(
        out,
        "{} rules · {} executable · {} refused · {} with fallback · {} matched, {} events",
        count(totals.rules as u64),
        count(totals.executable as u64),
        count(totals.non_executable as u64),
        count(totals.fallback_used as u64),
        count(totals.matched as u64),
        count(totals.match_events),
    )?;
    for (reason, rules) in &report.reasons {
        writeln!(out, "  {:>6}  {reason}", count(*rules as u64))?;
    }
    Ok(())
}

fn write_rule(out: &mut impl Write, rule: &RuleReport) -> Result<(), CliError> {
    let quiet = rule.executable && rule.matches == 0 && rule.diagnostics.is_empty();
    if quiet {
        return Ok(());
    }
    let (title, path) = (one_line(&rule.title), one_line(&rule.path));
    let verdict = match (rule.executable, rule.reason_code) {
        (false, Some(reason)) => format!("✗ {reason}"),
        (false, None) => "✗ refused".to_owned(),
        (true, _) if rule.matches > 0 => format!("● {} matched", count(rule.matches)),
        (true, _) => format!("○ {}", rule.verdict.replace('_', " ")),
    };
    let fallback = if rule.fallback_used { "  ▲ fallback" } else { "" };
    writeln!(out, "{verdict}  {title}{fallback}  {path}")?;
    for diagnostic in &rule.diagnostics {
        write_diagnostic(out, diagnostic)?;
    }
    if let (Some(first), Some(last)) = (rule.first_seen, rule.last_seen) {
        writeln!(out, "    first {}, last {}", time(first), time(last))?;
    }
    for id in &rule.event_ids {
        writeln!(out, "    {}", one_line(id))?;
    }
    Ok(())
}

fn write_diagnostic(out: &mut impl Write, diagnostic: &DiagnosticReport) -> Result<(), CliError> {
    let severity = match diagnostic.severity {
        Severity::Error => "",
        Severity::Warning => "warning: ",
    };
    let DiagnosticReport { path, line, column, code, message, .. } = diagnostic;
    writeln!(out, "    {}:{line}:{column}: {severity}{code}: {}", one_line(path), one_line(message))?;
    if let Some(help) = &diagnostic.help {
        writeln!(out, "      help: {}", one_line(help))?;
    }
    Ok(())
}
