//! Typed facts of an object's header, for the index.
//!
//! Only attributes at the top of the data set count, besides the items of the sequences named
//! here. Of an attribute that comes twice the first with a value counts. Identifiers and texts
//! sent as VR UN are read by the VR the dictionary gives them.

use std::ops::Range;

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};

use crate::dicom::charset::Charset;
use crate::dicom::date::date;
use crate::dicom::date::time;
use crate::dicom::header_table::Levels;
use crate::dicom::header_table::levels_of;
use crate::dicom::header_text::fact;
use crate::dicom::header_text::first_count;
use crate::dicom::header_text::name;
use crate::dicom::header_text::number;
use crate::dicom::header_text::uid;
use crate::dicom::header_text::unsigned;
use crate::dicom::json::JsonWriter;
use crate::dicom::scan::{Element, Value, Visit};
use crate::dicom::syntax::Encoding;
use crate::dicom::uid::Uid;
use crate::people::patient_id::PatientId;

/// The facts of one object, by level; fields are those of `model::study`.
///
/// Text is UTF-8, padding removed, at most [`Header::MAX_CHARS`] characters each, empty when the
/// object has none. `attributes` are DICOM JSON attributes as one object's text, tags ascending,
/// at least `{}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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
    /// The rest of the patient.
    pub patient: HeaderPatient,
    /// The rest of the study.
    pub study: HeaderStudy,
    /// The rest of the series.
    pub series: HeaderSeries,
    /// The rest of the instance.
    pub instance: HeaderInstance,
    /// Pixel description the frame table needs.
    pub pixels: PixelShape,
}

/// Patient level facts, but for the identifier.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderPatient {
    /// Patient's Name (0010,0010), all component groups, empty ones at the end left out.
    pub name: String,
    /// Patient's Birth Date (0010,0030), as `dicom::date` has it.
    pub birth_date: String,
    /// Patient's Sex (0010,0040).
    pub sex: String,
    /// Patient level attributes.
    pub attributes: String,
}

/// Study level facts, but for the identifier.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderStudy {
    /// Study Date (0008,0020).
    pub date: String,
    /// Study Time (0008,0030).
    pub time: String,
    /// Accession Number (0008,0050).
    pub accession_number: String,
    /// Referring Physician's Name (0008,0090).
    pub referring_physician: String,
    /// Study ID (0020,0010).
    pub id: String,
    /// Study Description (0008,1030).
    pub description: String,
    /// Study level attributes.
    pub attributes: String,
}

/// Series level facts, but for the identifier.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderSeries {
    /// Modality (0008,0060).
    pub modality: String,
    /// Series Number (0020,0011) without sign, padding and zeros it does not need.
    pub number: String,
    /// Series Description (0008,103E).
    pub description: String,
    /// Body Part Examined (0018,0015).
    pub body_part: String,
    /// Performed Procedure Step Start Date (0040,0244).
    pub performed_date: String,
    /// Performed Procedure Step Start Time (0040,0245).
    pub performed_time: String,
    /// Items of Request Attributes Sequence (0040,0275), the first [`Header::MAX_REQUESTS`].
    pub requests: Vec<HeaderRequest>,
    /// Series level attributes.
    pub attributes: String,
}

/// One item of Request Attributes Sequence (0040,0275).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderRequest {
    /// Scheduled Procedure Step ID (0040,0009).
    pub scheduled_step_id: String,
    /// Requested Procedure ID (0040,1001).
    pub procedure_id: String,
}

/// Instance level facts, but for the identifiers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeaderInstance {
    /// Instance Number (0020,0013) without sign, padding and zeros it does not need.
    pub number: String,
    /// Frames of the pixel data; 0 when the object has none.
    pub frames: u32,
    /// Timezone Offset From UTC (0008,0201).
    pub timezone: String,
    /// Instance level attributes.
    pub attributes: String,
}

/// What the frame table needs to know (PS3.3 §C.7.6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PixelShape {
    /// Rows (0028,0010).
    pub rows: u16,
    /// Columns (0028,0011).
    pub columns: u16,
    /// Samples per Pixel (0028,0002), 1 when absent; native `YBR_FULL_422` counts 2.
    pub samples: u16,
    /// Bits Allocated (0028,0100).
    pub bits_allocated: u16,
    /// Number of Frames (0028,0008), 1 when absent or not a count.
    pub frames: u32,
}

impl Header {
    /// The most characters of one fact.
    pub const MAX_CHARS: usize = 1024;
    /// The most items of Request Attributes Sequence kept.
    pub const MAX_REQUESTS: usize = 256;
}

/// Listens to a scan and keeps what the index needs.
#[derive(Debug)]
pub struct HeaderCollector {
    header: Header,
    big_endian: bool,
    /// Character sets of the object and of the open items, outermost first.
    charsets: Vec<Charset>,
    /// The outermost open sequence, and which of its items is open, from 1.
    outermost: Option<(Tag, u32)>,
    /// Sequences open.
    depth: u32,
    /// Levels that keep the outermost open sequence.
    hearing: Levels,
    writers: [(Levels, JsonWriter); 4],
    universal_issuer: String,
    frames: Option<u32>,
    photometric: String,
    pixels: PixelKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PixelKind {
    None,
    Native,
    Encapsulated,
}

impl HeaderCollector {
    /// A collector for a data set of that encoding.
    pub fn new(encoding: Encoding) -> Self {
        let writer = |level| (level, JsonWriter::attributes(encoding));
        Self {
            header: Header::default(),
            big_endian: encoding == Encoding::ExplicitBig,
            charsets: vec![Charset::DEFAULT],
            outermost: None,
            depth: 0,
            hearing: Levels::NONE,
            writers: [
                writer(Levels::PATIENT),
                writer(Levels::STUDY),
                writer(Levels::SERIES),
                writer(Levels::INSTANCE),
            ],
            universal_issuer: String::new(),
            frames: None,
            photometric: String::new(),
            pixels: PixelKind::None,
        }
    }

    /// What was collected.
    pub fn finish(self) -> Header {
        let mut header = self.header;
        if header.patient_id.issuer.is_empty() {
            header.patient_id.issuer = self.universal_issuer;
        }
        header.pixels.frames = self.frames.unwrap_or(1);
        header.instance.frames =
            if self.pixels == PixelKind::None { 0 } else { header.pixels.frames };
        if header.pixels.samples == 0 {
            header.pixels.samples = 1;
        }
        let subsampled = matches!(self.photometric.as_str(), "YBR_FULL_422" | "YBR_PARTIAL_422");
        if subsampled && self.pixels == PixelKind::Native && header.pixels.samples == 3 {
            // Two luminance samples share one of each chrominance (PS3.3 §C.7.6.3.1.2).
            header.pixels.samples = 2;
        }
        for (level, writer) in self.writers {
            let text = writer.finish().ok().and_then(|bytes| String::from_utf8(bytes).ok());
            let text = text.unwrap_or_else(|| "{}".to_owned());
            match level {
                Levels::PATIENT => header.patient.attributes = text,
                Levels::STUDY => header.study.attributes = text,
                Levels::SERIES => header.series.attributes = text,
                _ => header.instance.attributes = text,
            }
        }
        header
    }

    fn charset(&self) -> Charset {
        self.charsets.last().copied().unwrap_or_default()
    }

    fn hear(&mut self, levels: Levels, mut tell: impl FnMut(&mut JsonWriter)) {
        for (level, writer) in &mut self.writers {
            if levels.hold(*level) {
                tell(writer);
            }
        }
    }

    fn set_charset(&mut self, element: &Element, bytes: &[u8]) {
        if let Some(charset) = self.charsets.last_mut() {
            *charset = Charset::parse(bytes);
        }
        let levels = if self.depth == 0 { Levels::ALL } else { self.hearing };
        self.hear(levels, |writer| writer.element(element, Value::Inline(bytes)));
    }

    fn keep_attribute(&mut self, element: &Element, bytes: &[u8]) {
        let levels = levels_of(element.tag);
        if levels == Levels::NONE {
            return;
        }
        let mut element = element.clone();
        if element.vr == VR::UN {
            element.vr = dictionary_vr(element.tag);
        }
        // A sequence sent as UN of known length was not taken apart.
        if element.vr != VR::SQ {
            self.hear(levels, |writer| writer.element(&element, Value::Inline(bytes)));
        }
    }

    fn top(&mut self, element: &Element, bytes: &[u8]) {
        let charset = self.charset();
        let header = &mut self.header;
        let text = || charset.values(bytes);
        match element.tag {
            tags::SOP_CLASS_UID => keep_uid(&mut header.sop_class, bytes),
            tags::SOP_INSTANCE_UID => keep_uid(&mut header.sop_instance, bytes),
            tags::STUDY_INSTANCE_UID => keep_uid(&mut header.study_uid, bytes),
            tags::SERIES_INSTANCE_UID => keep_uid(&mut header.series_uid, bytes),
            tags::PATIENT_ID => keep(&mut header.patient_id.value, || fact(&text())),
            tags::ISSUER_OF_PATIENT_ID => keep(&mut header.patient_id.issuer, || fact(&text())),
            tags::PATIENT_NAME => {
                keep(&mut header.patient.name, || name(&charset.names(bytes)));
            }
            tags::PATIENT_BIRTH_DATE => {
                keep(&mut header.patient.birth_date, || date(&fact(&text())));
            }
            tags::PATIENT_SEX => keep(&mut header.patient.sex, || fact(&text())),
            tags::STUDY_DATE => keep(&mut header.study.date, || date(&fact(&text()))),
            tags::STUDY_TIME => keep(&mut header.study.time, || time(&fact(&text()))),
            tags::ACCESSION_NUMBER => {
                keep(&mut header.study.accession_number, || fact(&text()));
            }
            tags::REFERRING_PHYSICIAN_NAME => {
                keep(&mut header.study.referring_physician, || name(&charset.names(bytes)));
            }
            tags::STUDY_ID => keep(&mut header.study.id, || fact(&text())),
            tags::STUDY_DESCRIPTION => keep(&mut header.study.description, || fact(&text())),
            _ => self.top_of_series(element, bytes),
        }
    }

    fn top_of_series(&mut self, element: &Element, bytes: &[u8]) {
        let charset = self.charset();
        let series = &mut self.header.series;
        let text = || charset.values(bytes);
        match element.tag {
            tags::MODALITY => keep(&mut series.modality, || fact(&text())),
            tags::SERIES_NUMBER => keep(&mut series.number, || number(&text())),
            tags::SERIES_DESCRIPTION => keep(&mut series.description, || fact(&text())),
            tags::BODY_PART_EXAMINED => keep(&mut series.body_part, || fact(&text())),
            tags::PERFORMED_PROCEDURE_STEP_START_DATE => {
                keep(&mut series.performed_date, || date(&fact(&text())));
            }
            tags::PERFORMED_PROCEDURE_STEP_START_TIME => {
                keep(&mut series.performed_time, || time(&fact(&text())));
            }
            tags::TIMEZONE_OFFSET_FROM_UTC => {
                keep(&mut self.header.instance.timezone, || fact(&text()));
            }
            tags::INSTANCE_NUMBER => {
                keep(&mut self.header.instance.number, || number(&text()));
            }
            _ => self.top_of_pixels(element, bytes),
        }
    }

    fn top_of_pixels(&mut self, element: &Element, bytes: &[u8]) {
        let count = || unsigned(element.vr, bytes, self.big_endian);
        let shape = &mut self.header.pixels;
        match element.tag {
            tags::SAMPLES_PER_PIXEL => keep_count(&mut shape.samples, count),
            tags::ROWS => keep_count(&mut shape.rows, count),
            tags::COLUMNS => keep_count(&mut shape.columns, count),
            tags::BITS_ALLOCATED => keep_count(&mut shape.bits_allocated, count),
            tags::NUMBER_OF_FRAMES => self.frames = self.frames.or_else(|| first_count(bytes)),
            tags::PHOTOMETRIC_INTERPRETATION => {
                keep(&mut self.photometric, || fact(&String::from_utf8_lossy(bytes)));
            }
            _ => {}
        }
    }

    /// An attribute inside a sequence.
    fn nested(&mut self, element: &Element, bytes: &[u8]) {
        let charset = self.charset();
        match (self.outermost, element.tag) {
            _ if self.depth != 1 => {}
            (
                Some((tags::ISSUER_OF_PATIENT_ID_QUALIFIERS_SEQUENCE, 1)),
                tags::UNIVERSAL_ENTITY_ID,
            ) => keep(&mut self.universal_issuer, || fact(&charset.text(bytes))),
            (Some((tags::REQUEST_ATTRIBUTES_SEQUENCE, item)), tag) => {
                let index = usize::try_from(item).ok().and_then(|item| item.checked_sub(1));
                let requests = &mut self.header.series.requests;
                let Some(request) = index.and_then(|index| requests.get_mut(index)) else {
                    return;
                };
                let text = || fact(&charset.values(bytes));
                match tag {
                    tags::SCHEDULED_PROCEDURE_STEP_ID => {
                        keep(&mut request.scheduled_step_id, text);
                    }
                    tags::REQUESTED_PROCEDURE_ID => keep(&mut request.procedure_id, text),
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn see_pixels(&mut self, tag: Tag, kind: PixelKind) {
        if self.depth == 0 && is_pixel_data(tag) && self.pixels == PixelKind::None {
            self.pixels = kind;
        }
    }
}

impl Visit for HeaderCollector {
    fn element(&mut self, element: &Element, value: Value<'_>) {
        self.see_pixels(element.tag, PixelKind::Native);
        let Value::Inline(bytes) = value else { return };
        if element.tag == tags::SPECIFIC_CHARACTER_SET {
            self.set_charset(element, bytes);
        } else if self.depth > 0 {
            self.nested(element, bytes);
            self.hear(self.hearing, |writer| writer.element(element, Value::Inline(bytes)));
        } else {
            self.top(element, bytes);
            self.keep_attribute(element, bytes);
        }
    }

    fn begin_sequence(&mut self, element: &Element) {
        if self.depth == 0 {
            self.outermost = Some((element.tag, 0));
            self.hearing = levels_of(element.tag);
        }
        self.depth = self.depth.saturating_add(1);
        self.hear(self.hearing, |writer| writer.begin_sequence(element));
    }

    fn begin_item(&mut self) {
        self.charsets.push(self.charset());
        if let (1, Some((tag, item))) = (self.depth, &mut self.outermost) {
            *item = item.saturating_add(1);
            let requests = &mut self.header.series.requests;
            if *tag == tags::REQUEST_ATTRIBUTES_SEQUENCE && requests.len() < Header::MAX_REQUESTS {
                requests.push(HeaderRequest::default());
            }
        }
        self.hear(self.hearing, Visit::begin_item);
    }

    fn end_item(&mut self) {
        if self.charsets.len() > 1 {
            self.charsets.pop();
        }
        self.hear(self.hearing, Visit::end_item);
    }

    fn end_sequence(&mut self) {
        self.hear(self.hearing, Visit::end_sequence);
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 0 {
            self.outermost = None;
            self.hearing = Levels::NONE;
        }
    }

    fn begin_fragments(&mut self, element: &Element) {
        self.see_pixels(element.tag, PixelKind::Encapsulated);
    }

    fn offset_table(&mut self, _: &[u8]) {}

    fn fragment(&mut self, _: u64, _: Range<u64>, _: &[u8]) {}

    fn end_fragments(&mut self, _: u64) {}
}

/// Pixel Data, Float Pixel Data or Double Float Pixel Data.
fn is_pixel_data(tag: Tag) -> bool {
    matches!(tag, PIXEL_DATA | tags::FLOAT_PIXEL_DATA | tags::DOUBLE_FLOAT_PIXEL_DATA)
}

fn dictionary_vr(tag: Tag) -> VR {
    StandardDataDictionary.by_tag(tag).map_or(VR::UN, |entry| entry.vr().relaxed())
}

/// Sets `place` unless an earlier attribute did.
fn keep(place: &mut String, value: impl FnOnce() -> String) {
    if place.is_empty() {
        *place = value();
    }
}

fn keep_uid(place: &mut Option<Uid>, bytes: &[u8]) {
    if place.is_none() {
        *place = uid(bytes);
    }
}

fn keep_count(place: &mut u16, value: impl FnOnce() -> Option<u16>) {
    if *place == 0 {
        *place = value().unwrap_or(0);
    }
}

/// Pixel Data (7FE0,0010).
pub const PIXEL_DATA: Tag = tags::PIXEL_DATA;

#[cfg(test)]
mod tests;
