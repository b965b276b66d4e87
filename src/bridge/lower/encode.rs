//! Transforms of a rule's text at compile time: UTF-16, base64, dashes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::bridge::ir::{DASHES, PatternPart};
use crate::sigma::Transform;

/// The bytes of `text` under the UTF-16 form of the chain, if it has one; else UTF-8.
pub(super) fn bytes(text: &str, transforms: &[Transform]) -> Vec<u8> {
    let big_endian = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let little_endian = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let form =
        transforms.iter().find(|t| matches!(t, Transform::Utf16 | Transform::Utf16Le | Transform::Utf16Be));
    match form {
        Some(Transform::Utf16Be) => big_endian(text),
        Some(Transform::Utf16Le) => little_endian(text),
        Some(Transform::Utf16) => little_endian(&format!("\u{feff}{text}")),
        _ => text.as_bytes().to_vec(),
    }
}

/// Standard alphabet, with padding.
pub(super) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// What of the encoding is certain wherever in a longer text the bytes stand: for each of the three offsets, the
/// characters that depend on nothing before or behind. `None` where a variant is left empty.
pub(super) fn base64_offsets(bytes: &[u8]) -> Option<[String; 3]> {
    let variant = |offset: usize, skipped: usize| {
        let mut filled = vec![b' '; offset];
        filled.extend_from_slice(bytes);
        let encoded = STANDARD.encode(&filled);
        let shared = match filled.len() % 3 {
            0 => 0,
            1 => 3,
            _ => 2,
        };
        let end = encoded.len().checked_sub(shared)?;
        encoded.get(skipped..end).filter(|rest| !rest.is_empty()).map(str::to_owned)
    };
    Some([variant(0, 0)?, variant(1, 2)?, variant(2, 3)?])
}

/// Turns each dash that stands at a flag's start into one that stands for all.
pub(super) fn dashes(parts: Vec<PatternPart>) -> Vec<PatternPart> {
    let mut varied = Vec::new();
    for part in parts {
        match part {
            PatternPart::Text(text) => split_at_flags(&text, &mut varied),
            part => varied.push(part),
        }
    }
    varied
}

fn split_at_flags(text: &str, parts: &mut Vec<PatternPart>) {
    let is_word = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric() || *c == '_');
    let characters: Vec<char> = text.chars().collect();
    let mut run = String::new();
    for (index, character) in characters.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|index| characters.get(index));
        let flag = DASHES.contains(character) && is_word(characters.get(index + 1)) && !is_word(before);
        if flag {
            if !run.is_empty() {
                parts.push(PatternPart::Text(std::mem::take(&mut run)));
            }
            parts.push(PatternPart::Dash);
        } else {
            run.push(*character);
        }
    }
    if !run.is_empty() {
        parts.push(PatternPart::Text(run));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn offsets_hold_wherever_the_bytes_stand() {
        let [zero, one, two] = base64_offsets(b"http://").unwrap();
        assert!(STANDARD.encode("http://evil").contains(&zero));
        assert!(STANDARD.encode("xhttp://evil").contains(&one));
        assert!(STANDARD.encode("xxhttp://evil").contains(&two));
        assert_eq!(base64_offsets(b""), None);
    }

    #[test]
    fn utf16_begins_with_its_mark() {
        assert_eq!(base64(&bytes("foo", &[Transform::Utf16])), "//5mAG8AbwA=");
        assert_eq!(base64(&bytes("größe", &[Transform::Utf16Le])), "ZwByAPYA3wBlAA==");
        assert_eq!(bytes("a", &[Transform::Utf16Be]), [0, b'a']);
    }

    #[test]
    fn only_a_flags_own_dash_varies() {
        let text = |text: &str| PatternPart::Text(text.to_owned());
        assert_eq!(
            dashes(vec![text(" -a-b /c - d")]),
            [text(" "), PatternPart::Dash, text("a-b "), PatternPart::Dash, text("c - d")]
        );
    }
}
