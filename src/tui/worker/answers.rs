//! What rules answered, in the hands of the session's thread: recalled before anything is asked, learnt from what is.

use crate::backend::CompiledRule;
use crate::backend::Sql;
use crate::bridge::Plan;
use crate::evaluate::answers::{Answers, Over, SETTLES};
use crate::evaluate::{self, Cancel, EvalError, Runnable, Summary};
use crate::store::Store;
use crate::tui::answers::Place;

/// New answers from which on they are written at once; fewer wait for more, or for the end.
const MANY: usize = 64;

/// The answers of the session's dataset.
#[derive(Debug)]
pub(super) struct Keeping {
    /// `None` where nothing is to be kept.
    answers: Option<Answers>,
    place: Option<Place>,
}

impl Keeping {
    /// Reads what was kept before, where anything is to be kept.
    pub(super) fn new(wanted: bool, place: Option<Place>) -> Self {
        Self { answers: wanted.then(Answers::default), place }
    }

    /// Reads what was kept by an earlier run of the program.
    pub(super) fn read(&mut self) {
        if let (Some(answers), Some(place)) = (&mut self.answers, &self.place) {
            *answers = place.read();
        }
    }

    /// Forgets all answers, those that are kept for other runs among them.
    pub(super) fn forget(&mut self) {
        if let Some(answers) = &mut self.answers {
            *answers = Answers::default();
            self.place.iter().for_each(Place::clear);
        }
    }

    /// What each rule answers, where that is known.
    pub(super) fn recall(&mut self, store: &Store, rules: &[&CompiledRule]) -> Vec<Option<Summary>> {
        let Some((answers, over)) = self.over(store).filter(|(answers, _)| !answers.is_empty()) else {
            return vec![None; rules.len()];
        };
        // What does not run is not asked for; its place is kept by what does.
        let runnable: Vec<Option<Runnable<'_>>> = rules.iter().map(|rule| Runnable::of(rule)).collect();
        let asked: Vec<Runnable<'_>> = runnable.iter().copied().flatten().collect();
        let mut recalled = answers.recall(&over, &asked).into_iter();
        runnable.iter().map(|rule| rule.and_then(|_| recalled.next().flatten())).collect()
    }

    /// Keeps what a rule answered over all events.
    pub(super) fn learn(&mut self, store: &Store, rule: Runnable<'_>, summary: Summary) {
        if let Some((answers, over)) = self.over(store) {
            answers.learn(&over, rule, summary);
        }
    }

    /// As [`evaluate::summaries_with`], with the help of what is known.
    pub(super) fn summaries_with(
        &mut self,
        store: &mut Store,
        rules: &[(&Plan, &Sql)],
        cancel: &Cancel,
        on_result: &mut dyn FnMut(usize, Result<Summary, EvalError>),
    ) {
        match self.over(store) {
            Some((answers, over)) => answers.summaries_with((store, &over), rules, cancel, on_result),
            None => evaluate::summaries_with(store, rules, cancel, on_result),
        }
    }

    /// Writes what has come since the last time: if it is much, or in any case.
    pub(super) fn write(&mut self, in_any_case: bool) {
        let least = if in_any_case { 1 } else { MANY };
        if let (Some(answers), Some(place)) = (&mut self.answers, &self.place)
            && answers.unsaved() >= least
            // What cannot be written is found out anew by the next run.
            && place.write(answers).is_ok()
        {
            answers.saved();
        }
    }

    fn over(&mut self, store: &Store) -> Option<(&mut Answers, Over)> {
        Some((self.answers.as_mut()?, Over::of(store, SETTLES)?))
    }
}
