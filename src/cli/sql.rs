//! `sql RULES`: what rules compile to.

use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use super::json::write_json;
use super::text::one_line;
use super::{CliError, Format, Inputs};
use crate::backend::CompiledRule;
use crate::bridge::ReasonCode;

#[derive(Debug, Args)]
pub(super) struct SqlArgs {
    #[command(flatten)]
    inputs: Inputs,
    /// How to write the result.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct RuleSql<'a> {
    rule_id: Option<&'a str>,
    path: String,
    title: String,
    executable: bool,
    reason_code: Option<ReasonCode>,
    sql: Option<&'a str>,
}

impl<'a> From<&'a CompiledRule> for RuleSql<'a> {
    fn from(compiled: &'a CompiledRule) -> Self {
        let rule = &compiled.compilation.rule;
        Self {
            rule_id: rule.id().map(|id| id.0.as_str()),
            path: rule.path.display().to_string(),
            title: rule.title(),
            executable: compiled.compilation.is_executable(),
            reason_code: compiled.compilation.reason(),
            sql: compiled.sql.as_ref().map(|sql| sql.text.as_str()),
        }
    }
}

pub(super) fn run(args: &SqlArgs) -> Result<(), CliError> {
    let workspace = args.inputs.compile()?;
    let mut out = io::stdout().lock();
    if args.format == Format::Json {
        let rules: Vec<RuleSql<'_>> = workspace.compiled.iter().map(RuleSql::from).collect();
        return Ok(write_json(&mut out, &rules)?);
    }
    for (index, compiled) in workspace.compiled.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        write_human(&mut out, compiled)?;
    }
    Ok(())
}

/// A rule as a SQL script: comments and a statement, so that the output can be piped into DuckDB.
fn write_human(out: &mut impl Write, compiled: &CompiledRule) -> Result<(), CliError> {
    let rule = &compiled.compilation.rule;
    writeln!(out, "-- {}  {}", one_line(&rule.title()), one_line(&rule.path.display().to_string()))?;
    match (&compiled.sql, compiled.compilation.refusal()) {
        (Some(sql), _) => writeln!(out, "{};", sql.text)?,
        (None, Some(refusal)) => {
            let reason = compiled.compilation.reason().map_or("", ReasonCode::as_str);
            let (place, message) = (refusal.span.start, one_line(&refusal.message));
            writeln!(out, "-- not executable: {reason} (line {place}): {message}")?;
        }
        (None, None) => {}
    }
    Ok(())
}
