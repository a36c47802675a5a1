//! The stored form of a layout: compact, versioned, decoded within the bytes it came in.
//!
//! ```text
//! version 1 | data set start | bytes | deflated 0/1 | inflated bytes
//! | bulk count { path length, path, VR, gap, length }
//! | pixels 0/1 [ group, element, start, length, kind ... ]
//! kind 0 unknown | 1 native: frame bits, count
//! kind 2 encapsulated: fragment count { gap, length } frame count { first fragment, as step }
//! ```
//! Numbers are LEB128, 7 bits a byte, lowest first. A gap counts from the end of the range before,
//! modulo 2^64: items make it 8, which is one byte.

use std::ops::Range;

use dicom_core::{Tag, VR};

use crate::dicom::frames::FrameTable;
use crate::dicom::layout::{BulkValue, Layout, LayoutError, Pixels};

const VERSION: u8 = 1;

impl Layout {
    /// The stored form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Writer { bytes: vec![VERSION], end: 0 };
        out.number(self.data_set_start);
        out.number(self.data_set_bytes);
        out.number(u64::from(self.deflated));
        out.number(self.inflated_bytes);
        out.count(self.bulk.len());
        for bulk in &self.bulk {
            out.count(bulk.path.len());
            out.bytes.extend_from_slice(bulk.path.as_bytes());
            out.bytes.extend_from_slice(bulk.vr.to_string().as_bytes());
            out.range(&bulk.value);
        }
        out.count(self.pixels.iter().len());
        if let Some(pixels) = &self.pixels {
            out.number(pixels.tag.0.into());
            out.number(pixels.tag.1.into());
            out.end = 0;
            out.range(&pixels.value);
            out.end = pixels.value.start;
            out.frames(&pixels.frames);
        }
        out.bytes
    }

    /// Reads the stored form; takes no more memory than a small multiple of `bytes`.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LayoutError> {
        let (&version, bytes) = bytes.split_first().ok_or(LayoutError::Damaged)?;
        if version != VERSION {
            return Err(LayoutError::Version(version));
        }
        let mut reader = Reader { bytes, end: 0 };
        match reader.layout() {
            Some(layout) if reader.bytes.is_empty() => Ok(layout),
            _ => Err(LayoutError::Damaged),
        }
    }
}

struct Writer {
    bytes: Vec<u8>,
    end: u64,
}

impl Writer {
    fn number(&mut self, mut number: u64) {
        loop {
            let low = number.to_le_bytes()[0] & 0x7F;
            number >>= 7;
            if number == 0 {
                return self.bytes.push(low);
            }
            self.bytes.push(low | 0x80);
        }
    }

    fn count(&mut self, count: usize) {
        self.number(count as u64);
    }

    fn range(&mut self, range: &Range<u64>) {
        self.number(range.start.wrapping_sub(self.end));
        self.number(range.end.saturating_sub(range.start));
        self.end = range.end;
    }

    fn frames(&mut self, frames: &FrameTable) {
        match frames {
            FrameTable::Unknown => self.number(0),
            FrameTable::Native { frame_bits, count } => {
                self.number(1);
                self.number(*frame_bits);
                self.number((*count).into());
            }
            FrameTable::Encapsulated { fragments, first_fragment } => {
                self.number(2);
                self.count(fragments.len());
                for fragment in fragments {
                    self.range(fragment);
                }
                self.count(first_fragment.len());
                let mut before = 0_u32;
                for &first in first_fragment {
                    self.number(first.wrapping_sub(before).into());
                    before = first;
                }
            }
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    end: u64,
}

impl<'a> Reader<'a> {
    fn layout(&mut self) -> Option<Layout> {
        Some(Layout {
            data_set_start: self.number()?,
            data_set_bytes: self.number()?,
            deflated: self.flag()?,
            inflated_bytes: self.number()?,
            bulk: self.bulk()?,
            pixels: if self.flag()? { Some(self.pixels()?) } else { None },
        })
    }

    fn bulk(&mut self) -> Option<Vec<BulkValue>> {
        let count = self.count()?;
        (0..count)
            .map(|_| {
                let length = self.count()?;
                let path = String::from_utf8(self.take(length)?.to_vec()).ok()?;
                let vr = VR::from_binary(*self.take(2)?.first_chunk()?)?;
                Some(BulkValue { path, vr, value: self.range()? })
            })
            .collect()
    }

    fn pixels(&mut self) -> Option<Pixels> {
        let group = u16::try_from(self.number()?).ok()?;
        let element = u16::try_from(self.number()?).ok()?;
        self.end = 0;
        let value = self.range()?;
        self.end = value.start;
        Some(Pixels { tag: Tag(group, element), value, frames: self.frames()? })
    }

    fn frames(&mut self) -> Option<FrameTable> {
        match self.number()? {
            0 => Some(FrameTable::Unknown),
            1 => Some(FrameTable::Native {
                frame_bits: self.number()?,
                count: u32::try_from(self.number()?).ok()?,
            }),
            2 => {
                let count = self.count()?;
                let fragments = (0..count).map(|_| self.range()).collect::<Option<Vec<_>>>()?;
                let count = self.count()?;
                let mut before = 0_u32;
                let first_fragment = (0..count)
                    .map(|_| {
                        before = before.wrapping_add(u32::try_from(self.number()?).ok()?);
                        Some(before)
                    })
                    .collect::<Option<Vec<_>>>()?;
                Some(FrameTable::Encapsulated { fragments, first_fragment })
            }
            _ => None,
        }
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            let bits = u64::from(byte & 0x7F);
            if shift == 63 && bits > 1 {
                return None;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn flag(&mut self) -> Option<bool> {
        match self.number()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// A count of things of at least a byte each: never more than bytes are left.
    fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count <= self.bytes.len()).then_some(count)
    }

    fn range(&mut self) -> Option<Range<u64>> {
        let start = self.end.wrapping_add(self.number()?);
        self.end = start.checked_add(self.number()?)?;
        Some(start..self.end)
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }
}
