//! The words of a condition.

use std::ops::Range;

/// A word or a sign, and the bytes that it covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind<'a>,
    pub(super) range: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind<'a> {
    Open,
    Close,
    /// A pipe and all that follows it: no part of it can be expressed.
    Pipe,
    /// An identifier, a pattern or a keyword.
    Word(&'a str),
    /// A character that no condition has.
    Stray(char),
}

/// The tokens up to the first pipe or stray character, which is the last of them.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(c) = rest.chars().next() {
        let start = text.len() - rest.len();
        let (kind, length) = match c {
            '(' => (TokenKind::Open, 1),
            ')' => (TokenKind::Close, 1),
            '|' => (TokenKind::Pipe, rest.trim_end().len()),
            _ if is_word(c) => {
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                (TokenKind::Word(rest.get(..length).unwrap_or(rest)), length)
            }
            _ => (TokenKind::Stray(c), c.len_utf8()),
        };
        tokens.push(Token { kind, range: start..start + length });
        if matches!(kind, TokenKind::Pipe | TokenKind::Stray(_)) {
            break;
        }
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '*')
}
