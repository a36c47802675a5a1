//! Element, item and delimiter headers (PS3.5 §7.1, §7.5).

use dicom_core::{Tag, VR};

/// Item (PS3.5 §7.5).
pub(in crate::dicom) const ITEM: Tag = Tag(0xFFFE, 0xE000);
/// Item Delimitation Item.
pub(in crate::dicom) const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
/// Sequence Delimitation Item.
pub(in crate::dicom) const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);
/// Bytes of the longest header: explicit VR with a 32-bit length.
pub(in crate::dicom) const LONGEST: usize = 12;
/// Bytes of every other header.
pub(in crate::dicom) const SHORT: usize = 8;

/// How headers are laid out and numbers ordered at one place of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dicom) struct Form {
    /// The VR is written.
    pub(in crate::dicom) explicit: bool,
    /// Big endian.
    pub(in crate::dicom) big: bool,
}

/// A header, decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dicom) struct Header {
    /// Tag.
    pub(in crate::dicom) tag: Tag,
    /// Value representation as written.
    pub(in crate::dicom) vr: Written,
    /// Value length; `None` when undefined.
    pub(in crate::dicom) length: Option<u32>,
    /// Bytes of the header itself.
    pub(in crate::dicom) size: usize,
}

/// What stands where the VR is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dicom) enum Written {
    /// A VR of PS3.5 §6.2.
    Known(VR),
    /// Two capitals, but none the standard lists: read as UN.
    Unlisted,
    /// Nothing: implicit VR, an item or a delimiter.
    Nothing,
}

/// What the bytes of a header, as far as they are there, amount to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::dicom) enum Decoded {
    /// The header.
    Header(Header),
    /// It has [`LONGEST`] bytes, which are not all there yet.
    Longer,
    /// The VR of this element is none.
    BadVr(Tag),
}

impl Form {
    /// What a UN sequence holds (PS3.5 §6.2.2 note 2).
    pub(in crate::dicom) const IMPLICIT_LITTLE: Self = Self { explicit: false, big: false };

    /// An unsigned 16-bit number.
    pub(in crate::dicom) fn u16(self, bytes: [u8; 2]) -> u16 {
        if self.big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    /// A tag.
    pub(in crate::dicom) fn tag(self, bytes: [u8; 4]) -> Tag {
        let [g0, g1, e0, e1] = bytes;
        Tag(self.u16([g0, g1]), self.u16([e0, e1]))
    }

    fn u32(self, bytes: [u8; 4]) -> u32 {
        if self.big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    /// The form a data set or item really has, shown by the first 8 bytes of its first element,
    /// when `self` is what it should have. Writers put implicit VR items into explicit VR
    /// sequences, and explicit VR items into UN sequences, which PS3.5 §6.2.2 note 2 wants
    /// implicit. A first element would need over 16 KiB to be mistaken.
    pub(in crate::dicom) fn shown_by(self, first: [u8; SHORT]) -> Self {
        let [g0, g1, _, _, v0, v1, ..] = first;
        if self.u16([g0, g1]) == ITEM.0 {
            return self;
        }
        let capitals = v0.is_ascii_uppercase() && v1.is_ascii_uppercase();
        let explicit = if self.explicit { capitals } else { VR::from_binary([v0, v1]).is_some() };
        Self { explicit, ..self }
    }

    /// Decodes an item or delimiter header, or an implicit VR element's: tag and 32-bit length.
    pub(in crate::dicom) fn plain(self, bytes: [u8; SHORT]) -> Header {
        let [g0, g1, e0, e1, l0, l1, l2, l3] = bytes;
        Header {
            tag: self.tag([g0, g1, e0, e1]),
            vr: Written::Nothing,
            length: defined(self.u32([l0, l1, l2, l3])),
            size: SHORT,
        }
    }

    /// Decodes an element's header from its first 8 bytes and, where they are there, the next 4.
    pub(in crate::dicom) fn element(self, bytes: [u8; SHORT], more: Option<[u8; 4]>) -> Decoded {
        let plain = self.plain(bytes);
        let [_, _, _, _, v0, v1, l0, l1] = bytes;
        if !self.explicit || plain.tag.0 == ITEM.0 {
            return Decoded::Header(plain);
        }
        let vr = match VR::from_binary([v0, v1]) {
            Some(vr) => Written::Known(vr),
            None if v0.is_ascii_uppercase() && v1.is_ascii_uppercase() => Written::Unlisted,
            None => return Decoded::BadVr(plain.tag),
        };
        let long = match vr {
            Written::Known(vr) => has_long_length(vr),
            // New VRs will have the long form (PS3.5 §6.2), whose reserved bytes are zero.
            _ => (l0, l1) == (0, 0),
        };
        if !long {
            let length = Some(u32::from(self.u16([l0, l1])));
            return Decoded::Header(Header { vr, length, ..plain });
        }
        match more {
            Some(length) => Decoded::Header(Header {
                vr,
                length: defined(self.u32(length)),
                size: LONGEST,
                ..plain
            }),
            None => Decoded::Longer,
        }
    }
}

fn defined(length: u32) -> Option<u32> {
    (length != u32::MAX).then_some(length)
}

/// Whether explicit VR headers of `vr` have two reserved bytes and a 32-bit length (PS3.5 Table
/// 7.1-1).
pub(in crate::dicom) fn has_long_length(vr: VR) -> bool {
    matches!(
        vr,
        VR::OB
            | VR::OD
            | VR::OF
            | VR::OL
            | VR::OV
            | VR::OW
            | VR::SQ
            | VR::SV
            | VR::UC
            | VR::UN
            | VR::UR
            | VR::UT
            | VR::UV
    )
}
