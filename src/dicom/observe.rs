//! Listens to the scan of an object that comes in: header facts and layout in one pass.

use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use dicom_core::Tag;

use crate::dicom::extended::{Extended, ExtendedCollector, Said};
use crate::dicom::frames::{FrameCollector, FrameTable};
use crate::dicom::header::{HeaderCollector, PixelShape};
use crate::dicom::key_objects::{KeyObjects, Selection};
use crate::dicom::layout::{BulkValue, Layout, Pixels};
use crate::dicom::scan::{Element, Problem, ScanError, Value, Visit};
use crate::dicom::syntax::Encoding;

/// The most bulk values of one object. Every one is a row's bytes and a URL.
pub const MAX_BULK_VALUES: usize = 65_536;
/// The most bytes their paths may have together.
pub const MAX_PATH_BYTES: usize = 8 * 1024 * 1024;

/// Header facts and layout of one object, as its data set is scanned.
#[derive(Debug)]
pub struct Observer {
    header: HeaderCollector,
    layout: LayoutCollector,
    extended: Option<ExtendedCollector>,
    key_objects: KeyObjects,
}

impl Observer {
    /// An observer of a data set of that encoding.
    pub fn new(encoding: Encoding) -> Self {
        let header = HeaderCollector::new(encoding);
        Self {
            header,
            layout: LayoutCollector::default(),
            extended: None,
            key_objects: KeyObjects::default(),
        }
    }

    /// The same, hearing declared attributes too.
    pub fn with_extended(encoding: Encoding, set: &Arc<Extended>) -> Self {
        let collector = || ExtendedCollector::new(Arc::clone(set), encoding);
        Self { extended: (!set.is_empty()).then(collector), ..Self::new(encoding) }
    }

    /// What was heard of declared attributes, once the scan is finished.
    pub fn take_said(&mut self) -> Option<Said> {
        self.extended.take().map(ExtendedCollector::finish)
    }

    /// What a key object selection refers to, once the scan is finished; `None` of other objects.
    pub fn take_selection(&mut self) -> Option<Selection> {
        std::mem::take(&mut self.key_objects).finish()
    }

    /// Why the object must be refused though its data set can be read. Worth asking now and then:
    /// nothing more is kept once there is a reason.
    pub fn refusal(&self) -> Option<&ScanError> {
        self.layout.refusal()
    }

    /// What was heard, once the scan is finished.
    pub fn finish(self) -> Result<(HeaderCollector, LayoutParts), ScanError> {
        Ok((self.header, self.layout.finish()?))
    }
}

impl Visit for Observer {
    fn element(&mut self, element: &Element, value: Value<'_>) {
        self.layout.element(element, value.clone());
        self.key_objects.element(element, value.clone());
        if let Some(extended) = &mut self.extended {
            extended.element(element, value.clone());
        }
        self.header.element(element, value);
    }
    fn begin_sequence(&mut self, element: &Element) {
        self.layout.begin_sequence(element);
        self.header.begin_sequence(element);
        self.key_objects.begin_sequence(element);
        if let Some(extended) = &mut self.extended {
            extended.begin_sequence(element);
        }
    }
    fn begin_item(&mut self) {
        self.layout.begin_item();
        self.header.begin_item();
        self.key_objects.begin_item();
        if let Some(extended) = &mut self.extended {
            extended.begin_item();
        }
    }
    fn end_item(&mut self) {
        self.layout.end_item();
        self.header.end_item();
        self.key_objects.end_item();
        if let Some(extended) = &mut self.extended {
            extended.end_item();
        }
    }
    fn end_sequence(&mut self) {
        self.layout.end_sequence();
        self.header.end_sequence();
        self.key_objects.end_sequence();
        if let Some(extended) = &mut self.extended {
            extended.end_sequence();
        }
    }
    fn begin_fragments(&mut self, element: &Element) {
        self.layout.begin_fragments(element);
        self.header.begin_fragments(element);
    }
    fn offset_table(&mut self, bytes: &[u8]) {
        self.layout.offset_table(bytes);
        self.header.offset_table(bytes);
    }
    fn fragment(&mut self, item_start: u64, bytes: Range<u64>, head: &[u8]) {
        self.layout.fragment(item_start, bytes.clone(), head);
        self.header.fragment(item_start, bytes, head);
    }
    fn end_fragments(&mut self, end: u64) {
        self.layout.end_fragments(end);
        self.header.end_fragments(end);
    }
}

/// Bulk values and frame places, as a data set is scanned.
#[derive(Debug, Default)]
pub struct LayoutCollector {
    /// Open sequences, each with the number of its latest item.
    open: Vec<(Tag, u32)>,
    bulk: Vec<BulkValue>,
    path_bytes: usize,
    /// The encapsulated value that is open.
    encapsulated: Option<Element>,
    pixels: Option<PixelParts>,
    frames: FrameCollector,
    refusal: Option<ScanError>,
}

/// What a scan told of an object's layout; [`LayoutParts::layout`] makes it whole.
#[derive(Debug)]
pub struct LayoutParts {
    bulk: Vec<BulkValue>,
    pixels: Option<PixelParts>,
    frames: FrameCollector,
}

/// Where a data set lies in its blob; the fields are [`Layout`]'s.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataSetPlace {
    /// Where it begins in the blob.
    pub start: u64,
    /// Its bytes as stored.
    pub bytes: u64,
    /// Whether these are deflated.
    pub deflated: bool,
    /// Its bytes inflated.
    pub inflated_bytes: u64,
}

#[derive(Debug)]
struct PixelParts {
    tag: Tag,
    value: Range<u64>,
    encapsulated: bool,
}

impl LayoutCollector {
    /// See [`Observer::refusal`].
    pub fn refusal(&self) -> Option<&ScanError> {
        self.refusal.as_ref()
    }

    /// What was heard, once the scan is finished.
    pub fn finish(self) -> Result<LayoutParts, ScanError> {
        match self.refusal {
            Some(refusal) => Err(refusal),
            None => Ok(LayoutParts { bulk: self.bulk, pixels: self.pixels, frames: self.frames }),
        }
    }

    fn keep(&mut self, element: &Element, value: Range<u64>) {
        if self.refusal.is_some() {
            return;
        }
        let path = self.path(element.tag);
        self.path_bytes = self.path_bytes.saturating_add(path.len());
        if self.bulk.len() >= MAX_BULK_VALUES || self.path_bytes > MAX_PATH_BYTES {
            let problem = Problem::TooMany(self.bulk.len() as u64);
            self.refusal = Some(ScanError { offset: element.start, problem });
            return;
        }
        self.bulk.push(BulkValue { path, vr: element.vr, value });
    }

    fn path(&self, tag: Tag) -> String {
        let mut path = String::new();
        for (Tag(group, element), item) in &self.open {
            let _ = write!(path, "{group:04X}{element:04X}/{item}/"); // a String takes all
        }
        let _ = write!(path, "{:04X}{:04X}", tag.0, tag.1);
        path
    }

    /// Notes the object's pixels. Should there be several, the first are its pixels, as
    /// [`Layout::bulk`] finds the first value of a path.
    fn note_pixels(&mut self, tag: Tag, value: Range<u64>, encapsulated: bool) {
        if self.pixels.is_none() {
            self.pixels = Some(PixelParts { tag, value, encapsulated });
        }
    }

    /// Whether the open encapsulated value is the object's pixels.
    fn in_pixels(&self) -> bool {
        let top = self.encapsulated.as_ref().is_some_and(|e| e.depth == 0 && is_pixels(e.tag));
        top && self.pixels.is_none()
    }
}

impl Visit for LayoutCollector {
    fn element(&mut self, element: &Element, value: Value<'_>) {
        match value {
            Value::Bulk => {
                self.keep(element, element.value.clone());
                if element.depth == 0 && is_pixels(element.tag) {
                    self.note_pixels(element.tag, element.value.clone(), false);
                }
            }
            Value::Inline(bytes) if element.depth == 0 && element.tag == EXTENDED_OFFSET_TABLE => {
                self.frames.extended_offset_table(bytes);
            }
            Value::Inline(_) => {}
        }
    }

    fn begin_sequence(&mut self, element: &Element) {
        self.open.push((element.tag, 0));
    }

    fn begin_item(&mut self) {
        if let Some((_, item)) = self.open.last_mut() {
            *item = item.saturating_add(1);
        }
    }

    fn end_item(&mut self) {}

    fn end_sequence(&mut self) {
        self.open.pop();
    }

    fn begin_fragments(&mut self, element: &Element) {
        self.encapsulated = Some(element.clone());
    }

    fn offset_table(&mut self, bytes: &[u8]) {
        if self.in_pixels() {
            self.frames.offset_table(bytes);
        }
    }

    fn fragment(&mut self, item_start: u64, bytes: Range<u64>, head: &[u8]) {
        if self.in_pixels() {
            self.frames.fragment(item_start, &bytes, head);
        }
    }

    fn end_fragments(&mut self, end: u64) {
        let pixels = self.in_pixels();
        if let Some(element) = self.encapsulated.take() {
            let value = element.value.start..end;
            self.keep(&element, value.clone());
            if pixels {
                self.note_pixels(element.tag, value, true);
            }
        }
    }
}

impl LayoutParts {
    /// The layout of the object whose data set lies at `place` and whose pixels have `shape`.
    pub fn layout(self, place: DataSetPlace, shape: &PixelShape) -> Layout {
        let frames = self.frames;
        let pixels = self.pixels.map(|pixels| Pixels {
            tag: pixels.tag,
            frames: if pixels.encapsulated {
                frames.table(shape)
            } else {
                let bytes = pixels.value.end.saturating_sub(pixels.value.start);
                FrameTable::native(bytes, shape)
            },
            value: pixels.value,
        });
        Layout {
            data_set_start: place.start,
            data_set_bytes: place.bytes,
            deflated: place.deflated,
            inflated_bytes: place.inflated_bytes,
            bulk: self.bulk,
            pixels,
        }
    }
}

const EXTENDED_OFFSET_TABLE: Tag = Tag(0x7FE0, 0x0001);

/// Pixel Data, Float Pixel Data, Double Float Pixel Data.
fn is_pixels(tag: Tag) -> bool {
    matches!(tag, Tag(0x7FE0, 0x0008 | 0x0009 | 0x0010))
}
