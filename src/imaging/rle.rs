//! RLE Lossless (PS3.5 §G): byte planes, each run-length coded.

use crate::imaging::error::ImagingError;

/// Bytes of the header: a count and 15 offsets (PS3.5 §G.5).
const HEADER_BYTES: usize = 64;

/// Decodes a frame to interleaved little endian samples: `pixels` pixels of `samples` samples of
/// `bytes` bytes each.
pub fn decode(
    frame: &[u8],
    pixels: usize,
    samples: usize,
    bytes: usize,
) -> Result<Vec<u8>, ImagingError> {
    let damaged = |what: &str| ImagingError::Damaged(format!("RLE: {what}"));
    let header = frame.get(..HEADER_BYTES).ok_or_else(|| damaged("no header"))?;
    let numbers: Vec<usize> = header
        .chunks_exact(4)
        .filter_map(|four| Some(u32::from_le_bytes(four.try_into().ok()?)))
        .filter_map(|number| usize::try_from(number).ok())
        .collect();
    let planes = samples.checked_mul(bytes).ok_or_else(|| damaged("too many planes"))?;
    if numbers.first() != Some(&planes) {
        return Err(damaged("the number of segments is not samples times bytes"));
    }
    let length = pixels.checked_mul(planes).ok_or_else(|| damaged("too large"))?;
    let mut out = vec![0; length];
    for plane in 0..planes {
        let from = numbers.get(plane + 1).copied().unwrap_or(usize::MAX);
        let to = numbers.get(plane + 2).copied().filter(|_| plane + 1 < planes);
        let segment = frame.get(from..to.unwrap_or(frame.len()));
        let segment = segment.ok_or_else(|| damaged("a segment outside the frame"))?;
        // Planes come sample by sample, most significant byte first (PS3.5 §G.2).
        let (sample, byte) = (plane / bytes, bytes - 1 - plane % bytes);
        let places = out.iter_mut().skip(sample * bytes + byte).step_by(planes);
        unpack(segment, places).map_err(|()| damaged("a segment ends early"))?;
    }
    Ok(out)
}

/// Unpacks one segment into `places` (PS3.5 §G.3.2).
fn unpack<'a>(mut segment: &[u8], mut places: impl Iterator<Item = &'a mut u8>) -> Result<(), ()> {
    let mut place = places.next();
    while place.is_some() {
        let (&control, rest) = segment.split_first().ok_or(())?;
        segment = rest;
        match control {
            0..=127 => {
                let (literal, rest) =
                    segment.split_at_checked(usize::from(control) + 1).ok_or(())?;
                segment = rest;
                for value in literal {
                    let Some(to) = place else { return Ok(()) };
                    *to = *value;
                    place = places.next();
                }
            }
            128 => {}
            129..=255 => {
                let (value, rest) = segment.split_first().ok_or(())?;
                segment = rest;
                for _ in 0..257 - usize::from(control) {
                    let Some(to) = place else { return Ok(()) };
                    *to = *value;
                    place = places.next();
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::decode;

    fn frame(segments: &[&[u8]]) -> Vec<u8> {
        let mut header = vec![u32::try_from(segments.len()).unwrap()];
        let mut at = 64;
        for segment in segments {
            header.push(at);
            at += u32::try_from(segment.len()).unwrap();
        }
        header.resize(16, 0);
        let header = header.iter().flat_map(|number| number.to_le_bytes());
        header.chain(segments.concat()).collect()
    }

    #[test]
    fn sixteen_bit_samples_come_most_significant_byte_first() {
        // Three pixels 0x0102, 0x0102, 0x0304: high bytes 01 01 03, low bytes 02 02 04.
        let stored = frame(&[&[0xFF, 0x01, 0x00, 0x03], &[0x02, 0x02, 0x02, 0x04]]);
        assert_eq!(decode(&stored, 3, 1, 2).unwrap(), [2, 1, 2, 1, 4, 3]);
    }

    #[test]
    fn colour_planes_are_interleaved() {
        let stored = frame(&[&[0xFF, 10], &[0xFF, 20], &[0xFF, 30]]);
        assert_eq!(decode(&stored, 2, 3, 1).unwrap(), [10, 20, 30, 10, 20, 30]);
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_samples_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(samples) = decode(&bytes, 10, 1, 2) {
                prop_assert_eq!(samples.len(), 20);
            }
        }
    }
}
