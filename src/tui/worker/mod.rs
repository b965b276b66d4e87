//! The threads beside the one that draws: compiling, querying, colouring.
//!
//! Every request carries a generation and every report carries it back; what is stale is refused where it arrives.

mod answers;
mod bench;
mod cases;
mod compiler;
mod drafts;
mod follow;
mod gaps;
mod growth;
mod query;
mod rows;
mod slot;
mod spark;
mod why;
mod writer;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::attribution::Attribution;
use crate::authoring::{Fills, SavedCase, Template};
use crate::bridge::Diagnostic;
use crate::bundle::Stop;
use crate::evaluate::{MatchRow, MatchTable, Slice, Summary};
use crate::pack::Pack;
use crate::store::{SessionSettings, Unfinished};
use crate::tui::answers::Place;
use crate::tui::event::Event;
use crate::tui::highlight::{Highlighted, Highlighter, Language};
use crate::tui::keymap::{Finding, Keymap};
use crate::tui::model::{
    AliasAway, Bench, DatasetChange, DatasetInfo, Drafted, Loaded, PackInfo, RuleKey, SparkOutcome, Written,
};
use crate::tui::places::Places;
use crate::tui::update::Effect;
use crate::tui::{Options, TuiError};

use answers::Keeping;
pub(crate) use bench::{Ask, NewAlias, Question};
pub(crate) use cases::ToSave;
use compiler::{Compiler, Request};
pub(crate) use drafts::ToDraft;
pub(crate) use follow::Followed;
use query::{Queue, Session};
pub(crate) use rows::{Exported, Rows, RowsWanted, WholeEvent, WindowEvents};
use slot::Slot;
pub(crate) use spark::SparkJob;
pub(crate) use writer::{Unwritten, Writing};

/// Texts that wait to be coloured; older ones are no longer on the screen.
const TEXTS: usize = 4;

/// How long leaving waits for a statement to end. DuckDB hears no interrupt while it plans one.
const GRACE: Duration = Duration::from_millis(500);

/// What a worker says.
#[derive(Debug)]
pub(crate) enum Report {
    /// The files of all rules have been read: whoever follows them from now on does not hear of that any more.
    RulesRead,
    /// Rules were loaded and compiled.
    Compiled {
        /// Of the request.
        generation: u64,
        /// All rules, in the order of their keys, each with what became of it; `None` where there is no pack to compile
        /// with.
        rules: Vec<Loaded>,
        /// The pack that they were compiled with, and what was found in the one on disk.
        pack: PackReport,
        /// Rule folders that are gone; their rules are as they last were.
        gone: Vec<PathBuf>,
        /// Why the alias that is tried is none.
        refused: Option<String>,
    },
    /// The dataset was opened, or not.
    Dataset {
        /// Of the request.
        generation: u64,
        /// What it holds, or why it does not open.
        opened: Result<DatasetInfo, String>,
        /// How it differs from the one that was open before.
        change: DatasetChange,
        /// Files that are not read yet.
        unfinished: Vec<Unfinished>,
    },
    /// The matches of a rule.
    Matches {
        /// Of the request.
        generation: u64,
        /// The rule.
        rule: RuleKey,
        /// Its matches, or why there are none to show.
        table: Result<MatchTable, String>,
    },
    /// Other rows of the matches that are shown.
    Rows {
        /// Of the request.
        generation: u64,
        /// Which of them.
        slice: Slice,
        /// The rows, or why there are none.
        rows: Result<Vec<MatchRow>, String>,
    },
    /// Which of the matches that are shown came with files that arrived since their rule was last looked at.
    Arrived {
        /// Of the request for the matches.
        generation: u64,
        /// What the table calls them.
        ids: BTreeSet<String>,
    },
    /// An event with all that it holds.
    Event {
        /// Of the request.
        generation: u64,
        /// The event, or why there is none.
        event: Result<WholeEvent, String>,
    },
    /// The events of a window of a correlation.
    Window {
        /// Of the request, of which there is one for events and windows together.
        generation: u64,
        /// The events, or why there are none.
        found: Result<WindowEvents, String>,
    },
    /// Matches were written to a file, or not.
    Exported(Result<Exported, String>),
    /// The count of one rule of many.
    Summary {
        /// Of the request.
        generation: u64,
        /// The rule.
        rule: RuleKey,
        /// Its count, or why there is none.
        summary: Result<Summary, String>,
    },
    /// The counts that were known of many rules.
    Recalled {
        /// Of the request.
        generation: u64,
        /// The rules, most of them in the order of their keys.
        counts: Vec<(RuleKey, Summary)>,
    },
    /// What rules have matched by now of events that are followed.
    Followed {
        /// Of the request.
        generation: u64,
        /// What they have matched.
        found: Followed,
    },
    /// All rules of the request have been counted.
    SummariesDone {
        /// Of the request.
        generation: u64,
    },
    /// The aliases that are missing.
    Gaps {
        /// Of the request.
        generation: u64,
        /// Those that would add most rules first.
        away: Vec<AliasAway>,
    },
    /// What a field could be.
    Proposed {
        /// Of the request.
        generation: u64,
        /// The proposals, or why there are none.
        bench: Result<Bench, String>,
    },
    /// What a proposal does to all rules, in words, or why it cannot be tried.
    Tried {
        /// Of the request.
        generation: u64,
        /// What it does.
        outcome: Result<String, String>,
    },
    /// Why a rule did or did not match.
    Explained {
        /// Of the request.
        generation: u64,
        /// Why, or why that cannot be said.
        found: Result<Arc<Attribution>, String>,
    },
    /// How often the fields of a rule are filled.
    Filled {
        /// Of the request.
        generation: u64,
        /// `None` where that cannot be said.
        fills: Option<Fills>,
    },
    /// A change was written, or not.
    Written(Result<Written, Unwritten>),
    /// A change was taken back, or not.
    Undone(Result<Written, String>),
    /// A change that was taken back was made again, or not.
    Redone(Result<Written, String>),
    /// What new rules would be.
    Drafted {
        /// Of the request.
        generation: u64,
        /// Each, or why there is none.
        drafts: Vec<(Template, Result<Drafted, String>)>,
    },
    /// What Spark does.
    SparkSays {
        /// Of the request.
        generation: u64,
        /// As its runner says.
        said: String,
    },
    /// Rules ran on Spark, or not.
    SparkEnded {
        /// Of the request.
        generation: u64,
        /// Whether it found what DuckDB finds, or why that is not known.
        outcome: Result<SparkOutcome, String>,
    },
    /// A regression case was written, or not.
    Saved(Result<SavedCase, String>),
    /// A text was coloured.
    Highlighted(Arc<Highlighted>),
    /// The user's keys were read anew.
    Keys {
        /// The keys; none where the file cannot be read at all.
        keymap: Option<Keymap>,
        /// What is wrong in it, in its order.
        findings: Vec<Finding>,
    },
    /// Something that the user should know.
    Notice(String),
}

/// What loading the pack gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct PackReport {
    /// The pack in use.
    pub info: Option<PackInfo>,
    /// The same, whole.
    pub loaded: Option<Arc<Pack>>,
    /// Why the one on disk does not load.
    pub errors: Vec<Diagnostic>,
    /// What else was found in it.
    pub warnings: Vec<Diagnostic>,
}

type Text = (Language, Arc<str>);

/// The threads, while the screen is open. Dropping it interrupts what runs, and ends them within [`GRACE`].
pub(crate) struct Workers {
    compiler: Arc<Slot<Request>>,
    queries: Arc<Queue>,
    follower: Arc<Slot<follow::Request>>,
    texts: Arc<Slot<Vec<Text>>>,
    writer: Sender<Writing>,
    spark: spark::Runner,
    events: Sender<Event>,
    /// Those of the DuckDB session. The others are not waited for: they hold nothing that has to be closed.
    joined: Vec<JoinHandle<()>>,
}

impl Workers {
    /// Starts the threads.
    pub(crate) fn start(options: Options, places: &Places, events: &Sender<Event>) -> Result<Self, TuiError> {
        let (writer, writings) = mpsc::channel();
        let written = (options.pack.clone(), options.rules.clone());
        spawn("writer", events, move |report| writer::run(&writings, &written.0, &written.1, report))?;
        let mut workers = Self {
            compiler: Arc::new(Slot::new()),
            queries: Arc::new(Queue::default()),
            follower: Arc::new(Slot::new()),
            texts: Arc::new(Slot::new()),
            writer,
            spark: spark::Runner::new(&options),
            events: events.clone(),
            joined: Vec::new(),
        };
        workers.start_session(&options, places, events)?;
        let (requests, root, range) = (Arc::clone(&workers.follower), options.dataset.clone(), options.range);
        spawn("follower", events, move |report| follow::run(&requests, root.as_deref(), range, report))?;
        let requests = Arc::clone(&workers.compiler);
        spawn("compiler", events, move |report| Compiler::new(options).run(&requests, report))?;
        let texts = Arc::clone(&workers.texts);
        spawn("highlighter", events, move |report| highlight(&texts, report))?;
        Ok(workers)
    }

    fn start_session(
        &mut self,
        options: &Options,
        places: &Places,
        events: &Sender<Event>,
    ) -> Result<(), TuiError> {
        let place = options.dataset.as_deref().and_then(|dataset| Place::of(places, dataset));
        let keeping = Keeping::new(options.cache, place);
        let queue = Arc::clone(&self.queries);
        let (root, range, compiling) = (options.dataset.clone(), options.range, options.settings.clone());
        let settings = SessionSettings { threads: options.threads };
        let session = spawn("session", events, move |report| {
            Session { queue: &queue, root, range, settings, compiling, report }.run(keeping);
        })?;
        let queue = Arc::clone(&self.queries);
        let interrupter = spawn("interrupter", events, move |_| queue.keep_interrupting())?;
        self.joined.extend([session, interrupter]);
        Ok(())
    }

    /// Hands an effect to the thread that it is for.
    pub(crate) fn perform(&self, effect: Effect) {
        match effect {
            Effect::Compile { generation, changed, trial } => {
                self.compiler.put(|waiting| Request::merged(waiting, generation, changed, trial));
            }
            Effect::OpenDataset { generation } => self.queries.open(generation),
            Effect::Forget => self.queries.forget(),
            Effect::Match { generation, rule } => self.queries.find(generation, rule),
            Effect::Arrivals { generation, rule, since } => self.queries.arrivals(generation, rule, since),
            Effect::Rows { generation, wanted } => self.queries.rows(generation, wanted),
            Effect::Summarize { generation, rules, first } => self.queries.count(generation, rules, first),
            Effect::Follow { generation, rules, anew } => {
                self.follower.put(|waiting| follow::Request::merged(waiting, generation, rules, anew));
            }
            Effect::Bench { generation, question } => self.queries.ask(generation, question.map(|q| *q)),
            Effect::SaveCase(rows) => self.queries.save(rows),
            Effect::Explain { generation, rule } => self.queries.explain(generation, rule),
            Effect::Fill { generation, rule } => self.queries.fill(generation, rule),
            Effect::Gaps { generation, compiled } => {
                self.beside("gaps", move || Report::Gaps { generation, away: gaps::away(&compiled) });
            }
            Effect::RunSpark { generation, job } => self.run_spark(generation, job.map(|job| *job)),
            Effect::Draft { generation, wanted } => {
                self.beside("drafts", move || wanted.answer(generation));
            }
            // A writer that has ended has said so.
            Effect::Write(writing) => drop(self.writer.send(*writing)),
            Effect::Highlight(language, text) => self.texts.put(|waiting| {
                let mut texts = waiting.unwrap_or_default();
                texts.push((language, text));
                texts.split_off(texts.len().saturating_sub(TEXTS))
            }),
            // The screen's own.
            Effect::Copy { .. }
            | Effect::OpenEditor(_)
            | Effect::UseTheme(_)
            | Effect::OpenWorkspace(_)
            | Effect::OpenDemo
            | Effect::Bell
            | Effect::Suspend
            | Effect::Quit => {}
        }
    }
}

impl Workers {
    /// Has the grammars at hand before there is a text to colour. At the start that is while rules are compiled, which
    /// keeps one processor busy.
    pub(crate) fn load_grammars(&self) {
        self.texts.put(Option::unwrap_or_default);
    }

    /// Stops the run on Spark, and begins another where there is one to begin.
    fn run_spark(&self, generation: u64, job: Option<SparkJob>) {
        self.spark.stop();
        let Some(job) = job else { return };
        let stop = Stop::default();
        match spawn("spark", &self.events, self.spark.work(generation, job, &stop)) {
            Ok(thread) => self.spark.began(stop, thread),
            Err(error) => {
                let outcome = Err(error.to_string());
                drop(self.events.send(Event::Report(Report::SparkEnded { generation, outcome })));
            }
        }
    }

    /// Does something on a thread of its own, which ends by itself.
    fn beside(&self, name: &'static str, work: impl FnOnce() -> Report + Send + 'static) {
        let begun = spawn(name, &self.events, move |report| report(work()));
        if let Err(error) = begun {
            drop(self.events.send(Event::Report(Report::Notice(error.to_string()))));
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        self.compiler.close();
        self.texts.close();
        self.follower.close();
        self.queries.close();
        self.spark.stop();
        let begun = Instant::now();
        let is_left = || self.joined.iter().any(|thread| !thread.is_finished()) || !self.spark.is_finished();
        while is_left() && begun.elapsed() < GRACE {
            thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Starts a thread that reports to the loop, and that is missed there when it dies.
fn spawn(
    name: &'static str,
    events: &Sender<Event>,
    body: impl FnOnce(&dyn Fn(Report)) + Send + 'static,
) -> Result<JoinHandle<()>, TuiError> {
    let events = events.clone();
    let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _watch = DeathWatch { name, events: events.clone() };
        // A loop that has ended hears nothing any more, and needs not.
        body(&|report| drop(events.send(Event::Report(report))));
    })?;
    Ok(thread)
}

/// Tells the loop of a thread that panics.
struct DeathWatch {
    name: &'static str,
    events: Sender<Event>,
}

impl Drop for DeathWatch {
    fn drop(&mut self) {
        if thread::panicking() {
            let _ = self.events.send(Event::Died(self.name));
        }
    }
}

fn highlight(texts: &Slot<Vec<Text>>, report: &dyn Fn(Report)) {
    let mut highlighter = None;
    while let Some(texts) = texts.take() {
        let highlighter = highlighter.get_or_insert_with(Highlighter::load);
        for (language, text) in texts {
            report(Report::Highlighted(Arc::new(highlighter.highlight(language, text))));
        }
    }
}

#[cfg(test)]
mod tests;
