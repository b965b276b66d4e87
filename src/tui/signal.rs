//! Signals, and a terminal that goes away: what ends or stops the program without a key.
//!
//! While the terminal is ours, the loop acts on a signal, so that the terminal is given back first. While it is lent
//! to an editor, or given back already, a signal does what it would do without us.

use std::io;
use std::sync::mpsc::Sender;
use std::thread;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::process::{Signal, kill_current_process_group};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

use super::event::Event;
use super::terminal;

/// Tells the loop of signals, and of the terminal's end. The threads stay until the process ends.
pub(super) fn listen(events: &Sender<Event>) -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGCONT])?;
    let to_loop = events.clone();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            let event = match signal {
                SIGCONT => Event::Continued,
                _ if !terminal::is_taken() => {
                    act_by_default(signal);
                    continue;
                }
                SIGTSTP => Event::Stopped,
                other => Event::Ended(other),
            };
            // A loop that has ended hears nothing any more, and needs not.
            drop(to_loop.send(event));
        }
    })?;
    let to_loop = events.clone();
    thread::Builder::new().name("hangup".to_owned()).spawn(move || {
        let error = hangup();
        drop(to_loop.send(Event::InputEnded(error)));
    })?;
    Ok(())
}

/// An interrupt is the editor's while it has the terminal, as with any program that starts another.
fn act_by_default(signal: i32) {
    if !matches!(signal, SIGINT | SIGQUIT) {
        // It can only fail for a signal that nobody knows.
        let _ = emulate_default_handler(signal);
    }
}

/// Waits until the terminal is gone. Reading from it would not tell: crossterm tries again for ever.
fn hangup() -> io::Error {
    let input = io::stdin();
    loop {
        // Nothing is asked for: that it hung up is told in any case.
        let mut terminal = [PollFd::new(&input, PollFlags::empty())];
        match poll(&mut terminal, None) {
            Ok(_) => return io::Error::new(io::ErrorKind::UnexpectedEof, "it is gone"),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(error) => return error.into(),
        }
    }
}

/// Stops the program and all that runs with it in the foreground, as the terminal does on Ctrl-Z.
pub(super) fn stop_all() -> io::Result<()> {
    Ok(kill_current_process_group(Signal::TSTP)?)
}

/// Stops the program alone, as whoever signalled it wants.
pub(super) fn stop() -> io::Result<()> {
    emulate_default_handler(SIGTSTP)
}
