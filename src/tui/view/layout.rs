//! Where the panes stand, and the borders between them.
//!
//! ```text
//! grid                                      wide                              stacked       alone
//! ┌───────┬──────────────┬──────────────┐   ┌─────┬─────┬─────┬─────┬─────┐   ┌─────────┐   ┌─────────────────┐
//! │ Rules │ Source       │ Route        │   │Rules│Sour │Route│ SQL │Match│   │ Rules   │   │ 1 Rules 2 Sour… │
//! │       │              │ & aliases    │   │     │     │     │     │     │   ├─────────┤   ├─────────────────┤
//! │       ├──────────────┼──────────────┤   │     │     │     │     │     │   │ Source  │   │ the focused     │
//! │       │ SQL          │ Matches      │   │     │     │     │     │     │   ├─────────┤   │ pane            │
//! ├───────┴──────────────┴──────────────┤   ├─────┴─────┴─────┴─────┴─────┤   │ …       │   ├─────────────────┤
//! │ status                              │   │ status                      │   │ status  │   │ status          │
//! └─────────────────────────────────────┘   └─────────────────────────────┘   └─────────┘   └─────────────────┘
//! ```
//!
//! What does not fit gives way: wide to the grid, and all to the focused pane alone.

use ratatui::layout::Rect;

use crate::tui::model::{Arrangement, Border, Model, Pane, Splits};

/// The smallest screen that shows the grid.
const GRID: (u16, u16) = (100, 24);

/// The smallest that shows all panes side by side.
const WIDE: (u16, u16) = (160, 8);

/// The smallest that shows them one above the other.
const STACKED: (u16, u16) = (20, 5 * LEAST_ROWS + 5);

/// Columns of the rule list in the grid, where the user has not said.
const LIST: (u16, u16) = (30, 60);

/// What a pane keeps, however borders are moved: a title and two lines of a few words.
const LEAST_COLUMNS: u16 = 16;
const LEAST_ROWS: u16 = 3;

/// Borders that a layout has at most.
const BORDERS: usize = 4;

const SIDE_BY_SIDE: [Border; BORDERS] =
    [Border::WideRules, Border::WideSource, Border::WideRoute, Border::WideSql];
const STACK: [Border; BORDERS] =
    [Border::StackedRules, Border::StackedSource, Border::StackedRoute, Border::StackedSql];

/// The parts that panes get of a stretch that they share, where the user has not said.
const SHARES: [u16; Pane::ALL.len()] = [4, 5, 5, 5, 6];

/// Where everything stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The bar of panes, where they are shown one at a time.
    pub tabs: Option<Rect>,
    /// The panes, each with its title in the first row; none for those that are not shown.
    pub panes: [Option<Rect>; Pane::ALL.len()],
    /// The borders, a cell wide.
    pub borders: [Option<(Border, Rect)>; BORDERS],
    /// The bottom line.
    pub status: Rect,
    /// All above it.
    pub whole: Rect,
}

/// The arrangement that is shown on a screen of that size, where another is wanted; none where there is room for the
/// focused pane alone.
pub(crate) fn fitting(wanted: Arrangement, size: (u16, u16)) -> Option<Arrangement> {
    let fits = |(columns, rows)| size.0 >= columns && size.1 >= rows;
    match wanted {
        Arrangement::Wide if fits(WIDE) => Some(Arrangement::Wide),
        Arrangement::Stacked => fits(STACKED).then_some(Arrangement::Stacked),
        Arrangement::Grid | Arrangement::Wide => fits(GRID).then_some(Arrangement::Grid),
    }
}

/// What a screen needs at least to show an arrangement, in columns and rows.
pub(crate) fn least(arrangement: Arrangement) -> (u16, u16) {
    match arrangement {
        Arrangement::Grid => GRID,
        Arrangement::Wide => WIDE,
        Arrangement::Stacked => STACKED,
    }
}

impl Layout {
    /// Where everything stands in `area`.
    pub(crate) fn new(area: Rect, model: &Model) -> Self {
        let whole = Rect { height: area.height.saturating_sub(1), ..area };
        let status = Rect { y: area.y + whole.height, height: area.height - whole.height, ..area };
        let splits = &model.panes.splits;
        let shown = fitting(model.panes.arrangement, (area.width, area.height));
        let layout = match shown.filter(|_| !model.zoomed) {
            Some(Arrangement::Grid) => Self::grid(whole, splits),
            Some(Arrangement::Wide) => Self::side_by_side(whole, splits),
            Some(Arrangement::Stacked) => Self::stacked(whole, splits),
            None => Self::single(whole, model.focus),
        };
        Self { status, whole, ..layout }
    }

    /// The same for the terminal's size as the model knows it.
    pub(crate) fn of(model: &Model) -> Self {
        Self::new(Rect::new(0, 0, model.size.0, model.size.1), model)
    }

    fn single(whole: Rect, focus: Pane) -> Self {
        let tabs = Rect { height: whole.height.min(1), ..whole };
        let pane = Rect { y: whole.y + tabs.height, height: whole.height - tabs.height, ..whole };
        let mut panes = [None; Pane::ALL.len()];
        panes[focus as usize] = Some(pane);
        Self { tabs: Some(tabs), panes, ..Self::default() }
    }

    fn grid(whole: Rect, splits: &Splits) -> Self {
        let (width, height) = (whole.width, whole.height);
        let list = (width / 10 * 3 + width % 10 * 3 / 10).clamp(LIST.0, LIST.1);
        let part = |at, rest: u16| if at == 0 { list } else { rest / 2 };
        let upright = [Border::GridList, Border::GridMiddle];
        let [outer, inner] = places(splits, upright, width, LEAST_COLUMNS, part);
        let [row] = places(splits, [Border::GridRow], height, LEAST_ROWS, |_, rest| rest / 2);
        let (left, right, low) = (outer + 1, inner + 1, row + 1);
        let rect = |x, y, width, height| Rect::new(whole.x + x, whole.y + y, width, height);
        let panes = [
            rect(0, 0, outer, height),
            rect(left, 0, inner - left, row),
            rect(right, 0, width - right, row),
            rect(left, low, inner - left, height - low),
            rect(right, low, width - right, height - low),
        ];
        let borders = [
            Some((Border::GridList, rect(outer, 0, 1, height))),
            Some((Border::GridMiddle, rect(inner, 0, 1, height))),
            Some((Border::GridRow, rect(left, row, width - left, 1))),
            None,
        ];
        Self { panes: panes.map(Some), borders, ..Self::default() }
    }

    fn side_by_side(whole: Rect, splits: &Splits) -> Self {
        let places = places(splits, SIDE_BY_SIDE, whole.width, LEAST_COLUMNS, share);
        let rect = |from: u16, to: u16| Rect { x: whole.x + from, width: to - from, ..whole };
        Self::in_a_row(SIDE_BY_SIDE, places, whole.width, rect)
    }

    fn stacked(whole: Rect, splits: &Splits) -> Self {
        let places = places(splits, STACK, whole.height, LEAST_ROWS, share);
        let rect = |from: u16, to: u16| Rect { y: whole.y + from, height: to - from, ..whole };
        Self::in_a_row(STACK, places, whole.height, rect)
    }

    fn in_a_row(
        borders: [Border; BORDERS],
        places: [u16; BORDERS],
        all: u16,
        rect: impl Fn(u16, u16) -> Rect,
    ) -> Self {
        let mut layout = Self::default();
        let mut start = 0;
        for (pane, end) in layout.panes.iter_mut().zip(places.into_iter().chain([all])) {
            *pane = Some(rect(start, end));
            start = end + 1;
        }
        for (shown, (border, place)) in layout.borders.iter_mut().zip(borders.into_iter().zip(places)) {
            *shown = Some((border, rect(place, place + 1)));
        }
        layout
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

    /// The borders that are shown, and where.
    pub(crate) fn borders(self) -> impl Iterator<Item = (Border, Rect)> {
        self.borders.into_iter().flatten()
    }
}

/// Of several panes in a row, what the one at `at` gets of what is left for it and those after it.
fn share(at: usize, rest: u16) -> u16 {
    let shares = SHARES.get(at..).unwrap_or_default();
    let all: u32 = shares.iter().copied().map(u32::from).sum();
    let own = shares.first().copied().map_or(0, u32::from);
    u16::try_from(u32::from(rest) * own / all.max(1)).unwrap_or(rest)
}

/// Where borders stand in a stretch of `all` cells: where the user has put them, else after a part as `part` says it
/// for its place and for the cells that are left; between any two, `least` cells at least.
fn places<const N: usize>(
    splits: &Splits,
    borders: [Border; N],
    all: u16,
    least: u16,
    part: impl Fn(usize, u16) -> u16,
) -> [u16; N] {
    let mut start = 0_u16;
    let mut after = u16::try_from(N).unwrap_or(u16::MAX);
    let mut at = 0;
    borders.map(|border| {
        let rest = all.saturating_sub(start).saturating_sub(after);
        let wanted = splits.at(border, all).unwrap_or(start + part(at, rest));
        let first = start + least;
        let last = all.saturating_sub(after * (least + 1));
        let place = wanted.clamp(first, last.max(first));
        (start, after, at) = (place + 1, after - 1, at + 1);
        place
    })
}
