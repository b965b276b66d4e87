//! What the environment and the terminal say about colours.

use std::env;
use std::time::Duration;

use terminal_colorsaurus::{QueryOptions, ThemeMode, theme_mode};

/// How long the terminal has to tell its background. Those that cannot tell answer at once.
const PATIENCE: Duration = Duration::from_millis(200);

/// How many colours the terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Any RGB colour.
    Truecolor,
    /// The palette of 256.
    Palette,
    /// The first 16 of it, which are the terminal's own.
    Sixteen,
}

/// What text is drawn on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Background {
    /// Something dark.
    Dark,
    /// Something light.
    Light,
}

impl Background {
    /// The name of the theme that is made for it.
    pub(crate) fn theme(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }
}

/// Whether `NO_COLOR` is set to anything but nothing (no-color.org).
pub(super) fn no_color() -> bool {
    env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

pub(super) fn depth() -> Depth {
    let of = |variable| env::var(variable).unwrap_or_default();
    depth_of(&of("COLORTERM"), &of("TERM"))
}

/// `COLORTERM` says it best, and is lost on the way to another machine; then the terminal's name tells.
fn depth_of(colorterm: &str, term: &str) -> Depth {
    const TRUECOLOR: [&str; 6] = ["direct", "kitty", "alacritty", "foot", "wezterm", "ghostty"];
    match colorterm {
        "truecolor" | "24bit" => Depth::Truecolor,
        _ if TRUECOLOR.iter().any(|name| term.contains(name)) => Depth::Truecolor,
        _ if term.contains("256") => Depth::Palette,
        _ => Depth::Sixteen,
    }
}

pub(super) fn background() -> Background {
    let mut options = QueryOptions::default();
    options.timeout = PATIENCE;
    match theme_mode(options) {
        Ok(ThemeMode::Light) => Background::Light,
        Ok(ThemeMode::Dark) => Background::Dark,
        Err(_) => env::var("COLORFGBG").ok().as_deref().map_or(Background::Dark, from_colorfgbg),
    }
}

/// `COLORFGBG` is `foreground;background`, sometimes with a part between; 7 and 9 to 15 are light.
fn from_colorfgbg(value: &str) -> Background {
    match value.rsplit(';').next().and_then(|background| background.parse::<u8>().ok()) {
        Some(7 | 9..=15) => Background::Light,
        _ => Background::Dark,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_terminals_name_tells_what_colorterm_does_not() {
        assert_eq!(depth_of("truecolor", "xterm"), Depth::Truecolor);
        assert_eq!(depth_of("", "xterm-kitty"), Depth::Truecolor);
        assert_eq!(depth_of("", "screen-256color"), Depth::Palette);
        assert_eq!(depth_of("", "xterm"), Depth::Sixteen);
    }

    #[test]
    fn colorfgbg_is_read() {
        assert_eq!(from_colorfgbg("0;15"), Background::Light);
        assert_eq!(from_colorfgbg("15;default;0"), Background::Dark);
        assert_eq!(from_colorfgbg("nonsense"), Background::Dark);
    }
}
