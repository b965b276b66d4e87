//! What the text of a rule's value means: Sigma's escapes and wildcards, and how text is folded.

use memchr::{memchr2, memchr3};

/// A part of a value's text, escapes read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextPart {
    /// Literal text, not empty; two never stand side by side.
    Text(String),
    /// `*`: any run of characters, also none.
    AnyRun,
    /// `?`: exactly one code point.
    AnyOne,
}

/// The parts of a value's text. `\*`, `\?` and `\\` are the literal characters; a backslash before anything
/// else, or at the end, is itself.
#[must_use]
pub fn parts(text: &str) -> Vec<TextPart> {
    let mut parts = Vec::with_capacity(1);
    let mut literal = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = split_at_special(rest) {
        literal.push_str(before);
        let mut behind = from.chars();
        let wildcard = match behind.next() {
            Some('*') => TextPart::AnyRun,
            Some('?') => TextPart::AnyOne,
            _ => {
                let mut further = behind.clone();
                match further.next() {
                    Some(escaped @ ('*' | '?' | '\\')) => {
                        literal.push(escaped);
                        rest = further.as_str();
                    }
                    _ => {
                        literal.push('\\');
                        rest = behind.as_str();
                    }
                }
                continue;
            }
        };
        rest = behind.as_str();
        if !literal.is_empty() {
            parts.push(TextPart::Text(std::mem::take(&mut literal)));
        }
        parts.push(wildcard);
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(TextPart::Text(literal));
    }
    parts
}

/// The text before its first wildcard or backslash, and the text from there on.
fn split_at_special(text: &str) -> Option<(&str, &str)> {
    memchr3(b'*', b'?', b'\\', text.as_bytes()).and_then(|at| text.split_at_checked(at))
}

/// Whether a value has a wildcard, so that it has no [`literal`].
pub(crate) fn has_wildcard(text: &str) -> bool {
    memchr2(b'*', b'?', text.as_bytes()).is_some()
        && parts(text).iter().any(|part| !matches!(part, TextPart::Text(_)))
}

/// The text that a value means, or `None` where it has a wildcard.
#[must_use]
pub fn literal(text: &str) -> Option<String> {
    if split_at_special(text).is_none() {
        return Some(text.to_owned());
    }
    let mut parts = parts(text);
    match (parts.pop(), parts.as_slice()) {
        (None, _) => Some(String::new()),
        (Some(TextPart::Text(literal)), []) => Some(literal),
        _ => None,
    }
}

/// The value that means just this text: what [`literal`] reads back.
#[must_use]
pub fn escaped(literal: &str) -> String {
    let mut text = String::with_capacity(literal.len());
    let mut chars = literal.chars().peekable();
    while let Some(c) = chars.next() {
        let is_read_as_escape =
            c == '\\' && chars.peek().is_some_and(|next| matches!(next, '*' | '?' | '\\'));
        if matches!(c, '*' | '?') || is_read_as_escape {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

/// Text without case, as DuckDB's `lower` has it: one code point for one, so no rule for final sigma, and a
/// plain `i` for `İ`.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.chars().map(fold_char).collect()
}

/// As [`fold`], of text that is no longer needed as it is.
pub(crate) fn folded(mut text: String) -> String {
    if text.is_ascii() {
        text.make_ascii_lowercase();
        return text;
    }
    fold(&text)
}

fn fold_char(c: char) -> char {
    if is_newer_than_duckdb(c) {
        return c;
    }
    let mut lower = c.to_lowercase();
    // `İ` alone has two code points in lower case: `i` and a combining dot.
    lower.next().unwrap_or(c)
}

/// Capital letters of Unicode 16 and 17, which DuckDB's `lower` does not know.
fn is_newer_than_duckdb(c: char) -> bool {
    matches!(c, '\u{1c89}' | '\u{a7cb}' | '\u{a7cc}' | '\u{a7ce}' | '\u{a7d2}' | '\u{a7d4}' | '\u{a7da}'
        | '\u{a7dc}' | '\u{10d50}'..='\u{10d65}' | '\u{16ea0}'..='\u{16eb8}')
}

/// Whether a value begins with exactly two backslashes and then plain text: a UNC path, of which Sigma reads
/// only one backslash.
pub(crate) fn is_unc_trap(text: &str) -> bool {
    text.strip_prefix(r"\\")
        .and_then(|rest| rest.chars().next())
        .is_some_and(|c| !matches!(c, '\\' | '*' | '?'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(text: &str) -> String {
        parts(text)
            .into_iter()
            .map(|part| match part {
                TextPart::Text(text) => text,
                TextPart::AnyRun => "<run>".into(),
                TextPart::AnyOne => "<one>".into(),
            })
            .collect()
    }

    #[test]
    fn escapes_and_wildcards() {
        let cases = [
            (r"C:\Win", r"C:\Win"),
            (r"C:\\Win", r"C:\Win"),
            (r"\\\\host\x", r"\\host\x"),
            (r"\\host", r"\host"),
            (r"a\*b", "a*b"),
            (r"a\?b", "a?b"),
            (r"a\\*b", r"a\<run>b"),
            (r"a\\\*b", r"a\*b"),
            (r"a\\\Win", r"a\\Win"),
            (r"dir\", r"dir\"),
            (r"dir\\", r"dir\"),
            ("a*b?c", "a<run>b<one>c"),
            ("**", "<run><run>"),
            ("%_[$]", "%_[$]"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(meaning(text), expected, "{text}");
        }
    }

    #[test]
    fn text_with_a_wildcard_has_no_literal() {
        assert_eq!(literal(r"a\*b").as_deref(), Some("a*b"));
        assert_eq!(literal("a*b"), None);
        assert_eq!(literal("a?"), None);
        assert_eq!(literal("").as_deref(), Some(""));
    }

    #[test]
    fn folding_is_that_of_duckdb() {
        let cases = [
            ("PowerShell", "powershell"),
            ("ΑΣ", "ασ"),
            ("ς", "ς"),
            ("İ", "i"),
            ("ẞ", "ß"),
            ("ß", "ß"),
            ("\u{212a}", "k"),
            ("ſ", "ſ"),
            ("É", "é"),
            ("\u{1c89}", "\u{1c89}"),
            ("\u{a7d0}", "\u{a7d1}"),
        ];
        for (text, expected) in cases {
            assert_eq!(fold(text), expected, "{text}");
        }
    }

    #[test]
    fn only_one_character_has_a_longer_lower_case() {
        let longer: Vec<char> = ('\0'..=char::MAX).filter(|c| c.to_lowercase().count() != 1).collect();
        assert_eq!(longer, ['İ']);
    }

    #[test]
    fn unc_paths_are_a_trap_with_two_backslashes_only() {
        assert!(is_unc_trap(r"\\host\share"));
        for text in [r"\\\\host", r"\host", r"\\", r"\\*\x", r"\\?\C:", "host"] {
            assert!(!is_unc_trap(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn escaped_text_is_literal(text in "[a-z*?\\\\]{0,12}") {
            let escaped: String = text.chars().flat_map(|c| match c {
                '*' | '?' | '\\' => vec!['\\', c],
                _ => vec![c],
            }).collect();
            assert_eq!(literal(&escaped), Some(text));
        }

        #[test]
        fn folding_twice_changes_nothing(text in "\\PC*") {
            let folded = fold(&text);
            assert_eq!(folded.chars().count(), text.chars().count());
            assert_eq!(fold(&folded), folded);
        }
    }
}
