//! The thread that asks rules of JSON Lines as they come, by the engine of [`crate::stream`].
//!
//! It reads as fast as rules can be asked and no faster, so that nothing waits in memory however fast lines come, and
//! tells of counts a few times a second.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Report;
use super::query::Wanted;
use super::slot::{Slot, Taken};
use crate::evaluate::Summary;
use crate::store::{Dataset, TimeRange};
use crate::stream::{Live, Step};
use crate::tui::model::RuleKey;

/// How long to wait at the end of files that grow.
const WAIT: Duration = Duration::from_millis(100);

/// The least time between two reports.
const REPORT: Duration = Duration::from_millis(200);

/// How often it is looked which files there are.
const LOOK: Duration = Duration::from_secs(1);

/// Which rules are to be asked.
#[derive(Debug)]
pub(super) struct Request {
    generation: u64,
    rules: Vec<Wanted>,
    anew: bool,
}

impl Request {
    /// A request together with one that has not been begun.
    pub(super) fn merged(waiting: Option<Self>, generation: u64, rules: Vec<Wanted>, anew: bool) -> Self {
        Self { generation, rules, anew: anew || waiting.is_some_and(|waiting| waiting.anew) }
    }
}

/// What rules have matched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Followed {
    /// Those of which that has changed; `None` for one that only a batch can tell of.
    pub counts: Vec<(RuleKey, Option<Summary>)>,
    /// Lines that rules have been asked of.
    pub lines: u64,
    /// Events among them that are within the range of time.
    pub events: u64,
    /// Bytes that have been read of how many, while rules wait for what has long been there.
    pub reading: Option<(u64, u64)>,
    /// What is wrong with the first line that is no event, once.
    pub left_out: Option<String>,
    /// Whether the files are not those that were followed: the dataset is another one.
    pub anew: bool,
}

/// Works until the slot is closed.
pub(super) fn run(requests: &Slot<Request>, root: Option<&Path>, range: TimeRange, report: &dyn Fn(Report)) {
    let Some(root) = root else { return };
    let Some(mut request) = requests.take() else { return };
    let mut follower = Follower::new(root, range, report);
    loop {
        follower.accept(request);
        loop {
            let patience = follower.go_on();
            match requests.take_within(patience) {
                Taken::Request(next) => {
                    request = next;
                    break;
                }
                Taken::Nothing => {}
                Taken::Closed => return,
            }
        }
    }
}

struct Follower<'a> {
    root: &'a Path,
    range: TimeRange,
    report: &'a dyn Fn(Report),
    generation: u64,
    rules: Vec<Wanted>,
    /// `None` where nothing is followed.
    live: Option<Live>,
    /// What was reported last, and when.
    told: Option<(Followed, Instant)>,
    /// Whether all counts are to be told, and not those alone that have changed.
    all: bool,
    left_out_told: bool,
    looked: Instant,
}

impl<'a> Follower<'a> {
    fn new(root: &'a Path, range: TimeRange, report: &'a dyn Fn(Report)) -> Self {
        Self {
            root,
            range,
            report,
            generation: 0,
            rules: Vec::new(),
            live: None,
            told: None,
            all: true,
            left_out_told: false,
            looked: Instant::now(),
        }
    }

    fn accept(&mut self, request: Request) {
        (self.generation, self.rules, self.all) = (request.generation, request.rules, true);
        if self.rules.is_empty() {
            self.live = None;
        } else if request.anew || self.live.is_none() {
            self.begin();
        } else {
            self.follow();
        }
    }

    /// Begins with the first line.
    fn begin(&mut self) {
        (self.all, self.left_out_told, self.looked) = (true, false, Instant::now());
        self.live = files(self.root).and_then(|files| Live::open(&files, self.range).ok());
        self.follow();
    }

    fn follow(&mut self) {
        let rules = self.rules.iter().map(|(_, compiled)| Arc::clone(compiled)).collect();
        if self.live.as_mut().is_some_and(|live| live.follow(rules).is_err()) {
            self.live = None;
        }
        self.told = None;
    }

    /// Reads on and reports; gives how long to wait.
    fn go_on(&mut self) -> Duration {
        let Some(live) = &mut self.live else { return LOOK };
        match live.step() {
            Ok(Step::Replaced) => self.other_files(),
            Ok(step) => {
                if self.looked.elapsed() >= LOOK && step == Step::Waiting {
                    self.look();
                }
                let read_all = step == Step::Waiting;
                self.tell(read_all);
                if read_all { WAIT } else { Duration::ZERO }
            }
            Err(_) => self.other_files(),
        }
    }

    /// Looks for files that have come, or gone.
    fn look(&mut self) {
        self.looked = Instant::now();
        let Some(live) = &mut self.live else { return };
        let files = files(self.root).unwrap_or_default();
        let new: Vec<&PathBuf> =
            files.iter().filter(|file| !live.files().any(|known| known == **file)).collect();
        let added = new.iter().all(|file| live.add(file).is_ok());
        let gone = live.files().any(|known| !files.iter().any(|file| file == known));
        if gone || !added {
            self.other_files();
        }
    }

    /// What was followed is no more: all begins anew, with the dataset.
    fn other_files(&mut self) -> Duration {
        self.begin();
        let found = Followed { anew: true, ..Followed::default() };
        (self.report)(Report::Followed { generation: self.generation, found });
        WAIT
    }

    /// Reports what is new, and not too often.
    fn tell(&mut self, read_all: bool) {
        let Some(live) = &mut self.live else { return };
        let is_time = self.told.as_ref().is_none_or(|(_, at)| at.elapsed() >= REPORT);
        let (progress, reading) = (live.progress(), live.reading());
        let state =
            Followed { lines: progress.lines, events: progress.events, reading, ..Followed::default() };
        let is_new = self.told.as_ref().is_none_or(|(told, _)| *told != state);
        if !is_new || !(is_time || (read_all && reading.is_none())) {
            return;
        }
        let left_out = progress.why.clone().filter(|_| !self.left_out_told);
        self.left_out_told |= left_out.is_some();
        let counts = live.counts(self.all);
        self.all &= counts.is_empty();
        let key = |rule: usize| self.rules.get(rule).map(|(key, _)| key.clone());
        let counts = counts.into_iter().filter_map(|count| Some((key(count.rule)?, count.summary))).collect();
        self.told = Some((state.clone(), Instant::now()));
        let found = Followed { counts, left_out, ..state };
        (self.report)(Report::Followed { generation: self.generation, found });
    }
}

/// The files, those among them whose last line is not complete; `None` where there are none.
fn files(root: &Path) -> Option<Vec<PathBuf>> {
    let (dataset, unfinished) = Dataset::discover_complete(root).ok()?;
    let mut files = dataset.files;
    files.extend(unfinished.into_iter().map(|file| file.path));
    files.sort();
    Some(files)
}
