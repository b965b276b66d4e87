//! The command palette, while it is open.

use super::Input;
use crate::tui::theme::ThemeListing;

/// The command palette.
#[derive(Clone, Debug, Default)]
pub(crate) struct Palette {
    /// What the names of the offered commands begin with: empty for all.
    pub family: &'static str,
    /// What was typed.
    pub typed: Input,
    /// What answers, the best first.
    pub found: Vec<Found>,
    /// The one under the cursor, of those.
    pub cursor: usize,
}

/// Something that the palette offers.
#[derive(Clone, Debug)]
pub(crate) enum Found {
    /// The place of a command in the table of commands.
    Command(usize),
    /// A theme that the user has written.
    Theme(ThemeListing),
}
