//! Header values as the index keeps them: trimmed, bounded, numbers in one spelling.

use dicom_core::VR;

use crate::dicom::charset::latin1;
use crate::dicom::header::Header;
use crate::dicom::person_name::Groups;
use crate::dicom::uid::Uid;

/// `text` less its padding, cut to [`Header::MAX_CHARS`], NULs left out (databases refuse them).
pub(crate) fn fact(text: &str) -> String {
    let text = text.trim_matches(|c: char| c == '\0' || c.is_whitespace());
    let end = text.char_indices().nth(Header::MAX_CHARS).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text).replace('\0', "")
}

/// A person name, each component group without its padding, empty groups at the end left out.
pub(crate) fn name(text: &str) -> String {
    fact(&Groups::split(text).join())
}

/// An IS value in the one spelling numbers are compared in: `+1 ` is `1`, `007` is `7`; what is
/// no whole number stays as it came, cut to 64 characters.
pub(crate) fn number(text: &str) -> String {
    let text = fact(text);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(&text)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.chars().take(MAX_NUMBER_CHARS).collect();
    }
    let digits = digits.trim_start_matches('0');
    let sign = if negative && !digits.is_empty() { "-" } else { "" };
    let digits = if digits.is_empty() { "0" } else { digits };
    format!("{sign}{digits}").chars().take(MAX_NUMBER_CHARS).collect()
}

/// The identifier in a value, when there is one and one only.
pub(crate) fn uid(bytes: &[u8]) -> Option<Uid> {
    let text = latin1(bytes);
    Uid::parse(text.trim_matches(|c: char| c.is_control() || c.is_whitespace())).ok()
}

/// A count written as text, at least 1; the first value when there are several.
pub(crate) fn first_count(bytes: &[u8]) -> Option<u32> {
    let text = latin1(bytes);
    let first = text.split('\\').next().unwrap_or_default();
    let text = number(first);
    let whole = text.split_once('.').map_or(text.as_str(), |(whole, _)| whole);
    whole.parse::<u32>().ok().filter(|count| *count > 0)
}

/// A small unsigned number, whatever VR it came in.
pub(crate) fn unsigned(vr: VR, bytes: &[u8], big_endian: bool) -> Option<u16> {
    match (vr, bytes) {
        (VR::IS | VR::DS, _) => number(&latin1(bytes)).parse().ok(),
        (VR::UL | VR::SL, [a, b, c, d, ..]) => {
            let wide = [*a, *b, *c, *d];
            let wide = if big_endian { u32::from_be_bytes(wide) } else { u32::from_le_bytes(wide) };
            u16::try_from(wide).ok()
        }
        (_, [a, b, ..]) => {
            let pair = [*a, *b];
            Some(if big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
        }
        _ => None,
    }
}

const MAX_NUMBER_CHARS: usize = 64;

#[cfg(test)]
mod tests {
    use super::{fact, first_count, name, number, uid, unsigned};
    use dicom_core::VR;
    use proptest::prelude::*;

    #[test]
    fn numbers_have_one_spelling() {
        for (text, expected) in [
            ("+1 ", "1"),
            ("007", "7"),
            ("-05", "-5"),
            ("-0", "0"),
            ("000", "0"),
            (" 12\0", "12"),
            ("1.0", "1.0"),
            (" 3a ", "3a"),
            ("+", "+"),
            ("", ""),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
        assert_eq!(number(&"x".repeat(100)).len(), 64);
    }

    #[test]
    fn facts_are_trimmed_and_cut_between_characters() {
        assert_eq!(fact(" a b \0"), "a b");
        assert_eq!(fact("a\0b"), "ab");
        assert_eq!(name("Wang^XiaoDong =王^小東= "), "Wang^XiaoDong=王^小東");
        assert_eq!(fact(&"é".repeat(2000)), "é".repeat(1024));
    }

    #[test]
    fn identifiers_are_taken_from_whatever_surrounds_them() {
        for bytes in [&b"1.2.3"[..], b"1.2.3\0", b" 1.2.3 ", b"1.2.3\r\n\0\0"] {
            assert_eq!(uid(bytes).expect("an identifier").as_str(), "1.2.3");
        }
        assert_eq!(uid(b"1.2\\1.3"), None);
        assert_eq!(uid(b"\0"), None);
    }

    #[test]
    fn counts_are_read_from_any_vr() {
        assert_eq!(first_count(b"12 "), Some(12));
        assert_eq!(first_count(b"1\\2"), Some(1));
        assert_eq!(first_count(b"3.0"), Some(3));
        for none in [&b"0"[..], b"-1", b"", b"many", b"99999999999"] {
            assert_eq!(first_count(none), None);
        }
        assert_eq!(unsigned(VR::US, &[0, 2], false), Some(512));
        assert_eq!(unsigned(VR::UN, &[2, 0], true), Some(512));
        assert_eq!(unsigned(VR::UL, &[0, 2, 0, 0], false), Some(512));
        assert_eq!(unsigned(VR::UL, &[0, 2, 1, 0], false), None);
        assert_eq!(unsigned(VR::IS, b"512 ", false), Some(512));
        assert_eq!(unsigned(VR::US, &[1], false), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let _ = (uid(&bytes), first_count(&bytes), unsigned(VR::US, &bytes, false));
            let text = number(&String::from_utf8_lossy(&bytes));
            prop_assert_eq!(number(&text), text);
        }
    }
}
