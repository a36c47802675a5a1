//! JPEG lossless, first-order prediction (ISO/IEC 10918-1 §H; PS3.5 §8.2.1).

use crate::imaging::error::ImagingError;
use crate::imaging::transcode::bits::{BitWriter, Stuffing};
use crate::imaging::transcode::huffman::{CATEGORIES, Huffman};
use crate::imaging::transcode::words::Plane;

/// Encodes one frame: one scan of all components, one table made to measure.
pub(in crate::imaging::transcode) fn encode(plane: &Plane) -> Result<Vec<u8>, ImagingError> {
    let components = u8::try_from(plane.components).unwrap_or(0);
    if components != 1 && components != 3 {
        return Err(ImagingError::Unsupported(format!("{} samples a pixel", plane.components)));
    }
    let mut frequencies = [0_u64; CATEGORIES];
    differences(plane, |difference| {
        if let Some(frequency) = frequencies.get_mut(category(difference) as usize) {
            *frequency += 1;
        }
    });
    let huffman = Huffman::of(&frequencies);
    let mut bits = BitWriter::new(header(plane, components, &huffman), Stuffing::Byte);
    differences(plane, |difference| {
        let category = category(difference);
        let (code, width) = huffman.codes.get(category as usize).copied().unwrap_or_default();
        bits.put(code, width);
        // Table H.2: 16 has no further bits, negative differences are written less one.
        if category < 16 {
            let value = i32::from(difference);
            let value = if value < 0 { value.saturating_sub(1) } else { value };
            bits.put(value.cast_unsigned(), category);
        }
    });
    let mut bytes = bits.finish();
    bytes.extend([0xFF, 0xD9]);
    Ok(bytes)
}

/// Bits of a difference, modulo 2^16: the one of 32768 has 16.
fn category(difference: i16) -> u32 {
    u16::BITS - difference.unsigned_abs().leading_zeros()
}

/// Every sample's difference from what is expected: the sample before it, at the beginning of a
/// line the one above, at the very first half the range (§H.1.2.1).
fn differences(plane: &Plane, mut each: impl FnMut(i16)) {
    let components = usize::from(plane.components.max(1));
    let stride = usize::from(plane.width).saturating_mul(components).max(1);
    let middle = 1_u16 << plane.precision.saturating_sub(1).min(15);
    let mut expected = vec![middle; components];
    for line in plane.samples.chunks(stride) {
        let mut before: Vec<u16> = expected.clone();
        for pixel in line.chunks(components) {
            for (sample, before) in pixel.iter().zip(&mut before) {
                each(sample.wrapping_sub(*before).cast_signed());
                *before = *sample;
            }
        }
        expected.clear();
        expected.extend(line.iter().take(components));
    }
}

fn header(plane: &Plane, components: u8, huffman: &Huffman) -> Vec<u8> {
    let [height, width] = [plane.height, plane.width].map(u16::to_be_bytes);
    let precision = plane.precision.to_le_bytes()[0];
    let mut bytes = vec![0xFF, 0xD8];
    let frame_length = 8_u8.saturating_add(components.saturating_mul(3));
    bytes.extend([0xFF, 0xC3, 0, frame_length, precision]);
    bytes.extend(height);
    bytes.extend(width);
    bytes.push(components);
    for component in 1..=components {
        bytes.extend([component, 0x11, 0]);
    }
    let table_length = u8::try_from(huffman.order.len()).unwrap_or(17).saturating_add(19);
    bytes.extend([0xFF, 0xC4, 0, table_length, 0]);
    bytes.extend(huffman.counts);
    bytes.extend(&huffman.order);
    let scan_length = 6_u8.saturating_add(components.saturating_mul(2));
    bytes.extend([0xFF, 0xDA, 0, scan_length, components]);
    for component in 1..=components {
        bytes.extend([component, 0]);
    }
    // Selection value 1, no point transform.
    bytes.extend([1, 0, 0]);
    bytes
}
