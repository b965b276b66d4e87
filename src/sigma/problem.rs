//! What can be wrong with a rule as a text, before any pack or backend has looked at it.

use super::span::Span;

/// One finding about a rule's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", span.start)]
pub struct Problem {
    /// What kind of finding it is.
    pub kind: ProblemKind,
    /// One sentence: what is wrong, with the offending text.
    pub message: String,
    /// Where it stands.
    pub span: Span,
    /// What would fix it.
    pub help: Option<String>,
}

impl Problem {
    /// A finding without a remedy. The message may quote the rule: control characters in it become visible
    /// escapes, and an overlong one is cut.
    pub fn new(kind: ProblemKind, span: Span, message: impl Into<String>) -> Self {
        Self { kind, message: presentable(message.into()), span, help: None }
    }

    /// The same finding with what would fix it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(presentable(help.into()));
        self
    }
}

/// The characters of a message that are kept.
const MAX_MESSAGE: usize = 400;

fn presentable(message: String) -> String {
    let is_plain = |c: char| !c.is_control();
    if message.len() <= MAX_MESSAGE && message.chars().all(is_plain) {
        return message;
    }
    let mut shown = String::new();
    for c in message.chars().take(MAX_MESSAGE) {
        if is_plain(c) { shown.push(c) } else { shown.extend(c.escape_default()) }
    }
    if message.chars().nth(MAX_MESSAGE).is_some() {
        shown.push('…');
    }
    shown
}

/// The kinds of findings about a rule's text. The bridge gives each its code, reason and explanation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// The file could not be read.
    Unreadable,
    /// The text is not YAML, or not of the shape that a rule has.
    Parse,
    /// A size limit was exceeded.
    Limit,
    /// The condition names a selection that the rule does not have, or a pattern that reaches none.
    MissingIdentifier,
    /// A modifier that Sigma does not have.
    UnknownModifier,
    /// Known modifiers in a chain that Sigma does not allow.
    IllegalChain,
    /// A condition operator that no backend can express: pipes, `near`, `N of`, `timeframe`.
    UnsupportedCondition,
    /// A value of a type that its place does not take (a map, a null in a list, an empty list).
    BadValue,
    /// An `action:` document of a rule collection.
    Collection,
    /// A metadata field with an odd value. A warning: it never makes a rule non-executable.
    Metadata,
    /// A value that begins with two backslashes, which Sigma reads as one. A warning.
    UncBackslashes,
}

impl ProblemKind {
    /// Whether it is worth a look only, and never refuses a rule.
    #[must_use]
    pub fn is_warning(self) -> bool {
        matches!(self, Self::Metadata | Self::UncBackslashes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_rule_says_cannot_reach_the_terminal_as_control() {
        let problem =
            Problem::new(ProblemKind::Parse, Span::START, "the key `\u{1b}[31m\n`").with_help("\u{7}");
        assert_eq!(problem.message, "the key `\\u{1b}[31m\\n`");
        assert_eq!(problem.help.as_deref(), Some("\\u{7}"));
        let long = Problem::new(ProblemKind::Parse, Span::START, "é".repeat(5000));
        assert_eq!(long.message.chars().count(), MAX_MESSAGE + 1);
    }
}
