//! The terminal, taken and always given back: on leaving, on an error, on a panic of any thread.

use std::io::{self, IsTerminal, Stdout, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::Show;
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::model::Model;
use super::{TuiError, clipboard, text, view};

/// Whether the terminal is ours. There is one terminal a process, so these are the globals.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Whether the title from before has been put aside.
static TITLED: AtomicBool = AtomicBool::new(false);

/// Puts the title on the terminal's stack, and takes it from there (XTWINOPS 22 and 23).
const PUSH_TITLE: &str = "\x1b[22;2t";
const POP_TITLE: &str = "\x1b[23;2t";

/// The terminal while it is ours. Dropping it gives it back.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    /// The title that was last set.
    title: String,
}

impl Screen {
    /// Takes the terminal.
    pub(super) fn take() -> Result<Self, TuiError> {
        if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
            return Err(TuiError::NotATerminal);
        }
        give_back_on_panic();
        let taken = take().and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        match taken {
            Ok(terminal) => Ok(Self { terminal, title: String::new() }),
            Err(error) => {
                give_back();
                Err(error.into())
            }
        }
    }

    /// Columns and rows.
    pub(super) fn size(&self) -> Result<(u16, u16), TuiError> {
        let size = self.terminal.size()?;
        Ok((size.width, size.height))
    }

    /// Leaves the terminal, as it was, to something else, and takes it again.
    pub(super) fn lend<T>(&mut self, borrow: impl FnOnce() -> T) -> Result<T, TuiError> {
        give_back();
        let result = borrow();
        take()?;
        self.title.clear();
        // Anew, and not cleared: to clear it, ratatui asks where the cursor is, and the input thread would take the answer.
        execute!(io::stdout(), Clear(ClearType::All))?;
        self.terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        Ok(result)
    }

    /// Says in the terminal's title what `title` says, where it does not already. The one from before is put aside, and
    /// comes back with the terminal.
    pub(super) fn set_title(&mut self, title: &str) -> Result<(), TuiError> {
        if is_taken() && self.title != title {
            if self.title.is_empty() {
                write!(io::stdout(), "{PUSH_TITLE}")?;
                TITLED.store(true, Ordering::SeqCst);
            }
            title.clone_into(&mut self.title);
            execute!(io::stdout(), SetTitle(title))?;
        }
        Ok(())
    }

    /// Rings the terminal's bell.
    pub(super) fn ring(&mut self) -> Result<(), TuiError> {
        let mut out = io::stdout();
        write!(out, "\x07")?;
        Ok(out.flush()?)
    }

    /// Hands a text to the terminal's clipboard, and says how that went.
    pub(super) fn copy(&mut self, what: &str, text: &str) -> String {
        match clipboard::copy(text) {
            Ok(way) => format!("copied {what}, {} bytes, {way}", text::count(text.len() as u64)),
            Err(error) => format!("{what} was not copied: {error}"),
        }
    }

    /// Draws a frame; none while the program is stopped, or once a panicking thread has given the terminal back.
    /// Terminals that can show it in one go.
    pub(super) fn draw(&mut self, model: &Model) -> Result<(), TuiError> {
        if is_taken() {
            queue!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
            self.terminal.draw(|frame| view::draw(frame, model))?;
            execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)?;
        }
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
        if !std::thread::panicking() {
            drop(panic::take_hook());
        }
    }
}

/// Whether the terminal is ours.
pub(super) fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

fn take() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste)
}

/// The panic's message is printed after that, where it can be read.
fn give_back_on_panic() {
    let print = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        give_back();
        print(info);
    }));
}

/// Gives the terminal back, once. Nothing can be done about an error here.
pub(super) fn give_back() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        if TITLED.swap(false, Ordering::SeqCst) {
            let _ = write!(io::stdout(), "{POP_TITLE}");
        }
        let _ = disable_raw_mode();
        let mut out = io::stdout();
        // A frame whose drawing panicked has begun an update.
        let _ = execute!(out, EndSynchronizedUpdate, DisableBracketedPaste, DisableMouseCapture);
        let _ = execute!(out, LeaveAlternateScreen, Show);
    }
}
