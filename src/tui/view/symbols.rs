//! Every symbol of the screen: how it is drawn, in which role, and what it means. What draws and the legend of the help
//! read this one table.

use crate::tui::theme::Role;

/// A symbol of the screen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Symbol {
    /// As drawn.
    pub glyph: &'static str,
    /// How it looks.
    pub role: Role,
    /// What it means, in a line.
    pub meaning: &'static str,
}

const fn symbol(glyph: &'static str, role: Role, meaning: &'static str) -> Symbol {
    Symbol { glyph, role, meaning }
}

pub(super) const MATCHED: Symbol = symbol("●", Role::StatusMatched, "matched");
pub(super) const NO_MATCH: Symbol = symbol("○", Role::StatusNoMatch, "no match");
pub(super) const FALLBACK: Symbol =
    symbol("▲", Role::StatusFallback, "executable through raw.* (fallback); beside a field, read from there");
pub(super) const REFUSED: Symbol = symbol(
    "✗",
    Role::StatusRefused,
    "refused: not executable, or failed while it ran; beside a line, why; a field without an alias",
);
pub(super) const PARSE_ERROR: Symbol =
    symbol("◌", Role::StatusParseError, "parse error: the text cannot be read");
pub(super) const NOT_RUN: Symbol = symbol("…", Role::StatusPending, "not yet run; at an end, cut off there");
pub(super) const NO_EVENTS: Symbol =
    symbol("∅", Role::TextDim, "can run, and there are no events to run it on");
pub(super) const WITHIN: Symbol =
    symbol("◦", Role::TextDim, "within others: a filter, or a rule that only a correlation asks for");
pub(super) const WARNING: Symbol = symbol(
    "!",
    Role::DiagnosticWarning,
    "a warning about the rule or a line of it; a field that no event in scope fills",
);
pub(super) const CHANGED: Symbol =
    symbol("Δ", Role::Key, "changed since the baseline: other SQL, reason code or matches");
pub(super) const NEW: Symbol = symbol("+", Role::Key, "new since the baseline");
pub(super) const STALE: Symbol =
    symbol("~", Role::Stale, "as it was before rule, pack or events changed; soon looked at again");
pub(super) const OPEN: Symbol =
    symbol("▾", Role::TextDim, "open; of a group, how many matched and how many of all can run");
pub(super) const FOLDED: Symbol = symbol("▸", Role::TextDim, "folded");
pub(super) const SATISFIED: Symbol =
    symbol("✓", Role::StatusMatched, "what an event satisfies, in why it matches");
pub(super) const NOTHING: Symbol = symbol("–", Role::TextDim, "nothing: no value, or not counted");
pub(super) const CURSOR: Symbol = symbol("›", Role::Selection, "the cursor");
pub(super) const FOCUSED: Symbol = symbol(
    "▌",
    Role::PaneTitleFocused,
    "before a title: the pane has the keys; before a line: it belongs to what the cursor is on",
);
pub(super) const LINKED: Symbol =
    symbol("▌", Role::Linked, "before a line: it belongs to what the cursor of another pane is on");
pub(super) const NOTE: Symbol = symbol("↳", Role::DiagnosticError, "what was found on the line above");
pub(super) const TYPING: Symbol = symbol("▏", Role::FilterChip, "where text goes that is typed");
pub(super) const MARKED: Symbol = symbol("*", Role::Text, "a match that is marked for a regression case");
pub(super) const ARRIVED: Symbol =
    symbol("»", Role::Key, "what has come since the rule was last looked at, and how much");
pub(super) const ASCENDING: Symbol =
    symbol("↑", Role::TableHeader, "sorted, the least first; at an edge, more above");
pub(super) const DESCENDING: Symbol =
    symbol("↓", Role::TableHeader, "sorted, the greatest first; at an edge, more below");
pub(super) const LEADS_TO: Symbol = symbol("→", Role::TextDim, "the route: from the log source to the class");
pub(super) const CONTROL: Symbol =
    symbol("␛", Role::Text, "and its like: a control character of the data, drawn and never obeyed");
pub(super) const AS_DUCKDB: Symbol =
    symbol("≡", Role::StatusMatched, "in Spark: the detections of DuckDB, each by each");
pub(super) const NOT_AS_DUCKDB: Symbol = symbol(
    "≢",
    Role::StatusRefused,
    "in Spark: other detections than in DuckDB, or it failed in one of the two",
);
pub(super) const NOT_IN_SPARK: Symbol = symbol("⊘", Role::TextDim, "in Spark: refused, while DuckDB runs it");
pub(super) const UNEQUAL: Symbol = symbol("≠", Role::Text, "a filter of the route: is not");

/// How many of the events in scope satisfy a line of the source: none, then each eighth.
pub(super) const LEVELS: [&str; 9] = ["0", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// What these mean beside the source.
const LEVEL: Symbol = symbol(
    "0▁▂▃▄▅▆▇█",
    Role::StatusMatched,
    "beside a line, once asked why: how many events in scope satisfy it by itself, none to all",
);

/// The heights of a histogram.
const HISTOGRAM: Symbol =
    symbol("▁▂▃▄▅▆▇█", Role::StatusMatched, "below matches: when they were, the highest where most were");

/// The length of a bar.
const BAR: Symbol = symbol(
    "▏▎▍▌▋▊▉█",
    Role::StatusMatched,
    "a share: of the events in scope, or of all rules in the coverage",
);

/// All of them, for the help.
pub(crate) const LEGEND: &[Symbol] = &[
    MATCHED,
    NO_MATCH,
    FALLBACK,
    REFUSED,
    PARSE_ERROR,
    NOT_RUN,
    NO_EVENTS,
    WITHIN,
    WARNING,
    CHANGED,
    NEW,
    STALE,
    OPEN,
    FOLDED,
    SATISFIED,
    NOTHING,
    CURSOR,
    FOCUSED,
    NOTE,
    LEVEL,
    BAR,
    HISTOGRAM,
    MARKED,
    ARRIVED,
    ASCENDING,
    DESCENDING,
    LEADS_TO,
    UNEQUAL,
    AS_DUCKDB,
    NOT_AS_DUCKDB,
    NOT_IN_SPARK,
    CONTROL,
    TYPING,
];
