//! JPEG Extended of 12 bits, one component (ISO/IEC 10918-1 §F.2): old mammography, CR and XA.
//! The codec for 8 bits refuses it.

use std::f32::consts::PI;

use crate::imaging::decode::codestream::{self, Jpeg};
use crate::imaging::error::ImagingError;

/// Huffman tables of one code stream; they have places for eight, and filling one takes time.
const MAX_TABLES: usize = 32;

/// Quantization table, in zigzag order.
type Quantization = [f32; 64];

/// Decodes a code stream whose header was read already, to values of 0 to 4095.
pub(in crate::imaging::decode) fn decode(
    header: &Jpeg,
    bytes: &[u8],
) -> Result<Vec<u16>, ImagingError> {
    scan(header, bytes).ok_or_else(|| ImagingError::damaged("the JPEG is cut short or damaged"))
}

fn scan(header: &Jpeg, bytes: &[u8]) -> Option<Vec<u16>> {
    let mut rest = bytes.get(2..)?;
    let mut quantizations = [[1.0; 64]; 4];
    let mut codes: [[Option<Code>; 4]; 2] = Default::default();
    let mut interval = 0;
    let mut selector = 0;
    let mut tables_left = MAX_TABLES;
    loop {
        let (marker, body, after) = codestream::segment(rest)?;
        rest = after;
        match marker {
            0xDB => quantization_tables(body, &mut quantizations)?,
            0xC4 => {
                tables_left = tables_left.checked_sub(code_tables(body, &mut codes)?)?;
            }
            0xDD => interval = u32::from(u16::from_be_bytes(*body.first_chunk()?)),
            0xC1 => selector = usize::from(*body.get(8)?),
            0xDA => {
                let tables = *body.get(2)?;
                let [dc, ac] = &codes;
                let dc = dc.get(usize::from(tables >> 4))?.as_ref()?;
                let ac = ac.get(usize::from(tables & 0xF))?.as_ref()?;
                let quantization = quantizations.get(selector)?;
                return blocks(header, rest, &Tables { dc, ac, quantization, interval });
            }
            _ => {}
        }
    }
}

fn quantization_tables(mut body: &[u8], tables: &mut [Quantization; 4]) -> Option<()> {
    while let Some((kind, rest)) = body.split_first() {
        let table = tables.get_mut(usize::from(kind & 0xF))?;
        let wide = kind >> 4 != 0;
        let (entries, rest) = rest.split_at_checked(if wide { 128 } else { 64 })?;
        for (index, entry) in table.iter_mut().enumerate() {
            let value = if wide {
                u16::from_be_bytes(*entries.get(index * 2..)?.first_chunk()?)
            } else {
                u16::from(*entries.get(index)?)
            };
            *entry = f32::from(value);
        }
        body = rest;
    }
    Some(())
}

/// Reads Huffman tables; gives how many.
fn code_tables(mut body: &[u8], codes: &mut [[Option<Code>; 4]; 2]) -> Option<usize> {
    let mut read = 0;
    while let Some((kind, rest)) = body.split_first() {
        let counts = rest.first_chunk::<16>()?;
        let total = counts.iter().map(|count| usize::from(*count)).sum();
        let (symbols, rest) = rest.get(16..)?.split_at_checked(total)?;
        let slot = codes.get_mut(usize::from(kind >> 4))?.get_mut(usize::from(kind & 0xF))?;
        *slot = Some(Code::new(counts, symbols)?);
        read += 1;
        if read > MAX_TABLES {
            return None;
        }
        body = rest;
    }
    Some(read)
}

/// A Huffman code: symbol and length for whatever 16 bits come next; length 0 is none.
struct Code {
    entries: Vec<(u8, u8)>,
}

impl Code {
    fn new(counts: &[u8; 16], symbols: &[u8]) -> Option<Self> {
        let mut entries = Vec::with_capacity(1 << 16);
        let mut symbols = symbols.iter();
        for (length, count) in (1_u8..).zip(counts) {
            for _ in 0..*count {
                let end = entries.len() + (1 << (16 - length));
                if end > 1 << 16 {
                    return None;
                }
                entries.resize(end, (*symbols.next()?, length));
            }
        }
        entries.resize(1 << 16, (0, 0));
        Some(Self { entries })
    }
}

struct Tables<'a> {
    dc: &'a Code,
    ac: &'a Code,
    quantization: &'a Quantization,
    /// Blocks from one restart marker to the next, 0 for none.
    interval: u32,
}

/// Decodes the blocks, rows of blocks from the left.
fn blocks(header: &Jpeg, bytes: &[u8], tables: &Tables<'_>) -> Option<Vec<u16>> {
    let (width, height) = (usize::from(header.width), usize::from(header.height));
    let across = width.div_ceil(8);
    let stride = across * 8;
    let cosines = cosines();
    let mut bits = Bits { rest: bytes, cache: 0, count: 0 };
    let mut samples = Vec::with_capacity(width * height);
    let mut strip = vec![0_u16; stride * 8];
    let (mut direct, mut left) = (0_i32, tables.interval);
    for top in (0..height).step_by(8) {
        for block in 0..across {
            if tables.interval > 0 && left == 0 {
                bits.restart()?;
                (direct, left) = (0, tables.interval);
            }
            left = left.saturating_sub(1);
            let coefficients = coefficients(&mut bits, tables, &mut direct)?;
            let values = transform(&coefficients, &cosines);
            for (row, values) in strip.chunks_exact_mut(stride).zip(values) {
                let target = row.get_mut(block * 8..)?.first_chunk_mut::<8>()?;
                *target = values.map(level);
            }
        }
        for row in strip.chunks_exact(stride).take(height - top) {
            samples.extend_from_slice(row.get(..width)?);
        }
    }
    Some(samples)
}

/// A block's coefficients, dequantized, in rows.
fn coefficients(bits: &mut Bits<'_>, tables: &Tables<'_>, direct: &mut i32) -> Option<[f32; 64]> {
    let mut coefficients = [0.0; 64];
    let size = bits.symbol(tables.dc)?;
    *direct = direct.wrapping_add(bits.signed(size)?);
    let [first, ..] = &mut coefficients;
    *first = float(*direct) * tables.quantization.first()?;
    let mut index = 1_usize;
    while index < 64 {
        let symbol = bits.symbol(tables.ac)?;
        let (zeros, size) = (usize::from(symbol >> 4), symbol & 0xF);
        if size == 0 {
            if zeros < 15 {
                break;
            }
            index += 16;
            continue;
        }
        index += zeros;
        let value = float(bits.signed(size)?) * tables.quantization.get(index)?;
        *coefficients.get_mut(usize::from(*ZIGZAG.get(index)?))? = value;
        index += 1;
    }
    Some(coefficients)
}

/// The inverse cosine transform, rows first.
fn transform(coefficients: &[f32; 64], cosines: &[[f32; 8]; 8]) -> [[f32; 8]; 8] {
    let (rows, _) = coefficients.as_chunks::<8>();
    let mut half = [[0.0_f32; 8]; 8];
    for (target, row) in half.iter_mut().zip(rows) {
        if row.iter().any(|value| *value != 0.0) {
            for (value, basis) in row.iter().zip(cosines) {
                for (sum, cosine) in target.iter_mut().zip(basis) {
                    *sum += value * cosine;
                }
            }
        }
    }
    let mut whole = [[0.0_f32; 8]; 8];
    for (row, basis) in half.iter().zip(cosines) {
        for (target, cosine) in whole.iter_mut().zip(basis) {
            for (sum, value) in target.iter_mut().zip(row) {
                *sum += value * cosine;
            }
        }
    }
    whole
}

/// For each frequency its wave over eight samples, scaled.
fn cosines() -> [[f32; 8]; 8] {
    let mut cosines = [[0.0; 8]; 8];
    for (frequency, wave) in (0_u8..).zip(&mut cosines) {
        let scale = if frequency == 0 { 0.125_f32.sqrt() } else { 0.5 };
        for (place, value) in (0_u8..).zip(wave) {
            let angle = (2.0 * f32::from(place) + 1.0) * f32::from(frequency) * PI / 16.0;
            *value = scale * angle.cos();
        }
    }
    cosines
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 12 bits before; NaN becomes 0"
)]
fn level(value: f32) -> u16 {
    (value + 2048.0).round().clamp(0.0, 4095.0) as u16
}

#[expect(clippy::cast_precision_loss, reason = "a coefficient has 16 bits")]
fn float(value: i32) -> f32 {
    value as f32
}

/// Bits of entropy-coded data, highest first; a zero after FF is no data.
struct Bits<'a> {
    rest: &'a [u8],
    cache: u32,
    count: u32,
}

impl Bits<'_> {
    fn fill(&mut self) {
        while self.count <= 24 {
            self.rest = match self.rest {
                [0xFF, 0, rest @ ..] => {
                    self.cache |= 0xFF << (24 - self.count);
                    rest
                }
                [0xFF, ..] | [] => return,
                [byte, rest @ ..] => {
                    self.cache |= u32::from(*byte) << (24 - self.count);
                    rest
                }
            };
            self.count += 8;
        }
    }

    fn take(&mut self, width: u32) -> Option<()> {
        self.count = self.count.checked_sub(width)?;
        self.cache = self.cache.checked_shl(width).unwrap_or(0);
        Some(())
    }

    fn symbol(&mut self, code: &Code) -> Option<u8> {
        self.fill();
        let (symbol, length) = *code.entries.get(usize::try_from(self.cache >> 16).ok()?)?;
        (length > 0).then_some(())?;
        self.take(length.into())?;
        Some(symbol)
    }

    /// A number of `size` bits whose highest tells its sign (§F.2.2.1).
    fn signed(&mut self, size: u8) -> Option<i32> {
        if size == 0 {
            return Some(0);
        }
        let size = u32::from(size.min(16));
        self.fill();
        let bits = i32::try_from(self.cache >> (32 - size)).ok()?;
        self.take(size)?;
        Some(if bits >> (size - 1) == 0 { bits - (1 << size) + 1 } else { bits })
    }

    /// Goes past the next restart marker.
    fn restart(&mut self) -> Option<()> {
        (self.cache, self.count) = (0, 0);
        match self.rest {
            [0xFF, 0xD0..=0xD7, rest @ ..] => {
                self.rest = rest;
                Some(())
            }
            _ => None,
        }
    }
}

/// Place in rows of each coefficient in the order they are coded.
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

#[cfg(test)]
mod tests {
    use super::{Bits, ZIGZAG, cosines, transform};

    #[test]
    fn a_block_of_nothing_but_its_mean_is_even() {
        let mut coefficients = [0.0; 64];
        coefficients[0] = 800.0;
        for value in transform(&coefficients, &cosines()).concat() {
            assert!((value - 100.0).abs() < 1e-3, "{value}");
        }
    }

    #[test]
    fn every_coefficient_has_its_place() {
        let mut places = ZIGZAG.to_vec();
        places.sort_unstable();
        assert_eq!(places, (0..64).collect::<Vec<u8>>());
    }

    #[test]
    fn numbers_are_extended_by_their_first_bit() {
        let mut bits = Bits { rest: &[0b1100_1010, 0xFF, 0x00, 0xFF, 0xD9], cache: 0, count: 0 };
        assert_eq!(bits.signed(2), Some(3));
        assert_eq!(bits.signed(3), Some(-6));
        assert_eq!(bits.signed(11), Some(0b010_1111_1111 - 0x7FF));
        assert_eq!(bits.signed(1), None, "a marker");
    }
}
