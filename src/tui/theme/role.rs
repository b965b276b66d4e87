//! What a stretch of the screen is, for a theme to say how it looks.

/// Declares the roles once: the enum, their names in theme files, and the list of all.
macro_rules! roles {
    ($($(#[doc = $doc:literal])+ $role:ident = $name:literal,)+) => {
        /// What a stretch of the screen is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Role { $($(#[doc = $doc])+ $role,)+ }

        impl Role {
            /// All of them.
            pub(crate) const ALL: [Self; [$($name),+].len()] = [$(Self::$role),+];

            /// As theme files write it.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$role => $name,)+ }
            }
        }
    };
}

roles! {
    /// Text.
    Text = "text",
    /// Text that matters less.
    TextDim = "text.dim",
    /// Something that went wrong.
    Error = "text.error",
    /// What was right before something went wrong.
    Stale = "text.stale",
    /// The rules between panes.
    PaneBorder = "pane.border",
    /// A pane's title.
    PaneTitle = "pane.title",
    /// The title of the pane that has the keys.
    PaneTitleFocused = "pane.title.focused",
    /// A figure in a title.
    PaneCount = "pane.count",
    /// A tab of the bar that a small screen has.
    Tab = "tab",
    /// The tab that is shown.
    TabFocused = "tab.focused",
    /// The selected line of the pane that has the keys.
    Selection = "selection",
    /// The selected line of another pane.
    SelectionUnfocused = "selection.unfocused",
    /// The cursor's line in the source.
    Cursor = "cursor",
    /// What belongs to the cursor's line in another pane.
    Linked = "linked",
    /// A filter that is in force.
    FilterChip = "filter",
    /// A key, in a hint.
    Key = "key",
    /// The name of a section of the help, or a column of a table.
    TableHeader = "table.header",
    /// Matched.
    StatusMatched = "status.matched",
    /// Ran, and nothing matched.
    StatusNoMatch = "status.no_match",
    /// Not executable.
    StatusRefused = "status.refused",
    /// Executable through `raw.*`.
    StatusFallback = "status.fallback",
    /// Cannot be read.
    StatusParseError = "status.parse_error",
    /// Not run yet.
    StatusPending = "status.pending",
    /// Level `critical`.
    LevelCritical = "level.critical",
    /// Level `high`.
    LevelHigh = "level.high",
    /// Level `medium`.
    LevelMedium = "level.medium",
    /// Level `low`.
    LevelLow = "level.low",
    /// Level `informational`.
    LevelInformational = "level.informational",
    /// A line number.
    LineNumber = "source.line_number",
    /// A line that a finding is about.
    DiagnosticLine = "diagnostic.line",
    /// The message of an error.
    DiagnosticError = "diagnostic.error",
    /// The message of a warning.
    DiagnosticWarning = "diagnostic.warning",
    /// What would fix it.
    DiagnosticHelp = "diagnostic.help",
    /// A key of a map.
    SyntaxKey = "syntax.key",
    /// A keyword.
    SyntaxKeyword = "syntax.keyword",
    /// Text in quotes.
    SyntaxString = "syntax.string",
    /// A number.
    SyntaxNumber = "syntax.number",
    /// `true`, `NULL` and the like.
    SyntaxConstant = "syntax.constant",
    /// A comment.
    SyntaxComment = "syntax.comment",
    /// A function's name.
    SyntaxFunction = "syntax.function",
    /// Brackets, commas, operators.
    SyntaxPunctuation = "syntax.punctuation",
}

impl Role {
    /// The role of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_distinct_and_found() {
        for role in Role::ALL {
            assert_eq!(Role::named(role.name()), Some(role));
        }
    }
}
