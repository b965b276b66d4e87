//! What the loop waits for, all on one channel.

use std::io;
use std::sync::mpsc::{self, Sender};
use std::thread;

use crossterm::event::{Event as Input, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};

use super::action::{Action, Changed};
use super::command;
use super::model::Model;
use super::worker::Report;

/// Lines that one step of the wheel scrolls.
const WHEEL: isize = 3;

/// Something for the loop.
#[derive(Debug)]
pub(super) enum Event {
    /// The terminal: keys, mouse, paste, size.
    Input(Input),
    /// The terminal cannot be read any more.
    InputEnded(io::Error),
    /// A signal asks the program to end, by its number.
    Ended(i32),
    /// A signal asks it to stop until it is continued.
    Stopped,
    /// It has been continued.
    Continued,
    /// Files changed on disk.
    Changed(Changed),
    /// A worker has something to say.
    Report(Report),
    /// A thread has ended that never should.
    Died(&'static str),
}

/// Reads the terminal until it ends. The thread stays in its last read when the program leaves.
///
/// After a key it reads on only once the loop says so through what is given here: what the key begins may need the
/// terminal for itself, as an editor does.
pub(super) fn read_input(events: Sender<Event>) -> io::Result<Sender<()>> {
    let (go_on, handled) = mpsc::channel();
    thread::Builder::new().name("input".to_owned()).spawn(move || {
        loop {
            let event = match crossterm::event::read() {
                Ok(input) => Event::Input(input),
                Err(error) => Event::InputEnded(error),
            };
            let ended = matches!(event, Event::InputEnded(_));
            let is_key = is_key(&event);
            if events.send(event).is_err() || ended || (is_key && handled.recv().is_err()) {
                return;
            }
        }
    })?;
    Ok(go_on)
}

/// Whether the input thread waits until this has been handled.
pub(super) fn is_key(event: &Event) -> bool {
    matches!(event, Event::Input(Input::Key(_)))
}

/// What input means on the screen as it is.
pub(super) fn action_for(model: &Model, input: Input) -> Option<Action> {
    match input {
        Input::Key(key) if key.kind != KeyEventKind::Release => command::action_for(model, key),
        Input::Mouse(mouse) => mouse_action(mouse),
        Input::Paste(text) => command::action_for_text(model, text),
        Input::Resize(columns, rows) => Some(Action::Resize(columns, rows)),
        _ => None,
    }
}

fn mouse_action(MouseEvent { kind, column, row, .. }: MouseEvent) -> Option<Action> {
    match kind {
        MouseEventKind::Down(MouseButton::Left) => Some(Action::Click(column, row)),
        MouseEventKind::ScrollDown => Some(Action::Wheel(column, row, WHEEL)),
        MouseEventKind::ScrollUp => Some(Action::Wheel(column, row, -WHEEL)),
        _ => None,
    }
}
