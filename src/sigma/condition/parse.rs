//! The grammar of conditions, by recursive descent:
//!
//! ```text
//! expr := and ("or" and)*
//! and  := not ("and" not)*
//! not  := "not" not | atom
//! atom := "(" expr ")" | ("1"|"any"|"all") "of" ("them" | pattern) | identifier
//! ```

use std::ops::Range;

use super::lex::{Token, TokenKind, tokens};
use super::{Expression, Quantifier};
use crate::sigma::problem::{Problem, ProblemKind};
use crate::sigma::span::{Scalar, Spanned};

/// How deep parentheses and `not` may nest.
const MAX_DEPTH: usize = 64;
/// The bytes of a rule's conditions that are read: 64 KiB.
pub(crate) const MAX_LENGTH: usize = 64 << 10;

const KEYWORDS: [&str; 5] = ["and", "or", "not", "of", "them"];

/// The expression that a condition's text says.
pub(super) fn expression(text: &Scalar<'_>) -> Result<Expression, Problem> {
    if text.value.len() > MAX_LENGTH {
        let message = format!("the condition has {} bytes, more than {MAX_LENGTH}", text.value.len());
        return Err(Problem::new(ProblemKind::Limit, text.span, message));
    }
    let tokens = tokens(text.value);
    if tokens.is_empty() {
        return Err(Problem::new(ProblemKind::Parse, text.span, "the condition is empty")
            .with_help("name a selection, as in `condition: selection`"));
    }
    let mut parser = Parser { text, tokens, next: 0, depth: 0 };
    let expression = parser.or()?;
    match parser.peek() {
        None => Ok(expression),
        Some(_) => Err(parser.unexpected("`and`, `or` or the end of the condition")),
    }
}

struct Parser<'a> {
    text: &'a Scalar<'a>,
    tokens: Vec<Token<'a>>,
    next: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.next)
    }

    /// The word that stands `ahead` tokens from here.
    fn word(&self, ahead: usize) -> Option<&'a str> {
        match self.tokens.get(self.next + ahead)?.kind {
            TokenKind::Word(word) => Some(word),
            _ => None,
        }
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.word(0) == Some(word);
        self.next += usize::from(found);
        found
    }

    fn or(&mut self) -> Result<Expression, Problem> {
        let mut parts = vec![self.and()?];
        while self.take_word("or") {
            parts.push(self.and()?);
        }
        Ok(joined(parts, Expression::Or))
    }

    fn and(&mut self) -> Result<Expression, Problem> {
        let mut parts = vec![self.not()?];
        while self.take_word("and") {
            parts.push(self.not()?);
        }
        Ok(joined(parts, Expression::And))
    }

    fn not(&mut self) -> Result<Expression, Problem> {
        if self.take_word("not") {
            return self.nested(|parser| Ok(Expression::Not(Box::new(parser.not()?))));
        }
        self.atom()
    }

    fn atom(&mut self) -> Result<Expression, Problem> {
        let Some(token) = self.peek().cloned() else {
            return Err(self.unexpected("a selection"));
        };
        match token.kind {
            TokenKind::Open => {
                self.next += 1;
                self.nested(|parser| parser.group(token.range))
            }
            TokenKind::Word(word) => self.operand(word, token.range),
            TokenKind::Close | TokenKind::Pipe | TokenKind::Stray(_) => Err(self.unexpected("a selection")),
        }
    }

    fn group(&mut self, open: Range<usize>) -> Result<Expression, Problem> {
        let inner = self.or()?;
        match self.peek().map(|token| token.kind) {
            Some(TokenKind::Close) => {
                self.next += 1;
                Ok(inner)
            }
            Some(_) => Err(self.unexpected("`and`, `or` or `)`")),
            None => Err(self.problem("this parenthesis is never closed", open).with_help("add a `)`")),
        }
    }

    fn operand(&mut self, word: &'a str, range: Range<usize>) -> Result<Expression, Problem> {
        if self.word(1).is_some_and(|next| next.eq_ignore_ascii_case("of")) {
            return self.quantified(word, range);
        }
        let starts_operand = |token: &Token<'_>| matches!(token.kind, TokenKind::Open | TokenKind::Word(_));
        let operand_follows = self.tokens.get(self.next + 1).is_some_and(starts_operand);
        if word != "not" && word.eq_ignore_ascii_case("not") && operand_follows {
            return Err(self.upper_case(word, range));
        }
        if KEYWORDS.contains(&word) {
            return Err(self.unexpected("a selection"));
        }
        if word.contains('*') {
            let message =
                format!("the pattern `{word}` does not say how many of its selections have to hold");
            let help = format!("write `1 of {word}` or `all of {word}`");
            return Err(self.problem(message, range).with_help(help));
        }
        self.next += 1;
        Ok(Expression::Identifier(self.spanned(word, range)))
    }

    /// `1 of them` and the like, from the number on.
    fn quantified(&mut self, word: &'a str, range: Range<usize>) -> Result<Expression, Problem> {
        let of = self.tokens.get(self.next + 1).map_or(range.clone(), |token| token.range.clone());
        let target = self.tokens.get(self.next + 2).map_or(of.clone(), |token| token.range.clone());
        let quantifier = match word {
            "1" | "any" => Quantifier::Any,
            "all" => Quantifier::All,
            _ if word.bytes().all(|b| b.is_ascii_digit()) => {
                return Err(self
                    .unsupported(format!("`{word} of` is no quantifier of Sigma"), range.start..target.end)
                    .with_help(
                        "Sigma has `1 of` and `all of`; spell other numbers out with `and` and `or`",
                    ));
            }
            _ if word.eq_ignore_ascii_case("any") || word.eq_ignore_ascii_case("all") => {
                return Err(self.upper_case(word, range));
            }
            _ => {
                let message = format!("`{word} of` is no quantifier");
                return Err(self.problem(message, range.start..of.end).with_help("write `1 of` or `all of`"));
            }
        };
        if let Some(of_word) = self.word(1).filter(|of| *of != "of") {
            return Err(self.upper_case(of_word, of));
        }
        self.next += 2;
        let Some(pattern) = self.word(0) else {
            return Err(self.unexpected("`them` or a pattern"));
        };
        if pattern != "them" && pattern.eq_ignore_ascii_case("them") {
            return Err(self.upper_case(pattern, target));
        }
        if matches!(pattern, "and" | "or" | "not" | "of") {
            return Err(self.unexpected("`them` or a pattern"));
        }
        self.next += 1;
        Ok(Expression::Quantified(quantifier, self.spanned(pattern, target)))
    }

    /// What `parse` reads, one level deeper.
    fn nested(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<Expression, Problem>,
    ) -> Result<Expression, Problem> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("the condition nests deeper than {MAX_DEPTH} levels");
            return Err(Problem::new(ProblemKind::Limit, self.text.span, message));
        }
        let expression = parse(self);
        self.depth -= 1;
        expression
    }

    fn spanned(&self, word: &str, range: Range<usize>) -> Spanned<String> {
        Spanned::new(word.to_owned(), self.text.place(range))
    }

    fn problem(&self, message: impl Into<String>, range: Range<usize>) -> Problem {
        Problem::new(ProblemKind::Parse, self.text.place(range), message)
    }

    fn unsupported(&self, message: impl Into<String>, range: Range<usize>) -> Problem {
        Problem::new(ProblemKind::UnsupportedCondition, self.text.place(range), message)
    }

    fn upper_case(&self, word: &str, range: Range<usize>) -> Problem {
        let message = format!("`{word}` is not written in lower case");
        self.problem(message, range).with_help(format!("write `{}`", word.to_ascii_lowercase()))
    }

    /// The next token stands where something else is expected.
    fn unexpected(&self, expected: &str) -> Problem {
        let end = self.text.value.trim_end().len();
        let Some(token) = self.peek() else {
            return self.problem(format!("the condition ends where {expected} is expected"), end..end);
        };
        let range = token.range.clone();
        match token.kind {
            TokenKind::Pipe => self
                .unsupported("a pipe aggregates over several events, which an event rule cannot", range)
                .with_help("write a correlation rule, such as one of type event_count"),
            TokenKind::Word("near") => self
                .unsupported("`near` relates several events, which an event rule cannot", range.start..end)
                .with_help("write a correlation rule of type temporal"),
            TokenKind::Word(word) if is_upper_case_operator(word) => self.upper_case(word, range),
            TokenKind::Word(word) => {
                self.problem(format!("`{word}` stands where {expected} is expected"), range)
            }
            TokenKind::Open => self.problem(format!("`(` stands where {expected} is expected"), range),
            TokenKind::Close => self.problem(format!("`)` stands where {expected} is expected"), range),
            TokenKind::Stray(c) => self
                .problem(format!("`{c}` is no part of a condition"), range)
                .with_help("names have letters, digits, `_` and `-`; patterns `*` besides"),
        }
    }
}

fn is_upper_case_operator(word: &str) -> bool {
    ["and", "or", "not"].iter().any(|known| word != *known && word.eq_ignore_ascii_case(known))
}

fn joined(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::sigma::span::{Position, Span};

    fn parse(text: &str) -> Result<Expression, Problem> {
        let span = Span { start: Position::START, end: Position::START.after(text) };
        expression(&Scalar::new(text, text, span))
    }

    /// The tree with every parenthesis written.
    fn shown(expression: &Expression) -> String {
        let all = |parts: &[Expression], sign: &str| {
            format!("({})", parts.iter().map(shown).collect::<Vec<_>>().join(sign))
        };
        match expression {
            Expression::And(parts) => all(parts, " & "),
            Expression::Or(parts) => all(parts, " | "),
            Expression::Not(inner) => format!("!{}", shown(inner)),
            Expression::Identifier(name) => name.value.clone(),
            Expression::Quantified(quantifier, pattern) => format!("{quantifier:?}[{}]", pattern.value),
        }
    }

    #[test]
    fn precedence_and_grouping() {
        for (text, tree) in [
            ("a", "a"),
            ("a or b and c", "(a | (b & c))"),
            ("(a or b) and c", "((a | b) & c)"),
            ("not a and b", "(!a & b)"),
            ("not a or not not b", "(!a | !!b)"),
            ("not (a and b)", "!(a & b)"),
            ("((a))", "a"),
            ("a and b and c or d", "((a & b & c) | d)"),
            ("a\n\tor\r\n b", "(a | b)"),
            ("1 of them", "Any[them]"),
            ("any of sel_* or all of *e*_*", "(Any[sel_*] | All[*e*_*])"),
            ("all of them and not 1 of filter_*", "(All[them] & !Any[filter_*])"),
            ("notepad and order or all_x and any_y", "((notepad & order) | (all_x & any_y))"),
            ("1x and sel-1 and 1", "(1x & sel-1 & 1)"),
            ("all or any", "(all | any)"),
            ("near", "near"),
        ] {
            assert_eq!(shown(&parse(text).unwrap()), tree, "{text}");
        }
    }

    #[test]
    fn names_stand_where_they_are_written() {
        let text = "a and not 1 of filter_*";
        let parsed = parse(text).unwrap();
        let places: Vec<_> = parsed
            .leaves()
            .into_iter()
            .map(|leaf| match leaf {
                Expression::Identifier(name) | Expression::Quantified(_, name) => {
                    name.span.slice(text).unwrap()
                }
                other => panic!("{other:?} is no leaf"),
            })
            .collect();
        assert_eq!(places, ["a", "filter_*"]);
    }

    #[test]
    fn refused_with_the_offending_part() {
        use ProblemKind::{Parse, UnsupportedCondition};
        for (text, kind, part) in [
            ("a AND b", Parse, "AND"),
            ("NOT a", Parse, "NOT"),
            ("a and NOT b", Parse, "NOT"),
            ("a Or b", Parse, "Or"),
            ("ALL of them", Parse, "ALL"),
            ("1 OF them", Parse, "OF"),
            ("1 of THEM", Parse, "THEM"),
            ("a and", Parse, ""),
            ("or a", Parse, "or"),
            ("a b", Parse, "b"),
            ("(a", Parse, "("),
            ("a)", Parse, ")"),
            ("()", Parse, ")"),
            ("a (b)", Parse, "("),
            ("1 of", Parse, ""),
            ("1 of (a)", Parse, "("),
            ("some of them", Parse, "some of"),
            ("sel_*", Parse, "sel_*"),
            ("them", Parse, "them"),
            ("a.b", Parse, "."),
            ("a & b", Parse, "&"),
            ("2 of sel_*", UnsupportedCondition, "2 of sel_*"),
            ("a | count() by b > 5", UnsupportedCondition, "| count() by b > 5"),
            ("a | near b", UnsupportedCondition, "| near b"),
            ("a near b", UnsupportedCondition, "near b"),
        ] {
            let problem = parse(text).unwrap_err();
            assert_eq!((problem.kind, problem.span.slice(text).unwrap()), (kind, part), "{text}");
        }
        assert_eq!(parse("a AND b").unwrap_err().help.as_deref(), Some("write `and`"));
        assert_eq!(parse(" ").unwrap_err().kind, Parse);
    }

    #[test]
    fn depth_and_length_are_limited() {
        let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(parse(&nested(MAX_DEPTH + 1)).unwrap_err().kind, ProblemKind::Limit);
        assert_eq!(parse(&"not ".repeat(10_000)).unwrap_err().kind, ProblemKind::Limit);
        assert_eq!(parse(&"a".repeat(MAX_LENGTH + 1)).unwrap_err().kind, ProblemKind::Limit);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = parse(&text);
        }

        #[test]
        fn any_words_are_read_or_refused(words in proptest::collection::vec("and|or|not|of|them|all|1|2|\\(|\\)|a\\*|b|\\|", 0..12)) {
            let _ = parse(&words.join(" "));
        }
    }
}
