//! A verdict as glyph, word and role. Never by colour alone: each has a glyph of its own.

use crate::sigma::Level;
use crate::tui::model::list::Since;
use crate::tui::model::{RuleEntry, Verdict};
use crate::tui::theme::Role;

/// The glyph of a rule, and its role.
pub(crate) fn glyph(entry: &RuleEntry) -> (&'static str, Role) {
    let verdict = entry.verdict();
    let (symbol, role) = match verdict {
        Verdict::Matched(_) | Verdict::NoMatch if entry.fallback_used() => ("▲", Role::StatusFallback),
        Verdict::Matched(_) => ("●", Role::StatusMatched),
        Verdict::NoMatch => ("○", Role::StatusNoMatch),
        Verdict::Refused(_) | Verdict::Failed => ("✗", Role::StatusRefused),
        Verdict::ParseError => ("◌", Role::StatusParseError),
        Verdict::NotRun => ("…", Role::StatusPending),
        Verdict::Within => ("◦", Role::TextDim),
    };
    (symbol, if entry.is_stale() { Role::Stale } else { role })
}

/// The marks beside a title: warnings, and what became of the rule since the baseline.
pub(super) fn marks((warnings, since): (bool, Option<Since>)) -> (&'static str, &'static str) {
    let since = match since {
        Some(Since::New) => " +",
        Some(Since::Changed) => " Δ",
        None => "",
    };
    (if warnings { " !" } else { "" }, since)
}

/// The glyphs, with what they mean: the legend of the help.
pub(crate) const LEGEND: &[(&str, Role, &str)] = &[
    ("●", Role::StatusMatched, "matched"),
    ("○", Role::StatusNoMatch, "no match"),
    ("▲", Role::StatusFallback, "executable through raw.* (fallback)"),
    ("✗", Role::StatusRefused, "refused: not executable; or failed while it ran"),
    ("◌", Role::StatusParseError, "parse error: the text cannot be read"),
    ("…", Role::StatusPending, "not yet run"),
    ("!", Role::DiagnosticWarning, "there are warnings about the rule"),
    ("Δ", Role::Key, "changed since the baseline: other SQL, reason code or matches"),
    ("+", Role::Key, "new since the baseline"),
    ("~", Role::Stale, "as it was before rule, pack or events changed; soon looked at again"),
    ("▾", Role::TextDim, "an open group; ▸ a folded one: how many matched, how many of all can run"),
    ("◦", Role::TextDim, "within others: a filter, or a rule that only a correlation asks for"),
];

/// A level in four columns.
pub(super) fn level(level: Option<Level>) -> (&'static str, Role) {
    match level {
        Some(Level::Critical) => ("crit", Role::LevelCritical),
        Some(Level::High) => ("high", Role::LevelHigh),
        Some(Level::Medium) => ("med", Role::LevelMedium),
        Some(Level::Low) => ("low", Role::LevelLow),
        Some(Level::Informational) => ("info", Role::LevelInformational),
        None => ("", Role::TextDim),
    }
}
