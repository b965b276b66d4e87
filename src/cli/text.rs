//! Values as one line of text that is safe on a terminal.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::tui::text::sanitize;

/// `text` without anything that would move the cursor or break the line: rules and events are untrusted.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    sanitize(text)
}

/// Likewise for text that has lines of its own.
pub(super) fn lines(text: &str) -> String {
    text.lines().map(one_line).collect::<Vec<_>>().join("\n")
}

/// Milliseconds since 1970 as RFC 3339 in UTC; the number itself where no calendar reaches.
pub(super) fn time(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .map_or_else(|_| milliseconds.to_string(), |time| format!("{time:.3}"))
}
