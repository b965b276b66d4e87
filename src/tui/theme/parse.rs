//! A theme file's text to styles.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use super::detect::Depth;
use super::{Loaded, Role, Theme};

#[derive(Default, Deserialize)]
#[serde(default)]
struct File {
    styles: BTreeMap<String, String>,
    #[serde(flatten)]
    other: BTreeMap<String, serde_yaml::Value>,
}

/// Reads a theme; `name` is for the warnings.
pub(super) fn parse(text: &str, name: &str, depth: Depth) -> Loaded {
    let mut warnings = Vec::new();
    let file = serde_yaml::from_str(text).unwrap_or_else(|error| {
        warnings.push(format!("theme '{name}': {error}"));
        File::default()
    });
    for key in file.other.keys().filter(|key| *key != "description") {
        warnings.push(format!("theme '{name}': unknown key '{key}'; there are description, styles"));
    }
    let mut given = BTreeMap::new();
    for (role, words) in &file.styles {
        if !is_role_or_prefix(role) {
            warnings.push(format!("theme '{name}': unknown role '{role}'{}", nearest(role)));
        }
        match style(words, depth) {
            Ok(style) => drop(given.insert(role.as_str(), style)),
            Err(word) => warnings.push(format!("theme '{name}': '{role}': unknown word '{word}'")),
        }
    }
    let styles = Role::ALL.map(|role| inherited(&given, role.name()));
    Loaded { theme: Theme { styles }, warnings }
}

fn is_role_or_prefix(name: &str) -> bool {
    Role::named(name).is_some() || Role::ALL.iter().any(|r| r.name().starts_with(&format!("{name}.")))
}

fn nearest(name: &str) -> String {
    Role::ALL
        .iter()
        .map(|role| (strsim::jaro_winkler(name, role.name()), role.name()))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(String::new, |(_, role)| format!("; did you mean '{role}'?"))
}

/// The style of the longest prefix of `name`, in whole parts, that is given.
fn inherited(given: &BTreeMap<&str, Style>, name: &str) -> Style {
    let mut prefix = name;
    loop {
        match (given.get(prefix), prefix.rsplit_once('.')) {
            (Some(style), _) => return *style,
            (None, Some((shorter, _))) => prefix = shorter,
            (None, None) => return Style::new(),
        }
    }
}

/// Reads `bold bright-blue on black`; the error is the word that says nothing.
fn style(words: &str, depth: Depth) -> Result<Style, String> {
    let mut style = Style::new();
    let mut background = false;
    for word in words.split_whitespace() {
        if word == "on" {
            background = true;
        } else if let Some(modifier) = modifier(word) {
            style = style.add_modifier(modifier);
        } else {
            let color = color(word, depth).ok_or_else(|| word.to_owned())?;
            style = if std::mem::take(&mut background) { style.bg(color) } else { style.fg(color) };
        }
    }
    Ok(style)
}

fn modifier(word: &str) -> Option<Modifier> {
    match word {
        "bold" => Some(Modifier::BOLD),
        "dim" => Some(Modifier::DIM),
        "italic" => Some(Modifier::ITALIC),
        "underline" => Some(Modifier::UNDERLINED),
        "reverse" => Some(Modifier::REVERSED),
        _ => None,
    }
}

fn color(word: &str, depth: Depth) -> Option<Color> {
    if !word.is_ascii() {
        return None;
    }
    match word {
        "default" => return Some(Color::Reset),
        // ratatui calls palette entry 7 grey; terminals call it white, and 15 bright white.
        "white" => return Some(Color::Gray),
        "bright-black" => return Some(Color::DarkGray),
        "bright-white" => return Some(Color::White),
        _ => {}
    }
    let color = match word.strip_prefix("bright-") {
        Some(name) => format!("light{name}").parse().ok()?,
        None => word.parse().ok()?,
    };
    match (color, depth) {
        (Color::Rgb(r, g, b), Depth::Palette) => Some(Color::Indexed(nearest_of_256(r, g, b))),
        _ => Some(color),
    }
}

/// The entry of the 6×6×6 cube of the 256-colour palette that is nearest.
fn nearest_of_256(r: u8, g: u8, b: u8) -> u8 {
    let level = |v: u8| match v {
        0..48 => 0,
        48..115 => 1,
        _ => (v - 35) / 40,
    };
    16 + 36 * level(r) + 6 * level(g) + level(b)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn warnings(text: &str) -> Vec<String> {
        parse(text, "t", Depth::Palette).warnings
    }

    #[test]
    fn words_become_styles() {
        let read = |words| style(words, Depth::Truecolor).unwrap();
        assert_eq!(read("bold green on bright-black"), Style::new().green().on_dark_gray().bold());
        assert_eq!(read("#102030"), Style::new().fg(Color::Rgb(16, 32, 48)));
        assert_eq!(read("bright-blue"), Style::new().light_blue());
        assert_eq!(read("208"), Style::new().fg(Color::Indexed(208)));
        assert_eq!(read(""), Style::new());
    }

    #[test]
    fn a_terminal_without_truecolor_gets_the_nearest_of_256() {
        assert_eq!(style("#ff8700", Depth::Palette).unwrap(), Style::new().fg(Color::Indexed(208)));
    }

    #[test]
    fn a_role_left_out_looks_like_its_prefix() {
        let theme = parse("styles: { status: dim, status.matched: green }", "t", Depth::Palette).theme;
        assert_eq!(theme.style(Role::StatusMatched), Style::new().green());
        assert_eq!(theme.style(Role::StatusRefused), Style::new().dim());
        assert_eq!(theme.style(Role::Text), Style::new());
    }

    #[test]
    fn what_is_wrong_is_told_and_the_rest_holds() {
        assert_eq!(
            warnings("styles: { status.mached: green }"),
            ["theme 't': unknown role 'status.mached'; did you mean 'status.matched'?"]
        );
        assert_eq!(warnings("styles: { text: grün }"), ["theme 't': 'text': unknown word 'grün'"]);
        assert_eq!(
            warnings("colours: {}"),
            ["theme 't': unknown key 'colours'; there are description, styles"]
        );
        assert_eq!(warnings("styles: [1]").len(), 1);
    }
}
