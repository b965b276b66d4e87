//! `run --backend spark_sql`: what the runner says goes to standard error, and what went wrong has an exit code.

use std::io::{self, Write};
use std::path::Path;

use super::text::one_line;
use super::{CliError, run::failed};
use crate::bundle::{self, JobResult, RunInputs, SparkError};

/// Runs rules over the events at `events` in the Spark that `master` names.
pub(super) fn run(inputs: &RunInputs<'_>, events: &Path, master: &str) -> Result<JobResult, CliError> {
    let mut say = |said: &str| {
        // With no standard error left there is nobody to tell.
        let _ = writeln!(io::stderr().lock(), "spark_sql: {}", one_line(said));
    };
    bundle::run_job(inputs, events, master, None, &mut say).map_err(|error| match error {
        SparkError::Bundle(error) => failed(error),
        SparkError::Failed(_) | SparkError::Stopped => {
            CliError::Data(one_line(&error.to_string()).to_string())
        }
        SparkError::Io(error) => error.into(),
        SparkError::Missing | SparkError::Start(_) | SparkError::Refused(_) => {
            CliError::Configuration(one_line(&error.to_string()).to_string())
        }
    })
}
