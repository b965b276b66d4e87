//! Fuzzy search: how well a text answers to what was typed.
//!
//! Occurrences come before scattered letters, starts of words before middles, early before late.

/// Below so many characters nothing but an occurrence counts: two letters are found scattered in almost any title.
const SCATTERED_FROM: usize = 3;

/// An occurrence, before what is added for its place.
const OCCURS: u32 = 1_000;

/// Letters in order, before what is taken off for their gaps.
const SCATTERED: u32 = 500;

/// How well `text` answers to `typed`, both in lower case; `None` where it does not. Nothing typed answers to all.
pub(crate) fn score(text: &str, typed: &str) -> Option<u32> {
    if typed.is_empty() {
        return Some(0);
    }
    if let Some(best) = text.match_indices(typed).map(|(at, _)| occurrence(text, at)).max() {
        return Some(best);
    }
    scattered(text, typed)
}

fn occurrence(text: &str, at: usize) -> u32 {
    let early = 100_u32.saturating_sub(u32::try_from(at).unwrap_or(u32::MAX));
    OCCURS + early + if starts_word(text, at) { 200 } else { 0 }
}

fn starts_word(text: &str, at: usize) -> bool {
    !text.get(..at).and_then(|before| before.chars().next_back()).is_some_and(char::is_alphanumeric)
}

/// The letters of `typed` in order, not too far apart.
fn scattered(text: &str, typed: &str) -> Option<u32> {
    let length = typed.chars().count();
    let first = typed.chars().next().filter(|_| length >= SCATTERED_FROM)?;
    text.match_indices(first).filter_map(|(start, _)| scattered_from(text, start, typed, length)).max()
}

fn scattered_from(text: &str, start: usize, typed: &str, length: usize) -> Option<u32> {
    let mut wanted = typed.chars().peekable();
    let (mut span, mut starts) = (0, 0);
    for (at, c) in text.get(start..)?.char_indices() {
        span += 1;
        if wanted.next_if_eq(&c).is_some() {
            starts += u32::from(starts_word(text, start + at));
        }
        if wanted.peek().is_none() {
            break;
        }
    }
    // Initials may lie far apart; letters from the middle of words may not.
    let reach = length * 2 + 8 * starts as usize;
    let found = wanted.peek().is_none() && span <= reach;
    found.then(|| (SCATTERED + 50 * starts).saturating_sub(u32::try_from(span - length).unwrap_or(u32::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearer_answers_score_higher() {
        let ranked = [
            ("certutil download", "cert"),
            ("new certutil download", "cert"),
            ("suspicious discert download", "cert"),
            ("copy of executable to remote temp", "cert"),
        ];
        let scores: Vec<_> = ranked.iter().map(|(text, typed)| score(text, typed)).collect();
        assert!(scores.is_sorted_by(|a, b| a > b), "{scores:?}");
    }

    #[test]
    fn letters_are_found_in_order_and_near() {
        assert!(score("lsass access by mimikatz", "lsmimi").is_some());
        assert!(score("download through certutil", "dwnld").is_some());
        assert!(score("download through certutil", "dlnwod").is_none());
        assert!(score("a rule about nothing that is ever so long and has an x", "rx?").is_none());
        assert!(score("a rule about nothing that is ever so long and has a tail", "auhl").is_none());
        assert!(score("abc", "cb").is_none());
        assert_eq!(score("anything", ""), Some(0));
        assert!(score("漢字 é", "é").is_some());
    }
}
