//! What the header says of the pixels (PS3.3 §C.7.6.3, §C.11).
//!
//! A [`PixelCollector`] listens to a header scan; [`PixelAttributes`] are what it heard, with every
//! value still as the object gave it: what they mean for a picture is `render`'s to say.

mod collector;
pub mod frame_tables;
mod palette;
#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;
use std::sync::Arc;

use dicom_core::VR;

use crate::dicom::scan::{Element, Value, Visit};
use crate::dicom::syntax::Encoding;
use crate::imaging::render::WindowFunction;
use crate::imaging::subtraction::Masks;
use collector::Heard;
use frame_tables::FrameTables;

/// Attributes needed to decode and draw a frame.
#[expect(clippy::struct_excessive_bools, reason = "each is an attribute with two values")]
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PixelAttributes {
    /// Rows (0028,0010).
    pub rows: u16,
    /// Columns (0028,0011).
    pub columns: u16,
    /// Samples per Pixel (0028,0002); 1 when absent.
    pub samples_per_pixel: u16,
    /// Bits Allocated (0028,0100).
    pub bits_allocated: u16,
    /// Bits Stored (0028,0101); Bits Allocated when absent or impossible.
    pub bits_stored: u16,
    /// High Bit (0028,0102); Bits Stored less one when absent or impossible.
    pub high_bit: u16,
    /// Pixel Representation (0028,0103) is 1: stored values are two's complement.
    pub signed: bool,
    /// Photometric Interpretation (0028,0004).
    pub photometric: Photometric,
    /// Planar Configuration (0028,0006) is 1: all of one sample, then all of the next.
    pub planar: bool,
    /// Number of Frames (0028,0008), at least 1.
    pub frames: u32,
    /// What kind of pixel data element there is.
    pub kind: PixelKind,
    /// VR of the pixel data element; OW when it was not heard.
    pub pixel_vr: PixelVr,
    /// Palette (PS3.3 §C.7.9).
    pub palette: Palette,
    /// Pixel Presentation (0008,9205) is COLOR or MIXED: grey values from the palette's first on
    /// are its colours (PS3.3 §C.7.6.19).
    pub supplemental: bool,
    /// Presentation LUT Shape (2050,0020) is INVERSE.
    pub inverse: bool,
    /// Pixel Padding Value (0028,0120) to its Range Limit (0028,0121), lower first, both included,
    /// as stored values.
    pub padding: Option<(i64, i64)>,
    /// Float or Double Float Pixel Padding Value (0028,0122), (0028,0123) to its Range Limit
    /// (0028,0124), (0028,0125), lower first, both included.
    pub real_padding: Option<(f64, f64)>,
    /// Smallest and Largest Image Pixel Value (0028,0106), (0028,0107). Often wrong in real files:
    /// nothing here is drawn by them.
    pub extremes: Option<(i64, i64)>,
    /// How tall a pixel is by its width, from Pixel Aspect Ratio (0028,0034), else from Pixel
    /// Spacing, Imager Pixel Spacing or Nominal Scanned Pixel Spacing; 1 when square or unknown.
    pub tallness: f64,
    /// Modality LUT Sequence (0028,3000), of the object or of all its frames.
    pub modality_lut: LutState,
    /// VOI LUT Sequence (0028,3010), first item, of the object or of all its frames.
    pub voi_lut: LutState,
    /// Rescale and window of the whole object, and of the shared functional groups over it.
    pub values: ValueRules,
    /// What the per-frame functional groups say instead, by frame index.
    pub per_frame: Vec<ValueRules>,
    /// Lookup tables of the per-frame functional groups, by frame index.
    pub frame_tables: BTreeMap<u32, FrameTables>,
    /// Pixel Intensity Relationship (0028,1040) is LIN: stored values are proportional to the X-ray
    /// beam's intensity.
    pub proportional: bool,
    /// Mask module (PS3.3 §C.7.6.10).
    pub masks: Masks,
}

/// How stored values become modality values, which of those a window shows, and where they are of.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ValueRules {
    /// Rescale Slope (0028,1053) and Intercept (0028,1052).
    pub rescale: Option<(f64, f64)>,
    /// First Window Center (0028,1050) and Width (0028,1051) that belong together.
    pub window: Option<(f64, f64)>,
    /// VOI LUT Function (0028,1056).
    pub function: Option<WindowFunction>,
    /// Image Position (Patient) (0020,0032): no rule, but a frame's own in the same way.
    pub position: Option<[f64; 3]>,
}

/// Photometric Interpretation (PS3.3 §C.7.6.3.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Photometric {
    /// The lowest value is white.
    Monochrome1,
    /// The lowest value is black.
    #[default]
    Monochrome2,
    /// Values index a palette.
    PaletteColor,
    /// Red, green, blue.
    Rgb,
    /// Luminance and chrominance, full range.
    YbrFull,
    /// [`Photometric::YbrFull`] with chrominance of every second column.
    YbrFull422,
    /// Luminance and chrominance of the studio range, chrominance of every second column.
    YbrPartial422,
    /// As [`Photometric::YbrPartial422`], of every second row too; video only.
    YbrPartial420,
    /// JPEG 2000's irreversible colour transform.
    YbrIct,
    /// JPEG 2000's reversible colour transform.
    YbrRct,
    /// JPEG XL's own.
    Xyb,
    /// None that is known, as it was written.
    Other(String),
}

/// Which element holds the pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PixelKind {
    /// Pixel Data (7FE0,0010), or none was heard.
    #[default]
    Integer,
    /// Float Pixel Data (7FE0,0008).
    Float,
    /// Double Float Pixel Data (7FE0,0009).
    Double,
}

/// How the bytes of pixel data are grouped, which matters in big endian (PS3.5 §7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PixelVr {
    /// Bytes.
    Bytes,
    /// 16-bit words.
    #[default]
    Words,
}

/// A lookup table of the header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum LutState {
    /// The object has none.
    #[default]
    Absent,
    /// Read.
    Read(Lut),
    /// The object has one that is damaged, or longer than the header scan keeps.
    Unusable,
}

/// A lookup table (PS3.3 §C.11.1.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lut {
    /// Stored value of the first entry; lower values get the first entry, higher ones the last.
    pub first: i64,
    /// Bits of an entry, 8 to 16.
    pub bits: u16,
    /// Entries, at least one.
    pub entries: Vec<u16>,
}

/// Red, green and blue tables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Palette {
    /// The object has none.
    #[default]
    Absent,
    /// Read.
    Read(Box<[Lut; 3]>),
    /// The object has one that is damaged, or longer than the header scan keeps.
    Unusable,
}

/// Frames whose own rules are kept; those after it have the shared ones.
pub const MAX_FRAMES: usize = 100_000;

/// Bytes of a lookup table that are read: twice what the longest plain one has, since segmented ones
/// may be longer.
pub const MAX_TABLE_BYTES: u64 = 256 * 1024;

/// Listens to a header scan and keeps the pixel attributes.
#[derive(Debug)]
pub struct PixelCollector {
    heard: Heard,
}

impl PixelCollector {
    /// A collector for a data set of that encoding.
    pub fn new(encoding: Encoding) -> Self {
        Self { heard: Heard::new(encoding) }
    }

    /// Where lookup tables may lie that were too long to be heard with the header: paths as
    /// [`Layout::bulk`](crate::dicom::layout::Layout::bulk) knows them. They are worth a read each.
    pub fn missing_tables(&self) -> Vec<String> {
        self.heard.missing_tables()
    }

    /// The bytes of a table that was missing.
    pub fn table(&mut self, path: &str, bytes: &[u8]) {
        self.heard.table(path, bytes);
    }

    /// The attributes heard.
    pub fn finish(self) -> PixelAttributes {
        self.heard.finish()
    }
}

impl Visit for PixelCollector {
    fn element(&mut self, element: &Element, value: Value<'_>) {
        self.heard.element(element, &value);
    }
    fn begin_sequence(&mut self, element: &Element) {
        self.heard.begin_sequence(element.tag);
    }
    fn begin_item(&mut self) {
        self.heard.begin_item();
    }
    fn end_item(&mut self) {
        self.heard.end_item();
    }
    fn end_sequence(&mut self) {
        self.heard.end_sequence();
    }
    fn begin_fragments(&mut self, element: &Element) {
        self.heard.pixels(element);
    }
    fn offset_table(&mut self, _: &[u8]) {}
    fn fragment(&mut self, _: u64, _: std::ops::Range<u64>, _: &[u8]) {}
    fn end_fragments(&mut self, _: u64) {}
}

impl Lut {
    /// The entry for a value.
    pub fn entry(&self, value: i64) -> u16 {
        let offset = value.saturating_sub(self.first).max(0);
        let entry = usize::try_from(offset).ok().and_then(|offset| self.entries.get(offset));
        entry.or(self.entries.last()).copied().unwrap_or(0)
    }
}

impl PixelAttributes {
    /// The rules of frame `index` (from 0): its own, else the shared ones. Where a frame has a table
    /// of its own, what is shared is not said of it.
    pub fn rules(&self, index: u32) -> ValueRules {
        let own = usize::try_from(index).ok().and_then(|index| self.per_frame.get(index));
        let own = own.copied().unwrap_or_default();
        let tables = self.frame_tables.get(&index);
        let shared_rescale =
            self.values.rescale.filter(|_| tables.is_none_or(|own| own.modality.is_none()));
        // A frame's window without a function of its own is linear, whatever the object's was.
        let own_voi = own.window.is_some() || tables.is_some_and(|own| own.voi.is_some());
        let voi = if own_voi { own } else { self.values };
        ValueRules {
            rescale: own.rescale.or(shared_rescale),
            window: voi.window,
            function: voi.function,
            position: own.position.or(self.values.position),
        }
    }

    /// The modality LUT of frame `index` (from 0), which counts where it has no rescale.
    pub fn modality_lut_of(&self, index: u32) -> &LutState {
        let own = self.frame_tables.get(&index).and_then(|own| own.modality.as_deref());
        own.unwrap_or(&self.modality_lut)
    }

    /// The VOI LUT of frame `index` (from 0), which counts where it has no window.
    pub fn voi_lut_of(&self, index: u32) -> &LutState {
        let own = self.frame_tables.get(&index).and_then(|own| own.voi.as_deref());
        own.unwrap_or(&self.voi_lut)
    }

    /// These attributes without what only drawing needs: they take a few hundred bytes.
    #[must_use]
    pub fn of_samples(&self) -> Self {
        Self {
            rows: self.rows,
            columns: self.columns,
            samples_per_pixel: self.samples_per_pixel,
            bits_allocated: self.bits_allocated,
            bits_stored: self.bits_stored,
            high_bit: self.high_bit,
            signed: self.signed,
            photometric: self.photometric.clone(),
            planar: self.planar,
            frames: self.frames,
            kind: self.kind,
            pixel_vr: self.pixel_vr,
            ..Self::default()
        }
    }

    /// Memory these take, about.
    pub fn bytes(&self) -> u64 {
        let entries = |state: &LutState| match state {
            LutState::Read(lut) => lut.entries.len(),
            LutState::Absent | LutState::Unusable => 0,
        };
        let palette = match &self.palette {
            Palette::Read(tables) => tables.iter().map(|lut| lut.entries.len()).sum(),
            Palette::Absent | Palette::Unusable => 0,
        };
        let mut words = entries(&self.modality_lut)
            .saturating_add(entries(&self.voi_lut))
            .saturating_add(palette);
        // Frames that follow each other share what is alike.
        let mut last: [Option<&Arc<LutState>>; 2] = [None; 2];
        for own in self.frame_tables.values() {
            for (last, table) in last.iter_mut().zip([&own.modality, &own.voi]) {
                let Some(table) = table else { continue };
                if last.is_none_or(|last| !Arc::ptr_eq(last, table)) {
                    words = words.saturating_add(entries(table));
                }
                *last = Some(table);
            }
        }
        let of_frames = self
            .per_frame
            .len()
            .saturating_mul(size_of::<ValueRules>())
            .saturating_add(self.frame_tables.len().saturating_mul(64))
            .saturating_add(self.masks.shifts.len().saturating_mul(32))
            .saturating_add(self.masks.bytes());
        let bytes = words.saturating_mul(2).saturating_add(of_frames);
        (bytes as u64).saturating_add(1024)
    }

    /// Pixels of a frame.
    pub fn pixels(&self) -> u64 {
        u64::from(self.rows).saturating_mul(self.columns.into())
    }
}

impl Photometric {
    /// The one that is written so.
    fn parse(text: &str) -> Self {
        match text {
            "MONOCHROME1" => Self::Monochrome1,
            "MONOCHROME2" => Self::Monochrome2,
            "PALETTE COLOR" => Self::PaletteColor,
            "RGB" => Self::Rgb,
            "YBR_FULL" => Self::YbrFull,
            "YBR_FULL_422" => Self::YbrFull422,
            "YBR_PARTIAL_422" => Self::YbrPartial422,
            "YBR_PARTIAL_420" => Self::YbrPartial420,
            "YBR_ICT" => Self::YbrIct,
            "YBR_RCT" => Self::YbrRct,
            "XYB" => Self::Xyb,
            other => Self::Other(other.chars().take(16).collect()),
        }
    }

    /// How it is written.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Monochrome1 => "MONOCHROME1",
            Self::Monochrome2 => "MONOCHROME2",
            Self::PaletteColor => "PALETTE COLOR",
            Self::Rgb => "RGB",
            Self::YbrFull => "YBR_FULL",
            Self::YbrFull422 => "YBR_FULL_422",
            Self::YbrPartial422 => "YBR_PARTIAL_422",
            Self::YbrPartial420 => "YBR_PARTIAL_420",
            Self::YbrIct => "YBR_ICT",
            Self::YbrRct => "YBR_RCT",
            Self::Xyb => "XYB",
            Self::Other(other) => other,
        }
    }

    /// Whether a pixel is one grey value.
    pub fn is_grey(&self) -> bool {
        matches!(self, Self::Monochrome1 | Self::Monochrome2)
    }
}

impl PixelVr {
    fn of(vr: VR) -> Self {
        if vr == VR::OB { Self::Bytes } else { Self::Words }
    }
}
