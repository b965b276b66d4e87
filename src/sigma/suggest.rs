//! What somebody probably meant.

/// The longest text that is compared: the effort grows with the square of it.
const MAX_LENGTH: usize = 64;

/// The candidate nearest to `text`, case aside, where one is near enough to be meant.
pub(crate) fn nearest<'a>(text: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let text = text.to_ascii_lowercase();
    let far = 1 + text.chars().count() / 3;
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= MAX_LENGTH)
        .map(|candidate| (strsim::damerau_levenshtein(&text, &candidate.to_ascii_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= far && *distance < text.chars().count().max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let candidates = ["contains", "startswith", "endswith"];
        assert_eq!(nearest("Contains", candidates), Some("contains"));
        assert_eq!(nearest("startwith", candidates), Some("startswith"));
        assert_eq!(nearest("not", candidates), None);
        assert_eq!(nearest("", candidates), None);
        assert_eq!(nearest(&"x".repeat(1000), candidates), None);
    }
}
