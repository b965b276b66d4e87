//! An installed Spark, driven through an exported job: `run --backend spark_sql`.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::text::one_line;
use super::{CliError, run::failed};
use crate::bundle::{self, JobResult, RunInputs};

/// How lines of the runner begin; the rest is Spark's log.
const RUNNER_SAYS: &str = "run.py: ";

/// Runs rules over the events at `events` in the Spark that `master` names, and tells of its progress on standard error.
pub(super) fn run(inputs: &RunInputs<'_>, events: &Path, master: &str) -> Result<JobResult, CliError> {
    let spark = Spark::find()?;
    let folder = tempfile::tempdir()?;
    let (job, out) = (folder.path().join("job"), folder.path().join("out"));
    std::fs::create_dir(&job)?;
    bundle::write_job(inputs, &job).map_err(failed)?;
    let mut command = spark.command(&job.join("run.py"), master);
    command.arg("--parquet").arg(std::path::absolute(events)?).arg("--out").arg(&out);
    command.args(["--run-id", inputs.run_id]);
    // Spark keeps a catalogue where it is started.
    command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let started = |error| CliError::Configuration(format!("Spark did not start: {error}"));
    let mut child = command.spawn().map_err(started)?;
    let last =
        child.stderr.take().map_or_else(|| Ok(String::new()), |stderr| told(BufReader::new(stderr)))?;
    match child.wait()?.code() {
        // 1: rules failed, and are named.
        Some(0 | 1) if out.is_dir() => JobResult::read(&out).map_err(failed),
        Some(2) => Err(CliError::Configuration(format!("Spark: {last}"))),
        _ => Err(CliError::Data(format!("Spark: {last}"))),
    }
}

/// Passes on what the runner says, and gives what was said last, by whomever.
fn told(stderr: impl BufRead) -> io::Result<String> {
    let mut last = "it ended without a word".to_owned();
    for line in stderr.split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        let said = line.strip_prefix(RUNNER_SAYS);
        if let Some(said) = said {
            // With no standard error left there is nobody to tell.
            let _ = writeln!(io::stderr().lock(), "spark_sql: {}", one_line(said));
        }
        if !line.trim().is_empty() {
            said.unwrap_or(&line).trim().clone_into(&mut last);
        }
    }
    Ok(one_line(&last).to_string())
}

/// What starts Spark.
enum Spark {
    /// `spark-submit`
    Submit(PathBuf),
    /// A Python with the package `pyspark`.
    Python(OsString),
}

impl Spark {
    /// `spark-submit` below `SPARK_HOME` or on the path, else a Python that knows `pyspark`.
    fn find() -> Result<Self, CliError> {
        let home = std::env::var_os("SPARK_HOME").map(|home| PathBuf::from(home).join("bin"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = home.into_iter().chain(std::env::split_paths(&path));
        if let Some(found) = folders.map(|folder| folder.join("spark-submit")).find(|file| file.is_file()) {
            return Ok(Self::Submit(found));
        }
        let python = std::env::var_os("PYSPARK_PYTHON").unwrap_or_else(|| "python3".into());
        let mut knows = Command::new(&python);
        knows.args(["-c", "import pyspark"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match knows.status() {
            Ok(status) if status.success() => Ok(Self::Python(python)),
            _ => Err(CliError::Configuration(
                "there is no Spark: set SPARK_HOME, put spark-submit on the path, or install pyspark for python3"
                    .to_owned(),
            )),
        }
    }

    fn command(&self, script: &Path, master: &str) -> Command {
        let room = room(master);
        match self {
            Self::Submit(submit) => {
                let mut command = Command::new(submit);
                command.args(["--master", master, "--conf", "spark.ui.enabled=false"]);
                command.args(room.split_whitespace()).arg(script);
                command
            }
            Self::Python(python) => {
                let mut command = Command::new(python);
                let master = quoted(master);
                let options = format!("--master {master} --conf spark.ui.enabled=false {room} pyspark-shell");
                command.env("PYSPARK_SUBMIT_ARGS", options).arg(script);
                command
            }
        }
    }
}

/// A local Spark does all the work in its driver, for which the usual gigabyte is too little with a thousand rules.
fn room(master: &str) -> &'static str {
    if master.starts_with("local") { "--driver-memory 4g --driver-java-options -Xss16m" } else { "" }
}

/// A word of `PYSPARK_SUBMIT_ARGS`, which Python's `shlex` takes apart.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r#"'"'"'"#))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_explains_a_failure() {
        assert_eq!(
            told(&b"log\nrun.py: the events have no usable `time`\n\n"[..]).unwrap(),
            "the events have no usable `time`"
        );
        assert_eq!(told(&b""[..]).unwrap(), "it ended without a word");
        assert_eq!(quoted("local[2]"), "'local[2]'");
    }
}
