//! A key as the command table names it, and as it is written: `k`, `Ctrl-x`, `Alt-x`, `Space`, `PgDn`, `Shift-Tab`, `F5`.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::text;

/// A key, with Ctrl or Alt or without. Shift shows in the character.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// The key.
    pub code: KeyCode,
    /// With Ctrl.
    pub ctrl: bool,
    /// With Alt.
    pub alt: bool,
}

/// The keys that have a name, the name that is shown first.
const NAMES: &[(&str, KeyCode)] = &[
    ("Space", KeyCode::Char(' ')),
    ("Enter", KeyCode::Enter),
    ("Esc", KeyCode::Esc),
    ("Tab", KeyCode::Tab),
    ("Shift-Tab", KeyCode::BackTab),
    ("Backspace", KeyCode::Backspace),
    ("Delete", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
    ("↑", KeyCode::Up),
    ("↓", KeyCode::Down),
    ("←", KeyCode::Left),
    ("→", KeyCode::Right),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("PageUp", KeyCode::PageUp),
    ("PageDown", KeyCode::PageDown),
    ("Escape", KeyCode::Esc),
    ("Del", KeyCode::Delete),
    ("Ins", KeyCode::Insert),
];

/// What terminals send in the place of some keys with Ctrl.
const SENT_AS: &[(char, &str)] = &[('i', "Tab"), ('m', "Enter"), ('[', "Esc")];

/// Why a text names no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoKey {
    /// Nothing is called so.
    #[error(
        "no key is called '{0}'; write one character, Space, Enter, Esc, Tab, PgDn, Up, F5, Ctrl-x, Alt-x"
    )]
    Unknown(String),
    /// Something is called nearly so.
    #[error("no key is called '{0}'; did you mean '{1}'?")]
    Misspelt(String, &'static str),
    /// Shift is no part of a name.
    #[error("Shift shows in the character: write '{0}'")]
    Shift(String),
    /// The terminal cannot tell it from another.
    #[error("a terminal sends '{0}' as {1}: write '{1}'")]
    SentAs(String, &'static str),
}

impl Key {
    /// A character.
    pub(crate) const fn char(c: char) -> Self {
        Self::code(KeyCode::Char(c))
    }

    /// Ctrl and a character.
    pub(crate) const fn ctrl(c: char) -> Self {
        Self { ctrl: true, ..Self::char(c) }
    }

    /// Any other key.
    pub(crate) const fn code(code: KeyCode) -> Self {
        Self { code, ctrl: false, alt: false }
    }

    /// The key of an event; `None` with Super and the like, which mean nothing here.
    pub(crate) fn of(event: KeyEvent) -> Option<Self> {
        let other = KeyModifiers::SUPER | KeyModifiers::HYPER | KeyModifiers::META;
        let (ctrl, alt) = (KeyModifiers::CONTROL, KeyModifiers::ALT);
        let key = Self {
            code: event.code,
            ctrl: event.modifiers.contains(ctrl),
            alt: event.modifiers.contains(alt),
        };
        (!event.modifiers.intersects(other)).then_some(key)
    }

    /// The character that it types, where it is one.
    pub(crate) fn typed(self) -> Option<char> {
        match self {
            Self { code: KeyCode::Char(c), ctrl: false, alt: false } => Some(c),
            _ => None,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("Ctrl-")?;
        }
        if self.alt {
            f.write_str("Alt-")?;
        }
        match (NAMES.iter().find(|(_, code)| *code == self.code), self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, KeyCode::Char(c)) => write!(f, "{c}"),
            (None, KeyCode::F(number)) => write!(f, "F{number}"),
            (None, other) => write!(f, "{other:?}"),
        }
    }
}

impl FromStr for Key {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let (mut rest, mut ctrl, mut alt) = (text, false, false);
        loop {
            let with = |name: &str| without_prefix(rest, name);
            if let Some(after) = with("Ctrl-") {
                (rest, ctrl) = (after, true);
            } else if let Some(after) = with("Alt-") {
                (rest, alt) = (after, true);
            } else {
                break;
            }
        }
        let code = code(rest, text)?;
        let code = match code {
            // Terminals send the same for `Ctrl-x` and `Ctrl-X`.
            KeyCode::Char(c) if ctrl => KeyCode::Char(c.to_ascii_lowercase()),
            code => code,
        };
        let sent = SENT_AS.iter().find(|(c, _)| ctrl && code == KeyCode::Char(*c));
        match sent {
            Some((_, name)) => Err(NoKey::SentAs(text.to_owned(), name)),
            None => Ok(Self { code, ctrl, alt }),
        }
    }
}

/// What follows `prefix`, written large or small, and is not empty.
fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(prefix.len())?;
    (head.eq_ignore_ascii_case(prefix) && !rest.is_empty()).then_some(rest)
}

/// The key that `name` stands for, at the end of `whole`.
fn code(name: &str, whole: &str) -> Result<KeyCode, NoKey> {
    let mut characters = name.chars();
    if let (Some(c), None) = (characters.next(), characters.next())
        && text::sanitize(name) == name
        && !NAMES.iter().any(|(named, _)| *named == name)
    {
        return Ok(KeyCode::Char(c));
    }
    if let Some((_, code)) = NAMES.iter().find(|(named, _)| named.eq_ignore_ascii_case(name)) {
        return Ok(*code);
    }
    let function = name.strip_prefix(['F', 'f']).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    if let Some(number) = function.and_then(|digits| digits.parse().ok()).filter(|n| (1..=24).contains(n)) {
        return Ok(KeyCode::F(number));
    }
    if let Some(shifted) = without_prefix(name, "Shift-") {
        return Err(NoKey::Shift(shifted.to_uppercase()));
    }
    let likeness = |(named, _): &(&'static str, _)| (strsim::jaro_winkler(name, named), *named);
    let nearest = NAMES.iter().map(likeness).max_by(|a, b| a.0.total_cmp(&b.0));
    Err(match nearest {
        Some((score, named)) if score > 0.8 => NoKey::Misspelt(whole.to_owned(), named),
        _ => NoKey::Unknown(whole.to_owned()),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> Key {
        text.parse().unwrap()
    }

    #[test]
    fn keys_are_read_as_they_are_shown() {
        for text in
            ["k", "K", "?", "-", "Ctrl-x", "Ctrl--", "Alt-x", "Ctrl-Alt-x", "Space", "PgDn", "F5", "F12", "é"]
        {
            assert_eq!(key(text).to_string(), text);
        }
        assert_eq!(key("Shift-Tab"), Key::code(KeyCode::BackTab));
        assert_eq!(key("Ctrl-↑"), Key { ctrl: true, ..Key::code(KeyCode::Up) });
        assert_eq!(key("ctrl-space"), Key::ctrl(' '));
        assert_eq!((key("up"), key("Ctrl-X"), key("f")), (key("↑"), key("Ctrl-x"), Key::char('f')));
    }

    #[test]
    fn what_is_no_key_is_told_with_what_to_write() {
        let said = |text: &str| text.parse::<Key>().unwrap_err().to_string();
        assert!(said("Ctlr-x").starts_with("no key is called 'Ctlr-x'; write one"));
        assert!(said("").starts_with("no key is called ''"));
        assert!(said("F25").starts_with("no key is called 'F25'"));
        assert_eq!(said("Entr"), "no key is called 'Entr'; did you mean 'Enter'?");
        assert_eq!(said("Shift-x"), "Shift shows in the character: write 'X'");
        assert_eq!(said("Ctrl-i"), "a terminal sends 'Ctrl-i' as Tab: write 'Tab'");
    }

    proptest! {
        #[test]
        fn any_text_is_a_key_that_is_read_back_or_none(text in "((Ctrl|Alt|Shift|ctrl)-){0,3}\\PC{0,8}") {
            if let Ok(key) = text.parse::<Key>() {
                prop_assert_eq!(key.to_string().parse::<Key>(), Ok(key));
            }
        }
    }
}
