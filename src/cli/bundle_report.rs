//! `report BUNDLE`: a bundle for people, printed or as files, and its newest findings posted.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::Value;

use super::CliError;
use super::pack::write_whole;
use super::run::failed;
use super::text::one_line;
use crate::report::{self, Patience, PostError, Report, ReportError, Webhook};

#[derive(Debug, Args)]
pub(super) struct BundleReportArgs {
    /// The folder that `run` has written.
    bundle: PathBuf,
    /// Write files into this folder instead of printing: report.md, report.html, navigator.json and slack.json, or the
    /// one of `--format`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The form to print; Markdown by default.
    #[arg(long, value_enum)]
    format: Option<ReportFormat>,
    /// Why rules matched nothing: what `coverage --attribute --format json` wrote of the same rules and events.
    #[arg(long, value_name = "FILE")]
    attribution: Option<PathBuf>,
    /// Post the newest findings to the Slack webhook whose URL is in the environment variable SIGMA_OCSF_SLACK_WEBHOOK.
    #[arg(long)]
    post_slack: bool,
}

/// A form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// For a ticket or a repository.
    Markdown,
    /// One page that needs nothing beside it.
    Html,
    /// Three layers of the ATT&CK Navigator: tagged, executable here, fired on this data.
    Navigator,
    /// A message in Slack's Block Kit.
    Slack,
}

impl ReportFormat {
    fn file(self) -> &'static str {
        match self {
            Self::Markdown => "report.md",
            Self::Html => "report.html",
            Self::Navigator => "navigator.json",
            Self::Slack => "slack.json",
        }
    }

    fn of(self, report: &Report) -> Result<String, CliError> {
        match self {
            Self::Markdown => Ok(report::markdown(report)),
            Self::Html => Ok(report::html(report)),
            Self::Navigator => json(&report::navigator(report)),
            Self::Slack => json(&report::slack(report)),
        }
    }
}

fn json(document: &Value) -> Result<String, CliError> {
    Ok(format!("{}\n", serde_json::to_string_pretty(document).map_err(io::Error::from)?))
}

pub(super) fn run(args: &BundleReportArgs) -> Result<(), CliError> {
    let webhook = if args.post_slack { Some(webhook()?) } else { None };
    let report = Report::read(&args.bundle, args.attribution.as_deref()).map_err(unreadable)?;
    match &args.out {
        Some(folder) => write_files(args, folder, &report)?,
        // Who asks for nothing but the message gets nothing but the message.
        None if args.post_slack && args.format.is_none() => {}
        None => {
            let text = args.format.unwrap_or(ReportFormat::Markdown).of(&report)?;
            let mut out = io::stdout().lock();
            out.write_all(text.as_bytes())?;
            out.flush()?;
        }
    }
    if let Some(webhook) = webhook {
        let posted = webhook.post(&report::slack(&report), &Patience::default());
        posted.map_err(|error| CliError::Data(error.to_string()))?;
        writeln!(io::stderr().lock(), "posted to Slack")?;
    }
    Ok(())
}

fn webhook() -> Result<Webhook, CliError> {
    let variable = Webhook::VARIABLE;
    let Some(url) = env::var_os(variable).filter(|url| !url.is_empty()) else {
        return Err(CliError::Configuration(format!(
            "--post-slack needs the URL of a webhook in {variable}"
        )));
    };
    let url = url.to_str().ok_or(PostError::Url);
    url.and_then(Webhook::new).map_err(|error| CliError::Configuration(error.to_string()))
}

fn unreadable(error: ReportError) -> CliError {
    match error {
        ReportError::Bundle(error) => failed(error),
        ReportError::NotAttributed { .. } | ReportError::OtherRun { .. } => {
            CliError::Configuration(error.to_string())
        }
        ReportError::Io { .. } | ReportError::Json { .. } => CliError::Data(error.to_string()),
    }
}

fn write_files(args: &BundleReportArgs, folder: &Path, report: &Report) -> Result<(), CliError> {
    let forms = args.format.map_or_else(|| ReportFormat::value_variants().to_vec(), |form| vec![form]);
    let refused = |path: &Path, error: io::Error| CliError::Data(format!("'{}': {error}", path.display()));
    fs::create_dir_all(folder).map_err(|error| refused(folder, error))?;
    let mut out = io::stdout().lock();
    for form in forms {
        let path = folder.join(form.file());
        write_whole(&path, form.of(report)?.as_bytes()).map_err(|error| refused(&path, error))?;
        writeln!(out, "wrote {}", one_line(&path.display().to_string()))?;
    }
    Ok(())
}
