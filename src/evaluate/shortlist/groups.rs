//! Events that agree in all columns that a rule reads: what it says of one, it says of all.

use std::collections::HashMap;

use super::SHAPE_LIMIT;
use crate::store::RowId;

/// Events of which a group remembers where they lie; of a larger one only their number is told.
pub(super) const KEPT: u64 = 4096;

/// Bytes of the groups of all shapes of a reading, about.
const OF_GROUPS: usize = 96 << 20;

/// Bytes that a group takes besides what tells it from others, and where its events lie, about.
const OVERHEAD: usize = 128;

/// What is left of the memory for the groups of all shapes. Once it is used up there are no further groups, and of those that
/// there are only the number of events is told.
#[derive(Debug)]
pub(super) struct Room {
    left: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { left: OF_GROUPS }
    }
}

impl Room {
    #[cfg(test)]
    pub(super) fn of(left: usize) -> Self {
        Self { left }
    }

    fn take(&mut self, bytes: usize) -> bool {
        let left = self.left.checked_sub(bytes);
        self.left = left.unwrap_or(0);
        left.is_some()
    }
}

/// Columns, and the events that agree in all of them. Rules that read the same columns share one.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Places among the columns of the reading, ascending.
    pub(super) columns: Vec<usize>,
    by_key: HashMap<Box<[u64]>, u32>,
    pub(super) groups: Vec<Group>,
    /// What the event last looked at has in the columns.
    pub(super) key: Vec<u64>,
    /// The event last looked at.
    pub(super) event: u64,
    /// Its group, and whether it is the first of it; `None` where there is no room for another.
    pub(super) found: Option<(u32, bool)>,
}

/// Events that are alike to some rules.
#[derive(Debug)]
pub(super) struct Group {
    /// Which of the events that are held stands for them.
    pub(super) place: u32,
    pub(super) count: u64,
    pub(super) first: Option<i64>,
    pub(super) last: Option<i64>,
    /// Where they lie: all of them, or the first ones.
    rows: Vec<RowId>,
}

impl Shape {
    pub(super) fn new(columns: Vec<usize>) -> Self {
        Self { columns, ..Self::default() }
    }

    /// Finds the group of the event whose key is set, or makes it, with the event at `place`, where there is room.
    pub(super) fn enter(&mut self, event: u64, place: Option<u32>, room: &mut Room) {
        self.event = event;
        if let Some(group) = self.by_key.get(self.key.as_slice()) {
            self.found = Some((*group, false));
            return;
        }
        let bytes = OVERHEAD + size_of_val(self.key.as_slice());
        let next = u32::try_from(self.groups.len()).ok().filter(|_| self.groups.len() < SHAPE_LIMIT);
        let next = place.zip(next).filter(|_| room.take(bytes));
        self.found = next.map(|(_, group)| (group, true));
        let Some((place, group)) = next else { return };
        self.by_key.insert(self.key.as_slice().into(), group);
        self.groups.push(Group { place, count: 0, first: None, last: None, rows: Vec::new() });
    }

    /// The group of the event last looked at.
    pub(super) fn current(&mut self) -> Option<&mut Group> {
        let (group, _) = self.found?;
        self.groups.get_mut(usize::try_from(group).ok()?)
    }
}

impl Group {
    /// Another event of the group.
    pub(super) fn add(&mut self, id: RowId, time: Option<i64>, room: &mut Room) {
        let has_all = self.rows().is_some();
        self.count += 1;
        self.first = [self.first, time].into_iter().flatten().min();
        self.last = self.last.max(time);
        if has_all && self.count <= KEPT && room.take(size_of::<RowId>()) {
            self.rows.push(id);
        }
    }

    /// Where its events lie, if that is known of all.
    pub(super) fn rows(&self) -> Option<&[RowId]> {
        (self.rows.len() as u64 == self.count).then_some(&self.rows)
    }
}
