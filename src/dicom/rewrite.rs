//! A data set in Explicit VR Little Endian, made from a stored one: what is changed is written, the
//! rest is copied.
//!
//! A [`Rewriter`] listens to a header scan and says of what [`Segment`]s the new data set is made.
//! Of a source that is in Explicit VR Little Endian already (deflated or not) every byte that need
//! not change is copied as it is; of any other, every element is written anew and sequences get
//! undefined lengths. Memory: the values the scan keeps.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;

use dicom_core::{Tag, VR};

use crate::dicom::scan::header::has_long_length;
use crate::dicom::scan::vr::{number_bytes, turn};
use crate::dicom::scan::{Element, Value, Visit};
use crate::dicom::syntax::Encoding;

/// The header of an item or sequence that ends with a delimiter, and the two delimiters.
const ITEM: [u8; 8] = [0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF];
const ITEM_END: [u8; 8] = [0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0];
/// Sequence Delimitation Item (PS3.5 §7.5), which also ends encapsulated pixel data.
pub const SEQUENCE_END: [u8; 8] = [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];

/// A part of the new data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Bytes of the (inflated) source data set, in words of so many bytes to be turned; 1: as they
    /// are.
    Source {
        /// Which.
        range: Range<u64>,
        /// Bytes of a word.
        word: usize,
    },
    /// The new value of the pixel data.
    Pixels,
}

/// What becomes of an element at the top of the data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is left out.
    Remove,
    /// It has this value, whether it was there or not.
    Set(VR, Vec<u8>),
    /// It gets this value if it is not there.
    Default(VR, Vec<u8>),
}

/// What becomes of the pixel data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PixelChange {
    /// Its value is kept, words of so many bytes turned; 1: as it is.
    Kept {
        /// Bytes of a word.
        word: usize,
    },
    /// It gets a new value.
    New {
        /// Its VR.
        vr: VR,
        /// Its length; `None`: undefined, encapsulated.
        bytes: Option<u32>,
    },
}

/// What becomes of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// Of elements at its top, by tag.
    pub elements: BTreeMap<Tag, Change>,
    /// Of the pixel data with this tag, if any.
    pub pixels: Option<(Tag, PixelChange)>,
}

/// See the module.
#[derive(Debug)]
pub struct Rewriter {
    changes: Changes,
    big: bool,
    /// Source bytes are copied; from here on they have not been yet.
    copying: Option<u64>,
    /// What is read is left out: until the next element at the top.
    leaving_out: bool,
    /// A copied source that turns out to be in implicit VR.
    implicit: bool,
    written: Vec<u8>,
    segments: Vec<Segment>,
}

/// The data set is in implicit VR though its transfer syntax says otherwise: read it as such.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the data set is in implicit VR")]
pub struct ImplicitAfterAll;

impl Rewriter {
    /// A rewriter of a data set of that encoding. `anew`: write every element, whatever the encoding.
    pub fn new(encoding: Encoding, changes: Changes, anew: bool) -> Self {
        let explicit =
            matches!(encoding, Encoding::ExplicitLittle | Encoding::DeflatedExplicitLittle);
        Self {
            changes,
            big: encoding == Encoding::ExplicitBig,
            copying: (explicit && !anew).then_some(0),
            leaving_out: false,
            implicit: false,
            written: Vec::new(),
            segments: Vec::new(),
        }
    }

    /// The new data set, once the scan has come to the end of the old one, `end`.
    pub fn finish(mut self, end: u64) -> Result<Vec<Segment>, ImplicitAfterAll> {
        if self.implicit {
            return Err(ImplicitAfterAll);
        }
        if self.leaving_out {
            self.copying = self.copying.map(|_| end);
        }
        self.insert_before(None, end);
        self.copy_to(end);
        self.settle();
        Ok(self.segments)
    }

    /// Comes to an element at the top; whether it is to be dealt with as any other.
    fn come_to(&mut self, element: &Element) -> bool {
        if element.depth > 0 {
            return !self.leaving_out;
        }
        let header = element.value.start.saturating_sub(element.start);
        self.implicit |= self.copying.is_some() && has_long_length(element.vr) && header == 8;
        if self.leaving_out {
            self.leaving_out = false;
            self.copying = self.copying.map(|_| element.start);
        }
        self.insert_before(Some(element.tag), element.start);
        match self.changes.elements.remove(&element.tag) {
            Some(Change::Set(vr, value)) => {
                self.copy_to(element.start);
                write_element(&mut self.written, element.tag, vr, &value);
                self.leaving_out = true;
            }
            Some(Change::Remove) => {
                self.copy_to(element.start);
                self.leaving_out = true;
            }
            Some(Change::Default(..)) | None => {}
        }
        !self.leaving_out
    }

    /// Writes the elements that are new before tag `before`, which begins at `place`.
    fn insert_before(&mut self, before: Option<Tag>, place: u64) {
        while let Some(first) = self.changes.elements.first_entry() {
            if before.is_some_and(|before| *first.key() >= before) {
                return;
            }
            let (tag, change) = first.remove_entry();
            if let Change::Set(vr, value) | Change::Default(vr, value) = change {
                self.copy_to(place);
                write_element(&mut self.written, tag, vr, &value);
            }
        }
    }

    /// Copies what has not been copied before `place`.
    fn copy_to(&mut self, place: u64) {
        let Some(from) = self.copying else { return };
        if from < place {
            self.settle();
            self.segments.push(Segment::Source { range: from..place, word: 1 });
        }
        self.copying = Some(place.max(from));
    }

    /// Makes a segment of what was written.
    fn settle(&mut self) {
        if !self.written.is_empty() {
            self.segments.push(Segment::Bytes(std::mem::take(&mut self.written)));
        }
    }

    /// The pixel data's change, when this is the pixel data.
    fn pixel_change(&mut self, element: &Element) -> Option<PixelChange> {
        let (tag, _) = self.changes.pixels.as_ref()?;
        if element.depth > 0 || *tag != element.tag {
            return None;
        }
        self.changes.pixels.take().map(|(_, change)| change)
    }

    fn new_pixels(&mut self, element: &Element, vr: VR, bytes: Option<u32>) {
        self.copy_to(element.start);
        write_header(&mut self.written, element.tag, vr, bytes);
        self.settle();
        self.segments.push(Segment::Pixels);
        self.leaving_out = true;
    }

    /// Writes an element whose value is elsewhere.
    fn write_bulk(&mut self, element: &Element, word: usize) {
        let bytes = element.value.end.saturating_sub(element.value.start);
        let odd = bytes % 2 == 1;
        let length = bytes.saturating_add(u64::from(odd));
        let vr = vr_for(element.vr, length);
        write_header(&mut self.written, element.tag, vr, u32::try_from(length).ok());
        self.settle();
        self.segments.push(Segment::Source { range: element.value.clone(), word });
        if odd {
            self.written.push(0);
        }
    }
}

impl Visit for Rewriter {
    fn element(&mut self, element: &Element, value: Value<'_>) {
        if !self.come_to(element) {
            return;
        }
        let change = self.pixel_change(element);
        if let Some(PixelChange::New { vr, bytes }) = change {
            return self.new_pixels(element, vr, bytes);
        }
        if self.copying.is_some() || element.tag.1 == 0 || element.tag == LENGTH_TO_END {
            return; // copied later; lengths of what is written anew would be wrong
        }
        let turned = if self.big { number_bytes(element.vr) } else { 1 };
        match (value, change) {
            (Value::Bulk, Some(PixelChange::Kept { word })) => self.write_bulk(element, word),
            (Value::Bulk, _) => self.write_bulk(element, turned),
            (Value::Inline(bytes), _) => {
                let mut bytes = bytes.to_vec();
                if self.big {
                    turn(element.vr, &mut bytes);
                }
                write_element(&mut self.written, element.tag, element.vr, &bytes);
            }
        }
    }

    fn begin_sequence(&mut self, element: &Element) {
        if self.come_to(element) && self.copying.is_none() {
            write_header(&mut self.written, element.tag, VR::SQ, None);
        }
    }

    fn begin_item(&mut self) {
        if !self.leaving_out && self.copying.is_none() {
            self.written.extend(ITEM);
        }
    }

    fn end_item(&mut self) {
        if !self.leaving_out && self.copying.is_none() {
            self.written.extend(ITEM_END);
        }
    }

    fn end_sequence(&mut self) {
        if !self.leaving_out && self.copying.is_none() {
            self.written.extend(SEQUENCE_END);
        }
    }

    // A header scan tells of encapsulated values as bulk elements.
    fn begin_fragments(&mut self, _: &Element) {}
    fn offset_table(&mut self, _: &[u8]) {}
    fn fragment(&mut self, _: u64, _: Range<u64>, _: &[u8]) {}
    fn end_fragments(&mut self, _: u64) {}
}

/// Length to End (0008,0001), retired.
const LENGTH_TO_END: Tag = Tag(0x0008, 0x0001);

/// Writes an element, padded to even length.
pub fn write_element(out: &mut Vec<u8>, tag: Tag, vr: VR, value: &[u8]) {
    let odd = value.len() % 2 == 1;
    let length = (value.len() as u64).saturating_add(u64::from(odd));
    let vr = vr_for(vr, length);
    write_header(out, tag, vr, u32::try_from(length).ok());
    out.extend_from_slice(value);
    if odd {
        let binary = matches!(vr, VR::OB | VR::UN | VR::UI);
        out.push(if binary { 0 } else { b' ' });
    }
}

/// UN for a value too long for its VR's length field (PS3.5 §6.2.2).
fn vr_for(vr: VR, length: u64) -> VR {
    if has_long_length(vr) || length <= 0xFFFE { vr } else { VR::UN }
}

/// Writes an element's header; without a length it is undefined.
pub fn write_header(out: &mut Vec<u8>, tag: Tag, vr: VR, length: Option<u32>) {
    out.extend(tag.0.to_le_bytes());
    out.extend(tag.1.to_le_bytes());
    out.extend(vr.to_bytes());
    let length = length.unwrap_or(u32::MAX);
    if has_long_length(vr) {
        out.extend([0, 0]);
        out.extend(length.to_le_bytes());
    } else {
        out.extend(u16::try_from(length).unwrap_or(u16::MAX).to_le_bytes());
    }
}
