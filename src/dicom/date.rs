//! Dates and times as the index compares them (PS3.5 §6.2: DA, TM, DT).

/// A DA value as `YYYYMMDD`; ACR-NEMA's `YYYY.MM.DD` is accepted; anything else trimmed, as it came.
pub fn date(value: &str) -> String {
    let value = value.trim_matches(is_padding);
    match value.as_bytes() {
        [year @ .., b'.', m1, m2, b'.', d1, d2]
            if year.len() == 4 && all_digits(year) && all_digits(&[*m1, *m2, *d1, *d2]) =>
        {
            value.chars().filter(|c| *c != '.').collect()
        }
        _ => value.to_owned(),
    }
}

/// A TM value as `HHMMSS.ffffff` cut where the value cut it; ACR-NEMA's colons dropped; anything else trimmed, as it came.
pub fn time(value: &str) -> String {
    let value = value.trim_matches(is_padding);
    let (whole, fraction) = value.split_once('.').map_or((value, None), |(w, f)| (w, Some(f)));
    let digits: String = whole.chars().filter(|c| *c != ':').collect();
    let colons_in_place = whole == digits
        || whole.split(':').all(|part| part.len() == 2 && all_digits(part.as_bytes()));
    let fraction_fits = fraction.is_none_or(|fraction| {
        digits.len() == 6 && (1..=6).contains(&fraction.len()) && all_digits(fraction.as_bytes())
    });
    let whole_fits = matches!(digits.len(), 2 | 4 | 6) && all_digits(digits.as_bytes());
    match fraction {
        _ if !(colons_in_place && fraction_fits && whole_fits) => value.to_owned(),
        Some(fraction) => format!("{digits}.{fraction}"),
        None => digits,
    }
}

/// Minutes east of UTC of a Timezone Offset From UTC (0008,0201), `+HHMM` or `-HHMM`; a missing
/// sign, which query strings turn into a space, is a plus.
pub fn offset_minutes(value: &str) -> Option<i32> {
    let value = value.trim_matches(is_padding);
    let (sign, digits) = match value.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, value.strip_prefix('+').unwrap_or(value)),
    };
    if digits.len() != 4 || !all_digits(digits.as_bytes()) {
        return None;
    }
    let (hours, minutes) = (number(digits, 0..2)?, number(digits, 2..4)?);
    let offset = sign * (hours * 60 + minutes);
    // PS3.3 §C.12.1.1.8: from -1200 to +1400.
    (minutes < 60 && (-720..=840).contains(&offset)).then_some(offset)
}

/// The instant a date and time begin at, µs since 1970 in UTC, for a clock `offset` minutes east
/// of it. Either may be short (`202601`, `10`); `None` when they are no date and time.
pub fn begin_us(date: &str, time: &str, offset: i32) -> Option<i64> {
    Some(day(date, false)?.checked_add(of_day(time, false)?)? - i64::from(offset) * MINUTE_US)
}

/// The instant behind the last of a date and time: where the year, month, day, hour, minute or
/// second that they end with is over.
pub fn end_us(date: &str, time: &str, offset: i32) -> Option<i64> {
    let local = if time.is_empty() {
        day(date, true)?
    } else {
        day(date, false)?.checked_add(of_day(time, true)?)?
    };
    Some(local - i64::from(offset) * MINUTE_US)
}

/// µs from 1970 to the beginning of a date, or of what follows it.
fn day(date: &str, behind: bool) -> Option<i64> {
    if !all_digits(date.as_bytes()) || !matches!(date.len(), 4 | 6 | 8) {
        return None;
    }
    let (mut year, mut month) = (number(date, 0..4)?, number(date, 4..6).unwrap_or(1));
    let mut day_of_month = number(date, 6..8).unwrap_or(1);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day_of_month) {
        return None;
    }
    if behind {
        match date.len() {
            4 => year += 1,
            6 => month += 1,
            _ => day_of_month += 1,
        }
        if month > 12 {
            (year, month) = (year + 1, 1);
        }
    }
    let (year, month) = (i64::from(year), i64::from(month));
    // Days of the Gregorian calendar, years counted from March so that the leap day comes last.
    let march_year = year - i64::from(month < 3);
    let since_march = (month + 9) % 12;
    let days = march_year * 365 + march_year.div_euclid(4) - march_year.div_euclid(100)
        + march_year.div_euclid(400)
        + (since_march * 153 + 2) / 5
        + i64::from(day_of_month)
        - 1;
    Some((days - DAYS_TO_1970) * 86_400_000_000)
}

/// µs from midnight to the beginning of a time, or of what follows it.
fn of_day(time: &str, behind: bool) -> Option<i64> {
    let (whole, fraction) = time.split_once('.').unwrap_or((time, ""));
    let fits = all_digits(whole.as_bytes())
        && all_digits(fraction.as_bytes())
        && matches!(whole.len(), 0 | 2 | 4 | 6)
        && fraction.len() <= 6;
    if !fits {
        return None;
    }
    let part = |range| i64::from(number(whole, range).unwrap_or(0));
    let (hours, minutes, seconds) = (part(0..2), part(2..4), part(4..6));
    if hours > 24 || minutes > 59 || seconds > 60 {
        return None;
    }
    let digits = u32::try_from(fraction.len()).ok()?;
    let unit = 10_i64.pow(6_u32.saturating_sub(digits));
    let micros = fraction.parse::<i64>().unwrap_or(0) * unit;
    let length = match (whole.len(), digits) {
        (0, _) => 24 * 60 * MINUTE_US,
        (2, _) => 60 * MINUTE_US,
        (4, _) => MINUTE_US,
        (_, 0) => 1_000_000,
        _ => unit,
    };
    let begin = (hours * 60 + minutes) * MINUTE_US + seconds * 1_000_000 + micros;
    Some(if behind { begin + length } else { begin })
}

fn number(text: &str, range: std::ops::Range<usize>) -> Option<i32> {
    text.get(range)?.parse().ok()
}

const MINUTE_US: i64 = 60_000_000;

/// Days from 1 March of the year 0 to 1 January 1970.
const DAYS_TO_1970: i64 = 719_468;

fn all_digits(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_digit)
}

fn is_padding(c: char) -> bool {
    c == ' ' || c == '\0'
}

#[cfg(test)]
mod tests {
    use super::{begin_us, date, end_us, offset_minutes, time};
    use proptest::prelude::*;

    #[test]
    fn dates_and_times_are_instants_of_their_zone() {
        let second = 1_000_000;
        for (value, offset, from, to) in [
            (("19700101", "000000"), 0, 0, second),
            (("19700101", ""), 0, 0, 86_400 * second),
            (("19700101", "0100"), 60, 0, 60 * second),
            (("20260102", "101530.25"), 0, 1_767_348_930_250_000, 1_767_348_930_260_000),
            (("20260102", "101530"), 60, 1_767_345_330_000_000, 1_767_345_331_000_000),
            (("20240229", "12"), -300, 1_709_226_000_000_000, 1_709_229_600_000_000),
            (("202602", ""), 0, 1_769_904_000_000_000, 1_772_323_200_000_000),
            (("2025", ""), 0, 1_735_689_600_000_000, 1_767_225_600_000_000),
            (("202512", ""), 0, 1_764_547_200_000_000, 1_767_225_600_000_000),
        ] {
            let (date, time) = value;
            assert_eq!(begin_us(date, time, offset), Some(from), "{value:?}");
            assert_eq!(end_us(date, time, offset), Some(to), "{value:?}");
        }
        for (date, time) in [
            ("20261301", ""),
            ("20260132", ""),
            ("2026010", ""),
            ("", ""),
            ("20260101", "25"),
            ("20260101", "1"),
        ] {
            assert_eq!(begin_us(date, time, 0), None, "{date} {time}");
        }
    }

    #[test]
    fn offsets_are_those_of_the_world() {
        for (value, expected) in [
            ("+0100", Some(60)),
            ("-0330", Some(-210)),
            (" 0200", Some(120)),
            ("+1400", Some(840)),
            ("-1200", Some(-720)),
            ("+1500", None),
            ("+0160", None),
            ("+01:00", None),
            ("Z", None),
            ("", None),
        ] {
            assert_eq!(offset_minutes(value), expected, "{value}");
        }
    }

    #[test]
    fn dates_lose_padding_and_the_dots_of_acr_nema() {
        for (value, expected) in [
            ("20260102", "20260102"),
            ("20260102 ", "20260102"),
            ("2026.01.02", "20260102"),
            ("2026.1.2", "2026.1.2"),
            ("2026-01-02", "2026-01-02"),
            (" unknown\0", "unknown"),
            ("", ""),
        ] {
            assert_eq!(date(value), expected, "{value}");
        }
    }

    #[test]
    fn times_keep_the_precision_they_came_with() {
        for (value, expected) in [
            ("10", "10"),
            ("1015", "1015"),
            ("101530", "101530"),
            ("101530.25 ", "101530.25"),
            ("10:15:30", "101530"),
            ("10:15:30.123456", "101530.123456"),
            ("10:15", "1015"),
            ("101530.1234567", "101530.1234567"),
            ("1015.5", "1015.5"),
            ("1:2", "1:2"),
            ("noon", "noon"),
            ("", ""),
        ] {
            assert_eq!(time(value), expected, "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_date_and_time_panics(date in "[0-9]{0,9}|\\PC{0,9}", time in "[0-9.]{0,14}", offset in -720..840) {
            if let (Some(from), Some(to)) = (begin_us(&date, &time, offset), end_us(&date, &time, offset)) {
                prop_assert!(from < to);
            }
        }

        #[test]
        fn any_text_is_taken_and_taking_it_again_changes_nothing(value in "\\PC{0,20}|[0-9:. ]{0,16}") {
            prop_assert_eq!(date(&date(&value)), date(&value));
            prop_assert_eq!(time(&time(&value)), time(&value));
        }
    }
}
