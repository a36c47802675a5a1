//! What a header scan says of the pixels, gathered element by element.

use dicom_core::{Tag, VR};

use crate::dicom::scan::{Element, Value};
use crate::dicom::syntax::Encoding;
use crate::imaging::pixels::frame_tables::{Gathered, Which};
use crate::imaging::pixels::palette::{RawLut, palette};
use crate::imaging::pixels::value::{Order, decimals, text};
use crate::imaging::pixels::{
    Lut, LutState, MAX_FRAMES, Palette, Photometric, PixelAttributes, PixelKind, PixelVr,
    ValueRules,
};
use crate::imaging::render::WindowFunction;
use crate::imaging::subtraction::{self, FRAME_SHIFT, MASK_SUBTRACTION, Said, Shift};

/// The elements heard so far.
#[derive(Debug)]
pub(in crate::imaging::pixels) struct Heard {
    order: Order,
    /// Open sequences, each with the number of its latest item, from 1. As deep as the scanner goes.
    open: Vec<(Tag, u32)>,
    attributes: PixelAttributes,
    palette: [RawLut; 3],
    modality_lut: RawLut,
    voi_lut: RawLut,
    frame_tables: Gathered,
    object: RawRules,
    shared: RawRules,
    /// Of the functional group item that is open.
    group: RawRules,
    padding: Option<u16>,
    padding_limit: Option<u16>,
    real_padding: Option<f64>,
    real_padding_limit: Option<f64>,
    smallest: Option<u16>,
    largest: Option<u16>,
    aspect: Option<f64>,
    spacings: [Option<f64>; 3],
    /// Of the mask that is open.
    mask: Said,
    /// The object is an angiogram or fluoroscopy that is one frame's or several (not enhanced).
    angiogram: bool,
    /// Its modality LUT leads back to the beam's intensity and is none to draw by.
    intensity_lut: bool,
}

/// Rescale and windows as heard.
#[derive(Debug, Default)]
struct RawRules {
    slope: Option<f64>,
    intercept: Option<f64>,
    centers: Vec<Option<f64>>,
    widths: Vec<Option<f64>>,
    function: Option<WindowFunction>,
    position: Option<[f64; 3]>,
}

/// Where in the object an element stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    ModalityLut,
    VoiLut,
    /// In an item of a functional group: of all frames, or of one (index from 0).
    Group(Option<usize>),
    /// In the first item of a lookup table of one frame (index from 0).
    FrameTable(usize, Which),
    /// In an item of the mask module.
    Mask,
    /// In a shift of a mask: for all frames, or for one (index from 0).
    MaskShift(Option<usize>),
    Elsewhere,
}

impl Heard {
    pub(in crate::imaging::pixels) fn new(encoding: Encoding) -> Self {
        let order = if encoding == Encoding::ExplicitBig { Order::Big } else { Order::Little };
        Self {
            order,
            open: Vec::new(),
            attributes: PixelAttributes::default(),
            palette: Default::default(),
            modality_lut: RawLut::default(),
            voi_lut: RawLut::default(),
            frame_tables: Gathered::default(),
            object: RawRules::default(),
            shared: RawRules::default(),
            group: RawRules::default(),
            padding: None,
            padding_limit: None,
            real_padding: None,
            real_padding_limit: None,
            smallest: None,
            largest: None,
            aspect: None,
            spacings: [None; 3],
            mask: Said::default(),
            angiogram: false,
            intensity_lut: false,
        }
    }

    pub(in crate::imaging::pixels) fn begin_sequence(&mut self, tag: Tag) {
        self.open.push((tag, 0));
        // Present though perhaps empty: an empty sequence says nothing.
    }

    pub(in crate::imaging::pixels) fn begin_item(&mut self) {
        if let Some((_, item)) = self.open.last_mut() {
            *item = item.saturating_add(1);
        }
        match self.place() {
            Place::Group(_) => self.group = RawRules::default(),
            Place::FrameTable(..) => self.frame_tables.begin(),
            Place::Mask | Place::MaskShift(_) => self.mask = Said::default(),
            _ => {}
        }
    }

    pub(in crate::imaging::pixels) fn end_item(&mut self) {
        match self.place() {
            Place::Group(None) => {
                let group = std::mem::take(&mut self.group);
                self.shared.overlay(group);
            }
            Place::Group(Some(frame)) => {
                let rules = std::mem::take(&mut self.group).rules();
                self.keep_frame(frame, rules);
            }
            Place::FrameTable(frame, which) => self.frame_tables.end(frame, which, self.order),
            Place::Mask => {
                let masks = &mut self.attributes.masks.items;
                masks.extend(std::mem::take(&mut self.mask).mask());
            }
            Place::MaskShift(frame) => self.keep_shift(frame),
            _ => {}
        }
    }

    pub(in crate::imaging::pixels) fn end_sequence(&mut self) {
        self.open.pop();
    }

    /// The pixel data element.
    pub(in crate::imaging::pixels) fn pixels(&mut self, element: &Element) {
        if !self.open.is_empty() {
            return;
        }
        self.attributes.kind = match element.tag {
            Tag(0x7FE0, 0x0010) => PixelKind::Integer,
            Tag(0x7FE0, 0x0008) => PixelKind::Float,
            Tag(0x7FE0, 0x0009) => PixelKind::Double,
            _ => return,
        };
        self.attributes.pixel_vr = PixelVr::of(element.vr);
    }

    pub(in crate::imaging::pixels) fn element(&mut self, element: &Element, value: &Value<'_>) {
        let bytes = match value {
            Value::Inline(bytes) => Some(*bytes),
            Value::Bulk => None,
        };
        match self.place() {
            Place::Top => self.top(element, bytes),
            Place::ModalityLut => lut(&mut self.modality_lut, self.order, element, bytes),
            Place::VoiLut => lut(&mut self.voi_lut, self.order, element, bytes),
            Place::Group(frame) => {
                let Some(bytes) = bytes else { return };
                if element.tag == PIXEL_SPACING && frame.is_none_or(|frame| frame == 0) {
                    self.spacing(0, bytes);
                }
                self.group.hear(element.tag, bytes);
            }
            Place::FrameTable(..) => self.frame_tables.hear(self.order, element, bytes),
            Place::Mask | Place::MaskShift(_) => {
                self.hear_mask(element.tag, bytes.unwrap_or_default());
            }
            Place::Elsewhere => {}
        }
    }

    fn place(&self) -> Place {
        match self.open.as_slice() {
            [] => Place::Top,
            [(MASK_SUBTRACTION, item)]
                if usize::try_from(*item).is_ok_and(|item| item <= subtraction::MAX_ITEMS) =>
            {
                Place::Mask
            }
            [(MODALITY_LUT, 1)]
            | [(SHARED_GROUPS, 1), (PIXEL_VALUE_TRANSFORMATION, 1), (MODALITY_LUT, 1)] => {
                Place::ModalityLut
            }
            [(VOI_LUT, 1)] | [(SHARED_GROUPS, 1), (FRAME_VOI_LUT, 1), (VOI_LUT, 1)] => {
                Place::VoiLut
            }
            [(SHARED_GROUPS, 1), (FRAME_SHIFT, _)] => Place::MaskShift(None),
            [(FRAME_GROUPS, item), (FRAME_SHIFT, _)] => {
                frame_of(*item).map_or(Place::Elsewhere, |frame| Place::MaskShift(Some(frame)))
            }
            [(SHARED_GROUPS, 1), (tag, 1)] if is_group(*tag) => Place::Group(None),
            [(FRAME_GROUPS, item), (tag, 1)] if is_group(*tag) => {
                frame_of(*item).map_or(Place::Elsewhere, |frame| Place::Group(Some(frame)))
            }
            [(FRAME_GROUPS, item), (FRAME_VOI_LUT, 1), (VOI_LUT, 1)] => {
                frame_of(*item).map_or(Place::Elsewhere, |f| Place::FrameTable(f, Which::Voi))
            }
            [(FRAME_GROUPS, item), (PIXEL_VALUE_TRANSFORMATION, 1), (MODALITY_LUT, 1)] => {
                frame_of(*item).map_or(Place::Elsewhere, |f| Place::FrameTable(f, Which::Modality))
            }
            _ => Place::Elsewhere,
        }
    }

    fn hear_mask(&mut self, tag: Tag, bytes: &[u8]) {
        let (order, mask) = (self.order, &mut self.mask);
        match tag {
            subtraction::MASK_OPERATION => text(bytes).clone_into(&mut mask.operation),
            subtraction::APPLICABLE_FRAMES => mask.ranges = order.words(bytes),
            subtraction::MASK_FRAMES => mask.frames = order.words(bytes),
            subtraction::CONTRAST_AVERAGING => mask.averaged = order.first_word(bytes),
            subtraction::MASK_SHIFT => mask.shift = order.singles(bytes),
            subtraction::ITEM_ID => mask.id = order.first_word(bytes),
            subtraction::TID_OFFSET => {
                mask.offset = order.first_word(bytes).map(u16::cast_signed);
            }
            _ => {}
        }
    }

    fn keep_shift(&mut self, frame: Option<usize>) {
        let said = std::mem::take(&mut self.mask);
        let shifts = &mut self.attributes.masks.shifts;
        let frame = frame.map(u32::try_from).transpose();
        if let (Ok(frame), Some(id), Some(shift)) = (frame, said.id, said.shift)
            && shifts.len() < subtraction::MAX_SHIFTS
        {
            shifts.insert((frame, id), Shift::of(shift));
        }
    }

    fn top(&mut self, element: &Element, bytes: Option<&[u8]>) {
        let tag = element.tag;
        if let Tag(0x0028, 0x1101..=0x1103 | 0x1201..=0x1203 | 0x1221..=0x1223) = tag {
            let color = usize::from((tag.1 & 0xF).saturating_sub(1));
            if let Some(raw) = self.palette.get_mut(color) {
                lut(raw, self.order, element, bytes);
            }
            return;
        }
        self.pixels(element);
        let Some(bytes) = bytes else { return };
        match tag {
            PIXEL_SPACING => self.spacing(0, bytes),
            Tag(0x0018, 0x1164) => self.spacing(1, bytes),
            Tag(0x0018, 0x2010) => self.spacing(2, bytes),
            Tag(0x0028, 0x0034) => self.aspect = ratio(bytes),
            Tag(0x0028, 0x0122 | 0x0123) => self.real_padding = self.order.real(bytes),
            Tag(0x0028, 0x0124 | 0x0125) => self.real_padding_limit = self.order.real(bytes),
            Tag(0x0008, 0x9205) => {
                self.attributes.supplemental = matches!(text(bytes), "COLOR" | "MIXED");
            }
            subtraction::VIEWING_MODE => self.attributes.masks.recommended = text(bytes) == "SUB",
            Tag(0x0008, 0x0016) => self.angiogram = ANGIOGRAMS.contains(&text(bytes)),
            Tag(0x0028, 0x1040) => {
                self.attributes.proportional = text(bytes) == "LIN";
                self.intensity_lut = matches!(text(bytes), "LOG" | "DISP");
            }
            Tag(0x2050, 0x0020) => self.attributes.inverse = text(bytes) == "INVERSE",
            Tag(0x0028, 0x0004) => self.attributes.photometric = Photometric::parse(text(bytes)),
            Tag(0x0028, 0x0008) => {
                let frames = decimals(bytes, 1).first().copied().flatten().unwrap_or(1.0);
                self.attributes.frames = whole(frames);
            }
            _ => {
                self.object.hear(tag, bytes);
                if let Some(word) = self.order.first_word(bytes) {
                    self.word(tag, word);
                }
            }
        }
    }

    fn word(&mut self, tag: Tag, word: u16) {
        let attributes = &mut self.attributes;
        match tag {
            Tag(0x0028, 0x0002) => attributes.samples_per_pixel = word,
            Tag(0x0028, 0x0006) => attributes.planar = word == 1,
            Tag(0x0028, 0x0010) => attributes.rows = word,
            Tag(0x0028, 0x0011) => attributes.columns = word,
            Tag(0x0028, 0x0100) => attributes.bits_allocated = word,
            Tag(0x0028, 0x0101) => attributes.bits_stored = word,
            // One more than it is, so that 0 means absent.
            Tag(0x0028, 0x0102) => attributes.high_bit = word.saturating_add(1),
            Tag(0x0028, 0x0103) => attributes.signed = word == 1,
            Tag(0x0028, 0x0106) => self.smallest = Some(word),
            Tag(0x0028, 0x0107) => self.largest = Some(word),
            Tag(0x0028, 0x0120) => self.padding = Some(word),
            Tag(0x0028, 0x0121) => self.padding_limit = Some(word),
            _ => {}
        }
    }

    fn spacing(&mut self, which: usize, bytes: &[u8]) {
        if let Some(spacing) = self.spacings.get_mut(which) {
            *spacing = ratio(bytes);
        }
    }

    fn keep_frame(&mut self, frame: usize, rules: ValueRules) {
        if rules == ValueRules::default() || frame >= MAX_FRAMES {
            return;
        }
        let frames = &mut self.attributes.per_frame;
        if frames.len() <= frame {
            frames.resize(frame.saturating_add(1), ValueRules::default());
        }
        if let Some(kept) = frames.get_mut(frame) {
            kept.rescale = rules.rescale.or(kept.rescale);
            kept.position = rules.position.or(kept.position);
            if rules.window.is_some() {
                kept.window = rules.window;
                kept.function = rules.function;
            }
        }
    }

    pub(in crate::imaging::pixels) fn missing_tables(&self) -> Vec<String> {
        let mut paths = Vec::new();
        for (color, raw) in (1..).zip(&self.palette) {
            if raw.bulk {
                // Which of the two it is was not kept; an object has one.
                paths.extend([format!("0028120{color}"), format!("0028122{color}")]);
            }
        }
        if self.modality_lut.bulk && !(self.angiogram && self.intensity_lut) {
            paths.extend([MODALITY_LUT_DATA.to_owned(), SHARED_MODALITY_LUT_DATA.to_owned()]);
        }
        if self.voi_lut.bulk {
            paths.extend([VOI_LUT_DATA.to_owned(), SHARED_VOI_LUT_DATA.to_owned()]);
        }
        paths.extend(self.frame_tables.missing());
        paths
    }

    pub(in crate::imaging::pixels) fn table(&mut self, path: &str, bytes: &[u8]) {
        if self.frame_tables.table(path, bytes, self.order) {
            return;
        }
        let (raw, segmented) = match path {
            MODALITY_LUT_DATA | SHARED_MODALITY_LUT_DATA => (Some(&mut self.modality_lut), false),
            VOI_LUT_DATA | SHARED_VOI_LUT_DATA => (Some(&mut self.voi_lut), false),
            _ => {
                let (kind, color) = path.split_at_checked(7).unwrap_or((path, ""));
                let color = color.parse().ok().and_then(|color: usize| color.checked_sub(1));
                (color.and_then(|color| self.palette.get_mut(color)), kind == "0028122")
            }
        };
        match raw {
            Some(raw) if segmented => raw.segments = Some(bytes.to_vec()),
            Some(raw) => raw.data = Some(bytes.to_vec()),
            None => {}
        }
    }

    pub(in crate::imaging::pixels) fn finish(self) -> PixelAttributes {
        let Self { order, mut attributes, palette, mut object, shared, frame_tables, .. } = self;
        object.overlay(shared);
        attributes.values = object.rules();
        attributes.palette = whole_palette(&palette, attributes.signed, order);
        attributes.frame_tables = frame_tables.finish();
        if !(self.angiogram && self.intensity_lut) {
            attributes.modality_lut = state(&self.modality_lut, order);
        }
        attributes.voi_lut = state(&self.voi_lut, order);
        let signed = attributes.signed;
        let stored = |word: u16| if signed { word.cast_signed().into() } else { i64::from(word) };
        attributes.extremes = self.smallest.map(stored).zip(self.largest.map(stored));
        attributes.padding = self.padding.map(stored).map(|value| {
            let limit = self.padding_limit.map_or(value, stored);
            (value.min(limit), value.max(limit))
        });
        attributes.real_padding = self.real_padding.map(|value| {
            let limit = self.real_padding_limit.unwrap_or(value);
            (value.min(limit), value.max(limit))
        });
        let spacing = self.spacings.into_iter().flatten().next();
        attributes.tallness = self.aspect.or(spacing).unwrap_or(1.0);
        repair(&mut attributes);
        attributes
    }
}

/// Puts what is absent or impossible right.
fn repair(attributes: &mut PixelAttributes) {
    attributes.samples_per_pixel = attributes.samples_per_pixel.max(1);
    attributes.frames = attributes.frames.max(1);
    if attributes.photometric == Photometric::Other(String::new()) {
        attributes.photometric = Photometric::Monochrome2;
    }
    // Three samples cannot be grey.
    if attributes.samples_per_pixel == 3 && attributes.photometric.is_grey() {
        attributes.photometric = Photometric::Rgb;
    }
    let allocated = attributes.bits_allocated;
    if attributes.bits_stored == 0 || attributes.bits_stored > allocated {
        attributes.bits_stored = allocated;
    }
    // Kept as one more than it is, until here.
    let above = attributes.high_bit;
    let above = if above < attributes.bits_stored || above > allocated {
        attributes.bits_stored
    } else {
        above
    };
    attributes.high_bit = above.saturating_sub(1);
}

impl RawRules {
    fn hear(&mut self, tag: Tag, bytes: &[u8]) {
        match tag {
            Tag(0x0020, 0x0032) => self.position = position(bytes),
            Tag(0x0028, 0x1050) => self.centers = decimals(bytes, WINDOWS),
            Tag(0x0028, 0x1051) => self.widths = decimals(bytes, WINDOWS),
            Tag(0x0028, 0x1052) => self.intercept = decimals(bytes, 1).pop().flatten(),
            Tag(0x0028, 0x1053) => self.slope = decimals(bytes, 1).pop().flatten(),
            Tag(0x0028, 0x1056) => {
                self.function = match text(bytes) {
                    "LINEAR_EXACT" => Some(WindowFunction::LinearExact),
                    "SIGMOID" => Some(WindowFunction::Sigmoid),
                    "LINEAR" => Some(WindowFunction::Linear),
                    _ => None,
                }
            }
            _ => {}
        }
    }

    /// Takes over what `above` says.
    fn overlay(&mut self, above: Self) {
        self.position = above.position.or(self.position);
        self.slope = above.slope.or(self.slope);
        self.intercept = above.intercept.or(self.intercept);
        if !above.centers.is_empty() && !above.widths.is_empty() {
            self.centers = above.centers;
            self.widths = above.widths;
            self.function = above.function;
        }
    }

    fn rules(self) -> ValueRules {
        let rescale = match (self.slope, self.intercept) {
            // A slope of 0 would make every pixel the same; it is written by mistake.
            (None, None) | (Some(0.0), _) => None,
            (slope, intercept) => Some((slope.unwrap_or(1.0), intercept.unwrap_or(0.0))),
        };
        let pairs = self.centers.into_iter().zip(self.widths);
        let mut windows = pairs.filter_map(|(center, width)| center.zip(width));
        let window = windows.find(|(_, width)| *width > 0.0);
        ValueRules { rescale, window, function: self.function, position: self.position }
    }
}

/// Keeps an element of a lookup table.
pub(in crate::imaging::pixels) fn lut(
    raw: &mut RawLut,
    order: Order,
    element: &Element,
    bytes: Option<&[u8]>,
) {
    match (element.tag, bytes) {
        (Tag(0x0028, 0x3002 | 0x1101..=0x1103), Some(bytes)) => {
            raw.signed = element.vr == VR::SS;
            raw.descriptor = order.words(bytes).first_chunk().copied();
        }
        (Tag(0x0028, 0x3006 | 0x1201..=0x1203), Some(bytes)) => raw.data = Some(bytes.to_vec()),
        (Tag(0x0028, 0x1221..=0x1223), Some(bytes)) => raw.segments = Some(bytes.to_vec()),
        (Tag(0x0028, 0x3006 | 0x1201..=0x1203 | 0x1221..=0x1223), None) => raw.bulk = true,
        _ => {}
    }
}

fn state(raw: &RawLut, order: Order) -> LutState {
    match raw.table(order) {
        Some(table) => LutState::Read(table),
        None if raw.is_empty() => LutState::Absent,
        None => LutState::Unusable,
    }
}

fn whole_palette(raw: &[RawLut; 3], signed: bool, order: Order) -> Palette {
    if raw.iter().all(RawLut::is_empty) {
        return Palette::Absent;
    }
    let table = |raw: &RawLut| -> Option<Lut> {
        let raw = RawLut { signed: raw.signed || signed, ..raw.clone() };
        raw.table(order)
    };
    let [red, green, blue] = raw;
    match (table(red), table(green), table(blue)) {
        (Some(red), Some(green), Some(blue)) => {
            Palette::Read(Box::new(palette([red, green, blue])))
        }
        _ => Palette::Unusable,
    }
}

/// Three coordinates.
fn position(bytes: &[u8]) -> Option<[f64; 3]> {
    let numbers = decimals(bytes, 3);
    let [Some(x), Some(y), Some(z)] = numbers.first_chunk::<3>()? else { return None };
    Some([*x, *y, *z])
}

/// Height by width of a pixel, from two numbers in that order; `None` when there is no telling.
fn ratio(bytes: &[u8]) -> Option<f64> {
    let numbers = decimals(bytes, 2);
    let [Some(tall), Some(wide)] = numbers.first_chunk::<2>()? else { return None };
    let ratio = tall / wide;
    // Past these it is a mistake, and a picture one pixel wide helps nobody.
    let real = *tall > 0.0 && *wide > 0.0 && (0.05..=20.0).contains(&ratio);
    // Rounding in the two numbers is no shape.
    real.then(|| if (ratio - 1.0).abs() < 0.01 { 1.0 } else { ratio })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to the range of u32 before"
)]
fn whole(number: f64) -> u32 {
    number.clamp(0.0, f64::from(u32::MAX)) as u32
}

/// The index of a frame, from 0, of its item's number, from 1.
fn frame_of(item: u32) -> Option<usize> {
    item.checked_sub(1).and_then(|frame| usize::try_from(frame).ok())
}

fn is_group(tag: Tag) -> bool {
    matches!(tag, PIXEL_VALUE_TRANSFORMATION | FRAME_VOI_LUT | PIXEL_MEASURES | PLANE_POSITION)
}

/// X-Ray Angiographic and X-Ray Radiofluoroscopic Image Storage: where their values are no
/// intensities, a modality LUT makes them so (PS3.3 §C.8.7.1.1.2).
const ANGIOGRAMS: [&str; 2] = ["1.2.840.10008.5.1.4.1.1.12.1", "1.2.840.10008.5.1.4.1.1.12.2"];

/// Windows kept of an element; the first that can be used is drawn.
const WINDOWS: usize = 8;

/// Paths of LUT Data (0028,3006) of the tables that are drawn by.
const MODALITY_LUT_DATA: &str = "00283000/1/00283006";
const VOI_LUT_DATA: &str = "00283010/1/00283006";
const SHARED_MODALITY_LUT_DATA: &str = "52009229/1/00289145/1/00283000/1/00283006";
const SHARED_VOI_LUT_DATA: &str = "52009229/1/00289132/1/00283010/1/00283006";

const PIXEL_SPACING: Tag = Tag(0x0028, 0x0030);
const MODALITY_LUT: Tag = Tag(0x0028, 0x3000);
const VOI_LUT: Tag = Tag(0x0028, 0x3010);
const SHARED_GROUPS: Tag = Tag(0x5200, 0x9229);
const FRAME_GROUPS: Tag = Tag(0x5200, 0x9230);
const PIXEL_VALUE_TRANSFORMATION: Tag = Tag(0x0028, 0x9145);
const FRAME_VOI_LUT: Tag = Tag(0x0028, 0x9132);
const PLANE_POSITION: Tag = Tag(0x0020, 0x9113);
const PIXEL_MEASURES: Tag = Tag(0x0028, 0x9110);
