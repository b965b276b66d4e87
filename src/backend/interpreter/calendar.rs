//! Parts of timestamps in UTC, over the proleptic Gregorian calendar.

use crate::sigma::TimePart;

const MILLISECONDS_A_DAY: i64 = 86_400_000;

/// Milliseconds whose microseconds fit 64 bits, as those of DuckDB's TIMESTAMP do.
const RANGE: std::ops::RangeInclusive<i64> = -9_223_372_036_854_775..=9_223_372_036_854_775;

/// The part of the time that lies `milliseconds` after 1970; `None` beyond what DuckDB has a TIMESTAMP for.
pub(super) fn part(milliseconds: i128, part: TimePart) -> Option<i64> {
    let milliseconds = i64::try_from(milliseconds).ok().filter(|time| RANGE.contains(time))?;
    let days = milliseconds.div_euclid(MILLISECONDS_A_DAY);
    let minutes = milliseconds.rem_euclid(MILLISECONDS_A_DAY) / 60_000;
    let (year, month, day) = date(days);
    Some(match part {
        TimePart::Minute => minutes % 60,
        TimePart::Hour => minutes / 60,
        TimePart::Day => day,
        TimePart::Week => iso_week(days),
        TimePart::Month => month,
        TimePart::Year => year,
    })
}

/// Year, month and day of a day counted from 1970. Years are counted from March, so that the leap day is last.
fn date(days: i64) -> (i64, i64, i64) {
    const DAYS_IN_400_YEARS: i64 = 146_097;
    let since_march_0 = days + 719_468;
    let (era, day_of_era) =
        (since_march_0.div_euclid(DAYS_IN_400_YEARS), since_march_0.rem_euclid(DAYS_IN_400_YEARS));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// The week whose Thursday lies in the year is the year's.
fn iso_week(days: i64) -> i64 {
    // 1970-01-01 is a Thursday.
    let thursday = days - (days + 3).rem_euclid(7) + 3;
    let (year, ..) = date(thursday);
    let mut first = thursday;
    while date(first - 7).0 == year {
        first -= 7;
    }
    (thursday - first) / 7 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_in_utc() {
        let time = 1_709_208_305_006; // 2024-02-29 12:05:05.006
        let parts = [
            (TimePart::Year, 2024),
            (TimePart::Month, 2),
            (TimePart::Day, 29),
            (TimePart::Hour, 12),
            (TimePart::Minute, 5),
            (TimePart::Week, 9),
        ];
        for (of, expected) in parts {
            assert_eq!(part(time, of), Some(expected), "{of:?}");
        }
    }

    #[test]
    fn weeks_belong_to_the_year_of_their_thursday() {
        let weeks = [(1_735_603_200_000, 1), (1_609_459_200_000, 53), (1_704_067_200_000, 1)];
        for (time, expected) in weeks {
            assert_eq!(part(time, TimePart::Week), Some(expected), "{time}");
        }
    }

    #[test]
    fn the_calendar_agrees_with_jiff() {
        for days in (-700_000..2_900_000).step_by(97) {
            let date = jiff::civil::date(1970, 1, 1) + jiff::Span::new().days(days);
            let expected = (i64::from(date.year()), i64::from(date.month()), i64::from(date.day()));
            assert_eq!(super::date(days), expected);
            assert_eq!(iso_week(days), i64::from(date.iso_week_date().week()), "{date}");
        }
    }

    #[test]
    fn time_without_a_timestamp_has_no_parts() {
        for time in [i128::from(i64::MAX), i128::from(i64::MIN), i128::MAX] {
            assert_eq!(part(time, TimePart::Year), None);
        }
    }
}
