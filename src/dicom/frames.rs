//! Where each frame lies in the pixel data (PS3.5 §8.1.1, §8.2, §A.4; PS3.3 §C.7.6.3).

#[cfg(test)]
mod tests;

use std::ops::Range;

use bytes::Bytes;

use crate::dicom::header::PixelShape;
use crate::dicom::syntax::EXPLICIT_LITTLE;

/// The frames of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameTable {
    /// Native: frames lie end to end without padding; they may begin inside a byte (1-bit pixels).
    Native {
        /// Bits of one frame.
        frame_bits: u64,
        /// Frames.
        count: u32,
    },
    /// Encapsulated: each frame is one or more fragments.
    Encapsulated {
        /// Bytes of each fragment, item headers excluded, in data set offsets.
        fragments: Vec<Range<u64>>,
        /// For each frame its first fragment; it ends where the next begins.
        first_fragment: Vec<u32>,
    },
    /// The object has pixel data, but where its frames lie cannot be told (attributes missing or
    /// contradicting): it is kept and returned whole, without frames.
    Unknown,
}

/// Where one frame lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FramePlace {
    /// Data set ranges, to be joined.
    pub ranges: Vec<Range<u64>>,
    /// Bits to leave out at the front of the joined bytes: 0 to 7, or to 15 where words are turned.
    pub bit_offset: u8,
    /// Bits of the frame when native; `None` when encapsulated.
    pub bits: Option<u64>,
    /// The joined bytes are big endian words of 16 bits, which are turned before anything is left
    /// out at the front.
    pub turned: bool,
}

/// The most fragments whose places are kept; pixel data of more has an unknown frame table.
pub const MAX_FRAGMENTS: usize = 1 << 20;
/// Bytes of an item header, which lies between two fragments.
const ITEM_HEADER_BYTES: u64 = 8;

impl FrameTable {
    /// Where native frames of that shape lie in a value of `value_bytes`.
    ///
    /// A value longer than the shape says is accepted; a shorter one when it holds whole frames
    /// and at most a byte of padding.
    pub fn native(value_bytes: u64, shape: &PixelShape) -> Self {
        let frame_bits = [shape.columns, shape.samples, shape.bits_allocated]
            .into_iter()
            .try_fold(u64::from(shape.rows), |bits, factor| bits.checked_mul(factor.into()));
        let (Some(frame_bits @ 1..), Some(value_bits)) = (frame_bits, value_bytes.checked_mul(8))
        else {
            return Self::Unknown;
        };
        let count = shape.frames.max(1);
        if frame_bits.checked_mul(count.into()).is_some_and(|bits| bits <= value_bits) {
            return Self::Native { frame_bits, count };
        }
        let whole = value_bits.checked_div(frame_bits).unwrap_or(0);
        let rest = value_bits.checked_rem(frame_bits).unwrap_or(0);
        match u32::try_from(whole) {
            Ok(count @ 1..) if rest <= 15 => Self::Native { frame_bits, count },
            _ => Self::Unknown,
        }
    }

    /// Frames in the table; `None` when unknown.
    pub fn count(&self) -> Option<u32> {
        match self {
            Self::Native { count, .. } => Some(*count),
            Self::Encapsulated { first_fragment, .. } => u32::try_from(first_fragment.len()).ok(),
            Self::Unknown => None,
        }
    }

    /// Where frame `index` (from 0) lies in the data set; `value` is where the pixel data's value
    /// lies. `None`: no such frame.
    pub fn place(&self, index: u32, value: &Range<u64>) -> Option<FramePlace> {
        match self {
            Self::Native { frame_bits, count } if index < *count => {
                let first_bit = frame_bits.checked_mul(index.into())?;
                let end_bit = first_bit.checked_add(*frame_bits)?;
                let start = value.start.checked_add(first_bit >> 3)?;
                let end = value.start.checked_add(end_bit.div_ceil(8))?;
                let range = start..end;
                (end <= value.end).then(|| FramePlace {
                    ranges: vec![range],
                    bit_offset: first_bit.to_le_bytes()[0] & 7,
                    bits: Some(*frame_bits),
                    turned: false,
                })
            }
            Self::Encapsulated { fragments, first_fragment } => {
                let index = usize::try_from(index).ok()?;
                let first = usize::try_from(*first_fragment.get(index)?).ok()?;
                let next = first_fragment.get(index.checked_add(1)?);
                let end = next.map_or(Ok(fragments.len()), |&next| next.try_into()).ok()?;
                let ranges = fragments.get(first..end)?.to_vec();
                Some(FramePlace { ranges, bit_offset: 0, bits: None, turned: false })
            }
            Self::Native { .. } | Self::Unknown => None,
        }
    }
}

impl FramePlace {
    /// This place among big endian words of 16 bits, which begin where `value` does. Samples of a
    /// byte or less stand in a word from its low end on (PS3.5 §8.1.1), so that a frame that begins
    /// or ends inside a word needs the whole of it, turned. Where no frame does, words stay as they
    /// are stored: how they are turned is then for whoever knows the size of a sample.
    #[must_use]
    pub fn in_words(mut self, value: &Range<u64>) -> Self {
        if self.bits.is_none_or(|bits| bits.is_multiple_of(16)) {
            return self;
        }
        self.turned = true;
        for range in &mut self.ranges {
            let (start, end) =
                (range.start.saturating_sub(value.start), range.end.saturating_sub(value.start));
            if start % 2 == 1 {
                range.start = range.start.saturating_sub(1);
                self.bit_offset = self.bit_offset.saturating_add(8);
            }
            range.end = range.end.saturating_add(end % 2).min(value.end);
        }
        self
    }

    /// The transfer syntax the frame's bytes are in, once [`FramePlace::taken_of`] has made them.
    pub fn syntax<'a>(&self, stored: &'a str) -> &'a str {
        if self.turned { EXPLICIT_LITTLE } else { stored }
    }

    /// The frame's bytes, of what lies in its ranges, joined: words turned; a frame of single bits
    /// moved so that its first pixel is bit 0 (PS3.5 §8.1.1: the first pixel is the least
    /// significant bit), its last byte cleared past its end.
    pub fn taken_of(&self, joined: Bytes) -> Bytes {
        let Some(bits) = self.bits else { return joined };
        let joined = if self.turned { turned(&joined) } else { joined };
        let whole = usize::from(self.bit_offset >> 3).min(joined.len());
        let bytes = joined.slice(whole..);
        let length = usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX).min(bytes.len());
        let shift = self.bit_offset & 7;
        if shift == 0 && bits.is_multiple_of(8) {
            return bytes.slice(..length);
        }
        let next = bytes.iter().copied().skip(1).chain(std::iter::once(0));
        let pairs = bytes.iter().copied().zip(next).take(length);
        let mut shifted: Vec<u8> = pairs
            .map(|(low, high)| (u16::from_le_bytes([low, high]) >> shift).to_le_bytes()[0])
            .collect();
        let spare = u32::try_from((8 - bits % 8) % 8).unwrap_or(0);
        if let Some(last) = shifted.last_mut() {
            *last &= 0xFF_u8 >> spare;
        }
        shifted.into()
    }
}

/// Words of 16 bits in the other byte order; a byte without its other half stays.
fn turned(bytes: &[u8]) -> Bytes {
    let mut bytes = bytes.to_vec();
    for word in bytes.as_chunks_mut::<2>().0 {
        word.reverse();
    }
    bytes.into()
}

/// Gathers what a scan tells of encapsulated pixel data, to place its frames at the end.
#[derive(Debug, Default)]
pub struct FrameCollector {
    /// Where each fragment's item header begins. Fragments lie end to end, so the next one's start
    /// is this one's end.
    item_starts: Vec<u64>,
    end: u64,
    /// Fragments that begin a code stream.
    streams: Vec<u32>,
    basic: Vec<u8>,
    extended: Vec<u8>,
    too_many: bool,
}

impl FrameCollector {
    /// Nothing gathered yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The Basic Offset Table's bytes.
    pub fn offset_table(&mut self, bytes: &[u8]) {
        bytes.clone_into(&mut self.basic);
    }

    /// The bytes of Extended Offset Table (7FE0,0001).
    pub fn extended_offset_table(&mut self, bytes: &[u8]) {
        bytes.clone_into(&mut self.extended);
    }

    /// A fragment, in order: where its item header begins, where its bytes lie, its first bytes.
    pub fn fragment(&mut self, item_start: u64, bytes: &Range<u64>, head: &[u8]) {
        let gap = !self.item_starts.is_empty() && item_start != self.end;
        let index = match u32::try_from(self.item_starts.len()) {
            Ok(index) if self.item_starts.len() < MAX_FRAGMENTS && !gap => index,
            _ => {
                self.too_many = true;
                return;
            }
        };
        self.item_starts.push(item_start);
        self.end = bytes.end;
        if begins_code_stream(head) {
            self.streams.push(index);
        }
    }

    /// Where the frames lie, by the first of these that fits the number of frames: the Extended
    /// Offset Table, the Basic Offset Table, the fragments themselves.
    pub fn table(&self, shape: &PixelShape) -> FrameTable {
        if self.item_starts.is_empty() || self.too_many {
            return FrameTable::Unknown;
        }
        let frames = usize::try_from(shape.frames.max(1)).unwrap_or(usize::MAX);
        let first_fragment = self
            .by_offsets(numbers::<8>(&self.extended).map(u64::from_le_bytes), frames)
            .or_else(|| {
                let offsets = numbers::<4>(&self.basic).map(u32::from_le_bytes);
                self.by_offsets(offsets.map(u64::from), frames)
            })
            .or_else(|| self.by_fragments(frames));
        match first_fragment {
            Some(first_fragment) => {
                FrameTable::Encapsulated { fragments: self.fragments(), first_fragment }
            }
            None => FrameTable::Unknown,
        }
    }

    /// First fragments by an offset table: one offset a frame, ascending from 0, each hitting the
    /// start of an item, counted from the first (PS3.5 §A.4, PS3.3 §C.7.6.3.1.8).
    fn by_offsets(&self, offsets: impl Iterator<Item = u64>, frames: usize) -> Option<Vec<u32>> {
        let base = *self.item_starts.first()?;
        let mut items = (0_u32..).zip(&self.item_starts);
        let mut first_fragment = Vec::new();
        for offset in offsets {
            let start = base.checked_add(offset)?;
            let (index, _) = items
                .by_ref()
                .find(|&(_, &item)| item >= start)
                .filter(|&(_, &item)| item == start)?;
            first_fragment.push(index);
        }
        let whole = first_fragment.first() == Some(&0) && first_fragment.len() == frames;
        whole.then_some(first_fragment)
    }

    fn by_fragments(&self, frames: usize) -> Option<Vec<u32>> {
        if self.item_starts.len() == frames {
            return Some((0_u32..).take(frames).collect());
        }
        if frames == 1 {
            return Some(vec![0]);
        }
        let streams = self.streams.len() == frames && self.streams.first() == Some(&0);
        streams.then(|| self.streams.clone())
    }

    fn fragments(&self) -> Vec<Range<u64>> {
        let ends = self.item_starts.iter().skip(1).chain([&self.end]);
        let starts = self.item_starts.iter().map(|start| start.saturating_add(ITEM_HEADER_BYTES));
        starts.zip(ends).map(|(start, &end)| start..end).collect()
    }
}

/// Whether a fragment's first bytes begin a code stream: JPEG and JPEG-LS (ISO/IEC 10918-1 §B.2),
/// JPEG 2000 (ISO/IEC 15444-1 §A.4, and its file format), JPEG XL (ISO/IEC 18181-1, -2).
fn begins_code_stream(head: &[u8]) -> bool {
    const STARTS: [&[u8]; 5] = [
        &[0xFF, 0xD8, 0xFF],
        &[0xFF, 0x4F, 0xFF, 0x51],
        &[0, 0, 0, 0x0C, b'j', b'P', b' ', b' '],
        &[0xFF, 0x0A],
        &[0, 0, 0, 0x0C, b'J', b'X', b'L', b' '],
    ];
    STARTS.into_iter().any(|start| head.starts_with(start))
}

/// The fixed-size numbers of a table; none when its length does not fit.
fn numbers<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    let (numbers, rest) = bytes.as_chunks::<N>();
    if rest.is_empty() { numbers } else { &[] }.iter().copied()
}
