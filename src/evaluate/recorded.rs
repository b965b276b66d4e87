//! Statements as plans record them, with the columns they count on: what a bundle runs, and what an auditor runs anew.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{EvalError, check_types};
use super::matches::shorten;
use super::{Cancel, Window, host, windows};
use crate::bridge::ColumnType;
use crate::ocsf::OcsfPath;
use crate::store::Store;
use crate::store::sql_text::string;

/// Event ids that are written into one statement.
const LISTED: usize = 50_000;

/// An event that a rule matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchedEvent {
    /// Its id.
    pub event_id: String,
    /// Its `time`, milliseconds since 1970, UTC.
    pub time: Option<i64>,
    /// Its host: `device.hostname`, else `device.name`.
    pub host: Option<String>,
}

/// A window in which a correlation fires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchedWindow {
    /// The window.
    pub window: Window,
    /// The host of its first event, by time (those without one last) and then id.
    pub host: Option<String>,
}

/// Every event that the statement of an event rule yields, by time (those without one last) and then id.
///
/// # Errors
/// The dataset has a column as another type; DuckDB refuses or fails; nobody waits any more.
pub fn recorded_events(
    store: &mut Store,
    columns: &BTreeMap<OcsfPath, ColumnType>,
    statement: &str,
    cancel: &Cancel,
) -> Result<Vec<MatchedEvent>, EvalError> {
    check_types(store, columns)?;
    let (matched, hosts) = store.narrowed(columns, |store| -> Result<_, EvalError> {
        let matched: Vec<(String, Option<i64>)> =
            store.select(statement, cancel, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let hosts = match matched.is_empty() {
            true => BTreeMap::new(),
            false => hosts(store, &named_by(statement, "\"metadata.event_id\""), cancel)?,
        };
        Ok((matched, hosts))
    })?;
    Ok(with_hosts(matched, &hosts))
}

/// Events whose ids and times are known, each list as [`recorded_events`] gives it: one reading finds all the hosts.
///
/// # Errors
/// DuckDB fails; nobody waits any more.
pub fn known_events(
    store: &mut Store,
    matched: Vec<Vec<(String, Option<i64>)>>,
    cancel: &Cancel,
) -> Result<Vec<Vec<MatchedEvent>>, EvalError> {
    let ids: BTreeSet<&str> = matched.iter().flatten().map(|(event_id, _)| event_id.as_str()).collect();
    let ids: Vec<String> = ids.into_iter().map(string).collect();
    let mut found = BTreeMap::new();
    for listed in ids.chunks(LISTED) {
        let listed = listed.join(", ");
        found.extend(store.narrowed(&BTreeMap::new(), |store| hosts(store, &listed, cancel))?);
    }
    Ok(matched.into_iter().map(|matched| with_hosts(matched, &found)).collect())
}

fn with_hosts(matched: Vec<(String, Option<i64>)>, hosts: &BTreeMap<String, Seen>) -> Vec<MatchedEvent> {
    let with_host = |(event_id, time): (String, Option<i64>)| MatchedEvent {
        host: hosts.get(&event_id).and_then(|seen| seen.host.clone()),
        event_id,
        time,
    };
    let mut events: Vec<MatchedEvent> = matched.into_iter().map(with_host).collect();
    events.sort_unstable_by(|one, other| {
        let key = |event: &MatchedEvent| (event.time.is_none(), event.time);
        key(one).cmp(&key(other)).then_with(|| one.event_id.cmp(&other.event_id))
    });
    events
}

/// Every window that the statement of a correlation yields, grouped by `keys` values; by the time of its first event,
/// then of its last, then its ids.
///
/// # Errors
/// As for [`recorded_events`].
pub fn recorded_windows(
    store: &mut Store,
    columns: &BTreeMap<OcsfPath, ColumnType>,
    keys: usize,
    statement: &str,
    cancel: &Cancel,
) -> Result<Vec<MatchedWindow>, EvalError> {
    let mut found = windows::of_statement(store, columns, keys, statement, cancel)?;
    found.sort_unstable_by(|one, other| {
        let key = |window: &Window| (window.first_seen, window.last_seen);
        key(one)
            .cmp(&key(other))
            .then_with(|| one.event_ids.cmp(&other.event_ids))
            .then_with(|| one.group.cmp(&other.group))
    });
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let hosts =
        store.narrowed(columns, |store| hosts(store, &named_by(statement, "unnest(event_ids)"), cancel))?;
    let with_host = |window: Window| {
        let seen = window.event_ids.iter().filter_map(|id| Some((hosts.get(id)?, id)));
        let first = seen.min_by_key(|(seen, id)| (seen.time.is_none(), seen.time, *id));
        MatchedWindow { host: first.and_then(|(seen, _)| seen.host.clone()), window }
    };
    Ok(found.into_iter().map(with_host).collect())
}

/// When and where an event was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    time: Option<i64>,
    host: Option<String>,
}

/// The event ids that a statement names in `ids`, an expression over its columns, for the inside of an `IN (…)`.
fn named_by(statement: &str, ids: &str) -> String {
    // A recorded statement may come from anywhere: `query` takes it as one SELECT, whatever it says.
    format!("SELECT {ids} FROM query({})", string(statement))
}

/// Time and host of each event with one of the ids. Of events that share an id, the earliest counts.
fn hosts(store: &Store, ids: &str, cancel: &Cancel) -> Result<BTreeMap<String, Seen>, EvalError> {
    let host = host(store);
    let text = format!(
        "SELECT \"metadata.event_id\", \"time\", {host} FROM ocsf_events WHERE \"metadata.event_id\" IN ({ids})"
    );
    let mut rows: Vec<(String, Seen)> = store.select(&text, cancel, |row| {
        let host = row.get::<_, Option<String>>(2)?.map(shorten);
        Ok((row.get(0)?, Seen { time: row.get(1)?, host }))
    })?;
    rows.sort_unstable_by(|(_, one), (_, other)| {
        let key = |seen: &Seen| (seen.time.is_none(), seen.time, seen.host.is_none());
        key(one).cmp(&key(other)).then_with(|| one.host.cmp(&other.host))
    });
    let mut hosts = BTreeMap::new();
    for (event_id, seen) in rows {
        hosts.entry(event_id).or_insert(seen);
    }
    Ok(hosts)
}
