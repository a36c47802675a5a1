//! Data sets written by hand for the tests of visitors: Explicit VR Little Endian.

use dicom_core::Tag;

use crate::dicom::limits::Limits;
use crate::dicom::scan::{Scanner, Visit};
use crate::dicom::syntax::Encoding;

/// One element with its header; `vr` two letters.
pub(crate) fn element(tag: Tag, vr: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(tag.0.to_le_bytes());
    bytes.extend(tag.1.to_le_bytes());
    bytes.extend(vr.as_bytes());
    let long = ["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"];
    if long.contains(&vr) {
        bytes.extend([0, 0]);
        bytes.extend(u32::try_from(value.len()).unwrap().to_le_bytes());
    } else {
        bytes.extend(u16::try_from(value.len()).unwrap().to_le_bytes());
    }
    bytes.extend(value);
    bytes
}

/// A sequence of items, each the bytes of its elements.
pub(crate) fn sequence(tag: Tag, items: &[Vec<u8>]) -> Vec<u8> {
    let mut value = Vec::new();
    for item in items {
        value.extend([0xFE, 0xFF, 0x00, 0xE0]);
        value.extend(u32::try_from(item.len()).unwrap().to_le_bytes());
        value.extend(item);
    }
    element(tag, "SQ", &value)
}

/// Scans `pieces`, one data set; values over 256 bytes are bulk.
pub(crate) fn scan(pieces: &[Vec<u8>], visit: &mut dyn Visit) {
    let limits = Limits { inline_bytes: 256, ..Limits::DEFAULT };
    scan_within(limits, pieces, visit);
}

/// Scans `pieces`, one data set, within `limits`.
pub(crate) fn scan_within(limits: Limits, pieces: &[Vec<u8>], visit: &mut dyn Visit) {
    let mut scanner = Scanner::new(Encoding::ExplicitLittle, limits);
    scanner.push(&pieces.concat(), visit).unwrap();
    scanner.finish(visit).unwrap();
}
