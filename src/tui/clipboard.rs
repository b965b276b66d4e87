//! The clipboard of the terminal, which also a far end of ssh can reach (OSC 52).

use std::io::{self, Write};
use std::process::{Command, Stdio};

use crossterm::clipboard::CopyToClipboard;
use crossterm::execute;

/// Longest text, in bytes: what fits into the 100,000 characters that terminals take of one sequence.
const LONGEST: usize = 74_994;

/// Why a text was not copied.
#[derive(Debug, thiserror::Error)]
pub(super) enum CopyError {
    /// Terminals drop it.
    #[error("{0} bytes, and a terminal takes at most {LONGEST}; export it instead")]
    TooLong(usize),
    /// The terminal cannot be written to.
    #[error(transparent)]
    Terminal(#[from] io::Error),
}

/// Copies a text, and says which way it went. Whether the terminal took it cannot be known.
pub(super) fn copy(text: &str) -> Result<&'static str, CopyError> {
    if text.len() > LONGEST {
        return Err(CopyError::TooLong(text.len()));
    }
    // tmux does not pass the sequence on unless told to; asked itself, it tells its own terminal.
    if std::env::var_os("TMUX").is_some() && through_tmux(text) {
        return Ok("through tmux");
    }
    execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))?;
    Ok("through the terminal (OSC 52)")
}

fn through_tmux(text: &str) -> bool {
    let mut tmux = Command::new("tmux");
    tmux.args(["load-buffer", "-w", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut tmux) = tmux.spawn() else { return false };
    let written = tmux.stdin.take().is_some_and(|mut stdin| stdin.write_all(text.as_bytes()).is_ok());
    tmux.wait().is_ok_and(|status| status.success()) && written
}
