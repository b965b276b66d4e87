//! A range of time: which of a dataset's events are read.

use std::fmt;

use jiff::Timestamp;

use super::schema::Leaf;
use super::sql_text::identifier;

/// Events from one moment until another: `since` is within, `until` is not. An event without a time is in no range but
/// the one without ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeRange {
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// No event could be in such a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a range of time ends after it begins, and {until} is not after {since}")]
pub struct EmptyRange {
    since: Timestamp,
    until: Timestamp,
}

impl TimeRange {
    /// A range with the ends that are stated.
    ///
    /// # Errors
    /// It ends where it begins, or before.
    pub fn new(since: Option<Timestamp>, until: Option<Timestamp>) -> Result<Self, EmptyRange> {
        match (since, until) {
            (Some(since), Some(until)) if until <= since => Err(EmptyRange { since, until }),
            _ => Ok(Self { since, until }),
        }
    }

    /// Where it begins.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// What it ends before.
    #[must_use]
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// Whether an event of that time is within; milliseconds since 1970, UTC.
    pub(crate) fn holds(&self, time: Option<i64>) -> bool {
        let Some(time) = time.map(i128::from) else { return *self == Self::default() };
        self.since.is_none_or(|since| milliseconds(since) <= time)
            && self.until.is_none_or(|until| time < milliseconds(until))
    }

    /// The condition on the files' own column that holds for events within; `None` where every event is. Of the column
    /// as it is stored where it can be, as DuckDB passes over row groups by nothing else.
    pub(super) fn condition(&self, time: &Leaf) -> Option<String> {
        let (column, literal) = stored(time);
        let bound = |end: Option<Timestamp>, operator| {
            end.map(|end| format!("{column} {operator} {}", literal(milliseconds(end))))
        };
        let bounds: Vec<_> =
            [bound(self.since, ">="), bound(self.until, "<")].into_iter().flatten().collect();
        (!bounds.is_empty()).then(|| bounds.join(" AND "))
    }
}

/// The first whole millisecond that is not before a moment: events have no finer time.
fn milliseconds(moment: Timestamp) -> i128 {
    let nanoseconds = moment.as_nanosecond();
    nanoseconds.div_euclid(1_000_000) + i128::from(nanoseconds.rem_euclid(1_000_000) > 0)
}

/// What to compare, and how to write what it is compared with.
fn stored(time: &Leaf) -> (String, Box<dyn Fn(i128) -> String>) {
    let column = identifier(&time.path);
    let kind = time.column.stored_as.clone();
    let exact = ["TIMESTAMP", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"];
    if exact.contains(&kind.as_str()) && time.expression == format!("epoch_ms({column})") {
        return (column, Box::new(move |at| format!("CAST(make_timestamp_ms({at}) AS {kind})")));
    }
    (time.expression.clone(), Box::new(|at| at.to_string()))
}

impl fmt::Display for TimeRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.since, self.until) {
            (Some(since), Some(until)) => write!(out, "from {since} until {until}"),
            (Some(since), None) => write!(out, "from {since}"),
            (None, Some(until)) => write!(out, "until {until}"),
            (None, None) => out.write_str("all times"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn ends_are_whole_milliseconds_rounded_up() {
        let at = |text: &str| milliseconds(text.parse().unwrap());
        assert_eq!(at("1970-01-01T00:00:00.0015Z"), 2);
        assert_eq!(at("1970-01-01T00:00:00.001Z"), 1);
        assert_eq!(at("1969-12-31T23:59:59.9995Z"), 0);
    }

    #[test]
    fn a_time_is_within_from_the_first_moment_on_and_before_the_last() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let range = TimeRange::new(at("1970-01-01T00:00:01Z"), at("1970-01-01T00:00:02Z")).unwrap();
        let held = [Some(999), Some(1_000), Some(1_999), Some(2_000), None].map(|time| range.holds(time));
        assert_eq!(held, [false, true, true, false, false]);
        assert!(TimeRange::default().holds(None));
    }

    #[test]
    fn a_range_ends_after_it_begins() {
        let at = |text: &str| Some(text.parse::<Timestamp>().unwrap());
        let (earlier, later) = (at("2026-03-14T00:00:00Z"), at("2026-03-15T00:00:00Z"));
        assert_eq!(
            TimeRange::new(earlier, later).unwrap().to_string(),
            "from 2026-03-14T00:00:00Z until 2026-03-15T00:00:00Z"
        );
        assert_eq!(TimeRange::new(None, later).unwrap().to_string(), "until 2026-03-15T00:00:00Z");
        assert!(TimeRange::new(later, earlier).is_err());
        assert!(TimeRange::new(later, later).is_err());
    }
}
