//! PNG to native pixels (PS3.18 Table 10.5.2-1: transformed, there being no transfer syntax for it).

use std::io::Cursor;

use image::codecs::png::PngDecoder;
use image::{ColorType, ImageDecoder, Limits};

use crate::imaging::decode::MAX_FRAME_BYTES;
use crate::imaging::error::ImagingError;

/// The pixels of a PNG.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    /// Rows.
    pub rows: u16,
    /// Columns.
    pub columns: u16,
    /// 1: grey; 3: red, green, blue.
    pub samples: u16,
    /// Bits of a sample: 8 or 16.
    pub bits: u16,
    /// Little endian, interleaved by pixel.
    pub data: Vec<u8>,
}

/// Decodes a PNG. Palettes become red, green and blue, fewer than 8 bits become 8, and
/// transparency is left out.
pub fn decode(bytes: &[u8]) -> Result<Pixels, ImagingError> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(u16::MAX.into());
    limits.max_image_height = Some(u16::MAX.into());
    limits.max_alloc = Some(MAX_FRAME_BYTES);
    let decoder =
        PngDecoder::with_limits(Cursor::new(bytes), limits).map_err(ImagingError::damaged)?;
    let (width, height) = decoder.dimensions();
    let (channels, samples, bits) = match decoder.color_type() {
        ColorType::L8 => (1, 1, 8),
        ColorType::La8 => (2, 1, 8),
        ColorType::Rgb8 => (3, 3, 8),
        ColorType::Rgba8 => (4, 3, 8),
        ColorType::L16 => (1, 1, 16),
        ColorType::La16 => (2, 1, 16),
        ColorType::Rgb16 => (3, 3, 16),
        ColorType::Rgba16 => (4, 3, 16),
        other => return Err(ImagingError::Unsupported(format!("PNG of {other:?}"))),
    };
    let total = decoder.total_bytes();
    let length = usize::try_from(total).ok().filter(|_| total <= MAX_FRAME_BYTES);
    let mut data = vec![0; length.ok_or(ImagingError::TooLarge { bytes: total })?];
    decoder.read_image(&mut data).map_err(ImagingError::damaged)?;
    let sample_bytes = usize::from(bits / 8);
    if channels != usize::from(samples) {
        let kept = usize::from(samples) * sample_bytes;
        let pixels = data.chunks_exact(channels * sample_bytes);
        data = pixels.filter_map(|pixel| pixel.get(..kept)).flatten().copied().collect();
    }
    if bits == 16 && cfg!(target_endian = "big") {
        data.chunks_exact_mut(2).for_each(<[u8]>::reverse);
    }
    let size =
        |pixels: u32| u16::try_from(pixels).map_err(|_| ImagingError::TooLarge { bytes: total });
    Ok(Pixels { rows: size(height)?, columns: size(width)?, samples, bits, data })
}

#[cfg(test)]
mod tests {
    use image::{ExtendedColorType, ImageEncoder};
    use proptest::prelude::*;

    use super::{Pixels, decode};

    fn png(data: &[u8], kind: ExtendedColorType) -> Vec<u8> {
        let mut bytes = Vec::new();
        let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
        encoder.write_image(data, 2, 1, kind).unwrap();
        bytes
    }

    #[test]
    fn pixels_come_out_as_they_went_in_without_transparency() {
        for (data, kind, samples, bits, expected) in [
            (vec![1, 2], ExtendedColorType::L8, 1, 8, vec![1, 2]),
            (vec![1, 9, 2, 9], ExtendedColorType::La8, 1, 8, vec![1, 2]),
            (vec![1, 2, 3, 9, 4, 5, 6, 9], ExtendedColorType::Rgba8, 3, 8, vec![1, 2, 3, 4, 5, 6]),
            (vec![1, 2, 3, 4], ExtendedColorType::L16, 1, 16, vec![1, 2, 3, 4]),
        ] {
            let expected = Pixels { rows: 1, columns: 2, samples, bits, data: expected };
            assert_eq!(decode(&png(&data, kind)), Ok(expected), "{kind:?}");
        }
    }

    #[test]
    fn a_cut_png_is_an_error() {
        let whole = png(&[1, 2], ExtendedColorType::L8);
        for end in 0..whole.len() - 12 {
            assert!(decode(&whole[..end]).is_err(), "cut at {end}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode(&bytes);
            let _ = decode(&[&b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR"[..], &bytes].concat());
        }
    }
}
