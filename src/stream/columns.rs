//! What rules look at: columns and computed fields, each with a slot, and how the keys of a line lead there.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::bridge::ColumnType;
use crate::ocsf::OcsfPath;
use crate::pack::Computed;

/// Where a value of the event at hand is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Slot(pub(super) usize);

/// A path that some wanted path begins with, or is. Paths that no rule is about have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Node(pub(super) usize);

/// The columns and computed fields that rules look at.
#[derive(Debug)]
pub(super) struct Columns {
    slots: Vec<Wanted>,
    by_path: HashMap<Arc<str>, Slot>,
    computed: Vec<(Computed, Slot)>,
    nodes: Vec<Way>,
    by_way: HashMap<Box<str>, Node>,
}

/// A slot's path, and the types that rules count on there.
#[derive(Debug)]
struct Wanted {
    /// The text of the expression where it is computed.
    path: Arc<str>,
    types: BTreeSet<ColumnType>,
}

/// Where a key below a path leads, which may be dotted itself.
#[derive(Debug, Default)]
struct Way {
    path: Box<str>,
    slot: Option<Slot>,
    keys: HashMap<Box<str>, Node>,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            by_path: HashMap::new(),
            computed: Vec::new(),
            nodes: vec![Way::default()],
            by_way: HashMap::new(),
        }
    }
}

impl Columns {
    pub(super) const ROOT: Node = Node(0);

    /// The slot of a column.
    pub(super) fn slot(&mut self, path: &str) -> Slot {
        if let Some(slot) = self.by_path.get(path) {
            return *slot;
        }
        let path: Arc<str> = path.into();
        let slot = self.next(Arc::clone(&path));
        let node = self.way(&path);
        if let Some(way) = self.nodes.get_mut(node.0) {
            way.slot = Some(slot);
        }
        self.by_path.insert(path, slot);
        slot
    }

    /// The slot of a column whose values have to be of that type.
    pub(super) fn expect(&mut self, path: &OcsfPath, column: ColumnType) -> Slot {
        let slot = self.slot(path.as_str());
        if let Some(wanted) = self.slots.get_mut(slot.0) {
            wanted.types.insert(column);
        }
        slot
    }

    /// The slot of a computed field.
    pub(super) fn computed_slot(&mut self, computed: &Computed) -> Slot {
        if let Some((_, slot)) = self.computed.iter().find(|(known, _)| known == computed) {
            return *slot;
        }
        computed.scalar.columns().into_iter().for_each(|column| {
            self.slot(column.path.as_str());
        });
        let slot = self.next(computed.text.as_str().into());
        self.computed.push((computed.clone(), slot));
        slot
    }

    fn next(&mut self, path: Arc<str>) -> Slot {
        self.slots.push(Wanted { path, types: BTreeSet::new() });
        Slot(self.slots.len() - 1)
    }

    /// The node of a path, with all ways there: whole, and by each of the paths that it leads through.
    fn way(&mut self, path: &str) -> Node {
        let mut through = vec![(Self::ROOT, 0)];
        let ends = path.match_indices('.').map(|(dot, _)| dot).filter(|dot| *dot > 0).chain([path.len()]);
        for end in ends {
            let Some(prefix) = path.get(..end) else { continue };
            let node = match self.by_way.get(prefix) {
                Some(node) => *node,
                None => {
                    self.nodes.push(Way { path: prefix.into(), ..Way::default() });
                    let node = Node(self.nodes.len() - 1);
                    self.by_way.insert(prefix.into(), node);
                    node
                }
            };
            for (from, begin) in &through {
                if let (Some(way), Some(key)) = (self.nodes.get_mut(from.0), path.get(*begin..end)) {
                    way.keys.insert(key.into(), node);
                }
            }
            through.push((node, end + 1));
        }
        through.last().map_or(Self::ROOT, |(node, _)| *node)
    }

    /// Where `key` leads below a path; `None` where no rule looks.
    pub(super) fn below(&self, node: Node, key: &str) -> Option<Node> {
        self.nodes.get(node.0)?.keys.get(key).copied()
    }

    /// The slot of a path, where rules look at itself.
    pub(super) fn slot_at(&self, node: Node) -> Option<Slot> {
        self.nodes.get(node.0)?.slot
    }

    /// The path of a node.
    pub(super) fn path_at(&self, node: Node) -> &str {
        self.nodes.get(node.0).map_or("", |way| &way.path)
    }

    /// The nodes below a path, and its own.
    pub(super) fn all_below(&self, node: Node) -> BTreeSet<Node> {
        let mut found = BTreeSet::from([node]);
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            let below = self.nodes.get(node.0).into_iter().flat_map(|way| way.keys.values());
            open.extend(below.filter(|below| found.insert(**below)));
        }
        found
    }

    pub(super) fn path(&self, slot: Slot) -> Arc<str> {
        self.slots.get(slot.0).map_or_else(|| "".into(), |wanted| Arc::clone(&wanted.path))
    }

    /// The types that rules count on there.
    pub(super) fn types(&self, slot: Slot) -> &BTreeSet<ColumnType> {
        static NONE: BTreeSet<ColumnType> = BTreeSet::new();
        self.slots.get(slot.0).map_or(&NONE, |wanted| &wanted.types)
    }

    pub(super) fn by_path(&self, path: &str) -> Option<Slot> {
        self.by_path.get(path).copied()
    }

    /// All columns, by path.
    pub(super) fn columns(&self) -> impl Iterator<Item = (&str, Slot)> {
        self.by_path.iter().map(|(path, slot)| (&**path, *slot))
    }

    /// The expression of a slot, where it is computed.
    pub(super) fn computed(&self, slot: Slot) -> Option<&Computed> {
        self.computed.iter().find(|(_, of)| *of == slot).map(|(computed, _)| computed)
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn nodes(&self) -> usize {
        self.nodes.len()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn every_way_of_writing_a_path_leads_to_its_slot() {
        let mut columns = Columns::default();
        let slot = columns.slot("a.b.c");
        assert_eq!(columns.slot("a.b.c"), slot);
        for keys in [&["a.b.c"][..], &["a", "b.c"], &["a.b", "c"], &["a", "b", "c"]] {
            let node = keys.iter().try_fold(Columns::ROOT, |node, key| columns.below(node, key)).unwrap();
            assert_eq!(columns.slot_at(node), Some(slot), "{keys:?}");
        }
        assert!(columns.below(Columns::ROOT, "b").is_none() && columns.below(Columns::ROOT, "a.c").is_none());
    }
}
