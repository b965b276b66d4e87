//! How large a pattern becomes when its counts and classes are written out, as RE2 does.

use regex_syntax::ast::Ast;
use regex_syntax::hir::translate::{Translator, TranslatorBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};
use regex_syntax::utf8::Utf8Sequences;

/// Steps from which on a pattern is too large. DuckDB gives RE2 room for about 175,000 instructions, and refuses what
/// needs more when it reads the statement; a step here is at least an instruction there.
pub(super) const MAX_STEPS: usize = 150_000;

/// Steps for what a class holds beyond ASCII: RE2 writes the same few sequences of bytes for all of it.
const BEYOND_ASCII: usize = 12;

/// Steps that a class has at most. More stand for `\w` and its like, which are ASCII to RE2.
const MAX_OF_CLASS: usize = 2000;

/// Steps of a pattern, whose meaning under Unicode is `meaning`.
pub(super) fn written_out(
    pattern: &str,
    tree: &Ast,
    meaning: &Hir,
    like: impl Fn(&mut TranslatorBuilder),
) -> usize {
    let mut builder = TranslatorBuilder::new();
    like(&mut builder);
    let mut ascii: Translator = builder.unicode(false).utf8(false).build();
    // Letters beyond ASCII in a class have a meaning under Unicode alone.
    ascii.translate(pattern, tree).map_or_else(|_| steps(meaning), |ascii| steps(&ascii))
}

fn steps(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(class) => of_class(class),
        HirKind::Capture(group) => steps(&group.sub).saturating_add(2),
        HirKind::Concat(parts) => parts.iter().map(steps).fold(0, usize::saturating_add),
        HirKind::Alternation(parts) => {
            parts.iter().map(|part| steps(part).saturating_add(1)).fold(0, usize::saturating_add)
        }
        HirKind::Repetition(repetition) => {
            let written = repetition.max.unwrap_or(repetition.min.saturating_add(1)).max(1);
            let count = usize::try_from(written).unwrap_or(usize::MAX);
            steps(&repetition.sub).saturating_add(1).saturating_mul(count)
        }
    }
}

/// A range of bytes and a branch to it, for each.
fn of_class(class: &Class) -> usize {
    let steps = match class {
        Class::Bytes(class) => {
            let beyond = class.ranges().last().is_some_and(|range| !range.end().is_ascii());
            class.ranges().len() * 2 + if beyond { BEYOND_ASCII } else { 0 }
        }
        Class::Unicode(class) => {
            let sequences =
                class.ranges().iter().flat_map(|range| Utf8Sequences::new(range.start(), range.end()));
            sequences.map(|sequence| sequence.len() * 2).sum()
        }
    };
    steps.min(MAX_OF_CLASS)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    fn steps(pattern: &str) -> usize {
        let tree = regex_syntax::ast::parse::Parser::new().parse(pattern).unwrap();
        written_out(pattern, &tree, &regex_syntax::parse(pattern).unwrap(), |_| ())
    }

    #[test]
    fn counts_and_classes_are_written_out() {
        let cases = [
            ("abc", 3),
            ("a{10}", 20),
            ("(?:a|bc)", 5),
            ("[a-c]", 2),
            ("(?i)k", 4),
            (".", 2 * 2 + BEYOND_ASCII),
            (r"\w", 2 * 4),
            ("[à-ÿ]", 2 * 2),
            ("(?:(?:ab){10}c){5}", 5 * (10 * 3 + 1 + 1)),
        ];
        for (pattern, expected) in cases {
            assert_eq!(steps(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn what_rules_use_is_far_from_the_limit() {
        for pattern in [r"-k\s\w{1,64}(\s?(-p|-s))?", r"[A-Za-z0-9+/=é]{500}\w{64}"] {
            assert!(steps(pattern) < MAX_STEPS, "{pattern}: {}", steps(pattern));
        }
        assert!(steps(&".{1000}".repeat(60)) > MAX_STEPS);
    }
}
