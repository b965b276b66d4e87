//! `run RULES`: runs rules over a dataset and writes the bundle.

use std::io;
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::gate::{self, FAIL_ON_HELP, Gate, Gates};
use super::summary::{self, Compiled};
use super::text::one_line;
use super::{CliError, Format, Inputs, spark};
use crate::backend::BackendId;
use crate::bundle::{self, BundleError, RuleFacts, RunInputs, Staging};
use crate::store;
use crate::tui::text::count;

#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    inputs: Inputs,
    /// Where the bundle goes: a folder that is not there yet, or is empty.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// What detections call the run; by default the name of the folder.
    #[arg(long, value_name = "ID")]
    run_id: Option<String>,
    /// When the run is said to be, such as 2026-03-14T09:00:00Z. Without it a bundle has no time but the events'.
    #[arg(long, value_name = "RFC3339")]
    run_time: Option<Timestamp>,
    /// What evaluates the plans; all give the same detections, `spark_sql` in an installed Spark [default: duckdb_sql].
    #[arg(long, value_enum)]
    backend: Option<BackendId>,
    /// Where Spark runs, as `spark-submit --master` has it.
    #[arg(long, value_name = "URL", default_value = "local[*]")]
    master: String,
    /// Replace the bundle that is there.
    #[arg(long)]
    force: bool,
    /// Fail, with exit code 1, on a condition: non-executable>N, a reason, fallback, no-match, new-since BUNDLE.
    #[arg(long, value_name = "CONDITION", value_parser = gate::gate, long_help = FAIL_ON_HELP)]
    fail_on: Vec<Gate>,
    /// How to write the summary.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Summary {
    bundle: String,
    run_id: String,
    #[serde(flatten)]
    compiled: Compiled,
    matched: usize,
    detections: u64,
}

pub(super) fn run(args: &RunArgs) -> Result<(), CliError> {
    store::verify_duckdb_version().map_err(|error| CliError::Configuration(error.to_string()))?;
    let gates = Gates::read(&args.fail_on, true)?;
    let run_id = run_id(args)?;
    let run_time = args.run_time.map(|time| time.to_string());
    let backend = args.backend.or(args.inputs.configured_backend()).unwrap_or_default();
    let workspace = args.inputs.compile_for(backend)?;
    if let (BackendId::SparkSql, Some(events)) = (backend, &args.inputs.parquet) {
        args.inputs.reading.refuse_for_spark(events)?;
    }
    let Some(mut store) = args.inputs.open_store(workspace.threads)? else {
        return Err(CliError::Configuration("`run` needs events: --parquet PATH".to_owned()));
    };
    let staging = Staging::begin(&args.out, args.force).map_err(failed)?;
    let inputs = RunInputs {
        run_id: &run_id,
        run_time: run_time.as_deref(),
        roots: &args.inputs.rule_roots(),
        pack: &workspace.pack.pack,
        settings: args.inputs.run_settings(&workspace),
        backend,
        compiled: &workspace.compiled,
    };
    let facts = match &args.inputs.parquet {
        Some(events) if backend == BackendId::SparkSql => {
            let result = spark::run(&inputs, events, &args.master)?;
            bundle::write_ran(&inputs, &mut store, &result, staging.folder())
        }
        _ => bundle::write(&inputs, &mut store, staging.folder()),
    };
    let facts = facts.map_err(failed)?;
    staging.publish().map_err(failed)?;
    report(args, &summary(args, run_id.clone(), &facts))?;
    gates.hold(&facts)
}

fn run_id(args: &RunArgs) -> Result<String, CliError> {
    let from_folder = || args.out.file_name().map(|name| name.to_string_lossy().into_owned());
    match args.run_id.clone().or_else(from_folder) {
        Some(id) if !id.trim().is_empty() => Ok(id),
        _ => Err(CliError::Configuration("the run needs an id: --run-id ID".to_owned())),
    }
}

/// What stands in the way of the bundle itself is for the caller to change; the rest is the file system's.
pub(super) fn failed(error: BundleError) -> CliError {
    match error {
        BundleError::Exists { .. } | BundleError::Foreign { .. } | BundleError::NoName { .. } => {
            CliError::Configuration(error.to_string())
        }
        BundleError::Io { .. } | BundleError::Json { .. } => CliError::Data(error.to_string()),
    }
}

fn summary(args: &RunArgs, run_id: String, facts: &[RuleFacts]) -> Summary {
    Summary {
        bundle: args.out.display().to_string(),
        run_id,
        compiled: Compiled::of(facts),
        matched: facts.iter().filter(|rule| rule.matches > Some(0)).count(),
        detections: facts.iter().filter_map(|rule| rule.matches).sum(),
    }
}

fn report(args: &RunArgs, summary: &Summary) -> io::Result<()> {
    let (matched, detections) = (count(summary.matched as u64), count(summary.detections));
    summary::tell(
        args.format,
        summary,
        format_args!(
            "wrote {}: {} · {matched} matched · {detections} detections",
            one_line(&summary.bundle),
            summary.compiled
        ),
    )
}
