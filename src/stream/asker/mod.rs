//! Plans asked of one event after the other, each event of all of them at once.
//!
//! What comes out is what [`Interpreter`](crate::backend::interpreter::Interpreter) says of each plan by itself.

mod build;
mod ready;
mod room;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;

use std::collections::BTreeMap;

use super::columns::Slot;
use super::event::{self, Clash, LiveEvent, Rejected};
use super::reading::{self, Seen};
use super::values::Values;
use crate::backend::interpreter::{Field, RegexRefused, Value};
use crate::bridge::{ColumnType, Plan};
use crate::evaluate::shorten;
use crate::ocsf::{ClassUid, OCSF_VERSION, OcsfPath};
use ready::{Parts, Ready};
use room::Room;

/// Where an event has its id, the first that is text; the batch backends look there too.
const IDS: [&str; 2] = ["metadata.event_id", "metadata.uid"];

/// Where it has its host.
const HOSTS: [&str; 2] = ["device.hostname", "device.name"];

/// Plans to be asked, each called by its number.
#[derive(Debug, Default)]
pub(super) struct Plans {
    parts: Parts,
    ready: Vec<Ready>,
}

impl Plans {
    /// Adds all of these plans, which take the next numbers, or none.
    ///
    /// # Errors
    /// A regular expression is none, or takes too much memory.
    pub(super) fn add<'p>(&mut self, plans: impl IntoIterator<Item = &'p Plan>) -> Result<(), RegexRefused> {
        let ready = plans.into_iter().map(|plan| self.parts.ready(plan)).collect::<Result<Vec<_>, _>>()?;
        self.ready.extend(ready);
        Ok(())
    }

    /// Columns that are looked at besides.
    pub(super) fn expect<'c>(&mut self, columns: impl IntoIterator<Item = (&'c OcsfPath, &'c ColumnType)>) {
        for (path, column) in columns {
            self.parts.columns.expect(path, *column);
        }
    }
}

/// Plans, and the event at hand.
#[derive(Debug)]
pub(super) struct Asker {
    parts: Parts,
    rooms: BTreeMap<ClassUid, Room>,
    values: Values,
    seen: Seen,
    own: Own,
}

/// What is looked at of every event.
#[derive(Debug)]
struct Own {
    class: Slot,
    time: Slot,
    version: Slot,
    ids: [Slot; 2],
    hosts: [Slot; 2],
}

impl Asker {
    pub(super) fn new(plans: Plans) -> Self {
        let Plans { mut parts, ready } = plans;
        let mut by_class: BTreeMap<ClassUid, Vec<(usize, &Ready)>> = BTreeMap::new();
        for (number, plan) in ready.iter().enumerate() {
            for class in &plan.class_uids {
                let of_class = by_class.entry(*class).or_default();
                // A class that is named twice is one.
                if of_class.last().is_none_or(|(last, _)| *last != number) {
                    of_class.push((number, plan));
                }
            }
        }
        let rooms = by_class
            .into_iter()
            .map(|(class, plans)| (class, build::room(class, &plans, &mut parts)))
            .collect();
        let mut slot = |path| parts.columns.slot(path);
        let own = Own {
            class: slot("class_uid"),
            time: slot("time"),
            version: slot("metadata.version"),
            ids: IDS.map(&mut slot),
            hosts: HOSTS.map(&mut slot),
        };
        let values = Values::new(parts.columns.len());
        let seen = Seen::new(&parts.columns);
        Self { parts, rooms, values, seen, own }
    }

    /// Takes the event of a line.
    ///
    /// # Errors
    /// The line is no OCSF event, or one of another version than plans are made for.
    pub(super) fn read(&mut self, line: &[u8]) -> Result<(), Rejected> {
        reading::read(line, &self.parts.columns, &mut self.seen, &mut self.values)?;
        if self.class().is_none() {
            return Err(Rejected::NoClass);
        }
        match self.values.get(self.own.version) {
            Field::One(None) => Ok(()),
            Field::One(Some(Value::Text(version))) if version == OCSF_VERSION => Ok(()),
            other => Err(Rejected::Version(event::stated(other))),
        }
    }

    fn class(&self) -> Option<ClassUid> {
        u32::try_from(self.values.integer(self.own.class)?).ok().map(ClassUid)
    }

    /// Its `time`, milliseconds since 1970, UTC.
    pub(super) fn time(&self) -> Option<i64> {
        self.values.integer(self.own.time).and_then(|time| i64::try_from(time).ok())
    }

    /// Its id; `line:<number>` where it says none.
    pub(super) fn id(&self, number: u64) -> String {
        let stated = self.own.ids.iter().find_map(|slot| self.values.text(*slot));
        stated.map_or_else(|| format!("line:{number}"), str::to_owned)
    }

    /// Its host.
    pub(super) fn host(&self) -> Option<String> {
        let stated = self.own.hosts.iter().find_map(|slot| self.values.text(*slot));
        stated.map(|host| shorten(host.to_owned()))
    }

    /// The event with what rules look at, as correlations take it.
    pub(super) fn live(&self, number: u64) -> LiveEvent {
        let event = self.values.event(&self.parts.columns);
        LiveEvent { id: self.id(number), time: self.time(), host: self.host(), event }
    }

    /// What is of another type in it than some plan counts on.
    pub(super) fn clashes(&self) -> Vec<(Clash, Field)> {
        let clash = |slot: &Slot| {
            let field = self.values.get(*slot);
            let unmet =
                self.parts.columns.types(*slot).iter().find(|expected| !event::fits(field, **expected))?;
            let path = OcsfPath(self.parts.columns.path(*slot).to_string());
            Some((Clash::new(path, field, *unmet), field.clone()))
        };
        self.values.filled().iter().filter_map(clash).collect()
    }

    /// The plans that the event matches, by route and then by number. With `clashes` each plan of its routes is asked by
    /// itself, and only where `suits` says so of it.
    pub(super) fn matched(
        &mut self,
        clashes: bool,
        suits: &mut dyn FnMut(usize) -> bool,
        matched: &mut Vec<usize>,
    ) {
        matched.clear();
        if let Some(room) = self.class().and_then(|class| self.rooms.get_mut(&class)) {
            room.matched(&self.parts, &mut self.values, !clashes, suits, matched);
        }
    }
}
