//! The command palette, while it is open.

use super::Input;

/// The command palette.
#[derive(Clone, Debug, Default)]
pub(crate) struct Palette {
    /// What the names of the offered commands begin with: empty for all.
    pub family: &'static str,
    /// What was typed.
    pub typed: Input,
    /// Places of the commands that answer, in the table of commands, the best first.
    pub found: Vec<usize>,
    /// The one under the cursor, of those.
    pub cursor: usize,
}
