//! Plans over a store: counts for many rules, rows for one.

use crate::ocsf::OcsfPath;

/// What a rule matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Events that match.
    pub matches: u64,
    /// The earliest `time` among them, milliseconds since 1970, UTC.
    pub first_seen: Option<i64>,
    /// The latest.
    pub last_seen: Option<i64>,
}

/// Matches of one rule, as a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MatchTable {
    /// How many there are in all, and when.
    pub summary: Summary,
    /// Events in the rule's routed scope.
    pub in_scope: u64,
    /// The columns after time and event id: those that the rule uses.
    pub columns: Vec<OcsfPath>,
    /// Rows by time, then event id; at most as many as were asked for.
    pub rows: Vec<MatchRow>,
    /// Columns of the plan that the dataset does not have.
    pub absent: Vec<OcsfPath>,
}

/// One matching event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchRow {
    /// Its id.
    pub event_id: String,
    /// Its `time`, milliseconds since 1970, UTC.
    pub time: Option<i64>,
    /// Its host: `device.hostname`, else `device.name`.
    pub host: Option<String>,
    /// The values of the columns, as text; `None` for NULL.
    pub values: Vec<Option<String>>,
}
