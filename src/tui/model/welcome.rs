//! What is offered where nothing was opened.

use crate::tui::workspace::Workspace;

/// What can be opened: the demo, and what was open before.
#[derive(Clone, Debug, Default)]
pub(crate) struct Welcome {
    /// What was open before, the last one first.
    pub recent: Vec<Workspace>,
    /// The line under the cursor: 0 for the demo.
    pub cursor: usize,
}

impl Welcome {
    /// How much can be chosen.
    pub(crate) fn len(&self) -> usize {
        self.recent.len() + 1
    }
}
