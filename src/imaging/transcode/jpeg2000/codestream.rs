//! JPEG 2000 code streams, lossless (ISO/IEC 15444-1 §A, §B): one tile, one layer, one precinct a
//! resolution, a tile-part for each resolution, the smallest first.
//!
//! What codes a block is the caller's: the arithmetic coder of part 1, or the high-throughput one
//! of part 15.

use crate::imaging::transcode::jpeg2000::packet_header::{HeaderBits, TagTree};
use crate::imaging::transcode::jpeg2000::wavelet::{Band, bands, forward};

/// Guard bits (§E.1.1): room for what transforms add.
const GUARD_BITS: u32 = 2;
/// Sides of a code block as powers of two.
pub(in crate::imaging::transcode) const BLOCK_BITS: u32 = 6;

/// What is to be coded.
#[derive(Debug)]
pub(in crate::imaging::transcode) struct Picture {
    pub(in crate::imaging::transcode) width: u16,
    pub(in crate::imaging::transcode) height: u16,
    pub(in crate::imaging::transcode) precision: u32,
    pub(in crate::imaging::transcode) signed: bool,
    /// Samples by component.
    pub(in crate::imaging::transcode) components: Vec<Vec<i32>>,
    /// Three components, to be transformed reversibly (§G.2).
    pub(in crate::imaging::transcode) transform: bool,
    /// Halvings.
    pub(in crate::imaging::transcode) levels: u32,
}

/// A coded block.
#[derive(Debug, Default)]
pub(in crate::imaging::transcode) struct Block {
    pub(in crate::imaging::transcode) bytes: Vec<u8>,
    /// Coding passes; 0: nothing but zeros.
    pub(in crate::imaging::transcode) passes: u32,
    /// Bit planes above the highest coded.
    pub(in crate::imaging::transcode) empty_planes: u32,
}

/// Codes a block of coefficients with so many bit planes at most, of that kind of band.
pub(in crate::imaging::transcode) trait BlockCoder {
    /// High-throughput coding.
    const HIGH_THROUGHPUT: bool;
    fn code(
        &mut self,
        coefficients: &[i32],
        width: usize,
        band: Band,
        planes: u32,
    ) -> Option<Block>;
}

/// The code stream; `None`: something does not fit.
pub(in crate::imaging::transcode) fn encode<C: BlockCoder>(
    mut picture: Picture,
    coder: &mut C,
) -> Option<Vec<u8>> {
    let (width, height) = (usize::from(picture.width), usize::from(picture.height));
    shift_and_transform(&mut picture);
    for component in &mut picture.components {
        forward(component, width, height, picture.levels);
    }
    let mut parts = Vec::new();
    for resolution in 0..=picture.levels {
        let mut packets = Vec::new();
        for component in &picture.components {
            packet(&picture, component, resolution, coder, &mut packets)?;
        }
        parts.push(packets);
    }
    let mut stream = main_header::<C>(&picture)?;
    // TLM (§A.7.1): tile and length of each tile-part.
    let lengths: Vec<u32> =
        parts.iter().map(|part| u32::try_from(part.len() + 14).ok()).collect::<Option<_>>()?;
    stream.extend([0xFF, 0x55]);
    stream.extend(u16::try_from(4 + 5 * lengths.len()).ok()?.to_be_bytes());
    stream.extend([0, 0x50]);
    for length in &lengths {
        stream.push(0);
        stream.extend(length.to_be_bytes());
    }
    let count = u8::try_from(parts.len()).ok()?;
    for ((index, part), length) in (0_u8..).zip(&parts).zip(&lengths) {
        stream.extend([0xFF, 0x90, 0, 10, 0, 0]);
        stream.extend(length.to_be_bytes());
        stream.extend([index, count, 0xFF, 0x93]);
        stream.extend(part);
    }
    stream.extend([0xFF, 0xD9]);
    Some(stream)
}

/// §G.1.2, §G.2.1
fn shift_and_transform(picture: &mut Picture) {
    if !picture.signed {
        let middle = 1 << (picture.precision - 1);
        for component in &mut picture.components {
            for sample in component {
                *sample -= middle;
            }
        }
    }
    if let (true, [red, green, blue]) = (picture.transform, picture.components.as_mut_slice()) {
        for ((red, green), blue) in red.iter_mut().zip(green).zip(blue) {
            let (r, g, b) = (*red, *green, *blue);
            (*red, *green, *blue) = ((r + 2 * g + b) >> 2, b - g, r - g);
        }
    }
}

/// Bits of a band's coefficients beside guard bits (§E.1.1).
fn exponent(picture: &Picture, band: Band) -> u32 {
    picture.precision + band.gain() + u32::from(picture.transform)
}

fn main_header<C: BlockCoder>(picture: &Picture) -> Option<Vec<u8>> {
    let components = u16::try_from(picture.components.len()).ok()?;
    let [width, height] = [picture.width, picture.height].map(|side| u32::from(side).to_be_bytes());
    let mut out = vec![0xFF, 0x4F, 0xFF, 0x51];
    out.extend((38 + 3 * components).to_be_bytes());
    out.extend(if C::HIGH_THROUGHPUT { [0x40, 0] } else { [0, 0] });
    for field in [width, height, [0; 4], [0; 4], width, height, [0; 4], [0; 4]] {
        out.extend(field);
    }
    out.extend(components.to_be_bytes());
    for _ in 0..components {
        let depth = u8::try_from(picture.precision - 1).ok()?;
        out.extend([depth | if picture.signed { 0x80 } else { 0 }, 1, 1]);
    }
    if C::HIGH_THROUGHPUT {
        // CAP (§A.5.2 of part 15): all blocks are, with magnitudes of so many bits at most.
        let bits = exponent(picture, Band::HighHigh) + GUARD_BITS - 1;
        let bound = match bits {
            0..=8 => 0,
            9..=27 => bits - 8,
            _ => 13 + (bits >> 2),
        };
        out.extend([0xFF, 0x50, 0, 8, 0, 2, 0, 0]);
        out.extend(u16::try_from(bound).ok()?.to_be_bytes());
    }
    let levels = u8::try_from(picture.levels).ok()?;
    let block = u8::try_from(BLOCK_BITS - 2).ok()?;
    let style = if C::HIGH_THROUGHPUT { 0x40 } else { 0 };
    // RPCL, one layer, 5-3 reversible.
    out.extend([0xFF, 0x52, 0, 12, 0, 2, 0, 1, u8::from(picture.transform)]);
    out.extend([levels, block, block, style, 1]);
    out.extend([0xFF, 0x5C]);
    out.extend((4 + 3 * u16::from(levels)).to_be_bytes());
    out.push(u8::try_from(GUARD_BITS << 5).ok()?);
    for resolution in 0..=picture.levels {
        for (band, _) in
            bands(picture.width.into(), picture.height.into(), picture.levels, resolution)
        {
            out.push(u8::try_from(exponent(picture, band) << 3).ok()?);
        }
    }
    Some(out)
}

/// One packet: a resolution of a component (§B.9, §B.10).
fn packet<C: BlockCoder>(
    picture: &Picture,
    component: &[i32],
    resolution: u32,
    coder: &mut C,
    out: &mut Vec<u8>,
) -> Option<()> {
    let (width, height) = (usize::from(picture.width), usize::from(picture.height));
    let side = 1_usize << BLOCK_BITS;
    let mut header = HeaderBits::default();
    let mut body = Vec::new();
    header.put(1, 1);
    for (band, rect) in bands(width, height, picture.levels, resolution) {
        if rect.width == 0 || rect.height == 0 {
            continue;
        }
        let planes = exponent(picture, band) + GUARD_BITS - 1;
        let (across, down) = (rect.width.div_ceil(side), rect.height.div_ceil(side));
        let mut blocks = Vec::with_capacity(across * down);
        let mut coefficients = Vec::with_capacity(side * side);
        for y in (0..rect.height).step_by(side) {
            for x in (0..rect.width).step_by(side) {
                coefficients.clear();
                let wide = side.min(rect.width - x);
                for line in y..rect.height.min(y + side) {
                    let start = (rect.y + line) * width + rect.x + x;
                    coefficients.extend_from_slice(component.get(start..start + wide)?);
                }
                blocks.push(coder.code(&coefficients, wide, band, planes)?);
            }
        }
        let mut included =
            TagTree::new(across, down, blocks.iter().map(|b| u32::from(b.passes == 0)));
        let mut empty = TagTree::new(across, down, blocks.iter().map(|b| b.empty_planes));
        for (index, block) in blocks.iter().enumerate() {
            let (x, y) = (index % across, index / across);
            included.put(&mut header, x, y, 1);
            if block.passes == 0 {
                continue;
            }
            empty.put_all(&mut header, x, y);
            put_passes(&mut header, block.passes)?;
            let length = u32::try_from(block.bytes.len()).ok()?;
            // §B.10.7: a length has 3 bits and more, and more by the passes it is for.
            let more = block.passes.ilog2();
            let wanted = 32 - length.leading_zeros();
            let longer = wanted.saturating_sub(3 + more);
            (0..longer).for_each(|_| header.put(1, 1));
            header.put(0, 1);
            header.put(length, 3 + longer + more);
            body.extend_from_slice(&block.bytes);
        }
    }
    out.extend(header.finish());
    out.extend(body);
    Some(())
}

/// Table B.4
fn put_passes(header: &mut HeaderBits, passes: u32) -> Option<()> {
    match passes {
        1 => header.put(0, 1),
        2 => header.put(0b10, 2),
        3..=5 => header.put(0b1100 | (passes - 3), 4),
        6..=36 => header.put(0b1111 << 5 | (passes - 6), 9),
        37..=164 => header.put(0b1_1111_1111 << 7 | (passes - 37), 16),
        _ => return None,
    }
    Some(())
}
