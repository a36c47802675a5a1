//! What the header says of the pixels (PS3.3 §C.7.6.3, §C.11).

use crate::dicom::scan::{Element, Value, Visit};
use crate::dicom::syntax::Encoding;

/// Attributes needed to decode and draw a frame.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PixelAttributes {
    /// Rows.
    pub rows: u16,
    /// Columns.
    pub columns: u16,
}

/// Listens to a header scan and keeps the pixel attributes.
#[derive(Debug)]
pub struct PixelCollector {}

impl PixelCollector {
    /// A collector for a data set of that encoding.
    pub fn new(encoding: Encoding) -> Self {
        todo!("{encoding:?}")
    }

    /// The attributes heard.
    pub fn finish(self) -> PixelAttributes {
        todo!()
    }
}

impl Visit for PixelCollector {
    fn element(&mut self, element: &Element, value: Value<'_>) {
        todo!("{element:?} {value:?}")
    }
    fn begin_sequence(&mut self, _: &Element) {}
    fn begin_item(&mut self) {}
    fn end_item(&mut self) {}
    fn end_sequence(&mut self) {}
    fn begin_fragments(&mut self, _: &Element) {}
    fn offset_table(&mut self, _: &[u8]) {}
    fn fragment(&mut self, _: u64, _: std::ops::Range<u64>, _: &[u8]) {}
    fn end_fragments(&mut self, _: u64) {}
}
