//! How each role looks. Widgets name roles; only theme files name colours.
//!
//! A theme is a YAML file (`themes/README.md`). A role that it leaves out looks like the longest prefix of its
//! name that the file has, and plain where there is none. A word in a file that means nothing is a warning: the rest of the
//! theme holds. A file that cannot be read leaves the last good theme in force.

mod detect;
mod palette;
mod parse;
mod role;
mod shelf;

use ratatui::style::{Modifier, Style};

pub(crate) use detect::{Background, Depth};
pub(crate) use role::Role;
pub use shelf::ThemeListing;
pub(crate) use shelf::{Shelf, listed};

/// A style for each role.
#[derive(Clone, Debug)]
pub(crate) struct Theme {
    styles: [Style; Role::ALL.len()],
    /// The background that it is made for.
    background: palette::Rgb,
}

impl Theme {
    /// How `role` looks.
    pub(crate) fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// No colours at all: bold, dim, reverse and underline only.
    pub(crate) fn none() -> Self {
        let mut theme = Self { styles: [Style::new(); Role::ALL.len()], background: (0, 0, 0) };
        for (style, role) in theme.styles.iter_mut().zip(Role::ALL) {
            *style = Style::new().add_modifier(plain_modifier(role));
        }
        theme
    }
}

/// What sets a role apart where there are no colours.
fn plain_modifier(role: Role) -> Modifier {
    match role {
        Role::PaneTitleFocused | Role::TabFocused | Role::Selection => Modifier::REVERSED,
        Role::PaneTitle | Role::Key | Role::TableHeader | Role::SyntaxKey => Modifier::BOLD,
        Role::StatusMatched | Role::StatusRefused | Role::StatusParseError => Modifier::BOLD,
        Role::DiagnosticError | Role::DiagnosticWarning | Role::Error => Modifier::BOLD,
        Role::DiagnosticLine | Role::FilterChip | Role::Cursor => Modifier::UNDERLINED,
        Role::Linked => Modifier::BOLD.union(Modifier::UNDERLINED),
        Role::TextDim | Role::PaneBorder | Role::Stale | Role::LineNumber => Modifier::DIM,
        Role::SyntaxComment | Role::SelectionUnfocused => Modifier::DIM,
        _ => Modifier::empty(),
    }
}

/// A theme as its file has it.
#[derive(Debug)]
struct Loaded {
    theme: Theme,
    /// A line about it.
    description: String,
    /// What was wrong, a sentence each.
    warnings: Vec<String>,
}

/// What the environment says about colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Surroundings {
    /// `NO_COLOR` is set.
    pub no_color: bool,
    /// How many colours there are.
    pub depth: Depth,
    /// What text is drawn on.
    pub background: Background,
}

impl Surroundings {
    /// Asks the environment, and where that does not say, the terminal.
    pub(crate) fn detect() -> Self {
        Self { no_color: detect::no_color(), depth: detect::depth(), background: detect::background() }
    }
}

/// A theme of test data, that no change of a shipped one changes.
#[cfg(test)]
pub(crate) fn of_text(text: &str) -> Result<Theme, String> {
    parse::parse(text, "test.yaml", Depth::Palette).map(|loaded| loaded.theme)
}

#[cfg(test)]
mod contrast;
