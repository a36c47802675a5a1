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

fn all_digits(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_digit)
}

fn is_padding(c: char) -> bool {
    c == ' ' || c == '\0'
}

#[cfg(test)]
mod tests {
    use super::{date, time};
    use proptest::prelude::*;

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
        fn any_text_is_taken_and_taking_it_again_changes_nothing(value in "\\PC{0,20}|[0-9:. ]{0,16}") {
            prop_assert_eq!(date(&date(&value)), date(&value));
            prop_assert_eq!(time(&time(&value)), time(&value));
        }
    }
}
