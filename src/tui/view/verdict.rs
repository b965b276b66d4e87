//! A verdict as glyph, word and role. Never by colour alone: each has a glyph of its own.

use super::symbols::{self, Symbol};
use crate::sigma::Level;
use crate::tui::model::list::Since;
use crate::tui::model::{RuleEntry, Verdict};
use crate::tui::theme::Role;

/// The glyph of a rule, and its role.
pub(crate) fn glyph(entry: &RuleEntry) -> (&'static str, Role) {
    let verdict = entry.verdict();
    let symbol = match verdict {
        Verdict::Matched(_) | Verdict::NoMatch if entry.fallback_used() => symbols::FALLBACK,
        Verdict::Matched(_) => symbols::MATCHED,
        Verdict::NoMatch => symbols::NO_MATCH,
        Verdict::Refused(_) | Verdict::Failed => symbols::REFUSED,
        Verdict::ParseError => symbols::PARSE_ERROR,
        Verdict::NotRun => symbols::NOT_RUN,
        Verdict::NoEvents => symbols::NO_EVENTS,
        Verdict::Within => symbols::WITHIN,
    };
    (symbol.glyph, if entry.is_stale() { Role::Stale } else { symbol.role })
}

/// The marks beside a title: warnings, and what became of the rule since the baseline.
pub(super) fn marks((warnings, since): (bool, Option<Since>)) -> (String, String) {
    let mark = |symbol: Symbol| format!(" {}", symbol.glyph);
    let since = since.map(|since| match since {
        Since::New => mark(symbols::NEW),
        Since::Changed => mark(symbols::CHANGED),
    });
    (if warnings { mark(symbols::WARNING) } else { String::new() }, since.unwrap_or_default())
}

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
