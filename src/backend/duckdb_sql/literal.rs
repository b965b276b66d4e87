//! Literals as SQL. The only place where a value of a rule or a pack becomes SQL text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::backend::sql_parts::{self, is_format};

/// Parts that a text is joined from, and quotes in it: DuckDB refuses expressions a thousand deep, and its time
/// is quadratic in doubled quotes.
const MAX_PARTS: usize = 64;

/// Text as a SQL expression. Control characters are written as `chr(n)`: the parser ends at a NUL, and the rest
/// would break lines on the screen. A quote never stands behind a backslash or another quote: some readers of SQL
/// take either for an escape. A text with many of all these is base64.
pub(super) fn text(value: &str) -> String {
    let mut sql = String::with_capacity(value.len() + 2);
    write_text(&mut sql, value);
    sql
}

/// Adds [`text`] to a statement.
pub(super) fn write_text(sql: &mut String, value: &str) {
    let plain = |byte: &u8| matches!(byte, b' '..=b'~') && *byte != b'\'';
    // Without an early end, so that many bytes are looked at in one step.
    if value.as_bytes().iter().fold(true, |all, byte| all & plain(byte)) {
        sql.push('\'');
        sql.push_str(value);
        sql.push('\'');
    } else {
        sql.push_str(&in_parts(value));
    }
}

fn in_parts(value: &str) -> String {
    if value.matches('\'').count() >= MAX_PARTS {
        return encoded(value);
    }
    let mut parts: Vec<String> = Vec::new();
    let mut run = String::new();
    for character in value.chars() {
        if character.is_control() || is_format(character) {
            if !run.is_empty() {
                parts.push(quoted(&std::mem::take(&mut run)));
            }
            parts.push(format!("chr({})", u32::from(character)));
        } else {
            if character == '\'' && run.ends_with(['\\', '\'']) {
                parts.push(quoted(&std::mem::take(&mut run)));
            }
            run.push(character);
        }
    }
    if !run.is_empty() || parts.is_empty() {
        parts.push(quoted(&run));
    }
    match parts.len() {
        1 => parts.concat(),
        MAX_PARTS.. => encoded(value),
        _ => format!("({})", parts.join(" || ")),
    }
}

fn encoded(value: &str) -> String {
    format!("decode(from_base64('{}'))", STANDARD.encode(value))
}

fn quoted(run: &str) -> String {
    format!("'{}'", run.replace('\'', "''"))
}

/// A JSON scalar, or an array of them in parentheses, for producer predicates.
pub(super) fn json(value: &serde_json::Value) -> String {
    sql_parts::json(value, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_doubled_and_nothing_else_is_special() {
        assert_eq!(text("a'b"), "'a''b'");
        assert_eq!(text(r"50%_\$"), r"'50%_\$'");
        assert_eq!(text(""), "''");
        assert_eq!(
            text(&"'".repeat(64)),
            format!("decode(from_base64('{}'))", STANDARD.encode("'".repeat(64)))
        );
    }

    #[test]
    fn a_quote_stands_behind_nothing_that_could_escape_it() {
        assert_eq!(text(r"a\'b"), r"('a\' || '''b')");
        assert_eq!(text("a''b"), "('a''' || '''b')");
        assert_eq!(text(r"a\b'"), r"'a\b'''");
    }

    #[test]
    fn control_characters_never_stand_in_the_text() {
        assert_eq!(text("a\0b"), "('a' || chr(0) || 'b')");
        assert_eq!(text("\n"), "chr(10)");
        assert_eq!(text("x\u{202e}y\u{1b}"), "('x' || chr(8238) || 'y' || chr(27))");
    }
}
