//! How long a window is.

/// Milliseconds in each unit; months and years are averages, as Sigma's specification has them.
const UNITS: [(char, i64); 7] = [
    ('s', 1_000),
    ('m', 60_000),
    ('h', 3_600_000),
    ('d', 86_400_000),
    ('w', 604_800_000),
    ('M', 2_629_746_000),
    ('y', 31_556_952_000),
];

/// The longest timespan, ten thousand years: the ends of a window stay within 64 bits.
const MAX: i64 = 10_000 * 31_556_952_000;

/// The length of a window in milliseconds, above zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timespan {
    milliseconds: i64,
}

impl Timespan {
    /// Reads a whole number above zero and a unit: `s m h d w M y`.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let unit = text.chars().next_back()?;
        let (_, length) = UNITS.into_iter().find(|(known, _)| *known == unit)?;
        let number = text.strip_suffix(unit)?;
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let milliseconds = number.parse::<i64>().ok()?.checked_mul(length)?;
        (1..=MAX).contains(&milliseconds).then_some(Self { milliseconds })
    }

    /// Its length in milliseconds.
    #[must_use]
    pub fn milliseconds(self) -> i64 {
        self.milliseconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit() {
        for (text, expected) in [
            ("10s", 10_000),
            ("1m", 60_000),
            ("007h", 7 * 3_600_000),
            ("2d", 172_800_000),
            ("1w", 604_800_000),
            ("1M", 2_629_746_000),
            ("1y", 31_556_952_000),
        ] {
            assert_eq!(Timespan::from_text(text).map(Timespan::milliseconds), Some(expected), "{text}");
        }
    }

    #[test]
    fn anything_else_is_none() {
        for text in
            ["", "s", "10", "0s", "-1s", "1.5h", "1 s", "1S", "1ms", "+1s", "٣s", "99999999999999y", "10001y"]
        {
            assert_eq!(Timespan::from_text(text), None, "{text}");
        }
    }
}
