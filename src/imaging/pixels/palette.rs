//! Lookup tables from their descriptors and data (PS3.3 §C.11.1.1.1, §C.7.6.3.1.5, §C.7.9.2).

use crate::imaging::pixels::Lut;
use crate::imaging::pixels::value::Order;

/// Descriptor and data of one table, as heard.
#[derive(Debug, Clone, Default)]
pub(in crate::imaging::pixels) struct RawLut {
    /// Entries, first value mapped, bits of an entry.
    pub descriptor: Option<[u16; 3]>,
    /// The first value mapped is two's complement.
    pub signed: bool,
    /// Data, one entry after the other.
    pub data: Option<Vec<u8>>,
    /// Segmented data, in place of the plain one.
    pub segments: Option<Vec<u8>>,
    /// There is data that was too long to be kept.
    pub bulk: bool,
}

impl RawLut {
    /// Whether anything of a table was heard.
    pub(in crate::imaging::pixels) fn is_empty(&self) -> bool {
        self.descriptor.is_none() && self.data.is_none() && self.segments.is_none() && !self.bulk
    }

    /// The table; `None` when it is damaged or incomplete.
    pub(in crate::imaging::pixels) fn table(&self, order: Order) -> Option<Lut> {
        let [count, first, bits] = self.descriptor?;
        let first = if self.signed { first.cast_signed().into() } else { first.into() };
        let count = if count == 0 { 65_536 } else { usize::from(count) };
        let entries = match (&self.data, &self.segments) {
            (Some(data), _) => plain(data, count, bits, order),
            (None, Some(segments)) => expand(segments, count, bits, order)?,
            (None, None) => return None,
        };
        let largest = entries.iter().copied().max()?;
        // A descriptor that says fewer bits than the entries have is wrong.
        let needed = u16::try_from(u16::BITS.saturating_sub(largest.leading_zeros())).ok()?;
        let bits = if (8..=16).contains(&bits) { bits.max(needed) } else { needed.max(8) };
        Some(Lut { first, bits, entries })
    }
}

/// Three tables of a palette. Tables that say 16 bits and hold 8 are common; then all three do.
pub(in crate::imaging::pixels) fn palette(mut tables: [Lut; 3]) -> [Lut; 3] {
    let largest = tables.iter().flat_map(|table| &table.entries).copied().max().unwrap_or(0);
    if largest <= 255 {
        for table in &mut tables {
            table.bits = 8;
        }
    }
    tables
}

/// Entries one after the other: words, or bytes where 8-bit entries are packed.
fn plain(data: &[u8], count: usize, bits: u16, order: Order) -> Vec<u16> {
    // Odd counts are padded to an even length.
    let packed = bits == 8 && data.len() < count.saturating_mul(2).saturating_sub(1);
    let mut entries = if packed { bytes(data, order) } else { order.words(data) };
    entries.truncate(count);
    entries
}

/// Bytes packed two to a word, the first in the word's low half.
fn bytes(data: &[u8], order: Order) -> Vec<u16> {
    let (pairs, rest) = data.as_chunks::<2>();
    let mut entries = Vec::with_capacity(data.len());
    for [first, second] in pairs {
        match order {
            Order::Little => entries.extend([u16::from(*first), u16::from(*second)]),
            Order::Big => entries.extend([u16::from(*second), u16::from(*first)]),
        }
    }
    entries.extend(rest.iter().map(|byte| u16::from(*byte)));
    entries
}

/// Expands segments (PS3.3 §C.7.9.2) to at most `count` entries; `None` when they are damaged.
fn expand(data: &[u8], count: usize, bits: u16, order: Order) -> Option<Vec<u16>> {
    // Numbers are as wide as entries: bytes for 8 bits, words for more. Offsets of indirect
    // segments are always two words (two byte pairs for 8 bits, low half first).
    let units = if bits <= 8 { bytes(data, order) } else { order.words(data) };
    let wide = bits > 8;
    let mut entries = Vec::with_capacity(count);
    let mut at = 0_usize;
    while entries.len() < count {
        let Some(opcode) = units.get(at) else { break };
        at = match opcode {
            2 => indirect(&units, at, wide, count, &mut entries)?,
            _ => direct(&units, at, count, &mut entries)?,
        };
    }
    (entries.len() == count).then_some(entries)
}

/// A discrete (0) or linear (1) segment at `at`; gives where the next begins.
fn direct(units: &[u16], at: usize, count: usize, entries: &mut Vec<u16>) -> Option<usize> {
    let opcode = units.get(at)?;
    let length = usize::from(*units.get(at.checked_add(1)?)?);
    let body = at.checked_add(2)?;
    match opcode {
        0 => {
            let end = body.checked_add(length)?;
            entries.extend(units.get(body..end)?);
            entries.truncate(count);
            Some(end)
        }
        1 => {
            let target = i64::from(*units.get(body)?);
            let start = i64::from(*entries.last()?);
            let steps = i64::try_from(length).ok()?;
            for step in 1..=steps {
                // Rounded to the nearest; the end point is hit exactly.
                let rise = (target - start) * step * 2 + steps;
                let value = start + rise.div_euclid(steps * 2);
                entries.push(u16::try_from(value).ok()?);
            }
            entries.truncate(count);
            body.checked_add(1)
        }
        _ => None,
    }
}

/// An indirect segment (2): segments written before, once more. It may not lead to another one,
/// so there is no recursion.
fn indirect(
    units: &[u16],
    at: usize,
    wide: bool,
    count: usize,
    entries: &mut Vec<u16>,
) -> Option<usize> {
    let segments = *units.get(at.checked_add(1)?)?;
    let offset = units.get(at.checked_add(2)?..)?;
    let (offset, taken) = if wide {
        let pair = offset.first_chunk::<2>()?;
        (u32::from(pair[0]) | u32::from(pair[1]) << 16, 2)
    } else {
        let four = offset.first_chunk::<4>()?;
        let [a, b, c, d] = four.map(u32::from);
        (a | b << 8 | c << 16 | d << 24, 4)
    };
    // The offset counts bytes from the beginning of the data.
    let offset = usize::try_from(offset).ok()?;
    let mut from = if wide { offset / 2 } else { offset };
    for _ in 0..segments {
        if entries.len() >= count {
            break;
        }
        from = direct(units, from, count, entries)?;
    }
    at.checked_add(2)?.checked_add(taken)
}

#[cfg(test)]
mod tests {
    use super::{RawLut, palette};
    use crate::imaging::pixels::value::Order;

    fn words(words: &[u16]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }

    #[test]
    fn a_count_of_zero_is_65536_and_short_data_keeps_what_there_is() {
        let raw = RawLut {
            descriptor: Some([0, 0, 16]),
            data: Some(words(&[7; 100])),
            ..RawLut::default()
        };
        assert_eq!(raw.table(Order::Little).unwrap().entries.len(), 100);
        let none = RawLut { descriptor: Some([4, 0, 16]), data: Some(vec![]), ..RawLut::default() };
        assert_eq!(none.table(Order::Little), None, "a table without entries is none");
    }

    #[test]
    fn eight_bit_entries_are_read_packed_and_as_words() {
        let packed = RawLut {
            descriptor: Some([3, 0xFFFE, 8]),
            signed: true,
            data: Some(vec![1, 2, 3, 0]),
            ..RawLut::default()
        };
        let table = packed.table(Order::Little).unwrap();
        assert_eq!((table.first, table.entries.as_slice()), (-2, &[1, 2, 3][..]));
        assert_eq!(packed.table(Order::Big).unwrap().entries, [2, 1, 0], "words are turned");
        let spread = RawLut { data: Some(words(&[1, 2, 3])), ..packed };
        assert_eq!(spread.table(Order::Little).unwrap().entries, [1, 2, 3]);
    }

    #[test]
    fn segments_expand_as_the_standard_shows() {
        // Discrete 0 then 1; linear of 4 to 9; indirect: the first two segments once more.
        let segments = [0, 2, 0, 1, 1, 4, 9, 2, 2, 0, 0];
        let raw = RawLut {
            descriptor: Some([12, 0, 16]),
            segments: Some(words(&segments)),
            ..RawLut::default()
        };
        let expected = [0, 1, 3, 5, 7, 9, 0, 1, 3, 5, 7, 9];
        assert_eq!(raw.table(Order::Little).unwrap().entries, expected);
    }

    #[test]
    fn damaged_segments_are_refused_not_followed() {
        for segments in [
            &[1, 4, 9][..],             // a line from nowhere
            &[0, 9, 1][..],             // more entries than there are
            &[0, 1, 5, 2, 9, 6, 0][..], // leads to itself
            &[7, 1, 1][..],             // no such segment
            &[0, 1, 5][..],             // ends early
        ] {
            let raw = RawLut {
                descriptor: Some([100, 0, 16]),
                segments: Some(words(segments)),
                ..RawLut::default()
            };
            assert_eq!(raw.table(Order::Little), None, "{segments:?}");
        }
    }

    #[test]
    fn a_palette_that_says_16_bits_and_holds_8_is_read_as_8() {
        let raw = RawLut {
            descriptor: Some([2, 0, 16]),
            data: Some(words(&[0, 255])),
            ..RawLut::default()
        };
        let table = raw.table(Order::Little).unwrap();
        assert_eq!(table.bits, 16);
        let [red, ..] = palette([table.clone(), table.clone(), table]);
        assert_eq!(red.bits, 8);
    }
}
