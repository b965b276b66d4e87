//! `reason CODE`: what a diagnostic means and what to do.

use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use super::json::write_json;
use super::{CliError, Format};
use crate::backend::spark_sql;
use crate::bridge::{self, Code, Severity};
use crate::tui::text::wrap;
use crate::{evaluate, pack, pysigma};

#[derive(Debug, Args)]
pub(super) struct ReasonArgs {
    /// A diagnostic code (raw_wildcard), or a reason code for all that it covers (unsupported_value_type).
    code: Option<String>,
    /// How to write the answer.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Explained {
    code: &'static str,
    reason_code: Option<&'static str>,
    severity: Severity,
    summary: &'static str,
    explanation: &'static str,
}

impl From<&'static Code> for Explained {
    fn from(code: &'static Code) -> Self {
        Self {
            code: code.name,
            reason_code: code.reason.map(bridge::ReasonCode::as_str),
            severity: code.severity,
            summary: code.summary,
            explanation: code.explanation,
        }
    }
}

/// Every code of the program, by name.
pub(super) fn all_codes() -> Vec<&'static Code> {
    let mut codes = bridge::codes();
    codes.extend(pack::CODES.iter().copied());
    codes.extend(pysigma::CODES.iter().copied());
    codes.extend(spark_sql::CODES);
    codes.extend(evaluate::codes());
    codes.sort_by_key(|code| code.name);
    codes
}

pub(super) fn run(args: &ReasonArgs) -> Result<(), CliError> {
    let wanted: Vec<&'static Code> = match &args.code {
        None => all_codes(),
        Some(name) => named(name)?,
    };
    let mut out = io::stdout().lock();
    if args.format == Format::Json {
        let explained: Vec<Explained> = wanted.into_iter().map(Explained::from).collect();
        return Ok(write_json(&mut out, &explained)?);
    }
    if args.code.is_none() {
        return list(&mut out, &wanted);
    }
    for (index, code) in wanted.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        explain(&mut out, code)?;
    }
    Ok(())
}

/// The code of this name; else all codes of the reason code of this name.
fn named(name: &str) -> Result<Vec<&'static Code>, CliError> {
    let codes = all_codes();
    let exact: Vec<&'static Code> = codes.iter().copied().filter(|code| code.name == name).collect();
    let of_reason = codes.iter().copied().filter(|code| code.reason.is_some_and(|r| r.as_str() == name));
    let found: Vec<&'static Code> =
        exact.iter().copied().chain(of_reason.filter(|code| code.name != name)).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let nearest = codes
        .iter()
        .map(|code| code.name)
        .max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
    Err(CliError::Configuration(format!(
        "no code `{name}`; did you mean `{}`? `sigma-ocsf-tui reason` lists all",
        nearest.unwrap_or_default()
    )))
}

fn list(out: &mut impl Write, codes: &[&'static Code]) -> Result<(), CliError> {
    let width = codes.iter().map(|code| code.name.len()).max().unwrap_or_default();
    for code in codes {
        writeln!(out, "{:width$}  {}", code.name, code.summary)?;
    }
    Ok(())
}

fn explain(out: &mut impl Write, code: &Code) -> Result<(), CliError> {
    let effect = match (code.reason, code.severity) {
        (Some(reason), _) => format!("makes a rule non-executable: {reason}"),
        (None, Severity::Error) => "an error".to_owned(),
        (None, Severity::Warning) => "a warning; nothing is refused for it".to_owned(),
    };
    writeln!(out, "{}: {}", code.name, code.summary)?;
    writeln!(out, "({effect})\n")?;
    for line in wrap(code.explanation, 88) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}
