//! What no file can take away: a key that leaves the program, and one that closes what is open.

use std::collections::BTreeMap;

use super::{Fault, Finding, Keymap};
use crate::sigma::Position;
use crate::tui::action::Action;
use crate::tui::command::{COMMANDS, Command, Context};
use crate::tui::key::Key;

/// A way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Of the program.
    Leave,
    /// Of what is open over the panes, or is being typed.
    Close,
}

impl Way {
    /// Restoring one may take a key from the other, so that both are looked at twice.
    const ROUNDS: [Self; 4] = [Self::Leave, Self::Close, Self::Leave, Self::Close];

    fn words(self) -> &'static str {
        match self {
            Self::Leave => "leave the program",
            Self::Close => "close this",
        }
    }

    fn is(self, command: &Command) -> bool {
        let action = (command.action)();
        match self {
            Self::Leave => matches!(action, Action::Quit),
            Self::Close => !command.is_named() && matches!(action, Action::Clear | Action::ToggleHelp),
        }
    }
}

/// Gives commands their own keys back where there would be no way out; `places` is where the file has them.
pub(super) fn keep_ways_out(
    keymap: &mut Keymap,
    places: &BTreeMap<&str, Position>,
    findings: &mut Vec<Finding>,
) {
    for way in Way::ROUNDS {
        for context in Context::ALL {
            let chain = context.chain();
            let Some(command) = lacking(keymap, chain, way) else { continue };
            restore(keymap, chain, command);
            let at = places.get(command.name).copied().unwrap_or(Position::START);
            let place = context.place();
            let fault = Fault::NoWayOut { place, wanted: way.words(), command: command.name };
            findings.push(Finding { at, fault });
        }
    }
}

/// The command that ought to have a key again: the first of its kind, where none of them can be reached.
fn lacking(keymap: &Keymap, chain: &[Context], way: Way) -> Option<&'static Command> {
    let ways = || of(chain).filter(|command| way.is(command));
    let reached = |command: &Command| {
        keymap.keys(command).iter().any(|key| first_with(keymap, chain, *key) == Some(command.name))
    };
    if ways().any(reached) { None } else { ways().next() }
}

/// The commands of a chain of contexts, those with the first say first.
fn of(chain: &[Context]) -> impl Iterator<Item = &'static Command> {
    chain.iter().flat_map(|context| COMMANDS.iter().filter(move |command| command.context == *context))
}

fn first_with(keymap: &Keymap, chain: &[Context], key: Key) -> Option<&'static str> {
    of(chain).find(|command| keymap.keys(command).contains(&key)).map(|command| command.name)
}

fn restore(keymap: &mut Keymap, chain: &[Context], command: &'static Command) {
    for other in of(chain) {
        for key in command.keys {
            keymap.take_away(other.name, *key);
        }
    }
    keymap.keys.entry(command.name).or_default().extend(command.keys);
}
