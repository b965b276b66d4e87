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
    /// The palette of 16 or 256.
    Palette,
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
    match env::var("COLORTERM").as_deref() {
        Ok("truecolor" | "24bit") => Depth::Truecolor,
        _ => Depth::Palette,
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
    fn colorfgbg_is_read() {
        assert_eq!(from_colorfgbg("0;15"), Background::Light);
        assert_eq!(from_colorfgbg("15;default;0"), Background::Dark);
        assert_eq!(from_colorfgbg("nonsense"), Background::Dark);
    }
}
