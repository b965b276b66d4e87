//! Regular expressions as RE2 has them, by the `regex` crate.
//!
//! The two agree but for the Perl classes and word boundaries, which are ASCII in RE2, and `\s`, which has no
//! vertical tab there. RE2 looks for boundaries between bytes, so bytes are searched.

use std::cell::RefCell;
use std::collections::VecDeque;

use regex::bytes::RegexBuilder;
use regex_syntax::ast::{self, AssertionKind, Ast, ClassPerl, ClassPerlKind, ClassSetItem};

use crate::bridge::ir::Regex;

/// Bytes that a compiled expression may take.
const SIZE_LIMIT: usize = 16 << 20;

/// Nesting that is looked into.
const NEST_LIMIT: u32 = 1000;

/// A regular expression that cannot be searched for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the regular expression `{pattern}` cannot be searched for: {why}")]
pub struct RegexRefused {
    /// As the rule has it.
    pub pattern: String,
    /// What the library says.
    pub why: String,
}

/// The expressions of a plan, compiled once.
#[derive(Debug, Default)]
pub(super) struct Regexes(Vec<(Regex, regex::bytes::Regex)>);

impl Regexes {
    pub(super) fn add(&mut self, regex: &Regex) -> Result<(), RegexRefused> {
        if self.get(regex).is_none() {
            self.0.push((regex.clone(), compile(regex)?));
        }
        Ok(())
    }

    pub(super) fn finds(&self, regex: &Regex, text: &str) -> bool {
        self.get(regex).is_some_and(|compiled| compiled.is_match(text.as_bytes()))
    }

    fn get(&self, regex: &Regex) -> Option<&regex::bytes::Regex> {
        self.0.iter().find(|(known, _)| known == regex).map(|(_, compiled)| compiled)
    }
}

/// Expressions that a thread remembers, those found last first: compiling one takes longer than a thousand searches.
const REMEMBERED: usize = 64;

thread_local! {
    static KNOWN: RefCell<VecDeque<(Regex, Option<regex::bytes::Regex>)>> = const { RefCell::new(VecDeque::new()) };
}

/// The stretch of `text`, in bytes, that an expression finds first; `None` also where it cannot be searched for.
pub(crate) fn find(regex: &Regex, text: &str) -> Option<std::ops::Range<usize>> {
    KNOWN.with_borrow_mut(|known| {
        let at = known.iter().position(|(one, _)| one == regex);
        let newest =
            at.and_then(|at| known.remove(at)).unwrap_or_else(|| (regex.clone(), compile(regex).ok()));
        known.push_front(newest);
        known.truncate(REMEMBERED);
        let (_, compiled) = known.front()?;
        Some(compiled.as_ref()?.find(text.as_bytes())?.range())
    })
}

fn compile(regex: &Regex) -> Result<regex::bytes::Regex, RegexRefused> {
    let refused = |why: String| RegexRefused { pattern: regex.pattern.clone(), why };
    let pattern = with_ascii_classes(&regex.pattern).map_err(refused)?;
    RegexBuilder::new(&pattern)
        .case_insensitive(regex.ignore_case)
        .multi_line(regex.multiline)
        .dot_matches_new_line(regex.dot_all)
        .size_limit(SIZE_LIMIT)
        .build()
        .map_err(|error| refused(error.to_string()))
}

/// The pattern with its classes and boundaries written as what RE2 takes them for.
pub(crate) fn with_ascii_classes(pattern: &str) -> Result<String, String> {
    let mut parser = ast::parse::ParserBuilder::new().nest_limit(NEST_LIMIT).build();
    let ast = parser.parse(pattern).map_err(|error| error.kind().to_string())?;
    let mut changes = ast::visit(&ast, Changes(Vec::new())).unwrap_or_default();
    changes.sort_by_key(|(span, _)| span.start.offset);
    let mut written = String::new();
    let mut from = 0;
    for (span, text) in changes {
        written.push_str(pattern.get(from..span.start.offset).unwrap_or_default());
        written.push_str(text);
        from = span.end.offset;
    }
    written.push_str(pattern.get(from..).unwrap_or_default());
    Ok(written)
}

/// What is to be written in place of which stretch.
struct Changes(Vec<(ast::Span, &'static str)>);

impl ast::Visitor for Changes {
    type Output = Vec<(ast::Span, &'static str)>;
    type Err = std::convert::Infallible;

    fn finish(self) -> Result<Self::Output, Self::Err> {
        Ok(self.0)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        match ast {
            Ast::ClassPerl(class) => self.0.push((class.span, ascii_class(class))),
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::WordBoundary => self.0.push((assertion.span, r"(?-u:\b)")),
                AssertionKind::NotWordBoundary => self.0.push((assertion.span, r"(?-u:\B)")),
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Self::Err> {
        if let ClassSetItem::Perl(class) = item {
            self.0.push((class.span, ascii_class(class)));
        }
        Ok(())
    }
}

/// A class in brackets, which may stand in brackets too.
fn ascii_class(class: &ClassPerl) -> &'static str {
    match (&class.kind, class.negated) {
        (ClassPerlKind::Digit, false) => "[0-9]",
        (ClassPerlKind::Digit, true) => "[^0-9]",
        (ClassPerlKind::Space, false) => r"[\t\n\x0C\r\x20]",
        (ClassPerlKind::Space, true) => r"[^\t\n\x0C\r\x20]",
        (ClassPerlKind::Word, false) => "[0-9A-Za-z_]",
        (ClassPerlKind::Word, true) => "[^0-9A-Za-z_]",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn finds(pattern: &str, text: &str) -> bool {
        let regex =
            Regex { pattern: pattern.to_owned(), ignore_case: false, multiline: false, dot_all: false };
        compile(&regex).unwrap().is_match(text.as_bytes())
    }

    #[test]
    fn classes_and_boundaries_are_ascii() {
        assert!(!finds(r"^\w$", "é") && finds(r"^\W$", "é") && finds(r"^[\w-]$", "-"));
        assert!(!finds(r"^\d$", "٣") && finds(r"^[^\d]$", "٣") && finds(r"^[\Da]$", "٣"));
        assert!(!finds(r"\s", "\u{b}") && !finds(r"\s", "\u{a0}") && finds(r"^[x\s]$", " "));
        assert!(finds(r"a\b", "aé") && finds(r"^\B", "é") && finds(r"\\d", r"\d"));
    }

    #[test]
    fn case_is_that_of_unicode() {
        assert!(finds("(?i)s", "ſ") && finds("(?i)K", "\u{212a}") && finds(r"(?i)\w", "ſ"));
        assert!(!finds("(?i)i", "İ") && !finds("a$", "a\n") && !finds("a.b", "a\nb"));
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        let refused = |pattern: &str| {
            let regex =
                Regex { pattern: pattern.to_owned(), ignore_case: false, multiline: false, dot_all: false };
            compile(&regex).is_err()
        };
        assert!(refused("(") && refused("(?=a)") && refused(r"(a)\1"));
        assert!(refused("(?:(?:a{1000}){1000}){1000}"));
    }
}
