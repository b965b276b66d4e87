//! When matches were, as a line of bars.
//!
//! ```text
//!  02:50 ▁▁▁▄▁▁█▁▁▂ 03:00  per minute, at most 7
//! ```

use super::matches::format_time;
use super::paint::{self, PaneLine, piece};
use crate::evaluate::Histogram;
use crate::tui::model::Model;
use crate::tui::text::count;
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

/// Milliseconds of a minute, and minutes of a day.
const MINUTE: i64 = 60_000;
const DAY: i64 = 1440;

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
    let behind = first + histogram.span();
    let mut bars = PaneLine::new();
    for step in first..behind {
        let here = histogram.counts.get(&step).copied().unwrap_or(0);
        let role = if here > 0 { Role::PaneCount } else { Role::TextDim };
        bars.push(piece(theme, role, BARS.get(height(here, most)).unwrap_or(&"█")));
    }
    let when = |step: i64| {
        let format = if histogram.minutes < DAY { "%m-%d %H:%M" } else { "%Y-%m-%d" };
        format_time(step.saturating_mul(histogram.minutes).saturating_mul(MINUTE), format)
    };
    let said = |role, said: &str| (0, piece(theme, role, said));
    let mut line =
        vec![said(Role::Text, " "), (2, piece(theme, Role::TextDim, &format!("{} ", when(first))))];
    line.extend(bars.into_iter().map(|bar| (0, bar)));
    line.push((2, piece(theme, Role::TextDim, &format!(" {}", when(behind - 1)))));
    line.push(said(Role::TextDim, &format!(" {label}")));
    line.push((1, piece(theme, Role::TextDim, &format!(", at most {}", count(most)))));
    paint::fitting(line, width)
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
