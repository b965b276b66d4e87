//! `verify BUNDLE`: whether everything in a bundle holds.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::config::Config;
use super::json::write_json;
use super::reading::Reading;
use super::run::failed;
use super::text::one_line;
use super::{CliError, Compiling, Enabled, Format, Inputs};
use crate::backend::BackendId;
use crate::bundle::{self, Difference, MadeWith, RunInputs, RunSettings, Verification};
use crate::store::{self, TimeRange};
use crate::tui::text::count;

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    /// The folder that `run` has written.
    bundle: PathBuf,
    /// The events that it was made from: every plan is run again, and its detections are compared.
    #[arg(long, value_name = "PATH")]
    parquet: Option<PathBuf>,
    /// The rules that it was made from: they are compiled anew, and their plans are compared.
    #[arg(long, value_name = "RULES")]
    rules: Vec<PathBuf>,
    /// The mapping pack to compile them with; by default the shipped one.
    #[arg(long, value_name = "DIR|ID", requires = "rules")]
    pack: Option<String>,
    /// How to write what was found.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Report {
    bundle: String,
    plans: usize,
    rerun: Option<usize>,
    recompiled: bool,
    detections: u64,
    differences: Vec<Finding>,
}

#[derive(Serialize)]
struct Finding {
    file: String,
    what: String,
}

pub(super) fn run(args: &VerifyArgs) -> Result<(), CliError> {
    store::verify_duckdb_version().map_err(|error| CliError::Configuration(error.to_string()))?;
    let MadeWith { settings, backend, range, left_out } = bundle::made_with(&args.bundle).map_err(failed)?;
    let inputs = inputs(args, &settings, range, left_out);
    let mut store = inputs.open_store(settings.threads)?;
    let mut found = bundle::verify(&args.bundle, store.as_mut()).map_err(failed)?;
    if !args.rules.is_empty() {
        found.differences.extend(recompiled(args, &inputs, settings, backend.unwrap_or_default())?);
    }
    let differences = found.differences.len();
    report(args, found)?;
    match differences {
        0 => Ok(()),
        1 => Err(CliError::Gate("the bundle does not hold: 1 difference".to_owned())),
        _ => Err(CliError::Gate(format!("the bundle does not hold: {differences} differences"))),
    }
}

/// What the bundle was made with, as arguments would say it.
fn inputs(args: &VerifyArgs, settings: &RunSettings, range: TimeRange, left_out: bool) -> Inputs {
    Inputs {
        rules: args.rules.clone(),
        parquet: args.parquet.clone(),
        reading: Reading::of(range, left_out),
        pack: args.pack.clone(),
        compiling: Compiling {
            enable: settings.capabilities.iter().copied().map(Enabled::One).collect(),
            raw_fallback: false,
            threads: Some(settings.threads),
        },
        config: Some(Config {
            raw_fallback_enabled: Some(settings.raw_fallback_enabled),
            ..Config::default()
        }),
    }
}

fn recompiled(
    args: &VerifyArgs,
    inputs: &Inputs,
    settings: RunSettings,
    backend: BackendId,
) -> Result<Vec<Difference>, CliError> {
    let workspace = inputs.compile_for(backend)?;
    let inputs = RunInputs {
        run_id: "",
        run_time: None,
        roots: &inputs.rule_roots(),
        pack: &workspace.pack.pack,
        settings,
        backend,
        compiled: &workspace.compiled,
    };
    bundle::verify_rules(&args.bundle, &inputs).map_err(failed)
}

fn report(args: &VerifyArgs, found: Verification) -> Result<(), CliError> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    if args.format == Format::Json {
        let finding = |Difference { file, what }| Finding { file, what };
        let report = Report {
            bundle: args.bundle.display().to_string(),
            plans: found.plans,
            rerun: args.parquet.is_some().then_some(found.rerun),
            recompiled: !args.rules.is_empty(),
            detections: found.detections,
            differences: found.differences.into_iter().map(finding).collect(),
        };
        write_json(&mut out, &report)?;
        return Ok(out.flush()?);
    }
    for Difference { file, what } in &found.differences {
        writeln!(out, "{}: {}", one_line(file), one_line(what))?;
    }
    let rerun = match args.parquet {
        Some(_) => format!(" · {} run again", count(found.rerun as u64)),
        None => String::new(),
    };
    let recompiled = if args.rules.is_empty() { "" } else { " · compiled anew" };
    let verdict = if found.differences.is_empty() { "everything holds" } else { "it does not hold" };
    let (plans, detections) = (count(found.plans as u64), count(found.detections));
    writeln!(out, "{verdict}: {plans} plans{recompiled}{rerun} · {detections} detections")?;
    Ok(out.flush()?)
}
