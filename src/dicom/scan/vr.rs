//! What a value is: its representation where none is written, whether it is bulk, its byte order.

use dicom_core::dictionary::{DataDictionary, VirtualVr};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::StandardDataDictionary;

use crate::dicom::limits::Limits;

/// Pixel Representation: whether US-or-SS attributes are signed.
pub(super) const PIXEL_REPRESENTATION: Tag = Tag(0x0028, 0x0103);
/// Pixel Data.
pub(super) const PIXEL_DATA: Tag = Tag(0x7FE0, 0x0010);
const FLOAT_PIXEL_DATA: Tag = Tag(0x7FE0, 0x0008);
const DOUBLE_FLOAT_PIXEL_DATA: Tag = Tag(0x7FE0, 0x0009);
const EXTENDED_OFFSET_TABLE: Tag = Tag(0x7FE0, 0x0001);
const EXTENDED_OFFSET_TABLE_LENGTHS: Tag = Tag(0x7FE0, 0x0002);

/// Bytes from which a binary value is bulk.
const BINARY_INLINE_BYTES: u32 = 4096;

/// The VR of an element written without one (PS3.5 §A.1, §6.2.2): from the data dictionary,
/// repeating groups included; LO for private creators, UL for group lengths, UN otherwise.
/// `signed` is the Pixel Representation seen so far.
pub(in crate::dicom) fn implicit(tag: Tag, signed: bool) -> VR {
    match tag {
        Tag(_, 0) => return VR::UL,
        Tag(group, 0x0010..=0x00FF) if group & 1 == 1 => return VR::LO,
        // The dictionary knows no private attributes, but its repeating groups would match some.
        Tag(group, _) if group & 1 == 1 => return VR::UN,
        _ => {}
    }
    match StandardDataDictionary.by_tag(tag).map(|entry| entry.vr) {
        Some(VirtualVr::Exact(vr)) => vr,
        Some(VirtualVr::Xs) if signed => VR::SS,
        Some(VirtualVr::Xs) => VR::US,
        Some(VirtualVr::Ox | VirtualVr::Px | VirtualVr::Lt) => VR::OW,
        _ => VR::UN,
    }
}

/// Whether a value of `length` bytes is handed on as its place only, the one rule for it:
/// - the top level's pixel data always,
/// - its Extended Offset Tables when over `offset_table_bytes`, since frames are found by them,
/// - binary values over 4 KiB, which no reader of a header looks into,
/// - any value over `inline_bytes`.
pub(super) fn is_bulk(tag: Tag, vr: VR, depth: u16, length: u32, limits: &Limits) -> bool {
    let top = depth == 0;
    match tag {
        PIXEL_DATA | FLOAT_PIXEL_DATA | DOUBLE_FLOAT_PIXEL_DATA if top => true,
        EXTENDED_OFFSET_TABLE | EXTENDED_OFFSET_TABLE_LENGTHS if top => {
            length > limits.offset_table_bytes
        }
        _ if is_binary(vr) && length > BINARY_INLINE_BYTES => true,
        _ => length > limits.inline_bytes,
    }
}

/// Whether values of `vr` are bytes without a form of their own; only these may be encapsulated.
pub(super) fn is_binary(vr: VR) -> bool {
    matches!(vr, VR::OB | VR::OW | VR::OD | VR::OF | VR::OL | VR::OV | VR::UN)
}

/// Turns the byte order of the numbers of a value (PS3.5 §7.3).
pub(in crate::dicom) fn turn(vr: VR, value: &mut [u8]) {
    let size = number_bytes(vr);
    if size > 1 {
        for number in value.chunks_exact_mut(size) {
            number.reverse();
        }
    }
}

/// Bytes of the numbers a value of `vr` consists of; 1 where byte order means nothing.
pub(in crate::dicom) fn number_bytes(vr: VR) -> usize {
    match vr {
        VR::AT | VR::OW | VR::SS | VR::US => 2,
        VR::FL | VR::OF | VR::OL | VR::SL | VR::UL => 4,
        VR::FD | VR::OD | VR::OV | VR::SV | VR::UV => 8,
        _ => 1,
    }
}
