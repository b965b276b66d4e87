//! `stream RULES`: asks rules of events as they come, and writes detections.

mod reload;
mod report;
mod session;

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{CliError, Inputs};
use crate::stream::{Checkpoint, CheckpointError, Engine, Input, Lines, Lock, Output};

use reload::Reload;
use report::Report;
use session::Session;

#[derive(Debug, Args)]
pub(super) struct StreamArgs {
    #[command(flatten)]
    inputs: Inputs,
    /// OCSF events, one JSON object a line; `-` for standard input.
    #[arg(long, value_name = "FILE", default_value = "-")]
    events: PathBuf,
    /// At the end of the file, wait for more; follow it through rotation.
    #[arg(long)]
    follow: bool,
    /// Where detections go; without it, standard output.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Keep the place in the input here, and go on from it: no detection is lost or written twice.
    #[arg(long, value_name = "FILE", requires = "out")]
    checkpoint: Option<PathBuf>,
    /// How often, in milliseconds.
    #[arg(long, value_name = "MS", default_value_t = 1000, requires = "checkpoint")]
    checkpoint_every: u32,
    /// How much older than its predecessors an event may be and still count in a correlation's windows, in seconds of
    /// event time; windows wait so long before they fire.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(..=86_400))]
    allowed_lateness: u32,
    /// What detections call the run.
    #[arg(long, value_name = "ID", default_value = "stream")]
    run_id: String,
    /// Do not follow changes of rules and pack.
    #[arg(long)]
    no_reload: bool,
}

impl StreamArgs {
    fn input(&self) -> Input {
        if self.events.as_os_str() == "-" {
            Input::Standard
        } else {
            Input::File { path: self.events.clone(), follow: self.follow }
        }
    }

    /// How long without an event until event time is taken to pass as the clock does; `None` where the input ends.
    fn idle_after(&self) -> Option<Duration> {
        let waits = self.follow || self.input() == Input::Standard;
        waits.then_some(Duration::from_millis(500))
    }
}

pub(super) fn run(args: &StreamArgs) -> Result<(), CliError> {
    if args.inputs.parquet.is_some() {
        return Err(CliError::Configuration(
            "`stream` reads events from --events; --parquet is for `run`".to_owned(),
        ));
    }
    if args.follow && args.input() == Input::Standard {
        return Err(CliError::Configuration("--follow needs a file: --events FILE".to_owned()));
    }
    let _lock = args.checkpoint.as_deref().map(Lock::take).transpose().map_err(kept)?;
    let checkpoint = args.checkpoint.as_deref().map(Checkpoint::read).transpose().map_err(kept)?.flatten();
    let report = Report::new();
    let mut reload = Reload::new(&args.inputs, &args.run_id);
    let rules = reload.rules()?;
    report.rules(&rules);
    let mut engine = Engine::new(rules.set, args.allowed_lateness.saturating_mul(1000));
    let mut length = 0;
    let mut position = None;
    if let Some(checkpoint) = checkpoint {
        report.resumed(&checkpoint.input, &engine.restore(checkpoint.engine));
        length = checkpoint.output;
        position = Some(checkpoint.input);
    } else {
        refuse_to_overwrite(args)?;
    }
    let output = match &args.out {
        Some(path) => Output::file(path, length)
            .map_err(|error| CliError::Data(format!("{}: {error}", path.display())))?,
        None => Output::standard(),
    };
    let lines = Lines::open(&args.input(), position.clone())
        .map_err(|error| CliError::Data(format!("{}: {error}", args.events.display())))?;
    let session = Session {
        engine,
        output,
        report,
        position: position.unwrap_or_default(),
        checkpoint: args.checkpoint.as_deref(),
        checkpoint_every: Duration::from_millis(args.checkpoint_every.into()),
        idle_after: args.idle_after(),
    };
    session.run(lines, (!args.no_reload).then_some(reload))
}

/// Detections of another run are not this one's to replace.
fn refuse_to_overwrite(args: &StreamArgs) -> Result<(), CliError> {
    let Some(path) = args.out.as_deref() else { return Ok(()) };
    match std::fs::metadata(path) {
        Ok(there) if there.len() > 0 => Err(CliError::Configuration(format!(
            "{}: is there already, and no checkpoint says how to go on; move it away, or name its checkpoint",
            path.display()
        ))),
        _ => Ok(()),
    }
}

fn kept(error: CheckpointError) -> CliError {
    match error {
        CheckpointError::InUse { .. } => CliError::Configuration(error.to_string()),
        _ => CliError::Data(error.to_string()),
    }
}
