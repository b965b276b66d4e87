//! When matches were, as a line of bars.
//!
//! ```text
//!  ▁▁▁▄▁▁█▁▁▂ per minute
//! ```

use super::paint::{PaneLine, piece};
use crate::evaluate::Histogram;
use crate::tui::model::Model;
use crate::tui::theme::Role;

/// Minutes that a bar may stand for, and how that is said.
const STEPS: [(i64, &str); 11] = [
    (1, "per minute"),
    (5, "per 5 minutes"),
    (15, "per 15 minutes"),
    (60, "per hour"),
    (180, "per 3 hours"),
    (720, "per 12 hours"),
    (1440, "per day"),
    (7 * 1440, "per week"),
    (30 * 1440, "per 30 days"),
    (365 * 1440, "per 365 days"),
    (3650 * 1440, "per 3,650 days"),
];

/// Columns of the longest of these, and the blanks around it.
const LABEL: usize = 17;

/// Bars by height. The first is that of no match at all.
const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// The bars and what each stands for: the finest that fits; none where even ten years a bar are too many.
pub(super) fn line(model: &Model, histogram: &Histogram, width: usize) -> PaneLine {
    let theme = &model.theme;
    let room = i64::try_from(width.saturating_sub(LABEL)).unwrap_or(0);
    let coarser = |(minutes, label): &(i64, &'static str)| {
        let times = minutes / histogram.minutes.max(1);
        let coarser = (times > 0).then(|| histogram.coarser(times))?;
        (coarser.span() <= room).then_some((coarser, *label))
    };
    let Some((histogram, label)) = STEPS.iter().find_map(coarser) else { return PaneLine::new() };
    let most = histogram.counts.values().copied().max().unwrap_or(0);
    let first = histogram.counts.keys().next().copied().unwrap_or(0);
    let mut line = vec![piece(theme, Role::Text, " ")];
    for step in first..first + histogram.span() {
        let count = histogram.counts.get(&step).copied().unwrap_or(0);
        let role = if count > 0 { Role::PaneCount } else { Role::TextDim };
        line.push(piece(theme, role, BARS.get(height(count, most)).unwrap_or(&"█")));
    }
    line.push(piece(theme, Role::TextDim, &format!(" {label}")));
    line
}

/// 0 for none, 1 for the fewest, 7 for the most.
fn height(count: u64, most: u64) -> usize {
    let steps = u128::from(count) * 6 / u128::from(most.max(1));
    if count == 0 { 0 } else { 1 + usize::try_from(steps).unwrap_or(6) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_match_stands_above_none() {
        assert_eq!([0, 1, 500, 1000].map(|count| height(count, 1000)), [0, 1, 4, 7]);
        assert_eq!(height(1, 1), 7);
    }
}
