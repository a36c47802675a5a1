//! A data set as metadata documents tell it, element by element (PS3.18 §F.2, PS3.19 §A.1).
//!
//! Readers of DICOM JSON and of the Native DICOM Model speak to a [`Native`]; it makes of it a data
//! set's bytes, or a document of the other kind. No tree is built on the way.

use dicom_core::{Tag, VR};

use crate::dicom::scan::vr::implicit;

/// Hears a document, in its order. Every call between `begin` and `end` is about that attribute;
/// a reader that meets its limits stops calling.
pub trait Native {
    /// An attribute that is not a sequence begins.
    fn begin(&mut self, tag: Tag, vr: VR);
    /// Its next value as text; `None` is an empty one. A person name comes as `A=I=P`.
    fn value(&mut self, text: Option<&str>);
    /// Its whole value field, in little endian.
    fn binary(&mut self, bytes: &[u8]);
    /// Its value field lies elsewhere.
    fn bulk(&mut self, uri: &str);
    /// It cannot be used, for this reason.
    fn unusable(&mut self, reason: &str);
    /// It ends.
    fn end(&mut self);
    /// A sequence begins.
    fn begin_sequence(&mut self, tag: Tag);
    /// The next item of the innermost sequence begins.
    fn begin_item(&mut self);
    /// The innermost item ends.
    fn end_item(&mut self);
    /// The innermost sequence ends.
    fn end_sequence(&mut self);
}

/// A tag by its number, group above element.
pub const fn tag_of(number: u32) -> Tag {
    let [g0, g1, e0, e1] = number.to_be_bytes();
    Tag(u16::from_be_bytes([g0, g1]), u16::from_be_bytes([e0, e1]))
}

/// Eight hexadecimal digits as a tag.
pub fn parse_tag(text: &str) -> Option<Tag> {
    let hex = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(text, 16).ok().filter(|_| hex).map(tag_of)
}

/// A value representation by its two letters; without any the dictionary's, and `UN` for letters
/// that are none (yet): its values are then bytes.
pub fn parse_vr(letters: Option<&str>, tag: Tag) -> VR {
    match letters.map(str::trim).filter(|letters| !letters.is_empty()) {
        Some(letters) => letters.to_ascii_uppercase().parse().unwrap_or(VR::UN),
        None => implicit(tag, false),
    }
}

/// Whether an attribute is part of a data set: not File Meta Information, command, group length
/// or an item's delimiter (PS3.18 §10.5.1.4, §F.2.2).
pub fn is_data(tag: Tag) -> bool {
    tag.element() != 0 && !matches!(tag.group(), 0x0000 | 0x0002 | 0xFFFE)
}

/// Base64 (RFC 4648 §4), white space and missing padding passed over; `None` when it is none.
pub fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut have) = (0_u32, 0_u32);
    let mut digits = text.bytes().filter(|byte| !byte.is_ascii_whitespace());
    for digit in digits.by_ref() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b'=' => break,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        have += 6;
        if have >= 8 {
            have -= 8;
            bytes.push(u8::try_from((bits >> have) & 0xFF).unwrap_or_default());
        }
    }
    (have < 6 && digits.all(|digit| digit == b'=')).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use dicom_core::{Tag, VR};
    use proptest::prelude::*;

    use super::{base64, is_data, parse_tag, parse_vr};

    #[test]
    fn tags_and_representations_are_read() {
        assert_eq!(parse_tag("7fe00010"), Some(Tag(0x7FE0, 0x0010)));
        for text in ["", "0010001", "001000100", "+0100010", "0010 010", "PatientName"] {
            assert_eq!(parse_tag(text), None, "{text}");
        }
        assert_eq!(parse_vr(Some("OW"), Tag(8, 8)), VR::OW);
        assert_eq!(parse_vr(Some("ZZ"), Tag(8, 8)), VR::UN);
        assert_eq!(parse_vr(None, Tag(0x0010, 0x0010)), VR::PN);
        assert!(is_data(Tag(8, 5)) && !is_data(Tag(2, 0x10)) && !is_data(Tag(8, 0)));
    }

    #[test]
    fn base64_is_read_as_it_comes() {
        for (text, bytes) in [
            ("", Some(&b""[..])),
            ("Zg==", Some(b"f")),
            ("Zm8=", Some(b"fo")),
            ("Zm9v\r\n YmFy", Some(b"foobar")),
            ("Zm8", Some(b"fo")),
            ("Zm9v?", None),
            ("Z", None),
            ("Zg==Zg", None),
        ] {
            assert_eq!(base64(text).as_deref(), bytes, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,40}") {
            let _ = (base64(&text), parse_tag(&text), parse_vr(Some(&text), Tag(8, 8)));
        }
    }
}
