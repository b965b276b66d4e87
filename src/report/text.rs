//! Untrusted text, made fit for a document: one line, of a length to read, and nothing that acts on what shows it.

use crate::figures;

/// Characters of a value that are shown.
const LONGEST: usize = 1000;

/// `text` without control and format characters, which XML forbids or which reorder what stands beside them.
pub(super) fn clean(text: &str) -> String {
    clip(text, LONGEST)
}

/// Likewise, with at most `limit` characters.
pub(super) fn clip(text: &str, limit: usize) -> String {
    let mut characters = text.chars().map(|c| if is_shown(c) { c } else { '\u{fffd}' });
    let mut clipped: String = characters.by_ref().take(limit).collect();
    if characters.next().is_some() {
        clipped.pop();
        clipped.push('…');
    }
    clipped
}

fn is_shown(c: char) -> bool {
    let formats = matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e007f}'
    );
    !c.is_control() && !formats
}

/// `one` rule, two `many`.
pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", figures::count(count), if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_on_a_document_is_left() {
        assert_eq!(
            clean("a\nb\u{1b}[31m\u{202e}c\u{0}\u{ffff}"),
            "a\u{fffd}b\u{fffd}[31m\u{fffd}c\u{fffd}\u{fffd}"
        );
        assert_eq!(clip("éééé", 3), "éé…");
        assert_eq!(clip("ééé", 3), "ééé");
        assert_eq!(clean(&"x".repeat(10_000)).chars().count(), LONGEST);
    }

    #[test]
    fn digits_stand_in_groups_of_three() {
        assert_eq!(figures::count(0), "0");
        assert_eq!(figures::count(999), "999");
        assert_eq!(figures::count(1_234_567), "1,234,567");
    }
}
