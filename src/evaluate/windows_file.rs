//! Windows as records of a file: what they are grouped by, when they were, and their events.

use serde_json::Value;

use super::windows::in_order;
use super::{Order, Window, window_name};
use crate::bridge::CorrelationPlan;

/// What stands before the name of a key, so that none clashes with the other columns.
const KEY: &str = "group_by.";

/// The columns of windows, each with its type in DuckDB.
pub(super) fn columns(plan: &CorrelationPlan) -> Vec<(String, String)> {
    let keys = plan.steps.last().map_or(&[][..], |step| &step.keys).iter();
    let keys = keys.map(|key| (format!("{KEY}{}", key.name.0), "VARCHAR"));
    let others =
        [("first_seen", "BIGINT"), ("last_seen", "BIGINT"), ("events", "BIGINT"), ("event_ids", "VARCHAR[]")];
    let others = others.map(|(name, kind)| (name.to_owned(), kind));
    keys.chain(others).map(|(name, kind)| (name, kind.to_owned())).collect()
}

/// The windows that are written: in their order, as many as are wanted.
pub(super) fn written(windows: &[Window], order: Order, limit: Option<usize>) -> Vec<&Window> {
    let mut sorted = in_order(windows, order);
    sorted.truncate(limit.unwrap_or(usize::MAX));
    sorted
}

/// The values of those columns; times are milliseconds since 1970, UTC.
pub(super) fn values(window: &Window) -> Vec<Value> {
    let keys = window.group.iter().map(|value| value.as_deref().map_or(Value::Null, Value::from));
    let others = [
        window.first_seen.into(),
        window.last_seen.into(),
        window.event_ids.len().into(),
        window.event_ids.clone().into(),
    ];
    keys.chain(others).collect()
}

/// The same as texts of a CSV record, times by `time`; what `inert` does keeps a spreadsheet from running them.
pub(super) fn texts(
    window: &Window,
    time: impl Fn(Option<i64>) -> String,
    inert: impl Fn(String) -> String,
) -> Vec<String> {
    let keys = window.group.iter().map(|value| inert(value.clone().unwrap_or_default()));
    let others = [
        time(Some(window.first_seen)),
        time(Some(window.last_seen)),
        window.event_ids.len().to_string(),
        inert(window_name(window)),
    ];
    keys.chain(others).collect()
}
