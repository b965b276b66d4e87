//! Rules followed over files of lines that grow: at any time, what a batch over the lines so far would count.
//!
//! Each line is read once and asked all rules. Rules that come later, or change, are asked of the lines before by an
//! engine of their own, which joins the other one where that stands.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memchr::{memchr, memrchr};

use super::counting::{Sink, Tally};
use super::engine::Engine;
use super::event::Rejected;
use super::lines::{Input, Lines, MAX_LINE, Piece};
use super::rules::RuleSet;
use crate::backend::CompiledRule;
use crate::evaluate::{Summary, correlation_summary};
use crate::store::TimeRange;

/// Bytes that rules which are joining read at once.
const CHUNK: u64 = 256 << 10;

/// Pieces that they read for each one that the others read: who is behind has to be faster.
const PACE: u32 = 4;

/// Files differ in the numbers of their lines from this bit on.
const FILE_BIT: u32 = 40;

/// Files of lines, and the rules that are asked of them.
#[derive(Debug)]
pub(crate) struct Live {
    range: TimeRange,
    sources: Vec<Source>,
    /// Rules that have been asked of every line that was read, and perhaps such as nobody follows any more.
    settled: Asked,
    /// Rules that have not.
    joining: Option<Joining>,
    /// The rules that are followed.
    followed: Vec<Followed>,
    /// Whether all files have been read to their ends once.
    caught_up: bool,
    progress: Progress,
}

/// How far files are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Lines that are not empty.
    pub(crate) lines: u64,
    /// Events within the range of time.
    pub(crate) events: u64,
    /// Lines that are no OCSF events, or of another version.
    pub(crate) left_out: u64,
    /// What is wrong with the first of them.
    pub(crate) why: Option<String>,
}

/// What a rule has matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    /// Its place among the rules that are followed.
    pub(crate) rule: usize,
    /// What it has matched; `None` where that is for a batch to say.
    pub(crate) summary: Option<Summary>,
}

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It read.
    Read,
    /// There is nothing to read for now.
    Waiting,
    /// A file has another beginning now: all has to be begun anew.
    Replaced,
}

#[derive(Debug)]
struct Source {
    path: PathBuf,
    lines: Lines,
    /// How far rules have been asked, in bytes.
    offset: u64,
}

#[derive(Debug)]
struct Asked {
    rules: Vec<Arc<CompiledRule>>,
    engine: Engine,
    tallies: Vec<Tally>,
}

/// Where the count of a rule is, and the rule as it is now.
#[derive(Debug)]
struct Followed {
    rule: Arc<CompiledRule>,
    at: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Settled(usize),
    Joining(usize),
}

#[derive(Debug)]
struct Joining {
    asked: Asked,
    behind: Vec<Behind>,
}

/// A file that is read again up to where it has been read.
#[derive(Debug)]
struct Behind {
    file: File,
    /// Bytes that were read.
    read: u64,
    /// A line whose end was not.
    rest: Vec<u8>,
    lines: u64,
}

impl Live {
    /// Files, none of their lines read, and no rules.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) fn open(files: &[PathBuf], range: TimeRange) -> io::Result<Self> {
        Ok(Self {
            range,
            sources: files.iter().map(|path| Source::open(path)).collect::<io::Result<_>>()?,
            settled: Asked::new(Vec::new()),
            joining: None,
            followed: Vec::new(),
            caught_up: false,
            progress: Progress::default(),
        })
    }

    /// Follows another file besides, from its beginning.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn add(&mut self, path: &Path) -> io::Result<()> {
        let source = Source::open(path)?;
        if let Some(joining) = &mut self.joining {
            joining.behind.push(Behind::open(path)?);
        }
        self.sources.push(source);
        Ok(())
    }

    /// The files.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Path> {
        self.sources.iter().map(|source| source.path.as_path())
    }

    /// Follows these rules and no others. Those that ask what one has asked before go on with its count.
    ///
    /// # Errors
    /// A file cannot be read again.
    pub(crate) fn follow(&mut self, rules: Vec<Arc<CompiledRule>>) -> io::Result<()> {
        let is_same = |(known, new): (&Followed, &Arc<CompiledRule>)| asks(&known.rule) == asks(new);
        if self.followed.len() == rules.len() && self.followed.iter().zip(&rules).all(is_same) {
            return Ok(());
        }
        self.joining = None;
        let is_unread = self.sources.iter().all(|source| source.offset == 0);
        if is_unread {
            self.settled = Asked::new(rules.clone());
        }
        let known: BTreeMap<&str, usize> =
            self.settled.rules.iter().enumerate().map(|(place, rule)| (asks(rule), place)).collect();
        let mut new = Vec::new();
        let mut placed = |rule: Arc<CompiledRule>| {
            let at = known.get(asks(&rule)).map(|place| Place::Settled(*place)).unwrap_or_else(|| {
                new.push(Arc::clone(&rule));
                Place::Joining(new.len() - 1)
            });
            Followed { rule, at }
        };
        self.followed = rules.into_iter().map(&mut placed).collect();
        if !new.is_empty() {
            let behind =
                self.sources.iter().map(|source| Behind::open(&source.path)).collect::<io::Result<_>>()?;
            self.joining = Some(Joining { asked: Asked::new(new), behind });
        }
        Ok(())
    }

    /// Reads a piece of each file that has more, and of what joining rules have not read.
    ///
    /// # Errors
    /// A file cannot be read.
    pub(crate) fn step(&mut self) -> io::Result<Step> {
        let mut step = Step::Waiting;
        for at in 0..self.sources.len() {
            match self.step_of(at)? {
                Step::Replaced => return Ok(Step::Replaced),
                Step::Read => step = Step::Read,
                Step::Waiting => {}
            }
        }
        self.caught_up |= step == Step::Waiting;
        for _ in 0..PACE {
            if self.join()? {
                step = Step::Read;
            }
        }
        Ok(step)
    }

    fn step_of(&mut self, at: usize) -> io::Result<Step> {
        let Self { range, sources, settled, progress, .. } = self;
        let Some(source) = sources.get_mut(at) else { return Ok(Step::Waiting) };
        let mut piece = source.lines.next_piece()?;
        if piece == Piece::Waiting {
            if !source.lines.is_at_end() {
                return Ok(Step::Read);
            }
            let Some(last) = source.lines.unended() else { return Ok(Step::Waiting) };
            piece = last;
        }
        match piece {
            Piece::Lines { text, before, end } => {
                settled.take(&text, number(at, before), range, Some(progress));
                source.offset = end.offset;
                Ok(Step::Read)
            }
            Piece::TooLong { number, end } => {
                progress.leave_out(number, &Rejected::TooLong);
                source.offset = end.offset;
                Ok(Step::Read)
            }
            Piece::Replaced { .. } => Ok(Step::Replaced),
            Piece::Waiting | Piece::End { .. } => Ok(Step::Waiting),
        }
    }

    /// Lets joining rules read a piece; whether there was any.
    fn join(&mut self) -> io::Result<bool> {
        let Some(joining) = &mut self.joining else { return Ok(false) };
        for (at, (behind, source)) in joining.behind.iter_mut().zip(&self.sources).enumerate() {
            if behind.read < source.offset {
                behind.step(source.offset, at, &self.range, &mut joining.asked)?;
                return Ok(true);
            }
        }
        if let Some(joining) = self.joining.take() {
            self.joined(joining.asked);
        }
        Ok(true)
    }

    /// Makes one of two that have been asked of the same lines.
    fn joined(&mut self, mut new: Asked) {
        let old = &mut self.settled;
        let closed = old.engine.closed.max(new.engine.closed);
        for asked in [&mut *old, &mut new] {
            if let Some(closed) = closed {
                asked.engine.close(closed, &mut Sink::Tallies(&mut asked.tallies));
            }
        }
        let from: Vec<_> = self.followed.iter().map(|followed| followed.at.number()).collect();
        let all = [&*old, &new];
        let tallies = from.iter().map(|(asked, place)| {
            let tally = all.get(*asked).and_then(|asked| asked.tallies.get(*place));
            Tally { touched: true, ..tally.copied().unwrap_or_default() }
        });
        let tallies = tallies.collect();
        let rules: Vec<_> = self.followed.iter().map(|followed| Arc::clone(&followed.rule)).collect();
        let engine = Engine::joined(RuleSet::counted(&rules), [&old.engine, &new.engine], &from);
        self.settled = Asked { rules, engine, tallies };
        for (place, followed) in self.followed.iter_mut().enumerate() {
            followed.at = Place::Settled(place);
        }
    }

    /// How many bytes are read of how many, while rules wait for what has long been there.
    pub(crate) fn reading(&self) -> Option<(u64, u64)> {
        let read = self.sources.iter().map(|source| source.offset).sum();
        match &self.joining {
            _ if !self.caught_up => {
                let length = |source: &Source| source.path.metadata().map_or(0, |metadata| metadata.len());
                Some((read, self.sources.iter().map(length).sum::<u64>().max(read)))
            }
            Some(joining) => Some((joining.behind.iter().map(|behind| behind.read).sum(), read)),
            None => None,
        }
    }

    /// How far files are read.
    pub(crate) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// What rules have matched that have been asked of every line: all of them, or those of which it has changed since it
    /// was told last.
    pub(crate) fn counts(&mut self, all: bool) -> Vec<Count> {
        if !self.caught_up {
            return Vec::new();
        }
        let Self { followed, settled, .. } = self;
        let mut counts = Vec::new();
        for (rule, followed) in followed.iter().enumerate() {
            let Place::Settled(place) = followed.at else { continue };
            if all || settled.tallies.get(place).is_some_and(|tally| tally.touched) {
                counts.push(Count { rule, summary: settled.summary(place) });
            }
        }
        settled.tallies.iter_mut().for_each(|tally| tally.touched = false);
        counts
    }
}

impl Place {
    /// Which of the two, and where.
    fn number(self) -> (usize, usize) {
        match self {
            Self::Settled(place) => (0, place),
            Self::Joining(place) => (1, place),
        }
    }
}

impl Source {
    fn open(path: &Path) -> io::Result<Self> {
        let input = Input::File { path: path.to_owned(), follow: true };
        Ok(Self { path: path.to_owned(), lines: Lines::open(&input, None)?, offset: 0 })
    }
}

impl Asked {
    fn new(rules: Vec<Arc<CompiledRule>>) -> Self {
        let set = RuleSet::counted(&rules);
        let mut tallies = vec![Tally::default(); rules.len()];
        for unusable in set.unusable() {
            tallies.get_mut(unusable.rule).into_iter().for_each(|tally| tally.undecided = true);
        }
        Self { rules, engine: Engine::counting(set), tallies }
    }

    /// Asks the rules of lines, the first of that number.
    fn take(&mut self, text: &[u8], first: u64, range: &TimeRange, mut progress: Option<&mut Progress>) {
        let mut rest = text;
        let mut number = first;
        while !rest.is_empty() {
            let (line, behind) = rest.split_at(memchr(b'\n', rest).unwrap_or(rest.len()));
            rest = behind.get(1..).unwrap_or_default();
            number += 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            let counted = self.engine.count(line, number, range, &mut self.tallies);
            if let Some(progress) = &mut progress {
                progress.take(number, counted);
            }
        }
        self.engine.relieve(&mut self.tallies);
    }

    fn summary(&self, place: usize) -> Option<Summary> {
        let tally = self.tallies.get(place).filter(|tally| !tally.undecided)?;
        let open = correlation_summary(&self.engine.open_windows(place).ok()?);
        Some(tally.summary.and(open))
    }
}

impl Behind {
    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, read: 0, rest: Vec::new(), lines: 0 })
    }

    /// Reads on, and not beyond `until`, which is the end of a line.
    fn step(&mut self, until: u64, at: usize, range: &TimeRange, asked: &mut Asked) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.read))?;
        let read = (&mut self.file).take(CHUNK.min(until - self.read)).read_to_end(&mut self.rest)?;
        if read == 0 {
            // It was cut, which whoever reads on finds out as well.
            self.read = until;
            return Ok(());
        }
        self.read += read as u64;
        let end = match memrchr(b'\n', &self.rest) {
            _ if self.read == until => self.rest.len(),
            Some(end) => end + 1,
            None => return Ok(()),
        };
        let behind = self.rest.split_off(end);
        let text = std::mem::replace(&mut self.rest, behind);
        if text.len() <= MAX_LINE {
            asked.take(&text, number(at, self.lines), range, None);
        }
        self.lines += memchr::memchr_iter(b'\n', &text).count() as u64;
        Ok(())
    }
}

impl Progress {
    fn take(&mut self, number: u64, counted: Result<bool, Rejected>) {
        self.lines += 1;
        match counted {
            Ok(is_within) => self.events += u64::from(is_within),
            Err(rejected) => self.leave_out(number & ((1 << FILE_BIT) - 1), &rejected),
        }
    }

    fn leave_out(&mut self, number: u64, rejected: &Rejected) {
        self.left_out += 1;
        self.why.get_or_insert_with(|| format!("line {number}: {rejected}"));
    }
}

/// The number of a line among those of all files.
fn number(file: usize, line: u64) -> u64 {
    ((file as u64) << FILE_BIT) + line
}

/// What tells whether two rules ask the same.
fn asks(rule: &CompiledRule) -> &str {
    rule.sql.as_ref().map_or("", |sql| &sql.text)
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
