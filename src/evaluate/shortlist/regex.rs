//! The texts that stand in whatever a regular expression finds.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::formula::{Need, all, any};
use super::need::coarse;
use crate::bridge::ir::Regex;

/// Shorter texts, in characters, stand nearly everywhere.
const SHORTEST: usize = 3;

/// What a text must hold for the expression to find something in it; `contains` makes the need of one literal.
pub(super) fn need(regex: &Regex, contains: &mut dyn FnMut(&str) -> Need) -> Need {
    regex.parser().parse(&regex.pattern).map_or(Need::Nothing, |hir| of(&hir, contains))
}

fn of(hir: &Hir, contains: &mut dyn FnMut(&str) -> Need) -> Need {
    match hir.kind() {
        HirKind::Literal(_) | HirKind::Class(_) => concat(std::slice::from_ref(hir), contains),
        HirKind::Concat(parts) => concat(parts, contains),
        HirKind::Alternation(parts) => any(parts.iter().map(|part| of(part, contains)).collect::<Vec<_>>()),
        HirKind::Capture(capture) => of(&capture.sub, contains),
        HirKind::Repetition(repetition) if repetition.min > 0 => of(&repetition.sub, contains),
        HirKind::Repetition(_) | HirKind::Look(_) | HirKind::Empty => Need::Nothing,
    }
}

/// Neighbours that each stand for one text are one literal.
fn concat(parts: &[Hir], contains: &mut dyn FnMut(&str) -> Need) -> Need {
    let mut needs = Vec::new();
    let mut run = String::new();
    for part in parts {
        match text(part) {
            Some(text) => run.push_str(&text),
            None => {
                needs.push(literal(&std::mem::take(&mut run), contains));
                needs.push(match part.kind() {
                    HirKind::Class(_) | HirKind::Literal(_) => Need::Nothing,
                    _ => of(part, contains),
                });
            }
        }
    }
    needs.push(literal(&run, contains));
    all(needs)
}

fn literal(text: &str, contains: &mut dyn FnMut(&str) -> Need) -> Need {
    if text.chars().count() < SHORTEST { Need::Nothing } else { contains(text) }
}

/// The text that a part stands for, case aside: a literal, or a class whose members differ in case only.
fn text(part: &Hir) -> Option<String> {
    match part.kind() {
        HirKind::Literal(literal) => std::str::from_utf8(&literal.0).ok().map(coarse),
        HirKind::Class(Class::Unicode(class)) => {
            one_letter(class.ranges().iter().flat_map(|range| range.start()..=range.end()))
        }
        HirKind::Class(Class::Bytes(class)) if class.is_ascii() => {
            let ranges = class.ranges().iter();
            one_letter(ranges.flat_map(|range| range.start()..=range.end()).map(char::from))
        }
        _ => None,
    }
}

fn one_letter(mut members: impl Iterator<Item = char>) -> Option<String> {
    let first = coarse(members.next()?.encode_utf8(&mut [0; 4]));
    members.all(|member| coarse(member.encode_utf8(&mut [0; 4])) == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::shortlist::formula::AtomId;

    /// What is sought, as a formula.
    fn sought(pattern: &str, ignore_case: bool) -> String {
        let regex = Regex { pattern: pattern.to_owned(), ignore_case, multiline: false, dot_all: false };
        let mut texts = Vec::new();
        let need = need(&regex, &mut |text| {
            texts.push(text.to_owned());
            Need::Atom(AtomId(texts.len() - 1))
        });
        written(&need, &texts)
    }

    fn written(need: &Need, texts: &[String]) -> String {
        let joined = |parts: &[Need], by: &str| {
            let parts: Vec<String> = parts.iter().map(|part| written(part, texts)).collect();
            format!("({})", parts.join(by))
        };
        match need {
            Need::Nothing => "-".to_owned(),
            Need::Impossible => "never".to_owned(),
            Need::Atom(AtomId(atom)) | Need::Without(AtomId(atom)) => {
                texts.get(*atom).cloned().unwrap_or_default()
            }
            Need::All(parts) => joined(parts, " & "),
            Need::Any(parts) => joined(parts, " | "),
        }
    }

    #[test]
    fn texts_that_every_finding_holds_are_found() {
        assert_eq!(sought(r"powershell.*-enc", false), "(powershell & -enc)");
        assert_eq!(sought(r"(?:cmd|power[sS]hell)\.exe", false), "((cmd | powershell) & .exe)");
        assert_eq!(sought(r"^(abc)+d?$", false), "abc");
        assert_eq!(sought("Task Shadow", true), "task shadow");
        assert_eq!(sought(r"\$\{abc\}[0-9]{4}x", false), "${abc}");
    }

    #[test]
    fn what_need_not_be_there_is_not_sought() {
        for pattern in ["(abc)?", "(abc)*", "abc|", "abc|d", "ab", "[a-z]{9}", "a.b.c", "("] {
            assert_eq!(sought(pattern, false), "-", "{pattern}");
        }
        assert_eq!(sought("abc(def)?ghi", false), "(abc & ghi)");
    }
}
