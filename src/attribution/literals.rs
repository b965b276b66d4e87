//! How a text misses a literal, and where in a text a literal stands.

use std::ops::Range;

use super::words::{Difference, Miss};
use crate::backend::interpreter;
use crate::bridge::ir::{DASHES, PatternPart, Regex, Test};
use crate::sigma::{TextMatch, text};

/// Code points of a value or literal that a sentence quotes.
const QUOTED: usize = 120;

/// Code points that have to be shared before that is worth a word.
const SHARED: usize = 4;

/// Where a literal has to stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    Equals,
    Contains,
    StartsWith,
    EndsWith,
}

impl From<TextMatch> for Position {
    fn from(position: TextMatch) -> Self {
        match position {
            TextMatch::Equals => Self::Equals,
            TextMatch::Contains => Self::Contains,
            TextMatch::StartsWith => Self::StartsWith,
            TextMatch::EndsWith => Self::EndsWith,
        }
    }
}

impl Position {
    fn holds(self, value: &str, wanted: &str) -> bool {
        match self {
            Self::Equals => value == wanted,
            Self::Contains => value.contains(wanted),
            Self::StartsWith => value.starts_with(wanted),
            Self::EndsWith => value.ends_with(wanted),
        }
    }
}

/// `text` in quotes, cut to what a sentence can hold.
pub(super) fn quote(text: &str) -> String {
    format!("'{}'", clip(text))
}

/// `text`, cut to what a sentence can hold.
pub(super) fn clip(text: &str) -> String {
    match text.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Whether `value` has the literal somewhere.
pub(super) fn contains(value: &str, wanted: &str, cased: bool) -> bool {
    if cased { value.contains(wanted) } else { text::fold(value).contains(wanted) }
}

/// How `value` misses the literal `wanted`, which is folded already unless `cased`.
pub(super) fn text_difference(position: Position, wanted: &str, cased: bool, value: &str) -> Difference {
    let subject = if cased { value.to_owned() } else { text::fold(value) };
    alike(position, wanted, cased, &subject, value)
        .or_else(|| other_extension(position, wanted, &subject, value))
        .or_else(|| other_folder(position, wanted, &subject))
        .or_else(|| elsewhere(position, wanted, &subject))
        .or_else(|| partly(position, wanted, &subject))
        .unwrap_or_else(|| Difference::new(Miss::Other, format!("is {}", quote(value))))
}

/// The same but for something that is easily overlooked.
fn alike(position: Position, wanted: &str, cased: bool, subject: &str, value: &str) -> Option<Difference> {
    let through = |change: &dyn Fn(&str) -> String| {
        let changed = change(wanted);
        !changed.is_empty() && position.holds(&change(subject), &changed)
    };
    let without = |left_out: fn(char) -> bool| {
        move |text: &str| text.chars().filter(|c| !left_out(*c)).collect::<String>()
    };
    let slashes = |text: &str| text.replace('/', "\\").replace("\\\\", "\\");
    if cased && through(&text::fold) {
        let text = format!("differs from {} in upper and lower case only: {}", quote(wanted), quote(value));
        return Some(Difference::new(Miss::Case, text));
    }
    if through(&without(char::is_whitespace)) {
        let text = format!("differs from {} in blanks only: {}", quote(wanted), quote(value));
        return Some(Difference::new(Miss::Whitespace, text));
    }
    if through(&slashes) {
        let text = format!("differs from {} in slashes only: {}", quote(wanted), quote(value));
        return Some(Difference::new(Miss::Punctuation, text));
    }
    let quotes = |c: char| matches!(c, '"' | '\'' | '`');
    if through(&without(quotes)) {
        let text = format!("differs from {} in quotes only: {}", quote(wanted), quote(value));
        return Some(Difference::new(Miss::Punctuation, text));
    }
    None
}

/// A path as what stands before its last part, that part without its extension, and the extension.
fn path_parts(path: &str) -> (&str, &str, Option<&str>) {
    let name_at = path.rfind(['\\', '/']).map_or(0, |at| at + 1);
    let (folder, name) = (path.get(..name_at).unwrap_or_default(), path.get(name_at..).unwrap_or_default());
    match name.rsplit_once('.') {
        Some((stem, extension))
            if !stem.is_empty()
                && (1..=5).contains(&extension.len())
                && extension.chars().all(|c| c.is_ascii_alphanumeric()) =>
        {
            (folder, stem, Some(extension))
        }
        _ => (folder, name, None),
    }
}

fn other_extension(position: Position, wanted: &str, subject: &str, value: &str) -> Option<Difference> {
    let (_, _, Some(extension)) = path_parts(wanted) else { return None };
    let stem = wanted.strip_suffix(extension)?.strip_suffix('.')?;
    let (folder, name, found) = path_parts(subject);
    let without = format!("{folder}{name}");
    let same = match position {
        Position::Equals => without == stem,
        Position::EndsWith => without.ends_with(stem),
        Position::Contains | Position::StartsWith => false,
    };
    if !same {
        return None;
    }
    let text = match found {
        Some(found) => format!("has the extension '.{found}', not '.{extension}': {}", quote(value)),
        None => format!("has no extension '.{extension}': {}", quote(value)),
    };
    Some(Difference::new(Miss::Extension, text))
}

fn other_folder(position: Position, wanted: &str, subject: &str) -> Option<Difference> {
    if !matches!(position, Position::Equals | Position::EndsWith) {
        return None;
    }
    let name_at = wanted.rfind(['\\', '/'])? + 1;
    let name = wanted.get(name_at..).filter(|name| !name.is_empty())?;
    if subject == name {
        return Some(Difference::new(Miss::Folder, format!("is {} alone, without a folder", quote(subject))));
    }
    let folder = subject.strip_suffix(name)?.strip_suffix(['\\', '/'])?;
    let text = format!("is {} in another folder: {}", quote(name), quote(folder));
    Some(Difference::new(Miss::Folder, text))
}

/// The whole literal, but not where it has to stand.
fn elsewhere(position: Position, wanted: &str, subject: &str) -> Option<Difference> {
    if wanted.is_empty() {
        return None;
    }
    let at = subject.find(wanted)?;
    let last = subject.rfind(wanted)?;
    let before = subject.get(..at).unwrap_or_default();
    let behind = subject.get(last + wanted.len()..).unwrap_or_default();
    let text = match position {
        Position::Contains => return None,
        Position::StartsWith => format!("has {}, but behind {}", quote(wanted), quote(before)),
        Position::EndsWith => format!("has {}, but goes on with {}", quote(wanted), quote(behind)),
        Position::Equals if before.is_empty() => {
            format!("begins with {} and goes on with {}", quote(wanted), quote(behind))
        }
        Position::Equals => format!("has {} within more text: {}", quote(wanted), quote(subject)),
    };
    Some(Difference::new(Miss::Position, text))
}

/// A good part of the literal: half of it and no fewer than [`SHARED`] code points.
fn partly(position: Position, wanted: &str, subject: &str) -> Option<Difference> {
    let length = wanted.chars().count();
    let enough = |shared: &str| {
        let shared = shared.chars().count();
        shared >= SHARED && shared * 2 >= length
    };
    if position == Position::EndsWith {
        let shared = common_suffix(wanted, subject);
        // An extension is common to all programs.
        let (_, _, extension) = path_parts(wanted);
        let of_extension = extension.map_or(0, |extension| extension.len() + 1);
        let beyond = shared.chars().count().saturating_sub(of_extension);
        if beyond >= SHARED && beyond * 2 >= length.saturating_sub(of_extension) {
            let before = subject.strip_suffix(shared).unwrap_or_default();
            let text = format!(
                "ends with {} only, before it stands {}",
                quote(shared),
                quote(tail(before, QUOTED / 4))
            );
            return Some(Difference::new(Miss::Partial, text));
        }
    }
    let (shared, rest) = match position {
        Position::Contains => longest_prefix(wanted, subject)?,
        Position::Equals | Position::StartsWith | Position::EndsWith => {
            let shared = common_prefix(wanted, subject);
            (shared, subject.get(shared.len()..).unwrap_or_default())
        }
    };
    if position == Position::EndsWith || !enough(shared) {
        return None;
    }
    let missing = wanted.get(shared.len()..).unwrap_or_default();
    let has = if position == Position::Contains { "has" } else { "begins with" };
    let text = match rest.is_empty() {
        true => format!("{has} {} and ends there, before {}", quote(shared), quote(missing)),
        false => {
            let next: String = rest.chars().take(missing.chars().count().clamp(1, 16)).collect();
            format!(
                "{has} {} followed by {}, where the rule has {}",
                quote(shared),
                quote(&next),
                quote(missing)
            )
        }
    };
    Some(Difference::new(Miss::Partial, text))
}

/// The longest prefix of `wanted` that `subject` has anywhere, and what stands behind it there.
fn longest_prefix<'t>(wanted: &'t str, subject: &'t str) -> Option<(&'t str, &'t str)> {
    let ends = wanted.char_indices().map(|(at, _)| at).skip(SHARED).chain([wanted.len()]);
    let mut best = None;
    for end in ends {
        let prefix = wanted.get(..end)?;
        let Some(at) = subject.find(prefix) else { break };
        best = Some((prefix, subject.get(at + end..).unwrap_or_default()));
    }
    best
}

fn common_prefix<'t>(wanted: &'t str, subject: &str) -> &'t str {
    let mut subject = subject.chars();
    let end = wanted.char_indices().find(|(_, c)| subject.next() != Some(*c));
    wanted.get(..end.map_or(wanted.len(), |(at, _)| at)).unwrap_or_default()
}

fn common_suffix<'t>(wanted: &'t str, subject: &str) -> &'t str {
    let mut subject = subject.chars().rev();
    let different = wanted.char_indices().rev().find(|(_, c)| subject.next() != Some(*c));
    let start = different.map_or(0, |(at, c)| at + c.len_utf8());
    wanted.get(start..).unwrap_or_default()
}

fn tail(text: &str, length: usize) -> &str {
    let start = text.char_indices().rev().nth(length.saturating_sub(1)).map_or(0, |(at, _)| at);
    text.get(start..).unwrap_or_default()
}

/// The stretch of `value`, in code points, that lets it satisfy `test`; `None` where it does not. Of tests that look
/// at a value as a whole, that is all of it.
pub(super) fn found_at(test: &Test, value: &str) -> Option<Range<usize>> {
    let whole = || Some(0..value.chars().count());
    let in_bytes = |found: Option<Range<usize>>, of: &str| {
        let found = found?;
        let points = |end: usize| of.char_indices().take_while(|(at, _)| *at < end).count();
        Some(points(found.start)..points(found.end))
    };
    let subject = |cased: bool| if cased { value.to_owned() } else { text::fold(value) };
    match test {
        Test::TextIn { values, cased } => values.contains(&subject(*cased)).then(whole).flatten(),
        Test::Text { position, value: wanted, cased } => {
            let subject = subject(*cased);
            let start = match position {
                TextMatch::Equals => (subject == *wanted).then_some(0),
                TextMatch::Contains => subject.find(wanted.as_str()),
                TextMatch::StartsWith => subject.starts_with(wanted.as_str()).then_some(0),
                TextMatch::EndsWith => {
                    subject.ends_with(wanted.as_str()).then(|| subject.len() - wanted.len())
                }
            };
            in_bytes(start.map(|start| start..start + wanted.len()), &subject)
        }
        Test::Pattern { parts, cased } => {
            let subject = subject(*cased);
            in_bytes(interpreter::find_regex(&pattern(parts), &subject), &subject)
        }
        Test::Regex(regex) => in_bytes(interpreter::find_regex(regex, value), value),
        Test::Missing => None,
        _ => whole(),
    }
}

/// A shape as an expression that finds what stands between its outer runs.
fn pattern(parts: &[PatternPart]) -> Regex {
    let (starts, ends) =
        (parts.first() != Some(&PatternPart::AnyRun), parts.last() != Some(&PatternPart::AnyRun));
    let inner = parts.iter().skip(usize::from(!starts));
    let inner = inner.take(parts.len() - usize::from(!starts) - usize::from(!ends && parts.len() > 1));
    let body: String = inner
        .map(|part| match part {
            PatternPart::Text(text) => regex_syntax::escape(text),
            PatternPart::AnyRun => ".*?".to_owned(),
            PatternPart::AnyOne => ".".to_owned(),
            PatternPart::Dash => {
                format!("[{}]", DASHES.map(|dash| regex_syntax::escape(&dash.to_string())).concat())
            }
        })
        .collect();
    let anchored = |on: bool, sign: &str| if on { sign.to_owned() } else { String::new() };
    let pattern = format!("{}{body}{}", anchored(starts, "^"), anchored(ends, "$"));
    Regex { pattern, ignore_case: false, multiline: false, dot_all: true }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn told(position: Position, wanted: &str, value: &str) -> (Miss, String) {
        let found = text_difference(position, wanted, false, value);
        (found.miss, found.text)
    }

    #[test]
    fn case_counts_only_where_it_is_asked_for() {
        let found = text_difference(Position::Contains, "Invoke", true, "x INVOKE y");
        assert_eq!(found.miss, Miss::Case);
        assert_eq!(found.text, "differs from 'Invoke' in upper and lower case only: 'x INVOKE y'");
    }

    #[test]
    fn blanks_slashes_and_quotes_are_told() {
        assert_eq!(told(Position::Contains, " -f ", "a -f").0, Miss::Whitespace);
        assert_eq!(told(Position::Equals, "net  user", "net user").0, Miss::Whitespace);
        assert_eq!(told(Position::EndsWith, r"\a\b.exe", "C:/a/b.exe").0, Miss::Punctuation);
        assert_eq!(told(Position::StartsWith, r"c:\a", "\"C:\\a\"").0, Miss::Punctuation);
        // A literal of blanks alone is not held by every text.
        assert_eq!(told(Position::Contains, "  ", "ab").0, Miss::Other);
    }

    #[test]
    fn another_extension_is_told() {
        let (miss, said) = told(Position::EndsWith, r"\certutil.exe", r"C:\x\certutil.com");
        assert_eq!(miss, Miss::Extension);
        assert_eq!(said, r"has the extension '.com', not '.exe': 'C:\x\certutil.com'");
        assert_eq!(
            told(Position::EndsWith, r"\tool.exe", r"C:\tool").1,
            r"has no extension '.exe': 'C:\tool'"
        );
        // The end of another name is no file name.
        assert_ne!(told(Position::EndsWith, r"\tool.exe", r"C:\mytool.com").0, Miss::Extension);
    }

    #[test]
    fn the_folder_is_told() {
        let (miss, said) = told(Position::EndsWith, r"\certutil.exe", "certutil.exe");
        assert_eq!((miss, said.as_str()), (Miss::Folder, "is 'certutil.exe' alone, without a folder"));
        let (miss, said) = told(Position::Equals, r"c:\windows\a.exe", r"D:\tools\a.exe");
        assert_eq!((miss, said.as_str()), (Miss::Folder, r"is 'a.exe' in another folder: 'd:\tools'"));
    }

    #[test]
    fn the_literal_may_stand_elsewhere() {
        assert_eq!(told(Position::StartsWith, "cmd", "x cmd").1, "has 'cmd', but behind 'x '");
        assert_eq!(told(Position::EndsWith, ".ps1", "a.ps1 -x").1, "has '.ps1', but goes on with ' -x'");
        assert_eq!(told(Position::Equals, "cmd", "cmd /c").1, "begins with 'cmd' and goes on with ' /c'");
    }

    #[test]
    fn a_good_part_is_told() {
        let (miss, said) = told(Position::Contains, r"\users\public\", "copy C:\\Users\\Public\" x");
        assert_eq!(miss, Miss::Partial);
        assert_eq!(said, r#"has '\users\public' followed by '"', where the rule has '\'"#);
        let (miss, said) = told(Position::StartsWith, r"c:\programdata\", r"C:\ProgramData");
        assert_eq!(miss, Miss::Partial);
        assert_eq!(said, r"begins with 'c:\programdata' and ends there, before '\'");
        let (miss, said) = told(Position::EndsWith, r"\mshta.exe", r"C:\x-shta.exe");
        assert_eq!(miss, Miss::Partial);
        assert_eq!(said, r"ends with 'shta.exe' only, before it stands 'c:\x-'");
        // What all programs share is not worth a word.
        assert_eq!(told(Position::EndsWith, r"\msdt.exe", r"C:\svchost.exe").0, Miss::Other);
    }

    #[test]
    fn long_values_are_cut() {
        let said = told(Position::Equals, "x", &"é".repeat(500)).1;
        assert_eq!(said.chars().count(), "is ''".chars().count() + QUOTED + 1);
    }

    #[test]
    fn what_was_found_is_told_in_code_points() {
        let text = |position, value: &str| Test::Text { position, value: value.to_owned(), cased: false };
        assert_eq!(found_at(&text(TextMatch::Contains, "bc"), "éABCd"), Some(2..4));
        assert_eq!(found_at(&text(TextMatch::EndsWith, "a"), "aéA"), Some(2..3));
        assert_eq!(found_at(&text(TextMatch::StartsWith, "x"), "ax"), None);
        let parts = vec![
            PatternPart::AnyRun,
            PatternPart::Dash,
            PatternPart::Text("enc".to_owned()),
            PatternPart::AnyRun,
        ];
        assert_eq!(found_at(&Test::Pattern { parts, cased: false }, "ps /ENC x"), Some(3..7));
        let values = vec!["a".to_owned()];
        assert_eq!(found_at(&Test::TextIn { values, cased: false }, "A"), Some(0..1));
    }
}
