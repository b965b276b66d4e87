//! A window of a correlation, opened: its events.

use std::sync::Arc;

use crate::evaluate::{MatchRow, WindowEvent};
use crate::ocsf::OcsfPath;
use crate::tui::worker::WindowEvents;

/// A window that is shown over the panes.
#[derive(Clone, Debug)]
pub(crate) struct WindowView {
    /// Its row in the matches.
    pub row: MatchRow,
    /// What the values of the row are: the keys of the group, then the number of events.
    pub columns: Vec<OcsfPath>,
    /// Its events.
    pub answer: WindowAnswer,
    /// The one under the cursor.
    pub cursor: usize,
}

/// Whether the events are there yet.
#[derive(Clone, Debug)]
pub(crate) enum WindowAnswer {
    /// They are on their way.
    Waiting,
    /// Here they are.
    Ready(Arc<WindowEvents>),
    /// They could not be found.
    Failed(String),
}

impl WindowView {
    /// The events, where they are there.
    pub(crate) fn events(&self) -> Option<&Arc<WindowEvents>> {
        match &self.answer {
            WindowAnswer::Ready(found) => Some(found),
            WindowAnswer::Waiting | WindowAnswer::Failed(_) => None,
        }
    }

    /// The event under the cursor.
    pub(crate) fn selected(&self) -> Option<&WindowEvent> {
        self.events()?.events.get(self.cursor)
    }
}
