//! The loop: waits for events, updates the model, hands effects to the workers, draws.
//!
//! It blocks while nothing happens; everything that waits is taken in before a frame is drawn, and frames are at
//! least [`FRAME`] apart.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError};
use std::time::{Duration, Instant};

use super::action::Action;
use super::editor;
use super::event::{self, Clicks, Event};
use super::memory;
use super::model::Model;
use super::places::Places;
use super::signal;
use super::terminal::{self, Screen};
use super::theme::{Shelf, Theme};
use super::update::{EditorPlace, Effect, editor_closed, refresh, start, update};
use super::view::{self, SPIN};
use super::worker::{Report, Workers};
use super::workspace::{self, Workspace};
use super::{Options, TuiError};
use crate::watch::Watcher;

/// The least time between two frames.
const FRAME: Duration = Duration::from_millis(16);

/// The time after which a frame is drawn in any case, however much waits to be taken in.
const LATEST: Duration = Duration::from_millis(100);

/// Work that takes longer is mentioned.
const MENTION_AFTER: Duration = Duration::from_millis(100);

/// The program while it runs.
pub(super) struct App {
    pub model: Model,
    pub screen: Screen,
    pub events: Receiver<Event>,
    /// Lets the input thread read on after a key.
    pub input: Sender<()>,
    pub workers: Workers,
    /// The clicks of the mouse.
    pub clicks: Clicks,
    /// What it was started with; another workspace takes the place of what it names.
    pub options: Options,
    pub places: Places,
    /// The theme in use.
    pub shelf: Shelf,
    /// Follows the files of what is open.
    pub watcher: Option<Watcher>,
    /// What is said of it among the notices.
    pub theme_said: Vec<String>,
    /// Where workers and the watcher send to.
    pub sender: Sender<Event>,
    /// Since when something has been under way.
    pub busy_since: Option<Instant>,
    /// Whether the terminal's title is set.
    pub titled: bool,
    /// Which run of all rules is under way, and since when.
    pub run_since: Option<(u64, Instant)>,
}

impl App {
    /// Runs until the user leaves.
    pub(super) fn run(&mut self) -> Result<(), TuiError> {
        self.watcher = super::watch(&self.options, &self.places, &self.sender);
        let mut effects = start(&mut self.model);
        effects.extend(refresh(&mut self.model));
        // The first frame waits for nothing.
        self.screen.draw(&self.model)?;
        self.watcher.iter().for_each(Watcher::looked);
        if self.perform(effects)?.is_break() {
            return Ok(());
        }
        loop {
            let effects = refresh(&mut self.model);
            let _ = self.perform(effects);
            self.tell_time();
            self.screen.draw(&self.model)?;
            if self.titled {
                self.screen.set_title(&view::terminal_title(&self.model))?;
            }
            let drawn = Instant::now();
            if self.take_in(drawn)?.is_break() {
                return Ok(());
            }
        }
    }

    /// Lets the model know how long things have taken.
    fn tell_time(&mut self) {
        let run = self.model.generations.summaries;
        let (_, began) = *match &mut self.run_since {
            Some(since) if since.0 == run => since,
            other => other.insert((run, Instant::now())),
        };
        let work = &mut self.model.work;
        work.run_elapsed = began.elapsed();
        work.elapsed = self.busy_since.map_or(Duration::ZERO, |since| since.elapsed());
    }

    /// Waits for something to happen, and takes in all that does until the next frame is due.
    fn take_in(&mut self, drawn: Instant) -> Result<ControlFlow<()>, TuiError> {
        let first = self.wait()?;
        if self.handle(first)?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
        loop {
            if drawn.elapsed() > LATEST {
                return Ok(ControlFlow::Continue(()));
            }
            let next = match FRAME.checked_sub(drawn.elapsed()) {
                Some(left) => self.events.recv_timeout(left).ok(),
                None => self.next_waiting()?,
            };
            let Some(event) = next else { return Ok(ControlFlow::Continue(())) };
            if self.handle(Some(event))?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
    }

    fn next_waiting(&self) -> Result<Option<Event>, TuiError> {
        match self.events.try_recv() {
            Ok(event) => Ok(Some(event)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(TuiError::Thread("input")),
        }
    }

    /// The next event; none when what is under way has to be mentioned, and then each time the spinner turns.
    fn wait(&mut self) -> Result<Option<Event>, TuiError> {
        let work = self.model.work;
        let patience = self.busy_since.filter(|_| work.is_under_way()).map(|since| match work.mentioned {
            false => MENTION_AFTER.saturating_sub(since.elapsed()),
            true => SPIN,
        });
        let received = match patience {
            Some(patience) => self.events.recv_timeout(patience),
            None => self.events.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match received {
            Ok(event) => Ok(Some(event)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(TuiError::Thread("input")),
        }
    }

    fn handle(&mut self, event: Option<Event>) -> Result<ControlFlow<()>, TuiError> {
        let is_key = event.as_ref().is_some_and(event::is_key);
        let flow = self.act_on(event);
        if is_key {
            // A reader that has ended says so itself.
            let _ = self.input.send(());
        }
        flow
    }

    fn act_on(&mut self, event: Option<Event>) -> Result<ControlFlow<()>, TuiError> {
        let action = match event {
            None => Some(Action::MentionWork),
            Some(Event::Input(input)) => event::action_for(&self.model, &mut self.clicks, input),
            Some(Event::Changed(changed)) => {
                if changed.extra {
                    let theme = self.shelf.look_again();
                    self.dress(theme);
                }
                Some(Action::FilesChanged(changed))
            }
            Some(Event::Report(Report::RulesRead)) => {
                self.watcher.iter().for_each(Watcher::follow);
                self.workers.load_grammars();
                None
            }
            Some(Event::Report(report)) => Some(Action::Worker(report)),
            Some(Event::InputEnded(error)) => return Err(error.into()),
            Some(Event::Ended(signal)) => return Err(TuiError::Signal(signal)),
            Some(Event::Stopped) => {
                terminal::give_back();
                signal::stop()?;
                None
            }
            Some(Event::Continued) => Some(self.take_again()?),
            Some(Event::Died(name)) => return Err(TuiError::Thread(name)),
        };
        let Some(action) = action else { return Ok(ControlFlow::Continue(())) };
        let effects = update(&mut self.model, action);
        self.perform(effects)
    }

    fn perform(&mut self, effects: Vec<Effect>) -> Result<ControlFlow<()>, TuiError> {
        for effect in effects {
            match effect {
                Effect::Quit => return Ok(ControlFlow::Break(())),
                Effect::Copy { what, text } => {
                    let said = self.screen.copy(what, &text);
                    self.model.notices.push(said);
                }
                Effect::Bell => self.screen.ring()?,
                Effect::OpenEditor(place) => self.edit(&place)?,
                Effect::UseTheme(name) => {
                    let theme = self.shelf.choose(&name);
                    self.dress(theme);
                }
                Effect::OpenWorkspace(workspace) => return self.open(workspace),
                Effect::OpenDemo => match workspace::demo(self.places.state.as_deref()) {
                    Ok(demo) => return self.open(demo),
                    Err(error) => self.model.notices.push(format!("the demo cannot be written: {error}")),
                },
                Effect::Suspend => {
                    terminal::give_back();
                    signal::stop_all()?;
                }
                effect => self.workers.perform(effect),
            }
        }
        match self.model.work.is_under_way() {
            true => drop(self.busy_since.get_or_insert_with(Instant::now)),
            false => self.busy_since = None,
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Takes over another theme, where there is one, and says what is wrong with it instead of what was before.
    pub(super) fn dress(&mut self, theme: Option<Theme>) {
        let Model { notices, .. } = &mut self.model;
        notices.retain(|notice| !self.theme_said.contains(notice));
        notices.extend(self.shelf.said().iter().cloned());
        self.theme_said = self.shelf.said().to_vec();
        self.model.own_themes = self.shelf.own();
        if let Some(theme) = theme {
            self.model.theme = theme;
        }
    }

    /// Opens another workspace in place of this one.
    fn open(&mut self, workspace: Workspace) -> Result<ControlFlow<()>, TuiError> {
        let options = workspace.options(&self.options);
        self.watcher = None;
        self.watcher = super::watch(&options, &self.places, &self.sender);
        self.workers = Workers::start(options.clone(), &self.places, &self.sender)?;
        let mut model = Model::new(self.screen.size()?, self.model.theme.clone());
        model.generations = self.model.generations.after();
        model.recent = std::mem::take(&mut self.model.recent);
        model.keymap = self.model.keymap.clone();
        model.open(&options);
        model.live.bell = self.model.live.bell;
        // As on leaving: nothing depends on it.
        let _ = memory::keep(&self.places, &self.options, &self.model);
        memory::recall(&self.places, &options, &mut model);
        self.model = model;
        self.options = options;
        self.dress(None);
        let effects = start(&mut self.model);
        self.watcher.iter().for_each(Watcher::looked);
        self.perform(effects)
    }

    /// Takes the terminal again after a stop. It may have another size by now.
    fn take_again(&mut self) -> Result<Action, TuiError> {
        self.screen.lend(|| ())?;
        let (columns, rows) = self.screen.size()?;
        Ok(Action::Resize(columns, rows))
    }

    /// Leaves the terminal to the user's editor until it ends.
    fn edit(&mut self, place: &EditorPlace) -> Result<(), TuiError> {
        let ended = match editor::command(place) {
            Ok(command) => self.screen.lend(|| editor::run(command))?,
            Err(error) => Err(error),
        };
        let size = self.screen.size()?;
        editor_closed(&mut self.model, size, ended);
        Ok(())
    }
}
