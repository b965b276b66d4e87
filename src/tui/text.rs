//! Text that is safe to draw: control characters made visible, tabs expanded, cut at grapheme borders.
//!
//! Everything that a rule, a pack, an event or a path says goes through [`sanitize`] before it reaches a cell.

use std::borrow::Cow;

use ratatui::style::Style;
use ratatui::text::Span;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub(crate) use crate::figures::count;

/// Columns between tab stops.
const TAB: usize = 4;

/// Bytes of one line that are looked at; what lies beyond is never on a screen.
pub(crate) const LINE_LIMIT: usize = 16 * 1024;

/// Text in one style.
pub(crate) type Piece = (String, Style);

/// `text` with nothing in it that a terminal would act on, that would reorder what stands beside it, or that could not
/// be seen. What is too long ends in `…`.
pub(crate) fn sanitize(text: &str) -> Cow<'_, str> {
    let whole = text;
    let text = clip(whole, LINE_LIMIT);
    // A mark without a letter below it would be lost, or be drawn over what stands before it.
    let orphan = text.chars().next().is_some_and(|c| shown(c) == Shown::AsItIs && c.width() == Some(0));
    let clipped = text.len() < whole.len();
    if !orphan && !clipped && text.chars().all(|c| shown(c) == Shown::AsItIs) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + TAB);
    if orphan {
        safe.push('◌');
    }
    // Where the last tab ended, which is a stop.
    let mut stop = 0;
    for c in text.chars() {
        match shown(c) {
            Shown::AsItIs => safe.push(c),
            Shown::Tab => {
                let column = safe.get(stop..).map_or(0, width);
                safe.extend(std::iter::repeat_n(' ', TAB - column % TAB));
                stop = safe.len();
            }
            Shown::Picture(picture) => safe.push(picture),
            Shown::Number => safe.push_str(&format!("<U+{:04X}>", u32::from(c))),
        }
    }
    if clipped {
        safe.push('…');
    }
    Cow::Owned(safe)
}

/// How a character is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    AsItIs,
    /// As blanks up to the next stop.
    Tab,
    /// As another character, which stands for it.
    Picture(char),
    /// As `<U+202E>`.
    Number,
}

fn shown(c: char) -> Shown {
    match c {
        '\t' => Shown::Tab,
        // The Control Pictures block mirrors C0 at U+2400.
        '\0'..='\u{1f}' => char::from_u32(0x2400 + c as u32).map_or(Shown::Number, Shown::Picture),
        '\u{7f}' => Shown::Picture('␡'),
        '\u{80}'..='\u{9f}' => Shown::Number,
        // What turns the direction of text, so that it reads as something else than it is.
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' => {
            Shown::Number
        }
        // Line and paragraph separators.
        '\u{2028}' | '\u{2029}' => Shown::Number,
        // What cannot be seen. The joiners U+200C and U+200D are part of words and of emoji.
        '\u{ad}' | '\u{34f}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{feff}' => {
            Shown::Number
        }
        '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' => Shown::Number,
        '\u{e0000}'..='\u{e007f}' => Shown::Number,
        _ => Shown::AsItIs,
    }
}

/// The longest prefix of at most `limit` bytes that ends at a character border.
pub(crate) fn clip(text: &str, limit: usize) -> &str {
    if text.len() <= limit {
        return text;
    }
    let end = (0..=limit).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

/// Columns that `text` takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// `text`, safe and at most `columns` wide, with `…` where something was cut off.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    let text = sanitize(text);
    if width(&text) <= columns {
        return text.into_owned();
    }
    let mut cut = prefix(&text, columns.saturating_sub(1)).to_owned();
    if columns > 0 {
        cut.push('…');
    }
    cut
}

/// Like [`fit`], keeping the end: for paths, whose last part tells most.
pub(crate) fn fit_end(text: &str, columns: usize) -> String {
    let text = sanitize(text);
    if width(&text) <= columns {
        return text.into_owned();
    }
    let mut room = columns.saturating_sub(1);
    let mut start = text.len();
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        let Some(left) = room.checked_sub(width(grapheme)) else { break };
        room = left;
        start = at;
    }
    let tail = text.get(start..).unwrap_or_default();
    if columns == 0 { String::new() } else { format!("…{tail}") }
}

/// Like [`fit`], filled with blanks on the right to exactly `columns`.
pub(crate) fn pad(text: &str, columns: usize) -> String {
    let mut text = fit(text, columns);
    text.extend(std::iter::repeat_n(' ', columns.saturating_sub(width(&text))));
    text
}

/// Like [`fit`], filled with blanks on the left to exactly `columns`.
pub(crate) fn pad_left(text: &str, columns: usize) -> String {
    let text = fit(text, columns);
    let blanks = columns.saturating_sub(width(&text));
    format!("{}{text}", " ".repeat(blanks))
}

/// The longest prefix that is at most `columns` wide.
fn prefix(text: &str, columns: usize) -> &str {
    let mut room = columns;
    let mut end = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        let Some(left) = room.checked_sub(width(grapheme)) else { break };
        room = left;
        end = at + grapheme.len();
    }
    text.get(..end).unwrap_or_default()
}

/// The part of a styled line from column `skip` on, at most `columns` wide. A wide character that is cut in two
/// becomes blanks.
pub(crate) fn window(pieces: &[Piece], skip: usize, columns: usize) -> Vec<Span<'static>> {
    let mut spans = Vec::new();
    let mut at = 0;
    for (text, style) in pieces {
        let mut shown = String::new();
        for grapheme in text.graphemes(true) {
            let end = at + width(grapheme);
            if at >= skip && end <= skip + columns {
                shown.push_str(grapheme);
            } else if end > skip && at < skip + columns {
                shown.extend(std::iter::repeat_n(' ', end.min(skip + columns) - at.max(skip)));
            }
            at = end;
            if at >= skip + columns {
                break;
            }
        }
        if !shown.is_empty() {
            spans.push(Span::styled(shown, *style));
        }
        if at >= skip + columns {
            break;
        }
    }
    spans
}

/// `text` in lines of at most `columns`, broken at blanks where there are any.
pub(crate) fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for paragraph in clip(text, LINE_LIMIT).lines() {
        wrap_paragraph(&sanitize(paragraph), columns, &mut lines);
    }
    lines
}

fn wrap_paragraph(text: &str, columns: usize, lines: &mut Vec<String>) {
    let mut line = String::new();
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let blank = usize::from(!line.is_empty());
        // A percent sign never stands on a line without its number.
        let sign = words.peek().filter(|next| next.starts_with('%')).map_or(0, |sign| 1 + width(sign));
        let glued = if width(word) + sign <= columns { sign } else { 0 };
        if width(&line) + blank + width(word) + glued <= columns {
            line.extend(std::iter::repeat_n(' ', blank));
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for grapheme in word.graphemes(true) {
            if width(&line) + width(grapheme) > columns && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.push_str(grapheme);
        }
    }
    lines.push(line);
}

/// A share in percent, rounded down; `<1 %` where there is something, but less.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    match (part.saturating_mul(100)).checked_div(whole).unwrap_or(0) {
        0 if part > 0 => "<1 %".to_owned(),
        percent => format!("{percent} %"),
    }
}

/// A bar of `columns`, in eighths, which shows something wherever there is something.
pub(crate) fn bar_text(part: u64, of: u64, columns: usize) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = match of {
        0 => 0,
        of => (u128::from(part.min(of)) * columns as u128 * 8).div_ceil(of.into()) as usize,
    };
    let text =
        format!("{}{}", "█".repeat(eighths / 8), EIGHTHS.get(eighths % 8).copied().unwrap_or_default());
    pad(&text, columns)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_terminal_acts_on_survives() {
        assert_eq!(sanitize("a\u{1b}[31mb\u{9b}c\u{202e}d\r\u{7f}\0"), "a␛[31mb<U+009B>c<U+202E>d␍␡␀");
        assert_eq!(sanitize("plain é 漢"), "plain é 漢");
    }

    #[test]
    fn tabs_run_to_the_next_stop() {
        assert_eq!(sanitize("a\tb\t\tc"), "a   b       c");
    }

    #[test]
    fn cuts_respect_graphemes_and_wide_characters() {
        assert_eq!(fit("漢字漢字", 5), "漢字…");
        assert_eq!(fit("e\u{301}e\u{301}e\u{301}", 2), "e\u{301}…");
        assert_eq!(fit("abc", 0), "");
        assert_eq!(fit_end("rules/windows/a.yml", 6), "…a.yml");
        assert_eq!(pad_left("12", 5), "   12");
        assert_eq!(pad("12", 4), "12  ");
    }

    #[test]
    fn a_window_fills_half_a_wide_character_with_a_blank() {
        let pieces = [("漢字".to_owned(), Style::new()), ("ab".to_owned(), Style::new().bold())];
        let text: String = window(&pieces, 1, 4).iter().map(|s| s.content.clone()).collect();
        assert_eq!(text, " 字a");
    }

    #[test]
    fn a_megabyte_line_is_clipped() {
        let shown = sanitize(&"x".repeat(1 << 20)).into_owned();
        assert_eq!((shown.len(), shown.ends_with('…')), (LINE_LIMIT + '…'.len_utf8(), true));
    }

    #[test]
    fn what_turns_or_hides_text_is_shown_by_its_number() {
        assert_eq!(sanitize("if \u{202e}\u{2066}user\u{2069}"), "if <U+202E><U+2066>user<U+2069>");
        assert_eq!(sanitize("pass\u{200b}word\u{3164}"), "pass<U+200B>word<U+3164>");
        // Joined emoji, Persian with its joiner, Hebrew and a flag are text.
        for text in ["👩\u{200d}💻", "می\u{200c}خواهم", "שלום", "🇫🇷", "e\u{301}"] {
            assert_eq!(sanitize(text), text);
        }
    }

    #[test]
    fn a_mark_without_a_letter_gets_a_place_to_stand() {
        assert_eq!(sanitize("\u{301}a"), "◌\u{301}a");
    }

    #[test]
    fn joined_emoji_are_one_thing_when_text_is_cut() {
        let people = "👩\u{200d}💻👩\u{200d}💻";
        assert_eq!((width(people), fit(people, 3), fit(people, 2)), (4, "👩\u{200d}💻…".into(), "…".into()));
    }

    #[test]
    fn words_wrap_and_long_words_break() {
        assert_eq!(wrap("no alias for it", 8), ["no alias", "for it"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
    }

    #[test]
    fn a_percent_sign_stays_with_its_number() {
        assert_eq!(wrap("1 of 27 events, 3 %", 17), ["1 of 27 events,", "3 %"]);
        assert_eq!(wrap("of them 3 % match", 9), ["of them", "3 % match"]);
        assert_eq!(wrap("12345 %", 5), ["12345", "%"]);
    }

    #[test]
    fn a_share_is_neither_none_nor_more_than_it_is() {
        assert_eq!(
            [(0, 9), (2, 2_180), (9, 900), (9, 9)].map(|(part, of)| percent(part, of)),
            ["0 %", "<1 %", "1 %", "100 %"]
        );
        assert_eq!(percent(0, 0), "0 %");
    }

    #[test]
    fn a_bar_is_never_empty_where_there_is_something() {
        assert_eq!(
            (bar_text(0, 9, 3), bar_text(1, 1_000, 3), bar_text(9, 9, 3)),
            ("   ".into(), "▏  ".into(), "███".into())
        );
        assert_eq!((bar_text(1, 2, 3), bar_text(5, 0, 2)), ("█▌ ".into(), "  ".into()));
    }

    #[test]
    fn thousands_are_grouped() {
        assert_eq!((count(0), count(999), count(1_234_567)), ("0".into(), "999".into(), "1,234,567".into()));
    }
}
