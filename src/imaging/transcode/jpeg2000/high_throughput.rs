//! The block coder of high-throughput JPEG 2000 (ISO/IEC 15444-15 §7), borrowed from `openjph-core`.
//!
//! Version 0.1.0 of it codes blocks right, but writes a byte too many behind packet headers that end
//! in FF, transforms colours wrongly, and leaves lengths out of TLM. So it is given each block as a
//! picture of its own, not transformed at all, and only the coded block is taken out.

use openjph_core::codestream::Codestream;
use openjph_core::file::MemOutfile;
use openjph_core::types::{Point, Size};

use crate::imaging::transcode::jpeg2000::codestream::{BLOCK_BITS, Block, BlockCoder};
use crate::imaging::transcode::jpeg2000::wavelet::Band;

/// Bits of a block's picture, more than coefficients of 16-bit samples have.
const PRECISION: u32 = 26;
const START_OF_DATA: [u8; 2] = [0xFF, 0x93];

/// Codes blocks in one pass each, down to the lowest bit plane.
#[derive(Debug, Default)]
pub(in crate::imaging::transcode) struct HighThroughput;

impl BlockCoder for HighThroughput {
    const HIGH_THROUGHPUT: bool = true;

    fn code(&mut self, coefficients: &[i32], width: usize, _: Band, planes: u32) -> Option<Block> {
        if coefficients.iter().all(|one| *one == 0) {
            return Some(Block::default());
        }
        let height = coefficients.len().checked_div(width)?;
        let (across, down) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
        let mut stream = Codestream::new();
        let size = stream.access_siz_mut();
        size.set_image_extent(Point::new(across, down));
        size.set_tile_size(Size::new(across, down));
        size.set_num_components(1);
        size.set_comp_info(0, Point::new(1, 1), PRECISION, true);
        let style = stream.access_cod_mut();
        style.set_num_decomposition(0);
        style.set_block_dims(1 << BLOCK_BITS, 1 << BLOCK_BITS);
        style.set_reversible(true);
        style.set_color_transform(false);
        stream.set_planar(0);
        let mut file = MemOutfile::new();
        stream.write_headers(&mut file, &[]).ok()?;
        for line in coefficients.chunks(width) {
            stream.exchange(line, 0).ok()?;
        }
        stream.flush(&mut file).ok()?;
        let bytes = coded_block(file.get_data())?.to_vec();
        Some(Block { bytes, passes: 1, empty_planes: planes.checked_sub(1)? })
    }
}

/// The bytes of the one block of a code stream of one packet.
fn coded_block(stream: &[u8]) -> Option<&[u8]> {
    let marker = stream.windows(2).position(|pair| pair == START_OF_DATA)?;
    let packet = stream.get(marker + 2..stream.len().checked_sub(2)?)?;
    let mut bits = Bits { bytes: packet, place: 0, bit: 0 };
    // The packet is not empty, the block included; then come its empty planes (§B.10.4, §B.10.5).
    if !bits.next()? || !bits.next()? {
        return None;
    }
    while !bits.next()? {}
    // One pass.
    if bits.next()? {
        return None;
    }
    let mut width = 3;
    while bits.next()? {
        width += 1;
    }
    let mut length = 0_usize;
    for _ in 0..width {
        length = length.checked_mul(2)?.checked_add(usize::from(bits.next()?))?;
    }
    packet.get(packet.len().checked_sub(length)?..)
}

/// Bits of a packet header; a byte after FF has seven.
struct Bits<'a> {
    bytes: &'a [u8],
    place: usize,
    bit: u32,
}

impl Bits<'_> {
    fn next(&mut self) -> Option<bool> {
        let byte = *self.bytes.get(self.place)?;
        let before = self.place.checked_sub(1).and_then(|before| self.bytes.get(before));
        let highest = if before == Some(&0xFF) { 6 } else { 7 };
        let bit = byte >> (highest - self.bit) & 1 == 1;
        self.bit += 1;
        if self.bit > highest {
            self.bit = 0;
            self.place += 1;
        }
        Some(bit)
    }
}
