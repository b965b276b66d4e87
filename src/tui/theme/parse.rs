//! A theme file's text to styles.

use std::collections::BTreeMap;

use ratatui::style::{Color, Modifier, Style};

use super::detect::Depth;
use super::palette::{self, Rgb};
use super::{Loaded, Role, Theme};
use crate::sigma::Position;
use crate::sigma::yaml::{self, Node, NodeKind};

/// What a theme is made for where it does not say.
const GROUND: Rgb = (0, 0, 0);

/// A theme file as it is read: what is wrong with it is said with the file's name and the place.
struct Reader<'a> {
    file: &'a str,
    depth: Depth,
    background: Rgb,
    warnings: Vec<String>,
}

/// Reads a theme; `file` is what warnings and the error call it. A role or a word that means nothing is a warning, and the
/// rest holds.
///
/// # Errors
/// The text is not YAML, or not a map with `styles` in it. The message tells where, and what would fix it.
pub(super) fn parse(text: &str, file: &str, depth: Depth) -> Result<Loaded, String> {
    let mut reader = Reader { file, depth, background: GROUND, warnings: Vec::new() };
    let document = reader.document(text)?;
    reader.keys(&document);
    let description = document.get("description").and_then(Node::as_str).unwrap_or_default().to_owned();
    if let Some(given) = document.get("background") {
        reader.background(given);
    }
    let given = reader.styles(&document)?;
    let styles = Role::ALL.map(|role| inherited(&given, role.name()));
    let (background, warnings) = (reader.background, reader.warnings);
    Ok(Loaded { theme: Theme { styles, background }, description, warnings })
}

impl Reader<'_> {
    fn said(&self, at: Position, what: &str) -> String {
        format!("theme {}:{at}: {what}", self.file)
    }

    fn document(&self, text: &str) -> Result<Node, String> {
        let documents = yaml::parse(text).map_err(|problem| {
            let help = problem.help.map_or(String::new(), |help| format!("; {help}"));
            self.said(problem.span.start, &format!("{}{help}", problem.message))
        })?;
        match documents.into_iter().next() {
            Some(node @ Node { kind: NodeKind::Mapping(_), .. }) => Ok(node),
            Some(node) => {
                let what = format!("{}, where a map with 'styles' is expected", node.type_name());
                Err(self.said(node.span.start, &what))
            }
            None => Err(self.said(Position::START, "nothing in it: begin with 'styles:'")),
        }
    }

    fn keys(&mut self, document: &Node) {
        for (key, _) in document.entries() {
            if !["description", "background", "styles"].contains(&key.value.as_str()) {
                let what = format!("unknown key '{}'; there are description, background, styles", key.value);
                self.warnings.push(self.said(key.span.start, &what));
            }
        }
    }

    fn background(&mut self, given: &Node) {
        match given.as_str().and_then(rgb) {
            Some(background) => self.background = background,
            None => {
                let what = "the background is written as \"#1c1c1c\"";
                self.warnings.push(self.said(given.span.start, what));
            }
        }
    }

    fn styles(&mut self, document: &Node) -> Result<BTreeMap<String, Style>, String> {
        let mut given = BTreeMap::new();
        let Some(styles) = document.get("styles").filter(|styles| !styles.is_null()) else {
            return Ok(given);
        };
        if !matches!(styles.kind, NodeKind::Mapping(_)) {
            let what = format!("{}, where a map of roles is expected", styles.type_name());
            return Err(self.said(styles.span.start, &what));
        }
        for (role, words) in styles.entries() {
            if !is_role_or_prefix(&role.value) {
                let what = format!("unknown role '{}'{}", role.value, nearest(&role.value));
                self.warnings.push(self.said(role.span.start, &what));
            }
            let text = words.scalar_text().unwrap_or_default();
            match style(&text, self.depth, self.background) {
                Ok(style) => drop(given.insert(role.value.clone(), self.plain(&role.value, style, &text))),
                Err(word) => {
                    let what = format!(
                        "'{word}' is no colour and no attribute; a colour is like cyan, 208 or \"#7fb069\""
                    );
                    self.warnings.push(self.said(words.span.start, &what));
                }
            }
        }
        Ok(given)
    }

    /// On 16 colours a background is none of them: what has one is reversed, or bold where its text has no colour of
    /// its own. The background of all is the terminal's.
    fn plain(&self, role: &str, style: Style, words: &str) -> Style {
        if self.depth != Depth::Sixteen || style.bg.is_none() || !words.contains('#') {
            return style;
        }
        let plain = Style { bg: None, ..style };
        match (role, style.fg) {
            ("text", _) => plain,
            (_, Some(_)) => Style { fg: None, ..plain }.add_modifier(Modifier::REVERSED),
            (_, None) => plain.add_modifier(Modifier::BOLD),
        }
    }
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
fn inherited(given: &BTreeMap<String, Style>, name: &str) -> Style {
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
fn style(words: &str, depth: Depth, ground: Rgb) -> Result<Style, String> {
    let mut style = Style::new();
    let mut background = false;
    for word in words.split_whitespace() {
        if word == "on" {
            background = true;
        } else if let Some(modifier) = modifier(word) {
            style = style.add_modifier(modifier);
        } else {
            let color = color(word, depth, ground).ok_or_else(|| word.to_owned())?;
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

fn color(word: &str, depth: Depth, ground: Rgb) -> Option<Color> {
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
    if let Some(exact) = rgb(word) {
        return Some(match depth {
            Depth::Truecolor => Color::Rgb(exact.0, exact.1, exact.2),
            Depth::Palette => Color::Indexed(palette::nearest_of_256(exact)),
            Depth::Sixteen => palette::nearest_of_16(exact, ground),
        });
    }
    match word.strip_prefix("bright-") {
        Some(name) => format!("light{name}").parse().ok(),
        None => word.parse().ok(),
    }
}

/// Reads `#7fb069`.
fn rgb(word: &str) -> Option<Rgb> {
    let digits = word.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let channel = |at| u8::from_str_radix(digits.get(at)?, 16).ok();
    Some((channel(0..2)?, channel(2..4)?, channel(4..6)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn warnings(text: &str) -> Vec<String> {
        parse(text, "t.yaml", Depth::Palette).unwrap().warnings
    }

    #[test]
    fn words_become_styles() {
        let read = |words| style(words, Depth::Truecolor, GROUND).unwrap();
        assert_eq!(read("bold green on bright-black"), Style::new().green().on_dark_gray().bold());
        assert_eq!(read("#102030"), Style::new().fg(Color::Rgb(16, 32, 48)));
        assert_eq!(read("bright-blue"), Style::new().light_blue());
        assert_eq!(read("208"), Style::new().fg(Color::Indexed(208)));
        assert_eq!(read(""), Style::new());
    }

    #[test]
    fn a_terminal_with_fewer_colours_gets_the_nearest() {
        let read = |depth| style("#ff8700", depth, GROUND).unwrap();
        assert_eq!(read(Depth::Palette), Style::new().fg(Color::Indexed(208)));
        assert_eq!(read(Depth::Sixteen), Style::new().fg(Color::LightYellow));
    }

    #[test]
    fn on_16_colours_a_background_becomes_an_attribute() {
        let text =
            "styles: { text: '#d0d0d0 on #101010', selection: '#ffffff on #2f5d8a', cursor: 'on #222222' }";
        let theme = parse(text, "t.yaml", Depth::Sixteen).unwrap().theme;
        assert_eq!(theme.style(Role::Text), Style::new().fg(Color::Reset));
        assert_eq!(theme.style(Role::Selection), Style::new().reversed());
        assert_eq!(theme.style(Role::Cursor), Style::new().bold());
    }

    #[test]
    fn a_role_left_out_looks_like_its_prefix() {
        let text = "styles: { status: dim, status.matched: green }";
        let theme = parse(text, "t.yaml", Depth::Palette).unwrap().theme;
        assert_eq!(theme.style(Role::StatusMatched), Style::new().green());
        assert_eq!(theme.style(Role::StatusRefused), Style::new().dim());
        assert_eq!(theme.style(Role::Text), Style::new());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place_and_the_rest_holds() {
        assert_eq!(
            warnings("styles:\n  status.mached: green\n"),
            ["theme t.yaml:2:3: unknown role 'status.mached'; did you mean 'status.matched'?"]
        );
        assert!(warnings("styles: { text: grün }")[0].starts_with("theme t.yaml:1:17: 'grün' is no colour"));
        assert!(warnings("colours: {}")[0].starts_with("theme t.yaml:1:1: unknown key 'colours'; there are"));
        assert!(warnings("background: dark\nstyles: {}")[0].starts_with("theme t.yaml:1:13: the background"));
    }

    #[test]
    fn what_is_no_theme_is_refused_with_its_place() {
        let refused = |text: &str| parse(text, "t.yaml", Depth::Palette).unwrap_err();
        assert!(refused("styles: [1]").starts_with("theme t.yaml:1:9: a list, where a map of roles"));
        assert!(refused("styles:\n  text: [").starts_with("theme t.yaml:"));
        assert!(refused("").starts_with("theme t.yaml:1:1: nothing in it"));
        assert!(refused("dark").starts_with("theme t.yaml:1:1: text, where a map"));
    }
}
