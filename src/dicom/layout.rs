//! How an object's bytes lie in its blob: data set, bulk values, frames. Kept with its index row, so
//! that frames, bulk values and metadata are read by ranges.

mod stored;

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;
use dicom_core::{Tag, VR};

use crate::dicom::frames::{FramePlace, FrameTable};
use crate::dicom::limits::Limits;
use crate::dicom::scan::{Problem, ScanError, Scanner, Visit};
use crate::dicom::syntax::{Encoding, has_big_pixels};

/// Places in an object. Data set offsets count from the first byte of the (inflated) data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Where the data set begins in the blob.
    pub data_set_start: u64,
    /// Bytes of the data set as stored (deflated, when the syntax deflates).
    pub data_set_bytes: u64,
    /// Whether the stored data set is deflated: then offsets count in the inflated bytes, and
    /// nothing can be read without inflating what lies before.
    pub deflated: bool,
    /// Bytes of the inflated data set (`data_set_bytes` when not deflated).
    pub inflated_bytes: u64,
    /// Bulk values in data set order, pixel data included.
    pub bulk: Vec<BulkValue>,
    /// The pixels, when there are any at the top level.
    pub pixels: Option<Pixels>,
}

/// A value too long to be kept or sent inline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkValue {
    /// Tags and 1-based item numbers: `7FE00010`, `54000100/1/54001010`.
    pub path: String,
    /// Value representation.
    pub vr: VR,
    /// Where the value lies in the data set; encapsulated pixel data with all items and delimiter.
    pub value: Range<u64>,
}

/// Top-level Pixel Data, Float Pixel Data or Double Float Pixel Data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// (7FE0,0010), (7FE0,0008) or (7FE0,0009).
    pub tag: Tag,
    /// Where the value lies in the data set.
    pub value: Range<u64>,
    /// Where each frame lies.
    pub frames: FrameTable,
}

/// A piece of a blob that was read: where it begins in the blob, and its bytes.
#[derive(Debug, Clone)]
pub struct Piece {
    /// Offset in the blob.
    pub start: u64,
    /// Bytes.
    pub bytes: Bytes,
}

/// Stored bytes that are no layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// Written by another version.
    #[error("layout has version {0}, which is not read here")]
    Version(u8),
    /// Cut short, followed by more, or holding what no layout holds.
    #[error("layout is damaged")]
    Damaged,
}

/// Bulk values between two pieces of header that are read along, rather than in two reads.
const MERGE_BYTES: u64 = 4096;

impl Layout {
    /// Blob ranges that hold everything but bulk values, joined when less than 4 KiB apart;
    /// deflated, the whole data set.
    pub fn header_ranges(&self) -> Vec<Range<u64>> {
        let all = self.data_set_start..self.data_set_start.saturating_add(self.data_set_bytes);
        if self.deflated {
            return vec![all];
        }
        let mut ranges = Vec::new();
        let mut start = all.start;
        for bulk in &self.bulk {
            let value = self.blob_range(&bulk.value);
            if value.end.saturating_sub(value.start) < MERGE_BYTES || value.start < start {
                continue;
            }
            if start < value.start {
                ranges.push(start..value.start);
            }
            start = value.end.min(all.end);
        }
        if start < all.end {
            ranges.push(start..all.end);
        }
        ranges
    }

    /// The bulk value at `path`.
    pub fn bulk(&self, path: &str) -> Option<&BulkValue> {
        self.bulk.iter().find(|bulk| bulk.path == path)
    }

    /// Where a range of the data set lies in the blob. Means nothing when deflated.
    pub fn blob_range(&self, data_set: &Range<u64>) -> Range<u64> {
        let shift = |offset: u64| offset.saturating_add(self.data_set_start);
        shift(data_set.start)..shift(data_set.end)
    }

    /// Where frame `index` (from 0) lies in the data set, which is in that transfer syntax.
    pub fn frame(&self, index: u32, transfer_syntax: &str) -> Option<FramePlace> {
        let pixels = self.pixels.as_ref()?;
        let place = pixels.frames.place(index, &pixels.value)?;
        if !has_big_pixels(transfer_syntax) {
            return Some(place);
        }
        let element = self.bulk.iter().find(|bulk| bulk.value == pixels.value);
        let bytes = element.is_some_and(|element| element.vr == VR::OB);
        Some(if bytes { place } else { place.in_words(&pixels.value) })
    }

    /// Scans the object's header: `pieces` are what [`Layout::header_ranges`] asked for, in order.
    /// Every bulk value, encapsulated pixel data included, is heard as one bulk element. `limits`
    /// must be those the layout was made with: what is bulk depends on them.
    pub fn scan_header(
        &self,
        encoding: Encoding,
        limits: Limits,
        pieces: &[Piece],
        visit: &mut dyn Visit,
    ) -> Result<(), ScanError> {
        let mut scanner = self.scanner(encoding, limits);
        if self.deflated {
            for piece in pieces {
                scanner.push(&piece.bytes, visit)?;
            }
        } else {
            for piece in pieces {
                self.skip_to(&mut scanner, piece.start)?;
                scanner.push(&piece.bytes, visit)?;
            }
            let end = self.data_set_start.saturating_add(self.data_set_bytes);
            self.skip_to(&mut scanner, end)?;
        }
        scanner.finish(visit).map(|_| ())
    }

    /// A scanner of the object's whole data set that hears of encapsulated values as of any bulk.
    pub fn scanner(&self, encoding: Encoding, limits: Limits) -> Scanner {
        let ends: BTreeMap<u64, u64> =
            self.bulk.iter().map(|bulk| (bulk.value.start, bulk.value.end)).collect();
        Scanner::with_known_fragments(encoding, limits, ends)
    }

    /// Leaves out the bulk value between the scanner's place and blob offset `start`.
    fn skip_to(&self, scanner: &mut Scanner, start: u64) -> Result<(), ScanError> {
        let place = self.data_set_start.saturating_add(scanner.position());
        let gap = start.checked_sub(place);
        match gap {
            Some(gap) if gap <= scanner.skippable() => {
                scanner.skip(gap);
                Ok(())
            }
            // Pieces that are not those asked for, or of another object.
            _ => Err(ScanError {
                offset: scanner.position(),
                problem: Problem::Truncated(Tag(0, 0)),
            }),
        }
    }
}
