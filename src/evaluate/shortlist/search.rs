//! The values of a column, each searched once for all literals that are sought there.

use std::hash::{DefaultHasher, Hash, Hasher};

use aho_corasick::{AhoCorasick, BuildError};

use super::formula::AtomId;
use super::need::{SoughtIn, coarse_into};
use crate::sigma::TextMatch;

/// Values that are remembered at most, a power of two.
const SLOTS: usize = 8192;

/// Bytes of values that are remembered at most: what repeats is short, as a rule.
const REMEMBERED: usize = 8 << 20;

/// A column's literals, and what was found in the values last seen.
#[derive(Debug)]
pub(crate) struct ColumnSearch {
    automaton: AhoCorasick,
    /// By the automaton's pattern: where it has to stand, for which atom.
    targets: Vec<Vec<(TextMatch, AtomId)>>,
    /// None before the first value.
    slots: Vec<Option<Remembered>>,
    /// Bytes of values, and how many there may be.
    remembered: usize,
    limit: usize,
    folded: String,
    found: Vec<AtomId>,
}

#[derive(Debug)]
struct Remembered {
    value: Box<str>,
    atoms: Box<[AtomId]>,
}

impl ColumnSearch {
    pub(crate) fn new(sought: &SoughtIn) -> Result<Self, BuildError> {
        Self::remembering(sought, REMEMBERED)
    }

    /// One that remembers values of `limit` bytes in all.
    pub(crate) fn remembering(sought: &SoughtIn, limit: usize) -> Result<Self, BuildError> {
        Ok(Self {
            automaton: AhoCorasick::new(sought.literals.keys())?,
            targets: sought.literals.values().cloned().collect(),
            slots: Vec::new(),
            remembered: 0,
            limit,
            folded: String::new(),
            found: Vec::new(),
        })
    }

    /// The atoms that `value` holds, each at least once.
    pub(crate) fn atoms(&mut self, value: &str) -> &[AtomId] {
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, || None);
        }
        let at = slot_of(value);
        let known = matches!(self.slots.get(at), Some(Some(slot)) if *slot.value == *value);
        if !known {
            self.search(value);
            if !self.remember(at, value) {
                return &self.found;
            }
        }
        self.slots.get(at).and_then(Option::as_ref).map_or(&[], |slot| &slot.atoms)
    }

    fn search(&mut self, value: &str) {
        coarse_into(value, &mut self.folded);
        self.found.clear();
        let end = self.folded.len();
        for found in self.automaton.find_overlapping_iter(&self.folded) {
            let Some(targets) = self.targets.get(found.pattern().as_usize()) else { continue };
            for (position, atom) in targets {
                let stands = match position {
                    TextMatch::Equals => found.start() == 0 && found.end() == end,
                    TextMatch::Contains => true,
                    TextMatch::StartsWith => found.start() == 0,
                    TextMatch::EndsWith => found.end() == end,
                };
                if stands {
                    self.found.push(*atom);
                }
            }
        }
        self.found.sort_unstable();
        self.found.dedup();
    }

    /// Puts what was found in the slot; false where there is no room.
    fn remember(&mut self, at: usize, value: &str) -> bool {
        let Some(slot) = self.slots.get_mut(at) else { return false };
        let freed = slot.as_ref().map_or(0, Remembered::bytes);
        let new = value.len() + size_of_val(self.found.as_slice());
        if self.remembered - freed + new > self.limit {
            return false;
        }
        self.remembered = self.remembered - freed + new;
        *slot = Some(Remembered { value: value.into(), atoms: self.found.as_slice().into() });
        true
    }
}

impl Remembered {
    fn bytes(&self) -> usize {
        self.value.len() + size_of_val(&*self.atoms)
    }
}

fn slot_of(value: &str) -> usize {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    // The remainder is below SLOTS, so that nothing is cut off.
    (hasher.finish() % SLOTS as u64) as usize
}
