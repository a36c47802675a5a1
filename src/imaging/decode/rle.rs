//! RLE Lossless (PS3.5 §G): a segment of `PackBits` for each byte of each sample.

use crate::imaging::decode::{Frame, Samples, StoredBits, check_size};
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::PixelAttributes;

/// Segments a header has room for.
const MAX_SEGMENTS: usize = 15;

/// Decodes one frame.
pub(in crate::imaging::decode) fn decode(
    attributes: &PixelAttributes,
    bytes: &[u8],
) -> Result<Frame, ImagingError> {
    let samples = usize::from(attributes.samples_per_pixel);
    if samples != 1 && samples != 3 {
        return Err(ImagingError::Unsupported(format!("{samples} samples a pixel")));
    }
    let sample_bytes = match attributes.bits_allocated {
        bits @ (8 | 16 | 32) => usize::from(bits / 8),
        bits => return Err(ImagingError::Unsupported(format!("RLE samples of {bits} bits"))),
    };
    let wide = u64::from(attributes.bits_allocated / 8);
    let samples_count = u64::from(attributes.samples_per_pixel);
    let count = check_size(attributes.columns, attributes.rows, samples_count, wide)?;
    let segments = segments(bytes, samples.saturating_mul(sample_bytes))?;
    let pixels = count.checked_div(samples).unwrap_or(0);
    let data = match sample_bytes {
        1 => Samples::U8(merge(&segments, samples, 1, pixels)?),
        2 => Samples::U16(merge(&segments, samples, 2, pixels)?),
        _ => Samples::U32(merge(&segments, samples, 4, pixels)?),
    };
    Ok(Frame {
        width: attributes.columns.into(),
        height: attributes.rows.into(),
        samples_per_pixel: attributes.samples_per_pixel,
        data,
        bits: StoredBits::native(attributes),
        // RLE never changes colours: a YBR_FULL object holds YBR_FULL samples.
        photometric: attributes.photometric.clone(),
    })
}

/// The segments' bytes, checked to be as many as the samples need.
fn segments(bytes: &[u8], expected: usize) -> Result<Vec<&[u8]>, ImagingError> {
    let header = bytes.first_chunk::<64>();
    let header = header.ok_or_else(|| ImagingError::damaged("the RLE header is cut short"))?;
    let (numbers, _) = header.as_chunks::<4>();
    let number = |index: usize| -> usize {
        let number = numbers.get(index).map_or(0, |bytes| u32::from_le_bytes(*bytes));
        usize::try_from(number).unwrap_or(usize::MAX)
    };
    let count = number(0);
    if count != expected || count > MAX_SEGMENTS {
        return Err(ImagingError::Damaged(format!(
            "the RLE frame has {count} segments, its samples need {expected}"
        )));
    }
    let mut segments = Vec::with_capacity(count);
    for segment in 1..=count {
        let start = number(segment);
        let end = if segment == count { bytes.len() } else { number(segment.saturating_add(1)) };
        let range = bytes.get(start..end).filter(|_| start >= 64);
        let damaged = || ImagingError::damaged("an RLE segment lies outside its frame");
        segments.push(range.ok_or_else(damaged)?);
    }
    Ok(segments)
}

/// A word that byte planes are laid into, the highest first.
trait Word: Copy + Default {
    fn push(self, byte: u8) -> Self;
}

impl Word for u8 {
    fn push(self, byte: u8) -> Self {
        byte
    }
}
impl Word for u16 {
    fn push(self, byte: u8) -> Self {
        self << 8 | Self::from(byte)
    }
}
impl Word for u32 {
    fn push(self, byte: u8) -> Self {
        self << 8 | Self::from(byte)
    }
}

fn merge<T: Word>(
    segments: &[&[u8]],
    samples: usize,
    sample_bytes: usize,
    pixels: usize,
) -> Result<Vec<T>, ImagingError> {
    let mut words = vec![T::default(); pixels.saturating_mul(samples)];
    let mut plane = Vec::new();
    for (sample, planes) in segments.chunks(sample_bytes).enumerate() {
        for segment in planes {
            unpack(segment, pixels, &mut plane)?;
            let targets = words.iter_mut().skip(sample).step_by(samples);
            for (word, byte) in targets.zip(&plane) {
                *word = word.push(*byte);
            }
        }
    }
    Ok(words)
}

/// Undoes `PackBits` (PS3.5 §G.3) until `length` bytes are there.
fn unpack(segment: &[u8], length: usize, plane: &mut Vec<u8>) -> Result<(), ImagingError> {
    plane.clear();
    plane.reserve(length.saturating_add(128));
    let mut rest = segment;
    while plane.len() < length {
        let Some((&control, after)) = rest.split_first() else {
            return Err(short(plane.len(), length));
        };
        rest = match control {
            0..=127 => {
                let run = usize::from(control).saturating_add(1);
                let Some((literal, after)) = after.split_at_checked(run) else {
                    return Err(short(plane.len(), length));
                };
                plane.extend_from_slice(literal);
                after
            }
            128 => after,
            129..=255 => {
                let Some((&byte, after)) = after.split_first() else {
                    return Err(short(plane.len(), length));
                };
                let run = 257_usize.saturating_sub(control.into());
                plane.resize(plane.len().saturating_add(run), byte);
                after
            }
        };
    }
    plane.truncate(length);
    Ok(())
}

fn short(have: usize, need: usize) -> ImagingError {
    ImagingError::Damaged(format!("an RLE segment ends after {have} of {need} bytes"))
}

#[cfg(test)]
mod tests {
    use super::unpack;

    #[test]
    fn packed_bits_are_literals_runs_and_nothing() {
        let mut plane = Vec::new();
        unpack(&[2, 7, 8, 9, 128, 0xFE, 5, 0, 1, 99], 7, &mut plane).unwrap();
        assert_eq!(plane, [7, 8, 9, 5, 5, 5, 1]);
    }

    #[test]
    fn a_segment_that_ends_early_is_damaged() {
        for segment in [&[][..], &[3, 1], &[200], &[0]] {
            assert!(unpack(segment, 5, &mut Vec::new()).is_err(), "{segment:?}");
        }
    }

    #[test]
    fn a_run_past_the_end_is_cut() {
        let mut plane = Vec::new();
        unpack(&[0x81, 1], 5, &mut plane).unwrap();
        assert_eq!(plane, [1; 5]);
    }
}
