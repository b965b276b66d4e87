//! `pack coverage RULES`: what each route and alias of a pack is for, and what a dataset has there.

use super::super::json::write_json;
use std::io::{self, Write};

use clap::Args;

use crate::authoring::{self, FieldUse, RouteUse};
use crate::cli::text::one_line;
use crate::cli::{CliError, Format, Inputs};
use crate::evaluate::Cancel;
use crate::tui::text::{count, fit, pad, pad_left, percent};

/// Columns of a field and of its target.
const FIELD: usize = 28;
const TARGET: usize = 52;

#[derive(Debug, Args)]
pub(in crate::cli) struct CoverageArgs {
    #[command(flatten)]
    inputs: Inputs,
    /// How to write the result.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(args: &CoverageArgs) -> Result<(), CliError> {
    let workspace = args.inputs.compile()?;
    let mut store = args.inputs.open_store(workspace.threads)?;
    let routes = authoring::usage(&workspace.compiled, store.as_mut(), &Cancel::never())
        .map_err(|error| CliError::Data(error.to_string()))?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    match args.format {
        Format::Json => {
            write_json(&mut out, &routes)?;
        }
        Format::Human => routes.iter().try_for_each(|route| human(&mut out, route))?,
    }
    Ok(out.flush()?)
}

fn human(out: &mut impl Write, route: &RouteUse) -> io::Result<()> {
    let events = route.events.map_or(String::new(), |events| format!(" · {} events", count(events)));
    writeln!(
        out,
        "{} · {} rules, {} executable{events}  {}:{}",
        one_line(&route.logsource),
        route.rules,
        route.executable,
        one_line(&route.path),
        route.line
    )?;
    for field in &route.fields {
        let target = if field.target.is_empty() { "no alias" } else { &field.target };
        let filled = route.events.map_or(String::new(), |events| filled(field, events));
        let line = format!(
            "  {} {} {} {filled}",
            pad(&field.field, FIELD),
            pad_left(&count(field.rules as u64), 5),
            pad(&fit(target, TARGET), TARGET)
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out)
}

/// The share of the column that most events fill.
fn filled(field: &FieldUse, events: u64) -> String {
    if field.target.is_empty() {
        return String::new();
    }
    let most = field.evidence.values().map(|evidence| evidence.filled).max().unwrap_or(0);
    pad_left(&percent(most, events), 6)
}
