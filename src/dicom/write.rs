//! A data set written in Explicit VR Little Endian (PS3.5 §A.2), from what a [`Native`] hears.
//!
//! Tags come out sorted, of a tag that comes twice the first is kept, values are padded to an even
//! length, text is UTF-8 and (0008,0005) says so. Sequences and items have undefined lengths, so
//! that nothing written before has to be touched again. A value that lies elsewhere leaves a
//! [`Hole`]; its header is written when its length is known.

use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;
use dicom_core::{Tag, VR};

use crate::dicom::native::{Native, is_data};
use crate::dicom::write_value::{is_text, number_bytes, of_charset, padding, push_value};

/// A value that lies elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hole {
    /// Behind the bytes that stand for it in its top level element.
    at: usize,
    /// Tag.
    pub tag: Tag,
    /// Value representation.
    pub vr: VR,
    /// The `BulkDataURI` as written.
    pub uri: String,
    /// Sequences around it: 0 at the top level.
    pub depth: usize,
}

/// An attribute that was left out, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discarded {
    /// The attribute at the top level it is, or is in.
    pub top: Tag,
    /// The attribute.
    pub tag: Tag,
    /// What is wrong with it.
    pub reason: String,
}

impl std::fmt::Display for Discarded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.tag, self.reason)
    }
}

/// A stretch of a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Bytes.
    Bytes(Bytes),
    /// An element, header and value, that lies elsewhere.
    Hole(Hole),
}

/// One element at the top level, header included.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Encoded {
    bytes: Bytes,
    /// The holes in it, first to last.
    holes: Vec<Hole>,
}

/// A data set, not yet joined: attributes can still be added.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DataSet {
    elements: BTreeMap<Tag, Encoded>,
    /// What was left out.
    pub discarded: Vec<Discarded>,
}

/// A value is longer than an element can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is longer than 4 GiB")]
pub struct TooLong(pub Tag);

/// Writes one data set.
#[derive(Debug)]
pub struct DataSetWriter {
    out: Vec<u8>,
    holes: Vec<Hole>,
    /// The object and the open items, outermost first.
    levels: Vec<Level>,
    /// The open sequences: tag, where the length stands, items so far.
    sequences: Vec<(Tag, usize, u32)>,
    /// Elements written in all open levels: tag, where it begins.
    segments: Vec<(Tag, usize)>,
    discarded: Vec<Discarded>,
    now: Option<Now>,
    has_text: bool,
}

#[derive(Debug, Clone, Copy)]
struct Level {
    first_segment: usize,
    in_order: bool,
}

/// The open attribute.
#[derive(Debug)]
struct Now {
    tag: Tag,
    vr: VR,
    values: usize,
    bytes: Vec<u8>,
    uri: Option<String>,
    unusable: Option<String>,
}

impl Default for DataSetWriter {
    fn default() -> Self {
        Self {
            out: Vec::new(),
            holes: Vec::new(),
            levels: vec![Level { first_segment: 0, in_order: true }],
            sequences: Vec::new(),
            segments: Vec::new(),
            discarded: Vec::new(),
            now: None,
            has_text: false,
        }
    }
}

impl DataSetWriter {
    /// The data set; what the document left open is closed.
    pub fn finish(mut self) -> DataSet {
        while !self.sequences.is_empty() {
            self.end_item();
            self.end_sequence();
        }
        let mut holes = self.holes.into_iter().peekable();
        let all = Bytes::from(self.out);
        let ends = self.segments.iter().skip(1).map(|(_, start)| *start).chain([all.len()]);
        let mut elements = BTreeMap::new();
        for ((tag, start), end) in self.segments.iter().zip(ends) {
            let mut own = Vec::new();
            while let Some(mut hole) = holes.next_if(|hole| hole.at <= end) {
                hole.at = hole.at.saturating_sub(*start);
                own.push(hole);
            }
            let bytes = all.slice(*start..end);
            elements.entry(*tag).or_insert(Encoded { bytes, holes: own });
        }
        let mut data_set = DataSet { elements, discarded: self.discarded };
        if self.has_text || data_set.value(SPECIFIC_CHARACTER_SET).is_some_and(|v| !v.is_empty()) {
            data_set.put(SPECIFIC_CHARACTER_SET, VR::CS, b"ISO_IR 192");
        }
        data_set
    }

    fn note_segment(&mut self, tag: Tag) {
        if let Some(level) = self.levels.last_mut() {
            let earlier = self.segments.get(level.first_segment..).and_then(<[_]>::last);
            level.in_order &= earlier.is_none_or(|(last, _)| *last < tag);
        }
        self.segments.push((tag, self.out.len()));
    }

    fn discard(&mut self, tag: Tag, reason: String) {
        if self.discarded.len() < MAX_DISCARDED {
            let top = self.sequences.first().map_or(tag, |(tag, ..)| *tag);
            self.discarded.push(Discarded { top, tag, reason });
        }
    }

    /// Puts the elements from `first` on in order, their holes with them.
    fn sort_from(&mut self, first: usize) {
        let segments = self.segments.get(first..).unwrap_or_default();
        let Some((_, start)) = segments.first().copied() else { return };
        let ends = segments.iter().skip(1).map(|(_, at)| *at).chain([self.out.len()]);
        let mut pieces: Vec<(Tag, Range<usize>)> =
            segments.iter().zip(ends).map(|((tag, at), end)| (*tag, *at..end)).collect();
        pieces.sort_by_key(|(tag, _)| *tag);
        pieces.dedup_by_key(|(tag, _)| *tag);
        let first_hole = self.holes.partition_point(|hole| hole.at <= start);
        let old: Vec<Hole> = self.holes.split_off(first_hole);
        let mut sorted = Vec::with_capacity(self.out.len().saturating_sub(start));
        for (_, piece) in pieces {
            let from = old.partition_point(|hole| hole.at <= piece.start);
            let to = old.partition_point(|hole| hole.at <= piece.end);
            let new_start = start.saturating_add(sorted.len());
            for hole in old.get(from..to).unwrap_or_default() {
                let at = new_start.saturating_add(hole.at.saturating_sub(piece.start));
                self.holes.push(Hole { at, ..hole.clone() });
            }
            sorted.extend_from_slice(self.out.get(piece).unwrap_or_default());
        }
        self.out.truncate(start);
        self.out.extend_from_slice(&sorted);
    }

    fn close_level(&mut self) {
        if let Some(level) = self.levels.pop() {
            if !level.in_order {
                self.sort_from(level.first_segment);
            }
            self.segments.truncate(level.first_segment);
        }
    }
}

impl Native for DataSetWriter {
    fn begin(&mut self, tag: Tag, vr: VR) {
        let bytes = Vec::new();
        self.now = Some(Now { tag, vr, values: 0, bytes, uri: None, unusable: None });
    }

    fn value(&mut self, text: Option<&str>) {
        let Some(now) = &mut self.now else { return };
        let pushed = push_value(&mut now.bytes, now.vr, now.values, text);
        now.values = now.values.saturating_add(1);
        if let Err(reason) = pushed {
            now.unusable.get_or_insert_with(|| reason.to_owned());
        }
    }

    fn binary(&mut self, bytes: &[u8]) {
        if let Some(now) = &mut self.now {
            now.bytes = bytes.to_vec();
        }
    }

    fn bulk(&mut self, uri: &str) {
        if let Some(now) = &mut self.now {
            now.uri = Some(uri.to_owned());
        }
    }

    fn unusable(&mut self, reason: &str) {
        if let Some(now) = &mut self.now {
            now.unusable.get_or_insert_with(|| reason.to_owned());
        }
    }

    fn end(&mut self) {
        let Some(mut now) = self.now.take() else { return };
        if !is_data(now.tag) {
            return;
        }
        if now.uri.is_none() && !is_text(now.vr) && now.bytes.len() % number_bytes(now.vr) != 0 {
            now.unusable.get_or_insert_with(|| "is cut inside a number".to_owned());
        }
        if let Some(reason) = now.unusable {
            return self.discard(now.tag, reason);
        }
        self.has_text |= of_charset(now.vr) && !now.bytes.is_ascii();
        if let Some(uri) = now.uri {
            self.note_segment(now.tag);
            self.out.extend_from_slice(&MARK);
            let (at, depth) = (self.out.len(), self.sequences.len());
            self.holes.push(Hole { at, tag: now.tag, vr: now.vr, uri, depth });
            return;
        }
        let charset = now.tag == SPECIFIC_CHARACTER_SET && !now.bytes.is_empty();
        let value = if charset { b"ISO_IR 192".to_vec() } else { now.bytes };
        self.note_segment(now.tag);
        if push_element(&mut self.out, now.tag, now.vr, &value).is_err() {
            self.segments.pop();
            self.discard(now.tag, "is too long".to_owned());
        }
    }

    fn begin_sequence(&mut self, tag: Tag) {
        self.note_segment(tag);
        push_tag(&mut self.out, tag);
        self.out.extend_from_slice(b"SQ\0\0");
        self.sequences.push((tag, self.out.len(), 0));
        self.out.extend_from_slice(&u32::MAX.to_le_bytes());
    }

    fn begin_item(&mut self) {
        let Some((_, _, items)) = self.sequences.last_mut() else { return };
        *items = items.saturating_add(1);
        push_tag(&mut self.out, ITEM);
        self.out.extend_from_slice(&u32::MAX.to_le_bytes());
        let first_segment = self.segments.len();
        self.levels.push(Level { first_segment, in_order: true });
    }

    fn end_item(&mut self) {
        if self.levels.len() > self.sequences.len() && !self.sequences.is_empty() {
            self.close_level();
            push_tag(&mut self.out, ITEM_END);
            self.out.extend_from_slice(&[0; 4]);
        }
    }

    fn end_sequence(&mut self) {
        let Some((tag, length, items)) = self.sequences.pop() else { return };
        if items == 0 {
            self.out.truncate(length);
            self.out.extend_from_slice(&[0; 4]);
        } else {
            push_tag(&mut self.out, SEQUENCE_END);
            self.out.extend_from_slice(&[0; 4]);
        }
        // A sequence that cannot be in a data set goes again; Pixel Data of undefined length would
        // be read as fragments.
        if (!is_data(tag) || tag == PIXEL_DATA)
            && let Some((_, start)) = self.segments.pop()
        {
            self.out.truncate(start);
            self.holes.retain(|hole| hole.at <= start);
            if tag == PIXEL_DATA {
                self.discard(tag, "is no sequence".to_owned());
            }
        }
    }
}

impl DataSet {
    /// The value field of a top level element that is no sequence and lies here; with padding.
    pub fn value(&self, tag: Tag) -> Option<&[u8]> {
        let element = self.elements.get(&tag).filter(|element| element.holes.is_empty())?;
        let letters: [u8; 2] = *element.bytes.get(4..)?.first_chunk()?;
        let vr = VR::from_binary(letters).filter(|vr| *vr != VR::SQ)?;
        element.bytes.get(if is_long(vr) { 12 } else { 8 }..)
    }

    /// A value as text, less its padding; `None` when it is absent or empty.
    pub fn text(&self, tag: Tag) -> Option<&str> {
        let text = str::from_utf8(self.value(tag)?).ok()?;
        let text = text.trim_matches([' ', '\0']);
        (!text.is_empty()).then_some(text)
    }

    /// A value that is one unsigned short.
    pub fn short(&self, tag: Tag) -> Option<u16> {
        self.value(tag)?.try_into().ok().map(u16::from_le_bytes)
    }

    /// Whether the element is there, empty or not.
    pub fn contains(&self, tag: Tag) -> bool {
        self.elements.contains_key(&tag)
    }

    /// Sets an element; a value too long for one is left out.
    pub fn put(&mut self, tag: Tag, vr: VR, value: &[u8]) {
        let mut out = Vec::with_capacity(value.len().saturating_add(14));
        if push_element(&mut out, tag, vr, value).is_ok() {
            self.elements.insert(tag, Encoded { bytes: out.into(), holes: Vec::new() });
        }
    }

    /// Sets an element unless it has a value already.
    pub fn put_missing(&mut self, tag: Tag, vr: VR, value: &[u8]) {
        if self.text_or_bytes(tag).is_none() {
            self.put(tag, vr, value);
        }
    }

    fn text_or_bytes(&self, tag: Tag) -> Option<()> {
        let element = self.elements.get(&tag)?;
        let here = self.value(tag).is_some_and(|value| !value.is_empty());
        (here || !element.holes.is_empty()).then_some(())
    }

    /// Puts a hole where the element is to be.
    pub fn put_hole(&mut self, tag: Tag, vr: VR, uri: String) {
        let hole = Hole { at: MARK.len(), tag, vr, uri, depth: 0 };
        let bytes = Bytes::from_static(&MARK);
        self.elements.insert(tag, Encoded { bytes, holes: vec![hole] });
    }

    /// The data set from its beginning to its end.
    pub fn pieces(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for element in self.elements.values() {
            let mut from = 0;
            for hole in &element.holes {
                let before = from..hole.at.saturating_sub(MARK.len());
                pieces.push(Piece::Bytes(element.bytes.slice(before)));
                pieces.push(Piece::Hole(hole.clone()));
                from = hole.at;
            }
            pieces.push(Piece::Bytes(element.bytes.slice(from..)));
        }
        pieces.retain(|piece| !matches!(piece, Piece::Bytes(bytes) if bytes.is_empty()));
        pieces
    }

    /// The top level element `tag`, when its value lies elsewhere.
    pub fn hole(&self, tag: Tag) -> Option<&Hole> {
        self.elements.get(&tag)?.holes.first().filter(|hole| hole.depth == 0)
    }

    /// All holes, in the order of the data set.
    pub fn holes(&self) -> impl Iterator<Item = &Hole> {
        self.elements.values().flat_map(|element| element.holes.iter())
    }
}

/// An element's header for a value of `length` bytes, which must be even. A value too long for a
/// 16-bit length goes as UN (PS3.5 §6.2.2).
pub fn element_header(tag: Tag, vr: VR, length: u64) -> Result<Vec<u8>, TooLong> {
    let mut out = Vec::with_capacity(12);
    push_header(&mut out, tag, vr, length)?;
    Ok(out)
}

/// The header of an element that is encapsulated (PS3.5 §A.4).
pub fn encapsulated_header(tag: Tag) -> Vec<u8> {
    let mut out = Vec::with_capacity(12);
    push_tag(&mut out, tag);
    out.extend_from_slice(b"OB\0\0\xFF\xFF\xFF\xFF");
    out
}

/// The header of an item of that many bytes.
pub fn item_header(length: u32) -> [u8; 8] {
    let [a, b, c, d] = length.to_le_bytes();
    [0xFE, 0xFF, 0x00, 0xE0, a, b, c, d]
}

/// Ends an encapsulated element.
pub const SEQUENCE_DELIMITER: [u8; 8] = [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0];

fn push_element(out: &mut Vec<u8>, tag: Tag, vr: VR, value: &[u8]) -> Result<(), TooLong> {
    let odd = value.len() % 2;
    let length = u64::try_from(value.len().saturating_add(odd)).map_err(|_| TooLong(tag))?;
    push_header(out, tag, vr, length)?;
    out.extend_from_slice(value);
    if odd == 1 {
        out.push(padding(vr));
    }
    Ok(())
}

fn push_header(out: &mut Vec<u8>, tag: Tag, vr: VR, length: u64) -> Result<(), TooLong> {
    let short = u16::try_from(length).ok().filter(|length| *length != u16::MAX);
    let long = u32::try_from(length).ok().filter(|length| *length != u32::MAX);
    let long = long.ok_or(TooLong(tag))?;
    push_tag(out, tag);
    match short {
        Some(length) if !is_long(vr) => {
            out.extend_from_slice(vr.to_string().as_bytes());
            out.extend_from_slice(&length.to_le_bytes());
        }
        _ => {
            let vr = if is_long(vr) { vr } else { VR::UN };
            out.extend_from_slice(vr.to_string().as_bytes());
            out.extend_from_slice(&[0, 0]);
            out.extend_from_slice(&long.to_le_bytes());
        }
    }
    Ok(())
}

/// Whether elements of `vr` have 32-bit lengths (PS3.5 §7.1.2).
fn is_long(vr: VR) -> bool {
    use VR::{OB, OD, OF, OL, OV, OW, SQ, SV, UC, UN, UR, UT, UV};
    matches!(vr, OB | OD | OF | OL | OV | OW | SQ | SV | UC | UN | UR | UT | UV)
}

fn push_tag(out: &mut Vec<u8>, tag: Tag) {
    out.extend_from_slice(&tag.group().to_le_bytes());
    out.extend_from_slice(&tag.element().to_le_bytes());
}

const PIXEL_DATA: Tag = Tag(0x7FE0, 0x0010);
const SPECIFIC_CHARACTER_SET: Tag = Tag(0x0008, 0x0005);
const ITEM: Tag = Tag(0xFFFE, 0xE000);
const ITEM_END: Tag = Tag(0xFFFE, 0xE00D);
const SEQUENCE_END: Tag = Tag(0xFFFE, 0xE0DD);
/// What stands for a hole until its value is there.
const MARK: [u8; 4] = *b"hole";
/// Most attributes told as left out; more are left out all the same.
const MAX_DISCARDED: usize = 256;

#[cfg(test)]
pub(in crate::dicom) mod tests;
