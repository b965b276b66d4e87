//! When matches are, counted by the minute, or coarser where they are spread over days.

use std::collections::BTreeMap;

use duckdb::types::Value;

/// Steps that are kept apart at most.
const STEPS: i64 = 4096;

/// Minutes of a step: a minute, an hour, a day, and as many days as it takes.
const WIDTHS: [i64; 3] = [1, 60, 1440];

/// How many matches there are in each step of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// Minutes of a step.
    pub minutes: i64,
    /// Steps that hold matches, as their number since 1970 in UTC; ascending.
    pub counts: BTreeMap<i64, u64>,
}

/// Times as they come, counted by the minute.
#[derive(Debug, Default)]
pub(super) struct Minutes {
    counts: BTreeMap<i64, u64>,
    /// The minute of the last ones, and how many these are: events come by time, as a rule.
    run: (i64, u64),
}

impl Minutes {
    /// Another time, in milliseconds since 1970. Its minute is the one that [`Histogram::aggregate`] has it in.
    pub(super) fn add(&mut self, time: i64) {
        let minute = time / 60_000;
        if minute != self.run.0 {
            self.end_run();
            self.run.0 = minute;
        }
        self.run.1 += 1;
    }

    fn end_run(&mut self) {
        let (minute, count) = std::mem::take(&mut self.run);
        if count > 0 {
            *self.counts.entry(minute).or_insert(0) += count;
        }
    }

    pub(super) fn histogram(mut self) -> Histogram {
        self.end_run();
        // DuckDB's is NULL where there is nothing to count.
        if self.counts.is_empty() {
            Histogram::default()
        } else {
            Histogram::of_minutes(self.counts.into_iter())
        }
    }
}

impl Histogram {
    /// The SQL that counts the events of which a column says that they match, by the minute.
    pub(super) fn aggregate(matches: &str) -> String {
        format!("histogram(CASE WHEN {matches} THEN TRY_CAST(\"time\" AS BIGINT) // 60000 END)")
    }

    /// Reads what it yields.
    pub(super) fn of_aggregate(value: &Value) -> Self {
        let Value::Map(counts) = value else { return Self::default() };
        Self::of_minutes(counts.iter().filter_map(|(minute, count)| match (minute, count) {
            (Value::BigInt(minute), Value::UBigInt(count)) => Some((*minute, *count)),
            _ => None,
        }))
    }

    /// Of times in milliseconds since 1970.
    pub(super) fn of_times(times: impl Iterator<Item = i64>) -> Self {
        Self::of_minutes(times.map(|time| (time.div_euclid(60_000), 1)))
    }

    fn of_minutes(counts: impl Iterator<Item = (i64, u64)>) -> Self {
        let mut minutes = BTreeMap::new();
        for (minute, count) in counts {
            *minutes.entry(minute).or_insert(0) += count;
        }
        let histogram = Self { minutes: 1, counts: minutes };
        let span = histogram.span();
        let fitting = WIDTHS.into_iter().find(|width| span / width < STEPS);
        histogram.coarser(fitting.unwrap_or((span / STEPS / 1440 + 1) * 1440))
    }

    /// Steps from the first that holds matches to the last, both included.
    #[must_use]
    pub fn span(&self) -> i64 {
        match (self.counts.first_key_value(), self.counts.last_key_value()) {
            (Some((first, _)), Some((last, _))) => last.saturating_sub(*first).saturating_add(1),
            _ => 0,
        }
    }

    /// The same with steps `times` as wide.
    #[must_use]
    pub fn coarser(&self, times: i64) -> Self {
        let times = times.max(1);
        let mut counts = BTreeMap::new();
        for (step, count) in &self.counts {
            *counts.entry(step.div_euclid(times)).or_insert(0) += count;
        }
        Self { minutes: self.minutes.saturating_mul(times), counts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_by_minute_hour_or_day_as_their_spread_asks() {
        let minute = 60_000;
        let near = Histogram::of_times([0, 1, minute, 3 * minute].into_iter());
        assert_eq!((near.minutes, near.counts), (1, BTreeMap::from([(0, 2), (1, 1), (3, 1)])));
        let days = Histogram::of_times([0, 100 * 1440 * minute].into_iter());
        assert_eq!((days.minutes, days.counts), (60, BTreeMap::from([(0, 1), (2400, 1)])));
        let years = Histogram::of_times([0, 4000 * 1440 * minute].into_iter());
        assert_eq!((years.minutes, years.span()), (1440, 4001));
    }

    #[test]
    fn coarser_steps_hold_the_same_matches() {
        let fine = Histogram::of_times((0..100).map(|n| n * 60_000));
        let coarse = fine.coarser(7);
        assert_eq!((coarse.minutes, coarse.counts.len()), (7, 15));
        assert_eq!(coarse.counts.values().sum::<u64>(), 100);
    }
}
