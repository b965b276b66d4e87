//! How a command reads events: `--since`, `--until`, `--skip-unreadable`; and what it says of them.

use std::io::{self, Write};
use std::path::Path;

use clap::Args;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::CliError;
use super::text::one_line;
use crate::store::{self, Dataset, SessionSettings, Store, StoreError, TimeRange};

/// Which events are read.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct Reading {
    /// Read events from this time on: 2026-03-14T09:00:00Z, a date (UTC), or how long before --until, such as 24h.
    #[arg(long, value_name = "TIME", value_parser = end, requires = "parquet")]
    since: Option<End>,
    /// Read events before this time: as for --since, or how long after it.
    #[arg(long, value_name = "TIME", value_parser = end, requires = "parquet")]
    until: Option<End>,
    /// Leave out event files that are cut off, empty or otherwise unreadable, and say which.
    #[arg(long, requires = "parquet")]
    skip_unreadable: bool,
}

/// One end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    At(Timestamp),
    /// So far from the other end.
    Apart(SignedDuration),
}

impl Reading {
    /// That of a range.
    pub(super) fn of(range: TimeRange, skip_unreadable: bool) -> Self {
        Self { since: range.since().map(End::At), until: range.until().map(End::At), skip_unreadable }
    }

    /// Refuses what Spark, which reads the events itself, would not heed.
    pub(super) fn refuse_for_spark(&self, path: &Path) -> Result<(), CliError> {
        let ends = self.since.is_some() || self.until.is_some();
        if ends || self.skip_unreadable || store::watched(path) != path {
            return Err(CliError::Configuration(
                "Spark reads all events of a folder: name one, without --since, --until and --skip-unreadable, or use \
                 another backend"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Opens the events at `path`, and says on standard error what is left out of them, and what differs between the
    /// files.
    pub(super) fn open(&self, path: &Path, threads: u32) -> Result<Store, CliError> {
        let (range, settings) = (self.range()?, SessionSettings { threads });
        let opened = if self.skip_unreadable {
            Store::open_leaving_out(path, range, settings)
        } else {
            Dataset::discover(path).and_then(|dataset| Store::open(dataset.within(range), settings))
        };
        let store = opened.map_err(|error| match error {
            StoreError::Version { .. } => CliError::Configuration(error.to_string()),
            error => CliError::Data(error.to_string()),
        })?;
        let mut err = io::stderr().lock();
        for warning in warnings(&store) {
            // With no standard error left there is nobody to tell.
            let _ = writeln!(err, "sigma-ocsf-tui: warning: {}", one_line(&warning));
        }
        Ok(store)
    }

    /// The range that they are the ends of.
    pub(super) fn range(&self) -> Result<TimeRange, CliError> {
        let refused = |message: &str| CliError::Configuration(message.to_owned());
        let beyond = |_| refused("--since and --until: that is beyond the times that can be written");
        let at = |end: End| match end {
            End::At(time) => Ok(time),
            End::Apart(_) => {
                Err(refused("--since or --until has to be a time for the other to be so far from it"))
            }
        };
        let (since, until) = match (self.since, self.until) {
            (Some(End::Apart(span)), Some(End::At(until))) => {
                (Some(until.checked_sub(span).map_err(beyond)?), Some(until))
            }
            (Some(End::At(since)), Some(End::Apart(span))) => {
                (Some(since), Some(since.checked_add(span).map_err(beyond)?))
            }
            (since, until) => (since.map(at).transpose()?, until.map(at).transpose()?),
        };
        TimeRange::new(since, until).map_err(|error| CliError::Configuration(error.to_string()))
    }
}

/// What a dataset's reader should know of it.
fn warnings(store: &Store) -> Vec<String> {
    let left_out =
        store.left_out().iter().map(|file| format!("'{}' is left out: {}", file.path.display(), file.why));
    left_out.chain(store::drift_told(&store.schema().drift)).collect()
}

fn end(text: &str) -> Result<End, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(End::At(time));
    }
    // A date reads a whole date and time too, of which it would drop the time.
    if text.len() == "2026-03-14".len()
        && let Ok(date) = text.parse::<Date>()
        && let Ok(midnight) = date.to_zoned(TimeZone::UTC)
    {
        return Ok(End::At(midnight.timestamp()));
    }
    match text.parse::<SignedDuration>() {
        Ok(span) if span.is_positive() => Ok(End::Apart(span)),
        _ => {
            Err("expected a time as 2026-03-14T09:00:00Z, a date as 2026-03-14, or a duration as 24h"
                .to_owned())
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn range(since: Option<&str>, until: Option<&str>) -> Result<String, String> {
        let read = |text: Option<&str>| text.map(end).transpose();
        let reading = Reading { since: read(since)?, until: read(until)?, skip_unreadable: false };
        reading.range().map(|range| range.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn ends_are_times_dates_or_durations() {
        let cases = [
            (Some("2026-03-14"), None, "from 2026-03-14T00:00:00Z"),
            (Some("2026-03-14T09:00:00+02:00"), None, "from 2026-03-14T07:00:00Z"),
            (Some("24h"), Some("2026-03-15"), "from 2026-03-14T00:00:00Z until 2026-03-15T00:00:00Z"),
            (Some("2026-03-14"), Some("90m"), "from 2026-03-14T00:00:00Z until 2026-03-14T01:30:00Z"),
            (None, None, "all times"),
        ];
        for (since, until, expected) in cases {
            assert_eq!(range(since, until).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        let cases = [
            (Some("24h"), None),
            (Some("24h"), Some("24h")),
            (None, Some("1h")),
            (Some("yesterday"), None),
            (Some("-24h"), Some("2026-03-14")),
            (Some("2026-03-14T09:00"), None),
            (Some("2026-03-15"), Some("2026-03-14")),
        ];
        for (since, until) in cases {
            assert!(range(since, until).is_err(), "{since:?} {until:?}");
        }
    }
}
