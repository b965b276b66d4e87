//! How each role looks. Widgets name roles; only theme files name colours.
//!
//! A theme is a YAML file (`themes/README.md`). A role that it leaves out looks like the longest prefix of its
//! name that the file has, and plain where there is none. What is wrong in a file is a warning: the rest of the theme holds.

mod detect;
mod parse;
mod role;

use std::path::PathBuf;

use include_dir::{Dir, include_dir};
use ratatui::style::{Modifier, Style};

pub(crate) use detect::{Background, Depth};
pub(crate) use role::Role;

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/themes");

/// A style for each role.
#[derive(Clone, Debug)]
pub(crate) struct Theme {
    styles: [Style; Role::ALL.len()],
}

impl Theme {
    /// How `role` looks.
    pub(crate) fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// No colours at all: bold, dim, reverse and underline only.
    pub(crate) fn none() -> Self {
        let mut theme = Self { styles: [Style::new(); Role::ALL.len()] };
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

/// A theme, and what was wrong with it.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The theme.
    pub theme: Theme,
    /// What was wrong, a sentence each.
    pub warnings: Vec<String>,
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

/// The theme of that name, else the one for the surroundings. A file in `folders` wins over a shipped one, and one in an
/// earlier folder over one in a later.
pub(crate) fn load(name: Option<&str>, folders: &[PathBuf], around: Surroundings) -> Loaded {
    let name = match name {
        Some(name) => name,
        None if around.no_color => "none",
        None => around.background.theme(),
    };
    if name == "none" {
        return Loaded { theme: Theme::none(), warnings: Vec::new() };
    }
    match find(name, folders) {
        Some(text) => parse::parse(&text, name, around.depth),
        None => missing(name, around),
    }
}

fn find(name: &str, folders: &[PathBuf]) -> Option<String> {
    let file = format!("{name}.yaml");
    if name.contains(['/', '\\']) || name.starts_with('.') {
        return None;
    }
    let shipped = || SHIPPED.get_file(&file).and_then(|f| f.contents_utf8()).map(str::to_owned);
    folders.iter().find_map(|folder| std::fs::read_to_string(folder.join(&file)).ok()).or_else(shipped)
}

fn missing(name: &str, around: Surroundings) -> Loaded {
    let fallback = around.background.theme();
    let text =
        SHIPPED.get_file(format!("{fallback}.yaml")).and_then(|f| f.contents_utf8()).unwrap_or_default();
    let mut loaded = parse::parse(text, fallback, around.depth);
    let shipped: Vec<_> = SHIPPED.files().filter_map(|f| f.path().file_stem()?.to_str()).collect();
    let names: Vec<_> = shipped.into_iter().filter(|n| *n != "README").chain(["none"]).collect();
    loaded.warnings.push(format!("no theme '{name}'; there are {}", names.join(", ")));
    loaded
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    const DARK: Surroundings =
        Surroundings { no_color: false, depth: Depth::Palette, background: Background::Dark };

    #[test]
    fn shipped_themes_have_no_warnings() {
        for name in ["dark", "light"] {
            let loaded = load(Some(name), &[], DARK);
            assert_eq!(loaded.warnings, Vec::<String>::new(), "{name}");
        }
    }

    #[test]
    fn a_file_on_disk_wins_and_a_missing_theme_is_told() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("dark.yaml"), "styles: { text: red }").unwrap();
        let loaded = load(None, &[folder.path().to_owned()], DARK);
        assert_eq!(loaded.theme.style(Role::Text), Style::new().red());
        let loaded = load(Some("drak"), &[folder.path().to_owned()], DARK);
        assert_eq!(loaded.warnings, ["no theme 'drak'; there are dark, light, none"]);
        assert!(load(Some("../dark"), &[folder.path().to_owned()], DARK).warnings[0].starts_with("no theme"));
    }

    #[test]
    fn no_color_wins_over_the_background_but_not_over_the_user() {
        let around = Surroundings { no_color: true, ..DARK };
        let none = load(None, &[], around).theme;
        assert!(Role::ALL.iter().all(|r| none.style(*r).fg.is_none() && none.style(*r).bg.is_none()));
        let asked = load(Some("dark"), &[], around).theme;
        assert!(asked.style(Role::StatusMatched).fg.is_some());
    }
}
