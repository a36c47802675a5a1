//! What the header says of the pixels (PS3.3 §C.7.6.3, §C.11, §C.7.6.16).

use std::ops::Range;

use dicom_core::Tag;
use dicom_dictionary_std::tags;

use crate::dicom::scan::{Element, Value, Visit};
use crate::dicom::syntax::Encoding;
use crate::imaging::render::Window;
use crate::imaging::render::WindowFunction;

/// Frames whose own functional groups are kept; later ones are drawn by the shared ones.
const MAX_FRAMES: usize = 100_000;

/// Attributes needed to decode and draw a frame.
#[derive(Debug, Clone, PartialEq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an attribute of its own")]
pub struct PixelAttributes {
    /// Rows (0028,0010).
    pub rows: u16,
    /// Columns (0028,0011).
    pub columns: u16,
    /// Samples per Pixel (0028,0002).
    pub samples_per_pixel: u16,
    /// Bits Allocated (0028,0100).
    pub bits_allocated: u16,
    /// Bits Stored (0028,0101); Bits Allocated when absent.
    pub bits_stored: u16,
    /// High Bit (0028,0102); Bits Stored - 1 when absent.
    pub high_bit: u16,
    /// Pixel Representation (0028,0103): whether samples are signed.
    pub is_signed: bool,
    /// Photometric Interpretation (0028,0004).
    pub photometric: String,
    /// Planar Configuration (0028,0006): whether native samples come plane by plane.
    pub is_planar: bool,
    /// Whether the pixels are floats: (7FE0,0008) or (7FE0,0009).
    pub is_float: bool,
    /// Pixel Padding Value (0028,0120), its bits as they stand.
    pub padding: Option<u16>,
    /// Pixel Padding Range Limit (0028,0121).
    pub padding_limit: Option<u16>,
    /// Height of a pixel over its width; 1 when absent.
    pub aspect: f64,
    /// Presentation LUT Shape (2050,0020) is INVERSE.
    pub is_inverse: bool,
    /// Palettes for red, green and blue.
    pub palettes: [Palette; 3],
    /// Rescale and window at the top level, or shared by all frames.
    pub shared: Transform,
    /// Rescale and window of each frame, where frames have their own.
    pub per_frame: Vec<Transform>,
}

/// A Palette Color Lookup Table (PS3.3 §C.7.6.3.1.5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Palette {
    /// Entries, first value mapped, bits of an entry.
    pub descriptor: [u16; 3],
    /// The entries as they are stored, little endian, or segmented.
    pub data: Vec<u8>,
    /// Whether the data are segments (PS3.3 §C.7.9.2).
    pub is_segmented: bool,
}

/// From stored values to what is looked at.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Transform {
    /// Rescale Slope (0028,1053).
    pub slope: Option<f64>,
    /// Rescale Intercept (0028,1052).
    pub intercept: Option<f64>,
    /// First Window Center (0028,1050).
    pub center: Option<f64>,
    /// First Window Width (0028,1051).
    pub width: Option<f64>,
    /// VOI LUT Function (0028,1056).
    pub function: Option<WindowFunction>,
}

impl PixelAttributes {
    /// The transform of frame `index` (from 0): its own where it has one, else the shared.
    pub fn transform(&self, index: u32) -> Transform {
        let own = usize::try_from(index).ok().and_then(|index| self.per_frame.get(index));
        let Some(own) = own else { return self.shared.clone() };
        let shared = &self.shared;
        Transform {
            slope: own.slope.or(shared.slope),
            intercept: own.intercept.or(shared.intercept),
            center: own.center.or(shared.center),
            width: own.width.or(shared.width),
            function: own.function.or(shared.function),
        }
    }
}

impl Transform {
    /// The object's own window, if it has a usable one.
    pub fn window(&self) -> Option<Window> {
        let (center, width) = (self.center?, self.width?);
        let function = self.function.unwrap_or(WindowFunction::Linear);
        let usable = match function {
            WindowFunction::Linear => width >= 1.0,
            WindowFunction::LinearExact | WindowFunction::Sigmoid => width > 0.0,
        };
        (usable && center.is_finite()).then_some(Window { center, width, function })
    }
}

/// Listens to a header scan and keeps the pixel attributes.
#[derive(Debug)]
pub struct PixelCollector {
    encoding: Encoding,
    found: PixelAttributes,
    /// Sequences open around the current element.
    open: Vec<Tag>,
    has_stored: bool,
    has_high: bool,
}

impl PixelCollector {
    /// A collector for a data set of that encoding.
    pub fn new(encoding: Encoding) -> Self {
        let found = PixelAttributes { aspect: 1.0, ..PixelAttributes::default() };
        Self { encoding, found, open: Vec::new(), has_stored: false, has_high: false }
    }

    /// The attributes heard.
    pub fn finish(self) -> PixelAttributes {
        let mut found = self.found;
        if !self.has_stored {
            found.bits_stored = found.bits_allocated;
        }
        if !self.has_high {
            found.high_bit = found.bits_stored.saturating_sub(1);
        }
        if self.encoding == Encoding::ExplicitBig {
            for palette in &mut found.palettes {
                for word in palette.data.chunks_exact_mut(2) {
                    word.swap(0, 1);
                }
            }
        }
        found
    }

    fn numbers(&self, bytes: &[u8]) -> Vec<u16> {
        let read = if self.encoding == Encoding::ExplicitBig {
            u16::from_be_bytes
        } else {
            u16::from_le_bytes
        };
        bytes.chunks_exact(2).filter_map(|two| Some(read(two.try_into().ok()?))).collect()
    }

    fn number(&self, bytes: &[u8]) -> u16 {
        self.numbers(bytes).first().copied().unwrap_or(0)
    }

    fn top(&mut self, tag: Tag, bytes: &[u8]) {
        match tag {
            tags::ROWS => self.found.rows = self.number(bytes),
            tags::COLUMNS => self.found.columns = self.number(bytes),
            tags::SAMPLES_PER_PIXEL => self.found.samples_per_pixel = self.number(bytes),
            tags::BITS_ALLOCATED => self.found.bits_allocated = self.number(bytes),
            tags::BITS_STORED => {
                self.found.bits_stored = self.number(bytes);
                self.has_stored = self.found.bits_stored > 0;
            }
            tags::HIGH_BIT => {
                self.found.high_bit = self.number(bytes);
                self.has_high = true;
            }
            tags::PIXEL_REPRESENTATION => self.found.is_signed = self.number(bytes) == 1,
            tags::PLANAR_CONFIGURATION => self.found.is_planar = self.number(bytes) == 1,
            tags::PHOTOMETRIC_INTERPRETATION => self.found.photometric = text(bytes),
            tags::PIXEL_PADDING_VALUE => self.found.padding = self.numbers(bytes).first().copied(),
            tags::PIXEL_PADDING_RANGE_LIMIT => {
                self.found.padding_limit = self.numbers(bytes).first().copied();
            }
            tags::PRESENTATION_LUT_SHAPE => self.found.is_inverse = text(bytes) == "INVERSE",
            tags::PIXEL_ASPECT_RATIO | tags::PIXEL_SPACING | tags::IMAGER_PIXEL_SPACING => {
                if let [vertical, horizontal, ..] = decimals(bytes).as_slice() {
                    let aspect = vertical / horizontal;
                    if aspect.is_finite() && (0.05..=20.0).contains(&aspect) {
                        self.found.aspect = aspect;
                    }
                }
            }
            _ => self.palette(tag, bytes),
        }
    }

    fn palette(&mut self, tag: Tag, bytes: &[u8]) {
        // (0028,1101…1103) descriptors, (0028,1201…1203) data, (0028,1221…1223) segmented data.
        let Tag(0x0028, element) = tag else { return };
        let numbers = self.numbers(bytes);
        let index = usize::from(element & 0x000F).wrapping_sub(1);
        let Some(palette) = self.found.palettes.get_mut(index) else { return };
        match element & 0xFFF0 {
            0x1100 => {
                if let [entries, first, bits, ..] = numbers.as_slice() {
                    palette.descriptor = [*entries, *first, *bits];
                }
            }
            0x1200 if !palette.is_segmented => palette.data = bytes.to_vec(),
            0x1220 => {
                palette.data = bytes.to_vec();
                palette.is_segmented = true;
            }
            _ => {}
        }
    }

    /// The transform an element belongs to: the object's, or a functional group's.
    fn target(&mut self) -> Option<&mut Transform> {
        match self.open.as_slice() {
            []
            | [
                tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE,
                tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE | tags::FRAME_VOILUT_SEQUENCE,
            ] => Some(&mut self.found.shared),
            [
                tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE,
                tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE | tags::FRAME_VOILUT_SEQUENCE,
            ] => self.found.per_frame.last_mut(),
            _ => None,
        }
    }

    fn transform(&mut self, tag: Tag, bytes: &[u8]) {
        let Some(target) = self.target() else { return };
        match tag {
            tags::RESCALE_SLOPE => set(&mut target.slope, bytes),
            tags::RESCALE_INTERCEPT => set(&mut target.intercept, bytes),
            tags::WINDOW_CENTER => set(&mut target.center, bytes),
            tags::WINDOW_WIDTH => set(&mut target.width, bytes),
            tags::VOILUT_FUNCTION => {
                target.function = Some(match text(bytes).as_str() {
                    "LINEAR_EXACT" => WindowFunction::LinearExact,
                    "SIGMOID" => WindowFunction::Sigmoid,
                    _ => WindowFunction::Linear,
                });
            }
            _ => {}
        }
    }
}

impl Visit for PixelCollector {
    fn element(&mut self, element: &Element, value: Value<'_>) {
        if self.open.is_empty() && matches!(element.tag, Tag(0x7FE0, 0x0008 | 0x0009)) {
            self.found.is_float = true;
        }
        let Value::Inline(bytes) = value else { return };
        if self.open.is_empty() {
            self.top(element.tag, bytes);
        }
        self.transform(element.tag, bytes);
    }

    fn begin_sequence(&mut self, element: &Element) {
        self.open.push(element.tag);
    }

    fn begin_item(&mut self) {
        let per_frame =
            matches!(self.open.as_slice(), [tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE]);
        if per_frame && self.found.per_frame.len() < MAX_FRAMES {
            self.found.per_frame.push(Transform::default());
        }
    }

    fn end_item(&mut self) {}

    fn end_sequence(&mut self) {
        self.open.pop();
    }

    fn begin_fragments(&mut self, _: &Element) {}
    fn offset_table(&mut self, _: &[u8]) {}
    fn fragment(&mut self, _: u64, _: Range<u64>, _: &[u8]) {}
    fn end_fragments(&mut self, _: u64) {}
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_matches([' ', '\0']).to_owned()
}

/// Decimal strings (DS, IS), or the binary doubles (FD) functional groups may hold.
fn decimals(bytes: &[u8]) -> Vec<f64> {
    text(bytes).split('\\').filter_map(|number| number.trim().parse().ok()).collect()
}

fn set(target: &mut Option<f64>, bytes: &[u8]) {
    let first = decimals(bytes).first().copied().filter(|number| number.is_finite());
    *target = first.or(*target);
}
