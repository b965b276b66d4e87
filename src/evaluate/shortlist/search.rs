//! The values of a column, each searched once for all literals that are sought there, and told from one another.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::formula::AtomId;
use super::literals::Literals;
use super::need::{SoughtIn, coarse_into};
use crate::sigma::TextMatch;

/// Values that are remembered at most, a power of two.
const SLOTS: usize = 8192;

/// Bytes of values that are remembered at most: what repeats is short, as a rule.
const REMEMBERED: usize = 8 << 20;

/// Bytes of a value from which on it is not remembered.
const LONG: usize = 4096;

/// A column's literals, and what was found in the values last seen.
#[derive(Debug)]
pub(crate) struct ColumnSearch {
    /// `None` where nothing is sought.
    literals: Option<Literals>,
    /// For each literal: where it has to stand, for which atom.
    targets: Vec<(String, Vec<(TextMatch, AtomId)>)>,
    slots: Vec<Option<Remembered>>,
    /// Bytes of values, and how many there may be.
    remembered: usize,
    limit: usize,
    /// The number of the value last seen for the first time.
    last: u64,
    folded: String,
    found: Vec<AtomId>,
}

/// What is known of a value.
pub(crate) struct Seen<'a> {
    /// A number of its own, from 1. A value that has been forgotten has another one when it comes again.
    pub(crate) number: u64,
    /// The atoms that it holds, each once.
    pub(crate) atoms: &'a [AtomId],
    /// Whether it holds them by DuckDB's measure as well: of ASCII, the coarse folding is DuckDB's own.
    pub(crate) surely: bool,
}

#[derive(Debug)]
struct Remembered {
    value: Box<str>,
    atoms: Box<[AtomId]>,
    number: u64,
}

impl ColumnSearch {
    /// Of a column in which nothing may be sought; `None` where more is sought than an automaton takes.
    pub(crate) fn new(sought: Option<&SoughtIn>) -> Option<Self> {
        Self::remembering(sought, REMEMBERED)
    }

    /// One that remembers values of `limit` bytes in all.
    pub(crate) fn remembering(sought: Option<&SoughtIn>, limit: usize) -> Option<Self> {
        let literals = match sought {
            Some(sought) => Some(Literals::new(sought.literals.keys().map(String::as_str))?),
            None => None,
        };
        let targets = sought.into_iter().flat_map(|sought| sought.literals.clone()).collect();
        Some(Self {
            literals,
            targets,
            slots: Vec::new(),
            remembered: 0,
            limit,
            last: 0,
            folded: String::new(),
            found: Vec::new(),
        })
    }

    /// Whether anything is sought.
    pub(crate) fn seeks(&self) -> bool {
        self.literals.is_some()
    }

    pub(crate) fn look(&mut self, value: &str) -> Seen<'_> {
        let surely = value.is_ascii();
        if value.len() >= LONG {
            self.search(value);
            return Seen { number: self.next(), atoms: &self.found, surely };
        }
        let at = slot_of(value);
        let known = matches!(self.slots.get(at), Some(Some(slot)) if *slot.value == *value);
        if !known {
            self.search(value);
            let number = self.next();
            if !self.remember(at, value, number) {
                return Seen { number, atoms: &self.found, surely };
            }
        }
        let slot = self.slots.get(at).and_then(Option::as_ref);
        let (number, atoms) = slot.map_or((0, &[][..]), |slot| (slot.number, &slot.atoms));
        Seen { number, atoms, surely }
    }

    fn next(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn search(&mut self, value: &str) {
        self.found.clear();
        let Some(literals) = &mut self.literals else { return };
        coarse_into(value, &mut self.folded);
        let text = self.folded.as_str();
        for (literal, targets) in literals.of(text).filter_map(|at| self.targets.get(at)) {
            for (position, atom) in targets {
                let stands = match position {
                    TextMatch::Equals => text == literal,
                    TextMatch::Contains => true,
                    TextMatch::StartsWith => text.starts_with(literal),
                    TextMatch::EndsWith => text.ends_with(literal),
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
    fn remember(&mut self, at: usize, value: &str, number: u64) -> bool {
        if self.slots.is_empty() {
            self.slots.resize_with(SLOTS, || None);
        }
        let Some(slot) = self.slots.get_mut(at) else { return false };
        let freed = slot.as_ref().map_or(0, Remembered::bytes);
        let new = value.len() + size_of_val(self.found.as_slice());
        if self.remembered - freed + new > self.limit {
            return false;
        }
        self.remembered = self.remembered - freed + new;
        *slot = Some(Remembered { value: value.into(), atoms: self.found.as_slice().into(), number });
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
