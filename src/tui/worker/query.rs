//! The thread that owns the dataset's session: opens it, looks for the selected rule's matches, counts all others'.
//!
//! One job runs, and one of each kind waits. The selected rule's matches go before the counts: asking for them
//! interrupts a count, which is taken up again afterwards where it was left.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::backend::CompiledRule;
use crate::bridge::Settings;
use crate::evaluate::{self, Cancel, EvalError, Runnable, Slice, Summary};
use crate::store::{Interrupter, SessionSettings, Store, TimeRange};
use crate::tui::model::{DatasetChange, RuleKey};

use super::answers::Keeping;
use super::bench::Question;
use super::cases::ToSave;
use super::growth::Growth;
use super::rows::{Rows, RowsWanted};
use super::{Report, why};

/// Between two interrupts of one statement: DuckDB forgets one that comes while it sets the statement up.
const REPEAT: Duration = Duration::from_millis(2);

/// Rules that are counted before all others: as many as a tall screen shows. Batches have an order of their own.
const SHOWN: usize = 64;

pub(super) type Wanted = (RuleKey, Arc<CompiledRule>);

/// What is to be done next. Shared by the screen, the session's thread and the interrupting one.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    /// Raised to cancel a search for matches.
    matches: Arc<AtomicU64>,
    /// Raised to cancel a count.
    summaries: Arc<AtomicU64>,
    /// Raised to cancel what is asked about a field.
    bench: Arc<AtomicU64>,
    /// Raised to cancel a search for other rows.
    rows: Arc<AtomicU64>,
    /// Raised to cancel a search for a whole event.
    events: Arc<AtomicU64>,
    /// Raised to cancel what is being written to a file.
    exports: Arc<AtomicU64>,
    /// Raised to cancel the question why a rule matches or not.
    why: Arc<AtomicU64>,
    /// Raised to cancel a count of filled fields.
    fills: Arc<AtomicU64>,
}

#[derive(Default)]
struct State {
    open: Option<u64>,
    matches: Option<(u64, Wanted, Slice)>,
    rows: Option<(u64, RowsWanted)>,
    arrivals: Option<(u64, Wanted, u64)>,
    event: Option<(u64, RowsWanted)>,
    export: Option<RowsWanted>,
    forget: bool,
    summaries: Option<Count>,
    bench: Option<(u64, Question)>,
    saves: VecDeque<ToSave>,
    why: Option<(u64, Wanted)>,
    fills: Option<(u64, Wanted)>,
    interrupter: Option<Interrupter>,
    closed: bool,
}

/// Rules to be counted.
struct Count {
    generation: u64,
    wanted: Vec<Wanted>,
    /// How many of them come before the others.
    first: usize,
    /// Whether those that are known have been told.
    recalled: bool,
}

enum Job {
    Forget,
    Open { generation: u64 },
    Match { generation: u64, wanted: Wanted, slice: Slice, cancel: Cancel },
    Rows { generation: u64, wanted: RowsWanted, cancel: Cancel },
    Arrivals { generation: u64, wanted: Wanted, since: u64, cancel: Cancel },
    Fill { generation: u64, wanted: Wanted, cancel: Cancel },
    Explain { generation: u64, wanted: Wanted, cancel: Cancel },
    Bench { generation: u64, question: Question, cancel: Cancel },
    Save(ToSave),
    Recall(Count),
    Summarize(Count, Cancel),
}

impl Queue {
    /// Opens the dataset anew, before anything else.
    pub(super) fn open(&self, generation: u64) {
        self.submit(&[&self.matches, &self.rows, &self.summaries, &self.why, &self.fills], |state| {
            state.open = Some(generation);
            // Whatever was asked of the old session is asked anew of the new one.
            state.matches = None;
            state.rows = None;
            state.arrivals = None;
            state.summaries = None;
            state.why = None;
            state.fills = None;
        });
    }

    /// Forgets what rules answered, before anything else.
    pub(super) fn forget(&self) {
        self.submit(&[], |state| state.forget = true);
    }

    /// Looks for a slice of a rule's matches, and no longer for those of another.
    pub(super) fn find(&self, generation: u64, wanted: Option<(Wanted, Slice)>) {
        let counting: &[&Arc<AtomicU64>] = &[&self.matches, &self.rows, &self.summaries];
        let cancelled = if wanted.is_some() { counting } else { &counting[..2] };
        self.submit(cancelled, |state| {
            state.rows = None;
            state.arrivals = None;
            state.matches = wanted.map(|(wanted, slice)| (generation, wanted, slice));
        });
    }

    /// Finds the matches of a rule that came after an opening. Another search for matches ends it.
    pub(super) fn arrivals(&self, generation: u64, wanted: Wanted, since: u64) {
        self.submit(&[&self.summaries], |state| state.arrivals = Some((generation, wanted, since)));
    }

    /// Finds what is asked about rows that are shown, and no longer what was asked before.
    pub(super) fn rows(&self, generation: u64, wanted: RowsWanted) {
        match wanted.asked {
            // Nothing that is looked at meanwhile ends it.
            Rows::Export(_) => self.submit(&[&self.summaries], |state| state.export = Some(wanted)),
            Rows::Event(..) | Rows::Window(..) | Rows::Draft(..) => {
                self.submit(&[&self.events, &self.summaries], |state| {
                    state.event = Some((generation, wanted))
                });
            }
            Rows::Slice(_) | Rows::Around(..) => {
                self.submit(&[&self.rows, &self.summaries], |state| state.rows = Some((generation, wanted)));
            }
        }
    }

    /// Counts the matches of rules, the first of them before the others, and no longer of others.
    pub(super) fn count(&self, generation: u64, wanted: Vec<Wanted>, first: usize) {
        let count = Count { generation, wanted, first, recalled: false };
        self.submit(&[&self.summaries], |state| state.summaries = Some(count));
    }

    /// Answers a question about a field, and no longer another one; none calls it off.
    pub(super) fn ask(&self, generation: u64, question: Option<Question>) {
        let counting: &[&Arc<AtomicU64>] = &[&self.bench, &self.summaries];
        let cancelled = if question.is_some() { counting } else { &counting[..1] };
        self.submit(cancelled, |state| state.bench = question.map(|question| (generation, question)));
    }

    /// Writes a regression case. None is left out for a later one.
    pub(super) fn save(&self, rows: ToSave) {
        self.submit(&[&self.summaries], |state| state.saves.push_back(rows));
    }

    /// Finds out why a rule matches or not, and no longer of another; none calls it off.
    pub(super) fn explain(&self, generation: u64, wanted: Option<Wanted>) {
        let counting: &[&Arc<AtomicU64>] = &[&self.why, &self.summaries];
        let cancelled = if wanted.is_some() { counting } else { &counting[..1] };
        self.submit(cancelled, |state| state.why = wanted.map(|wanted| (generation, wanted)));
    }

    /// Counts how often the fields of a rule are filled, and no longer of another; none calls it off.
    pub(super) fn fill(&self, generation: u64, wanted: Option<Wanted>) {
        let counting: &[&Arc<AtomicU64>] = &[&self.fills, &self.summaries];
        let cancelled = if wanted.is_some() { counting } else { &counting[..1] };
        self.submit(cancelled, |state| state.fills = wanted.map(|wanted| (generation, wanted)));
    }

    /// Ends the session's thread and the interrupting one.
    pub(super) fn close(&self) {
        let all = [
            &self.matches,
            &self.rows,
            &self.events,
            &self.exports,
            &self.summaries,
            &self.bench,
            &self.why,
            &self.fills,
        ];
        self.submit(&all, |state| state.closed = true);
    }

    /// Changes what is to be done and cancels what it replaces, as one step.
    fn submit(&self, cancelled: &[&Arc<AtomicU64>], change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        for counter in cancelled {
            counter.fetch_add(1, Ordering::SeqCst);
        }
        self.changed.notify_all();
    }

    /// The next job, waiting for one; `None` at the end.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = self.pop(&mut state) {
                return Some(job);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The token is made under the lock that [`Self::submit`] raises the counters under, so that no job is run
    /// that has been cancelled unseen.
    fn pop(&self, state: &mut State) -> Option<Job> {
        if std::mem::take(&mut state.forget) {
            return Some(Job::Forget);
        }
        if let Some(generation) = state.open.take() {
            return Some(Job::Open { generation });
        }
        // Takes a moment, and then most rules are answered.
        if let Some(count) = state.summaries.take_if(|count| !count.recalled) {
            return Some(Job::Recall(count));
        }
        if let Some((generation, wanted, slice)) = state.matches.take() {
            return Some(Job::Match { generation, wanted, slice, cancel: Cancel::new(&self.matches) });
        }
        if let Some((generation, wanted)) = state.rows.take() {
            return Some(Job::Rows { generation, wanted, cancel: Cancel::new(&self.rows) });
        }
        if let Some((generation, wanted, since)) = state.arrivals.take() {
            return Some(Job::Arrivals { generation, wanted, since, cancel: Cancel::new(&self.matches) });
        }
        if let Some((generation, wanted)) = state.event.take() {
            return Some(Job::Rows { generation, wanted, cancel: Cancel::new(&self.events) });
        }
        if let Some(wanted) = state.export.take() {
            return Some(Job::Rows { generation: 0, wanted, cancel: Cancel::new(&self.exports) });
        }
        if let Some((generation, wanted)) = state.fills.take() {
            return Some(Job::Fill { generation, wanted, cancel: Cancel::new(&self.fills) });
        }
        if let Some((generation, wanted)) = state.why.take() {
            return Some(Job::Explain { generation, wanted, cancel: Cancel::new(&self.why) });
        }
        if let Some((generation, question)) = state.bench.take() {
            return Some(Job::Bench { generation, question, cancel: Cancel::new(&self.bench) });
        }
        if let Some(rows) = state.saves.pop_front() {
            return Some(Job::Save(rows));
        }
        Some(Job::Summarize(state.summaries.take()?, Cancel::new(&self.summaries)))
    }

    /// Puts back what is left of an interrupted count, unless another is wanted by now.
    fn put_back(&self, count: Count) {
        let mut state = self.lock();
        if state.summaries.is_none() && state.open.is_none() {
            state.summaries = Some(count);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Interrupts cancelled statements, again and again until they end. Runs on a thread of its own.
    pub(super) fn keep_interrupting(&self) {
        let mut state = self.lock();
        loop {
            let running = state.interrupter.as_ref().is_some_and(Interrupter::interrupt);
            if state.closed && !running {
                return;
            }
            let patience = if running { REPEAT } else { Duration::MAX };
            let woken = self.changed.wait_timeout(state, patience);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The session's thread.
pub(super) struct Session<'a> {
    pub queue: &'a Queue,
    pub root: Option<PathBuf>,
    pub range: TimeRange,
    pub settings: SessionSettings,
    /// What rules are compiled with, for trials.
    pub compiling: Settings,
    pub report: &'a dyn Fn(Report),
}

impl Session<'_> {
    /// Works until the queue is closed.
    pub(super) fn run(&self, mut keeping: Keeping) {
        keeping.read();
        let mut store: Option<Store> = None;
        let mut growth = Growth::default();
        while let Some(job) = self.queue.next() {
            match (job, &mut store) {
                (Job::Forget, _) => keeping.forget(),
                (Job::Open { generation }, store) => self.open(generation, store, &mut growth),
                (Job::Match { generation, wanted, slice, cancel }, Some(store)) => {
                    self.find((generation, wanted, slice), store, &mut keeping, &cancel);
                }
                (Job::Rows { generation, wanted, cancel }, Some(store)) => {
                    if let Some(answer) = wanted.answer(generation, store, &cancel) {
                        (self.report)(answer);
                    }
                }
                (Job::Arrivals { generation, wanted, since, cancel }, Some(store)) => {
                    growth.arrivals(generation, &wanted, since, store, &cancel).map(self.report);
                }
                (Job::Recall(count), Some(store)) => self.recall(count, store, &mut keeping),
                (Job::Summarize(count, cancel), Some(store)) => {
                    self.count(count, store, &mut keeping, &cancel);
                    keeping.write(false);
                }
                (Job::Bench { generation, question, cancel }, store) => {
                    if let Some(answer) =
                        question.answer(generation, store.as_mut(), &self.compiling, &cancel)
                    {
                        (self.report)(answer);
                    }
                }
                (Job::Save(rows), store) => (self.report)(Report::Saved(rows.save(store.as_mut()))),
                (Job::Fill { generation, wanted, cancel }, Some(store)) => {
                    why::fill(generation, &wanted.1, store, &cancel).map(self.report);
                }
                (Job::Explain { generation, wanted, cancel }, Some(store)) => {
                    why::explain(generation, &wanted.1, store, &cancel).map(self.report);
                }
                // Asked of a dataset that is not open: there is nothing to answer.
                (
                    Job::Match { .. }
                    | Job::Rows { .. }
                    | Job::Arrivals { .. }
                    | Job::Recall(_)
                    | Job::Summarize(..)
                    | Job::Fill { .. }
                    | Job::Explain { .. },
                    None,
                ) => {}
            }
        }
        keeping.write(true);
    }

    /// A dataset that does not open leaves the session on the last one that did.
    fn open(&self, generation: u64, store: &mut Option<Store>, growth: &mut Growth) {
        let Some(root) = &self.root else { return };
        let opened = growth
            .open((root, self.range), generation, self.settings, store)
            .map_err(|error| error.to_string());
        if let (Ok(_), Some(store)) = (&opened, store) {
            self.queue.lock().interrupter = Some(store.interrupter());
        }
        let (change, unfinished) = match &opened {
            Ok(found) => (found.change, found.unfinished.clone()),
            Err(_) => (DatasetChange::Other, Vec::new()),
        };
        let opened = opened.map(|found| found.info);
        (self.report)(Report::Dataset { generation, opened, change, unfinished });
    }

    fn find(
        &self,
        (generation, (rule, compiled), slice): (u64, Wanted, Slice),
        store: &mut Store,
        keeping: &mut Keeping,
        cancel: &Cancel,
    ) {
        let Some(runnable) = Runnable::of(&compiled) else { return };
        let found = match runnable {
            Runnable::Event(plan, sql) => evaluate::matches(store, plan, sql, slice, cancel),
            Runnable::Correlation(plan, sql) => evaluate::windows(store, plan, sql, cancel)
                .map(|windows| evaluate::window_table(plan, &windows, slice)),
        };
        if let Ok(table) = &found {
            keeping.learn(store, runnable, table.summary);
        }
        if !matches!(found, Err(EvalError::Cancelled)) {
            let table = found.map_err(|error| error.to_string());
            (self.report)(Report::Matches { generation, rule, table });
        }
    }

    /// Tells what is known; the others are counted in their turn.
    fn recall(&self, count: Count, store: &Store, keeping: &mut Keeping) {
        let rules: Vec<&CompiledRule> = count.wanted.iter().map(|(_, compiled)| &**compiled).collect();
        let recalled = keeping.recall(store, &rules);
        let done: Vec<bool> = recalled.iter().map(Option::is_some).collect();
        let known = count.wanted.iter().zip(recalled);
        let counts: Vec<_> = known.filter_map(|((rule, _), found)| Some((rule.clone(), found?))).collect();
        let generation = count.generation;
        if !counts.is_empty() {
            (self.report)(Report::Recalled { generation, counts });
        }
        if done.iter().all(|done| *done) {
            (self.report)(Report::SummariesDone { generation });
        } else {
            self.queue.put_back(Count { recalled: true, ..count.without(&done) });
        }
    }

    fn count(&self, count: Count, store: &mut Store, keeping: &mut Keeping, cancel: &Cancel) {
        let Count { generation, wanted, first, .. } = &count;
        let mut done = vec![false; wanted.len()];
        let mut tell = |index: usize, summary: Result<Summary, EvalError>| {
            let (Some((rule, _)), Some(done)) = (wanted.get(index), done.get_mut(index)) else { return };
            if matches!(summary, Err(EvalError::Cancelled)) {
                return;
            }
            *done = true;
            let summary = summary.map_err(|error| error.to_string());
            (self.report)(Report::Summary { generation: *generation, rule: rule.clone(), summary });
        };
        let (mut events, mut places, mut correlations) = (Vec::new(), Vec::new(), Vec::new());
        for (index, (_, compiled)) in wanted.iter().enumerate() {
            match Runnable::of(compiled) {
                Some(Runnable::Event(plan, sql)) => {
                    places.push(index);
                    events.push((plan, sql));
                }
                Some(correlation @ Runnable::Correlation(plan, sql)) => {
                    correlations.push((index, correlation, plan, sql));
                }
                None => {}
            }
        }
        let shown = events.len().min(SHOWN);
        let first_events = places.partition_point(|index| index < first).max(shown);
        for part in [0..shown, shown..first_events, first_events..events.len()] {
            let (before, rules) = (part.start, events.get(part).unwrap_or_default());
            keeping.summaries_with(store, rules, cancel, &mut |at, summary| {
                if let Some(index) = places.get(before + at) {
                    tell(*index, summary);
                }
            });
        }
        for (index, correlation, plan, sql) in correlations {
            let windows = evaluate::windows(store, plan, sql, cancel);
            let summary = windows.map(|windows| evaluate::correlation_summary(&windows));
            if let Ok(summary) = &summary {
                keeping.learn(store, correlation, *summary);
            }
            tell(index, summary);
        }
        if cancel.is_cancelled() {
            self.queue.put_back(Count { recalled: true, ..count.without(&done) });
        } else {
            (self.report)(Report::SummariesDone { generation: *generation });
        }
    }
}

impl Count {
    /// Those that are not done, in their order.
    fn without(self, done: &[bool]) -> Self {
        let first = done.iter().take(self.first).filter(|done| !**done).count();
        let left = self.wanted.into_iter().zip(done).filter(|(_, done)| !**done).map(|(wanted, _)| wanted);
        Self { wanted: left.collect(), first, ..self }
    }
}
