//! A [`Room`] from the plans that look at its class.

use std::collections::{BTreeMap, HashMap};

use super::super::columns::Slot;
use super::ready::{Condition, Parts, Ready, TestId};
use super::room::{Formula, Room, Rule, Scope, Tested};
use crate::bridge::ir::{FieldExpr, Number, Test};
use crate::evaluate::shortlist::formula::{AtomId, Need, all, any};
use crate::evaluate::shortlist::need::{SoughtIn, coarse, text_need};
use crate::evaluate::shortlist::search::ColumnSearch;
use crate::ocsf::{ClassUid, FieldType};
use crate::sigma::TextMatch;

/// Bytes of values that are remembered of one column of one class at most.
const REMEMBERED: usize = 1 << 20;

/// What costs as much as looking into a text with a regular expression, where a test that is decided costs 1.
const DEAR: usize = 64;

struct Building<'p> {
    class: ClassUid,
    parts: &'p mut Parts,
    tests: Vec<Tested>,
    known: HashMap<(Box<[Slot]>, TestId), usize>,
    sought: BTreeMap<Slot, SoughtIn>,
    lengths: Vec<usize>,
    computed: Vec<Slot>,
}

/// The rules of `class`, each as it is called outside and its plan. Those of one route are asked together, where the
/// first of them stands.
pub(super) fn room(class: ClassUid, plans: &[(usize, &Ready)], parts: &mut Parts) -> Room {
    let mut routes: Vec<Vec<(usize, &Ready)>> = Vec::new();
    for (id, plan) in plans {
        let of_route = routes.iter_mut().find(|route| {
            let first = route.first().map(|(_, first)| (&first.class_uids, &first.filters));
            first == Some((&plan.class_uids, &plan.filters))
        });
        match of_route {
            Some(route) => route.push((*id, plan)),
            None => routes.push(vec![(*id, plan)]),
        }
    }
    let mut building = Building {
        class,
        parts,
        tests: Vec::new(),
        known: HashMap::new(),
        sought: BTreeMap::new(),
        lengths: Vec::new(),
        computed: Vec::new(),
    };
    let mut scopes = Vec::new();
    let mut rules = Vec::new();
    for route in routes {
        let begin = rules.len();
        let filters = route.first().map(|(_, plan)| plan.filters.clone()).unwrap_or_default();
        for (id, plan) in route {
            let formula = building.formula(&plan.condition);
            rules.push(Rule { id, scope: scopes.len(), formula });
        }
        scopes.push(Scope { filters, rules: begin..rules.len(), always: Vec::new() });
    }
    building.room(scopes, rules)
}

impl Building<'_> {
    fn room(self, mut scopes: Vec<Scope>, rules: Vec<Rule>) -> Room {
        let mut by_atom = vec![Vec::new(); self.lengths.len()];
        for (place, rule) in rules.iter().enumerate() {
            match need(&rule.formula, &self.tests).cover(&self.lengths) {
                Some((_, atoms)) => atoms.into_iter().for_each(|AtomId(atom)| {
                    if let Some(rules) = by_atom.get_mut(atom) {
                        rules.push(place);
                    }
                }),
                None => scopes.get_mut(rule.scope).into_iter().for_each(|scope| scope.always.push(place)),
            }
        }
        let searches = self
            .sought
            .iter()
            .map(|(slot, sought)| Some((*slot, ColumnSearch::remembering(Some(sought), REMEMBERED)?)));
        // More texts than an automaton takes: then every rule is asked of every event.
        let searches = searches.collect::<Option<Vec<_>>>();
        let by_atom = by_atom.into_iter().map(Vec::into_boxed_slice).collect();
        Room::new(scopes, rules, self.tests, self.computed, searches, by_atom)
    }

    fn formula(&mut self, condition: &Condition) -> Formula {
        match condition {
            Condition::All(parts) => Formula::All(self.several(parts)),
            Condition::Any(parts) => Formula::Any(self.several(parts)),
            Condition::Not(part) => Formula::Not(Box::new(self.formula(part))),
            Condition::Test(source, test) => Formula::Test(self.test(source, *test)),
        }
    }

    /// The cheap ones first: which of them decides makes no difference.
    fn several(&mut self, parts: &[Condition]) -> Vec<Formula> {
        let mut parts: Vec<Formula> = parts.iter().map(|part| self.formula(part)).collect();
        parts.sort_by_cached_key(|part| self.cost(part));
        parts
    }

    fn cost(&self, formula: &Formula) -> usize {
        match formula {
            Formula::All(parts) | Formula::Any(parts) => parts.iter().map(|part| self.cost(part)).sum(),
            Formula::Not(part) => self.cost(part),
            Formula::Test(test) => match self.tests.get(*test) {
                Some(test) if test.is_exact => 1,
                Some(test) if test.need != Need::Nothing => 2,
                _ => DEAR,
            },
        }
    }

    fn test(&mut self, source: &FieldExpr, id: TestId) -> usize {
        let mut sources = Vec::new();
        self.resolve(source, &mut sources);
        let slots: Box<[Slot]> = sources.iter().map(|(slot, _)| *slot).collect();
        if let Some(known) = self.known.get(&(slots.clone(), id)) {
            return *known;
        }
        let test = self.parts.tests.get(id.0).map(|test| test.test().clone());
        let of_all = test == Some(Test::Missing);
        let (need, is_exact) = match &test {
            Some(test) if !of_all => self.any_of(&sources, test),
            _ => (Need::Nothing, false),
        };
        self.tests.push(Tested { slots: slots.clone(), of_all, test: id, need, is_exact });
        self.known.insert((slots, id), self.tests.len() - 1);
        self.tests.len() - 1
    }

    /// The slots of a source in events of this class.
    fn resolve(&mut self, source: &FieldExpr, slots: &mut Vec<(Slot, FieldType)>) {
        match source {
            FieldExpr::Column(column) => {
                slots.push((self.parts.columns.slot(column.path.as_str()), column.field_type));
            }
            FieldExpr::Computed(computed) => {
                let slot = self.parts.columns.computed_slot(computed);
                if !self.computed.contains(&slot) {
                    self.computed.push(slot);
                }
                slots.push((slot, computed.field_type));
            }
            FieldExpr::AnyOf(sources) => sources.iter().for_each(|source| self.resolve(source, slots)),
            FieldExpr::PerClass(sources) => {
                let own = sources.iter().find(|(class, _)| *class == self.class);
                own.into_iter().for_each(|(_, source)| self.resolve(source, slots));
            }
        }
    }

    /// What an event must hold for the test to hold of any of the fields, and whether it then does.
    fn any_of(&mut self, sources: &[(Slot, FieldType)], test: &Test) -> (Need, bool) {
        let mut is_exact = true;
        let needs: Vec<Need> = sources
            .iter()
            .map(|(slot, field_type)| {
                let (need, exact) = match field_type {
                    FieldType::String => self.text(*slot, test),
                    FieldType::Integer | FieldType::Boolean => self.written(*slot, test),
                    _ => (Need::Nothing, false),
                };
                is_exact &= exact;
                need
            })
            .collect();
        (any(needs), is_exact)
    }

    fn text(&mut self, slot: Slot, test: &Test) -> (Need, bool) {
        // What is searched for is folded more coarsely than what is compared, and nothing stands everywhere.
        let as_folded = |text: &String| !text.is_empty() && coarse(text) == *text;
        let is_exact = match test {
            Test::TextIn { values, cased: false } => values.iter().all(as_folded),
            Test::Text { value, cased: false, .. } => as_folded(value),
            _ => false,
        };
        (text_need(test, &mut |position, literal| self.atom(slot, position, literal)), is_exact)
    }

    /// Whole numbers and booleans, which are equal where they are written alike.
    fn written(&mut self, slot: Slot, test: &Test) -> (Need, bool) {
        let mut equal = |value: String| self.atom(slot, TextMatch::Equals, &value);
        let mut is_exact = true;
        let need = match test {
            Test::NumberIn(values) => any(values.iter().map(|value| match value {
                Number::Integer(number) => equal(number.to_string()),
                Number::Float(_) => {
                    is_exact = false;
                    Need::Nothing
                }
            })),
            Test::BooleanIn(values) => any(values.iter().map(|value| equal(value.to_string()))),
            _ => return (Need::Nothing, false),
        };
        (need, is_exact)
    }

    fn atom(&mut self, slot: Slot, position: TextMatch, literal: &str) -> Need {
        if literal.is_empty() {
            return Need::Nothing;
        }
        let positions = self.sought.entry(slot).or_default().literals.entry(coarse(literal)).or_default();
        if let Some((_, known)) = positions.iter().find(|(at, _)| *at == position) {
            return Need::Atom(*known);
        }
        let atom = AtomId(self.lengths.len());
        positions.push((position, atom));
        self.lengths.push(literal.len());
        Need::Atom(atom)
    }
}

/// What an event must hold for `formula` to hold of it.
fn need(formula: &Formula, tests: &[Tested]) -> Need {
    match formula {
        Formula::All(parts) => all(parts.iter().map(|part| need(part, tests))),
        Formula::Any(parts) => any(parts.iter().map(|part| need(part, tests))),
        Formula::Not(_) => Need::Nothing,
        Formula::Test(test) => tests.get(*test).map_or(Need::Nothing, |test| test.need.clone()),
    }
}
