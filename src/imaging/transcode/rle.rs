//! RLE Lossless (PS3.5 §G): a segment of `PackBits` for each byte of each sample.

use crate::imaging::decode::Samples;
use crate::imaging::error::ImagingError;
use crate::imaging::transcode::words::Words;

/// Bytes of the header: a count and 15 offsets (PS3.5 §G.5).
const HEADER_BYTES: usize = 64;
const MAX_SEGMENTS: usize = 15;
/// Most bytes one literal or repeat run stands for (PS3.5 §G.3.1).
const LONGEST_RUN: usize = 128;

/// Encodes one frame.
pub(in crate::imaging::transcode) fn encode(words: &Words) -> Result<Vec<u8>, ImagingError> {
    let samples = usize::from(words.form.samples_per_pixel);
    let (sample_bytes, bytes): (usize, Vec<u8>) = match &words.data {
        Samples::U8(_) if words.form.bits_allocated == 1 => {
            return Err(ImagingError::unsupported("samples of single bits, compressed"));
        }
        Samples::U8(data) => (1, data.clone()),
        Samples::U16(data) => (2, data.iter().flat_map(|word| word.to_be_bytes()).collect()),
        Samples::U32(data) => (4, data.iter().flat_map(|word| word.to_be_bytes()).collect()),
        Samples::F32(_) | Samples::F64(_) => {
            return Err(ImagingError::unsupported("floating point samples, compressed"));
        }
    };
    let count = samples.saturating_mul(sample_bytes);
    if count > MAX_SEGMENTS {
        return Err(ImagingError::Unsupported(format!("{count} RLE segments")));
    }
    let width = usize::from(words.width);
    let mut coded = vec![0; HEADER_BYTES];
    let mut header = vec![number(count)?];
    let mut row = Vec::with_capacity(width);
    for segment in 0..count {
        header.push(number(coded.len())?);
        // Big endian words: byte planes from the highest on, sample after sample.
        for pixels in bytes.chunks(width.saturating_mul(count).max(1)) {
            row.clear();
            row.extend(pixels.iter().skip(segment).step_by(count));
            pack(&row, &mut coded);
        }
        if coded.len() % 2 == 1 {
            coded.push(0);
        }
    }
    for (place, number) in coded.chunks_exact_mut(4).zip(header) {
        place.copy_from_slice(&number);
    }
    Ok(coded)
}

fn number(number: usize) -> Result<[u8; 4], ImagingError> {
    let small = u32::try_from(number);
    small.map(u32::to_le_bytes).map_err(|_| ImagingError::TooLarge { bytes: number as u64 })
}

/// Packs one row of one segment: runs never cross rows (PS3.5 §G.3.1).
fn pack(row: &[u8], out: &mut Vec<u8>) {
    let mut literal: &[u8] = &[];
    let mut rest = row;
    while let Some(&first) = rest.first() {
        let run = rest.iter().take(LONGEST_RUN).take_while(|byte| **byte == first).count();
        // Two alike between literals save nothing.
        if run > 2 || (run == 2 && literal.is_empty()) {
            flush(&mut literal, out);
            out.push(u8::try_from(257_usize.saturating_sub(run)).unwrap_or(0));
            out.push(first);
            rest = rest.get(run..).unwrap_or(&[]);
            continue;
        }
        let taken = literal.len().saturating_add(run);
        let start = row.len().saturating_sub(rest.len()).saturating_sub(literal.len());
        literal = row.get(start..start.saturating_add(taken)).unwrap_or(&[]);
        rest = rest.get(run..).unwrap_or(&[]);
        if taken >= LONGEST_RUN {
            flush(&mut literal, out);
        }
    }
    flush(&mut literal, out);
}

fn flush(literal: &mut &[u8], out: &mut Vec<u8>) {
    for piece in literal.chunks(LONGEST_RUN) {
        out.push(u8::try_from(piece.len().saturating_sub(1)).unwrap_or(0));
        out.extend_from_slice(piece);
    }
    *literal = &[];
}

#[cfg(test)]
mod tests {
    use super::pack;

    #[test]
    fn rows_are_packed_as_the_standard_says() {
        let packed = |row: &[u8]| {
            let mut out = Vec::new();
            pack(row, &mut out);
            out
        };
        assert_eq!(packed(&[7]), [0, 7]);
        assert_eq!(packed(&[5, 5, 5, 1]), [0xFE, 5, 0, 1]);
        assert_eq!(packed(&[1, 2, 2, 3]), [3, 1, 2, 2, 3]);
        assert_eq!(packed(&[9; 130]), [0x81, 9, 0xFF, 9]);
        assert_eq!(packed(&[]), [0_u8; 0]);
        let wild: Vec<u8> = (0..129).collect();
        let mut expected = vec![127];
        expected.extend(0..128);
        expected.extend([0, 128]);
        assert_eq!(packed(&wild), expected);
    }
}
