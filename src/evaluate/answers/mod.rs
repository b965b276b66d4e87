//! What rules answered before, so that nothing is read twice.
//!
//! A question is a hash of all that decides an answer but the files: the statement, the versions, and how the columns
//! that it reads are read. An answer is of a set of files. It holds as long as the dataset has exactly these; of an event
//! rule, where files have been added to them, it is added to what the rule answers over the others alone: counts add
//! up, and the first and last times are the first and last of both. Windows of a correlation reach across files, so that
//! its answer is of all of them or none.
//!
//! An answer is kept where every file of its set had been left alone for [`SETTLES`] when the dataset was opened, and was
//! the same once it had been read. Other files are read each time. What failed is not kept.

mod file;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::Digest;

use super::summaries::summaries_with;
use super::{Cancel, EvalError, Runnable, Summary};
use crate::backend::Sql;
use crate::bridge::Plan;
use crate::store::{FileId, Identified, Reading, Store, part};

/// How long a file must have been left alone: the coarsest times of any file system are two seconds apart.
pub(crate) const SETTLES: Duration = Duration::from_secs(2);

/// Answers from which on those are dropped that have not been asked for since the dataset was opened, and sets of files.
const MOST: usize = 16 * 1024;
const MOST_SETS: usize = 64;

/// A hash of all that decides an answer but the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Question([u8; 32]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Answer {
    /// Which of the sets it is over.
    set: usize,
    summary: Summary,
    /// Whether it was given or asked for since it was read from a file.
    used: bool,
}

/// What is known of one dataset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    sets: Vec<BTreeSet<FileId>>,
    known: HashMap<Question, Answer>,
    /// How many answers are not in the file.
    unsaved: usize,
}

/// A dataset's files as they were opened, and how they are read.
#[derive(Clone, Debug)]
pub(crate) struct Over {
    files: Vec<Part>,
    reading: Arc<Reading>,
}

/// One of the files.
#[derive(Clone, Debug)]
struct Part {
    path: PathBuf,
    id: FileId,
    /// Whether it had been left alone long enough by then.
    settled: bool,
}

impl Over {
    /// The files of an open dataset, settled where they had been left alone for `patience`. `None` where nothing can be
    /// kept of it, or they have changed since.
    pub(crate) fn of(store: &Store, patience: Duration) -> Option<Self> {
        let found = store.dataset().files.iter().zip(store.identified()?);
        let part = |(path, Identified { id, age }): (&PathBuf, &Identified)| Part {
            path: path.clone(),
            id: *id,
            settled: *age >= patience,
        };
        Some(Self { files: found.map(part).collect(), reading: store.reading()? })
    }

    /// Whether the files are still what they were.
    fn holds(&self) -> bool {
        self.files.iter().all(|file| Identified::at(&file.path).is_some_and(|now| now.id == file.id))
    }

    /// The places of the files that a set lacks; `None` where it has one that is not here, or another content of it.
    fn beyond(&self, set: &BTreeSet<FileId>) -> Option<Vec<usize>> {
        let is_new = |(_, file): &(usize, &Part)| !set.contains(&file.id);
        let beyond: Vec<usize> = self.files.iter().enumerate().filter(is_new).map(|(at, _)| at).collect();
        (beyond.len() + set.len() == self.files.len()).then_some(beyond)
    }

    fn question(&self, rule: Runnable<'_>) -> Question {
        let (kind, columns, texts) = match rule {
            Runnable::Event(plan, sql) => ("event", &plan.columns, [&sql.scope, &sql.predicate]),
            Runnable::Correlation(plan, sql) => ("correlation", &plan.columns, [&sql.scope, &sql.text]),
        };
        let mut hash = self.reading.of(columns);
        part(&mut hash, kind.as_bytes());
        texts.iter().for_each(|text| part(&mut hash, text.as_bytes()));
        Question(hash.finalize().into())
    }
}

impl Answers {
    /// Whether nothing is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// How many answers have come since they were last written.
    pub(crate) fn unsaved(&self) -> usize {
        self.unsaved
    }

    /// What rules answer as far as that is known, in their order.
    pub(crate) fn recall(&mut self, over: &Over, rules: &[Runnable<'_>]) -> Vec<Option<Summary>> {
        if self.is_empty() {
            return vec![None; rules.len()];
        }
        let whole: Vec<bool> = self.beyond(over).iter().map(|beyond| beyond == &Some(Vec::new())).collect();
        let recalled = rules.iter().map(|rule| {
            let answer = self.known.get_mut(&over.question(*rule))?;
            answer.used = true;
            whole.get(answer.set).is_some_and(|whole| *whole).then_some(answer.summary)
        });
        recalled.collect()
    }

    /// Keeps what a rule answered over all files, where it may be kept.
    pub(crate) fn learn(&mut self, over: &Over, rule: Runnable<'_>, summary: Summary) {
        if over.files.iter().all(|file| file.settled) {
            let all = over.files.iter().map(|file| file.id).collect();
            self.keep(over, all, vec![(over.question(rule), summary)]);
        }
    }

    /// As [`super::summaries_with`], reading none but the files that the rules have not been asked of.
    pub(crate) fn summaries_with(
        &mut self,
        (store, over): (&mut Store, &Over),
        rules: &[(&Plan, &Sql)],
        cancel: &Cancel,
        on_result: &mut dyn FnMut(usize, Result<Summary, EvalError>),
    ) {
        let beyond = self.beyond(over);
        let mut by_set: BTreeMap<Option<usize>, Vec<Asked<'_>>> = BTreeMap::new();
        for (index, (plan, sql)) in rules.iter().enumerate() {
            let question = over.question(Runnable::Event(plan, sql));
            let known = self.known.get(&question);
            let known = known.filter(|answer| beyond.get(answer.set).is_some_and(Option::is_some));
            let so_far = known.map(|answer| answer.summary).unwrap_or_default();
            let asked = Asked { index, question, rule: (plan, sql), so_far };
            by_set.entry(known.map(|answer| answer.set)).or_default().push(asked);
        }
        for (set, asked) in by_set {
            let known = set.and_then(|set| self.sets.get(set)).cloned().unwrap_or_default();
            let left = set.and_then(|set| beyond.get(set).cloned().flatten());
            let left = left.unwrap_or_else(|| (0..over.files.len()).collect());
            let left: Vec<&Part> = left.iter().filter_map(|at| over.files.get(*at)).collect();
            self.ask((store, over), (known, &left), asked, cancel, on_result);
        }
    }

    /// Asks rules that are known over one set of files about the files that are left: about those that have settled, and
    /// then about the others.
    fn ask(
        &mut self,
        (store, over): (&mut Store, &Over),
        (known, left): (BTreeSet<FileId>, &[&Part]),
        asked: Vec<Asked<'_>>,
        cancel: &Cancel,
        on_result: &mut dyn FnMut(usize, Result<Summary, EvalError>),
    ) {
        if left.is_empty() {
            asked.iter().for_each(|asked| on_result(asked.index, Ok(asked.so_far)));
            return;
        }
        let (settled, moving): (Vec<&Part>, Vec<&Part>) = left.iter().partition(|file| file.settled);
        let mut open = asked;
        let mut kept = Vec::new();
        for (files, keeps) in [(&settled, true), (&moving, false)] {
            let is_last = !keeps || moving.is_empty();
            if files.is_empty() {
                continue;
            }
            let mut answered = Vec::new();
            read(store, files, &open, cancel, &mut |at, result| {
                let Some(asked) = open.get(at) else { return };
                let result = result.map(|found| asked.so_far.and(found));
                if let (Ok(summary), true) = (&result, keeps) {
                    kept.push((asked.question, *summary));
                }
                match result {
                    Ok(summary) if !is_last => answered.push((at, summary)),
                    result => on_result(asked.index, result),
                }
            });
            // Answers come in any order.
            answered.sort_unstable_by_key(|(at, _)| *at);
            let mut going_on = answered.into_iter().peekable();
            open = (0..)
                .zip(open)
                .filter_map(|(at, asked)| {
                    let (_, so_far) = going_on.next_if(|(of, _)| *of == at)?;
                    Some(Asked { so_far, ..asked })
                })
                .collect();
        }
        let set = known.into_iter().chain(settled.iter().map(|file| file.id)).collect();
        self.keep(over, set, kept);
    }

    /// For each set, the files that it lacks.
    fn beyond(&self, over: &Over) -> Vec<Option<Vec<usize>>> {
        self.sets.iter().map(|set| over.beyond(set)).collect()
    }

    /// Keeps answers over a set of files, unless the files have changed while they were read.
    fn keep(&mut self, over: &Over, set: BTreeSet<FileId>, answers: Vec<(Question, Summary)>) {
        if answers.is_empty() || set.is_empty() || !over.holds() {
            return;
        }
        let at = self.sets.iter().position(|known| *known == set).unwrap_or_else(|| {
            self.sets.push(set);
            self.sets.len() - 1
        });
        self.unsaved += answers.len();
        self.known.extend(
            answers
                .into_iter()
                .map(|(question, summary)| (question, Answer { set: at, summary, used: true })),
        );
        if self.known.len() > MOST || self.sets.len() > MOST_SETS {
            self.shorten();
        }
    }

    /// Drops what has not been asked for, then the sets that nothing is left of; all where that is too little.
    fn shorten(&mut self) {
        if self.known.len() > MOST {
            self.known.retain(|_, answer| answer.used);
        }
        let mut places = vec![None; self.sets.len()];
        for answer in self.known.values() {
            places.get_mut(answer.set).into_iter().for_each(|place| *place = Some(0));
        }
        places.iter_mut().flatten().enumerate().for_each(|(at, place)| *place = at);
        let mut kept = places.iter();
        self.sets.retain(|_| kept.next().is_some_and(Option::is_some));
        self.known.retain(|_, answer| match places.get(answer.set).copied().flatten() {
            Some(place) => {
                answer.set = place;
                true
            }
            None => false,
        });
        if self.known.len() > MOST || self.sets.len() > MOST_SETS {
            (self.sets, self.known) = Default::default();
        }
    }
}

/// A rule that is asked.
struct Asked<'r> {
    /// Its place among those that were given.
    index: usize,
    question: Question,
    rule: (&'r Plan, &'r Sql),
    /// What it has answered of other files.
    so_far: Summary,
}

/// What each rule answers over these files alone, told as it comes, with its place; each exactly once.
fn read(
    store: &mut Store,
    files: &[&Part],
    asked: &[Asked<'_>],
    cancel: &Cancel,
    on_result: &mut dyn FnMut(usize, Result<Summary, EvalError>),
) {
    let rules: Vec<(&Plan, &Sql)> = asked.iter().map(|asked| asked.rule).collect();
    let paths: Vec<&Path> = files.iter().map(|file| file.path.as_path()).collect();
    if let Err(error) = store.only(&paths, |store| summaries_with(store, &rules, cancel, on_result)) {
        let error = EvalError::from(error);
        asked.iter().enumerate().for_each(|(at, _)| on_result(at, Err(error.clone())));
    }
}
