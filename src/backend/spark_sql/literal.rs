//! Names and literals as Spark SQL. The only place where a value of a rule or a pack becomes SQL text.

use crate::bridge::ir::Number;

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

/// Line and paragraph separators and the marks that reorder text.
fn is_format(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// A number, typed so that Spark does not choose the type: fractions are DOUBLE, never DECIMAL.
pub(super) fn number(value: Number) -> String {
    match value {
        Number::Integer(number) => number.to_string(),
        Number::Float(number) => format!("CAST('{number:?}' AS DOUBLE)"),
    }
}

/// A JSON scalar, or an array of them in parentheses, for producer predicates.
pub(super) fn json(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Null => "NULL".to_owned(),
        serde_json::Value::Bool(truth) => boolean(*truth).to_owned(),
        serde_json::Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => self::number(Number::Float(float)),
            _ => number.to_string(),
        },
        serde_json::Value::String(value) => text(value),
        serde_json::Value::Array(values) => {
            format!("({})", values.iter().map(json).collect::<Vec<_>>().join(", "))
        }
        // A pack with an object here does not load; as text it can only narrow to nothing.
        serde_json::Value::Object(_) => text(&value.to_string()),
    }
}

pub(super) fn boolean(value: bool) -> &'static str {
    if value { "true" } else { "false" }
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

    #[test]
    fn numbers_keep_their_type() {
        assert_eq!(number(Number::Integer(-5)), "-5");
        assert_eq!(number(Number::Float(1.5)), "CAST('1.5' AS DOUBLE)");
        assert_eq!(json(&serde_json::json!([1, "a'"])), r"(1, 'a\'')");
    }
}
