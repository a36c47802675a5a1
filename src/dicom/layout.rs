//! How an object's bytes lie in its blob: data set, bulk values, frames. Kept with its index row, so
//! that frames, bulk values and metadata are read by ranges.

use std::ops::Range;

use bytes::Bytes;
use dicom_core::{Tag, VR};

use crate::dicom::frames::FrameTable;

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
// CONTRACT (implementation to come):
// impl Layout {
//   pub fn to_bytes(&self) -> Vec<u8>;  pub fn from_bytes(&[u8]) -> Result<Layout, LayoutError>   (versioned, compact varints, bounded)
//   pub fn header_ranges(&self) -> Vec<Range<u64>>      // blob ranges outside bulk values, merged when < 4 KiB apart; deflated: the whole data set as ONE range
//   pub fn bulk(&self, path: &str) -> Option<&BulkValue>
//   pub fn blob_range(&self, data_set: &Range<u64>) -> Range<u64>     // data set offsets -> blob offsets (not for deflated)
//   pub fn frame(&self, index: u32) -> Option<FramePlace>              // index from 0; ranges are data set offsets
//   pub fn scan_header(&self, encoding: Encoding, limits: Limits, pieces: &[Piece], visit: &mut dyn Visit) -> Result<(), ScanError>
//        // runs the Scanner over header pieces, skipping bulk values (incl. encapsulated pixel data) without their bytes;
//        // visit hears bulk elements as Value::Bulk (encapsulated pixel data as one `element(.., Value::Bulk)`).
// }
