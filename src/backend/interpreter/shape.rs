//! Text of a shape: wildcards and dashes, code point by code point.

use crate::bridge::ir::{DASHES, PatternPart};

/// What one step of a shape takes.
#[derive(Clone, Copy)]
enum Step {
    Run,
    One,
    Dash,
    Char(char),
}

impl Step {
    fn takes(self, c: char) -> bool {
        match self {
            Self::Run => false,
            Self::One => true,
            Self::Dash => DASHES.contains(&c),
            Self::Char(wanted) => wanted == c,
        }
    }
}

/// Whether the shape covers the whole text.
///
/// Where the shape stops fitting, the last run takes one more: an earlier one need not, as whatever it could
/// leave to the last one, the last one can reach itself. So the time is at most text times shape.
pub(super) fn covers(parts: &[PatternPart], text: &str) -> bool {
    let steps = steps(parts);
    let text: Vec<char> = text.chars().collect();
    let (mut step, mut at) = (0, 0);
    let mut last_run: Option<(usize, usize)> = None;
    while let Some(c) = text.get(at) {
        match steps.get(step) {
            Some(Step::Run) => {
                step += 1;
                last_run = Some((step, at));
            }
            Some(next) if next.takes(*c) => (step, at) = (step + 1, at + 1),
            _ => {
                let Some((after_run, taken)) = last_run else { return false };
                (step, at) = (after_run, taken + 1);
                last_run = Some((after_run, taken + 1));
            }
        }
    }
    steps.iter().skip(step).all(|rest| matches!(rest, Step::Run))
}

fn steps(parts: &[PatternPart]) -> Vec<Step> {
    let mut steps = Vec::new();
    for part in parts {
        match part {
            PatternPart::AnyRun => steps.push(Step::Run),
            PatternPart::AnyOne => steps.push(Step::One),
            PatternPart::Dash => steps.push(Step::Dash),
            PatternPart::Text(text) => steps.extend(text.chars().map(Step::Char)),
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `*`, `?` and `-` as the shape's own parts.
    fn shape(text: &str) -> Vec<PatternPart> {
        let part = |c| match c {
            '*' => PatternPart::AnyRun,
            '?' => PatternPart::AnyOne,
            '-' => PatternPart::Dash,
            c => PatternPart::Text(c.to_string()),
        };
        text.chars().map(part).collect()
    }

    #[test]
    fn shapes_cover_the_whole_text() {
        let yes = [("", ""), ("*", ""), ("a*c", "abcbc"), ("*a?c*", "xxaac\nabcx"), ("?", "é"), ("-x", "–x")];
        let no =
            [("", "a"), ("?", ""), ("a*c", "abcb"), ("??", "é"), ("-x", "+x"), ("*a", "ab"), ("a", "aa")];
        for (parts, text) in yes {
            assert!(covers(&shape(parts), text), "{parts} {text:?}");
        }
        for (parts, text) in no {
            assert!(!covers(&shape(parts), text), "{parts} {text:?}");
        }
    }

    #[test]
    fn hostile_shapes_take_no_more_than_text_times_shape() {
        let hostile = shape(&"*a".repeat(200).chars().chain(['b']).collect::<String>());
        assert!(!covers(&hostile, &"a".repeat(20_000)));
    }
}
