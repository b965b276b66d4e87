//! `matches RULE`: the events that one rule matches, or the windows of a correlation, as a table, CSV, JSON Lines or
//! Parquet.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::text::{one_line, time};
use super::{CliError, Inputs};
use crate::bridge::ReasonCode;
use crate::evaluate::{
    self, Cancel, Export, ExportError, ExportFormat, MatchTable, Order, Runnable, Slice, SortKey,
};
use crate::store::Store;
use crate::tui::text::{count, fit};

/// Columns of a value in the table for people.
const CELL: usize = 60;

/// Matches that are shown to people, unless they ask for another number.
const SHOWN: usize = 100;

#[derive(Debug, Args)]
pub(super) struct MatchesArgs {
    #[command(flatten)]
    inputs: Inputs,
    /// How to write them: csv has the columns that the rule shows, jsonl and parquet have whole events. Of a correlation
    /// each has the windows, with group, times, number of events and their ids. In csv a text that a spreadsheet would
    /// take for a formula begins with '.
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
    /// Sort by time, host, event_id or a column that the rule shows; of a correlation by time, events or what it groups
    /// by. `-COLUMN` for the greatest first.
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
    let Some(rule) = Runnable::of(compiled) else {
        return Err(no_matches(compiled.compilation.reason()));
    };
    let order = order(&args.order_by, rule)?;
    let Some(mut store) = args.inputs.open_store(workspace.threads)? else {
        return Err(CliError::Configuration("no events given; name them with --parquet".to_owned()));
    };
    let Some(format) = format else {
        let slice = Slice { order, ..Slice::first(args.limit.unwrap_or(SHOWN)) };
        return human(&mut store, rule, slice);
    };
    let export = Export { format, order, limit: args.limit };
    let never = Cancel::never();
    match &args.out {
        Some(path) => {
            let written = export.to_file(&mut store, rule, path, args.force, &never).map_err(failed)?;
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
            export.to_stream(&mut store, rule, &mut out, &never).map_err(failed)?;
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
        None => CliError::Data("the rule is a filter, and has no matches of its own".to_owned()),
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

fn order(named: &str, rule: Runnable<'_>) -> Result<Order, CliError> {
    let (name, descending) = named.strip_prefix('-').map_or((named, false), |name| (name, true));
    let (columns, others): (Vec<&str>, &[&str]) = match rule {
        Runnable::Event(plan, _) => {
            (plan.shown.iter().map(|path| path.as_str()).collect(), &["time", "host", "event_id"])
        }
        Runnable::Correlation(plan, _) => {
            let keys = plan.steps.last().map_or(&[][..], |step| &step.keys).iter();
            (keys.map(|key| key.name.0.as_str()).chain(["events"]).collect(), &["time"])
        }
    };
    let column = columns.iter().position(|column| column.eq_ignore_ascii_case(name));
    let is_event = matches!(rule, Runnable::Event(..));
    let key = match (name, column) {
        (_, Some(at)) => SortKey::Column(at),
        ("time", None) => SortKey::Time,
        ("host", None) if is_event => SortKey::Host,
        ("event_id" | "metadata.event_id", None) if is_event => SortKey::EventId,
        _ => {
            return Err(CliError::Configuration(format!(
                "no column `{name}`: this rule's are {}",
                [others, &columns].concat().join(", ")
            )));
        }
    };
    Ok(Order { key, descending })
}

fn human(store: &mut Store, rule: Runnable<'_>, slice: Slice) -> Result<(), CliError> {
    let never = Cancel::never();
    let found = match rule {
        Runnable::Event(plan, sql) => evaluate::matches(store, plan, sql, slice, &never),
        Runnable::Correlation(plan, sql) => evaluate::windows(store, plan, sql, &never)
            .map(|windows| evaluate::window_table(plan, &windows, slice)),
    };
    let table = found.map_err(|error| CliError::Data(error.to_string()))?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    let shown = count(table.rows.len() as u64);
    let matches = count(table.summary.matches);
    match table.in_scope {
        Some(in_scope) => writeln!(out, "{matches} of {} in scope match; {shown} shown", count(in_scope))?,
        None => {
            writeln!(out, "{matches} {}; {shown} shown", if matches == "1" { "window" } else { "windows" })?
        }
    }
    write_rows(&mut out, &table)?;
    Ok(out.flush()?)
}

/// One event, or window, a paragraph: values are too long for columns.
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
