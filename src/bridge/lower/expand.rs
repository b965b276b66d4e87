//! `expand`: the pack's values in the place of `%name%`.

use super::Lowering;
use crate::bridge::diagnostic::{Code, Severity};
use crate::bridge::ir::PatternPart;
use crate::bridge::reason::ReasonCode;
use crate::sigma::{Span, text};

/// A placeholder that the pack has no values for.
static UNKNOWN_PLACEHOLDER: Code = Code {
    name: "unknown_placeholder",
    reason: Some(ReasonCode::UnsupportedModifier),
    severity: Severity::Error,
    summary: "the pack has no values for a placeholder",
    explanation: "`expand` puts the pack's values in the place of `%name%`; they stand in pack.yaml under \
`placeholders:`, a list for each name. A placeholder without values would make the rule match something else or \
nothing. `\\%` is a percent sign.",
};

pub(super) static CODES: [&Code; 1] = [&UNKNOWN_PLACEHOLDER];

/// Ways that the placeholders of one value may be filled.
const MAX_EXPANSIONS: usize = 10_000;

impl Lowering<'_, '_> {
    /// Every way to fill the placeholders of `raw`.
    pub(super) fn expand(&mut self, raw: &str, span: Span) -> Option<Vec<Vec<PatternPart>>> {
        let mut filled: Vec<Vec<PatternPart>> = vec![Vec::new()];
        for piece in placeholders(raw) {
            let ways: Vec<Vec<PatternPart>> = match piece {
                Piece::Text(text) => vec![self.pattern_parts(&text, span)?],
                Piece::Placeholder(name) => self.placeholder(&name, span)?,
            };
            if filled.len().saturating_mul(ways.len()) > MAX_EXPANSIONS {
                let message = format!("LIMIT: the placeholders of `{raw}` have too many combinations");
                self.push(&super::EXPANSION_LIMIT, message, span, "use fewer placeholders".to_owned());
                return None;
            }
            filled =
                filled.iter().flat_map(|head| ways.iter().map(move |way| concatenated(head, way))).collect();
        }
        Some(filled)
    }

    fn placeholder(&mut self, name: &str, span: Span) -> Option<Vec<Vec<PatternPart>>> {
        let values = self.pack.manifest.placeholders.get(name).filter(|values| !values.is_empty());
        let Some(values) = values else {
            let message = format!("the pack has no values for `%{name}%`");
            let help = format!("add `{name}: [...]` under `placeholders:` in pack.yaml");
            self.push(&UNKNOWN_PLACEHOLDER, message, span, help);
            return None;
        };
        let wildcards = self.wildcards();
        let parts = |value: &String| -> Vec<PatternPart> {
            if wildcards {
                text::parts(value).into_iter().map(PatternPart::from).collect()
            } else if value.is_empty() {
                Vec::new()
            } else {
                vec![PatternPart::Text(value.clone())]
            }
        };
        Some(values.iter().map(parts).collect())
    }
}

/// A value under `expand`, taken apart.
enum Piece {
    Text(String),
    Placeholder(String),
}

/// `%name%` are placeholders; `\%` is a percent sign, and so is one that begins none.
fn placeholders(raw: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut run = String::new();
    let mut rest = raw;
    while let Some(character) = rest.chars().next() {
        if let Some(behind) = rest.strip_prefix("\\%") {
            run.push('%');
            rest = behind;
        } else if let Some((name, behind)) = placeholder_at(rest) {
            if !run.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut run)));
            }
            pieces.push(Piece::Placeholder(name.to_owned()));
            rest = behind;
        } else {
            run.push(character);
            rest = rest.get(character.len_utf8()..).unwrap_or_default();
        }
    }
    if !run.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(run));
    }
    pieces
}

fn placeholder_at(text: &str) -> Option<(&str, &str)> {
    let (name, behind) = text.strip_prefix('%')?.split_once('%')?;
    let named = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c));
    named.then_some((name, behind))
}

/// `head` and then `tail`; texts that come to stand side by side are one.
fn concatenated(head: &[PatternPart], tail: &[PatternPart]) -> Vec<PatternPart> {
    let mut parts = head.to_vec();
    for part in tail {
        match (parts.last_mut(), part) {
            (Some(PatternPart::Text(before)), PatternPart::Text(text)) => before.push_str(text),
            _ => parts.push(part.clone()),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken_apart(raw: &str) -> Vec<String> {
        placeholders(raw)
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => text,
                Piece::Placeholder(name) => format!("<{name}>"),
            })
            .collect()
    }

    #[test]
    fn placeholders_are_names_between_percent_signs() {
        assert_eq!(taken_apart("%Admins%"), ["<Admins>"]);
        assert_eq!(taken_apart(r"C:\x%a%%b%y"), [r"C:\x", "<a>", "<b>", "y"]);
        assert_eq!(taken_apart("100% of %"), ["100% of %"]);
        assert_eq!(taken_apart(r"\%no\%"), ["%no%"]);
        assert_eq!(taken_apart(""), [""]);
    }
}
