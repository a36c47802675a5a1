//! Names, dates and times as people read them.

use crate::dicom::date;
use crate::dicom::person_name::Groups;

/// A person name as one reads it: the alphabetic group, else the ideographic.
pub fn readable_name(name: &str) -> String {
    let first = name.split('\\').next().unwrap_or_default();
    let groups = Groups::split(first);
    let shown = [groups.alphabetic, groups.ideographic, groups.phonetic];
    let shown = shown.into_iter().find(|group| !group.trim_matches('^').is_empty());
    // Family^Given^Middle^Prefix^Suffix (PS3.5 §6.2.1.1).
    let mut components = shown.unwrap_or_default().split('^').map(str::trim);
    let family = components.next().unwrap_or_default();
    let rest: Vec<&str> = components.filter(|component| !component.is_empty()).collect();
    match (family, rest.join(" ")) {
        (family, rest) if rest.is_empty() => family.to_owned(),
        ("", rest) => rest,
        (family, rest) => format!("{family}, {rest}"),
    }
}

/// `2026-03-01`; what is no date stays as it is.
pub fn readable_date(value: &str) -> String {
    let plain = date::date(value);
    match plain.get(0..4).zip(plain.get(4..6)).zip(plain.get(6..8)) {
        Some(((year, month), day)) if plain.len() == 8 => format!("{year}-{month}-{day}"),
        _ => value.to_owned(),
    }
}

/// `10:15:00`; what is no time stays as it is.
pub fn readable_time(value: &str) -> String {
    let digits: String = value.chars().take_while(char::is_ascii_digit).collect();
    match (digits.get(0..2), digits.get(2..4), digits.get(4..6)) {
        (Some(hour), Some(minute), Some(second)) => format!("{hour}:{minute}:{second}"),
        (Some(hour), Some(minute), None) => format!("{hour}:{minute}"),
        _ => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{readable_date, readable_name, readable_time};

    #[test]
    fn names_dates_and_times_are_written_for_people() {
        for (name, read) in [
            ("Rossi^Mario", "Rossi, Mario"),
            ("Rossi^Mario^^Dott.", "Rossi, Mario Dott."),
            ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou"),
            ("=山田^太郎", "山田, 太郎"),
            ("ANONYMOUS", "ANONYMOUS"),
            ("^Mario", "Mario"),
            ("", ""),
        ] {
            assert_eq!(readable_name(name), read, "{name}");
        }
        assert_eq!(readable_date("20260301"), "2026-03-01");
        assert_eq!(readable_date("unknown"), "unknown");
        assert_eq!(readable_time("101500.123"), "10:15:00");
        assert_eq!(readable_time("1015"), "10:15");
    }
}
