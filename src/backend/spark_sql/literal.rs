//! Names and literals as Spark SQL. The only place where a value of a rule or a pack becomes SQL text.

use crate::backend::sql_parts::{self, is_format};

/// A column's name, quoted. Dots within the quotes are part of it.
pub(super) fn identifier(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// Text as a SQL literal. Two quotes side by side are no quote in Spark 3, so one is written with a backslash, as
/// backslashes themselves are. `${` would be a variable. Characters that an editor would not show are numbers.
pub(super) fn text(value: &str) -> String {
    let mut literal = String::from("'");
    let mut rest = value.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\\' | '\'' => literal.extend(['\\', c]),
            '$' if rest.peek() == Some(&'{') => literal.push_str(&escaped(c)),
            c if c.is_control() || is_format(c) => literal.push_str(&escaped(c)),
            c => literal.push(c),
        }
    }
    literal.push('\'');
    literal
}

fn escaped(c: char) -> String {
    let number = u32::from(c);
    if number <= 0xffff { format!("\\u{number:04X}") } else { format!("\\U{number:08X}") }
}

/// A JSON scalar, or an array of them in parentheses, for producer predicates.
pub(super) fn json(value: &serde_json::Value) -> String {
    sql_parts::json(value, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_stand_behind_a_backslash() {
        assert_eq!(text(r"C:\it's"), r"'C:\\it\'s'");
        assert_eq!(text(r"\'"), r"'\\\''");
        assert_eq!(text("50%_$"), "'50%_$'");
        assert_eq!(identifier("a`.b"), "`a``.b`");
    }

    #[test]
    fn nothing_is_substituted_and_nothing_hides() {
        assert_eq!(text("${env:HOME}"), r"'\u0024{env:HOME}'");
        assert_eq!(text("a\0\n\u{202e}\u{e0001}"), r"'a\u0000\u000A\u202E\U000E0001'");
    }
}
