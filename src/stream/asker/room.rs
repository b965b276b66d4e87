//! The rules of one class, asked of its events together.
//!
//! A route's filters, and a test that rules share, are asked once an event. Each value is searched once for all texts
//! that tests are about: that decides most tests by itself, and of the others those that cannot hold. Only rules are
//! asked of which the event holds something that they need.

use std::fmt::Write;
use std::ops::Range;

use super::super::columns::Slot;
use super::super::values::Values;
use super::ready::{FilterId, Parts, TestId};
use crate::backend::interpreter::{Event, Value};
use crate::evaluate::shortlist::formula::{AtomId, Need};
use crate::evaluate::shortlist::search::ColumnSearch;

/// The rules of one class.
#[derive(Debug)]
pub(super) struct Room {
    scopes: Vec<Scope>,
    /// In the order in which they are asked.
    rules: Vec<Rule>,
    tests: Vec<Tested>,
    computed: Vec<Slot>,
    /// `None` where texts cannot be searched for: then every rule is asked.
    searches: Option<Vec<(Slot, ColumnSearch)>>,
    /// By atom, the rules that are asked where an event holds it.
    by_atom: Vec<Box<[usize]>>,
    now: Now,
}

/// The rules of a route.
#[derive(Debug)]
pub(super) struct Scope {
    pub(super) filters: Vec<FilterId>,
    pub(super) rules: Range<usize>,
    /// Those of them that are asked of every event.
    pub(super) always: Vec<usize>,
}

/// A rule.
#[derive(Debug)]
pub(super) struct Rule {
    /// What it is called outside.
    pub(super) id: usize,
    pub(super) scope: usize,
    pub(super) formula: Formula,
}

/// What must hold, over the tests of the room.
#[derive(Debug)]
pub(super) enum Formula {
    All(Vec<Formula>),
    Any(Vec<Formula>),
    Not(Box<Formula>),
    Test(usize),
}

/// A test of fields.
#[derive(Debug)]
pub(super) struct Tested {
    pub(super) slots: Box<[Slot]>,
    /// Whether it has to hold of all of them, and not of any.
    pub(super) of_all: bool,
    pub(super) test: TestId,
    /// What an event must hold for it to hold.
    pub(super) need: Need,
    /// Whether it does hold then.
    pub(super) is_exact: bool,
}

/// What is known of the event at hand. What carries another number is of an earlier one.
#[derive(Debug)]
struct Now {
    event: u64,
    /// By atom, the last event that held it.
    held: Vec<u64>,
    /// By rule, the last event that it was asked about.
    asked: Vec<u64>,
    /// By test.
    tests: Vec<(u64, bool)>,
    /// By filter.
    filters: Vec<(u64, bool)>,
    /// By scope.
    in_scope: Vec<bool>,
    candidates: Vec<usize>,
    written: String,
}

impl Room {
    pub(super) fn new(
        scopes: Vec<Scope>,
        rules: Vec<Rule>,
        tests: Vec<Tested>,
        computed: Vec<Slot>,
        searches: Option<Vec<(Slot, ColumnSearch)>>,
        by_atom: Vec<Box<[usize]>>,
    ) -> Self {
        let now = Now {
            event: 0,
            held: vec![0; by_atom.len()],
            asked: vec![0; rules.len()],
            tests: vec![(0, false); tests.len()],
            filters: Vec::new(),
            in_scope: vec![false; scopes.len()],
            candidates: Vec::new(),
            written: String::new(),
        };
        Self { scopes, rules, tests, computed, searches, by_atom, now }
    }

    /// Calls `concerned` with each rule in whose scope the event is, and asks those for which it says so. The rules that
    /// the event matches, in order.
    pub(super) fn matched(
        &mut self,
        parts: &Parts,
        values: &mut Values,
        searched: bool,
        concerned: &mut dyn FnMut(usize) -> bool,
        matched: &mut Vec<usize>,
    ) {
        matched.clear();
        self.now.event += 1;
        if !self.route(parts, values) {
            return;
        }
        self.computed.iter().for_each(|slot| values.compute(&parts.columns, *slot));
        let searched = searched && !values.is_coarse() && self.search(values);
        if !searched {
            self.everyone(concerned);
        }
        let Self { rules, tests, now, .. } = self;
        let candidates = std::mem::take(&mut now.candidates);
        let mut asking = Asking { parts, values, tests, now, searched, whole: None };
        let rules = candidates.iter().filter_map(|place| rules.get(*place));
        matched.extend(rules.filter(|rule| asking.holds(&rule.formula)).map(|rule| rule.id));
        now.candidates = candidates;
    }

    /// Whether any scope holds the event.
    fn route(&mut self, parts: &Parts, values: &Values) -> bool {
        let Now { event, filters, in_scope, .. } = &mut self.now;
        filters.resize(parts.filters.len(), (0, false));
        let mut passes = |FilterId(at): &FilterId| {
            let (Some(known), Some((slot, filter))) = (filters.get_mut(*at), parts.filters.get(*at)) else {
                return false;
            };
            if known.0 != *event {
                *known = (*event, filter.passes(values.get(*slot)));
            }
            known.1
        };
        let mut any = false;
        for (scope, in_scope) in self.scopes.iter().zip(in_scope) {
            *in_scope = scope.filters.iter().all(&mut passes);
            any |= *in_scope;
        }
        any
    }

    /// All rules of the scopes that hold the event.
    fn everyone(&mut self, concerned: &mut dyn FnMut(usize) -> bool) {
        let Self { scopes, rules, now, .. } = self;
        let open = scopes.iter().zip(&now.in_scope).filter(|(_, in_scope)| **in_scope);
        let places = open.flat_map(|(scope, _)| scope.rules.clone());
        now.candidates.clear();
        let is_concerned = |place: &usize| rules.get(*place).is_some_and(|rule| concerned(rule.id));
        now.candidates.extend(places.filter(is_concerned));
    }

    /// Finds the rules that the event may match; false where that cannot be done.
    fn search(&mut self, values: &Values) -> bool {
        let Self { scopes, rules, searches: Some(searches), by_atom, now, .. } = self else { return false };
        now.candidates.clear();
        for (scope, in_scope) in scopes.iter().zip(&now.in_scope) {
            if *in_scope {
                now.candidates.extend(&scope.always);
            }
        }
        for (slot, search) in searches {
            for value in values.get(*slot).values() {
                now.written.clear();
                // Writing to a String cannot fail.
                let text = match value {
                    Value::Text(text) => text,
                    Value::Integer(number) => {
                        let _ = write!(now.written, "{number}");
                        &now.written
                    }
                    Value::Boolean(truth) => {
                        let _ = write!(now.written, "{truth}");
                        &now.written
                    }
                    Value::Float(_) => continue,
                };
                for AtomId(atom) in search.look(text).atoms {
                    let Some(held) = now.held.get_mut(*atom) else { continue };
                    if *held == now.event {
                        continue;
                    }
                    *held = now.event;
                    for place in by_atom.get(*atom).into_iter().flatten() {
                        let (Some(asked), Some(rule)) = (now.asked.get_mut(*place), rules.get(*place)) else {
                            continue;
                        };
                        if *asked != now.event && now.in_scope.get(rule.scope) == Some(&true) {
                            *asked = now.event;
                            now.candidates.push(*place);
                        }
                    }
                }
            }
        }
        now.candidates.sort_unstable();
        true
    }
}

/// Rules being asked of an event.
struct Asking<'r> {
    parts: &'r Parts,
    values: &'r Values,
    tests: &'r [Tested],
    now: &'r mut Now,
    /// Whether what an event holds is known.
    searched: bool,
    /// All of it, for tests that look at several fields.
    whole: Option<Event>,
}

impl Asking<'_> {
    fn holds(&mut self, formula: &Formula) -> bool {
        match formula {
            Formula::All(parts) => parts.iter().all(|part| self.holds(part)),
            Formula::Any(parts) => parts.iter().any(|part| self.holds(part)),
            Formula::Not(part) => !self.holds(part),
            Formula::Test(test) => self.test(*test),
        }
    }

    fn test(&mut self, place: usize) -> bool {
        let Some((event, holds)) = self.now.tests.get(place) else { return false };
        if *event == self.now.event {
            return *holds;
        }
        let holds = self.tests.get(place).is_some_and(|test| self.asked(test));
        if let Some(known) = self.now.tests.get_mut(place) {
            *known = (self.now.event, holds);
        }
        holds
    }

    fn asked(&mut self, tested: &Tested) -> bool {
        if self.searched {
            let is_met = tested
                .need
                .is_met(&|AtomId(atom)| self.now.held.get(atom) == Some(&self.now.event), &|_| false);
            if tested.is_exact || !is_met {
                return is_met;
            }
        }
        let Some(test) = self.parts.tests.get(tested.test.0) else { return false };
        let (values, none) = (self.values, Event::default());
        let whole = match test.looks_around() {
            true => &*self.whole.get_or_insert_with(|| values.event(&self.parts.columns)),
            false => &none,
        };
        let mut passes = tested.slots.iter().map(|slot| test.passes(self.values.get(*slot), whole));
        if tested.of_all { passes.all(|passes| passes) } else { passes.any(|passes| passes) }
    }
}
