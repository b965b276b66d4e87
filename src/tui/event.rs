//! What the loop waits for, all on one channel.

use std::io;
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crossterm::event::{Event as Input, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};

use super::action::{Action, Changed};
use super::command;
use super::model::Model;
use super::worker::Report;

/// Lines that one step of the wheel scrolls.
const WHEEL: isize = 3;

/// Two clicks on one place that are nearer in time are a double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);

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
pub(super) fn action_for(model: &Model, clicks: &mut Clicks, input: Input) -> Option<Action> {
    match input {
        Input::Key(key) if key.kind != KeyEventKind::Release => command::action_for(model, key),
        Input::Mouse(mouse) => mouse_action(clicks, mouse, Instant::now()),
        Input::Paste(text) => command::action_for_text(model, text),
        Input::Resize(columns, rows) => Some(Action::Resize(columns, rows)),
        _ => None,
    }
}

/// What tells a second click from a first one.
#[derive(Debug, Default)]
pub(super) struct Clicks {
    last: Option<(Instant, u16, u16)>,
}

impl Clicks {
    /// Whether a click is the second of a pair; a third one begins anew.
    fn is_second(&mut self, column: u16, row: u16, now: Instant) -> bool {
        let second = self.last.take().is_some_and(|(then, last_column, last_row)| {
            (last_column, last_row) == (column, row) && now.duration_since(then) <= DOUBLE_CLICK
        });
        self.last = (!second).then_some((now, column, row));
        second
    }
}

fn mouse_action(clicks: &mut Clicks, mouse: MouseEvent, now: Instant) -> Option<Action> {
    let MouseEvent { kind, column, row, .. } = mouse;
    match kind {
        MouseEventKind::Down(MouseButton::Left) if clicks.is_second(column, row, now) => {
            Some(Action::DoubleClick(column, row))
        }
        MouseEventKind::Down(MouseButton::Left) => Some(Action::Click(column, row)),
        MouseEventKind::Drag(MouseButton::Left) => Some(Action::Drag(column, row)),
        MouseEventKind::Up(MouseButton::Left) => Some(Action::Release),
        MouseEventKind::ScrollDown => Some(Action::Wheel(column, row, WHEEL)),
        MouseEventKind::ScrollUp => Some(Action::Wheel(column, row, -WHEEL)),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn two_clicks_on_one_place_are_a_double_click_and_three_begin_anew() {
        let mut clicks = Clicks::default();
        let start = Instant::now();
        let at = |milliseconds| start + Duration::from_millis(milliseconds);
        let told = [(3, 0), (3, 300), (3, 500), (3, 1_000), (4, 1_100), (4, 1_101)];
        let told = told.map(|(column, time)| clicks.is_second(column, 7, at(time)));
        assert_eq!(told, [false, true, false, false, false, true]);
    }
}
