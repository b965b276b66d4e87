//! `export RULES`: writes rules as a job for an engine that is not part of this program.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::gate::{self, FAIL_ON_HELP, Gate, Gates};
use super::run::failed;
use super::summary::{self, Compiled};
use super::text::one_line;
use super::{CliError, Format, Inputs};
use crate::backend::BackendId;
use crate::bundle::{self, RunInputs, Staging};

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    inputs: Inputs,
    /// What the job is for: spark_sql.
    #[arg(long, value_enum)]
    backend: BackendId,
    /// Where the job goes: a folder that is not there yet, or is empty.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// Fail, with exit code 1, on a condition: non-executable>N, a reason, fallback, new-since BUNDLE.
    #[arg(long, value_name = "CONDITION", value_parser = gate::gate, long_help = FAIL_ON_HELP)]
    fail_on: Vec<Gate>,
    /// How to write the summary.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Serialize)]
struct Summary {
    job: String,
    #[serde(flatten)]
    compiled: Compiled,
}

pub(super) fn run(args: &ExportArgs) -> Result<(), CliError> {
    if args.backend != BackendId::SparkSql {
        let message = format!(
            "`{}` runs within this program, with `run`; jobs are for `{}`",
            args.backend.as_str(),
            BackendId::SparkSql.as_str()
        );
        return Err(CliError::Configuration(message));
    }
    let gates = Gates::read(&args.fail_on, false)?;
    let workspace = args.inputs.compile_for(args.backend)?;
    let staging = Staging::begin(&args.out, false).map_err(failed)?;
    let inputs = RunInputs {
        run_id: "",
        run_time: None,
        roots: &args.inputs.rule_roots(),
        pack: &workspace.pack.pack,
        backend: args.backend,
        settings: args.inputs.run_settings(&workspace),
        compiled: &workspace.compiled,
    };
    let facts = bundle::write_job(&inputs, staging.folder()).map_err(failed)?;
    staging.publish().map_err(failed)?;
    let summary = Summary { job: args.out.display().to_string(), compiled: Compiled::of(&facts) };
    summary::tell(
        args.format,
        &summary,
        format_args!("wrote {}: {}", one_line(&summary.job), summary.compiled),
    )?;
    gates.hold(&facts)
}
