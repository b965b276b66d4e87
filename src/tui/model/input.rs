//! One line that is being typed: the filter, a file name, what is searched for, a value of a rule.

use unicode_segmentation::UnicodeSegmentation;

/// Bytes that a line may have; what is typed or pasted beyond them is left out.
pub(crate) const LIMIT: usize = 64 * 1024;

/// One line that is being typed. Its cursor stands between two graphemes, before the first or behind the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Input {
    text: String,
    /// In bytes.
    cursor: usize,
}

/// A key that moves in the line or takes something away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stroke {
    /// A grapheme to the left.
    Left,
    /// One to the right.
    Right,
    /// To the start of this word, or of the one before.
    WordLeft,
    /// Behind the end of this word, or of the next one.
    WordRight,
    /// Before all.
    Start,
    /// Behind all.
    End,
    /// Takes the grapheme before the cursor away.
    EraseLeft,
    /// The one behind it.
    EraseRight,
    /// The word before it, back to a blank.
    EraseWord,
    /// All before it.
    EraseToStart,
    /// All behind it.
    EraseToEnd,
}

impl From<String> for Input {
    /// The text as it is, the cursor behind it.
    fn from(text: String) -> Self {
        let cursor = text.len();
        Self { text, cursor }
    }
}

impl Input {
    /// What has been typed.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The text before the cursor and the text behind it.
    pub(crate) fn halves(&self) -> (&str, &str) {
        self.text.split_at(self.cursor)
    }

    /// Puts typed or pasted text in at the cursor: line breaks within it as blanks, no other control character.
    pub(crate) fn insert(&mut self, typed: &str) {
        let typed = typed.trim_end_matches(['\r', '\n']).replace("\r\n", "\n");
        let as_blank = |c| if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c };
        let mut room = LIMIT.saturating_sub(self.text.len());
        let fits = |c: &char| room.checked_sub(c.len_utf8()).map(|left| room = left).is_some();
        let typed: String =
            typed.chars().map(as_blank).filter(|c| !c.is_control()).take_while(fits).collect();
        self.text.insert_str(self.cursor, &typed);
        self.settle(self.cursor + typed.len());
    }

    /// Puts the cursor on the first border from `at` on: what stands there may have become one grapheme.
    fn settle(&mut self, at: usize) {
        let mut starts = self.text.grapheme_indices(true).map(|(start, _)| start);
        self.cursor = starts.find(|start| *start >= at).unwrap_or(self.text.len());
    }

    /// Does what a key does.
    pub(crate) fn stroke(&mut self, stroke: Stroke) {
        let to = self.target(stroke);
        match stroke {
            Stroke::EraseLeft
            | Stroke::EraseRight
            | Stroke::EraseWord
            | Stroke::EraseToStart
            | Stroke::EraseToEnd => {
                let (start, end) = (to.min(self.cursor), to.max(self.cursor));
                self.text.replace_range(start..end, "");
                self.settle(start);
            }
            _ => self.cursor = to,
        }
    }

    /// Where a key leads: the cursor moves there, or what lies between goes.
    fn target(&self, stroke: Stroke) -> usize {
        let (before, behind) = self.halves();
        let end = self.text.len();
        match stroke {
            Stroke::Left | Stroke::EraseLeft => {
                before.grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
            }
            Stroke::Right | Stroke::EraseRight => {
                self.cursor + behind.graphemes(true).next().map_or(0, str::len)
            }
            Stroke::WordLeft => {
                let word = before.trim_end_matches(|c: char| !is_of_word(c));
                word.trim_end_matches(is_of_word).len()
            }
            Stroke::WordRight => {
                let rest = behind.trim_start_matches(|c: char| !is_of_word(c));
                end - rest.trim_start_matches(is_of_word).len()
            }
            Stroke::EraseWord => before.trim_end().trim_end_matches(|c: char| !c.is_whitespace()).len(),
            Stroke::Start | Stroke::EraseToStart => 0,
            Stroke::End | Stroke::EraseToEnd => end,
        }
    }
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tui::action::Action;
    use crate::tui::command::{COMMANDS, Command};

    fn shown(input: &Input) -> String {
        let (before, behind) = input.halves();
        format!("{before}|{behind}")
    }

    fn after(text: &str, strokes: &[Stroke]) -> String {
        let mut input = Input::from(text.to_owned());
        strokes.iter().for_each(|stroke| input.stroke(*stroke));
        shown(&input)
    }

    #[test]
    fn keys_do_what_a_shell_has_taught() {
        use Stroke::*;
        assert_eq!(after("level:high matched", &[WordLeft]), "level:high |matched");
        assert_eq!(after("level:high", &[WordLeft, WordLeft]), "|level:high");
        assert_eq!(after("level:high", &[Start, WordRight]), "level|:high");
        assert_eq!(after("level:high matched ", &[EraseWord]), "level:high |");
        assert_eq!(after("ab", &[Left, EraseToStart]), "|b");
        assert_eq!(after("ab", &[Left, EraseToEnd]), "a|");
        assert_eq!(after("ab", &[Start, EraseRight, Right, Right, EraseLeft]), "|");
    }

    #[test]
    fn graphemes_are_never_cut() {
        use Stroke::*;
        assert_eq!(after("漢e\u{301}👨\u{200d}👩", &[Left]), "漢e\u{301}|👨\u{200d}👩");
        assert_eq!(after("漢e\u{301}👨\u{200d}👩", &[EraseLeft, EraseLeft]), "漢|");
    }

    #[test]
    fn what_is_pasted_is_one_line_and_holds_nothing_that_a_terminal_acts_on() {
        let mut input = Input::from("ad".to_owned());
        input.stroke(Stroke::Left);
        input.insert("b\r\nc\u{1b}[31m\n");
        assert_eq!(shown(&input), "ab c[31m|d");
        input.insert(&"x".repeat(2 * LIMIT));
        assert_eq!(input.text().len(), LIMIT);
    }

    /// Those that a key may do.
    fn strokes() -> impl Strategy<Value = Stroke> {
        let of_command = |command: &Command| match (command.action)() {
            Action::Stroke(stroke) => Some(stroke),
            _ => None,
        };
        let all: Vec<Stroke> = COMMANDS.iter().filter_map(of_command).collect();
        prop::sample::select(all)
    }

    proptest! {
        #[test]
        fn the_cursor_stands_between_graphemes(
            text in "\\PC{0,8}",
            done in prop::collection::vec((strokes(), "\\PC{0,2}"), 0..12),
        ) {
            let mut input = Input::from(text);
            for (stroke, typed) in done {
                input.stroke(stroke);
                input.insert(&typed);
                let mut starts = input.text.grapheme_indices(true).map(|(at, _)| at);
                prop_assert!(input.cursor == input.text.len() || starts.any(|at| at == input.cursor));
            }
        }
    }
}
