//! The loop of a stream: lines, changed rules and the clock in, detections and checkpoints out.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, channel, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use memchr::memchr;

use super::super::CliError;
use super::reload::{Reload, Rules};
use super::report::Report;
use crate::stream::{Checkpoint, Engine, Lines, Output, Piece, Position, Rejected};
use crate::watch::{Changes, WatchNotice, Watcher};

/// Pieces that wait to be read: the rest waits in the input, and so does who fills it.
const QUEUE: usize = 8;

/// How long detections wait at most until they can be seen, and how often the clock is looked at.
const TICK: Duration = Duration::from_millis(200);

/// How long to wait at the end of a file that may grow.
const WAIT: Duration = Duration::from_millis(100);

/// A stream, and all that it has to do with.
pub(super) struct Session<'a> {
    pub(super) engine: Engine,
    pub(super) output: Output,
    pub(super) report: Report,
    /// How far the input is worked off.
    pub(super) position: Position,
    pub(super) checkpoint: Option<&'a Path>,
    pub(super) checkpoint_every: Duration,
    /// Silence after which event time passes as the clock does.
    pub(super) idle_after: Option<Duration>,
}

enum Message {
    Piece(Piece),
    Unreadable(io::Error),
    Rules(Result<Box<Rules>, CliError>),
    Notice(WatchNotice),
}

/// What a piece of input means for the loop.
#[derive(PartialEq, Eq)]
enum Next {
    GoOn,
    End,
}

impl Session<'_> {
    /// Runs until the input ends.
    pub(super) fn run(mut self, lines: Lines, reload: Option<Reload<'_>>) -> Result<(), CliError> {
        let (sender, messages) = sync_channel(QUEUE);
        // It may be blocked on standard input for good, and nobody waits for it.
        let pieces = sender.clone();
        thread::Builder::new().name("lines".to_owned()).spawn(move || pump(lines, &pieces))?;
        thread::scope(move |scope| {
            let (changed, changes) = channel::<()>();
            let watcher = reload.map(|reload| -> Result<_, CliError> {
                let notices = sender.clone();
                // Nobody listens any more once the input has ended.
                let on_change = move |changes: Changes| {
                    if let Some(notice) = changes.notice {
                        let _ = notices.send(Message::Notice(notice));
                    }
                    let _ = changed.send(());
                };
                let started = Watcher::start(reload.watched()?, on_change);
                let watcher = started.map_err(|error| CliError::Data(error.to_string()))?;
                watcher.follow();
                scope.spawn(move || compile(reload, &changes, &sender));
                Ok(watcher)
            });
            let _watcher = watcher.transpose()?;
            // With its receiver gone, whoever waits to send stops.
            self.work_off(messages)
        })
    }

    fn work_off(&mut self, messages: Receiver<Message>) -> Result<(), CliError> {
        let (mut flushed, mut kept, mut heard) = (Instant::now(), Instant::now(), Instant::now());
        let mut is_kept = true;
        loop {
            let message = match messages.try_recv() {
                Ok(message) => Some(message),
                Err(TryRecvError::Disconnected) => return Err(ended()),
                Err(TryRecvError::Empty) => {
                    self.output.flush()?;
                    match messages.recv_timeout(TICK) {
                        Ok(message) => Some(message),
                        Err(RecvTimeoutError::Timeout) => None,
                        Err(RecvTimeoutError::Disconnected) => return Err(ended()),
                    }
                }
            };
            let now = Instant::now();
            match message {
                Some(Message::Piece(Piece::Waiting)) | None => {
                    is_kept &= !self.idle(now.duration_since(heard))?
                }
                Some(Message::Piece(piece)) => {
                    (heard, is_kept) = (now, false);
                    if self.take(piece)? == Next::End {
                        return self.finish();
                    }
                }
                Some(Message::Unreadable(error)) => {
                    return Err(CliError::Data(format!("the input: {error}")));
                }
                Some(Message::Rules(rules)) => self.change_rules(rules),
                Some(Message::Notice(notice)) => self.report.kept_old(&notice),
            }
            if now.duration_since(flushed) >= TICK {
                self.output.flush()?;
                flushed = now;
                self.report.figures(self.engine.figures(), self.engine.given_up());
            }
            if !is_kept && now.duration_since(kept) >= self.checkpoint_every {
                self.keep()?;
                (kept, is_kept) = (now, true);
            }
        }
    }

    fn take(&mut self, piece: Piece) -> Result<Next, CliError> {
        match piece {
            Piece::Lines { text, before, end } => {
                let mut rest = text.as_slice();
                let mut number = before;
                while !rest.is_empty() {
                    let end = memchr(b'\n', rest).unwrap_or(rest.len());
                    let (line, behind) = rest.split_at(end);
                    number += 1;
                    self.line(line, number)?;
                    rest = behind.get(1..).unwrap_or_default();
                }
                self.position = end;
            }
            Piece::TooLong { number, end } => {
                self.engine.reject();
                self.report.rejected(number, &Rejected::TooLong);
                self.position = end;
            }
            Piece::Replaced { end } => {
                self.report.replaced();
                self.position = end;
            }
            Piece::Waiting => {}
            Piece::End { last } => {
                // Of what the end alone decides, nothing is kept: the input may have grown when it is read again.
                self.keep()?;
                self.line(&last, self.position.lines + 1)?;
                return Ok(Next::End);
            }
        }
        Ok(Next::GoOn)
    }

    fn line(&mut self, line: &[u8], number: u64) -> io::Result<()> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let mut asked = Ok(());
        self.emit(|engine, emit| asked = engine.line(line, number, emit))?;
        if let Err(rejected) = asked {
            self.report.rejected(number, &rejected);
        }
        Ok(())
    }

    /// Event time passes as the clock does, once nothing has come for a while. Whether a window fired by that.
    fn idle(&mut self, silent: Duration) -> Result<bool, CliError> {
        let before = self.engine.figures().detections;
        if self.idle_after.is_some_and(|after| silent >= after) {
            let milliseconds = u32::try_from(silent.as_millis()).unwrap_or(u32::MAX);
            self.emit(|engine, emit| engine.idle(milliseconds, emit))?;
        }
        Ok(self.engine.figures().detections > before)
    }

    fn emit(&mut self, ask: impl FnOnce(&mut Engine, &mut dyn FnMut(&[u8]))) -> io::Result<()> {
        let mut written = Ok(());
        let output = &mut self.output;
        ask(&mut self.engine, &mut |line| {
            if written.is_ok() {
                written = output.line(line);
            }
        });
        written
    }

    fn change_rules(&mut self, rules: Result<Box<Rules>, CliError>) {
        match rules {
            Ok(rules) => {
                self.report.reloaded(&rules);
                self.engine.change_rules(rules.set);
            }
            Err(why) => self.report.kept_old(&why),
        }
    }

    /// Keeps where the stream stands: first what was written, then that it was.
    fn keep(&mut self) -> Result<(), CliError> {
        let Some(path) = self.checkpoint else { return Ok(()) };
        let length = self.output.sync()?;
        Checkpoint::new(self.position.clone(), length, self.engine.state())
            .write(path)
            .map_err(|error| CliError::Data(error.to_string()))
    }

    fn finish(&mut self) -> Result<(), CliError> {
        self.emit(|engine, emit| engine.finish(emit))?;
        self.output.flush()?;
        self.report.figures(self.engine.figures(), self.engine.given_up());
        self.report.finished(self.engine.figures());
        self.report.failure(self.engine.figures()).map_or(Ok(()), |why| Err(CliError::Data(why)))
    }
}

fn ended() -> CliError {
    CliError::Data("the thread that reads the input has ended unexpectedly; this is a bug".to_owned())
}

/// Hands on what the input gives, and waits where nobody takes it.
fn pump(mut lines: Lines, messages: &SyncSender<Message>) {
    loop {
        let (message, last) = match lines.next_piece() {
            Ok(Piece::Waiting) => {
                thread::sleep(WAIT);
                continue;
            }
            Ok(piece) => {
                let last = matches!(piece, Piece::End { .. });
                (Message::Piece(piece), last)
            }
            Err(error) => (Message::Unreadable(error), true),
        };
        if messages.send(message).is_err() || last {
            return;
        }
    }
}

/// Compiles whenever something has changed, until nobody watches any more.
fn compile(mut reload: Reload<'_>, changes: &Receiver<()>, messages: &SyncSender<Message>) {
    while changes.recv().is_ok() {
        while changes.try_recv().is_ok() {}
        if messages.send(Message::Rules(reload.rules().map(Box::new))).is_err() {
            return;
        }
    }
}
