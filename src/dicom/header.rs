//! Typed facts of an object's header, for the index.

use dicom_core::Tag;

use crate::dicom::scan::{Element, Value, Visit};
use crate::dicom::syntax::Encoding;
use crate::dicom::uid::Uid;
use crate::people::patient_id::PatientId;

/// The facts of one object, by level; `model::study` types hold them. Attributes are DICOM JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// SOP Class UID (0008,0016), when present and usable.
    pub sop_class: Option<Uid>,
    /// SOP Instance UID (0008,0018).
    pub sop_instance: Option<Uid>,
    /// Study Instance UID (0020,000D).
    pub study_uid: Option<Uid>,
    /// Series Instance UID (0020,000E).
    pub series_uid: Option<Uid>,
    /// Patient ID and issuer.
    pub patient_id: PatientId,
    /// Pixel description the frame table needs.
    pub pixels: PixelShape,
}

/// What the frame table needs to know (PS3.3 §C.7.6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PixelShape {
    /// Rows (0028,0010).
    pub rows: u16,
    /// Columns (0028,0011).
    pub columns: u16,
    /// Samples per Pixel (0028,0002); native YBR_FULL_422 counts 2.
    pub samples: u16,
    /// Bits Allocated (0028,0100).
    pub bits_allocated: u16,
    /// Number of Frames (0028,0008), 1 when absent.
    pub frames: u32,
}

/// Listens to a scan and keeps what the index needs.
#[derive(Debug)]
pub struct HeaderCollector {}

impl HeaderCollector {
    /// A collector for a data set of that encoding.
    pub fn new(encoding: Encoding) -> Self {
        todo!("{encoding:?}")
    }
}

impl Visit for HeaderCollector {
    fn element(&mut self, element: &Element, value: Value<'_>) {
        todo!("{element:?} {value:?}")
    }
    fn begin_sequence(&mut self, element: &Element) {
        todo!("{element:?}")
    }
    fn begin_item(&mut self) {}
    fn end_item(&mut self) {}
    fn end_sequence(&mut self) {}
    fn begin_fragments(&mut self, _: &Element) {}
    fn offset_table(&mut self, _: &[u8]) {}
    fn fragment(&mut self, _: u64, _: std::ops::Range<u64>, _: &[u8]) {}
    fn end_fragments(&mut self, _: u64) {}
}

/// Unused until the collector stands.
pub const PIXEL_DATA: Tag = Tag(0x7FE0, 0x0010);
