//! DuckDB's type names, read into a tree: `STRUCT(a INTEGER, b VARCHAR[])`.

use super::sql_text::identifier;

/// Deeper types are taken as they stand: no event nests so far, and names come from untrusted files.
const DEPTH_LIMIT: usize = 64;

/// A type, as far as the dotted view looks into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DuckType {
    /// Fields in stored order.
    Struct(Vec<(String, DuckType)>),
    /// `T[]`
    List(Box<DuckType>),
    /// `T[n]`
    Array(Box<DuckType>),
    /// Anything else, by name.
    Scalar(String),
}

impl DuckType {
    /// Reads what `DESCRIBE` prints. What is not understood is a scalar of that name.
    pub(super) fn parse(text: &str) -> Self {
        parse_at(text.trim(), 0)
    }

    /// As DuckDB writes it, with `scalar` deciding the name of every scalar.
    pub(super) fn render(&self, scalar: &dyn Fn(&str) -> String) -> String {
        match self {
            Self::Struct(fields) => {
                let field = |(name, t): &(String, Self)| format!("{} {}", identifier(name), t.render(scalar));
                format!("STRUCT({})", fields.iter().map(field).collect::<Vec<_>>().join(", "))
            }
            Self::List(element) | Self::Array(element) => format!("{}[]", element.render(scalar)),
            Self::Scalar(name) => scalar(name),
        }
    }
}

fn parse_at(text: &str, depth: usize) -> DuckType {
    if depth < DEPTH_LIMIT {
        if let Some((element, size)) = bracket_suffix(text) {
            let element = Box::new(parse_at(element, depth + 1));
            return if size.is_empty() { DuckType::List(element) } else { DuckType::Array(element) };
        }
        let body = text.strip_prefix("STRUCT(").and_then(|rest| rest.strip_suffix(')'));
        if let Some(fields) = body.and_then(|body| struct_fields(body, depth + 1)) {
            return DuckType::Struct(fields);
        }
    }
    DuckType::Scalar(text.to_owned())
}

/// `T[3]` as `T` and `3`.
fn bracket_suffix(text: &str) -> Option<(&str, &str)> {
    let (element, size) = text.strip_suffix(']')?.rsplit_once('[')?;
    size.bytes().all(|b| b.is_ascii_digit()).then_some((element, size))
}

fn struct_fields(body: &str, depth: usize) -> Option<Vec<(String, DuckType)>> {
    split_top_level(body).into_iter().map(|field| struct_field(field.trim(), depth)).collect()
}

fn struct_field(text: &str, depth: usize) -> Option<(String, DuckType)> {
    let (name, rest) = match text.strip_prefix('"') {
        None => text.split_once(' ').map(|(name, rest)| (name.to_owned(), rest))?,
        Some(quoted) => quoted_name(quoted)?,
    };
    Some((name, parse_at(rest.trim(), depth)))
}

/// A name up to its closing quote, and what follows.
fn quoted_name(text: &str) -> Option<(String, &str)> {
    let mut from = 0;
    loop {
        let end = from + text.get(from..)?.find('"')?;
        let after = text.get(end + 1..)?;
        if !after.starts_with('"') {
            return Some((text.get(..end)?.replace("\"\"", "\""), after));
        }
        from = end + 2;
    }
}

/// Splits at commas outside parentheses and quotes.
fn split_top_level(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_usize, None);
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'(') => depth += 1,
            (None, b')') => depth = depth.saturating_sub(1),
            (None, b',') if depth == 0 => {
                parts.extend(text.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scalar(name: &str) -> DuckType {
        DuckType::Scalar(name.to_owned())
    }

    #[test]
    fn structs_lists_and_hostile_names_are_read() {
        let text = r#"STRUCT("a b" INTEGER, "c""d, (" DECIMAL(4,2)[], e STRUCT(x ENUM('a, b(', 'c''d')), g INTEGER[2])[]"#;
        let DuckType::List(element) = DuckType::parse(text) else { panic!("a list") };
        let DuckType::Struct(fields) = *element else { panic!("of structs") };
        let expected = vec![
            ("a b".to_owned(), scalar("INTEGER")),
            ("c\"d, (".to_owned(), DuckType::List(Box::new(scalar("DECIMAL(4,2)")))),
            ("e".to_owned(), DuckType::Struct(vec![("x".to_owned(), scalar("ENUM('a, b(', 'c''d')"))])),
            ("g".to_owned(), DuckType::Array(Box::new(scalar("INTEGER")))),
        ];
        assert_eq!(fields, expected);
    }

    #[test]
    fn what_is_not_understood_stays_a_name() {
        for name in ["TIMESTAMP WITH TIME ZONE", "MAP(VARCHAR, INTEGER)", "STRUCT(", "STRUCT(\"a)", "]", ""] {
            assert_eq!(DuckType::parse(name), scalar(name));
        }
        let deep = "[]".repeat(100_000);
        assert!(matches!(DuckType::parse(&format!("INTEGER{deep}")), DuckType::List(_)));
    }

    #[test]
    fn rendering_renames_scalars() {
        let tree = DuckType::parse("STRUCT(u UUID, l STRUCT(\"q\"\"\" DATE)[])");
        let text = |name: &str| if name == "UUID" { "VARCHAR".to_owned() } else { name.to_owned() };
        assert_eq!(tree.render(&text), "STRUCT(\"u\" VARCHAR, \"l\" STRUCT(\"q\"\"\" DATE)[])");
    }
}
