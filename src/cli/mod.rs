//! The command line: one file a subcommand. The only room that prints and that decides exit codes.

mod annotate;
mod bundle_report;
mod check;
mod completions;
mod config;
mod coverage;
mod explain;
mod export;
mod gate;
mod json;
mod junit;
mod keys;
mod matches;
mod pack;
mod reading;
mod reason;
mod report;
mod run;
mod sarif;
mod screen;
mod spark;
mod sql;
mod stream;
mod summary;
mod test;
mod text;
mod themes;
mod verify;
mod workspace;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValue;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::backend::BackendId;
use crate::sigma::Capability;

/// Author and triage Sigma rules over OCSF events.
///
/// Opens a screen with a rule, its route and aliases, its SQL and its matches, and follows every save of a rule,
/// of the mapping pack and of the events.
#[derive(Debug, Parser)]
#[command(name = "sigma-ocsf-tui", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    inputs: Inputs,
    /// Theme by name, as `themes` lists them; by default chosen from the terminal.
    #[arg(long, value_name = "THEME")]
    theme: Option<String>,
    /// Ring the terminal's bell when new matches come in.
    #[arg(long)]
    bell: bool,
    /// Leave the terminal's title as it is.
    #[arg(long)]
    no_title: bool,
    /// Ask every rule of all events, and keep no answers for the next start.
    #[arg(long)]
    no_cache: bool,
}

const EXAMPLES: &str = "\
Examples:
  sigma-ocsf-tui rules/ --parquet runs/7/normalized        open the screen
  sigma-ocsf-tui check rules/ --parquet runs/7/normalized  the same facts as text
  sigma-ocsf-tui check rules/ --format json > report.json  compile only, for scripts
  sigma-ocsf-tui sql rules/proc_creation_x.yml             the SQL of one rule
  sigma-ocsf-tui explain rules/x.yml --parquet runs/7      why a rule did or did not match
  sigma-ocsf-tui matches rules/x.yml --parquet runs/7      the events that a rule matches
  sigma-ocsf-tui coverage rules/ --parquet runs/7          totals and gaps of a set of rules
  sigma-ocsf-tui run rules/ --parquet runs/7 --out out/7   plans, coverage and detections as files
  sigma-ocsf-tui stream rules/ --events ocsf.jsonl         detections as events come
  sigma-ocsf-tui export rules/ --backend spark_sql --out j a job for spark-submit
  sigma-ocsf-tui verify out/7 --parquet runs/7             whether they hold
  sigma-ocsf-tui report out/7 --out report                 a page to read, and other reports
  sigma-ocsf-tui test rules/                               the regression cases beside the rules
  sigma-ocsf-tui reason unmapped_field                     what a code means and what to do

Exit codes: 0 done, 1 a gate failed, 2 usage or configuration, 3 data.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Compile rules, and run them where events are given: a verdict for each, reasons, totals.
    Check(check::CheckArgs),
    /// Print the SQL that rules compile to.
    Sql(sql::SqlArgs),
    /// Say why a rule did or did not match: a funnel from class to condition, and the nearest events.
    Explain(explain::ExplainArgs),
    /// Write the events that one rule matches: as text, CSV, JSON Lines or Parquet.
    Matches(matches::MatchesArgs),
    /// Count what a set of rules covers, why the others cannot run, and why rules match nothing.
    Coverage(coverage::CoverageArgs),
    /// Run rules over events, and write plans, coverage and detections as a bundle.
    Run(run::RunArgs),
    /// Ask rules of events as they come, as JSON Lines, and write detections.
    Stream(stream::StreamArgs),
    /// Write rules as a job for Spark, which runs over a lake without this program.
    Export(export::ExportArgs),
    /// Recompute what a bundle says, and run its plans again.
    Verify(verify::VerifyArgs),
    /// Report on a bundle: Markdown, one HTML page, ATT&CK Navigator layers, a Slack message.
    Report(bundle_report::BundleReportArgs),
    /// Run the regression cases that travel with rules, or save events as one.
    Test(test::TestArgs),
    /// Write and check mapping packs.
    #[command(subcommand)]
    Pack(pack::PackCommand),
    /// Explain a diagnostic code, or list all of them.
    Reason(reason::ReasonArgs),
    /// Print the keys of the screen, as a keys.yaml to start from.
    Keys(keys::KeysArgs),
    /// List the themes of the screen, and where their files lie.
    Themes(themes::ThemesArgs),
    /// Print a completion script for a shell.
    Completions(completions::CompletionsArgs),
}

/// What every command reads.
#[derive(Debug, Args)]
struct Inputs {
    /// Rule files and folders.
    #[arg(value_name = "RULES")]
    rules: Vec<PathBuf>,
    /// OCSF events: a run folder, a folder of Parquet, a Parquet file, or ocsf_events.jsonl; or a pattern of these, as in
    /// 'runs/*/normalized'.
    #[arg(long, value_name = "PATH")]
    parquet: Option<PathBuf>,
    #[command(flatten)]
    reading: reading::Reading,
    /// Mapping pack: a folder, an archive, or the id of a pack under ./mapping_packs or within this program
    /// [default: ocsf-1.7.0].
    #[arg(long, value_name = "DIR|ID")]
    pack: Option<String>,
    #[command(flatten)]
    compiling: Compiling,
    /// Configuration in YAML: detection.sigma.rule_paths and detection.sigma.bridge.*; the other arguments win over it.
    #[arg(long, value_name = "FILE", value_parser = config::read)]
    config: Option<config::Config>,
}

/// What every command compiles with.
#[derive(Debug, Args)]
struct Compiling {
    /// Switch on parts of the rule language beyond the default subset; `all` for all.
    #[arg(long, value_name = "CAPABILITY", value_delimiter = ',', value_parser = capability)]
    enable: Vec<Enabled>,
    /// Permit raw.* fields where OCSF has no home for a field.
    #[arg(long)]
    raw_fallback: bool,
    /// Threads of the DuckDB session; recorded with the results.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=256))]
    threads: Option<u32>,
}

/// An argument of `--enable`.
#[derive(Clone, Copy, Debug)]
enum Enabled {
    All,
    One(Capability),
}

fn capability(name: &str) -> Result<Enabled, String> {
    if name == "all" {
        return Ok(Enabled::All);
    }
    Capability::from_name(name).map(Enabled::One).ok_or_else(|| {
        let names: Vec<&str> = Capability::ALL.iter().map(|c| c.as_str()).collect();
        format!("capabilities are: all, {}", names.join(", "))
    })
}

/// How a command writes its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for people.
    #[default]
    Human,
    /// One JSON document.
    Json,
}

impl ValueEnum for BackendId {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}

/// A failure of a command, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
enum CliError {
    /// What was asked for was done, and a condition that it had to meet does not hold. Exit code 1.
    #[error("{0}")]
    Gate(String),
    /// Exit code 2.
    #[error("{0}")]
    Configuration(String),
    /// Exit code 3.
    #[error("{0}")]
    Data(String),
    #[error("the output could not be written: {0}")]
    Output(#[from] io::Error),
}

impl CliError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Gate(_) => ExitCode::from(1),
            Self::Configuration(_) => ExitCode::from(2),
            Self::Data(_) | Self::Output(_) => ExitCode::from(3),
        }
    }
}

/// Runs the program with the process's arguments, and gives its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let result = match &cli.command {
        None => screen::run(&cli),
        Some(Command::Check(args)) => check::run(args),
        Some(Command::Sql(args)) => sql::run(args),
        Some(Command::Explain(args)) => explain::run(args),
        Some(Command::Matches(args)) => matches::run(args),
        Some(Command::Coverage(args)) => coverage::run(args),
        Some(Command::Run(args)) => run::run(args),
        Some(Command::Stream(args)) => stream::run(args),
        Some(Command::Export(args)) => export::run(args),
        Some(Command::Verify(args)) => verify::run(args),
        Some(Command::Report(args)) => bundle_report::run(args),
        Some(Command::Test(args)) => test::run(args),
        Some(Command::Pack(command)) => pack::run(command),
        Some(Command::Reason(args)) => reason::run(args),
        Some(Command::Keys(args)) => keys::run(args),
        Some(Command::Themes(args)) => themes::run(args),
        Some(Command::Completions(args)) => completions::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has seen enough (`| head`): not an error.
        Err(CliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let mut stderr = io::stderr().lock();
            // With no standard error left there is nobody to tell.
            let _ = writeln!(stderr, "sigma-ocsf-tui: {}", text::lines(&error.to_string()));
            error.exit_code()
        }
    }
}

/// Help where it was asked for; else what is wrong with the arguments, which the message repeats.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        // A reader that has gone needs no help.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    // With no standard error left there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{}", text::lines(&error.render().to_string()));
    ExitCode::from(2)
}
