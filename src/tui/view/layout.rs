//! Where the panes stand.
//!
//! ```text
//! from 100×24 on                            smaller, or zoomed
//! ┌───────┬──────────────┬──────────────┐   ┌─────────────────────────────┐
//! │ Rules │ Source       │ Route        │   │ rule    1 Rules 2 Source …  │
//! │       │              │ & aliases    │   ├─────────────────────────────┤
//! │       ├──────────────┼──────────────┤   │ the focused pane            │
//! │       │ SQL          │ Matches      │   │                             │
//! ├───────┴──────────────┴──────────────┤   ├─────────────────────────────┤
//! │ status                              │   │ status                      │
//! └─────────────────────────────────────┘   └─────────────────────────────┘
//! ```

use ratatui::layout::Rect;

use crate::tui::model::{Model, Pane};

/// The smallest screen that shows all panes at once.
const GRID: (u16, u16) = (100, 24);

/// Columns of the rule list in the grid.
const LIST: (u16, u16) = (30, 60);

/// Where everything stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The bar of panes, where they are shown one at a time.
    pub tabs: Option<Rect>,
    /// The panes, each with its title in the first row; none for those that are not shown.
    pub panes: [Option<Rect>; Pane::ALL.len()],
    /// The bottom line.
    pub status: Rect,
}

impl Layout {
    /// Where everything stands in `area`.
    pub(crate) fn new(area: Rect, model: &Model) -> Self {
        let body = Rect { height: area.height.saturating_sub(1), ..area };
        let status = Rect { y: area.y + body.height, height: area.height - body.height, ..area };
        if model.zoomed || area.width < GRID.0 || area.height < GRID.1 {
            Self::single(body, status, model.focus)
        } else {
            Self::grid(body, status)
        }
    }

    /// The same for the terminal's size as the model knows it.
    pub(crate) fn of(model: &Model) -> Self {
        Self::new(Rect::new(0, 0, model.size.0, model.size.1), model)
    }

    fn single(body: Rect, status: Rect, focus: Pane) -> Self {
        let tabs = Rect { height: body.height.min(1), ..body };
        let pane = Rect { y: body.y + tabs.height, height: body.height - tabs.height, ..body };
        let mut panes = [None; Pane::ALL.len()];
        panes[focus as usize] = Some(pane);
        Self { tabs: Some(tabs), panes, status }
    }

    fn grid(body: Rect, status: Rect) -> Self {
        let list = (body.width / 10 * 3 + body.width % 10 * 3 / 10).clamp(LIST.0, LIST.1);
        let left_x = body.x + list + 1;
        let left = (body.width - list - 2) / 2;
        let right_x = left_x + left + 1;
        let right = body.right() - right_x;
        let top = (body.height - 1) / 2;
        let low_y = body.y + top + 1;
        let low = body.bottom() - low_y;
        let panes = [
            Rect::new(body.x, body.y, list, body.height),
            Rect::new(left_x, body.y, left, top),
            Rect::new(right_x, body.y, right, top),
            Rect::new(left_x, low_y, left, low),
            Rect::new(right_x, low_y, right, low),
        ];
        Self { tabs: None, panes: panes.map(Some), status }
    }

    /// Where `pane` stands, with its title.
    pub(crate) fn pane(&self, pane: Pane) -> Option<Rect> {
        self.panes.get(pane as usize).copied().flatten()
    }

    /// Where the lines of `pane` stand, below its title.
    pub(crate) fn body(&self, pane: Pane) -> Rect {
        let Some(area) = self.pane(pane) else { return Rect::default() };
        let title = area.height.min(1);
        Rect { y: area.y + title, height: area.height - title, ..area }
    }

    /// The pane at a column and row.
    pub(crate) fn pane_at(&self, column: u16, row: u16) -> Option<Pane> {
        let hit = |pane: &Pane| self.pane(*pane).is_some_and(|area| area.contains((column, row).into()));
        Pane::ALL.into_iter().find(hit)
    }
}
