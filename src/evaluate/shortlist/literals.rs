//! The literals that stand in a text, of all that are sought in its column: one pass over it.
//!
//! A text often begins as the one before did, as contexts of scripts and command lines do. A pass goes on from where the
//! two part.

use aho_corasick::automaton::{Automaton, StateID};
use aho_corasick::dfa::DFA;
use aho_corasick::nfa::contiguous::NFA;
use aho_corasick::{Anchored, PatternID};

/// Bytes of literals up to which a table of all transitions may be made. It takes the square of the length of a literal
/// that repeats itself.
const TABLED: usize = 4096;

/// Bytes between two places of a text from which a pass can go on.
const STEP: usize = 256;

#[derive(Debug)]
pub(super) struct Literals {
    automaton: Transitions,
    start: StateID,
    pass: Pass,
}

#[derive(Debug)]
enum Transitions {
    Table(DFA),
    Links(NFA),
}

/// The last pass, as far as the next may need it.
#[derive(Debug, Default)]
struct Pass {
    text: Vec<u8>,
    /// One for the beginning of each step of the text.
    marks: Vec<Mark>,
    /// What stands in the text, by where it ends first.
    found: Vec<PatternID>,
    /// By literal.
    is_found: Vec<bool>,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    state: StateID,
    found: usize,
}

impl Literals {
    /// `None` where there are more than an automaton takes.
    pub(super) fn new<'l>(literals: impl ExactSizeIterator<Item = &'l str> + Clone) -> Option<Self> {
        let is_found = vec![false; literals.len()];
        let bytes: usize = literals.clone().map(str::len).sum();
        // What a prefilter looks for stands in nearly every text.
        let automaton = if bytes <= TABLED {
            Transitions::Table(DFA::builder().prefilter(false).build(literals).ok()?)
        } else {
            Transitions::Links(NFA::builder().prefilter(false).build(literals).ok()?)
        };
        let start = match &automaton {
            Transitions::Table(table) => table.start_state(Anchored::No),
            Transitions::Links(links) => links.start_state(Anchored::No),
        };
        Some(Self { automaton, start: start.ok()?, pass: Pass { is_found, ..Pass::default() } })
    }

    /// The places, among the literals, of those that stand in `text`, each once.
    pub(super) fn of(&mut self, text: &str) -> impl Iterator<Item = usize> {
        match &self.automaton {
            Transitions::Table(table) => self.pass.over(text.as_bytes(), table, self.start),
            Transitions::Links(links) => self.pass.over(text.as_bytes(), links, self.start),
        }
        self.pass.found.iter().map(|literal| literal.as_usize())
    }
}

impl Pass {
    fn over(&mut self, text: &[u8], automaton: &impl Automaton, start: StateID) {
        let mut state = self.back_to_where_it_parts_from(text).unwrap_or(start);
        let shared = self.marks.len() * STEP;
        let rest = text.get(shared..).unwrap_or_default();
        for step in rest.chunks(STEP) {
            self.marks.push(Mark { state, found: self.found.len() });
            for byte in step {
                state = automaton.next_state(Anchored::No, state, *byte);
                if automaton.is_special(state) && automaton.is_match(state) {
                    self.find(automaton, state);
                }
            }
        }
        self.text.truncate(shared);
        self.text.extend_from_slice(rest);
    }

    /// Forgets the steps from the first on that `text` does not share; the state that it began in.
    fn back_to_where_it_parts_from(&mut self, text: &[u8]) -> Option<StateID> {
        let steps = self.text.chunks_exact(STEP).zip(text.chunks_exact(STEP));
        let shared = steps.take_while(|(before, now)| before == now).count();
        // Where the text before ended with a step, none began after it.
        let shared = shared.min(self.marks.len().checked_sub(1)?);
        let mark = *self.marks.get(shared)?;
        self.marks.truncate(shared);
        for literal in self.found.drain(mark.found..) {
            self.is_found.get_mut(literal.as_usize()).into_iter().for_each(|is_found| *is_found = false);
        }
        Some(mark.state)
    }

    fn find(&mut self, automaton: &impl Automaton, state: StateID) {
        for at in 0..automaton.match_len(state) {
            let literal = automaton.match_pattern(state, at);
            if let Some(is_found @ false) = self.is_found.get_mut(literal.as_usize()) {
                *is_found = true;
                self.found.push(literal);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn found(literals: &mut Literals, text: &str) -> Vec<usize> {
        let mut found: Vec<_> = literals.of(text).collect();
        found.sort_unstable();
        found
    }

    fn standing(literals: &[String], text: &str) -> Vec<usize> {
        (0..literals.len()).filter(|at| text.contains(&literals[*at])).collect()
    }

    #[test]
    fn texts_that_share_a_beginning_are_told_apart() {
        let sought = ["start", "across", "end"].map(str::to_owned);
        let mut literals = Literals::new(sought.iter().map(String::as_str)).unwrap();
        let long = |head: &str, tail: &str| format!("{head}{}{tail}", "-".repeat(3 * STEP - head.len() - 3));
        let texts = [
            long("start", "across"),
            long("start", "acre"),
            long("start", "across"),
            long("start", "acr"),
            long("start", "acr"),
            format!("{}oss, and the end", long("start", "acr")),
            long("", "end"),
            "end".to_owned(),
            String::new(),
            long("start", "across"),
        ];
        for text in &texts {
            assert_eq!(found(&mut literals, text), standing(&sought, text), "{text}");
        }
    }

    /// Texts of few parts, so that they share beginnings, and many literals among which some hold others.
    fn texts() -> impl Strategy<Value = Vec<String>> {
        let part = prop_oneof!["[abé]{0,3}", "(ab){120,140}", "b{250,260}"];
        proptest::collection::vec(
            proptest::collection::vec(part, 0..4).prop_map(|parts| parts.concat()),
            1..8,
        )
    }

    proptest! {
        #[test]
        fn a_text_holds_what_it_holds_whatever_came_before(
            sought in proptest::collection::btree_set("[abé]{1,4}|(ab){100,130}", 1..60),
            texts in texts(),
            are_linked in any::<bool>(),
        ) {
            let filler = (0..if are_linked { 600 } else { 0 }).map(|n| format!("filler {n}"));
            let sought: BTreeSet<String> = sought.into_iter().chain(filler).collect();
            let sought: Vec<String> = sought.into_iter().collect();
            let mut literals = Literals::new(sought.iter().map(String::as_str)).unwrap();
            for text in texts.iter().chain(texts.iter().rev()) {
                prop_assert_eq!(found(&mut literals, text), standing(&sought, text));
            }
        }
    }
}
