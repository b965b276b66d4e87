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
            false => hosts(store, statement, "\"metadata.event_id\"", cancel)?,
        };
        Ok((matched, hosts))
    })?;
    Ok(located_events(matched, &hosts))
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
    let mut hosts = Hosts::new();
    for listed in ids.chunks(LISTED) {
        let condition = format!("\"metadata.event_id\" IN ({})", listed.join(", "));
        hosts.extend(
            store.narrowed(&BTreeMap::new(), |store| hosts_where(store, &condition, &|_| true, cancel))?,
        );
    }
    Ok(matched.into_iter().map(|matched| located_events(matched, &hosts)).collect())
}

/// Events of ids and times with their hosts, by time (those without one last) and then id.
pub(super) fn located_events(matched: Vec<(String, Option<i64>)>, hosts: &Hosts) -> Vec<MatchedEvent> {
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
    let found = in_order(windows::of_statement(store, columns, keys, statement, cancel)?);
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let hosts = store.narrowed(columns, |store| hosts(store, statement, "unnest(event_ids)", cancel))?;
    Ok(located_windows(found, &hosts))
}

/// Windows by the time of their first event, then of their last, then their ids.
pub(super) fn in_order(mut windows: Vec<Window>) -> Vec<Window> {
    windows.sort_unstable_by(|one, other| {
        let key = |window: &Window| (window.first_seen, window.last_seen);
        key(one)
            .cmp(&key(other))
            .then_with(|| one.event_ids.cmp(&other.event_ids))
            .then_with(|| one.group.cmp(&other.group))
    });
    windows
}

/// Windows with the hosts of their first events.
pub(super) fn located_windows(windows: Vec<Window>, hosts: &Hosts) -> Vec<MatchedWindow> {
    let with_host = |window: Window| {
        let seen = window.event_ids.iter().filter_map(|id| Some((hosts.get(id)?, id)));
        let first = seen.min_by_key(|(seen, id)| (seen.time.is_none(), seen.time, *id));
        MatchedWindow { host: first.and_then(|(seen, _)| seen.host.clone()), window }
    };
    windows.into_iter().map(with_host).collect()
}

/// When and where an event was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    time: Option<i64>,
    host: Option<String>,
}

/// Time and host of events, by id. Of events that share an id, the earliest counts.
pub(super) type Hosts = BTreeMap<String, Seen>;

/// Of each event that a statement names in `ids`, an expression over its columns.
fn hosts(store: &Store, statement: &str, ids: &str, cancel: &Cancel) -> Result<Hosts, EvalError> {
    // A recorded statement may come from anywhere: `query` takes it as one SELECT, whatever it says.
    let named = format!("\"metadata.event_id\" IN (SELECT {ids} FROM query({}))", string(statement));
    hosts_where(store, &named, &|_| true, cancel)
}

/// Of the events of these ids.
pub(super) fn places(store: &Store, ids: &BTreeSet<&str>, cancel: &Cancel) -> Result<Hosts, EvalError> {
    if ids.is_empty() {
        return Ok(Hosts::new());
    }
    hosts_where(store, "true", &|id| ids.contains(id), cancel)
}

fn hosts_where(
    store: &Store,
    condition: &str,
    wanted: &dyn Fn(&str) -> bool,
    cancel: &Cancel,
) -> Result<Hosts, EvalError> {
    let host = host(store);
    let text = format!("SELECT \"metadata.event_id\", \"time\", {host} FROM ocsf_events WHERE {condition}");
    let mut rows: Vec<(String, Seen)> = Vec::new();
    store.select(&text, cancel, |row| {
        let event_id: String = row.get(0)?;
        if wanted(&event_id) {
            let host = row.get::<_, Option<String>>(2)?.map(shorten);
            rows.push((event_id, Seen { time: row.get(1)?, host }));
        }
        Ok(())
    })?;
    rows.sort_unstable_by(|(_, one), (_, other)| {
        let key = |seen: &Seen| (seen.time.is_none(), seen.time, seen.host.is_none());
        key(one).cmp(&key(other)).then_with(|| one.host.cmp(&other.host))
    });
    let mut hosts = Hosts::new();
    for (event_id, seen) in rows {
        hosts.entry(event_id).or_insert(seen);
    }
    Ok(hosts)
}
