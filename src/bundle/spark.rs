//! An installed Spark, driven through an exported job.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, kill_process_group};

use super::{BundleError, JobResult, RunInputs, write_job};
use crate::evaluate::Cancel;

/// How lines of the runner begin; the rest is Spark's log.
const RUNNER_SAYS: &str = "run.py: ";

/// Why a job did not run.
#[derive(Debug, thiserror::Error)]
pub enum SparkError {
    /// Nothing starts Spark here.
    #[error(
        "there is no Spark: set SPARK_HOME, put spark-submit on the path, or install pyspark for python3"
    )]
    Missing,
    /// What starts it does not.
    #[error("Spark did not start: {0}")]
    Start(io::Error),
    /// The runner refuses this Spark, or how it was called.
    #[error("Spark: {0}")]
    Refused(String),
    /// It failed, as it says last.
    #[error("Spark: {0}")]
    Failed(String),
    /// It was stopped from here.
    #[error("Spark was stopped")]
    Stopped,
    /// The job's folder could not be written, or what came of it not read.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// Files or pipes failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Stops a job from another thread, and all that comes after it.
#[derive(Clone, Debug)]
pub struct Stop {
    stops: Arc<AtomicU64>,
    cancel: Cancel,
    group: Arc<Mutex<Option<Pid>>>,
}

impl Default for Stop {
    fn default() -> Self {
        let stops = Arc::default();
        Self { cancel: Cancel::new(&stops), stops, group: Arc::default() }
    }
}

impl Stop {
    /// Ends Spark at once, or as soon as it starts.
    pub fn stop(&self) {
        let group = self.group();
        self.stops.fetch_add(1, Ordering::SeqCst);
        if let Some(group) = *group {
            // One that has ended needs no signal.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }

    /// A token that is cancelled by [`Self::stop`].
    #[must_use]
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    fn group(&self) -> MutexGuard<'_, Option<Pid>> {
        self.group.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs rules over the events at `events` in the Spark that `master` names, and tells what its runner says. With a `stop`
/// Spark is a process group of its own, which hears no signal of the terminal.
///
/// # Errors
/// There is no Spark, it fails as a whole, or it was stopped.
pub fn run_job(
    inputs: &RunInputs<'_>,
    events: &Path,
    master: &str,
    stop: Option<&Stop>,
    say: &mut dyn FnMut(&str),
) -> Result<JobResult, SparkError> {
    let spark = Spark::find()?;
    let folder = tempfile::tempdir()?;
    let (job, out) = (folder.path().join("job"), folder.path().join("out"));
    std::fs::create_dir(&job)?;
    write_job(inputs, &job)?;
    let mut command = spark.command(&job.join("run.py"), master);
    command.arg("--parquet").arg(std::path::absolute(events)?).arg("--out").arg(&out);
    command.args(["--run-id", inputs.run_id]);
    // Spark keeps a catalogue where it is started.
    command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let (code, last) = run(command, stop, say)?;
    match code {
        // 1: rules failed, and are named.
        Some(0 | 1) if out.is_dir() => Ok(JobResult::read(&out)?),
        Some(2) => Err(SparkError::Refused(last)),
        _ => Err(SparkError::Failed(last)),
    }
}

/// The exit code, and what was said last.
fn run(
    mut command: Command,
    stop: Option<&Stop>,
    say: &mut dyn FnMut(&str),
) -> Result<(Option<i32>, String), SparkError> {
    let Some(stop) = stop else {
        let mut child = command.spawn().map_err(SparkError::Start)?;
        let last = told(child.stderr.take(), say)?;
        return Ok((child.wait()?.code(), last));
    };
    let cancel = stop.cancel();
    let mut group = stop.group();
    if cancel.is_cancelled() {
        return Err(SparkError::Stopped);
    }
    let mut child = command.process_group(0).spawn().map_err(SparkError::Start)?;
    *group = Some(Pid::from_child(&child));
    drop(group);
    let last = told(child.stderr.take(), say);
    // Once it is waited for, its number may be another's.
    let mut group = stop.group();
    let ended = child.wait();
    *group = None;
    match cancel.is_cancelled() {
        true => Err(SparkError::Stopped),
        false => Ok((ended?.code(), last?)),
    }
}

/// Passes on what the runner says, and gives what was said last, by whomever.
fn told(stderr: Option<impl io::Read>, say: &mut dyn FnMut(&str)) -> io::Result<String> {
    let mut last = "it ended without a word".to_owned();
    let Some(stderr) = stderr else { return Ok(last) };
    for line in BufReader::new(stderr).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        let said = line.strip_prefix(RUNNER_SAYS);
        if let Some(said) = said {
            say(said);
        }
        if !line.trim().is_empty() {
            said.unwrap_or(&line).trim().clone_into(&mut last);
        }
    }
    Ok(last)
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
    fn find() -> Result<Self, SparkError> {
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
            _ => Err(SparkError::Missing),
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
    use std::time::{Duration, Instant};

    use super::*;

    fn last(text: &[u8]) -> String {
        told(Some(text), &mut |_| {}).unwrap()
    }

    #[test]
    fn the_last_line_explains_a_failure() {
        assert_eq!(
            last(&b"log\nrun.py: the events have no usable `time`\n\n"[..]),
            "the events have no usable `time`"
        );
        assert_eq!(last(&b""[..]), "it ended without a word");
        assert_eq!(quoted("local[2]"), "'local[2]'");
    }

    #[test]
    fn stopping_ends_what_runs_with_all_that_it_has_started() {
        let stop = Stop::default();
        let mut command = Command::new("sh");
        command.args(["-c", "sleep 600 & echo run.py: begun >&2; wait"]).stderr(Stdio::piped());
        let stopper = stop.clone();
        let begun = Instant::now();
        let ended = run(command, Some(&stop), &mut |said| {
            assert_eq!(said, "begun");
            stopper.stop();
        });
        assert!(matches!(ended, Err(SparkError::Stopped)), "{ended:?}");
        assert!(begun.elapsed() < Duration::from_secs(300), "the sleeper held the pipe open");
        assert!(stop.cancel().is_cancelled());
        // What is stopped before it begins never does.
        let never = run(Command::new("/nowhere"), Some(&stop), &mut |_| {});
        assert!(matches!(never, Err(SparkError::Stopped)), "{never:?}");
    }
}
