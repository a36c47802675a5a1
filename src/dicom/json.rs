//! DICOM JSON, written (PS3.18 Annex F).
//!
//! [`JsonWriter`] hears a scan and appends one object's text to a buffer as it goes: no tree is
//! built. Text comes out as UTF-8 whatever the object's character sets are, so (0008,0005) says
//! `ISO_IR 192` wherever the object had a value there. How values are written: `json_value`.
//!
//! What a data set may not have but real ones do: attributes out of order are sorted, of an
//! attribute that comes twice the first is kept, and a scan that breaks off still leaves valid JSON.

use std::ops::Range;

use dicom_core::{Tag, VR};

use crate::dicom::charset::Charset;
use crate::dicom::json_value::Reading;
use crate::dicom::json_value::push_hex;
use crate::dicom::json_value::write_escaped;
use crate::dicom::json_value::write_value;
use crate::dicom::scan::{Element, Value, Visit};
use crate::dicom::syntax::Encoding;

/// Writes one object as DICOM JSON.
#[derive(Debug)]
pub struct JsonWriter {
    out: Vec<u8>,
    /// Where this object begins in `out`.
    start: usize,
    bulk: Bulk,
    limits: JsonLimits,
    /// Nothing more is written to the current attribute once `out` is longer.
    cap: usize,
    /// The object and the open items, outermost first.
    levels: Vec<Level>,
    /// The open sequences, outermost first; as many as levels between items, else one fewer.
    sequences: Vec<Sequence>,
    /// Attributes written in all open levels: tag, and where its text begins.
    segments: Vec<(Tag, usize)>,
    /// Open sequences that are left out.
    muted: u32,
    overflown: bool,
}

/// The object became longer than the writer may make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the object as DICOM JSON is longer than {0} bytes")]
pub struct JsonTooLong(pub usize);

/// One data set: the object or an item.
#[derive(Debug)]
struct Level {
    first_segment: usize,
    in_order: bool,
    reading: Reading,
}

#[derive(Debug)]
struct Sequence {
    tag: Tag,
    items: u32,
    big_endian: bool,
}

/// What becomes of bulk values.
#[derive(Debug)]
enum Bulk {
    /// A BulkDataURI that begins so, escaped for JSON.
    Linked(Vec<u8>),
    /// Their attributes are left out, and so is (0008,0005).
    LeftOut,
}

#[derive(Debug, Clone, Copy)]
struct JsonLimits {
    object: usize,
    /// Longer attributes at the top level are left out whole.
    attribute: usize,
}

impl JsonWriter {
    /// The most bytes one object may become: hostile input could otherwise ask for gigabytes.
    pub const MAX_BYTES: usize = 256 * 1024 * 1024;
    /// The most bytes one attribute of [`JsonWriter::attributes`] may have.
    pub const MAX_ATTRIBUTE_BYTES: usize = 16 * 1024;

    /// A writer for a data set of that encoding. A bulk value becomes a BulkDataURI: `bulk_base`
    /// (`…/instances/1.2.3/bulkdata/`) and the path of [`crate::dicom::layout::BulkValue::path`].
    pub fn new(encoding: Encoding, bulk_base: &str) -> Self {
        Self::appending(Vec::new(), encoding, bulk_base)
    }

    /// As [`JsonWriter::new`], written behind what `out` holds already.
    pub fn appending(out: Vec<u8>, encoding: Encoding, bulk_base: &str) -> Self {
        let mut base = Vec::with_capacity(bulk_base.len());
        write_escaped(&mut base, bulk_base);
        let limits = JsonLimits { object: Self::MAX_BYTES, attribute: Self::MAX_BYTES };
        Self::begin(out, encoding, Bulk::Linked(base), limits)
    }

    /// A writer for a few attributes the index keeps: no bulk values, no (0008,0005), no attribute
    /// longer than [`JsonWriter::MAX_ATTRIBUTE_BYTES`].
    pub fn attributes(encoding: Encoding) -> Self {
        let limits = JsonLimits { object: Self::MAX_BYTES, attribute: Self::MAX_ATTRIBUTE_BYTES };
        Self::begin(Vec::new(), encoding, Bulk::LeftOut, limits)
    }

    fn begin(mut out: Vec<u8>, encoding: Encoding, bulk: Bulk, limits: JsonLimits) -> Self {
        let start = out.len();
        out.push(b'{');
        let big_endian = encoding == Encoding::ExplicitBig;
        let reading = Reading { charset: Charset::DEFAULT, big_endian };
        Self {
            out,
            start,
            bulk,
            limits,
            cap: usize::MAX,
            levels: vec![Level { first_segment: 0, in_order: true, reading }],
            sequences: Vec::new(),
            segments: Vec::new(),
            muted: 0,
            overflown: false,
        }
    }

    /// The buffer with the object at its end; what a broken scan left open is closed.
    pub fn finish(mut self) -> Result<Vec<u8>, JsonTooLong> {
        self.muted = 0;
        while !self.sequences.is_empty() {
            self.end_sequence();
        }
        self.close_level();
        if self.overflown { Err(JsonTooLong(self.limits.object)) } else { Ok(self.out) }
    }

    /// Whether an attribute may come: inside the object or an item, not between items.
    fn in_data_set(&self) -> bool {
        self.muted == 0 && self.levels.len() > self.sequences.len()
    }

    /// Begins `"GGGGEEEE":{"vr":"XX"`; false when the attribute is left out.
    fn begin_attribute(&mut self, tag: Tag, vr: VR) -> bool {
        let length = self.out.len();
        if self.sequences.is_empty() {
            self.overflown |= length.saturating_sub(self.start) > self.limits.object;
            self.cap = self
                .start
                .saturating_add(self.limits.object)
                .min(length.saturating_add(self.limits.attribute));
        }
        if length > self.cap {
            // Nothing can make the attribute whole again: it goes when it ends.
            self.cap = 0;
        }
        if self.overflown || self.cap == 0 || tag.element() == 0 || tag.group() == META {
            return false;
        }
        let Some(level) = self.levels.last_mut() else { return false };
        let earlier = self.segments.get(level.first_segment..).and_then(<[_]>::last);
        if let Some((last, _)) = earlier {
            level.in_order &= *last < tag;
            self.out.push(b',');
        }
        self.segments.push((tag, self.out.len()));
        self.out.push(b'"');
        push_tag(&mut self.out, tag);
        self.out.extend_from_slice(b"\":{\"vr\":\"");
        self.out.extend_from_slice(vr.to_string().as_bytes());
        self.out.push(b'"');
        true
    }

    /// Ends an attribute; one at the top level that became too long goes.
    fn end_attribute(&mut self) {
        self.out.push(b'}');
        if self.sequences.is_empty() && self.out.len() > self.cap {
            self.overflown |= self.limits.attribute >= self.limits.object;
            if let Some((_, start)) = self.segments.pop() {
                // With the comma before it, unless it is the first.
                let comma = usize::from(!self.segments.is_empty());
                self.out.truncate(start.saturating_sub(comma));
            }
        }
    }

    fn write_bulk(&mut self, element: &Element) {
        if !self.in_data_set() || matches!(self.bulk, Bulk::LeftOut) {
            return;
        }
        if !self.begin_attribute(element.tag, element.vr) {
            return;
        }
        if let Bulk::Linked(base) = &self.bulk {
            self.out.extend_from_slice(b",\"BulkDataURI\":\"");
            self.out.extend_from_slice(base);
        }
        for sequence in &self.sequences {
            push_tag(&mut self.out, sequence.tag);
            self.out.extend_from_slice(format!("/{}/", sequence.items).as_bytes());
        }
        push_tag(&mut self.out, element.tag);
        self.out.push(b'"');
        self.end_attribute();
    }

    /// (0008,0005): what follows is read by it; what is written is UTF-8.
    fn charset(&mut self, element: &Element, bytes: &[u8]) {
        if let Some(level) = self.levels.last_mut() {
            level.reading.charset = Charset::parse(bytes);
        }
        if matches!(self.bulk, Bulk::LeftOut) || !self.begin_attribute(element.tag, VR::CS) {
            return;
        }
        if bytes.iter().any(|byte| !matches!(byte, b' ' | 0)) {
            self.out.extend_from_slice(b",\"Value\":[\"ISO_IR 192\"]");
        }
        self.end_attribute();
    }

    /// Ends the innermost data set, putting its attributes in order first.
    fn close_level(&mut self) {
        if let Some(level) = self.levels.pop() {
            if !level.in_order {
                self.sort_from(level.first_segment);
            }
            self.segments.truncate(level.first_segment);
        }
        self.out.push(b'}');
    }

    fn sort_from(&mut self, first_segment: usize) {
        let segments = self.segments.get(first_segment..).unwrap_or_default();
        let Some((_, start)) = segments.first() else { return };
        let (start, end) = (*start, self.out.len());
        let next = segments.iter().skip(1).map(|(_, start)| start.saturating_sub(1));
        let mut pieces: Vec<(Tag, Range<usize>)> = segments
            .iter()
            .zip(next.chain([end]))
            .map(|((tag, at), end)| (*tag, *at..end))
            .collect();
        pieces.sort_by_key(|(tag, _)| *tag);
        pieces.dedup_by_key(|(tag, _)| *tag);
        let mut sorted = Vec::with_capacity(end.saturating_sub(start));
        for (_, piece) in pieces {
            if !sorted.is_empty() {
                sorted.push(b',');
            }
            sorted.extend_from_slice(self.out.get(piece).unwrap_or_default());
        }
        self.out.truncate(start);
        self.out.extend_from_slice(&sorted);
    }
}

impl Visit for JsonWriter {
    fn element(&mut self, element: &Element, value: Value<'_>) {
        if !self.in_data_set() {
            return;
        }
        let bytes = match value {
            Value::Bulk => return self.write_bulk(element),
            Value::Inline(bytes) => bytes,
        };
        if element.tag == SPECIFIC_CHARACTER_SET {
            return self.charset(element, bytes);
        }
        let Some(reading) = self.levels.last().map(|level| level.reading) else { return };
        if self.begin_attribute(element.tag, element.vr) {
            write_value(&mut self.out, element.vr, bytes, reading);
            self.end_attribute();
        }
    }

    fn begin_sequence(&mut self, element: &Element) {
        if !self.in_data_set() || !self.begin_attribute(element.tag, VR::SQ) {
            self.muted = self.muted.saturating_add(1);
            return;
        }
        // A sequence under UN is Implicit VR Little Endian inside (PS3.5 §6.2.2).
        let outer = self.levels.last().is_some_and(|level| level.reading.big_endian);
        let big_endian = outer && element.vr != VR::UN;
        self.sequences.push(Sequence { tag: element.tag, items: 0, big_endian });
    }

    fn begin_item(&mut self) {
        if self.muted > 0 || self.levels.len() != self.sequences.len() {
            return;
        }
        let (Some(sequence), Some(around)) = (self.sequences.last_mut(), self.levels.last()) else {
            return;
        };
        let open: &[u8] = if sequence.items == 0 { b",\"Value\":[{" } else { b",{" };
        self.out.extend_from_slice(open);
        sequence.items = sequence.items.saturating_add(1);
        let reading = Reading { big_endian: sequence.big_endian, ..around.reading };
        let first_segment = self.segments.len();
        self.levels.push(Level { first_segment, in_order: true, reading });
    }

    fn end_item(&mut self) {
        let in_item = self.levels.len() > self.sequences.len();
        if self.muted == 0 && in_item && !self.sequences.is_empty() {
            self.close_level();
        }
    }

    fn end_sequence(&mut self) {
        if self.muted > 0 {
            self.muted = self.muted.saturating_sub(1);
            return;
        }
        self.end_item();
        if let Some(sequence) = self.sequences.pop() {
            if sequence.items > 0 {
                self.out.push(b']');
            }
            self.end_attribute();
        }
    }

    fn begin_fragments(&mut self, element: &Element) {
        self.write_bulk(element);
    }

    fn offset_table(&mut self, _: &[u8]) {}

    fn fragment(&mut self, _: u64, _: Range<u64>, _: &[u8]) {}

    fn end_fragments(&mut self, _: u64) {}
}

fn push_tag(out: &mut Vec<u8>, tag: Tag) {
    for half in [tag.group(), tag.element()] {
        for byte in half.to_be_bytes() {
            push_hex(out, byte);
        }
    }
}

const SPECIFIC_CHARACTER_SET: Tag = Tag(0x0008, 0x0005);
/// File Meta Information is no part of the data set (PS3.10 §7.1).
const META: u16 = 0x0002;

#[cfg(test)]
mod tests;
