//! Colour to RGB (PS3.3 §C.7.6.3.1.2): palettes, YBR, wide samples.

use crate::imaging::decode::Frame;
use crate::imaging::decode::Samples;
use crate::imaging::error::ImagingError;
use crate::imaging::pixels::Palette;
use crate::imaging::pixels::PixelAttributes;

/// An 8-bit RGB picture of a colour frame.
pub fn to_rgb(attributes: &PixelAttributes, frame: &Frame) -> Result<Vec<u8>, ImagingError> {
    if frame.photometric == "PALETTE COLOR" {
        return palette(attributes, frame);
    }
    let bytes = match &frame.data {
        Samples::U8(bytes) => bytes.clone(),
        Samples::U16(words) => {
            let shift = attributes.bits_stored.clamp(8, 16) - 8;
            words.iter().map(|word| u8::try_from(word >> shift).unwrap_or(u8::MAX)).collect()
        }
        Samples::U32(_) | Samples::F64(_) => {
            return Err(ImagingError::Unsupported("colour of 32 bits a sample".to_owned()));
        }
    };
    match frame.photometric.as_str() {
        "RGB" | "YBR_RCT" | "YBR_ICT" => Ok(three(&bytes, frame.samples, |rgb| rgb)),
        "YBR_FULL" | "YBR_FULL_422" => Ok(three(&bytes, frame.samples, ybr_full)),
        other => Err(ImagingError::Unsupported(format!("photometric interpretation {other}"))),
    }
}

fn three(bytes: &[u8], samples: usize, turn: impl Fn([u8; 3]) -> [u8; 3]) -> Vec<u8> {
    let pixels = bytes.chunks_exact(samples.max(3));
    pixels.filter_map(|pixel| Some(turn(*pixel.first_chunk::<3>()?))).flatten().collect()
}

/// `YBR_FULL` to RGB: the inverse of PS3.3 §C.7.6.3.1.2, in 16.16 fixed point.
fn ybr_full([y, blue, red]: [u8; 3]) -> [u8; 3] {
    let (y, blue, red) = (i32::from(y) << 16, i32::from(blue) - 128, i32::from(red) - 128);
    let round = |value: i32| u8::try_from(((value + 0x8000) >> 16).clamp(0, 255)).unwrap_or(0);
    // 1.402, 0.344136, 0.714136, 1.772
    [round(y + 91_881 * red), round(y - 22_553 * blue - 46_802 * red), round(y + 116_130 * blue)]
}

fn palette(attributes: &PixelAttributes, frame: &Frame) -> Result<Vec<u8>, ImagingError> {
    let tables: Vec<Vec<u8>> = attributes.palettes.iter().map(table).collect::<Result<_, _>>()?;
    let first = i64::from(attributes.palettes.first().map_or(0, |palette| palette.descriptor[1]));
    let indices: Vec<i64> = match &frame.data {
        Samples::U8(bytes) => bytes.iter().map(|byte| i64::from(*byte)).collect(),
        Samples::U16(words) => words.iter().map(|word| i64::from(*word)).collect(),
        _ => return Err(ImagingError::Unsupported("palette of 32 bits a sample".to_owned())),
    };
    let mut rgb = Vec::with_capacity(indices.len() * 3);
    for index in indices {
        for table in &tables {
            // Below the first value mapped the first entry, above the last the last.
            let at = usize::try_from((index - first).max(0)).unwrap_or(usize::MAX);
            let entry = table.get(at).or(table.last()).copied();
            rgb.push(entry.unwrap_or(0));
        }
    }
    Ok(rgb)
}

/// A palette's entries as 8 bits.
fn table(palette: &Palette) -> Result<Vec<u8>, ImagingError> {
    let missing = || ImagingError::Unsupported("a palette without entries".to_owned());
    // 0 entries mean 65 536 (PS3.3 §C.7.6.3.1.5).
    let entries = match usize::from(palette.descriptor[0]) {
        0 => 65_536,
        entries => entries,
    };
    let words: Vec<u16> = palette
        .data
        .chunks_exact(2)
        .filter_map(|two| Some(u16::from_le_bytes(two.try_into().ok()?)))
        .collect();
    if words.is_empty() {
        return Err(missing());
    }
    if palette.is_segmented {
        let words = segments(&words, entries)?;
        return Ok(words.into_iter().map(high).collect());
    }
    if palette.descriptor[2] == 8 {
        // Packed two to a word, or one to a word.
        return Ok(if words.len() >= entries {
            let wide = words.iter().any(|word| *word > 255);
            words
                .iter()
                .take(entries)
                .map(|word| if wide { high(*word) } else { low(*word) })
                .collect()
        } else {
            palette.data.iter().copied().take(entries).collect()
        });
    }
    Ok(words.into_iter().take(entries).map(high).collect())
}

fn high(word: u16) -> u8 {
    word.to_le_bytes()[1]
}

fn low(word: u16) -> u8 {
    word.to_le_bytes()[0]
}

/// Segmented palettes (PS3.3 §C.7.9.2.1): discrete, linear and indirect segments.
fn segments(words: &[u16], entries: usize) -> Result<Vec<u16>, ImagingError> {
    let damaged = || ImagingError::Damaged("a segmented palette".to_owned());
    let mut out: Vec<u16> = Vec::with_capacity(entries);
    let mut at = 0;
    while at < words.len() && out.len() < entries {
        let (Some(&kind), Some(&length)) = (words.get(at), words.get(at + 1)) else { break };
        let length = usize::from(length);
        match kind {
            0 => {
                out.extend(words.get(at + 2..at + 2 + length).ok_or_else(damaged)?);
                at += 2 + length;
            }
            1 => {
                let end = i64::from(*words.get(at + 2).ok_or_else(damaged)?);
                let begin = i64::from(*out.last().ok_or_else(damaged)?);
                for step in 1..=i64::try_from(length).unwrap_or(0) {
                    let value =
                        begin + (end - begin) * step / i64::try_from(length).unwrap_or(1).max(1);
                    out.push(u16::try_from(value).unwrap_or(u16::MAX));
                }
                at += 3;
            }
            _ => return Err(ImagingError::Unsupported("an indirect palette segment".to_owned())),
        }
    }
    out.truncate(entries);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::{segments, ybr_full};

    #[test]
    fn pure_colours_of_ybr_full_are_pure_colours_of_rgb() {
        for (ybr, rgb) in [
            ([0, 128, 128], [0, 0, 0]),
            ([255, 128, 128], [255, 255, 255]),
            ([150, 44, 21], [0, 255, 1]), // pure green: (0,255,0) but for rounding
            ([76, 85, 255], [254, 0, 0]), // pure red
            ([29, 255, 107], [0, 0, 254]), // pure blue
        ] {
            assert_eq!(ybr_full(ybr), rgb, "{ybr:?}");
        }
    }

    #[test]
    fn segmented_palettes_join_discrete_and_linear_segments() {
        assert_eq!(segments(&[0, 2, 10, 20, 1, 2, 40], 4).unwrap(), [10, 20, 30, 40]);
    }
}
