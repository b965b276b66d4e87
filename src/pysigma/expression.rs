//! `rule_cond_expr` and its like: names of conditions joined by `not`, `and`, `or` and parentheses.

use std::collections::BTreeSet;

/// How deep parentheses and negations may lie.
const MAX_DEPTH: usize = 64;

/// A condition expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    /// The condition of this name.
    Name(String),
    Not(Box<Expression>),
    All(Vec<Expression>),
    Any(Vec<Expression>),
}

impl Expression {
    /// Reads an expression. `not` binds before `and`, `and` before `or`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens: &tokens, at: 0 };
        let expression = parser.any(0)?;
        match parser.peek() {
            None => Ok(expression),
            Some(token) => Err(format!("`{token}` is not expected here")),
        }
    }

    /// What it comes to, where `of` answers for a name; `None` where that cannot be known.
    pub(super) fn truth(&self, of: &impl Fn(&str) -> Option<bool>) -> Option<bool> {
        match self {
            Self::Name(name) => of(name),
            Self::Not(inner) => inner.truth(of).map(|truth| !truth),
            Self::All(parts) => all(parts.iter().map(|part| part.truth(of))),
            Self::Any(parts) => any(parts.iter().map(|part| part.truth(of))),
        }
    }

    pub(super) fn names(&self) -> BTreeSet<&str> {
        match self {
            Self::Name(name) => BTreeSet::from([name.as_str()]),
            Self::Not(inner) => inner.names(),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::names).collect(),
        }
    }
}

/// True where all are; false where one is; else unknown.
pub(super) fn all(mut truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    truths
        .try_fold(Some(true), |so_far, truth| match truth {
            Some(false) => Err(Some(false)),
            Some(true) => Ok(so_far),
            None => Ok(None),
        })
        .unwrap_or_else(|decided| decided)
}

/// True where one is; false where none is; else unknown.
pub(super) fn any(truths: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    all(truths.map(|truth| truth.map(|truth| !truth))).map(|none| !none)
}

fn tokens(text: &str) -> Result<Vec<&str>, String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let mut rest = text.trim_start();
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '(' | ')' => 1,
            _ => rest.find(|c| !is_name(c)).unwrap_or(rest.len()),
        };
        if length == 0 {
            return Err(format!("`{}` is no part of an expression", first.escape_debug()));
        }
        let (token, after) = rest.split_at(length);
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

struct Parser<'a> {
    tokens: &'a [&'a str],
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.at).copied()
    }

    fn accept(&mut self, token: &str) -> bool {
        let accepted = self.peek() == Some(token);
        self.at += usize::from(accepted);
        accepted
    }

    fn any(&mut self, depth: usize) -> Result<Expression, String> {
        let mut parts = vec![self.all(depth)?];
        while self.accept("or") {
            parts.push(self.all(depth)?);
        }
        Ok(one_or(parts, Expression::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Expression, String> {
        let mut parts = vec![self.operand(depth)?];
        while self.accept("and") {
            parts.push(self.operand(depth)?);
        }
        Ok(one_or(parts, Expression::All))
    }

    fn operand(&mut self, depth: usize) -> Result<Expression, String> {
        if depth > MAX_DEPTH {
            return Err(format!("the expression is more than {MAX_DEPTH} levels deep"));
        }
        if self.accept("not") {
            return Ok(Expression::Not(Box::new(self.operand(depth + 1)?)));
        }
        if self.accept("(") {
            let inner = self.any(depth + 1)?;
            return if self.accept(")") { Ok(inner) } else { Err("a `)` is missing".to_owned()) };
        }
        match self.peek() {
            Some(token) if !matches!(token, "and" | "or" | ")") => {
                self.at += 1;
                Ok(Expression::Name(token.to_owned()))
            }
            Some(token) => Err(format!("`{token}` is not expected here")),
            None => Err("the expression ends too early".to_owned()),
        }
    }
}

fn one_or(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.len() {
        1 => parts.remove(0),
        _ => join(parts),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn truth(text: &str) -> Option<bool> {
        let of = |name: &str| match name {
            "t" => Some(true),
            "f" => Some(false),
            _ => None,
        };
        Expression::parse(text).unwrap().truth(&of)
    }

    #[test]
    fn what_is_not_known_stays_unknown_unless_the_rest_decides() {
        for (text, expected) in [
            ("t and not f", Some(true)),
            ("not t or t", Some(true)),
            ("not (t or f)", Some(false)),
            ("f and u", Some(false)),
            ("t and u", None),
            ("t or u", Some(true)),
            ("f or u", None),
            ("not u", None),
            ("f or t and t", Some(true)),
            ("t or f and f", Some(true)),
        ] {
            assert_eq!(truth(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        let deep = format!("{}a", "not ".repeat(100_000));
        let open = "(".repeat(100_000);
        for text in ["", "and", "a and", "a b", "(a", "a)", "a = b", "not", &deep, &open] {
            assert!(Expression::parse(text).is_err(), "{:.20}", text);
        }
    }
}
