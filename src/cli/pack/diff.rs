//! `pack diff A B RULES`: what one pack says and does otherwise than another.

use super::super::json::write_json;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use crate::authoring::{self, PackDiff, RuleChange, RuleDiff, Statement};
use crate::backend::Sql;
use crate::bridge::{Plan, ReasonCode};
use crate::cli::reading::Reading;
use crate::cli::text::one_line;
use crate::cli::workspace::{Workspace, open_store};
use crate::cli::{CliError, Compiling, Format};
use crate::evaluate::{self, Cancel};
use crate::sigma::{self, Rule};
use crate::store::Store;
use crate::tui::text::count;

#[derive(Debug, Args)]
pub(in crate::cli) struct DiffArgs {
    /// The pack before: a folder, an archive or an id.
    #[arg(value_name = "A")]
    before: String,
    /// The pack after.
    #[arg(value_name = "B")]
    after: String,
    /// Rule files and folders that both compile.
    #[arg(value_name = "RULES")]
    rules: Vec<PathBuf>,
    /// OCSF events, to compare what the rules match.
    #[arg(long, value_name = "PATH", requires = "rules")]
    parquet: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    compiling: Compiling,
    /// How to write the result.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Report {
    before: PackReference,
    after: PackReference,
    #[serde(flatten)]
    packs: PackDiff,
    totals: BTreeMap<&'static str, usize>,
    rules: Vec<RuleDiff>,
}

#[derive(Serialize)]
struct PackReference {
    id: String,
    version: String,
    sha256: String,
}

impl From<&Workspace> for PackReference {
    fn from(workspace: &Workspace) -> Self {
        let pack = &workspace.pack.pack;
        let (id, version) = (pack.manifest.id.clone(), pack.manifest.version.clone());
        Self { id, version, sha256: pack.sha256.clone() }
    }
}

pub(super) fn run(args: &DiffArgs) -> Result<(), CliError> {
    let rules: Vec<Arc<Rule>> = sigma::load(&args.rules).into_iter().map(Arc::new).collect();
    let before = args.compiling.compile(&rules, &args.before)?;
    let after = args.compiling.compile(&rules, &args.after)?;
    let mut store = match &args.parquet {
        Some(path) => Some(open_store(path, &args.reading, before.threads)?),
        None => None,
    };
    let counts = [&before, &after].map(|workspace| matches(workspace, store.as_mut()));
    let [of_before, of_after] = &counts;
    let rules = authoring::rule_diff(
        before.compiled.iter().zip(of_before.iter().copied()),
        after.compiled.iter().zip(of_after.iter().copied()),
    );
    let report = Report {
        before: (&before).into(),
        after: (&after).into(),
        packs: authoring::pack_diff(&before.pack.pack, &after.pack.pack),
        totals: totals(&rules),
        rules,
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.format {
        Format::Json => {
            write_json(&mut out, &report)?;
        }
        Format::Human => human(&mut out, &report)?,
    }
    Ok(out.flush()?)
}

/// How many events each rule matches; `None` where it does not run.
fn matches(workspace: &Workspace, store: Option<&mut Store>) -> Vec<Option<u64>> {
    let mut found = vec![None; workspace.compiled.len()];
    let Some(store) = store else { return found };
    let runnable: Vec<(usize, &Plan, &Sql)> = workspace
        .compiled
        .iter()
        .enumerate()
        .filter_map(|(index, rule)| Some((index, rule.compilation.plan.as_ref()?, rule.sql.as_ref()?)))
        .collect();
    let pairs: Vec<(&Plan, &Sql)> = runnable.iter().map(|(_, plan, sql)| (*plan, *sql)).collect();
    let summaries = evaluate::summaries(store, &pairs, &Cancel::never());
    for ((index, ..), summary) in runnable.into_iter().zip(summaries) {
        if let Some(slot) = found.get_mut(index) {
            *slot = summary.ok().map(|summary| summary.matches);
        }
    }
    found
}

fn totals(rules: &[RuleDiff]) -> BTreeMap<&'static str, usize> {
    let mut totals = BTreeMap::new();
    for rule in rules {
        *totals.entry(kind(rule)).or_default() += 1;
    }
    totals
}

fn kind(rule: &RuleDiff) -> &'static str {
    match &rule.change {
        Some(RuleChange::Added) => "added",
        Some(RuleChange::Removed) => "removed",
        Some(RuleChange::NewlyExecutable { .. }) => "newly_executable",
        Some(RuleChange::NewlyRefused { .. }) => "newly_refused",
        Some(RuleChange::OtherReason { .. }) => "other_reason",
        Some(RuleChange::OtherSql { .. }) => "other_sql",
        None => "other_matches",
    }
}

fn human(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let name = |pack: &PackReference| format!("{} {}", one_line(&pack.id), one_line(&pack.version));
    writeln!(out, "{} → {}", name(&report.before), name(&report.after))?;
    if report.packs == PackDiff::default() && report.rules.is_empty() {
        return writeln!(out, "no difference");
    }
    statements(out, "routes", &report.packs.routes)?;
    statements(out, "aliases", &report.packs.aliases)?;
    if !report.rules.is_empty() {
        let totals: Vec<String> =
            report.totals.iter().map(|(kind, rules)| format!("{rules} {}", kind.replace('_', " "))).collect();
        writeln!(out, "\nrules: {}", totals.join(", "))?;
    }
    for rule in &report.rules {
        let matches = match (rule.matches_before, rule.matches_after) {
            (None, None) => String::new(),
            (before, after) => {
                let [before, after] = [before, after].map(|n| n.map_or("–".to_owned(), count));
                format!("  matches {before} → {after}")
            }
        };
        writeln!(out, "  {:<24} {}{matches}", in_words(rule), one_line(&rule.title))?;
    }
    Ok(())
}

fn in_words(rule: &RuleDiff) -> String {
    let code = |reason: &Option<ReasonCode>| reason.map_or("refused", ReasonCode::as_str);
    match &rule.change {
        Some(RuleChange::Added) => "added".to_owned(),
        Some(RuleChange::Removed) => "removed".to_owned(),
        Some(RuleChange::NewlyExecutable { fallback_used: false }) => "+ executable".to_owned(),
        Some(RuleChange::NewlyExecutable { fallback_used: true }) => "+ executable (fallback)".to_owned(),
        Some(RuleChange::NewlyRefused { reason }) => format!("− {}", code(reason)),
        Some(RuleChange::OtherReason { before, after }) => format!("{} → {}", code(before), code(after)),
        Some(RuleChange::OtherSql { .. }) => "other SQL".to_owned(),
        None => "other matches".to_owned(),
    }
}

fn statements(out: &mut impl Write, heading: &str, statements: &[Statement]) -> io::Result<()> {
    if statements.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{heading}:")?;
    for statement in statements {
        writeln!(out, "  {}", one_line(&statement.key))?;
        for (mark, text) in [("−", &statement.before), ("+", &statement.after)] {
            if let Some(text) = text {
                writeln!(out, "    {mark} {}", one_line(text))?;
            }
        }
    }
    Ok(())
}
