//! Which of many rows are asked for, and in what order.

/// A stretch of the rows in an order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slice {
    /// What they are sorted by.
    pub order: Order,
    /// How many come before it.
    pub first: usize,
    /// The most that it holds.
    pub limit: usize,
}

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// The column.
    pub key: SortKey,
    /// Whether the greatest come first. What is NULL comes last either way.
    pub descending: bool,
}

/// A column of a table of matches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortKey {
    /// `time`
    #[default]
    Time,
    /// The host.
    Host,
    /// One of the columns that the rule shows, from 0.
    Column(usize),
    /// The event id.
    EventId,
}

impl Slice {
    /// The first `limit` rows by time.
    #[must_use]
    pub fn first(limit: usize) -> Self {
        Self { limit, ..Self::default() }
    }

    /// The same of `rows` rows: the last full stretch where it would begin behind them.
    #[must_use]
    pub(super) fn within(self, rows: u64) -> Self {
        let rows = usize::try_from(rows).unwrap_or(usize::MAX);
        let first = if self.first < rows { self.first } else { rows.saturating_sub(self.limit) };
        Self { first, limit: self.limit.min(rows - first), ..self }
    }
}

impl SortKey {
    /// The key so many columns on, of a table with `columns` besides time, host and event id; around the end.
    #[must_use]
    pub fn step(self, by: usize, columns: usize) -> Self {
        let at = match self {
            Self::Time => 0,
            Self::Host => 1,
            Self::Column(at) => 2 + at,
            Self::EventId => 2 + columns,
        };
        match (at + by) % (columns + 3) {
            0 => Self::Time,
            1 => Self::Host,
            at if at == columns + 2 => Self::EventId,
            at => Self::Column(at - 2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_around_all_columns() {
        let mut key = SortKey::Time;
        let mut seen = Vec::new();
        for _ in 0..5 {
            seen.push(key);
            key = key.step(1, 2);
        }
        use SortKey::{Column, EventId, Host, Time};
        assert_eq!(seen, [Time, Host, Column(0), Column(1), EventId]);
        assert_eq!(key, Time);
    }

    #[test]
    fn a_slice_stays_among_the_rows() {
        let slice = |first, limit| Slice { first, limit, ..Slice::default() };
        assert_eq!(slice(10, 5).within(12), slice(10, 2));
        assert_eq!(slice(90, 5).within(12), slice(7, 5));
        assert_eq!(slice(90, 5).within(0), slice(0, 0));
    }
}
