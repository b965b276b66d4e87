//! How large a pattern becomes when its counts and classes are written out, as RE2 does.

use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind};
use regex_syntax::utf8::Utf8Sequences;

/// Steps from which on a pattern is too large. DuckDB gives RE2 room for about 175,000 instructions, and refuses what
/// needs more when it reads the statement; a step here is at least an instruction there.
pub(super) const MAX_STEPS: usize = 150_000;

/// Steps of a pattern.
pub(super) fn steps(hir: &Hir) -> usize {
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

/// A range of bytes and a branch to it for each byte of each sequence that a class is made of.
fn of_class(class: &Class) -> usize {
    let sequences = |class: &ClassUnicode| {
        let ranges = class.ranges().iter();
        let bytes = ranges.flat_map(|range| Utf8Sequences::new(range.start(), range.end())).map(|s| s.len());
        bytes.fold(0, usize::saturating_add)
    };
    match class {
        Class::Unicode(class) => sequences(class).saturating_mul(2),
        Class::Bytes(class) => class.ranges().len().saturating_mul(2),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::steps;

    #[test]
    fn counts_and_classes_are_written_out() {
        let cases = [
            ("abc", 3),
            ("a{10}", 20),
            ("(?:a|bc)", 5),
            ("[a-c]", 2),
            ("(?i)k", 2 * (1 + 1 + 3)),
            (".", 2 * (1 + 1 + 2 + 4 * 3 + 3 * 4)),
            ("(?:(?:ab){10}c){5}", 5 * (10 * 3 + 1 + 1)),
        ];
        for (pattern, expected) in cases {
            assert_eq!(steps(&regex_syntax::parse(pattern).unwrap()), expected, "{pattern}");
        }
    }
}
