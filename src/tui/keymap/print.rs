//! A keymap as a `keys.yaml` to start from.

use std::fmt::Write;

use super::{FILE, Keymap};
use crate::tui::command::{COMMANDS, Command, Context};
use crate::tui::places::Places;
use crate::tui::text;

/// Columns before what a command does.
const COLUMNS: usize = 44;

/// All commands with their keys, under the headings of the help. Reading it gives the same keymap.
pub(crate) fn print(keymap: &Keymap, places: &Places) -> String {
    let place = super::path(places).map_or_else(|| FILE.to_owned(), |path| path.display().to_string());
    let mut text = format!(
        "# The keys of every command. The screen reads them from\n# {place}\n# where a command that is left out keeps its \
         own, [] leaves one without a key, and what is saved holds at once.\n# Keys are single characters, Space, Enter, \
         Esc, Tab, Shift-Tab, Backspace, Delete, Home, End, PgUp, PgDn,\n# Up, Down, Left, Right, F1 to F24; before them \
         Ctrl- or Alt-.\n",
        place = text::sanitize(&place)
    );
    for context in Context::ALL {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n# {}\n", context.title());
        for command in COMMANDS.iter().filter(|command| command.context == context) {
            let _ = writeln!(text, "{}", line(keymap, command));
        }
    }
    text
}

fn line(keymap: &Keymap, command: &Command) -> String {
    let keys: Vec<_> = keymap.keys(command).iter().map(|key| quoted(&key.to_string())).collect();
    let bound = format!("{}: [{}]", command.name, keys.join(", "));
    format!("{bound:<COLUMNS$}  # {}", command.doc)
}

/// As YAML takes any text.
fn quoted(key: &str) -> String {
    format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))
}
