//! Which keys mean which command: those of the table of commands, and what the user's `keys.yaml` changes.
//!
//! ```yaml
//! down: [j, Down, Ctrl-n]   # these and no others
//! export: F5
//! mark: []                  # none
//! ```
//!
//! What is wrong in the file is said with its place, and the rest holds. A key that the file gives to one command is taken
//! from the others of its context. There is always a key that leaves the program and one that closes what is open, whatever
//! the file says.

mod guard;
mod print;
mod read;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::command::{COMMANDS, Command};
use super::key::Key;
use super::places::Places;
use crate::sigma::Position;

pub(crate) use print::print;
pub(crate) use read::parse;

/// The name of the user's file.
pub(crate) const FILE: &str = "keys.yaml";

/// Bytes that the file may have: a hundred times what all commands take.
const LONGEST: u64 = 1024 * 1024;

/// The keys of every command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keymap {
    keys: BTreeMap<&'static str, Vec<Key>>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self { keys: COMMANDS.iter().map(|command| (command.name, command.keys.to_vec())).collect() }
    }
}

impl Keymap {
    /// The keys of a command, the one that is shown first.
    pub(crate) fn keys(&self, command: &Command) -> &[Key] {
        self.named(command.name)
    }

    /// The same by its name; none of what is no command.
    pub(crate) fn named(&self, name: &str) -> &[Key] {
        self.keys.get(name).map_or(&[], Vec::as_slice)
    }

    /// The first key of a command as text, where it has one.
    pub(crate) fn shown(&self, name: &str) -> Option<String> {
        self.named(name).first().map(ToString::to_string)
    }

    /// Its keys as text, between blanks.
    pub(crate) fn all_shown(&self, command: &Command) -> String {
        self.keys(command).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }

    fn take_away(&mut self, name: &'static str, key: Key) {
        if let Some(keys) = self.keys.get_mut(name) {
            keys.retain(|other| *other != key);
        }
    }
}

/// Something wrong in `keys.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{FILE}:{at}: {fault}")]
pub(crate) struct Finding {
    /// Where.
    pub at: Position,
    /// What.
    pub fault: Fault,
}

/// What is wrong there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// The file cannot be read.
    #[error("the keys stay as they are: {0}")]
    Unreadable(String),
    /// It is no map.
    #[error("write a command and its keys on each line, such as 'down: [j, Down]'")]
    NoMap,
    /// No command is called so.
    #[error("no command is called '{name}'{hint}")]
    NoCommand {
        /// What was written.
        name: String,
        /// What to do.
        hint: String,
    },
    /// The value is no list of keys.
    #[error("write the keys of '{0}' as a list, such as [j, Down]; [] for none")]
    NoKeys(String),
    /// An entry is no key.
    #[error(transparent)]
    NoKey(#[from] super::key::NoKey),
    /// Two commands of the file want it.
    #[error("'{key}' is already '{first}' {place}; it stays so, give '{second}' another")]
    Twice {
        /// The key.
        key: Key,
        /// The command that has it.
        first: &'static str,
        /// The one that does not get it.
        second: &'static str,
        /// Where both are available.
        place: String,
    },
    /// It would be typed.
    #[error(
        "'{key}' is text where '{command}' is available; take one with Ctrl or Alt, or one that types nothing"
    )]
    Typed {
        /// The key.
        key: Key,
        /// The command.
        command: &'static str,
    },
    /// A command has lost its only keys to another.
    #[error("'{key}' was the only key of '{loser}'; give that another, or write '{loser}: []'")]
    Lost {
        /// The key.
        key: Key,
        /// The command without one.
        loser: &'static str,
    },
    /// There would have been no way out.
    #[error("{place} no key would {wanted}: '{command}' has its own back; give it others, but some")]
    NoWayOut {
        /// Where.
        place: String,
        /// To leave the program, or to close what is open.
        wanted: &'static str,
        /// The command that keeps its keys.
        command: &'static str,
    },
}

/// Where the user's file is, where that can be told.
pub(crate) fn path(places: &Places) -> Option<PathBuf> {
    Some(places.config.as_ref()?.join(FILE))
}

/// The keys as the user's file has them, and what is wrong in it. `None` where it cannot be read at all; without a file,
/// they are those of the table.
pub(crate) fn load(places: &Places) -> (Option<Keymap>, Vec<Finding>) {
    let Some(path) = path(places) else { return (Some(Keymap::default()), Vec::new()) };
    match read::text(&path) {
        Ok(Some(text)) => parse(&text),
        Ok(None) => (Some(Keymap::default()), Vec::new()),
        Err(error) => {
            let fault = Fault::Unreadable(error.to_string());
            (None, vec![Finding { at: Position::START, fault }])
        }
    }
}

#[cfg(test)]
mod tests;
