//! `matches RULE`: the events that one rule matches, as a table, CSV, JSON Lines or Parquet.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::text::{one_line, time};
use super::{CliError, Inputs};
use crate::backend::Sql;
use crate::bridge::{Plan, ReasonCode};
use crate::evaluate::{self, Cancel, Export, ExportError, ExportFormat, MatchTable, Order, Slice, SortKey};
use crate::store::{self, Store};
use crate::tui::text::{count, fit};

/// Columns of a value in the table for people.
const CELL: usize = 60;

/// Matches that are shown to people, unless they ask for another number.
const SHOWN: usize = 100;

#[derive(Debug, Args)]
pub(super) struct MatchesArgs {
    #[command(flatten)]
    inputs: Inputs,
    /// How to write them: csv has the columns that the rule shows, jsonl and parquet have whole events. In csv a text
    /// that a spreadsheet would take for a formula begins with '.
    #[arg(long, value_enum, default_value_t)]
    format: MatchFormat,
    /// Write this file, whole or not at all; parquet needs one.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace the file where it is there already.
    #[arg(long, requires = "out")]
    force: bool,
    /// The most to write [default: all; 100 for human].
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Sort by time, host, event_id or a column that the rule shows; `-COLUMN` for the greatest first.
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true, default_value = "time")]
    order_by: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum MatchFormat {
    /// Text for people.
    #[default]
    Human,
    /// Comma-separated values.
    Csv,
    /// One JSON document a line.
    Jsonl,
    /// Parquet.
    Parquet,
}

impl MatchFormat {
    /// `None` for the one that is not a format of files.
    fn of_files(self) -> Option<ExportFormat> {
        match self {
            Self::Human => None,
            Self::Csv => Some(ExportFormat::Csv),
            Self::Jsonl => Some(ExportFormat::JsonLines),
            Self::Parquet => Some(ExportFormat::Parquet),
        }
    }
}

pub(super) fn run(args: &MatchesArgs) -> Result<(), CliError> {
    store::verify_duckdb_version().map_err(|error| CliError::Configuration(error.to_string()))?;
    let format = args.format.of_files();
    match (format, &args.out) {
        (Some(ExportFormat::Parquet), None) => {
            return Err(CliError::Configuration("parquet needs --out FILE".to_owned()));
        }
        (None, Some(_)) => {
            return Err(CliError::Configuration("--out needs --format csv, jsonl or parquet".to_owned()));
        }
        _ => {}
    }
    let workspace = args.inputs.compile()?;
    let [compiled] = workspace.compiled.as_slice() else {
        return Err(CliError::Configuration(format!(
            "`matches` writes the matches of one rule, and these are {}; name one file",
            workspace.compiled.len()
        )));
    };
    let Some((plan, sql)) = compiled.compilation.plan.as_ref().zip(compiled.sql.as_ref()) else {
        return Err(no_matches(compiled.compilation.reason()));
    };
    let order = order(&args.order_by, plan)?;
    let Some(mut store) = args.inputs.open_store(workspace.threads)? else {
        return Err(CliError::Configuration("no events given; name them with --parquet".to_owned()));
    };
    let Some(format) = format else {
        let slice = Slice { order, ..Slice::first(args.limit.unwrap_or(SHOWN)) };
        return human(&mut store, plan, sql, slice);
    };
    let export = Export { format, order, limit: args.limit };
    let never = Cancel::never();
    match &args.out {
        Some(path) => {
            let written =
                export.to_file(&mut store, (plan, sql), path, args.force, &never).map_err(failed)?;
            let word = if written == 1 { "match" } else { "matches" };
            writeln!(
                io::stderr().lock(),
                "{} {word} written to {}",
                count(written),
                one_line(&path.display().to_string())
            )?;
            Ok(())
        }
        None => {
            let mut out = io::BufWriter::new(io::stdout().lock());
            export.to_stream(&mut store, (plan, sql), &mut out, &never).map_err(failed)?;
            Ok(out.flush()?)
        }
    }
}

fn no_matches(reason: Option<ReasonCode>) -> CliError {
    match reason {
        Some(reason) => {
            let code = reason.as_str();
            CliError::Data(format!("the rule is not executable ({code}): `explain` says why"))
        }
        None => CliError::Data(
            "the rule is a correlation or a filter, and has no matching events of its own".to_owned(),
        ),
    }
}

fn failed(error: ExportError) -> CliError {
    match error {
        ExportError::Exists(path) => CliError::Configuration(format!(
            "'{}' exists; choose another name, or replace it with --force",
            path.display()
        )),
        ExportError::Stream(error) => CliError::Output(error),
        error => CliError::Data(error.to_string()),
    }
}

fn order(named: &str, plan: &Plan) -> Result<Order, CliError> {
    let (name, descending) = named.strip_prefix('-').map_or((named, false), |name| (name, true));
    let column = plan.shown.iter().position(|path| path.as_str().eq_ignore_ascii_case(name));
    let key = match (name, column) {
        (_, Some(at)) => SortKey::Column(at),
        ("time", None) => SortKey::Time,
        ("host", None) => SortKey::Host,
        ("event_id" | "metadata.event_id", None) => SortKey::EventId,
        _ => {
            let shown: Vec<_> = plan.shown.iter().map(|path| path.as_str()).collect();
            return Err(CliError::Configuration(format!(
                "no column `{name}`: this rule's are time, host, event_id, {}",
                shown.join(", ")
            )));
        }
    };
    Ok(Order { key, descending })
}

fn human(store: &mut Store, plan: &Plan, sql: &Sql, slice: Slice) -> Result<(), CliError> {
    let found = evaluate::matches(store, plan, sql, slice, &Cancel::never());
    let table = found.map_err(|error| CliError::Data(error.to_string()))?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let shown = count(table.rows.len() as u64);
    writeln!(
        out,
        "{} of {} in scope match; {shown} shown",
        count(table.summary.matches),
        count(table.in_scope.unwrap_or(0))
    )?;
    write_rows(&mut out, &table)?;
    Ok(out.flush()?)
}

/// One event a paragraph: values are too long for columns.
fn write_rows(out: &mut impl Write, table: &MatchTable) -> io::Result<()> {
    for row in &table.rows {
        let at = row.time.map_or_else(|| "–".to_owned(), time);
        let host = row.host.as_deref().unwrap_or("–");
        writeln!(out, "\n{at}  {}  {}", fit(&one_line(host), CELL), fit(&one_line(&row.event_id), CELL))?;
        for (path, value) in table.columns.iter().zip(&row.values) {
            let value = value.as_deref().unwrap_or("–");
            writeln!(out, "  {}  {}", one_line(path.as_str()), one_line(value))?;
        }
    }
    Ok(())
}
