//! How the panes are arranged, and where the user has put the borders between them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Which way the panes stand, where the screen has room for all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Arrangement {
    /// The rule list, and the others two by two beside it.
    #[default]
    Grid,
    /// All side by side.
    Wide,
    /// One above the other.
    Stacked,
}

impl Arrangement {
    /// The next one, around the end.
    pub(crate) fn next(self) -> Self {
        match self {
            Self::Grid => Self::Wide,
            Self::Wide => Self::Stacked,
            Self::Stacked => Self::Grid,
        }
    }

    /// As a notice says.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Wide => "wide",
            Self::Stacked => "stacked",
        }
    }
}

/// What becomes of lines of SQL that are longer than their pane is wide.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LongLines {
    /// They go on below.
    #[default]
    Wrapped,
    /// The pane scrolls sideways.
    Scrolled,
}

impl LongLines {
    /// The other one.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Wrapped => Self::Scrolled,
            Self::Scrolled => Self::Wrapped,
        }
    }
}

/// A border between panes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Border {
    /// In the grid, right of the rule list.
    GridList,
    /// In the grid, between source and route, SQL and matches.
    GridMiddle,
    /// In the grid, below source and route.
    GridRow,
    /// Side by side, right of the rule list.
    WideRules,
    /// Side by side, right of the source.
    WideSource,
    /// Side by side, right of route and aliases.
    WideRoute,
    /// Side by side, right of the SQL.
    WideSql,
    /// One above the other, below the rule list.
    StackedRules,
    /// One above the other, below the source.
    StackedSource,
    /// One above the other, below route and aliases.
    StackedRoute,
    /// One above the other, below the SQL.
    StackedSql,
}

impl Border {
    /// Whether it stands upright, and so moves sideways.
    pub(crate) fn is_upright(self) -> bool {
        matches!(
            self,
            Self::GridList
                | Self::GridMiddle
                | Self::WideRules
                | Self::WideSource
                | Self::WideRoute
                | Self::WideSql
        )
    }
}

/// Where the user has put borders: as shares of the screen, so that they hold on another size. One that was never
/// moved is not in here, and stands where the layout thinks best.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Splits(BTreeMap<Border, u16>);

impl Splits {
    /// The whole, of which shares are parts.
    const WHOLE: u32 = 10_000;

    /// Puts a border at cell `at` of `all`.
    pub(crate) fn put(&mut self, border: Border, at: u16, all: u16) {
        let share = (u32::from(at) * Self::WHOLE).div_ceil(u32::from(all.max(1)));
        self.0.insert(border, u16::try_from(share.min(Self::WHOLE)).unwrap_or(u16::MAX));
    }

    /// The cell of `all` where a border was put.
    pub(crate) fn at(&self, border: Border, all: u16) -> Option<u16> {
        let share = u32::from(*self.0.get(&border)?).min(Self::WHOLE);
        u16::try_from(share * u32::from(all) / Self::WHOLE).ok()
    }

    /// Lets a border stand where the layout thinks best.
    pub(crate) fn forget(&mut self, border: Border) {
        self.0.remove(&border);
    }
}

/// How the panes are laid out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Panes {
    /// Which way they stand.
    pub arrangement: Arrangement,
    /// Where the borders are.
    pub splits: Splits,
    /// The borders that the mouse holds; two where they cross.
    pub held: Vec<Border>,
    /// What becomes of long lines of SQL.
    pub long_lines: LongLines,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn a_border_stands_where_it_was_put_and_keeps_its_share() {
        for all in [24, 80, 119, 250, 1_000] {
            for at in 0..all {
                let mut splits = Splits::default();
                splits.put(Border::GridList, at, all);
                assert_eq!(splits.at(Border::GridList, all), Some(at));
            }
        }
        let mut splits = Splits::default();
        splits.put(Border::GridRow, 30, 100);
        assert_eq!(splits.at(Border::GridRow, 200), Some(60));
        splits.forget(Border::GridRow);
        assert_eq!(splits.at(Border::GridRow, 200), None);
    }
}
