//! The terminal screen: rule list, source, route and aliases, SQL, matches.
//!
//! ```text
//! keys, mouse, watcher, workers ─► Action ─► update(Model) ─► Effects ─► workers
//!                                              │
//!                                              └─► draw(&Model)
//! ```
//!
//! Knows how to show what the other rooms find out, and nothing of how they do. Talks to the dataset through
//! [`crate::store`] and [`crate::evaluate`] alone.

mod action;
mod answers;
mod app;
mod clipboard;
mod command;
mod editor;
mod event;
mod highlight;
mod key;
mod keymap;
pub(crate) mod memory;
mod model;
mod places;
mod signal;
mod terminal;
pub(crate) mod text;
mod theme;
mod update;
mod view;
mod worker;
mod workspace;

#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{self, Sender};

use crate::bridge::Settings;
use crate::pack::{self, PackSource};
use crate::store::{self, TimeRange};
use crate::watch::{Changes, Inputs, Watcher};

use app::App;
use event::Event;
use model::Model;
use places::Places;
use terminal::Screen;
pub use theme::ThemeListing;
use theme::{Shelf, Surroundings};
use worker::{Report, Workers};

/// What the screen shows.
#[derive(Clone, Debug)]
pub struct Options {
    /// Rule files, and folders of them.
    pub rules: Vec<PathBuf>,
    /// The dataset; without one, rules are compiled and not run.
    pub dataset: Option<PathBuf>,
    /// Which of the dataset's events are read.
    pub range: TimeRange,
    /// The mapping pack.
    pub pack: PackSource,
    /// What is switched on.
    pub settings: Settings,
    /// Threads of the DuckDB session.
    pub threads: u32,
    /// A theme by name, such as `dark`, `light` or `none`; `None` to ask the terminal.
    pub theme: Option<String>,
    /// Whether the terminal's bell rings at new matches.
    pub bell: bool,
    /// Whether the terminal's title says how many there are.
    pub title: bool,
    /// Whether what rules answered is kept, and taken from what was kept before.
    pub cache: bool,
}

/// The keys of every command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// All of them, as a `keys.yaml`.
    pub text: String,
    /// What is wrong in the user's own file, with the places.
    pub findings: Vec<String>,
}

/// The keys of every command as the screen reads them now, or as they are shipped.
#[must_use]
pub fn keys(shipped: bool) -> Keys {
    let places = Places::detect();
    let (keymap, findings) = if shipped { (None, Vec::new()) } else { keymap::load(&places) };
    Keys {
        text: keymap::print(&keymap.unwrap_or_default(), &places),
        findings: findings.iter().map(ToString::to_string).collect(),
    }
}

/// Themes beside the working folder come before the user's own, those before the shipped.
fn theme_folders(places: &Places) -> Vec<PathBuf> {
    [Some(PathBuf::from("themes")), places.config.as_ref().map(|folder| folder.join("themes"))]
        .into_iter()
        .flatten()
        .collect()
}

/// Why the screen cannot be shown any longer, or at all.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// There is no terminal to draw on or to read from.
    #[error("the screen needs a terminal, for input and for output; 'check' prints the same facts anywhere")]
    NotATerminal,
    /// The terminal failed.
    #[error("the terminal failed: {0}")]
    Terminal(#[from] io::Error),
    /// A thread ended that the screen cannot do without.
    #[error("the {0} thread has ended unexpectedly; this is a bug")]
    Thread(&'static str),
    /// A signal asked the program to end, by its number. The terminal is given back; what is left is to die of it.
    #[error("ended by signal {0}")]
    Signal(i32),
}

/// Shows the screen until the user leaves. The terminal is given back in any case.
///
/// # Errors
/// There is no terminal, or it fails; a thread cannot be started or panics.
pub fn run(options: Options) -> Result<(), TuiError> {
    // Asks the terminal, and so comes before anything that reads from it.
    let around = Surroundings::detect();
    let places = Places::detect();
    let (shelf, theme) = Shelf::open(options.theme.as_deref(), theme_folders(&places), around);
    let screen = Screen::take()?;
    let mut model = Model::new(screen.size()?, theme);
    model.open(&options);
    model.recent = memory::recent(&places).into_iter().map(workspace::Workspace::from).collect();
    let (keymap, findings) = keymap::load(&places);
    model.keymap = keymap.unwrap_or_default();
    model.notices.extend(findings.iter().rev().map(ToString::to_string));
    memory::recall(&places, &options, &mut model);
    model.live.bell = options.bell;
    let titled = options.title;
    let (sender, events) = mpsc::channel();
    let workers = Workers::start(options.clone(), &places, &sender)?;
    signal::listen(&sender)?;
    let input = event::read_input(sender.clone())?;
    let (theme_said, busy_since) = (Vec::new(), None);
    let mut app = App {
        model,
        screen,
        events,
        input,
        workers,
        options,
        places,
        shelf,
        theme_said,
        watcher: None,
        sender,
        clicks: event::Clicks::default(),
        busy_since,
        titled,
        run_since: None,
    };
    app.dress(None);
    let ended = app.run();
    // With the screen gone nobody could be told, and nothing but the next start depends on it.
    let _ = memory::keep(&app.places, &app.options, &app.model);
    ended
}

/// The themes that can be chosen by name.
#[must_use]
pub fn themes() -> Vec<ThemeListing> {
    theme::listed(&theme_folders(&Places::detect()))
}

/// Looks at the inputs, to watch them once they have been read. What does not work is said on the status line.
fn watch(options: &Options, places: &Places, sender: &Sender<Event>) -> Option<Watcher> {
    let inputs = Inputs {
        rules: options.rules.clone(),
        pack: pack::folders(&options.pack),
        dataset: options.dataset.as_deref().map(store::watched),
        extra: theme_folders(places).into_iter().chain(keymap::path(places)).collect(),
    };
    // A loop that has ended hears nothing any more, and needs not.
    let notify = |sender: &Sender<Event>, notice: String| {
        drop(sender.send(Event::Report(Report::Notice(notice))));
    };
    let (events, places) = (sender.clone(), places.clone());
    let on_change = move |changes: Changes| {
        if changes.extra {
            let (keymap, findings) = keymap::load(&places);
            drop(events.send(Event::Report(Report::Keys { keymap, findings })));
        }
        if let Some(notice) = &changes.notice {
            notify(&events, notice.to_string());
        }
        drop(events.send(Event::Changed(changes.into())));
    };
    let watcher = Watcher::start(inputs, on_change);
    watcher.map_err(|error| notify(sender, format!("{error}; 'reload' reads everything again"))).ok()
}
