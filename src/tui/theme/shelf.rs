//! The themes that there are, where their files lie, and which one is in use.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::detect::Depth;
use super::{Loaded, Surroundings, Theme, palette, parse};

static SHIPPED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/themes");

/// The theme without colours, which needs no file.
pub(super) const NONE: &str = "none";

/// A theme that can be chosen by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThemeListing {
    /// Its name.
    pub name: String,
    /// Where it lies; `None` within this program.
    pub file: Option<PathBuf>,
    /// Whether it is made for a dark background; `None` where it cannot be read, or has no colours.
    pub dark: Option<bool>,
    /// A line about it, or what is wrong with its file.
    pub description: String,
}

/// The themes that there are, by name. One in an earlier folder wins over one in a later, and all over the shipped.
pub(crate) fn listed(folders: &[PathBuf]) -> Vec<ThemeListing> {
    let mut files: BTreeMap<String, Option<PathBuf>> =
        shipped().map(|name| (name.to_owned(), None)).collect();
    for folder in folders.iter().rev() {
        files.extend(in_folder(folder).into_iter().map(|(name, file)| (name, Some(file))));
    }
    files.remove(NONE);
    let none = ThemeListing {
        name: NONE.to_owned(),
        file: None,
        dark: None,
        description: "No colours: bold, dim, underline and reverse.".to_owned(),
    };
    files.into_iter().map(|(name, file)| describe(name, file)).chain([none]).collect()
}

fn describe(name: String, file: Option<PathBuf>) -> ThemeListing {
    let text = match &file {
        Some(file) => fs::read_to_string(file).map_err(|error| error.to_string()),
        None => Ok(shipped_text(&name).unwrap_or_default().to_owned()),
    };
    let read = text.and_then(|text| parse::parse(&text, &file_name(&name), Depth::Truecolor));
    let (dark, description) = match read {
        Ok(loaded) => (Some(palette::is_dark(loaded.theme.background)), loaded.description),
        Err(error) => (None, error),
    };
    ThemeListing { name, file, dark, description }
}

/// The names of the shipped themes.
fn shipped() -> impl Iterator<Item = &'static str> {
    let files = SHIPPED.files().map(include_dir::File::path);
    files
        .filter(|path| path.extension().is_some_and(|kind| kind == "yaml"))
        .filter_map(|path| path.file_stem()?.to_str())
}

fn shipped_text(name: &str) -> Option<&'static str> {
    SHIPPED.get_file(file_name(name))?.contents_utf8()
}

fn file_name(name: &str) -> String {
    format!("{name}.yaml")
}

/// The theme files of a folder; none where there is no folder.
fn in_folder(folder: &Path) -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    entries
        .filter(|path| path.extension().is_some_and(|kind| kind == "yaml"))
        .filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path)))
        .collect()
}

/// The theme in use, and where others are found.
#[derive(Debug)]
pub(crate) struct Shelf {
    folders: Vec<PathBuf>,
    around: Surroundings,
    name: String,
    /// The text that the theme in use, or the last attempt at it, was read from; none for [`NONE`].
    text: Option<String>,
    /// What was wrong with it, a sentence each.
    said: Vec<String>,
}

impl Shelf {
    /// The theme of that name, else the one for the surroundings.
    pub(crate) fn open(asked: Option<&str>, folders: Vec<PathBuf>, around: Surroundings) -> (Self, Theme) {
        let fitting = if around.no_color { NONE } else { around.background.theme() };
        let mut shelf = Self { folders, around, name: fitting.to_owned(), text: None, said: Vec::new() };
        let theme = asked.and_then(|name| shelf.choose(name)).or_else(|| {
            let said = std::mem::take(&mut shelf.said);
            let theme = shelf.choose(fitting);
            shelf.said.splice(0..0, said);
            theme
        });
        // Its own file may be broken; the shipped one is not.
        let theme =
            theme.or_else(|| Some(parse::parse(shipped_text(fitting)?, fitting, around.depth).ok()?.theme));
        (shelf, theme.unwrap_or_else(Theme::none))
    }

    /// Takes another theme into use. None where there is none of that name, or its file cannot be read: then what was in
    /// use stays.
    pub(crate) fn choose(&mut self, name: &str) -> Option<Theme> {
        let text = if name == NONE { None } else { Some(self.find(name)?) };
        name.clone_into(&mut self.name);
        self.read(text)
    }

    /// Looks whether the theme in use is another on disk. None where it is not, or where it cannot be read.
    pub(crate) fn look_again(&mut self) -> Option<Theme> {
        if self.name == NONE {
            return None;
        }
        let text = self.find(&self.name.clone());
        if text == self.text {
            return None;
        }
        self.text.clone_from(&text);
        text.and_then(|text| self.read(Some(text)))
    }

    /// What was wrong with the theme in use when it was last read.
    pub(crate) fn said(&self) -> &[String] {
        &self.said
    }

    /// The themes of the user's own files.
    pub(crate) fn own(&self) -> Vec<ThemeListing> {
        listed(&self.folders).into_iter().filter(|theme| theme.file.is_some()).collect()
    }

    fn read(&mut self, text: Option<String>) -> Option<Theme> {
        self.text = text;
        let Some(text) = &self.text else {
            self.said.clear();
            return Some(Theme::none());
        };
        match parse::parse(text, &file_name(&self.name), self.around.depth) {
            Ok(Loaded { theme, warnings, .. }) => {
                self.said = warnings;
                Some(theme)
            }
            Err(error) => {
                self.said = vec![error];
                None
            }
        }
    }

    fn find(&mut self, name: &str) -> Option<String> {
        let file = file_name(name);
        let is_name = !name.contains(['/', '\\']) && !name.starts_with('.');
        let there =
            self.folders.iter().map(|folder| folder.join(&file)).find(|path| is_name && path.exists());
        let found = match there {
            Some(path) => {
                fs::read_to_string(&path).map_err(|error| format!("theme {file} cannot be read: {error}"))
            }
            None => {
                shipped_text(name).filter(|_| is_name).map(str::to_owned).ok_or_else(|| self.missing(name))
            }
        };
        found.map_err(|error| self.said = vec![error]).ok()
    }

    fn missing(&self, name: &str) -> String {
        let names: Vec<_> = listed(&self.folders).into_iter().map(|theme| theme.name).collect();
        format!("no theme '{name}'; there are {}", names.join(", "))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::super::{Background, Role};
    use super::*;

    const DARK: Surroundings =
        Surroundings { no_color: false, depth: Depth::Palette, background: Background::Dark };

    #[test]
    fn five_themes_are_shipped_and_none_has_a_warning() {
        let names: Vec<_> = shipped().collect();
        assert_eq!(names, ["contrast", "dark", "ember", "light", "signal"]);
        for name in names {
            let (shelf, _) = Shelf::open(Some(name), Vec::new(), DARK);
            assert_eq!((shelf.name.as_str(), shelf.said()), (name, [].as_slice()));
        }
        assert!(listed(&[]).iter().all(|theme| theme.description.ends_with('.')));
    }

    #[test]
    fn a_file_on_disk_wins_and_a_missing_theme_is_told() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("dark.yaml"), "styles: { text: red }").unwrap();
        let folders = vec![folder.path().to_owned()];
        let (_, theme) = Shelf::open(None, folders.clone(), DARK);
        assert_eq!(theme.style(Role::Text), ratatui::style::Style::new().red());
        let (shelf, theme) = Shelf::open(Some("drak"), folders.clone(), DARK);
        assert_eq!(shelf.said(), ["no theme 'drak'; there are contrast, dark, ember, light, signal, none"]);
        assert_eq!(theme.style(Role::Text), ratatui::style::Style::new().red());
        let (shelf, _) = Shelf::open(Some("../dark"), folders, DARK);
        assert!(shelf.said()[0].starts_with("no theme"));
    }

    #[test]
    fn a_saved_theme_is_taken_over_and_a_broken_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mine.yaml");
        fs::write(&file, "styles: { text: red }").unwrap();
        let (mut shelf, _) = Shelf::open(Some("mine"), vec![folder.path().to_owned()], DARK);
        assert!(shelf.look_again().is_none());
        fs::write(&file, "styles: { text: green }").unwrap();
        assert_eq!(shelf.look_again().unwrap().style(Role::Text), ratatui::style::Style::new().green());
        fs::write(&file, "styles:\n  text: [\n").unwrap();
        assert!(shelf.look_again().is_none());
        assert!(shelf.said()[0].starts_with("theme mine.yaml:"), "{:?}", shelf.said());
        fs::write(&file, "styles: { text: green }").unwrap();
        assert!(shelf.look_again().is_some() && shelf.said().is_empty());
        fs::remove_file(&file).unwrap();
        assert!(shelf.look_again().is_none());
        assert!(shelf.said()[0].starts_with("no theme 'mine'"));
    }

    #[test]
    fn no_color_wins_over_the_background_but_not_over_the_user() {
        let around = Surroundings { no_color: true, ..DARK };
        let (_, none) = Shelf::open(None, Vec::new(), around);
        assert!(Role::ALL.iter().all(|r| none.style(*r).fg.is_none() && none.style(*r).bg.is_none()));
        let (_, asked) = Shelf::open(Some("dark"), Vec::new(), around);
        assert!(asked.style(Role::StatusMatched).fg.is_some());
    }
}
