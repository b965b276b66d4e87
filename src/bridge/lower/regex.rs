//! `re`: whether a pattern is within what RE2 and the `regex` crate read alike, so that every backend agrees.

use regex_syntax::ast::{self, Ast, Visitor};
use regex_syntax::hir::translate::TranslatorBuilder;

use super::regex_size::{MAX_STEPS, steps};
use crate::bridge::ir::Regex;

/// Bytes of a pattern.
const MAX_LENGTH: usize = 4096;

/// Groups in groups.
const MAX_NESTING: u32 = 64;

/// RE2's limit for counted repetition.
const MAX_REPEAT: u32 = 1000;

/// What is wrong with a pattern, and where: bytes from its start.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unsupported {
    pub(super) what: String,
    pub(super) offset: usize,
}

fn unsupported(what: impl Into<String>, span: &ast::Span) -> Unsupported {
    Unsupported { what: what.into(), offset: span.start.offset }
}

/// Checks a pattern.
pub(super) fn check(regex: &Regex) -> Result<(), Unsupported> {
    let pattern = regex.pattern.as_str();
    if pattern.len() > MAX_LENGTH {
        let what = format!("it has {} bytes, {MAX_LENGTH} are allowed", pattern.len());
        return Err(Unsupported { what, offset: 0 });
    }
    let tree = ast::parse::ParserBuilder::new()
        .nest_limit(MAX_NESTING)
        .octal(false)
        .build()
        .parse(pattern)
        .map_err(|error| unsupported(describe(error.kind()), error.span()))?;
    ast::visit(&tree, Common { pattern, nested_repetition: None, counts: Vec::new() })?;
    let meaning = TranslatorBuilder::new()
        .utf8(true)
        .case_insensitive(regex.ignore_case)
        .multi_line(regex.multiline)
        .dot_matches_new_line(regex.dot_all)
        .build()
        .translate(pattern, &tree)
        .map_err(|error| unsupported(error.kind().to_string(), error.span()))?;
    let properties = meaning.properties();
    if properties.minimum_len() == Some(0) && properties.look_set().is_empty() {
        let what = "it finds the empty text, and so matches every value".to_owned();
        return Err(Unsupported { what, offset: 0 });
    }
    let steps = steps(&meaning);
    if steps > MAX_STEPS {
        let what = format!("written out it has {steps} steps, {MAX_STEPS} are allowed");
        return Err(Unsupported { what, offset: 0 });
    }
    Ok(())
}

fn describe(kind: &ast::ErrorKind) -> String {
    match kind {
        ast::ErrorKind::UnsupportedLookAround => {
            "look-around (`(?=`, `(?!`, `(?<=`, `(?<!`) is not in RE2".to_owned()
        }
        ast::ErrorKind::UnsupportedBackreference => "a back reference is not in RE2".to_owned(),
        kind => kind.to_string(),
    }
}

/// Refuses what only one of the two engines has, or what they read differently.
struct Common<'p> {
    pattern: &'p str,
    nested_repetition: Option<ast::Span>,
    /// The counts of the repetitions that are open: RE2 writes their product out.
    counts: Vec<u32>,
}

impl Visitor for Common<'_> {
    type Output = ();
    type Err = Unsupported;

    fn finish(self) -> Result<(), Unsupported> {
        self.nested_repetition.map_or(Ok(()), |span| Err(unsupported("a repetition of a repetition", &span)))
    }

    fn visit_pre(&mut self, node: &Ast) -> Result<(), Unsupported> {
        match node {
            Ast::Flags(set) => flags(&set.flags),
            Ast::Group(group) => self.group(group),
            Ast::Literal(literal) => self.literal(literal),
            Ast::Assertion(assertion) => assertion_in_both(assertion),
            Ast::Repetition(repetition) => self.repetition(repetition),
            Ast::ClassUnicode(class) => Err(unsupported("a Unicode class", &class.span)),
            _ => Ok(()),
        }
    }

    fn visit_post(&mut self, node: &Ast) -> Result<(), Unsupported> {
        if matches!(node, Ast::Repetition(_)) {
            self.counts.pop();
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ast::ClassSetItem) -> Result<(), Unsupported> {
        match item {
            ast::ClassSetItem::Bracketed(class) => Err(unsupported("a class within a class", &class.span)),
            ast::ClassSetItem::Unicode(class) => Err(unsupported("a Unicode class", &class.span)),
            ast::ClassSetItem::Literal(literal) => self.literal(literal),
            _ => Ok(()),
        }
    }

    fn visit_class_set_binary_op_pre(&mut self, op: &ast::ClassSetBinaryOp) -> Result<(), Unsupported> {
        Err(unsupported("an operation on classes", &op.span))
    }
}

impl Common<'_> {
    fn group(&self, group: &ast::Group) -> Result<(), Unsupported> {
        match &group.kind {
            ast::GroupKind::NonCapturing(set) => flags(set),
            ast::GroupKind::CaptureName { starts_with_p: false, .. } => {
                Err(unsupported("RE2 names groups as `(?P<name>…)` only: `(?<name>` ", &group.span))
            }
            _ => Ok(()),
        }
    }

    fn literal(&self, literal: &ast::Literal) -> Result<(), Unsupported> {
        let written =
            self.pattern.get(literal.span.start.offset..literal.span.end.offset).unwrap_or_default();
        match literal.kind {
            ast::LiteralKind::HexFixed(
                ast::HexLiteralKind::UnicodeShort | ast::HexLiteralKind::UnicodeLong,
            )
            | ast::LiteralKind::HexBrace(
                ast::HexLiteralKind::UnicodeShort | ast::HexLiteralKind::UnicodeLong,
            ) => Err(unsupported(format!("`{written}` is not in RE2; write `\\x{{…}}`"), &literal.span)),
            _ => Ok(()),
        }
    }

    fn repetition(&mut self, repetition: &ast::Repetition) -> Result<(), Unsupported> {
        if matches!(*repetition.ast, Ast::Repetition(_)) {
            self.nested_repetition.get_or_insert(repetition.op.span);
        }
        let count = match &repetition.op.kind {
            ast::RepetitionKind::Range(ast::RepetitionRange::Exactly(count))
            | ast::RepetitionKind::Range(ast::RepetitionRange::AtLeast(count)) => *count,
            ast::RepetitionKind::Range(ast::RepetitionRange::Bounded(_, most)) => *most,
            _ => 0,
        };
        // RE2 reads `{,n}` as text.
        let operator = self.pattern.get(repetition.op.span.start.offset..).unwrap_or_default();
        if operator.starts_with("{,") {
            return Err(unsupported("a count without its lower bound", &repetition.op.span));
        }
        self.counts.push(count.max(1));
        match self.counts.iter().fold(1_u32, |product, count| product.saturating_mul(*count)) > MAX_REPEAT {
            true => Err(unsupported(format!("counts above {MAX_REPEAT} in all"), &repetition.op.span)),
            false => Ok(()),
        }
    }
}

fn flags(set: &ast::Flags) -> Result<(), Unsupported> {
    let odd = set.items.iter().find(|item| {
        let known = ast::FlagsItemKind::Flag;
        use ast::Flag::{CaseInsensitive, DotMatchesNewLine, MultiLine, SwapGreed};
        ![known(CaseInsensitive), known(DotMatchesNewLine), known(MultiLine), known(SwapGreed)]
            .contains(&item.kind)
            && item.kind != ast::FlagsItemKind::Negation
    });
    odd.map_or(Ok(()), |item| Err(unsupported("a flag that RE2 does not have", &item.span)))
}

fn assertion_in_both(assertion: &ast::Assertion) -> Result<(), Unsupported> {
    use ast::AssertionKind as Kind;
    match assertion.kind {
        Kind::StartLine
        | Kind::EndLine
        | Kind::StartText
        | Kind::EndText
        | Kind::WordBoundary
        | Kind::NotWordBoundary => Ok(()),
        _ => Err(unsupported("an assertion that RE2 does not have", &assertion.span)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str) -> Option<usize> {
        let regex =
            Regex { pattern: pattern.to_owned(), ignore_case: false, multiline: false, dot_all: false };
        check(&regex).err().map(|unsupported| unsupported.offset)
    }

    #[test]
    fn what_both_engines_read_alike_passes() {
        for pattern in
            ["fo+", "^b$", r"a\.b", r"\w\d\s\b", "(?i)x", "(?P<name>x)y", "x{2,5}", "[^a-c]+x", "x|y"]
        {
            assert_eq!(found(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn the_rest_is_refused_where_it_stands() {
        let cases = [
            ("ab(?=c)", 2),
            ("(?<!a)b", 0),
            (r"(a)\1", 3),
            ("xa{1001}", 2),
            ("(?:a{40}b){40}", 4),
            ("x{2}{3}", 4),
            ("(?<n>x)", 0),
            (r"ab\p{L}", 2),
            ("[a[b]]", 2),
            ("[a-c&&b]", 1),
            (r"x\u0041", 1),
            ("(?x)a b", 2),
            (".*", 0),
            ("a*", 0),
            ("(", 0),
        ];
        for (pattern, offset) in cases {
            assert_eq!(found(pattern), Some(offset), "{pattern}");
        }
    }
}
